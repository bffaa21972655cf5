package main

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"swapmc/internal/report"
	"swapmc/speedup"
)

// A figure is a grid and the name of its files.
type figure struct {
	name string
	report.Grid
}

// figures are the speed-ups over the targets, the losses over the iterations, the times
// over the learning rates, one panel a problem, and the performance profile. Those for
// which nothing has been made have no panels.
func figures(findings []*finding) []*figure {
	list := []*figure{
		{"speedup", report.Grid{Columns: 3, Legend: []report.Entry{
			{Text: "the best swap way in tuning, over the best baseline", Hue: report.Blue},
			{Text: "over its own optimiser without swaps", Hue: report.Grey},
			{Text: "bounds: not all runs arrive", Bounds: true},
		}}},
		{"loss", report.Grid{Columns: 3, Legend: []report.Entry{
			{Text: "baseline", Hue: report.Grey},
			{Text: "swaps", Hue: report.Blue},
			{Text: "peer", Hue: report.Green},
			{Text: "control", Hue: report.Orange},
		}}},
		{"rates", report.Grid{Columns: 3, Legend: []report.Entry{
			{Text: "sgd", Hue: report.Grey},
			{Text: "momentum", Hue: report.Green},
			{Text: "adam", Hue: report.Blue},
			{Text: "signum", Hue: report.Orange},
			{Text: "with guided swaps", Hue: report.Grey, Dashed: true},
			{Text: "bounds: not all runs arrive", Bounds: true},
		}}},
		profileFigure(profile(findings)),
	}
	panels := []func(*finding) (report.Panel, bool){(*finding).speedupPanel, (*finding).lossPanel, (*finding).ratesPanel}
	for i, panel := range panels {
		for _, f := range findings {
			if p, ok := panel(f); ok {
				list[i].Panels = append(list[i].Panels, p)
			}
		}
	}
	return list
}

// speedupPanel is the speed-up in iterations over the targets.
func (f *finding) speedupPanel() (report.Panel, bool) {
	way := f.tuned(swaps)
	if way == nil || f.best[way.way.name] == nil {
		return report.Panel{}, false
	}
	p := report.Panel{
		Title: f.problem.name + ": " + way.way.name + " over " + f.base.way.name, X: "training loss", Y: "times fewer iterations",
		FlipX: true, Factors: true, Level: 1,
	}
	if q := f.own[way.way.name]; q != nil && way.way.base != f.base.way.name {
		p.Curves = append(p.Curves, speedupCurve(1, q))
	}
	p.Curves = append(p.Curves, speedupCurve(0, f.best[way.way.name]))
	return p, true
}

// speedupCurve has no points where a speed-up may lie on either side of what was measured.
func speedupCurve(entry int, p *speedup.Protocol) report.Curve {
	c := report.Curve{Entry: entry, Points: true, Low: []float64{}}
	for _, t := range p.Targets {
		e := t.Iterations
		bound := 0
		switch {
		case e.Fitted || e.AtMost == 0 && e.AtLeast == 0:
		case e.AtLeast == 0:
			bound = -1
		case e.AtMost == 0:
			bound = 1
		default:
			e.Speedup, e.Low, e.High = math.NaN(), math.NaN(), math.NaN()
		}
		c.X, c.Y, c.Low, c.High = append(c.X, t.Target), append(c.Y, e.Speedup), append(c.Low, e.Low), append(c.High, e.High)
		c.Bounds = append(c.Bounds, bound)
	}
	return c
}

// lossPanel is the training loss of the way of each kind that did best in tuning.
func (f *finding) lossPanel() (report.Panel, bool) {
	p := report.Panel{Title: f.problem.name, X: "iteration", Y: "training loss", Level: f.problem.headline}
	for entry, k := range []kind{baseline, swaps, peer, control} {
		r := f.tuned(k)
		if r == nil || len(r.runs) == 0 {
			continue
		}
		n := math.MaxInt
		for _, o := range r.runs {
			n = min(n, len(o.Loss))
		}
		var losses [][]float64
		for _, o := range r.runs {
			losses = append(losses, o.Loss[:n])
		}
		band := report.NewBand(losses)
		p.Curves = append(p.Curves, report.Curve{X: r.runs[0].Iterations[:n], Y: band.Mean, Low: band.Low, High: band.High, Entry: entry, Label: r.way.name})
	}
	return p, len(p.Curves) > 0
}

