package liquid

import (
	"encoding/csv"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"

	"swapmc/glass"
	"swapmc/internal/report"
)

// Figure draws what [Diagrams] returns, and returns the paths.
func (f *Folder) Figure(records []*Record) ([]string, error) {
	to := filepath.Join(f.Path, "figure")
	if err := Diagrams(os.DirFS(f.Path), records).Write(to); err != nil {
		return nil, err
	}
	return []string{to + ".svg", to + ".pdf", to + ".png"}, nil
}

// Diagrams shows what was measured in runs that differ in nothing but temperature, protocol
// and seed, from their records, which have a result, and their files in a results folder: F_s, the
// mean-square displacement, g(r) and S(k); relaxation times against temperature; of parallel tempering
// energies and exchanges against temperature; energies of inherent structures against temperature, or of one
// temperature against time. Each temperature has a colour and each protocol a stroke; of one temperature, each protocol a
// colour. Several seeds are averaged, with one standard error. inherent.csv that cannot be read is left out.
func Diagrams(results fs.FS, records []*Record) *report.Grid {
	d := newDiagrams(results, records)
	g := &report.Grid{Title: d.title(), Columns: 1, Legend: d.legend()}
	curves := func(x, y string, pick func(*Result) (x, y []float64)) report.Panel {
		p := report.Panel{X: x, Y: y}
		d.each(func(runs []*Record, c report.Curve) {
			c.X, c.Y, c.Low, c.High = average(runs, pick)
			if len(c.X) > 0 {
				p.Curves = append(p.Curves, c)
			}
		})
		return p
	}
	of := func(pick func(*Result) []float64) func(*Result) (x, y []float64) {
		return func(r *Result) (x, y []float64) {
			for _, t := range r.Curves.Time {
				x = append(x, float64(t))
			}
			return x, pick(r)
		}
	}
	fs := curves("sweeps", "F_s(k, t)", of(func(r *Result) []float64 { return r.Curves.Fs }))
	fs.LogX, fs.Level = true, 1/math.E
	msd := curves("sweeps", "mean-square displacement", of(func(r *Result) []float64 { return r.Curves.MSD }))
	msd.LogX, msd.LogY = true, true
	panels := []report.Panel{fs, msd,
		curves("r", "g(r)", func(r *Result) (x, y []float64) { return r.G.R, r.G.G }),
		curves("k", "S(k)", func(r *Result) (x, y []float64) {
			if r.S == nil {
				return nil, nil
			}
			return r.S.K, r.S.S
		})}
	if len(d.temperatures) > 1 {
		tau := d.against("relaxation time (sweeps)", relaxationTime)
		tau.LogY = true
		for _, c := range tau.Curves {
			if slices.Contains(c.Bounds, 1) {
				g.Legend = append(g.Legend, report.Entry{Text: "tau is longer than what was measured", Bounds: true})
				break
			}
		}
		panels = append(panels, tau)
		if d.tempering {
			panels = append(panels, d.against("energy a particle", func(runs []*Record) point {
				return value(runs, func(r *Record) *Value { return &r.Result.EnergyPerParticle })
			}))
		}
		panels = append(panels, d.against("energy of inherent structures", func(runs []*Record) point {
			return value(runs, func(r *Record) *Value { return r.Result.InherentEnergyPerParticle })
		}))
		if d.tempering {
			panels = append(panels, d.exchanges())
		}
	} else {
		panels = append(panels, d.inherent())
	}
	g.Panels = slices.DeleteFunc(panels, func(p report.Panel) bool { return len(p.Curves) == 0 })
	if len(g.Panels) > 4 {
		g.Columns = 2
	}
	return g
}

// diagrams are records, sorted.
type diagrams struct {
	results      fs.FS
	records      []*Record
	protocols    []string  // no swaps first
	temperatures []float64 // the hottest first
	tempering    bool
}

func newDiagrams(results fs.FS, records []*Record) *diagrams {
	d := &diagrams{results: results, records: records}
	seen := map[float64]bool{}
	for _, r := range records {
		seen[r.Config.Temperature] = true
		d.tempering = d.tempering || r.Result.Exchanges != nil
		if p := r.Config.Protocol.String(); !slices.Contains(d.protocols, p) {
			d.protocols = append(d.protocols, p)
		}
	}
	slices.SortStableFunc(d.protocols, func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == "none":
			return -1
		case b == "none":
			return 1
		}
		return 0
	})
	d.temperatures = slices.Sorted(maps.Keys(seen))
	slices.Reverse(d.temperatures)
	return d
}

