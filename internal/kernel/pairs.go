package kernel

import "math"

// A Particle has its place as fractions of a periodic box, in units of 2^-32 of its
// side, so that differences wrap around as the box does. Sixteen bytes: four to a cache line.
type Particle struct {
	X [3]int32
	S float32 // diameter
}

// Nowhere is a particle that interacts with none.
func Nowhere() Particle { return Particle{S: float32(math.NaN())} }

// Pairs estimates sums of pair energies of particles of diameters a and b at distance r, as
// functions of
//
//	q = (r/s)^2,  s = (a+b)/2 (1 - epsilon |a-b|)
//
// in single precision: enough to decide nearly every trial of a Monte Carlo
// simulation. The rest, too close to call, is for whoever has double precision.
//
// A list names the neighbours of a particle, at least one. It has room for a multiple of 16, and up to
// the next multiple of 8 there are others, which are counted too: what does not interact, such as [Nowhere].
type Pairs struct {
	// What the kernels read, eight lanes each: the cut-off, epsilon/2 and 1/2 in the unit of places, four
	// numbers of the pair energy, and 1; of Lennard and Jones's, for a particle that is large and for one that is small.
	constants [2]*[8][8]float32
	bound     float32 // above it a particle is large
	lennard   bool
}

// NewRepulsion returns the estimates of
//
//	v = q^-6 + c0 + c2 q + c4 q^2    for q < cut, else 0
//
// or nil if this machine has none. The unit of places is 2^-32 of the side of the box.
func NewRepulsion(cut, epsilon, c0, c2, c4, unit float64) *Pairs {
	if active.pairs.moved == nil {
		return nil
	}
	k := constants(cut, epsilon, unit, c0, c2, c4, 0)
	return &Pairs{constants: [2]*[8][8]float32{k, k}}
}

// NewLennardJones returns the estimates of
//
//	v = e (4 q^-6 - 4 q^-3 + c0)    for q < cut, else 0
//
// or nil if this machine has none. The strength e of a pair is the entry of its number of large particles, whose
// diameters are above bound.
func NewLennardJones(cut, epsilon, c0 float64, strengths [3]float64, bound, unit float64) *Pairs {
	if active.pairs.movedLennard == nil {
		return nil
	}
	of := func(large int) *[8][8]float32 {
		return constants(cut, epsilon, unit, c0/4, bound, 4*strengths[large+1], 4*strengths[large])
	}
	return &Pairs{constants: [2]*[8][8]float32{of(1), of(0)}, bound: float32(bound), lennard: true}
}

func constants(cut, epsilon, unit float64, c ...float64) *[8][8]float32 {
	k := new([8][8]float32)
	for i, x := range append([]float64{cut, epsilon / (2 * unit), 1 / (2 * unit)}, append(c, 1)...) {
		for lane := range k[i] {
			k[i][lane] = float32(x)
		}
	}
	return k
}

// of returns the constants for a particle of diameter a.
func (p *Pairs) of(a float32) *float32 {
	if a > p.bound {
		return &p.constants[0][0][0]
	}
	return &p.constants[1][0][0]
}

// Moved estimates by how much the energy of particle i with its neighbours would change if it
// were at x; doubt bounds the error.
func (p *Pairs) Moved(particles []Particle, list []int32, i int, x *[3]int32) (change, doubt float64) {
	self := &particles[i]
	if p.lennard {
		before, after, most := active.pairs.movedLennard(p.of(self.S), &particles[0].X[0], &list[0], len(list), &self.X[0], &x[0])
		return float64(after - before), lennardDoubt(most, len(list))
	}
	before, after := active.pairs.moved(&p.constants[0][0][0], &particles[0].X[0], &list[0], len(list), &self.X[0], &x[0])
	return float64(after - before), repulsionDoubt(before, after, len(list))
}

// Resized estimates by how much the energy of particle i with its neighbours, but for the
// particle except, would change with diameter a; doubt bounds the error. Of a repulsion
// where the change is more than enough it may be the sum over the first part of the list only: for a
// particle that grows, the rest makes the change larger still.
func (p *Pairs) Resized(particles []Particle, list []int32, i int, a float32, except int, enough float32) (change, doubt float64) {
	self := &particles[i]
	if p.lennard {
		before, after, most := active.pairs.resizedLennard(p.of(self.S), p.of(a), &particles[0].X[0], &list[0], len(list), &self.X[0], a, int32(except))
		return float64(after - before), lennardDoubt(most, len(list))
	}
	before, after := active.pairs.resized(&p.constants[0][0][0], &particles[0].X[0], &list[0], len(list), &self.X[0], a, int32(except), enough)
	return float64(after - before), repulsionDoubt(before, after, len(list))
}

// repulsionDoubt bounds the error of the difference of two estimates over n neighbours: 7.5e-6
// of q^-6, as roundings of r^2 and s^2 add up, and that of c0 + c2 q + c4 q^2, taken as of order 1.
func repulsionDoubt(before, after float32, n int) float64 {
	return 1e-5*(float64(before)+float64(after)) + 2e-5*float64(n)
}

// lennardDoubt is the same where the terms of q^-6 and q^-3 are at most so much in all; c0 is small.
func lennardDoubt(most float32, n int) float64 { return 1e-5*float64(most) + 1e-6*float64(n) }

// pairKernels are the loops of Pairs, nil where there are none.
type pairKernels struct {
	moved          func(p *float32, particles, list *int32, n int, self, x *int32) (before, after float32)
	resized        func(p *float32, particles, list *int32, n int, self *int32, a float32, except int32, enough float32) (before, after float32)
	movedLennard   func(p *float32, particles, list *int32, n int, self, x *int32) (before, after, most float32)
	resizedLennard func(p, q *float32, particles, list *int32, n int, self *int32, a float32, except int32) (before, after, most float32)
	prefetch       func(at0, at1, at2, at3, at4, at5 *int32)
	prefetchEach   func(x *byte, size int, list *int32, n int)
	within         func(columns *int32, room, n int, of, butOf *int32, in, out float32, found *int32) (count int)
}
