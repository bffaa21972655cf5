package report

import (
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Panel is one diagram of a figure.
type Panel struct {
	X, Y       string // what is on the axes
	LogX, LogY bool
	Curves     []Curve
	Level      float64 // a dotted line across at this Y, unless 0
}

// A Curve is a line of a Panel. Points that a logarithmic axis cannot show are left out.
type Curve struct {
	X, Y   []float64
	Entry  int  // of the legend, whose colour it has
	Points bool // marks at its points
	Dashed bool
}

// Panels draws diagrams below each other in one column, under a common legend, and
// writes path.svg, path.pdf and path.png.
func Panels(path string, legend []string, panels []Panel) error {
	return write(path, func(w io.Writer, format Format) error { return DrawPanels(w, format, legend, panels) })
}

// DrawPanels draws the figure of [Panels] in a format.
func DrawPanels(w io.Writer, format Format, legend []string, panels []Panel) error {
	var labels [][]string
	rows := 1
	for _, text := range legend {
		labels = append(labels, wrap(text, width-35))
		rows += len(labels[len(labels)-1])
	}
	head := vg.Length(rows) * line
	height := vg.Length(len(panels))*panel + head + 2*line
	return render(w, format, width, height, func(c draw.Canvas) error {
		c.FillPolygon(color.White, []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}})
		y := c.Max.Y
		for i, lines := range labels {
			for k, label := range lines {
				y -= line
				if k == 0 {
					c.StrokeLine2(style(entryColour(i, len(legend)), i, 1.2), c.Min.X+8, y, c.Min.X+26, y)
				}
				c.FillText(textStyle(draw.XLeft, draw.YCenter), vg.Point{X: c.Min.X + 31, Y: y}, label)
			}
		}
		c.Max.Y -= head
		var plots [][]*plot.Plot
		for _, p := range panels {
			drawn, err := p.plot(len(legend))
			if err != nil {
				return err
			}
			plots = append(plots, []*plot.Plot{drawn})
		}
		tiles := draw.Tiles{Cols: 1, Rows: len(panels), PadTop: 10, PadBottom: 4, PadRight: 8, PadLeft: 3, PadY: 13}
		for i, tile := range plot.Align(plots, tiles, c) {
			plots[i][0].Draw(tile[0])
			c.FillText(textStyle(draw.XLeft, draw.YBottom), vg.Point{X: c.Min.X + letterX, Y: tile[0].Max.Y + 1}, "("+string(rune('a'+i))+")")
		}
		return nil
	})
}

// entryColour is grey for the first, then from light to dark blue.
func entryColour(k, n int) color.NRGBA {
	if k == 0 {
		return grey
	}
	return blue(k-1, n-1)
}

func (p *Panel) plot(entries int) (*plot.Plot, error) {
	d := newPlot(p.X, p.Y)
	low, high := math.Inf(1), math.Inf(-1)
	left, right := math.Inf(1), math.Inf(-1)
	for _, c := range p.Curves {
		var points plotter.XYs
		for i := range c.X {
			x, y := c.X[i], c.Y[i]
			if !ok(x) || !ok(y) || p.LogX && x <= 0 || p.LogY && y <= 0 {
				continue
			}
			if p.LogX {
				x = math.Log10(x)
			}
			if p.LogY {
				y = math.Log10(y)
			}
			points = append(points, plotter.XY{X: x, Y: y})
			low, high = min(low, y), max(high, y)
			left, right = min(left, x), max(right, x)
		}
		if len(points) == 0 {
			continue
		}
		colour := entryColour(c.Entry, entries)
		l, err := plotter.NewLine(points)
		if err != nil {
			return nil, err
		}
		l.LineStyle = style(colour, c.Entry, 1.2)
		if c.Dashed {
			l.LineStyle = style(colour, 2, 0.8)
		}
		d.Add(l)
		if c.Points {
			s, err := plotter.NewScatter(points)
			if err != nil {
				return nil, err
			}
			s.GlyphStyle = draw.GlyphStyle{Color: colour, Radius: 1.8, Shape: draw.CircleGlyph{}}
			d.Add(s)
		}
	}
	if p.Level != 0 && left < right {
		level := p.Level
		if p.LogY {
			level = math.Log10(level)
		}
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
	return d, nil
}