// title says what all runs are of.
func (d *diagrams) title() string {
	if len(d.records) == 0 {
		return ""
	}
	c, r := &d.records[0].Config, d.records[0].Result
	model, err := glass.FindModel(c.Model)
	hard := err == nil && model.Hard
	s := fmt.Sprintf("%s, N = %d", c.Model, c.Particles)
	if c.Dimension == 2 {
		s += ", two dimensions"
	}
	if hard || c.Packing > 0 {
		s += fmt.Sprintf(", packing %.4g", r.Packing)
	} else {
		s += fmt.Sprintf(", density %.4g", r.Density)
	}
	if len(d.temperatures) == 1 && !hard {
		s += fmt.Sprintf(", T = %g", d.temperatures[0])
	}
	if len(r.Curves.Time) > 0 {
		s += fmt.Sprintf(", k = %.4g", c.Measure.K)
	}
	if t := c.Tempering; t != nil {
		s += fmt.Sprintf(", exchanges every %d sweeps", t.Every)
	}
	seeds := map[uint64]bool{}
	for _, r := range d.records {
		seeds[r.Config.Seed] = true
	}
	if len(seeds) > 1 {
		s += fmt.Sprintf(", mean of %d seeds", len(seeds))
	}
	return s
}

func (d *diagrams) legend() []report.Entry {
	var list []report.Entry
	for _, p := range d.protocols {
		if p == "none" {
			list = append(list, report.Entry{Text: "no swaps"})
			continue
		}
		list = append(list, report.Entry{Text: p, Hue: report.Blue})
	}
	if len(d.temperatures) > 1 {
		for i, t := range d.temperatures {
			list = append(list, report.Entry{Text: fmt.Sprintf("T = %g", t), Hue: report.Heat, Beside: i > 0})
		}
	}
	return list
}

// each calls f with the runs of each temperature and protocol, and a curve in their colour and stroke.
func (d *diagrams) each(f func(runs []*Record, c report.Curve)) {
	for p := range d.protocols {
		for t := range d.temperatures {
			c := report.Curve{Entry: p}
			if len(d.temperatures) > 1 {
				c.Entry, c.Dashes = len(d.protocols)+t, p
			}
			if runs := d.of(p, t); len(runs) > 0 {
				f(runs, c)
			}
		}
	}
}

// of are the runs of a protocol at a temperature.
func (d *diagrams) of(protocol, temperature int) []*Record {
	var runs []*Record
	for _, r := range d.records {
		if r.Config.Temperature == d.temperatures[temperature] && r.Config.Protocol.String() == d.protocols[protocol] {
			runs = append(runs, r)
		}
	}
	return runs
}

// average returns the mean of curves over runs, as far as all of them have come, and of several runs the ends
// of one standard error.
func average(runs []*Record, pick func(*Result) (x, y []float64)) (x, mean, low, high []float64) {
	var all [][]float64
	n := math.MaxInt
	for _, r := range runs {
		at, y := pick(r.Result)
		if k := min(len(at), len(y)); k < n {
			n, x = k, at[:k]
		}
		all = append(all, y)
	}
	for i := range all {
		all[i] = all[i][:n]
	}
	b := report.NewBand(all)
	if len(runs) == 1 {
		return x, b.Mean, nil, nil
	}
	return x, b.Mean, b.Low, b.High
}

// A point is a number with the ends of its error bar. Of a bound the number is a lower one.
type point struct {
	y, low, high float64
	bound        bool
}

var nothing = point{y: math.NaN(), low: math.NaN(), high: math.NaN()}

// against is a panel of points against temperature, one for the runs of each protocol at each.
func (d *diagrams) against(y string, of func(runs []*Record) point) report.Panel {
	panel := report.Panel{X: "T", Y: y}
	for p := range d.protocols {
		c := report.Curve{Entry: p, Points: true, Bars: true, Apart: true, Low: []float64{}}
		for t, temperature := range d.temperatures {
			runs := d.of(p, t)
			if len(runs) == 0 {
				continue
			}
			at := of(runs)
			if math.IsNaN(at.y) {
				continue
			}
			bound := 0
			if at.bound {
				bound = 1
			}
			c.X, c.Y, c.Low, c.High, c.Bounds = append(c.X, temperature), append(c.Y, at.y), append(c.Low, at.low), append(c.High, at.high), append(c.Bounds, bound)
		}
		if len(c.X) > 0 {
			panel.Curves = append(panel.Curves, c)
		}
	}
	return panel
}

