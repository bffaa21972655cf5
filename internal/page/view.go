// Package page makes the page that shows a results folder: one HTML file with all its
// data in it, or the same page for a server that sends the data while runs go on.
//
//	Model     what the page knows of a folder: comparisons, figures; it follows the folder
//	View      the model as the page's scripts read it, in JSON
//	Write     report.html, and the figures and tables beside it
//
// The scripts and styles lie in assets/. Charts are drawn by uPlot (assets/uplot).
package page

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"swapmc/internal/lab"
	"swapmc/internal/report"
	"swapmc/internal/results"
	"swapmc/speedup"
)

// A View is all that the page shows but the runs. Numbers that are not known are null.
type View struct {
	Title     string        `json:"title"`
	System    string        `json:"system"`
	Question  string        `json:"question"`
	Answer    string        `json:"answer"`
	Quantity  string        `json:"quantity"` // what falls to the target
	Unit      string        `json:"unit"`     // iterations or sweeps
	Version   string        `json:"version"`
	Folder    string        `json:"folder"`
	Made      string        `json:"made"`
	Planned   int           `json:"planned"`
	Tables    []TableView   `json:"tables"`
	Protocols []string      `json:"protocols"`
	Named     []int         `json:"named"` // protocols to draw first
	Keys      []KeyView     `json:"keys"`
	Settings  []string      `json:"settings"` // labels
	Compared  []*Compared   `json:"compared"` // of each setting; null where there is nothing to compare
	Notes     []string      `json:"notes"`
	Spec      string        `json:"spec"`
	Commands  []CommandView `json:"commands"`
	Fixed     [][2]string   `json:"fixed"` // configuration that all runs share
	Thinned   int           `json:"thinned"`
}

// A TableView names the columns of one of the tables that each run has.
type TableView struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
}

// A KeyView is a thing that was swept.
type KeyView struct {
	Name     string   `json:"name"`
	Values   []string `json:"values"`
	Setting  []int    `json:"setting,omitempty"`
	Protocol []int    `json:"protocol,omitempty"`
}

// A CommandView is a command line and what it gives.
type CommandView struct {
	What    string `json:"what"`
	Command string `json:"command"`
}

// Compared is the comparison of a setting.
type Compared struct {
	Target   speedup.Number `json:"target"`
	Reached  int            `json:"reached"` // runs without swaps
	Seeds    int            `json:"seeds"`
	Median   speedup.Number `json:"median"`
	Arms     []Arm          `json:"arms"`
	Markdown string         `json:"markdown"`
	LaTeX    string         `json:"latex"`
}

// An Arm is what a Compared says of one protocol.
type Arm struct {
	Protocol    int              `json:"protocol"`
	Verdict     string           `json:"verdict"`
	VerdictTime string           `json:"verdict_time"`
	Iterations  speedup.Estimate `json:"iterations"`
	Time        speedup.Estimate `json:"time"`
	Text        string           `json:"text"` // "1.24 [0.93, 1.56]"
	TextTime    string           `json:"text_time"`
	Reached     int              `json:"reached"`
	Seeds       int              `json:"seeds"`
	Median      speedup.Number   `json:"median"`
	Curve       Curve            `json:"curve"`
}

// A Curve is S against the target.
type Curve struct {
	Target  []float64        `json:"target"`
	Speedup []speedup.Number `json:"speedup"`
	Low     []speedup.Number `json:"low,omitempty"`
	High    []speedup.Number `json:"high,omitempty"`
	Bound   []bool           `json:"bound,omitempty"` // where not all runs arrive
}

// A RunView is one run without its measurements.
type RunView struct {
	ID         string         `json:"id"`
	Protocol   int            `json:"protocol"`
	Setting    int            `json:"setting"`
	Seed       string         `json:"seed"` // 64 bits are too many for a number of JavaScript
	Status     lab.Status     `json:"status"`
	Reason     string         `json:"reason,omitempty"`
	Fault      string         `json:"fault,omitempty"`
	Progress   float64        `json:"progress"`
	Length     int            `json:"length"`
	Seconds    float64        `json:"seconds"`
	Proposed   int64          `json:"proposed"`
	Accepted   int64          `json:"accepted"`
	Loss       speedup.Number `json:"loss"` // at the end so far; the energy of a glass
	Accuracy   speedup.Number `json:"accuracy"`
	Tau        speedup.Number `json:"tau"` // of a glass
	TauReached bool           `json:"tau_reached"`
	Inherent   speedup.Number `json:"inherent"`  // energy a particle of inherent structures
	Exchanged  speedup.Number `json:"exchanged"` // of the trials to exchange with the next temperature
	Between    speedup.Number `json:"between"`   // the middle of these temperatures
	Facts      [][2]string    `json:"facts,omitempty"`
	Host       string         `json:"host"`
	Kernel     string         `json:"kernel"`
	Started    string         `json:"started"`
	Command    string         `json:"command"`
	Rows       []int          `json:"rows"` // of each table, in the points that come with it
	Points     string         `json:"points,omitempty"`
	Reset      bool           `json:"reset,omitempty"` // the points replace those before
}

