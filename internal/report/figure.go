package report

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	width     = 3.4 * vg.Inch // one column of a journal
	panel     = 1.9 * vg.Inch // height of each of three panels
	line      = 9 * vg.Length(1)
	fontSize  = 7.5
	shown     = 8  // protocols drawn in full; others are thin lines without a legend
	labelX    = 53 // where the legend's labels begin, in points
	letterX   = 3  // and the panels' letters
	pixelsDPI = 300
)

// Figure draws the comparison in one column and three panels: (a) clean training
// loss in blues, (b) test accuracy in greens, both with the run without swaps in grey
// and one standard error over the seeds shaded, and (c) the speed-up in iterations
// against the target loss with its 95% interval, on a scale of factors. Triangles are
// bounds: at these targets some runs did not arrive, and the speed-up lies on the side
// to which they point. Of many protocols the most different few are named, the others
// thin lines. It writes path.svg, path.pdf and path.png.
func Figure(path string, d Data) error {
	return write(path, d.Draw)
}

// Draw draws the figure of [Figure] in a format.
func (d Data) Draw(w io.Writer, format Format) error {
	f := figure{d, drawn(&d.Comparison, shown)}
	return render(w, format, width, f.height(), f.draw)
}

// figure is what is drawn, with the protocols that are drawn in full.
type figure struct {
	Data
	full []int
}

// entries are the lines of the legend, as many as they need.
func (f *figure) entries() []entry {
	list := []entry{{[]string{"no swaps"}, style(grey, 0, 1.2), style(grey, 0, 1.2), false}}
	for row, k := range f.full {
		list = append(list, entry{wrap(f.Protocols[k].Text, width-labelX-3), style(blue(row, len(f.full)), row, 1.2), style(green(row, len(f.full)), row, 1.2), false})
	}
	if n := len(f.Protocols) - len(f.full); n > 0 {
		label := fmt.Sprintf("%d other protocols", n)
		if n == 1 {
			label = "1 other protocol"
		}
		list = append(list, entry{[]string{label}, thin(blue), thin(green), false})
	}
	for _, k := range f.full {
		for _, t := range f.Protocols[k].Targets {
			if bound(t.Iterations) != nil {
				return append(list, entry{label: []string{"bounds: not all runs reach the target"}, bounds: true})
			}
		}
	}
	return list
}

// An entry of the legend: a blue and a green stroke, or the two marks of bounds.
type entry struct {
	label       []string
	blue, green draw.LineStyle
	bounds      bool
}

func (f *figure) legendHeight() vg.Length {
	rows := 1
	for _, e := range f.entries() {
		rows += len(e.label)
	}
	return vg.Length(rows) * line
}

func (f *figure) height() vg.Length { return 3*panel + f.legendHeight() + 2*line }

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

// thin is the line of a protocol that is not named.
func thin(shades func(k, n int) color.NRGBA) draw.LineStyle {
	faint := shades(0, 2)
	faint.A = 110
	return draw.LineStyle{Color: faint, Width: 0.4}
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
	f.legend(c)
	c.Max.Y -= f.legendHeight()
	plots := [][]*plot.Plot{{loss}, {accuracy}, {speed}}
	tiles := draw.Tiles{Cols: 1, Rows: 3, PadTop: 10, PadBottom: 4, PadRight: 8, PadLeft: 3, PadY: 13}
	letter := textStyle(draw.XLeft, draw.YBottom)
	for i, canvas := range plot.Align(plots, tiles, c) {
		// Align narrows the tiles to align the axes; the letters stand at the edge.
		plots[i][0].Draw(canvas[0])
		c.FillText(letter, vg.Point{X: c.Min.X + letterX, Y: canvas[0].Max.Y + 1}, "("+string(rune('a'+i))+")")
	}
	return nil
}

