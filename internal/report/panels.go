package report

import (
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Panel is one diagram of a figure.
type Panel struct {
	Title      string // above it; without one, a letter stands there
	X, Y       string // what is on the axes
	LogX, LogY bool
	FlipX      bool // the axis of X falls from left to right
	Factors    bool // Y are factors around 1, on a logarithmic axis
	Curves     []Curve
	Level      float64 // a dotted line across at this Y, unless 0
}

// A Curve is a line of a Panel. Points that a logarithmic axis cannot show are left out.
type Curve struct {
	X, Y      []float64
	Low, High []float64 // the ends of a shaded band; nil: none
	Bars      bool      // the band is drawn as error bars
	Bounds    []int     // where 1, the true Y is above the point, where -1 below: a triangle that points there; nil: 0 everywhere
	Apart     bool      // the line leaves out bounds
	Entry     int       // of the legend, whose colour it has
	Dashes    int       // of its line: 0 those of its entry, n those of entry n of a legend of greys and blues
	Label     string    // in its colour in the panel's upper right corner
	Points    bool      // marks at its points
	Dashed    bool
	Steps     bool // constant from each point to the next
}

// A Hue is a family of colours; its members go from light to dark.
type Hue int

// The hues.
const (
	Grey Hue = iota
	Blue
	Green
	Orange
	Heat // an ordered quantity such as temperature, from the hottest to the coldest; solid
)

// An Entry of a legend.
type Entry struct {
	Text   string
	Hue    Hue
	Bounds bool // instead of a line, the triangles of Curve.Bounds
	Dashed bool // the line of Curve.Dashed
	Beside bool // beside the entry before, where there is room; a line of such entries is theirs alone
}

// A Grid is a figure of panels in rows under a common legend: in one column as wide as a
// column of a journal, in several together as wide as its page.
type Grid struct {
	Title   string // what all panels share, above the legend
	Columns int
	Legend  []Entry
	Panels  []Panel
}

// DrawPanels draws diagrams below each other in one column, under a common legend, in a format. The
// first entry of the legend is grey, the others are blue.
func DrawPanels(w io.Writer, format Format, legend []string, panels []Panel) error {
	g := Grid{Columns: 1, Panels: panels}
	for i, text := range legend {
		g.Legend = append(g.Legend, Entry{Text: text, Hue: Hue(min(i, 1))})
	}
	return g.Draw(w, format)
}

// Write writes the figure to path with the ending of each of some formats; of all without.
func (g *Grid) Write(path string, formats ...Format) error {
	return write(path, g.Draw, formats...)
}

const (
	pageWidth = 7 * vg.Inch
	sample    = 18 // points, of a line in the legend
)

// Draw draws the figure in a format.
func (g *Grid) Draw(w io.Writer, format Format) error {
	columns := max(1, g.Columns)
	wide := vg.Length(width)
	if columns > 1 {
		wide = pageWidth
	}
	placed, lines := g.place(wide)
	title := wrap(g.Title, wide-2*letterX)
	above := vg.Length(len(title)) * 1.2 * line
	head := above + vg.Length(lines+1)*line
	rows := (len(g.Panels) + columns - 1) / columns
	height := vg.Length(rows)*panel + head + 2*line
	return render(w, format, wide, height, func(c draw.Canvas) error {
		c.FillPolygon(color.White, []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}})
		for i, text := range title {
			c.FillText(textStyle(draw.XLeft, draw.YCenter), vg.Point{X: c.Min.X + 8, Y: c.Max.Y - vg.Length(i+1)*line}, text)
		}
		for i, at := range placed {
			g.entry(c, i, vg.Point{X: at.X, Y: above + at.Y})
		}
		c.Max.Y -= head
		plots := make([][]*plot.Plot, rows)
		for r := range plots {
			plots[r] = make([]*plot.Plot, columns)
		}
		for i := range g.Panels {
			drawn, err := g.Panels[i].plot(g.Legend)
			if err != nil {
				return err
			}
			plots[i/columns][i%columns] = drawn
		}
		tiles := draw.Tiles{Cols: columns, Rows: rows, PadTop: 10, PadBottom: 4, PadRight: 8, PadLeft: 3, PadX: 10, PadY: 13}
		canvases := plot.Align(plots, tiles, c)
		for i := range g.Panels {
			at := canvases[i/columns][i%columns]
			plots[i/columns][i%columns].Draw(at)
			g.head(c, at, i)
		}
		return nil
	})
}

