package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"swapmc/internal/lab"
	"swapmc/speedup"
)

// A result is what is known of a way that is tuned.
type result struct {
	*choice
	cost float64   // seconds of an iteration; NaN where it was not measured at this setting
	runs []outcome // on fresh seeds, those that are finished
}

// An outcome is a finished run on a fresh seed.
type outcome struct {
	speedup.Run           // without Seconds
	accuracy    []float64 // on the test set, as often as the loss
}

// final returns the last loss and accuracy that were measured, NaN for the loss of a
// run that diverged.
func (o *outcome) final() (loss, accuracy float64) {
	accuracy = math.NaN()
	for _, v := range o.accuracy {
		if v == v {
			accuracy = v
		}
	}
	return o.Loss[len(o.Loss)-1], accuracy
}

// accuracyAt returns the accuracy when the loss is first at the target, interpolated
// between evaluations like the loss.
func (o *outcome) accuracyAt(target float64) (float64, bool) {
	t, reached := speedup.Series{X: o.Iterations, Y: o.Loss}.TimeTo(target, true)
	if !reached {
		return 0, false
	}
	i, found := slices.BinarySearch(o.Iterations, t)
	if found {
		return o.accuracy[i], true
	}
	share := (t - o.Iterations[i-1]) / (o.Iterations[i] - o.Iterations[i-1])
	return o.accuracy[i-1] + share*(o.accuracy[i]-o.accuracy[i-1]), true
}

// arm is what is compared: time is the iterations times their cost.
func (r *result) arm() speedup.Arm {
	a := speedup.Arm{Text: r.way.name}
	for _, o := range r.runs {
		run := o.Run
		if r.cost > 0 {
			run.Seconds = make([]float64, len(run.Iterations))
			for i, n := range run.Iterations {
				run.Seconds[i] = n * r.cost
			}
		}
		a.Runs = append(a.Runs, run)
	}
	return a
}

// median is Kaplan and Meier's of the iterations to a target, and reached how many runs
// arrived. A run that diverged has not arrived in the iterations that it was given.
func (r *result) median(target float64) (median float64, reached int) {
	var times []float64
	var arrived []bool
	for _, o := range r.runs {
		t, ok := speedup.Series{X: o.Iterations, Y: o.Loss}.TimeTo(target, true)
		if ok {
			reached++
		} else {
			t = float64(r.problem.iterations)
		}
		times, arrived = append(times, t), append(arrived, ok)
	}
	return speedup.KaplanMeier(times, arrived).Median(), reached
}

// accuracies are means over the seeds: at the end, and at the moment when the training
// loss reaches the headline, of the runs that do.
func (r *result) accuracies() (final, headline estimate) {
	var ends, moments []float64
	for _, o := range r.runs {
		_, a := o.final()
		ends = append(ends, a)
		if a, ok := o.accuracyAt(r.problem.headline); ok {
			moments = append(moments, a)
		}
	}
	return mean(ends), mean(moments)
}

// An estimate is a mean, its standard error and of how many.
type estimate struct {
	mean, err float64 // NaN where there are too few
	n         int
}

func mean(x []float64) estimate {
	nan := math.NaN()
	switch len(x) {
	case 0:
		return estimate{nan, nan, 0}
	case 1:
		return estimate{x[0], nan, 1}
	}
	m, deviation := stat.MeanStdDev(x, nil)
	return estimate{m, stat.StdErr(deviation, float64(len(x))), len(x)}
}

// gained is the mean over the seeds that both have of how much higher the accuracy of r
// is at the end.
func (r *result) gained(over *result) estimate {
	var differences []float64
	for _, o := range r.runs {
		i := slices.IndexFunc(over.runs, func(p outcome) bool { return p.Seed == o.Seed })
		if i < 0 {
			continue
		}
		_, a := o.final()
		_, b := over.runs[i].final()
		differences = append(differences, a-b)
	}
	return mean(differences)
}

// A finding is what the study says of a problem.
type finding struct {
	problem *problem
	ways    []*way // all that are run on it
	results []*result
	missing []string // what has not been made, in words
	base    *result  // the baseline that did best in tuning; nil where none is tuned
	best    map[string]*speedup.Protocol
	own     map[string]*speedup.Protocol // against the baseline under a way, by name like best
}

// judge compares the ways of a problem on the fresh seeds. The opponents are chosen in
// tuning alone. Verdicts are after Holm's correction over the ways, for either opponent.
func judge(p *problem, results []*result, missing []string) *finding {
	f := &finding{problem: p, results: results, missing: missing, best: map[string]*speedup.Protocol{}, own: map[string]*speedup.Protocol{}}
	f.base = f.tuned(baseline)
	opt := speedup.Options{Targets: p.targets}
	var arms []speedup.Arm
	var owned []*speedup.Protocol
	for _, r := range results {
		if len(r.runs) == 0 {
			continue
		}
		if r != f.base {
			arms = append(arms, r.arm())
		}
		if base := f.result(r.way.base); base != nil && len(base.runs) > 0 {
			c := speedup.Compare(base.arm(), []speedup.Arm{r.arm()}, opt)
			f.own[r.way.name] = &c.Protocols[0]
			owned = append(owned, &c.Protocols[0])
		}
	}
	if f.base != nil && len(f.base.runs) > 0 {
		c := speedup.Compare(f.base.arm(), arms, opt)
		for i := range c.Protocols {
			f.best[c.Protocols[i].Text] = &c.Protocols[i]
		}
	}
	for k := range p.targets {
		correct(owned, k, func(t *speedup.Target) (speedup.Estimate, *speedup.Verdict) { return t.Iterations, &t.Verdict })
		correct(owned, k, func(t *speedup.Target) (speedup.Estimate, *speedup.Verdict) { return t.Time, &t.VerdictTime })
	}
	return f
}