// legend names the lines, above the panels.
func (f *figure) legend(c draw.Canvas) {
	text := textStyle(draw.XLeft, draw.YCenter)
	y := c.Max.Y
	for _, e := range f.entries() {
		y -= line
		if e.bounds {
			mark := draw.GlyphStyle{Color: blue(0, 1), Radius: markRadius}
			triangle{}.DrawGlyph(&c, mark, vg.Point{X: c.Min.X + 17, Y: y})
			triangle{down: true}.DrawGlyph(&c, mark, vg.Point{X: c.Min.X + 39, Y: y})
		} else {
			c.StrokeLine2(e.blue, c.Min.X+8, y, c.Min.X+26, y)
			c.StrokeLine2(e.green, c.Min.X+30, y, c.Min.X+48, y)
		}
		for i, label := range e.label {
			if i > 0 {
				y -= line
			}
			c.FillText(text, vg.Point{X: c.Min.X + labelX, Y: y}, label)
		}
	}
}

func textStyle(x text.XAlignment, y text.YAlignment) draw.TextStyle {
	return draw.TextStyle{Color: color.Black, Font: font.From(plot.DefaultFont, fontSize), Handler: plot.DefaultTextHandler, XAlign: x, YAlign: y}
}

// wrap breaks a label into lines of at most a width, at spaces, and words that are wider
// anywhere.
func wrap(label string, room vg.Length) []string {
	style := textStyle(draw.XLeft, draw.YCenter)
	var lines []string
	for _, word := range strings.Fields(label) {
		if n := len(lines); n > 0 && style.Width(lines[n-1]+" "+word) <= room {
			lines[n-1] += " " + word
			continue
		}
		rest := []rune(word)
		for style.Width(string(rest)) > room {
			n := len(rest)
			for n > 1 && style.Width(string(rest[:n])) > room {
				n--
			}
			if n == len(rest) {
				break
			}
			lines, rest = append(lines, string(rest[:n])), rest[n:]
		}
		lines = append(lines, string(rest))
	}
	return lines
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
	p.X.Tick.Marker, p.Y.Tick.Marker = evenTicks(4), evenTicks(5)
	return p
}

// courses draws one quantity against iterations, the baseline on top.
func (f *figure) courses(label string, shades func(k, n int) color.NRGBA, pick func(*Arm) Band, scale float64) (*plot.Plot, error) {
	p := newPlot("iteration", label)
	if len(f.Arms) == 0 {
		return p, nil
	}
	// From the back to the front: the thin lines, the named ones, the baseline.
	order := []int{0}
	for k := range f.Protocols {
		if slices.Contains(f.full, k) {
			order = append(order, k+1)
		}
	}
	for k := range f.Protocols {
		if !slices.Contains(f.full, k) {
			order = append(order, k+1)
		}
	}
	for _, i := range slices.Backward(order) {
		if i >= len(f.Arms) {
			continue
		}
		a := &f.Arms[i]
		b := pick(a)
		row := slices.Index(f.full, i-1)
		s := thin(shades)
		switch {
		case i == 0:
			s = style(grey, 0, 1.2)
		case row >= 0:
			s = style(shades(row, len(f.full)), row, 1)
		}
		if i == 0 || row >= 0 {
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

func addLine(p *plot.Plot, x, y []float64, scale float64, s draw.LineStyle) error {
	for _, part := range finite(x, y) {
		for i := range part {
			part[i].Y *= scale
		}
		if len(part) == 1 {
			dot, err := plotter.NewScatter(part)
			if err != nil {
				return err
			}
			dot.GlyphStyle = draw.GlyphStyle{Color: s.Color, Radius: s.Width, Shape: draw.CircleGlyph{}}
			p.Add(dot)
			continue
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

// addBand shades between two curves, where both are finite.
func addBand(p *plot.Plot, x, low, high []float64, scale float64, fill color.Color) error {
	for i := 0; i < len(x); i++ {
		start := i
		for i < len(x) && ok(low[i]) && ok(high[i]) {
			i++
		}
		if i-start < 2 {
			continue
		}
		var outline plotter.XYs
		for k := start; k < i; k++ {
			outline = append(outline, plotter.XY{X: x[k], Y: low[k] * scale})
		}
		for k := i - 1; k >= start; k-- {
			outline = append(outline, plotter.XY{X: x[k], Y: high[k] * scale})
		}
		area, err := plotter.NewPolygon(outline)
		if err != nil {
			return err
		}
		area.Color, area.LineStyle.Width = fill, 0
		p.Add(area)
	}
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
