package report

import (
	"cmp"
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"swapmc/internal/atomicfile"
	"swapmc/speedup"
)

const (
	width     = 3.4 * vg.Inch // one column of a journal
	panel     = 1.9 * vg.Inch // height of each of three panels
	line      = 9 * vg.Length(1)
	fontSize  = 7.5
	shown     = 8 // protocols drawn in full; others are thin lines without a legend
	pixelsDPI = 300
)

// Figure draws the comparison in one column and three panels: clean training loss
// in blues, test accuracy in greens, both with the run without swaps in grey and
// one standard error over the seeds shaded, and the speed-up in iterations against
// the target loss with its 95% interval, on a scale of factors of two. A speed-up
// that is only a bound, because a run never arrived, is not drawn. It writes path.svg and path.png.
func Figure(path string, d Data) error {
	for _, format := range []struct {
		suffix string
		canvas func(w, h vg.Length) vg.CanvasWriterTo
	}{
		{".svg", func(w, h vg.Length) vg.CanvasWriterTo { return vgsvg.New(w, h) }},
		{".png", func(w, h vg.Length) vg.CanvasWriterTo {
			return vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(pixelsDPI))}
		}},
	} {
		f := figure{Data: d}
		c := format.canvas(width, f.height())
		if err := f.draw(draw.New(c)); err != nil {
			return fmt.Errorf("figure: %w", err)
		}
		err := atomicfile.Write(path+format.suffix, func(w io.Writer) error {
			_, err := c.WriteTo(w)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

type figure struct{ Data }

func (f *figure) height() vg.Length {
	return 3*panel + vg.Length(len(f.drawn())+1)*line + 2*line
}

// drawn are the numbers of the protocols drawn in full: all, or as many of the
// fastest as of the slowest over all targets, in the order of the comparison.
func (f *figure) drawn() []int {
	var order []int
	for k := range f.Protocols {
		order = append(order, k)
	}
	if len(order) <= shown {
		return order
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(f.effect(a), f.effect(b)) })
	order = slices.Concat(order[:shown/2], order[len(order)-shown/2:])
	slices.Sort(order)
	return order
}

// effect is a protocol's mean logarithm of the speed-up over all targets.
func (f *figure) effect(k int) float64 {
	sum, n := 0.0, 0.0
	for _, t := range f.Protocols[k].Targets {
		if s := t.Iterations.Speedup; ok(s) {
			sum += math.Log(s)
			n++
		}
	}
	return sum / max(n, 1)
}

var grey = color.NRGBA{110, 110, 110, 255}

// shade returns colour k of n from light to dark.
func shade(light, dark color.NRGBA, k, n int) color.NRGBA {
	t := 1.0
	if n > 1 {
		t = float64(k) / float64(n-1)
	}
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + t*(float64(b)-float64(a)))) }
	return color.NRGBA{mix(light.R, dark.R), mix(light.G, dark.G), mix(light.B, dark.B), 255}
}

func blue(k, n int) color.NRGBA {
	return shade(color.NRGBA{120, 190, 240, 255}, color.NRGBA{8, 40, 120, 255}, k, n)
}

func green(k, n int) color.NRGBA {
	return shade(color.NRGBA{130, 205, 130, 255}, color.NRGBA{0, 75, 35, 255}, k, n)
}

var dashes = [][]vg.Length{nil, {4, 1.5}, {1.5, 1.5}, {6, 1.5, 1.5, 1.5}}

func style(c color.Color, k int, w vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: w, Dashes: dashes[k%len(dashes)]}
}

func (f *figure) draw(c draw.Canvas) error {
	loss, err := f.courses("training loss", blue, func(a *Arm) Band { return a.Loss }, 1)
	if err != nil {
		return err
	}
	accuracy, err := f.courses("test accuracy (%)", green, func(a *Arm) Band { return a.Accuracy }, 100)
	if err != nil {
		return err
	}
	speed, err := f.speedups()
	if err != nil {
		return err
	}
	c.FillPolygon(color.White, []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}})
	top := c.Max.Y
	legend := c
	legend.Min.Y = top - vg.Length(len(f.drawn())+1)*line - line
	f.legend(legend)
	top = legend.Min.Y
	plots := [][]*plot.Plot{{loss}, {accuracy}, {speed}}
	c.Max.Y = top
	tiles := draw.Tiles{Cols: 1, Rows: 3, PadTop: 2, PadBottom: 4, PadRight: 6, PadLeft: 3, PadY: 6}
	for i, canvas := range plot.Align(plots, tiles, c) {
		plots[i][0].Draw(canvas[0])
	}
	return nil
}

// legend names the lines, above the panels: a blue and a green stroke each.
func (f *figure) legend(c draw.Canvas) {
	drawn := f.drawn()
	text := draw.TextStyle{Color: color.Black, Font: font.From(plot.DefaultFont, fontSize), Handler: plot.DefaultTextHandler, XAlign: draw.XLeft, YAlign: draw.YCenter}
	entry := func(row int, label string, blue, green draw.LineStyle) {
		y := c.Max.Y - line*vg.Length(row) - line
		c.StrokeLine2(blue, c.Min.X+8, y, c.Min.X+26, y)
		c.StrokeLine2(green, c.Min.X+30, y, c.Min.X+48, y)
		c.FillText(text, vg.Point{X: c.Min.X + 53, Y: y}, clip(label, text, c.Max.X-c.Min.X-56))
	}
	entry(0, "no swaps", style(grey, 0, 1.2), style(grey, 0, 1.2))
	for row, k := range drawn {
		entry(row+1, f.Protocols[k].Text, style(blue(row, len(drawn)), row, 1.2), style(green(row, len(drawn)), row, 1.2))
	}
}

