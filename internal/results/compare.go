package results

import (
	"cmp"
	"math"
	"slices"

	"swapmc/internal/lab"
	"swapmc/internal/report"
	"swapmc/speedup"
)

// Compare compares the protocols of a setting with its baseline, from the runs that
// have ended. A protocol of which no run has ended has no part in it. It reports false
// where there is nothing to compare. With full the comparison is made at many targets,
// otherwise only at the one at which verdicts are given.
func (f *Folder) Compare(setting int, full bool) (speedup.Comparison, bool) {
	s := &f.Settings[setting]
	arms := f.arms(s)
	if len(arms) < 2 || len(arms[0].Runs) == 0 {
		return speedup.Comparison{}, false
	}
	opt := speedup.Options{Targets: f.targets}
	glass := f.System == "glass"
	if glass {
		opt.Targets = []float64{1 / math.E}
	}
	if !full && len(opt.Targets) == 0 {
		if all := speedup.Targets(arms[0]); len(all) > 1 {
			opt.Targets = all[len(all)-2:][:1] // where a full comparison gives its verdicts
		}
	}
	c := speedup.Compare(arms[0], arms[1:], opt)
	c.Name = f.Name
	if glass {
		c.Metric = report.Correlation
	}
	return c, true
}

// Curve is the geometric mean over seeds of the speed-up in iterations at many targets,
// without an interval: what is left of a comparison where there are too many for a
// bootstrap of each. A target that not both runs of each pair reach has none.
func (f *Folder) Curve(setting int, protocol string) (targets, speedups []float64) {
	arms := f.arms(&f.Settings[setting])
	k := slices.IndexFunc(arms, func(a speedup.Arm) bool { return a.Text == protocol })
	if k < 1 {
		return nil, nil
	}
	targets = f.targets
	if len(targets) == 0 {
		targets = speedup.Targets(arms[0])
	}
	for _, target := range targets {
		sum, n := 0.0, 0.0
		for _, r := range arms[k].Runs {
			i := slices.IndexFunc(arms[0].Runs, func(b speedup.Run) bool { return b.Seed == r.Seed })
			if i < 0 {
				continue
			}
			b := arms[0].Runs[i]
			x, ok := speedup.Series{X: b.Iterations, Y: b.Loss}.TimeTo(target, true)
			y, also := speedup.Series{X: r.Iterations, Y: r.Loss}.TimeTo(target, true)
			if !ok || !also || x <= 0 || y <= 0 {
				n = math.NaN()
				break
			}
			sum += math.Log(x / y)
			n++
		}
		s := math.Exp(sum / n)
		if n == 0 {
			s = math.NaN()
		}
		speedups = append(speedups, s)
	}
	return targets, speedups
}

// arms are the runs of a setting that have ended, by protocol, the baseline first.
func (f *Folder) arms(s *Setting) []speedup.Arm {
	arms := []speedup.Arm{{Text: f.Protocols[0]}}
	index := map[int]int{0: 0}
	for _, r := range sorted(s.Runs) {
		run, ok := r.curve()
		if !ok {
			continue
		}
		k, known := index[r.at[1]]
		if !known {
			k = len(arms)
			index[r.at[1]] = k
			arms = append(arms, speedup.Arm{Text: r.Protocol})
		}
		arms[k].Runs = append(arms[k].Runs, run)
	}
	return arms
}

// sorted are runs by the order of their protocols and their seeds.
func sorted(runs []*Run) []*Run {
	runs = slices.Clone(runs)
	slices.SortStableFunc(runs, func(a, b *Run) int {
		return cmp.Or(cmp.Compare(a.at[1], b.at[1]), cmp.Compare(a.Seed, b.Seed))
	})
	return runs
}

// curve is what is compared of a run that has ended. One that has diverged has never
// reached anything, in all the time that it was given.
func (r *Run) curve() (speedup.Run, bool) {
	run := speedup.Run{Seed: r.Seed}
	if r.System == "glass" {
		if r.Status != lab.Done || r.Result == nil {
			return run, false
		}
		c := &r.Result.Curves
		for i, t := range c.Time {
			run.Iterations = append(run.Iterations, float64(t))
			run.Seconds = append(run.Seconds, float64(t)*r.Result.SecondsPerSweep)
			run.Loss = append(run.Loss, c.Fs[i])
		}
		return run, len(c.Time) > 0
	}
	run.Iterations, run.Seconds, run.Loss = r.Metrics.Column("iteration"), r.Metrics.Column("seconds"), r.Metrics.Column("train_loss")
	if !r.Status.Finished() || len(run.Iterations) == 0 || run.Seconds == nil || run.Loss == nil {
		return run, false
	}
	if r.Status == lab.Diverged {
		last, full := run.Iterations[len(run.Iterations)-1], run.Seconds[len(run.Seconds)-1]
		if last > 0 {
			full *= float64(r.Length) / last
		}
		run.Iterations, run.Seconds = append(slices.Clone(run.Iterations), float64(r.Length)), append(slices.Clone(run.Seconds), full)
		run.Loss = slices.Repeat([]float64{math.NaN()}, len(run.Iterations))
	}
	return run, true
}

// Data is what the figure of a comparison shows: the comparison, and the mean course of
// the runs of each of its protocols, as far as all of them have come. Of long courses it
// has so many points as a figure can show.
func (f *Folder) Data(setting int, c speedup.Comparison) report.Data {
	d := report.Data{Comparison: c}
	texts := []string{f.Protocols[0]}
	for _, p := range c.Protocols {
		texts = append(texts, p.Text)
	}
	for _, text := range texts {
		arm := report.Arm{Text: text}
		var losses, accuracies [][]float64
		n := math.MaxInt
		for _, r := range sorted(f.Settings[setting].Runs) {
			loss, accuracy := r.Metrics.Column("train_loss"), r.Metrics.Column("test_accuracy")
			if r.Protocol != text || r.Status != lab.Done || loss == nil || accuracy == nil {
				continue
			}
			if len(loss) < n {
				n, arm.X = len(loss), r.Metrics.Column("iteration")
			}
			losses, accuracies = append(losses, loss), append(accuracies, accuracy)
		}
		for i := range losses {
			losses[i], accuracies[i] = some(losses[i][:n]), some(accuracies[i][:n])
		}
		arm.X = some(arm.X)
		arm.Loss, arm.Accuracy = report.NewBand(losses), report.NewBand(accuracies)
		d.Arms = append(d.Arms, arm)
	}
	return d
}

// mostShown is how many points of a curve a figure shows.
const mostShown = 600

// some returns each so-manieth value, and the last.
func some(x []float64) []float64 {
	if len(x) <= mostShown {
		return x
	}
	step := (len(x) + mostShown - 2) / (mostShown - 1)
	var kept []float64
	for i := 0; i < len(x); i += step {
		kept = append(kept, x[i])
	}
	if (len(x)-1)%step != 0 {
		kept = append(kept, x[len(x)-1])
	}
	return kept
}