// head writes what stands above a panel and in its corner.
func (g *Grid) head(c, at draw.Canvas, i int) {
	p := &g.Panels[i]
	if p.Title != "" {
		c.FillText(textStyle(draw.XLeft, draw.YBottom), vg.Point{X: at.Min.X + 12, Y: at.Max.Y + 4}, p.Title)
	} else {
		left := c.Min.X + letterX
		if g.Columns > 1 {
			left = at.Min.X
		}
		c.FillText(textStyle(draw.XLeft, draw.YBottom), vg.Point{X: left, Y: at.Max.Y + 1}, "("+string(rune('a'+i))+")")
	}
	label := textStyle(draw.XRight, draw.YTop)
	label.Font = font.From(label.Font, fontSize-1)
	y := at.Max.Y
	for _, curve := range p.Curves {
		if curve.Label == "" {
			continue
		}
		label.Color = entryColour(g.Legend, curve.Entry)
		c.FillText(label, vg.Point{X: at.Max.X, Y: y}, curve.Label)
		y -= line - 1
	}
}

// place returns where the entries of the legend begin, below the upper left corner, and how
// many lines they need. Across a page they stand beside each other, in a column those that ask for it.
func (g *Grid) place(wide vg.Length) (at []vg.Point, lines int) {
	text := textStyle(draw.XLeft, draw.YCenter)
	x, pitch := vg.Length(0), vg.Length(0)
	for i, e := range g.Legend {
		need := text.Width(e.Text) + 31 + 14
		if e.Beside { // in columns
			need = pitch
		} else if pitch = need; i+1 < len(g.Legend) && g.Legend[i+1].Beside {
			for k := i + 1; k < len(g.Legend) && g.Legend[k].Beside; k++ {
				pitch = max(pitch, text.Width(g.Legend[k].Text)+31+14)
			}
			need = pitch
		}
		switch {
		case i == 0:
			lines = 1
		case x+need > wide, !e.Beside && (g.Columns <= 1 || g.Legend[i-1].Beside || i+1 < len(g.Legend) && g.Legend[i+1].Beside):
			x, lines = 0, lines+1
		}
		at = append(at, vg.Point{X: x, Y: vg.Length(lines) * line})
		x += need
		if g.Columns <= 1 {
			lines += len(wrap(e.Text, wide-35)) - 1
		}
	}
	return at, lines
}

// entry draws an entry of the legend.
func (g *Grid) entry(c draw.Canvas, i int, at vg.Point) {
	e := &g.Legend[i]
	x, y := c.Min.X+8+at.X, c.Max.Y-at.Y
	switch {
	case e.Bounds:
		mark := draw.GlyphStyle{Color: grey, Radius: boundRadius}
		triangle{}.DrawGlyph(&c, mark, vg.Point{X: x + sample/2 - 4, Y: y})
		triangle{down: true}.DrawGlyph(&c, mark, vg.Point{X: x + sample/2 + 4, Y: y})
	case e.Dashed:
		c.StrokeLine2(dashed(entryColour(g.Legend, i)), x, y, x+sample, y)
	default:
		c.StrokeLine2(entryStyle(g.Legend, i), x, y, x+sample, y)
	}
	text := textStyle(draw.XLeft, draw.YCenter)
	for k, label := range wrap(e.Text, c.Max.X-x-sample-5) {
		c.FillText(text, vg.Point{X: x + sample + 5, Y: y - vg.Length(k)*line}, label)
	}
}

// among is the number of an entry among those of its hue, and how many they are.
func among(legend []Entry, k int) (number, of int) {
	for i, e := range legend {
		if e.Hue != legend[k].Hue || e.Bounds || e.Dashed {
			continue
		}
		if i < k {
			number++
		}
		of++
	}
	return number, of
}

