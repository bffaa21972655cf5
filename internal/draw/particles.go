package draw

import (
	"cmp"
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Particles is a configuration of particles in a periodic box, which is a square or a cube.
type Particles struct {
	Dim       int // 2 or 3
	Side      float64
	Places    [][3]float64 // the box begins at 0; particles outside it are brought in
	Diameters []float64
	Caption   string // what the particles are
}

// SVG writes a picture of the particles as an SVG file, 5.6 inches wide: discs coloured
// by diameter, cut at the walls, where their periodic images go on. Of three dimensions
// it shows those whose centres are in a slab through the middle.
func (p *Particles) SVG(w io.Writer) error {
	f := p.figure()
	c := vgsvg.New(figureWidth, vg.Length(f.height))
	f.draw(newPen(c, f.height))
	return writeSVG(w, c)
}

// PNG writes the picture as a PNG file, 5.6 inches wide at 300 dots per inch.
func (p *Particles) PNG(w io.Writer) error {
	f := p.figure()
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(figureWidth, vg.Length(f.height)), vgimg.UseDPI(dpi))}
	f.draw(newPen(c, f.height))
	_, err := c.WriteTo(w)
	return err
}

// viridis by Stéfan van der Walt and Nathaniel Smith: lightness grows evenly along it, for all
// kinds of colour vision and in print without colours.
var viridis = []color.RGBA{
	rgb(0x440154), rgb(0x482576), rgb(0x414487), rgb(0x35608D), rgb(0x2A788E), rgb(0x21908C),
	rgb(0x22A884), rgb(0x43BF71), rgb(0x7AD151), rgb(0xBBDF27), rgb(0xFDE725),
}

// shades is how many colours are told apart: what has one colour is one path.
const shades = 96

// along returns the colour at x in [0, 1] of viridis.
func along(x float64) color.RGBA {
	x = math.Round(min(max(x, 0), 1)*(shades-1)) / (shades - 1) * float64(len(viridis)-1)
	i := min(int(x), len(viridis)-2)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + (x-float64(i))*(float64(b)-float64(a)))) }
	a, b := viridis[i], viridis[i+1]
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

// A box is a picture of particles, in points.
type box struct {
	*Particles
	caption           []string
	kinds             []float64 // the diameters, where they are few
	smallest, largest float64
	slab              float64 // thickness, 0 in two dimensions
	side              float64 // of the box
	height            float64
}

const (
	barGap, barWidth, barRoom = 14.0, 12.0, 52.0 // of the colour bar, and for its numbers
	fewKinds                  = 6
)

func (p *Particles) figure() *box {
	f := &box{Particles: p, smallest: slices.Min(p.Diameters), largest: slices.Max(p.Diameters)}
	kinds := slices.Compact(slices.Sorted(slices.Values(p.Diameters)))
	if len(kinds) <= fewKinds {
		f.kinds = kinds
	}
	caption := p.Caption
	if p.Dim == 3 {
		for _, d := range p.Diameters {
			f.slab += 2 * d / float64(len(p.Diameters))
		}
		f.slab = min(f.slab, p.Side)
		caption += fmt.Sprintf(" Shown: those with their centres in a slab %.3g thick through the middle of the box, seen from above.", f.slab)
	}
	f.side = figureWidth - 2*margin - barGap - barWidth - barRoom
	f.caption = newPen(nil, 0).wrap(captionStyle, figureWidth-2*margin, caption)
	f.height = margin + f.side + 8 + captionLeading*float64(len(f.caption)) + margin
	return f
}

// colour returns the colour of a diameter.
func (f *box) colour(d float64) color.RGBA {
	if f.largest == f.smallest {
		return along(0.45)
	}
	x := (d - f.smallest) / (f.largest - f.smallest)
	if f.kinds != nil {
		x = 0.2 + 0.65*x // the ends are glaring where they are all there is
	}
	return along(x)
}

func (f *box) draw(p *pen) {
	var page, area, frame vg.Path
	p.rect(&page, 0, 0, figureWidth, f.height)
	p.fill(page, white)
	p.rect(&area, margin, margin, f.side, f.side)
	p.fill(area, rgb(0xF6F6F8))
	f.discs(p)
	p.rect(&frame, margin, margin, f.side, f.side)
	p.stroke(frame, 0.8, ink)
	f.scale(p)
	y := margin + f.side + 8
	for _, line := range f.caption {
		y += captionLeading
		p.text(margin, y-2, 0, captionStyle, line)
	}
}