// tables are those of a network's runs, and of a glass's.
var tables = map[string][]TableView{
	"network": {{"metrics", []string{"iteration", "seconds", "train_loss", "test_accuracy", "test_loss", "train_accuracy", "learning_rate", "acceptance"}}},
	"glass":   {{"curves", []string{"sweeps", "fs", "msd", "overlap", "chi4", "alpha2", "diameter"}}, {"g", []string{"r", "g"}}, {"s", []string{"k", "s"}}},
}

// A Model follows a folder. Its methods but [Model.Update] only read.
type Model struct {
	*results.Folder
	Version string

	compared []comparison
}

type comparison struct {
	c     speedup.Comparison
	ok    bool
	full  bool
	ended int // runs that it is of
	view  *Compared
}

// manyRuns are so many that a bootstrap at each target takes too long: then there are
// intervals at the headline target only.
const manyRuns = 300

// Update makes the comparisons anew whose runs have ended since the last time.
func (m *Model) Update() {
	full := len(m.Runs) <= manyRuns
	if len(m.compared) < len(m.Settings) {
		m.compared = append(m.compared, make([]comparison, len(m.Settings)-len(m.compared))...)
	}
	inParallel(len(m.Settings), func(i int) {
		ended := 0
		for _, r := range m.Settings[i].Runs {
			if r.Status.Finished() {
				ended += 1 + r.Rewound
			}
		}
		if old := &m.compared[i]; old.ended == ended && old.full == full {
			return
		}
		c, ok := m.Compare(i, full)
		m.compared[i] = comparison{c: c, ok: ok, full: full, ended: ended}
		if ok {
			m.compared[i].view = m.compare(i, &c, full)
		}
	})
}

// Comparison returns the comparison of a setting as of the last Update.
func (m *Model) Comparison(setting int) (speedup.Comparison, bool) {
	if setting >= len(m.compared) {
		return speedup.Comparison{}, false
	}
	return m.compared[setting].c, m.compared[setting].ok
}

func (m *Model) compare(setting int, c *speedup.Comparison, full bool) *Compared {
	v := &Compared{Target: c.Headline, Arms: []Arm{}}
	var markdown, latex strings.Builder
	report.Markdown(&markdown, c)
	report.LaTeX(&latex, c)
	v.Markdown, v.LaTeX = markdown.String(), latex.String()
	for i := range c.Protocols {
		p := &c.Protocols[i]
		t := p.At(c.HeadlineTarget())
		if t == nil {
			continue
		}
		v.Reached, v.Seeds, v.Median = t.ReachedBaseline, max(v.Seeds, t.Seeds), t.MedianBaseline
		a := Arm{Protocol: slices.Index(m.Protocols, p.Text), Verdict: string(p.Verdict), VerdictTime: string(t.VerdictTime), Iterations: t.Iterations, Time: t.Time,
			Text: report.Estimate(t.Iterations), TextTime: report.Estimate(t.Time), Reached: t.Reached, Seeds: t.Seeds, Median: t.Median}
		if full {
			for _, t := range p.Targets {
				e := t.Iterations
				a.Curve.Target = append(a.Curve.Target, t.Target)
				bound := e.AtMost > 0 || e.AtLeast > 0
				if bound {
					e.Low, e.High = math.NaN(), math.NaN()
				}
				a.Curve.Bound = append(a.Curve.Bound, bound)
				a.Curve.Speedup = append(a.Curve.Speedup, speedup.Number(e.Speedup))
				a.Curve.Low, a.Curve.High = append(a.Curve.Low, speedup.Number(e.Low)), append(a.Curve.High, speedup.Number(e.High))
			}
		} else {
			var s []float64
			a.Curve.Target, s = m.Curve(setting, p.Text)
			for _, x := range s {
				a.Curve.Speedup = append(a.Curve.Speedup, speedup.Number(x))
			}
		}
		v.Arms = append(v.Arms, a)
	}
	return v
}