// entryColour is the colour of an entry of a legend; grey where there is none.
func entryColour(legend []Entry, k int) color.NRGBA {
	if k >= len(legend) {
		return grey
	}
	number, of := among(legend, k)
	switch legend[k].Hue {
	case Blue:
		return blue(number, of)
	case Green:
		return green(number, of)
	case Orange:
		return shade(color.NRGBA{240, 160, 80, 255}, color.NRGBA{179, 88, 6, 255}, number, of)
	case Heat:
		return heat(number, of)
	}
	if of == 1 {
		return grey
	}
	return shade(color.NRGBA{170, 170, 170, 255}, color.NRGBA{50, 50, 50, 255}, number, of)
}

// entryStyle is the line of an entry: dashed by its number, among its hue where the
// hues tell the others apart.
func entryStyle(legend []Entry, k int) draw.LineStyle {
	number := k
	for _, e := range legend {
		if e.Hue == Green || e.Hue == Orange {
			number, _ = among(legend, k)
		}
	}
	if legend[k].Hue == Heat {
		number = 0
	}
	return style(entryColour(legend, k), number, 1.2)
}

// heats are colours from hot to cold, ever darker, which the colour-blind tell apart.
var heats = []color.NRGBA{{244, 158, 40, 255}, {221, 86, 76, 255}, {158, 30, 124, 255}, {78, 12, 150, 255}, {14, 16, 84, 255}}

// heat is colour k of n from hot to cold.
func heat(k, n int) color.NRGBA {
	t := 0.0
	if n > 1 {
		t = float64(k) / float64(n-1) * float64(len(heats)-1)
	}
	i := min(int(t), len(heats)-2)
	return shade(heats[i], heats[i+1], int(math.Round((t-float64(i))*1000)), 1001)
}

// dashed is the line of a Curve that is.
func dashed(c color.Color) draw.LineStyle { return style(c, 2, 0.8) }

const boundRadius = 2.2 // points

func (p *Panel) plot(legend []Entry) (*plot.Plot, error) {
	d := newPlot(p.X, p.Y)
	if p.FlipX {
		d.X.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	}
	low, high := math.Inf(1), math.Inf(-1)
	left, right := math.Inf(1), math.Inf(-1)
	for i := range p.Curves {
		x, y := p.scaled(&p.Curves[i])
		for k := range x {
			if ok(x[k]) && ok(y[k]) {
				low, high = min(low, y[k]), max(high, y[k])
				left, right = min(left, x[k]), max(right, x[k])
			}
		}
	}
	if p.Factors && low <= high {
		d.Y.Min, d.Y.Max = p.factors(low, high)
	}
	for i := range p.Curves {
		if err := p.draw(d, &p.Curves[i], legend); err != nil {
			return nil, err
		}
	}
	if p.Level != 0 && left < right {
		level := p.y(p.Level)
		l, err := plotter.NewLine(plotter.XYs{{X: left, Y: level}, {X: right, Y: level}})
		if err != nil {
			return nil, err
		}
		l.LineStyle = draw.LineStyle{Color: grey, Width: 0.5, Dashes: []vg.Length{1, 1.5}}
		d.Add(l)
	}
	// Logarithms on an even axis: on plot.LogScale a long label would take room from the diagram.
	if p.LogX && left < right {
		d.X.Tick.Marker = plot.TickerFunc(logTicks)
	}
	if p.LogY && low < high {
		d.Y.Tick.Marker = plot.TickerFunc(logTicks)
	}
	if p.Factors {
		d.Y.Tick.Marker = plot.TickerFunc(factorTicks)
	}
	if !(low <= high) { // nothing: axes without numbers would look as if there were something
		d.X.Tick.Marker, d.Y.Tick.Marker = plot.ConstantTicks{}, plot.ConstantTicks{}
	}
	return d, nil
}