// value is the mean of averages over runs, and of one run its own error.
func value(runs []*Record, pick func(*Record) *Value) point {
	var y []float64
	for _, r := range runs {
		if v := pick(r); v != nil {
			y = append(y, float64(v.Mean))
		}
	}
	if len(y) == 0 {
		return nothing
	}
	mean, e := meanError(y)
	if len(y) == 1 {
		e = float64(pick(runs[0]).Error)
	}
	return point{y: mean, low: mean - e, high: mean + e}
}

// meanError returns the mean and its standard error, NaN of one number.
func meanError(y []float64) (mean, e float64) {
	mean, deviation := stat.MeanStdDev(y, nil)
	return mean, stat.StdErr(deviation, float64(len(y)))
}

// relaxationTime is the geometric mean of tau over runs; where one of them is a lower bound, so is the mean.
func relaxationTime(runs []*Record) point {
	var logs []float64
	bound := false
	for _, r := range runs {
		if len(r.Result.Curves.Time) == 0 {
			return nothing
		}
		logs = append(logs, math.Log(r.Result.Tau.Value))
		bound = bound || !r.Result.Tau.Reached
	}
	mean, e := meanError(logs)
	if bound {
		e = math.NaN()
	}
	return point{math.Exp(mean), math.Exp(mean - e), math.Exp(mean + e), bound}
}

// Neighbours returns the temperatures of a rung and of the next, which the last rung has not.
func (r *Rung) Neighbours() (t, next float64, ok bool) {
	if r.Number < 0 || r.Number+1 >= len(r.Temperatures) {
		return 0, 0, false
	}
	return r.Temperatures[r.Number], r.Temperatures[r.Number+1], true
}

// exchanges shows how often configurations of neighbouring temperatures change places, and counts round trips, of each protocol.
func (d *diagrams) exchanges() report.Panel {
	panel := report.Panel{Y: "exchanges accepted"}
	var round []string
	for p := range d.protocols {
		c := report.Curve{Entry: p, Points: true, Bars: true, Low: []float64{}}
		trips := map[uint64]int64{} // of each seed
		for t := range d.temperatures {
			var y []float64
			at := math.NaN()
			for _, r := range d.of(p, t) {
				x, rung := r.Result.Exchanges, r.Config.Tempering
				if x == nil || rung == nil {
					continue
				}
				trips[r.Config.Seed] = x.RoundTrips
				if a, b, ok := rung.Neighbours(); ok && x.Next != nil && x.Next.Proposed > 0 {
					y, at = append(y, float64(x.Next.Rate)), (a+b)/2
				}
			}
			if len(y) == 0 {
				continue
			}
			mean, e := meanError(y)
			c.X, c.Y, c.Low, c.High = append(c.X, at), append(c.Y, mean), append(c.Low, mean-e), append(c.High, mean+e)
		}
		if len(c.X) == 0 {
			continue
		}
		var all int64
		for _, n := range trips {
			all += n
		}
		round = append(round, fmt.Sprint(all))
		panel.Curves = append(panel.Curves, c)
	}
	panel.X = "T, between neighbours; round trips: " + strings.Join(round, ", ")
	return panel
}

// inherent shows the energies of inherent structures against time.
func (d *diagrams) inherent() report.Panel {
	panel := report.Panel{X: "sweeps", Y: "energy of inherent structures"}
	for p := range d.protocols {
		var x []float64
		var all [][]float64
		for _, r := range d.of(p, 0) {
			at, y := readInherent(d.results, r.ID)
			if len(at) == 0 || len(all) > 0 && !slices.Equal(at, x) {
				continue
			}
			x, all = at, append(all, y)
		}
		if len(all) == 0 {
			continue
		}
		b := report.NewBand(all)
		c := report.Curve{Entry: p, X: x, Y: b.Mean, Points: true}
		if len(all) > 1 {
			c.Low, c.High = b.Low, b.High
		}
		panel.Curves = append(panel.Curves, c)
	}
	return panel
}

// readInherent returns the sweeps and energies of a run's inherent.csv, none if it cannot be read.
func readInherent(results fs.FS, id string) (sweeps, energies []float64) {
	file, err := results.Open(path.Join("runs", id, "inherent.csv"))
	if err != nil {
		return nil, nil
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, nil
	}
	for i, row := range rows {
		if i == 0 || len(row) < 2 {
			continue
		}
		x, e1 := strconv.ParseFloat(row[0], 64)
		y, e2 := strconv.ParseFloat(row[1], 64)
		if e1 != nil || e2 != nil {
			return nil, nil
		}
		sweeps, energies = append(sweeps, x), append(energies, y)
	}
	return sweeps, energies
}