// View returns the state of the page.
func (m *Model) View() *View {
	glass := m.System == "glass"
	v := &View{Title: m.Name, System: m.System, Quantity: "training loss", Unit: "iterations", Version: m.Version, Folder: m.Path, Made: time.Now().Format("2006-01-02 15:04"),
		Planned: m.Planned(), Protocols: m.Protocols, Spec: m.Spec, Tables: tables[m.System], Named: []int{}, Keys: []KeyView{}, Settings: []string{}, Notes: []string{}, Compared: []*Compared{}}
	if glass {
		v.Quantity, v.Unit = "correlation F_s", "sweeps"
	}
	for _, k := range m.Keys {
		v.Keys = append(v.Keys, KeyView{results.Short(k.Name), k.Values, k.Setting, k.Protocol})
	}
	var first *speedup.Comparison
	for i := range m.Settings {
		v.Settings = append(v.Settings, m.Settings[i].Label)
		var c *Compared
		if i < len(m.compared) && m.compared[i].ok {
			c = m.compared[i].view
			if first == nil {
				first = &m.compared[i].c
			}
		}
		v.Compared = append(v.Compared, c)
	}
	for p := range m.Protocols {
		v.Named = append(v.Named, p)
	}
	if first != nil && len(first.Protocols) > report.Shown {
		v.Named = []int{0}
		for _, k := range report.Named(first) {
			v.Named = append(v.Named, slices.Index(m.Protocols, first.Protocols[k].Text))
		}
	} else if len(v.Named) > report.Shown+1 {
		v.Named = v.Named[:report.Shown+1]
	}
	v.Question, v.Answer = m.question(), m.answer()
	v.Notes = append(v.Notes, m.notes()...)
	v.Fixed = m.fixed()
	v.Commands = m.commands()
	return v
}

// notes are what a reader should know.
func (m *Model) notes() []string {
	var diverged, failed, damaged []string
	hosts, kernels := map[string]bool{}, map[string]bool{}
	for _, r := range m.Runs {
		name := fmt.Sprintf("%s, seed %d", r.Protocol, r.Seed)
		switch r.Status {
		case lab.Diverged:
			diverged = append(diverged, name)
		case lab.Failed:
			failed = append(failed, name+" ("+r.Reason+")")
		}
		if r.Fault != "" {
			damaged = append(damaged, r.ID+" ("+r.Fault+")")
		}
		hosts[r.Host+" "+r.CPU], kernels[r.Kernel] = true, true
	}
	var notes []string
	few := func(list []string, before string) {
		if n := len(list); n > 5 {
			list = append(list[:5:5], fmt.Sprintf("and %d more", n-5))
		}
		if len(list) > 0 {
			notes = append(notes, before+strings.Join(list, "; ")+".")
		}
	}
	few(diverged, "Diverged, and so never arrived: ")
	few(failed, "Failed, and so left out: ")
	few(damaged, "Files that cannot be read whole: ")
	if len(hosts) > 1 {
		notes = append(notes, fmt.Sprintf("The runs were made on %d different machines: their seconds may not compare.", len(hosts)))
	}
	if len(kernels) > 1 {
		notes = append(notes, "The runs were made with different kernels: pairs differ in the last digits too.")
	}
	return notes
}

// Run returns the view of a run with the rows of its tables from a row on.
func (m *Model) Run(r *results.Run, from int) RunView {
	v, points := m.run(r, from, 0)
	v.Points, v.Reset = base64.StdEncoding.EncodeToString(points), from == 0
	return v
}

// run returns the view of a run, and the rows of its tables from a row on, at most so
// many of each (0: all), with a step where there are more: one column after the other,
// in float32.
func (m *Model) run(r *results.Run, from, most int) (RunView, []byte) {
	setting, protocol := r.Place()
	nan := speedup.Number(math.NaN())
	v := RunView{ID: r.ID, Protocol: protocol, Setting: setting, Seed: fmt.Sprint(r.Seed), Status: r.Status, Reason: r.Reason, Fault: r.Fault, Progress: r.Progress(), Length: r.Length,
		Seconds: r.Seconds, Proposed: r.Proposed, Accepted: r.Accepted, Loss: nan, Accuracy: nan, Tau: nan, Inherent: nan, Exchanged: nan, Between: nan, Host: r.Host, Kernel: r.Kernel,
		Started: r.Started.Format("2006-01-02 15:04:05"), Command: r.Command()}
	if last, ok := r.Final("train_loss"); ok {
		v.Loss = speedup.Number(last)
	}
	if last, ok := r.Final("test_accuracy"); ok {
		v.Accuracy = speedup.Number(last)
	}
	if r.Result != nil && r.Liquid != nil {
		v.glass(r)
	}
	var points []byte
	for _, columns := range m.columns(r) {
		n := 0
		for k, c := range columns {
			index := thin(from, len(c), most)
			if k == 0 {
				n = len(index)
				v.Rows = append(v.Rows, n)
			}
			for _, i := range index {
				points = float32s(points, c[i])
			}
		}
	}
	return v, points
}

