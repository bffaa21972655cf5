package sweep

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"swapmc/internal/atomicfile"
	"swapmc/internal/lab"
	"swapmc/speedup"
)

// The choices of what is tuned at which protocols are compared.
const (
	Own    = "own"      // each protocol at its own best
	Shared = "baseline" // all at the baseline's best
)

// A Result is one comparison of a sweep.
type Result struct {
	Cell   *Cell
	Tuning string      // Own or Shared; "" where nothing was tuned
	Chosen []*Trial    // by arm, where something was tuned
	Dir    string      // where its files are
	Lab    lab.Results // what was found
}

// Results are what a sweep has shown.
type Results struct {
	Compared []Result
	Pending  []string // cells that are not finished, and what is missing
	Notes    []string // what a reader should know
}

// figures is the most comparisons of which figures are drawn unasked.
const figures = 24

// Collect compares the protocols in every cell whose runs have ended, and writes
// compare.json and compare.csv of each: into the folder itself where there is one
// cell only, else into cells/VALUES. Where something was tuned these are of each
// protocol at its own best, those of all at the baseline's best are in a folder
// at-baseline below, and tuning.csv says what was chosen. All together is in
// sweep.csv.
func (p *Plan) Collect(f *lab.Folder, version string) (*Results, error) {
	ids := make([]string, len(p.Runs))
	for i, r := range p.Runs {
		ids[i] = r.ID
	}
	list, err := f.States(ids)
	if err != nil {
		return nil, err
	}
	states := map[string]lab.State{}
	for i, s := range list {
		states[ids[i]] = s
	}
	res := &Results{}
	for _, c := range p.Cells {
		err := p.collect(f, c, states, version, res)
		if errors.Is(err, lab.ErrUnfinished) { // its record says done, its metrics do not
			res.Pending = append(res.Pending, err.Error())
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	if len(res.Compared) <= figures {
		for _, r := range res.Compared {
			if _, err := r.Lab.WriteFigure(r.Dir); err != nil {
				return nil, err
			}
		}
	}
	return res, atomicfile.Write(f.Path("sweep.csv"), func(w io.Writer) error { return p.table(w, res) })
}

func (p *Plan) collect(f *lab.Folder, c *Cell, states map[string]lab.State, version string, res *Results) error {
	missing, total, baseline := 0, 0, 0
	c.runs(func(g lab.Group) {
		for _, r := range g {
			total++
			if s := states[r.ID].Status; !s.Finished() && s != lab.Failed {
				missing++
			} else if s.Finished() && len(r.Protocols()) == 0 {
				baseline++
			}
		}
	})
	name := c.Name()
	where := ""
	if name != "" {
		where = name + ": "
	}
	switch {
	case missing > 0:
		res.Pending = append(res.Pending, fmt.Sprintf("%s%d of %d runs are missing", where, missing, total))
		return nil
	case baseline == 0:
		res.Notes = append(res.Notes, where+"no run without swaps, and so nothing to compare with")
		return nil
	case len(c.Spec.Protocols) == 0:
		return nil // a sweep of the baseline alone
	}
	dir := f.Path()
	if len(p.Cells) > 1 {
		dir = f.Path("cells", c.Slug())
	}
	compare := func(tuning, dir string, chosen []*Trial) error {
		r, err := p.compare(f, c, tuning, dir, chosen, version)
		if err != nil || r == nil {
			return err
		}
		for _, note := range r.Lab.Notes {
			res.Notes = append(res.Notes, where+note)
		}
		res.Compared = append(res.Compared, *r)
		return nil
	}
	if !p.Spec.Tuned() {
		chosen := make([]*Trial, len(p.Spec.arms))
		for i := range chosen {
			chosen[i] = c.Trials[0]
		}
		return compare("", dir, chosen)
	}
	t, err := p.tune(f, c, states)
	if err != nil {
		return err
	}
	if t == nil {
		res.Notes = append(res.Notes, where+"no tuning run without swaps has anything to show, and so nothing was chosen")
		return nil
	}
	for _, note := range t.edges(p.Spec) {
		res.Notes = append(res.Notes, where+note)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := atomicfile.Write(dir+"/tuning.csv", t.write); err != nil {
		return err
	}
	if err := compare(Own, dir, t.best); err != nil {
		return err
	}
	shared := make([]*Trial, len(t.best))
	for i := range shared {
		shared[i] = t.best[0]
	}
	return compare(Shared, dir+"/at-baseline", shared)
}

// compare compares the arms of a cell, each in the trial chosen for it.
func (p *Plan) compare(f *lab.Folder, c *Cell, tuning, dir string, chosen []*Trial, version string) (*Result, error) {
	spec := c.Spec
	spec.Protocols = nil
	var runs lab.Group
	for i, t := range chosen {
		if t == nil || len(t.Arms[i]) == 0 {
			continue
		}
		runs = append(runs, t.Arms[i]...)
		if i > 0 {
			spec.Protocols = append(spec.Protocols, p.Spec.arms[i])
		}
	}
	if chosen[0] == nil || len(chosen[0].Arms[0]) == 0 {
		return nil, nil
	}
	res, err := f.Compare(spec, []lab.Group{runs}, version)
	if err != nil {
		return nil, err
	}
	if name := c.Name(); name != "" {
		res.Comparison.Name += ": " + name
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return &Result{Cell: c, Tuning: tuning, Chosen: chosen, Dir: dir, Lab: *res}, res.WriteTables(dir)
}

// table writes sweep.csv: a row for each comparison and protocol, at the target at
// which the verdict is given. What is not known is empty.
func (p *Plan) table(w io.Writer, res *Results) error {
	out := csv.NewWriter(w)
	var keys, tuned []string
	for _, s := range p.Spec.cells[0] {
		keys = append(keys, s.Key)
	}
	for _, s := range p.Spec.trials[0] {
		tuned = append(tuned, s.Key)
	}
	head := slices.Clone(keys)
	if p.Spec.Tuned() {
		head = append(head, "tuning")
		for _, key := range tuned {
			head = append(head, key, key+"_baseline")
		}
	}
	out.Write(append(head, strings.Fields("protocol target seeds reached reached_baseline "+
		"speedup_iterations speedup_iterations_low speedup_iterations_high p_iterations "+
		"speedup_time speedup_time_low speedup_time_high p_time verdict verdict_time")...))
	num := func(x float64) string {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return ""
		}
		return strconv.FormatFloat(x, 'g', 6, 64)
	}
	for _, r := range res.Compared {
		for _, protocol := range r.Lab.Comparison.Protocols {
			var row []string
			for _, s := range r.Cell.Values {
				row = append(row, s.Text)
			}
			if p.Spec.Tuned() {
				row = append(row, r.Tuning)
				arm := slices.IndexFunc(p.Spec.arms, func(q lab.Protocols) bool { return q.String() == protocol.Text })
				for k := range tuned {
					row = append(row, r.Chosen[arm].Values[k].Text, r.Chosen[0].Values[k].Text)
				}
			}
			row = append(row, protocol.Text)
			if t := protocol.At(r.Lab.Comparison.HeadlineTarget()); t != nil {
				i, s := t.Iterations, t.Time
				row = append(row, num(t.Target), strconv.Itoa(t.Seeds), strconv.Itoa(t.Reached), strconv.Itoa(t.ReachedBaseline),
					num(i.Speedup), num(i.Low), num(i.High), num(i.P), num(s.Speedup), num(s.Low), num(s.High), num(s.P),
					string(t.Verdict), string(t.VerdictTime))
			} else {
				row = append(row, slices.Repeat([]string{""}, 12)...)
				row = append(row, string(protocol.Verdict), "")
			}
			out.Write(row)
		}
	}
	out.Flush()
	return out.Error()
}

// A tuning is what was chosen in a cell, and why.
type tuning struct {
	target float64
	arms   []lab.Protocols
	scores [][]score // by arm and trial
	trials []*Trial
	best   []*Trial // by arm; nil for an arm that the cell has not got
}

// A score is how an arm did in a trial, over its tuning seeds.
type score struct {
	runs, arrived int
	time          float64 // geometric mean of the iterations to the target, where all arrived
	loss          float64 // mean over the runs of the lowest; +Inf where one diverged or failed
}

// better tells whether a trial is to be preferred: more runs arrive; they arrive
// earlier; they come lower.
func (s score) better(than score) bool {
	switch {
	case s.arrived != than.arrived:
		return s.arrived > than.arrived
	case s.time != than.time:
		return s.time < than.time
	}
	return s.loss < than.loss
}

// tune chooses a trial for each arm: the one that arrives first at the target,
// where the target is that of the baseline in the trial in which it comes lowest.
// The runs that are compared afterwards have no part in it. It returns nil where
// the baseline has nothing to show.
func (p *Plan) tune(f *lab.Folder, c *Cell, states map[string]lab.State) (*tuning, error) {
	t := &tuning{arms: p.Spec.arms, trials: c.Trials, target: math.NaN()}
	curves := make([][][]speedup.Run, len(t.arms))
	for i := range t.arms {
		for _, trial := range c.Trials {
			var runs []speedup.Run
			for _, r := range trial.Tuning[i] {
				if states[r.ID].Status == lab.Failed {
					runs = append(runs, speedup.Run{})
					continue
				}
				curve, err := f.Curve(r)
				if err != nil {
					return nil, err
				}
				runs = append(runs, curve)
			}
			curves[i] = append(curves[i], runs)
		}
	}
	lowest := math.Inf(1)
	for _, runs := range curves[0] {
		if s := rate(runs, math.NaN()); s.runs > 0 && s.loss < lowest {
			lowest = s.loss
			alone := speedup.Compare(speedup.Arm{Runs: runs}, nil, speedup.Options{Targets: c.Spec.Targets})
			t.target = alone.HeadlineTarget()
		}
	}
	if math.IsInf(lowest, 1) {
		return nil, nil
	}
	for i := range t.arms {
		t.scores = append(t.scores, nil)
		best := -1
		for k := range c.Trials {
			s := rate(curves[i][k], t.target)
			t.scores[i] = append(t.scores[i], s)
			if s.runs > 0 && (best < 0 || s.better(t.scores[i][best])) {
				best = k
			}
		}
		t.best = append(t.best, nil)
		if best >= 0 {
			t.best[i] = c.Trials[best]
		}
	}
	return t, nil
}

// rate scores the runs of one arm in one trial.
func rate(runs []speedup.Run, target float64) score {
	s := score{runs: len(runs), time: math.Inf(1)}
	log := 0.0
	for _, r := range runs {
		low := math.Inf(1)
		for _, y := range r.Loss {
			if math.IsNaN(y) {
				low = math.Inf(1)
				break
			}
			low = min(low, y)
		}
		s.loss += low / float64(len(runs))
		if t, ok := (speedup.Series{X: r.Iterations, Y: r.Loss}).TimeTo(target, true); ok {
			s.arrived++
			log += math.Log(max(t, 1))
		}
	}
	if s.runs > 0 && s.arrived == s.runs {
		s.time = math.Exp(log / float64(s.runs))
	}
	return s
}

// edges warns of what was chosen at the end of its range.
func (t *tuning) edges(s *Spec) []string {
	var notes []string
	for k, first := range s.trials[0] {
		var texts []string // all values of this key, in the order of the file
		for _, trial := range s.trials {
			if !slices.Contains(texts, trial[k].Text) {
				texts = append(texts, trial[k].Text)
			}
		}
		if len(texts) < 2 {
			continue
		}
		var at []string
		for i, best := range t.best {
			if best == nil {
				continue
			}
			if text := best.Values[k].Text; text == texts[0] || text == texts[len(texts)-1] {
				at = append(at, fmt.Sprintf("%s (%s)", t.arms[i], text))
			}
		}
		if len(at) > 0 {
			notes = append(notes, fmt.Sprintf("the best %s lies at the end of what was tried, so that a better one may lie beyond: %s", first.Key, strings.Join(at, "; ")))
		}
	}
	return notes
}

// write writes tuning.csv.
func (t *tuning) write(w io.Writer) error {
	out := csv.NewWriter(w)
	var head []string
	for _, s := range t.trials[0].Values {
		head = append(head, s.Key)
	}
	out.Write(slices.Concat([]string{"protocols"}, head, []string{"target", "runs", "arrived", "iterations", "lowest_loss", "chosen"}))
	num := func(x float64) string {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return ""
		}
		return strconv.FormatFloat(x, 'g', 6, 64)
	}
	for i, arm := range t.arms {
		for k, trial := range t.trials {
			s := t.scores[i][k]
			if s.runs == 0 {
				continue
			}
			row := []string{arm.String()}
			for _, v := range trial.Values {
				row = append(row, v.Text)
			}
			out.Write(append(row, num(t.target), strconv.Itoa(s.runs), strconv.Itoa(s.arrived), num(s.time), num(s.loss), strconv.FormatBool(trial == t.best[i])))
		}
	}
	out.Flush()
	return out.Error()
}
