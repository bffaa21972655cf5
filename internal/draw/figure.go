package draw

import (
	"bytes"
	"image/color"
	"io"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"swapmc/swap"
)

// The figure, in points: one column 5.6 inches wide.
const (
	figureWidth = 5.6 * 72
	margin      = 10.0
	between     = 38.0 // the panels
	dpi         = 300
)

// SVG writes the picture as an SVG file, 5.6 inches wide.
func (p *Picture) SVG(w io.Writer) error {
	f := p.figure()
	c := vgsvg.New(figureWidth, vg.Length(f.height))
	f.draw(newPen(c, f.height))
	return writeSVG(w, c)
}

// PNG writes the picture as a PNG file, 5.6 inches wide at 300 dots per inch.
func (p *Picture) PNG(w io.Writer) error {
	f := p.figure()
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(figureWidth, vg.Length(f.height)), vgimg.UseDPI(dpi))}
	f.draw(newPen(c, f.height))
	_, err := c.WriteTo(w)
	return err
}

// writeSVG writes a canvas, naming substitutes for fonts that a reader's system
// may lack.
func writeSVG(w io.Writer, c *vgsvg.Canvas) error {
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	out := b.Bytes()
	for name, others := range map[string]string{
		"Liberation Sans": "Arial,Helvetica,sans-serif",
		"Liberation Mono": "Courier New,monospace",
	} {
		out = bytes.ReplaceAll(out, []byte("font-family:"+name+";"), []byte("font-family:"+name+","+others+";"))
	}
	_, err := w.Write(out)
	return err
}

// A figure is a picture with its lines broken.
type figure struct {
	*Picture
	title, caption []string
	layout         layout
	top            float64 // of the panels
	height         float64
}

var (
	titleStyle   = style{size: 11, bold: true, mono: true, color: ink}
	headStyle    = style{size: 9, bold: true, color: ink}
	captionStyle = style{size: 9, color: ink}
	labelStyle   = style{size: fontSize, color: ink}
	quietStyle   = style{size: fontSize, color: quiet}
)

const (
	titleLeading   = 14.0
	captionLeading = 11.5
)

func (p *Picture) figure() *figure {
	measure := newPen(nil, 0)
	f := &figure{Picture: p}
	f.title = measure.wrap(titleStyle, figureWidth-2*margin, p.protocol.String())
	f.caption = measure.wrap(captionStyle, figureWidth-2*margin, p.caption())
	f.layout = p.arrange((figureWidth-2*margin-between)/2, true)
	f.top = margin + titleLeading*float64(len(f.title)) + captionLeading*float64(len(f.caption)) + 24
	f.height = f.top + f.layout.height + margin
	return f
}

func (f *figure) draw(p *pen) {
	var page vg.Path
	p.rect(&page, 0, 0, figureWidth, f.height)
	p.fill(page, white)

	y := margin
	for _, line := range f.title {
		y += titleLeading
		p.text(margin, y-4, 0, titleStyle, line)
	}
	for _, line := range f.caption {
		y += captionLeading
		p.text(margin, y-2, 0, captionStyle, line)
	}
	left, right := margin, margin+f.layout.width+between
	p.text(left+f.layout.width/2, f.top-8, 0.5, headStyle, "before")
	p.text(right+f.layout.width/2, f.top-8, 0.5, headStyle, "after")
	f.panel(p, f.layout, left, f.top, false)
	f.panel(p, f.layout, right, f.top, true)
	if f.lettered() {
		f.letters(p, f.layout, left, f.top, false)
		f.letters(p, f.layout, right, f.top, true)
	}
	p.arrow(left+f.layout.width+10, f.top+f.layout.height*0.45, between-20, quiet)
}

// arrow draws an arrow to the right.
func (p *pen) arrow(x, y, length float64, c color.Color) {
	var shaft, head vg.Path
	p.segment(&shaft, x, y, x+length-4, y)
	p.polygon(&head, [2]float64{x + length, y}, [2]float64{x + length - 6, y - 3}, [2]float64{x + length - 6, y + 3})
	p.stroke(shaft, 1.3, c)
	p.fill(head, c)
}

