package draw

import (
	"image/color"
	"math"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"
)

// A pen draws on a canvas in points, with y downwards from the upper edge.
type pen struct {
	canvas vg.Canvas
	height float64
	grain  float64 // lengths are rounded to 1/grain: files stay small, and nothing is seen of it
	fonts  *font.Cache
}

func newPen(c vg.Canvas, height float64) *pen {
	return &pen{c, height, 100, font.NewCache(liberation.Collection())}
}

func (p *pen) at(x, y float64) vg.Point {
	return vg.Point{X: p.round(x), Y: p.round(p.height - y)}
}

func (p *pen) round(x float64) vg.Length { return vg.Length(math.Round(p.grain*x) / p.grain) }

func (p *pen) rect(path *vg.Path, x, y, w, h float64) {
	path.Move(p.at(x, y))
	path.Line(p.at(x+w, y))
	path.Line(p.at(x+w, y+h))
	path.Line(p.at(x, y+h))
	path.Close()
}

func (p *pen) segment(path *vg.Path, x1, y1, x2, y2 float64) {
	path.Move(p.at(x1, y1))
	path.Line(p.at(x2, y2))
}

func (p *pen) circle(path *vg.Path, x, y, r float64) {
	c := p.at(x, y)
	path.Move(vg.Point{X: c.X + p.round(r), Y: c.Y})
	path.Arc(c, p.round(r), 0, 2*math.Pi)
	path.Close()
}

func (p *pen) polygon(path *vg.Path, points ...[2]float64) {
	for i, q := range points {
		if i == 0 {
			path.Move(p.at(q[0], q[1]))
		} else {
			path.Line(p.at(q[0], q[1]))
		}
	}
	path.Close()
}

func (p *pen) fill(path vg.Path, c color.Color) {
	if len(path) > 0 {
		p.canvas.SetColor(c)
		p.canvas.Fill(path)
	}
}

func (p *pen) stroke(path vg.Path, width float64, c color.Color) {
	if len(path) > 0 {
		p.canvas.SetColor(c)
		p.canvas.SetLineWidth(vg.Length(width))
		p.canvas.Stroke(path)
	}
}

// A style is how text is set.
type style struct {
	size       float64
	bold, mono bool
	color      color.Color
}

func (p *pen) face(s style) font.Face {
	f := font.Font{Typeface: "Liberation", Variant: "Sans"}
	if s.mono {
		f.Variant = "Mono"
	}
	if s.bold {
		f.Weight = xfont.WeightBold
	}
	return p.fonts.Lookup(f, vg.Length(s.size))
}

// text sets text with its baseline at y, and its left edge, middle or right edge
// at x for align 0, 0.5 and 1.
func (p *pen) text(x, y, align float64, s style, text string) {
	face := p.face(s)
	p.canvas.SetColor(s.color)
	p.canvas.FillString(face, p.at(x-align*float64(face.Width(text)), y), text)
}

// wrap breaks text into lines that are at most width wide. It leaves room for
// the wider letters of a substitute font.
func (p *pen) wrap(s style, width float64, text string) []string {
	face := p.face(s)
	return wrap(text, func(line string) bool { return float64(face.Width(line)) <= 0.87*width })
}

// wrap breaks text into lines that fit, at spaces and, where a word alone does
// not fit, within it.
func wrap(text string, fits func(line string) bool) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case fits(line + " " + word):
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
		for !fits(line) {
			cut := []rune(line)
			n := len(cut) - 1
			for n > 1 && !fits(string(cut[:n])) {
				n--
			}
			if n < 1 {
				break
			}
			lines, line = append(lines, string(cut[:n])), string(cut[n:])
		}
	}
	return append(lines, line)
}