// factors returns the ends of an axis of factors, as logarithms: all points from low to
// high, 1, the level, and as much of the bands as leaves the points apart.
func (p *Panel) factors(low, high float64) (bottom, top float64) {
	low, high = min(low, 0), max(high, 0)
	if p.Level > 0 {
		low, high = min(low, p.y(p.Level)), max(high, p.y(p.Level))
	}
	bottom, top = low, high
	for _, c := range p.Curves {
		for i := range c.Low {
			if l, h := p.y(c.Low[i]), p.y(c.High[i]); ok(l) && ok(h) {
				bottom, top = min(bottom, l), max(top, h)
			}
		}
	}
	room := max(0.3, (high-low)/3)
	return max(bottom, low-room) - 0.05, min(top, high+room) + 0.05
}

// y is where a value stands on the axis.
func (p *Panel) y(v float64) float64 {
	switch {
	case p.Factors:
		return math.Log2(v)
	case p.LogY:
		return math.Log10(v)
	}
	return v
}

// scaled returns the points of a curve on the axes, NaN where an axis cannot show one.
func (p *Panel) scaled(c *Curve) (x, y []float64) {
	for i := range c.X {
		at := c.X[i]
		if p.LogX {
			at = math.Log10(at)
		}
		v := p.y(c.Y[i])
		if !ok(at) || !ok(v) {
			v = math.NaN()
		}
		x, y = append(x, at), append(y, v)
	}
	return x, y
}

// draw draws one curve.
func (p *Panel) draw(d *plot.Plot, c *Curve, legend []Entry) error {
	x, y := p.scaled(c)
	colour := entryColour(legend, c.Entry)
	line := draw.LineStyle{Color: colour, Width: 1.2}
	if c.Entry < len(legend) {
		line = entryStyle(legend, c.Entry)
	}
	if c.Dashed {
		line = dashed(colour)
	}
	if c.Dashes > 0 {
		line.Dashes = dashes[c.Dashes%len(dashes)]
	}
	if c.Low != nil && c.Bars {
		for i := range x {
			low, high := p.y(c.Low[i]), p.y(c.High[i])
			if !ok(y[i]) || !ok(low) || !ok(high) {
				continue
			}
			if err := addLine(d, []float64{x[i], x[i]}, []float64{low, high}, 1, draw.LineStyle{Color: colour, Width: 0.8}); err != nil {
				return err
			}
		}
	} else if c.Low != nil {
		low, high := make([]float64, len(x)), make([]float64, len(x))
		for i := range x {
			low[i], high[i] = p.y(c.Low[i]), p.y(c.High[i])
			if !ok(y[i]) { // among these are points that the axis of X cannot show
				low[i] = math.NaN()
			}
			if p.Factors { // NaN stays NaN
				low[i], high[i] = max(low[i], d.Y.Min), min(high[i], d.Y.Max)
			}
		}
		fill := colour
		fill.A = 40
		if err := addBand(d, x, low, high, 1, fill); err != nil {
			return err
		}
	}
	var joined plotter.XYs // across points that are left out
	for i := range x {
		if ok(y[i]) && !(c.Apart && c.Bounds != nil && c.Bounds[i] != 0) {
			if n := len(joined); c.Steps && n > 0 {
				joined = append(joined, plotter.XY{X: x[i], Y: joined[n-1].Y})
			}
			joined = append(joined, plotter.XY{X: x[i], Y: y[i]})
		}
	}
	if len(joined) > 0 {
		l, err := plotter.NewLine(joined)
		if err != nil {
			return err
		}
		l.LineStyle = line
		d.Add(l)
	}
	for i := range x {
		var shape draw.GlyphDrawer = draw.CircleGlyph{}
		radius := vg.Length(1.8)
		switch {
		case c.Bounds != nil && c.Bounds[i] > 0:
			shape, radius = triangle{}, boundRadius
		case c.Bounds != nil && c.Bounds[i] < 0:
			shape, radius = triangle{down: true}, boundRadius
		case !c.Points:
			continue
		}
		if !ok(y[i]) {
			continue
		}
		s, err := plotter.NewScatter(plotter.XYs{{X: x[i], Y: y[i]}})
		if err != nil {
			return err
		}
		s.GlyphStyle = draw.GlyphStyle{Color: colour, Radius: radius, Shape: shape}
		d.Add(s)
	}
	return nil
}
