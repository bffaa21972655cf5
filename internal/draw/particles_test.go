package draw

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"
)

// What the walls cut off a disc is on the other side: its images have its area, together.
func TestCutKeepsTheArea(t *testing.T) {
	const side = 100.0
	for _, d := range [][3]float64{{50, 50, 20}, {0, 50, 20}, {95, 3, 20}, {0, 0, 30}, {99, 60, 49}} {
		total, n := 0.0, 0
		for dx := -1.0; dx <= 1; dx++ {
			for dy := -1.0; dy <= 1; dy++ {
				points := cut(d[0]+dx*side, d[1]+dy*side, d[2], side)
				n = max(24, int(6*math.Sqrt(d[2]))*4)
				for i, p := range points {
					q := points[(i+1)%len(points)]
					total += (p[0]*q[1] - q[0]*p[1]) / 2
					if min(p[0], p[1]) < 0 || max(p[0], p[1]) > side {
						t.Errorf("disc %v: corner %v outside", d, p)
					}
				}
			}
		}
		want := float64(n) / 2 * d[2] * d[2] * math.Sin(2*math.Pi/float64(n)) // of a polygon
		if math.Abs(total-want) > 1e-6*want {
			t.Errorf("disc %v: area %g, want %g", d, total, want)
		}
	}
}

// pixel returns the colour of the picture at a place of the box.
func pixel(m image.Image, f *box, x, y float64) color.RGBA {
	unit := f.side / f.Side
	scale := float64(m.Bounds().Dx()) / figureWidth
	r, g, b, a := m.At(int((margin+x*unit)*scale), int((margin+f.side-y*unit)*scale)).RGBA()
	return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), uint8(a >> 8)}
}

func TestParticlesPicture(t *testing.T) {
	empty := rgb(0xF6F6F8)
	var kinds []float64 // more than few
	for i := range 10 {
		kinds = append(kinds, 0.8+0.1*float64(i))
	}
	flat := &Particles{Dim: 2, Side: 10, Diameters: kinds, Caption: "Some discs."}
	flat.Places = [][3]float64{{2, 2}, {0.1, 5}, {4, -0.1}, {14, 6}, {6, 2}, {6, 4}, {6, 6}, {8, 8}, {8, 4}, {3.5, 8}}
	deep := &Particles{Dim: 3, Side: 6, Diameters: []float64{1, 1, 1.4, 1}, Caption: "Some spheres."}
	deep.Places = [][3]float64{{2, 2, 3}, {4, 4, 0.5}, {2, 4, 2.5}, {2, 4, 3.5}}
	drawn := map[*Particles]image.Image{}
	for _, p := range []*Particles{flat, deep} {
		var b bytes.Buffer
		if err := p.PNG(&b); err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		drawn[p] = m
	}
	for _, c := range []struct {
		p     *Particles
		at    [2]float64
		holds int // particle, -1 for none
	}{
		{flat, [2]float64{2, 2}, 0},
		{flat, [2]float64{2, 2.35}, 0},
		{flat, [2]float64{2, 2.45}, -1},
		{flat, [2]float64{0.2, 5}, 1},
		{flat, [2]float64{9.8, 5}, 1}, // through the wall
		{flat, [2]float64{9.5, 5}, -1},
		{flat, [2]float64{4, 9.8}, 2}, // brought in
		{flat, [2]float64{4, 0.2}, 2},
		{flat, [2]float64{4, 6}, 3},
		{flat, [2]float64{3.5, 8.8}, 9},
		{deep, [2]float64{2, 2}, 0},
		{deep, [2]float64{4, 4}, -1}, // below the slab
		{deep, [2]float64{2, 4}, 3},  // over the larger one
		{deep, [2]float64{2, 4.6}, 2},
	} {
		f, m := c.p.figure(), drawn[c.p]
		want := empty
		if c.holds >= 0 {
			want = f.colour(c.p.Diameters[c.holds])
		}
		if got := pixel(m, f, c.at[0], c.at[1]); got != want {
			t.Errorf("%d dimensions, at %v: colour %v, want %v of particle %d", c.p.Dim, c.at, got, want, c.holds)
		}
	}
	var svg bytes.Buffer
	if err := flat.SVG(&svg); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(wellFormed(t, svg.Bytes()), " ")
	for _, want := range []string{"diameter", "0.8", "1.6", "Some discs."} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
	svg.Reset()
	if err := deep.SVG(&svg); err != nil {
		t.Fatal(err)
	}
	text = strings.Join(wellFormed(t, svg.Bytes()), " ")
	for _, want := range []string{"1.4", "slab 2.2 thick"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
	if deep.Places[1] != [3]float64{4, 4, 0.5} || flat.Places[3] != [3]float64{14, 6} {
		t.Error("drawing moved particles")
	}
}

// Along the colours lightness grows, so that they order diameters in print without colours too.
func TestColoursGrowLighter(t *testing.T) {
	last := -1.0
	for k := range shades {
		c := along(float64(k) / (shades - 1))
		light := 0.2126*float64(c.R) + 0.7152*float64(c.G) + 0.0722*float64(c.B)
		if light <= last {
			t.Errorf("shade %d: lightness %g after %g", k, light, last)
		}
		last = light
	}
	if along(0) != viridis[0] || along(1) != viridis[len(viridis)-1] || along(7) != along(1) {
		t.Error("ends")
	}
}