// ratesPanel is the time to the headline over the learning rate, in the tuning runs.
func (f *finding) ratesPanel() (report.Panel, bool) {
	p := report.Panel{Title: f.problem.name, X: "learning rate", Y: "iterations to loss " + number(f.problem.headline), LogX: true}
	for entry, base := range []string{"sgd", "momentum", "adam", "signum"} {
		for _, name := range []string{base, "guided-" + base} {
			if r := f.result(name); r != nil {
				c := r.rateCurve()
				c.Entry, c.Dashed = entry, name != base
				p.Curves = append(p.Curves, c)
			}
		}
	}
	return p, len(p.Curves) > 0
}

// rateCurve has the best x at each learning rate. Runs that do not arrive count with
// their end, and make the point a bound.
func (c *choice) rateCurve() report.Curve {
	best := map[string]score{}
	var order []string
	for i, t := range c.trials {
		b, seen := best[t.lr]
		if !seen {
			order = append(order, t.lr)
		}
		if !seen || c.scores[i].better(b) {
			best[t.lr] = c.scores[i]
		}
	}
	curve := report.Curve{Points: true}
	for _, lr := range order {
		s := best[lr]
		x, err := strconv.ParseFloat(lr, 64)
		if err != nil {
			continue // a way without a learning rate
		}
		bound := 0
		logs := float64(s.runs-s.reached) * math.Log(float64(c.problem.iterations))
		if s.reached > 0 {
			logs += float64(s.reached) * math.Log(s.iterations)
		}
		if s.reached < s.runs {
			bound = 1
		}
		curve.X, curve.Y, curve.Bounds = append(curve.X, x), append(curve.Y, math.Exp(logs/float64(s.runs))), append(curve.Bounds, bound)
	}
	return curve
}

// drawn is how many ways of a kind the performance profile shows; its table has all.
const drawn = 3

// profileFigure is the performance profile in iterations and, where all costs are known,
// in time, of the ways of each kind with the highest scores in iterations.
func profileFigure(p profiled) *figure {
	f := &figure{"profile", report.Grid{Columns: 2}}
	if len(p.problems) == 0 {
		return f
	}
	hues := []kind{baseline, swaps, peer, control} // in the order of the hues
	profiles := speedup.Profiles(p.iterations)
	var shown []int
	for _, k := range hues {
		var of []int
		for i, w := range p.ways {
			if w.kind == k {
				of = append(of, i)
			}
		}
		slices.SortStableFunc(of, func(a, b int) int { return cmp.Compare(profiles[b].Score(most), profiles[a].Score(most)) })
		shown = append(shown, of[:min(drawn, len(of))]...)
	}
	for _, i := range shown {
		w := p.ways[i]
		f.Legend = append(f.Legend, report.Entry{Text: w.name, Hue: report.Hue(slices.Index(hues, w.kind))})
	}
	panel := func(title string, times [][]float64) {
		d := report.Panel{Title: title, X: "factor of the shortest of all", Y: "problems (%)"}
		all := speedup.Profiles(times) // factors are of the shortest of all ways, drawn or not
		for entry, i := range shown {
			q := all[i]
			c := report.Curve{Entry: entry, Steps: true}
			add := func(x float64) { c.X, c.Y = append(c.X, x), append(c.Y, 100*q.At(x)) }
			add(1)
			for _, r := range q.Ratio {
				if r > 1 && r < most {
					add(r)
				}
			}
			add(most)
			d.Curves = append(d.Curves, c)
		}
		f.Panels = append(f.Panels, d)
	}
	panel("iterations", p.iterations)
	if p.seconds != nil {
		panel("time", p.seconds)
	}
	return f
}
