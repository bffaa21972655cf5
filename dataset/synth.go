package dataset

import (
	"math"
	"runtime"
	"strconv"
	"sync"

	"swapmc/internal/rng"
)

// SynthOptions says how many images to make. Zero counts stand for 5000 and 1000.
type SynthOptions struct {
	Train, Test int
	Seed        uint64
}

var synthClasses = []string{
	"striped disc", "striped square", "striped triangle", "striped ring", "striped cross",
	"dotted disc", "dotted square", "dotted triangle", "dotted ring", "dotted cross",
}

// Synth makes images of 3 x 32 x 32 in ten classes: a disc, square, triangle,
// ring or cross, striped or dotted, in a colour that is typical of the class but
// not its own. Place, size, angle, light, background, clutter and noise vary,
// so that neither colour nor shape nor texture is enough by itself. Every image has
// a random stream of its own: a smaller set is the beginning of a larger one.
func Synth(opt SynthOptions) *Set {
	if opt.Train == 0 {
		opt.Train = 5000
	}
	if opt.Test == 0 {
		opt.Test = 1000
	}
	shape := Shape{3, 32, 32}
	return NewSet("synth", shape, synthClasses,
		synthSplit("train", opt.Train, opt.Seed, shape), synthSplit("test", opt.Test, opt.Seed, shape))
}

func synthSplit(name string, n int, seed uint64, shape Shape) Split {
	n = max(0, n)
	s := Split{Images: make([]uint8, n*shape.Len()), Labels: make([]uint8, n)}
	workers := runtime.GOMAXPROCS(0)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < n; i += workers {
				r := rng.New(seed, "synth/"+name+"/"+strconv.Itoa(i))
				s.Labels[i] = uint8(r.IntN(len(synthClasses)))
				p := newPainter(r)
				p.background()
				p.clutter()
				p.figure(int(s.Labels[i]))
				p.develop(s.Images[i*shape.Len():][:shape.Len()])
			}
		})
	}
	wait.Wait()
	return s
}

type colour [3]float64

// A painter paints one image in linear values of [0, 1].
type painter struct {
	*rng.Stream
	pixel [32][32]colour
}

func newPainter(r *rng.Stream) *painter { return &painter{Stream: r} }

func (p *painter) uniform(lo, hi float64) float64 { return lo + (hi-lo)*p.Float64() }

// hue returns a saturated colour of a hue in turns.
func (p *painter) hue(turns, saturation, value float64) colour {
	var c colour
	for k := range c {
		c[k] = value * (1 - saturation/2*(1-math.Cos(2*math.Pi*(turns-float64(k)/3))))
	}
	return c
}

func (p *painter) anyColour() colour {
	return p.hue(p.Float64(), p.uniform(0, 0.7), p.uniform(0.2, 0.9))
}

// background is a gradient between two colours with a slow wave on it.
func (p *painter) background() {
	from, to := p.anyColour(), p.anyColour()
	angle, phase, wave := p.uniform(0, 2*math.Pi), p.uniform(0, 2*math.Pi), p.uniform(0, 0.15)
	cos, sin := math.Cos(angle), math.Sin(angle)
	for y := range p.pixel {
		for x := range p.pixel[y] {
			u := (cos*(float64(x)-15.5) + sin*(float64(y)-15.5)) / 22
			t := (1+u)/2 + wave*math.Sin(6*(sin*float64(x)-cos*float64(y))/16+phase)
			for k := range from {
				p.pixel[y][x][k] = from[k] + (to[k]-from[k])*t
			}
		}
	}
}

// clutter puts a few soft spots of any colour behind the figure.
func (p *painter) clutter() {
	for range 1 + p.IntN(3) {
		c, cx, cy, radius, strength := p.anyColour(), p.uniform(0, 32), p.uniform(0, 32), p.uniform(2, 6), p.uniform(0.4, 0.9)
		p.blend(func(x, y float64) float64 {
			return strength * soft(radius-math.Hypot(x-cx, y-cy))
		}, func(_, _ float64) colour { return c })
	}
}

// figure paints the shape and texture of a class.
func (p *painter) figure(class int) {
	shape, dotted := class%5, class >= 5
	hue := float64((class*3)%10)/10 + 0.11*p.NormFloat64()
	light := p.hue(hue, p.uniform(0.5, 1), p.uniform(0.6, 1))
	dark := p.hue(hue+0.08*p.NormFloat64(), p.uniform(0.3, 1), p.uniform(0.1, 0.5))
	cx, cy, size := p.uniform(10, 22), p.uniform(10, 22), p.uniform(6.5, 11)
	angle := p.uniform(0, 2*math.Pi)
	period, phaseU, phaseV := p.uniform(3, 5), p.uniform(0, 2*math.Pi), p.uniform(0, 2*math.Pi)
	grain := p.uniform(0, 2*math.Pi)
	opaque := p.uniform(0.65, 1)
	turn := func(x, y, a float64) (float64, float64) {
		c, s := math.Cos(a), math.Sin(a)
		return c*(x-cx) + s*(y-cy), c*(y-cy) - s*(x-cx)
	}
	p.blend(func(x, y float64) float64 {
		u, v := turn(x, y, angle)
		return opaque * soft(inside(shape, u, v, size))
	}, func(x, y float64) colour {
		u, v := turn(x, y, grain)
		t := math.Sin(2*math.Pi*u/period + phaseU)
		if dotted {
			t = 1.4*t*math.Sin(2*math.Pi*v/period+phaseV) + 0.2
		}
		if t > 0 {
			return light
		}
		return dark
	})
}

// inside returns how far a point is inside a shape about the origin, in pixels;
// negative outside.
func inside(shape int, u, v, size float64) float64 {
	switch shape {
	case 0: // disc
		return size - math.Hypot(u, v)
	case 1: // square
		return 0.88*size - max(math.Abs(u), math.Abs(v))
	case 2: // triangle
		return 0.62*size - max(v, -v/2+0.866*u, -v/2-0.866*u)
	case 3: // ring
		return 0.28*size - math.Abs(math.Hypot(u, v)-0.75*size)
	default: // cross
		a, b := math.Abs(u), math.Abs(v)
		return max(min(1.05*size-a, 0.33*size-b), min(1.05*size-b, 0.33*size-a))
	}
}

// soft is the coverage of a pixel whose centre lies so far inside an edge.
func soft(inside float64) float64 { return min(1, max(0, inside+0.5)) }

func (p *painter) blend(cover func(x, y float64) float64, paint func(x, y float64) colour) {
	for y := range p.pixel {
		for x := range p.pixel[y] {
			a := cover(float64(x), float64(y))
			if a <= 0 {
				continue
			}
			c := paint(float64(x), float64(y))
			for k := range c {
				p.pixel[y][x][k] += a * (c[k] - p.pixel[y][x][k])
			}
		}
	}
}

// develop adds light, contrast and noise and rounds to bytes, plane by plane.
func (p *painter) develop(image []uint8) {
	contrast, light := p.uniform(0.5, 1.1), p.uniform(-0.15, 0.15)
	noise := p.uniform(0.02, 0.10)
	for y := range p.pixel {
		for x := range p.pixel[y] {
			grey := noise * p.NormFloat64() // mostly common to the channels, as in photographs
			for k, v := range p.pixel[y][x] {
				v = 0.5 + contrast*(v-0.5) + light + grey + 0.4*noise*p.NormFloat64()
				image[k*32*32+y*32+x] = uint8(math.Round(255 * min(1, max(0, v))))
			}
		}
	}
}
