package kernel

import "math"

// A Particle has its place as fractions of a periodic box, in units of 2^-64 of its
// side, so that differences wrap around as the box does.
type Particle struct {
	X [3]int64
	S float64 // diameter
}

// A Neighbour is a particle in another's list and their distance, which is in the
// upper half: lists are sorted as numbers are.
type Neighbour uint64

// Near returns the neighbour k at distance d >= 0.
func Near(k int, d float32) Neighbour {
	return Neighbour(math.Float32bits(d))<<32 | Neighbour(uint32(k))
}

// K returns the number of the particle.
func (n Neighbour) K() int { return int(uint32(n)) }

// D returns the distance.
func (n Neighbour) D() float32 { return math.Float32frombits(uint32(n >> 32)) }

// Pairs is a repulsive pair energy of particles of diameters a and b at distance r,
//
//	v = q^-6 + C0 + C2 q + C4 q^2    for q < Cut, else 0
//	q = (r/s)^2,  s = (a+b)/2 (1 - Epsilon |a-b|)
type Pairs struct {
	Cut, Epsilon float64
	C0, C2, C4   float64
	Unit2        float64 // the square of 2^-64 of the side of the box
}

// Change returns the energy of particle i with the neighbours in list, and what it
// would be at x with diameter a. It reads the list as far as reach, and leaves
// out the particle except (-1: none).
func (p *Pairs) Change(particles []Particle, list []Neighbour, reach float32, i int, x *[3]int64, a float64, except int) (before, after float64) {
	if active.pairs != nil && len(list) > 0 {
		return active.pairs(&p.Cut, &particles[0].X[0], (*uint64)(&list[0]), len(list), reach, &particles[i].X[0], &x[0], a, int32(except))
	}
	return p.change(particles, list, reach, i, x, a, except)
}

func (p *Pairs) change(particles []Particle, list []Neighbour, reach float32, i int, x *[3]int64, a float64, except int) (before, after float64) {
	self := &particles[i]
	b := self.S
	for _, e := range list {
		if e.D() > reach {
			break
		}
		if e.K() == except {
			continue
		}
		k := &particles[e.K()]
		before += p.energy(&self.X, &k.X, b, k.S)
		after += p.energy(x, &k.X, a, k.S)
	}
	return before, after
}

func (p *Pairs) energy(x, y *[3]int64, a, b float64) float64 {
	X, Y, Z := float64(x[0]-y[0]), float64(x[1]-y[1]), float64(x[2]-y[2])
	s := 0.5 * (a + b) * (1 - p.Epsilon*math.Abs(a-b))
	s *= s
	r := (X*X + Y*Y + Z*Z) * p.Unit2
	if r >= p.Cut*s {
		return 0
	}
	q := r / s
	u := 1 / (q * q * q)
	return u*u + p.C0 + q*(p.C2+p.C4*q)
}

// Prefetch brings the particles of a list near to the processor. It has no effect but on time.
func Prefetch(particles []Particle, list []Neighbour) {
	if active.prefetch != nil && len(list) > 0 {
		active.prefetch(&particles[0].X[0], (*uint64)(&list[0]), len(list))
	}
}

// PrefetchList brings the beginning of a list near to the processor.
func PrefetchList(list []Neighbour) {
	if active.prefetchLines != nil && len(list) > 0 {
		active.prefetchLines((*uint64)(&list[0]), len(list)/8+1)
	}
}

// PrefetchPlace brings a place near to the processor.
func PrefetchPlace(x *[3]int64) {
	if active.prefetchPlace != nil {
		active.prefetchPlace(&x[0])
	}
}