// panel draws the cells before or after the event, with the panel's upper left
// corner at (x0, y0). What has one colour is one path: files stay small.
func (p *Picture) panel(pen *pen, l layout, x0, y0 float64, after bool) {
	backgrounds, fills := newFills(), newFills()
	var wires, lines, edges, halo vg.Path

	for _, w := range l.wires {
		pen.segment(&wires, x0+w[0], y0+w[1], x0+w[2], y0+w[3])
	}
	pen.stroke(wires, 0.35, wire)

	for _, g := range l.grids {
		x, y := x0+g.x, y0+g.y
		at := func(r, c int) color.RGBA { return p.colour(p.content(g.first+r*g.cols+c, after)) }
		// The most frequent colour is one rectangle behind the others.
		background, most := at(0, 0), 0
		count := make(map[color.RGBA]int)
		for r := range g.rows {
			for c := range g.cols {
				q := at(r, c)
				count[q]++
				if count[q] > most {
					background, most = q, count[q]
				}
			}
		}
		pen.rect(backgrounds.path(background), x, y, float64(g.cols)*g.side, float64(g.rows)*g.side)
		for r := range g.rows {
			for c := 0; c < g.cols; {
				end := c + 1
				for end < g.cols && at(r, end) == at(r, c) {
					end++
				}
				if at(r, c) == background {
					c = end
					continue
				}
				pen.rect(fills.path(at(r, c)), x+float64(c)*g.side, y+float64(r)*g.side, float64(end-c)*g.side, g.side)
				c = end
			}
		}
		w, h := float64(g.cols)*g.side, float64(g.rows)*g.side
		for r := 1; r < g.rows; r++ {
			pen.segment(&lines, x, y+float64(r)*g.side, x+w, y+float64(r)*g.side)
		}
		for c := 1; c < g.cols; c++ {
			pen.segment(&lines, x+float64(c)*g.side, y, x+float64(c)*g.side, y+h)
		}
		p.outline(pen, &edges, g, x, y, after)
	}
	for _, d := range l.discs {
		k := p.content(d.cell, after)
		r := d.r
		if d.scaled {
			r *= scale[k]
		}
		pen.circle(fills.path(p.colour(k)), x0+d.x, y0+d.y, r)
		if p.party[k] != stay {
			pen.circle(&edges, x0+d.x, y0+d.y, r)
		} else {
			pen.circle(&halo, x0+d.x, y0+d.y, r)
		}
	}
	for _, s := range l.spins {
		k := p.content(s.cell, after)
		points := arrowShape(x0+s.x, y0+s.y, s.angle, s.length*scale[k], s.length*0.1)
		pen.polygon(fills.path(p.colour(k)), points...)
		if p.party[k] != stay {
			pen.polygon(&edges, points...)
		} else {
			pen.polygon(&halo, points...)
		}
	}
	backgrounds.draw(pen)
	fills.draw(pen)
	pen.stroke(lines, 0.5, white)
	pen.stroke(halo, 0.4, wire)
	pen.stroke(edges, 0.9, ink)

	for _, t := range l.labels {
		s := labelStyle
		if t.quiet {
			s = quietStyle
		}
		pen.text(x0+t.x, y0+t.y, 0.5, s, t.text)
	}
}

// lettered tells whether the cells that moved need letters to tell the swaps
// apart: several swaps of single cells.
func (p *Picture) lettered() bool {
	n := p.protocol.N
	return (n.All || n.Value > 1 || n.Batch) && !strings.Contains(p.protocol.Code, "A") && p.orbits > 1 && p.orbits <= 26
}

