package speedup

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// A Run is one training: losses on clean training images, measured after some
// iterations and seconds of training. A diverged run never reaches a target
// after its last finite loss.
type Run struct {
	Seed       uint64
	Iterations []float64
	Seconds    []float64
	Loss       []float64
}

// An Arm is one way of training, with a run for each seed.
type Arm struct {
	Text string // its protocols, as swap.FormatList prints them
	Runs []Run
}

// Options of [Compare]. The zero value is ready.
type Options struct {
	Targets []float64 // losses; nil means Targets(base)
	Seed    uint64    // of the bootstrap

	resamples int // 0: as many as Ratio draws
}

// A Comparison is what was found. It is the contents of compare.json.
type Comparison struct {
	Name      string     `json:"name,omitempty"`
	Version   string     `json:"version,omitempty"`
	Metric    string     `json:"metric"`   // "train-loss"
	Baseline  string     `json:"baseline"` // "none"
	Headline  Number     `json:"headline"` // the target at which Protocol.Verdict is given
	Protocols []Protocol `json:"protocols"`
}

// A Protocol is one arm's result.
type Protocol struct {
	Text    string   `json:"text"`
	Verdict Verdict  `json:"verdict"` // at the headline target
	Targets []Target `json:"targets"`
}

// At returns the result at a target, nil if there is none.
func (p *Protocol) At(target float64) *Target {
	for i := range p.Targets {
		if p.Targets[i].Target == target {
			return &p.Targets[i]
		}
	}
	return nil
}

// A Target is an arm's result at one target. The verdict is on iterations, after
// Holm's correction over the arms.
type Target struct {
	Target          float64  `json:"target"`
	Iterations      Estimate `json:"iterations"`
	Time            Estimate `json:"time"` // wall clock, training only
	Seeds           int      `json:"seeds"`
	Reached         int      `json:"reached"`
	ReachedBaseline int      `json:"reached_baseline"`
	Median          Number   `json:"median_iterations"` // Kaplan-Meier; null where fewer than half arrive
	MedianBaseline  Number   `json:"median_iterations_baseline"`
	Verdict         Verdict  `json:"verdict"`
	VerdictTime     Verdict  `json:"verdict_time"`
}

// HeadlineTarget returns the target at which verdicts are given.
func (c *Comparison) HeadlineTarget() float64 { return float64(c.Headline) }

// Targets returns losses at which to compare, chosen from the baseline alone, so
// that no protocol has a say: with D the fall from the first loss (mean over the
// runs) to the loss that every run reaches, from the first loss minus 0.10 D down to
// minus 0.95 D in steps of 0.05 D. It is empty if no loss falls.
func Targets(base Arm) []float64 {
	first, floor, n := 0.0, math.Inf(-1), 0.0
	for _, r := range base.Runs {
		low := math.Inf(1)
		for _, y := range r.Loss {
			if y < low {
				low = y
			}
		}
		if len(r.Loss) == 0 || math.IsInf(low, 0) || !finite(r.Loss[0]) {
			continue
		}
		first += r.Loss[0]
		floor = max(floor, low)
		n++
	}
	first /= n
	fall := first - floor
	if !(fall > 0) {
		return nil
	}
	var targets []float64
	for k := 2; k <= 19; k++ {
		targets = append(targets, round(first-0.05*float64(k)*fall))
	}
	return targets
}

// headline returns the target at which the verdicts are given: 0.90 D down where
// the targets were chosen, and otherwise the lowest that every run of the
// baseline reaches, or the highest if there is none.
func headline(base Arm, targets []float64, chosen bool) float64 {
	if len(targets) == 0 {
		return math.NaN()
	}
	if chosen {
		return targets[len(targets)-2]
	}
	best := slices.Max(targets)
	for _, t := range targets {
		all := true
		for _, r := range base.Runs {
			_, ok := r.iterations().TimeTo(t, true)
			all = all && ok
		}
		if all && t < best {
			best = t
		}
	}
	return best
}

// round keeps four digits, as a user would write a target.
func round(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	if err != nil {
		return x
	}
	return y
}

