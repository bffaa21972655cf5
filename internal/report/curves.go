package report

import (
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"swapmc/speedup"
)

// few targets are drawn as points with error bars instead of curves with bands.
const few = 4

const markRadius = 1.6 // points

// speedups draws S against the target; training goes from left to right. Heights are
// log2 S on a linear axis: on a plot.LogScale the label of the axis takes room from the
// panel that it does not need.
func (f *figure) speedups() (*plot.Plot, error) {
	p := newPlot("target training loss", "speed-up in iterations")
	p.X.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	p.Y.Tick.Marker = plot.TickerFunc(factorTicks)
	f.ranges(p)
	grid := draw.LineStyle{Color: grey, Width: 0.8}
	if err := addLine(p, []float64{p.X.Min, p.X.Max}, []float64{0, 0}, 1, grid); err != nil {
		return nil, err
	}
	for k := range f.Protocols {
		if !slices.Contains(f.full, k) {
			var e exact
			e.add(f.Protocols[k].Targets)
			if err := addLine(p, e.x, e.s, 1, thin(blue)); err != nil {
				return nil, err
			}
		}
	}
	for row, k := range f.full {
		if err := f.curve(p, row, f.Protocols[k].Targets); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// ranges sets the axes: all targets, and all that is estimated with as much of the
// intervals as leaves the estimates apart.
func (f *figure) ranges(p *plot.Plot) {
	left, right := math.Inf(1), math.Inf(-1)
	targets := map[float64]bool{}
	bottom, top := -0.07, 0.07
	lowest, highest := bottom, top
	for k := range f.Protocols {
		for _, t := range f.Protocols[k].Targets {
			targets[t.Target] = true
			left, right = min(left, t.Target), max(right, t.Target)
			e := t.Iterations
			if middle := math.Log2(e.Speedup); ok(middle) {
				bottom, top = min(bottom, middle), max(top, middle)
			}
			if slices.Contains(f.full, k) {
				for _, end := range []float64{math.Log2(e.Low), math.Log2(e.High)} {
					if ok(end) {
						lowest, highest = min(lowest, end), max(highest, end)
					}
				}
			}
		}
	}
	room := max(0.14, (top-bottom)/4)
	p.Y.Min, p.Y.Max = max(bottom-room, min(lowest, bottom)-0.04), min(top+room, max(highest, top)+0.04)
	if len(targets) == 0 {
		left, right = 0, 1
	} else if len(targets) < few {
		var ticks plot.ConstantTicks
		for t := range targets {
			ticks = append(ticks, plot.Tick{Value: t, Label: strconv.FormatFloat(t, 'g', 4, 64)})
		}
		p.X.Tick.Marker = ticks
		margin := 0.15 * (right - left)
		if margin == 0 {
			margin = 1
		}
		left, right = left-margin, right+margin
	}
	p.X.Min, p.X.Max = left, right
}

// exact are log2 of the speed-up and of its interval at the targets that every pair
// reached, with gaps of NaN at the others.
type exact struct{ x, s, low, high []float64 }

func (e *exact) add(targets []speedup.Target) {
	sorted := slices.Clone(targets)
	slices.SortFunc(sorted, func(a, b speedup.Target) int {
		switch {
		case a.Target > b.Target:
			return -1
		case a.Target < b.Target:
			return 1
		}
		return 0
	})
	for _, t := range sorted {
		i := t.Iterations
		if !i.Fitted && (i.AtMost > 0 || i.AtLeast > 0) {
			i.Speedup, i.Low, i.High = math.NaN(), math.NaN(), math.NaN()
		}
		e.x, e.s, e.low, e.high = append(e.x, t.Target), append(e.s, math.Log2(i.Speedup)), append(e.low, math.Log2(i.Low)), append(e.high, math.Log2(i.High))
	}
}

// curve draws one named protocol.
func (f *figure) curve(p *plot.Plot, row int, targets []speedup.Target) error {
	c := blue(row, len(f.full))
	var e exact
	e.add(targets)
	clamp := func(v float64) float64 { return min(max(v, p.Y.Min), p.Y.Max) } // NaN stays NaN
	for i := range e.x {
		e.low[i], e.high[i] = clamp(e.low[i]), clamp(e.high[i])
	}
	shift := 0.0
	if len(targets) < few {
		shift = (float64(row) - float64(len(f.full)-1)/2) * 0.015 * (p.X.Max - p.X.Min)
		for i := range e.x {
			e.x[i] -= shift
			if err := addLine(p, []float64{e.x[i], e.x[i]}, []float64{e.low[i], e.high[i]}, 1, draw.LineStyle{Color: c, Width: 0.8}); err != nil {
				return err
			}
			if err := addMarks(p, e.x[i:i+1], e.s[i:i+1], c, draw.CircleGlyph{}); err != nil {
				return err
			}
		}
	} else {
		fill := c
		fill.A = uint8(max(14, 36-3*len(f.full)))
		if err := addBand(p, e.x, e.low, e.high, 1, fill); err != nil {
			return err
		}
		if err := addLine(p, e.x, e.s, 1, style(c, row, 1)); err != nil {
			return err
		}
	}
	for _, t := range targets {
		if shape := bound(t.Iterations); shape != nil {
			if err := addMarks(p, []float64{t.Target - shift}, []float64{math.Log2(t.Iterations.Speedup)}, c, shape); err != nil {
				return err
			}
		}
	}
	return nil
}

// bound returns the mark of an estimate that is a bound: a triangle that points to
// where the speed-up is. There is none where all runs arrived, and none where some
// runs of either side did not.
func bound(e speedup.Estimate) draw.GlyphDrawer {
	switch {
	case e.Fitted:
		return nil
	case e.AtMost > 0 && e.AtLeast == 0:
		return triangle{down: true}
	case e.AtLeast > 0 && e.AtMost == 0:
		return triangle{}
	}
	return nil
}

// addMarks draws points.
func addMarks(p *plot.Plot, x, y []float64, c color.Color, shape draw.GlyphDrawer) error {
	for _, part := range finite(x, y) {
		s, err := plotter.NewScatter(part)
		if err != nil {
			return err
		}
		s.GlyphStyle = draw.GlyphStyle{Color: c, Radius: markRadius, Shape: shape}
		p.Add(s)
	}
	return nil
}

// triangle is a glyph that points up, or down.
type triangle struct{ down bool }

func (t triangle) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	h := s.Radius
	if t.down {
		h = -h
	}
	c.FillPolygon(s.Color, []vg.Point{{X: at.X - s.Radius, Y: at.Y - h/2}, {X: at.X + s.Radius, Y: at.Y - h/2}, {X: at.X, Y: at.Y + h}})
}
