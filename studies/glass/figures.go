package main

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"swapmc/glass"
	"swapmc/internal/report"
)

// swapped is the legend of runs without swaps and with.
func swapped(arms ...string) []report.Entry {
	list := []report.Entry{{Text: legends["none"]}}
	for _, arm := range arms {
		list = append(list, report.Entry{Text: legends[arm], Hue: report.Blue})
	}
	return list
}

// bounded adds the triangles of bounds to a figure that has any.
func bounded(g *report.Grid) *report.Grid {
	for _, p := range g.Panels {
		for _, c := range p.Curves {
			if slices.Contains(c.Bounds, 1) || slices.Contains(c.Bounds, -1) {
				g.Legend = append(g.Legend, report.Entry{Text: "bounds: not all runs relax, or no swap is accepted", Bounds: true})
				return g
			}
		}
	}
	return g
}

// add adds a point to a curve, with the ends of its interval, NaN where there is none, and on which side of it the truth is.
func add(c *report.Curve, x, y, low, high float64, bound int) {
	if math.IsNaN(x) || math.IsNaN(y) {
		return
	}
	c.X, c.Y, c.Low, c.High, c.Bounds = append(c.X, x), append(c.Y, y), append(c.Low, low), append(c.High, high), append(c.Bounds, bound)
}

// times is the curve of an arm's relaxation times, with one standard error over the seeds.
func times(entry int, points []*point, arm string) report.Curve {
	c := report.Curve{Entry: entry, Points: true, Apart: true}
	for _, p := range points {
		tau, spread, reached := p.tau(arm)
		if !reached {
			add(&c, p.x, tau, math.NaN(), math.NaN(), 1)
			continue
		}
		add(&c, p.x, tau, tau*math.Exp(-spread), tau*math.Exp(spread), 0)
	}
	return c
}

// gain is the curve of an arm's speed-ups with their intervals.
func gain(entry int, points []*point, x func(*point) float64, arm string) report.Curve {
	c := report.Curve{Entry: entry, Points: true, Apart: true}
	for _, p := range points {
		e := p.speedup(arm)
		switch {
		case e.AtLeast == 0 && e.AtMost == 0:
			add(&c, x(p), e.Speedup, e.Low, e.High, 0)
		case e.AtMost == 0:
			add(&c, x(p), e.Speedup, math.NaN(), math.NaN(), 1)
		case e.AtLeast == 0:
			add(&c, x(p), e.Speedup, math.NaN(), math.NaN(), -1)
		}
	}
	return c
}

// accepts is the curve of the share of swaps that were accepted, with one standard error over the seeds. Where none of n
// was, the share is below 3/n with a confidence of 95%.
func accepts(entry int, points []*point, arm string) report.Curve {
	c := report.Curve{Entry: entry, Points: true, Apart: true}
	for _, p := range points {
		var rates []float64
		var all glass.Tally
		for _, r := range p.arms[arm] {
			for _, x := range r.Result.Protocols {
				rates = append(rates, float64(x.Rate))
				all.Proposed, all.Accepted = all.Proposed+x.Proposed, all.Accepted+x.Accepted
			}
		}
		switch {
		case all.Proposed == 0:
			continue
		case all.Accepted == 0:
			add(&c, p.x, 3/float64(all.Proposed), math.NaN(), math.NaN(), -1)
			continue
		}
		mean, deviation := stat.MeanStdDev(rates, nil)
		e := stat.StdErr(deviation, float64(len(rates)))
		add(&c, p.x, mean, mean-e, mean+e, 0)
	}
	return c
}

func key(p *point) float64 { return p.x }

// pair is the figure of two protocols: relaxation times, their ratio, and how many swaps were accepted.
func pair(x string) func([]*point) *report.Grid {
	return func(points []*point) *report.Grid {
		return bounded(&report.Grid{Legend: swapped("swap"), Panels: []report.Panel{
			{X: x, Y: "relaxation time (sweeps)", LogY: true, Curves: []report.Curve{times(0, points, "none"), times(1, points, "swap")}},
			{X: x, Y: "speed-up", Level: 1, Curves: []report.Curve{gain(1, points, key, "swap")}},
			{X: x, Y: "swaps accepted", LogY: true, Curves: []report.Curve{accepts(1, points, "swap")}},
		}})
	}
}

// polydispersity is the figure of several distributions of sizes, from narrow to wide in darker and darker colours.
func polydispersity(points []*point) *report.Grid {
	tau := report.Panel{X: "T", Y: "tau, no swaps", LogY: true}
	ratios := report.Panel{X: "tau, no swaps", Y: "speed-up", LogX: true, LogY: true, Level: 1}
	g := &report.Grid{}
	for n, name := range sizesOf(points) {
		g.Legend = append(g.Legend, report.Entry{Text: name, Hue: report.Heat, Beside: n > 0})
		var of []*point
		for _, p := range points {
			if p.sizes == name {
				of = append(of, p)
			}
		}
		tau.Curves = append(tau.Curves, times(n, of, "none"))
		ratios.Curves = append(ratios.Curves, gain(n, of, mean, "swap"))
	}
	g.Panels = []report.Panel{tau, ratios}
	return bounded(g)
}

// relaxation is the figure of relaxation times and speed-ups with the laws that extrapolate them.
func relaxation(points []*point) *report.Grid {
	tau := report.Panel{X: "T", Y: "relaxation time (sweeps)", LogY: true}
	ratios := report.Panel{X: "T", Y: "speed-up", LogY: true, Level: 1}
	for n, arm := range protocols {
		tau.Curves = append(tau.Curves, times(n, points, arm))
		if n > 0 {
			ratios.Curves = append(ratios.Curves, gain(n, points, key, arm))
		}
	}
	g := &report.Grid{Legend: swapped("swap", "lift")}
	swap := course(points, "swap")
	for _, f := range fits(points, mean) {
		line, over := report.Curve{Entry: 0, Dashed: true}, report.Curve{Entry: 1, Dashed: true}
		const parts = 100
		for k := range parts + 1 {
			t := points[0].x + (highest-points[0].x)*float64(k)/parts
			line.X, line.Y = append(line.X, t), append(line.Y, f.at(t))
			over.X, over.Y = append(over.X, t), append(over.Y, f.at(t)/swap(t))
		}
		tau.Curves, ratios.Curves = append(tau.Curves, line), append(ratios.Curves, over)
		if len(g.Legend) == 3 {
			g.Legend = append(g.Legend, report.Entry{Text: "two laws fitted to no swaps, extrapolated", Dashed: true})
		}
	}
	g.Panels = []report.Panel{tau, ratios}
	return bounded(g)
}

// course returns an arm's relaxation time at any temperature between those where it was measured, ln tau
// being linear in 1/T between neighbours, and NaN beyond.
func course(points []*point, arm string) func(t float64) float64 {
	var at, logs []float64
	for _, p := range points {
		if tau := p.measured(arm); !math.IsNaN(tau) {
			at, logs = append(at, p.x), append(logs, math.Log(tau))
		}
	}
	return func(t float64) float64 {
		i, known := slices.BinarySearch(at, t)
		switch {
		case known:
			return math.Exp(logs[i])
		case i == 0 || i == len(at):
			return math.NaN()
		}
		w := (1/t - 1/at[i-1]) / (1/at[i] - 1/at[i-1])
		return math.Exp((1-w)*logs[i-1] + w*logs[i])
	}
}