// discs draws the particles: in a plane small ones over large ones, in a slab the lowest first.
func (f *box) discs(p *pen) {
	unit := f.side / f.Side
	width := min(0.5, 0.05*f.smallest*unit)
	type ball struct{ x, y, z, d float64 }
	var balls []ball
	for i, x := range f.Places {
		for k := range x {
			x[k] -= f.Side * math.Floor(x[k]/f.Side)
		}
		if f.Dim == 2 {
			x[2] = -f.Diameters[i]
		} else if math.Abs(x[2]-f.Side/2) > f.slab/2 {
			continue
		}
		balls = append(balls, ball{x[0], x[1], x[2], f.Diameters[i]})
	}
	slices.SortStableFunc(balls, func(a, b ball) int { return cmp.Compare(a.z, b.z) })
	var path vg.Path // those that follow each other in one colour
	for i, b := range balls {
		for dx := -1.0; dx <= 1; dx++ {
			for dy := -1.0; dy <= 1; dy++ {
				x, y, r := (b.x+dx*f.Side)*unit, (b.y+dy*f.Side)*unit, b.d/2*unit
				if x+r <= 0 || y+r <= 0 || x-r >= f.side || y-r >= f.side {
					continue
				}
				y = f.side - y // upwards
				if x-r >= 0 && y-r >= 0 && x+r <= f.side && y+r <= f.side {
					p.circle(&path, margin+x, margin+y, r)
				} else if points := cut(x, y, r, f.side); len(points) > 2 {
					for i := range points {
						points[i][0] += margin
						points[i][1] += margin
					}
					p.polygon(&path, points...)
				}
			}
		}
		if i+1 == len(balls) || f.Dim == 3 || f.colour(balls[i+1].d) != f.colour(b.d) {
			p.fill(path, f.colour(b.d))
			p.stroke(path, width, ink)
			path = nil
		}
	}
}

// cut returns the part of a disc that is in the square from 0 to side.
func cut(x, y, r, side float64) [][2]float64 {
	n := max(24, int(6*math.Sqrt(r))*4)
	points := make([][2]float64, n)
	for i := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		points[i] = [2]float64{x + r*cos, y + r*sin}
	}
	// Sutherland and Hodgman: one wall after the other.
	for axis := range 2 {
		for _, wall := range []float64{0, side} {
			inside := func(q [2]float64) bool { return wall == 0 && q[axis] >= 0 || wall != 0 && q[axis] <= wall }
			var kept [][2]float64
			for i, q := range points {
				last := points[(i+len(points)-1)%len(points)]
				if inside(q) != inside(last) {
					t := (wall - last[axis]) / (q[axis] - last[axis])
					at := [2]float64{last[0] + t*(q[0]-last[0]), last[1] + t*(q[1]-last[1])}
					at[axis] = wall
					kept = append(kept, at)
				}
				if inside(q) {
					kept = append(kept, q)
				}
			}
			points = kept
		}
	}
	return points
}

// scale draws the colour bar with its diameters, or a disc of each where they are few.
func (f *box) scale(p *pen) {
	x := margin + f.side + barGap
	p.text(x, margin+7, 0, headStyle, "diameter")
	top, length := margin+18.0, f.side*0.6
	if f.kinds != nil {
		unit := min(f.side/f.Side, 24/f.largest)
		y := top
		for _, d := range slices.Backward(f.kinds) {
			r := d / 2 * unit
			y += r + 2
			var disc, edge vg.Path
			p.circle(&disc, x+f.largest/2*unit, y, r)
			p.circle(&edge, x+f.largest/2*unit, y, r)
			p.fill(disc, f.colour(d))
			p.stroke(edge, 0.5, ink)
			p.text(x+f.largest*unit+6, y+2.8, 0, labelStyle, strconv.FormatFloat(d, 'g', 4, 64))
			y += r + 4
		}
		return
	}
	step := length / shades
	for k := range shades {
		var piece vg.Path
		// Down to the next but one: no seam between them shows.
		end := min(float64(k+2)*step, length)
		p.rect(&piece, x, top+float64(k)*step, barWidth, end-float64(k)*step)
		p.fill(piece, along(1-(float64(k)+0.5)/shades))
	}
	var frame, ticks vg.Path
	p.rect(&frame, x, top, barWidth, length)
	p.stroke(frame, 0.6, ink)
	spacing := even((f.largest - f.smallest) / 4)
	for k := math.Ceil(f.smallest/spacing - 1e-9); k*spacing <= f.largest*(1+1e-12); k++ {
		y := top + length*(1-(k*spacing-f.smallest)/(f.largest-f.smallest))
		p.segment(&ticks, x+barWidth, y, x+barWidth+3, y)
		p.text(x+barWidth+6, y+2.8, 0, labelStyle, strconv.FormatFloat(k*spacing, 'f', max(0, int(math.Ceil(-math.Log10(spacing)-1e-9))), 64))
	}
	p.stroke(ticks, 0.6, ink)
}

// even returns 1, 2 or 5 times a power of ten, the largest that is at most x.
func even(x float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{5, 2} {
		if m*unit <= x*(1+1e-9) {
			return m * unit
		}
	}
	return unit
}