func (r Run) iterations() Series { return Series{r.Iterations, r.Loss} }
func (r Run) seconds() Series    { return Series{r.Seconds, r.Loss} }

// Compare pairs each arm's runs with the baseline's by seed and estimates the
// speed-up at every target. Equal arguments give equal results.
func Compare(base Arm, arms []Arm, opt Options) Comparison {
	targets, chosen := opt.Targets, len(opt.Targets) == 0
	if chosen {
		targets = Targets(base)
	}
	c := Comparison{Metric: "train-loss", Baseline: base.Text, Headline: Number(headline(base, targets, chosen))}
	for _, arm := range arms {
		p := Protocol{Text: arm.Text, Verdict: NotReached, Targets: []Target{}}
		for _, target := range targets {
			// The same stream for every estimate: it depends on its pairs alone.
			p.Targets = append(p.Targets, compareAt(base, arm, target, opt))
		}
		c.Protocols = append(c.Protocols, p)
	}
	for k, target := range targets {
		adjust(c.Protocols, k, func(t *Target) (Estimate, *Verdict) { return t.Iterations, &t.Verdict })
		adjust(c.Protocols, k, func(t *Target) (Estimate, *Verdict) { return t.Time, &t.VerdictTime })
		for i := range c.Protocols {
			if target == c.HeadlineTarget() {
				c.Protocols[i].Verdict = c.Protocols[i].Targets[k].Verdict
			}
		}
	}
	return c
}

// adjust sets the verdicts of all protocols at target number k.
func adjust(protocols []Protocol, k int, part func(*Target) (Estimate, *Verdict)) {
	var p []float64
	for i := range protocols {
		e, _ := part(&protocols[i].Targets[k])
		p = append(p, e.P)
	}
	for i, adjusted := range Holm(p) {
		e, v := part(&protocols[i].Targets[k])
		*v = e.Verdict(adjusted)
	}
}

func compareAt(base, arm Arm, target float64, opt Options) Target {
	t := Target{Target: target}
	var iterations, seconds []Pair
	var a, b arrivals
	for _, run := range arm.Runs {
		i := slices.IndexFunc(base.Runs, func(r Run) bool { return r.Seed == run.Seed })
		if i < 0 {
			continue
		}
		t.Seeds++
		pair := func(s func(Run) Series) Pair {
			var p Pair
			p.Base, p.BaseReached = timeOrEnd(base.Runs[i], run, s, target)
			p.Test, p.TestReached = timeOrEnd(run, base.Runs[i], s, target)
			return p
		}
		p := pair(Run.iterations)
		iterations, seconds = append(iterations, p), append(seconds, pair(Run.seconds))
		a.add(p.Base, p.BaseReached)
		b.add(p.Test, p.TestReached)
	}
	t.ReachedBaseline, t.Reached = a.count, b.count
	t.MedianBaseline, t.Median = Number(KaplanMeier(a.times, a.reached).Median()), Number(KaplanMeier(b.times, b.reached).Median())
	n := cmp.Or(opt.resamples, resamples)
	t.Iterations = ratio(iterations, n, rand.New(rand.NewPCG(opt.Seed, 1)))
	t.Time = ratio(seconds, n, rand.New(rand.NewPCG(opt.Seed, 1)))
	return t
}

// timeOrEnd returns a run's time to a target, or where it is not reached its end. A run
// that ended before its partner, because it diverged, did not arrive in the iterations of
// the partner either: its end is where these would have ended at its own pace.
func timeOrEnd(run, partner Run, s func(Run) Series, target float64) (float64, bool) {
	if t, ok := s(run).TimeTo(target, true); ok {
		return t, true
	}
	end, own, other := s(run).end(), run.iterations().end(), partner.iterations().end()
	switch {
	case own >= other:
		return end, false
	case own > 0:
		return end * other / own, false
	}
	return s(partner).end(), false
}

type arrivals struct {
	times   []float64
	reached []bool
	count   int
}

func (a *arrivals) add(t float64, reached bool) {
	a.times, a.reached = append(a.times, t), append(a.reached, reached)
	if reached {
		a.count++
	}
}