// correct sets the verdicts of comparisons with different opponents at target number k.
func correct(protocols []*speedup.Protocol, k int, part func(*speedup.Target) (speedup.Estimate, *speedup.Verdict)) {
	var p []float64
	for _, q := range protocols {
		e, _ := part(&q.Targets[k])
		p = append(p, e.P)
	}
	for i, adjusted := range speedup.Holm(p) {
		e, v := part(&protocols[i].Targets[k])
		*v = e.Verdict(adjusted)
	}
}

// tuned returns the way of a kind that did best in tuning, nil where none is tuned.
func (f *finding) tuned(k kind) *result {
	var best *result
	for _, r := range f.results {
		if r.way.kind == k && (best == nil || r.score().better(best.score())) {
			best = r
		}
	}
	return best
}

// result returns that of a way, nil where it is not tuned.
func (f *finding) result(way string) *result {
	for _, r := range f.results {
		if r.way.name == way {
			return r
		}
	}
	return nil
}

// at returns a comparison at the headline, nil where there is none.
func (f *finding) at(list map[string]*speedup.Protocol, r *result) *speedup.Target {
	if p := list[r.way.name]; p != nil {
		return p.At(f.problem.headline)
	}
	return nil
}

// What is claimed of swaps against the best baseline: so many times fewer iterations and
// so many times less time, the lower end of both intervals above the last.
const (
	fewerIterations = 2
	lessTime        = 1.5
	lowerEnd        = 1.5
)

// holds tells whether the claim holds for a comparison, and if not, why.
func holds(t *speedup.Target) (bool, string) {
	part := func(e speedup.Estimate, v speedup.Verdict, least float64, of string) string {
		switch {
		case v == speedup.NotReached, v == speedup.TooFewSeeds:
			return fmt.Sprintf("%s in %s", v, of)
		case !(e.Speedup >= least):
			return fmt.Sprintf("less than %g times in %s", least, of)
		case !(e.Low > lowerEnd):
			return fmt.Sprintf("interval in %s not above %g", of, float64(lowerEnd))
		case v != speedup.Faster:
			return fmt.Sprintf("not significant in %s", of)
		}
		return ""
	}
	if why := part(t.Iterations, t.Verdict, fewerIterations, "iterations"); why != "" {
		return false, why
	}
	if t.Time.Pairs == 0 {
		return false, "holds in iterations, time not measured"
	}
	if why := part(t.Time, t.VerdictTime, lessTime, "time"); why != "" {
		return false, why
	}
	return true, ""
}

// findings reads what has been made of all problems.
func (s *study) findings() ([]*finding, error) {
	costs, err := readCost(s.folder.Path("cost.csv"))
	if err != nil {
		return nil, err
	}
	var list []*finding
	for _, arms := range s.arms {
		p := arms[0].problem
		var results []*result
		var untuned, unrun, uncosted []string
		for _, a := range arms {
			c, err := choose(s.folder, a)
			if errors.Is(err, errUnfinished) {
				untuned = append(untuned, a.way.name)
				continue
			}
			if err != nil {
				return nil, err
			}
			r := &result{choice: c}
			if r.cost, err = c.secondsOf(costs); err != nil {
				return nil, err
			}
			if r.runs, err = outcomes(s.folder, c); err != nil {
				return nil, err
			}
			if n := len(r.runs); n < len(fresh) {
				unrun = append(unrun, fmt.Sprintf("%s (%d of %d)", a.way.name, n, len(fresh)))
			}
			if !(r.cost > 0) {
				uncosted = append(uncosted, a.way.name)
			}
			results = append(results, r)
		}
		var missing []string
		add := func(what string, ways []string, of int) {
			switch {
			case of > 0 && len(ways) == of:
				missing = append(missing, what+": all ways")
			case len(ways) > 0:
				missing = append(missing, what+": "+strings.Join(ways, ", "))
			}
		}
		add("not tuned", untuned, len(arms))
		add("fresh seeds missing", unrun, len(results))
		add("time of an iteration not measured at the chosen setting", uncosted, len(results))
		f := judge(p, results, missing)
		for _, a := range arms {
			f.ways = append(f.ways, a.way)
		}
		list = append(list, f)
	}
	return list, nil
}

// outcomes reads the finished runs of a choice on fresh seeds.
func outcomes(f *lab.Folder, c *choice) ([]outcome, error) {
	var list []outcome
	for _, r := range c.fresh(c.trial()) {
		run, err := f.Curve(r)
		if errors.Is(err, lab.ErrUnfinished) {
			continue
		}
		if err != nil {
			return nil, err
		}
		points, err := f.Metrics(r)
		if err != nil {
			return nil, err
		}
		if len(points) == 0 {
			return nil, fmt.Errorf("%s: finished without an evaluation", r.Label)
		}
		run.Seconds = nil
		o := outcome{Run: run}
		for i := range run.Iterations {
			a := math.NaN()
			if i < len(points) {
				a = points[i].TestAccuracy
			}
			o.accuracy = append(o.accuracy, a)
		}
		list = append(list, o)
	}
	return list, nil
}