// letters marks the cells that moved, in grids and discs, with a letter for each
// swap.
func (p *Picture) letters(pen *pen, l layout, x0, y0 float64, after bool) {
	mark := func(cell int, x, y float64) {
		k := p.content(cell, after)
		s := style{size: fontSize, bold: true, color: white}
		switch p.party[k] {
		case stay:
			return
		case second:
			s.color = ink
		}
		if p.protocol.Target == swap.Features || p.protocol.Target == swap.Params {
			s.bold = false // small cells
		}
		pen.text(x0+x, y0+y+2.5, 0.5, s, string(rune('a'+p.orbit[k])))
	}
	for _, g := range l.grids {
		for k := range g.rows * g.cols {
			mark(g.first+k, g.x+(float64(k%g.cols)+0.5)*g.side, g.y+(float64(k/g.cols)+0.5)*g.side)
		}
	}
	for _, d := range l.discs {
		mark(d.cell, d.x, d.y)
	}
}

// outline draws round the cells of a grid that hold what moved. No line divides
// two cells that moved together.
func (p *Picture) outline(pen *pen, edges *vg.Path, g grid, x, y float64, after bool) {
	key := func(r, c int) step {
		if r < 0 || c < 0 || r >= g.rows || c >= g.cols {
			return step{}
		}
		return p.step(p.content(g.first+r*g.cols+c, after))
	}
	// Each line of the grid, in pieces as long as possible.
	for r := 0; r <= g.rows; r++ {
		run(g.cols, func(c int) bool { return key(r-1, c) != key(r, c) }, func(from, to int) {
			pen.segment(edges, x+float64(from)*g.side, y+float64(r)*g.side, x+float64(to)*g.side, y+float64(r)*g.side)
		})
	}
	for c := 0; c <= g.cols; c++ {
		run(g.rows, func(r int) bool { return key(r, c-1) != key(r, c) }, func(from, to int) {
			pen.segment(edges, x+float64(c)*g.side, y+float64(from)*g.side, x+float64(c)*g.side, y+float64(to)*g.side)
		})
	}
}

// A step is how a cell moved: from block to block, so many rows and columns. It
// is zero for those that stayed.
type step struct{ moved, from, to, rows, cols int }

// step is equal for cells that moved together.
func (p *Picture) step(k int) step {
	if p.party[k] == stay {
		return step{}
	}
	to := slices.Index(p.origin, k)
	i, j := p.block(k), p.block(to)
	a, b := p.blocks[i], p.blocks[j]
	return step{1, i, j, (to-b.first)/b.cols - (k-a.first)/a.cols, (to-b.first)%b.cols - (k-a.first)%a.cols}
}

// run calls f for each longest interval of [0, n) on which is holds.
func run(n int, is func(int) bool, f func(from, to int)) {
	for i := 0; i < n; i++ {
		if !is(i) {
			continue
		}
		from := i
		for i < n && is(i) {
			i++
		}
		f(from, i)
	}
}

// fills collects areas by colour, in the order in which colours first appear.
type fills struct {
	paths map[color.RGBA]*vg.Path
	order []color.RGBA
}

func newFills() *fills { return &fills{paths: make(map[color.RGBA]*vg.Path)} }

func (f *fills) path(c color.RGBA) *vg.Path {
	if f.paths[c] == nil {
		f.paths[c] = new(vg.Path)
		f.order = append(f.order, c)
	}
	return f.paths[c]
}

func (f *fills) draw(p *pen) {
	for _, c := range f.order {
		p.fill(*f.paths[c], c)
	}
}

// arrowShape is an arrow of a given length about (x, y), w thick.
func arrowShape(x, y, angle, length, w float64) [][2]float64 {
	sin, cos := math.Sincos(angle)
	head := math.Min(2.4*w, length/2)
	var out [][2]float64
	for _, q := range [][2]float64{
		{-length / 2, -w / 2}, {length/2 - head, -w / 2}, {length/2 - head, -1.35 * w}, {length / 2, 0},
		{length/2 - head, 1.35 * w}, {length/2 - head, w / 2}, {-length / 2, w / 2},
	} {
		out = append(out, [2]float64{x + q[0]*cos - q[1]*sin, y + q[0]*sin + q[1]*cos})
	}
	return out
}