// clip shortens a label to a width.
func clip(label string, text draw.TextStyle, room vg.Length) string {
	if text.Width(label) <= room {
		return label
	}
	runes := []rune(label)
	for len(runes) > 1 && text.Width(string(runes)+"...") > room {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "..."
}

func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font.Size = fontSize
		a.Tick.Label.Font.Size = fontSize
		a.Padding = 2
		a.LineStyle.Width, a.Tick.LineStyle.Width = 0.6, 0.6
		a.Tick.Length = 3
	}
	return p
}

// courses draws one quantity against iterations, the baseline on top.
func (f *figure) courses(label string, shades func(k, n int) color.NRGBA, pick func(*Arm) Band, scale float64) (*plot.Plot, error) {
	p := newPlot("iteration", label)
	if len(f.Arms) == 0 {
		return p, nil
	}
	drawn := f.drawn()
	full := map[int]int{}
	for row, k := range drawn {
		full[k+1] = row
	}
	for i := len(f.Arms) - 1; i >= 0; i-- {
		a := &f.Arms[i]
		b := pick(a)
		row, ok := full[i]
		var s draw.LineStyle
		switch {
		case i == 0:
			s = style(grey, 0, 1.2)
		case ok:
			s = style(shades(row, len(drawn)), row, 1)
		default:
			faint := shades(0, 2)
			faint.A = 90
			s = draw.LineStyle{Color: faint, Width: 0.4}
		}
		if i == 0 || ok {
			fill := color.NRGBAModel.Convert(s.Color).(color.NRGBA)
			fill.A = 36
			if err := addBand(p, a.X, b.Low, b.High, scale, fill); err != nil {
				return nil, err
			}
		}
		if err := addLine(p, a.X, b.Mean, scale, s); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// speedups draws S against the target; training goes from left to right.
func (f *figure) speedups() (*plot.Plot, error) {
	p := newPlot("target training loss", "speed-up in iterations")
	p.X.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.ConstantTicks(factors)
	drawn := f.drawn()
	left, right := math.Inf(1), math.Inf(-1)
	bottom, top := 1/1.5, 1.5
	for _, k := range drawn {
		for _, t := range f.Protocols[k].Targets {
			if s := t.Iterations.Speedup; drawable(t.Iterations) {
				left, right = min(left, t.Target), max(right, t.Target)
				bottom, top = min(bottom, s/1.2), max(top, s*1.2)
			}
		}
	}
	for row, k := range drawn {
		var x, s, low, high []float64
		for _, t := range f.Protocols[k].Targets {
			if e := t.Iterations; drawable(e) {
				x, s = append(x, t.Target), append(s, e.Speedup)
				// Where the interval leaves the panel it is cut.
				low, high = append(low, max(e.Low, bottom)), append(high, min(e.High, top))
			}
		}
		c := blue(row, len(drawn))
		fill := c
		fill.A = 30
		if err := addBand(p, x, low, high, 1, fill); err != nil {
			return nil, err
		}
		if err := addLine(p, x, s, 1, style(c, row, 1)); err != nil {
			return nil, err
		}
	}
	if left < right {
		if err := addLine(p, []float64{left, right}, []float64{1, 1}, 1, style(grey, 0, 0.8)); err != nil {
			return nil, err
		}
		p.X.Min, p.X.Max = left, right
	}
	p.Y.Min, p.Y.Max = bottom, top
	return p, nil
}

// drawable tells whether an estimate is known and no mere bound.
func drawable(e speedup.Estimate) bool { return ok(e.Speedup) && e.AtMost == 0 && e.AtLeast == 0 }

// factors label the axis of speed-ups.
var factors = []plot.Tick{
	{Value: 0.125, Label: "1/8"}, {Value: 0.25, Label: "1/4"}, {Value: 0.5, Label: "1/2"}, {Value: 0.75}, {Value: 1, Label: "1"}, {Value: 1.25},
	{Value: 1.5, Label: "1.5"}, {Value: 1.75}, {Value: 2, Label: "2"}, {Value: 3, Label: "3"}, {Value: 4, Label: "4"}, {Value: 6, Label: "6"},
	{Value: 8, Label: "8"}, {Value: 16, Label: "16"}, {Value: 32, Label: "32"}, {Value: 64, Label: "64"},
}

func addLine(p *plot.Plot, x, y []float64, scale float64, s draw.LineStyle) error {
	for _, part := range finite(x, y) {
		for i := range part {
			part[i].Y *= scale
		}
		l, err := plotter.NewLine(part)
		if err != nil {
			return err
		}
		l.LineStyle = s
		p.Add(l)
	}
	return nil
}

func addBand(p *plot.Plot, x, low, high []float64, scale float64, fill color.Color) error {
	var outline plotter.XYs
	for i := range x {
		if ok(low[i]) && ok(high[i]) {
			outline = append(outline, plotter.XY{X: x[i], Y: low[i] * scale})
		}
	}
	for i := len(x) - 1; i >= 0; i-- {
		if ok(low[i]) && ok(high[i]) {
			outline = append(outline, plotter.XY{X: x[i], Y: high[i] * scale})
		}
	}
	if len(outline) < 4 {
		return nil
	}
	area, err := plotter.NewPolygon(outline)
	if err != nil {
		return err
	}
	area.Color, area.LineStyle.Width = fill, 0
	p.Add(area)
	return nil
}

// finite cuts a curve where it has no finite value.
func finite(x, y []float64) []plotter.XYs {
	var parts []plotter.XYs
	open := false
	for i := range x {
		if !ok(y[i]) {
			open = false
			continue
		}
		if !open {
			parts = append(parts, nil)
			open = true
		}
		last := &parts[len(parts)-1]
		*last = append(*last, plotter.XY{X: x[i], Y: y[i]})
	}
	return parts
}

func ok(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