// glass takes over what a run of a glass has measured.
func (v *RunView) glass(r *results.Run) {
	x := r.Result
	fact := func(what, text string) { v.Facts = append(v.Facts, [2]string{what, text}) }
	v.Loss = x.EnergyPerParticle.Mean
	fact("energy a particle", x.EnergyPerParticle.String())
	fact("pressure", x.Pressure.String())
	if len(x.Curves.Time) > 0 {
		v.Tau, v.TauReached = speedup.Number(x.Tau.Value), x.Tau.Reached
	}
	if e := x.InherentEnergyPerParticle; e != nil {
		v.Inherent = e.Mean
		fact("energy of inherent structures", e.String())
	}
	if e := x.Exchanges; e != nil {
		if rung := r.Liquid.Tempering; rung != nil && e.Next != nil {
			if a, b, ok := rung.Neighbours(); ok {
				v.Exchanged, v.Between = e.Next.Rate, speedup.Number((a+b)/2)
				fact(fmt.Sprintf("exchanges with T = %g", b), fmt.Sprintf("%d accepted of %d", e.Next.Accepted, e.Next.Proposed))
			}
		}
		fact("round trips of all configurations", fmt.Sprint(e.RoundTrips))
	}
}

// columns are the numbers of a run's tables, all of a table equally long.
func (m *Model) columns(r *results.Run) [][][]float64 {
	if m.System == "glass" {
		curves, g, s := make([][]float64, 7), make([][]float64, 2), make([][]float64, 2)
		if x := r.Result; x != nil {
			c := &x.Curves
			for _, t := range c.Time {
				curves[0] = append(curves[0], float64(t))
			}
			for k, y := range [][]float64{c.Fs, c.MSD, c.Overlap, c.Chi4, c.Alpha2, c.Diameter} {
				curves[k+1] = fit(y, len(c.Time))
			}
			g[0], g[1] = x.G.R, fit(x.G.G, len(x.G.R))
			if x.S != nil {
				s[0], s[1] = x.S.K, fit(x.S.S, len(x.S.K))
			}
		}
		return [][][]float64{curves, g, s}
	}
	var list [][]float64
	n := r.Metrics.Rows()
	for _, name := range tables["network"][0].Columns {
		if name == "acceptance" {
			list = append(list, acceptance(r.Metrics.Column("proposed"), r.Metrics.Column("accepted"), n))
			continue
		}
		list = append(list, fit(r.Metrics.Column(name), n))
	}
	return [][][]float64{list}
}

// fit gives a column a length, with NaN at the end.
func fit(c []float64, n int) []float64 {
	if len(c) >= n {
		return c[:n]
	}
	c = slices.Clone(c)
	for len(c) < n {
		c = append(c, math.NaN())
	}
	return c
}

// acceptance is the share of swaps accepted since the row before.
func acceptance(proposed, accepted []float64, n int) []float64 {
	list := slices.Repeat([]float64{math.NaN()}, n)
	for i := 1; i < min(n, len(proposed), len(accepted)); i++ {
		if d := proposed[i] - proposed[i-1]; d > 0 {
			list[i] = (accepted[i] - accepted[i-1]) / d
		}
	}
	return list
}

// thin returns the numbers of rows to keep: all, or each so-manieth and the last.
func thin(from, n, most int) []int {
	step := 1
	if most > 1 && n-from > most {
		step = (n - from + most - 2) / (most - 1)
	}
	var index []int
	for i := from; i < n; i += step {
		index = append(index, i)
	}
	if len(index) > 0 && index[len(index)-1] != n-1 {
		index = append(index, n-1)
	}
	return index
}

// Rows is how many rows a run's tables have, of those that grow.
func Rows(r *results.Run) int { return r.Metrics.Rows() }
