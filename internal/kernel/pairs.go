package kernel

import "unsafe"

// A Particle has its place as fractions of a periodic box, in units of 2^-32 of its
// side, so that differences wrap around as the box does. Sixteen bytes: four to a cache line.
type Particle struct {
	X [3]int32
	S float32 // diameter
}

// Pairs is a repulsive pair energy of particles of diameters a and b at distance r,
//
//	v = q^-6 + C0 + C2 q + C4 q^2    for q < Cut, else 0
//	q = (r/s)^2,  s = (a+b)/2 (1 - Epsilon |a-b|)
//
// in single precision: enough to decide nearly every trial of a Monte Carlo
// simulation. The rest, too close to call, is for whoever has double precision.
type Pairs struct {
	Cut, Epsilon float32
	C0, C2, C4   float32
	Unit2        float32 // the square of 2^-32 of the side of the box
}

// HavePairs tells whether this machine has the two estimates below.
func HavePairs() bool { return active.moved != nil }

// Moved estimates the energy of a particle with the neighbours in list, and what it
// would be at x. A list has room for a multiple of 16 neighbours.
func (p *Pairs) Moved(particles []Particle, list []int32, i int, x *[3]int32) (before, after float32) {
	if len(list) == 0 {
		return 0, 0
	}
	return active.moved(&p.Cut, &particles[0].X[0], &list[0], len(list), &particles[i].X[0], &x[0])
}

// Resized estimates the energy of a particle with the neighbours in list, but for the
// particle except, and what it would be with diameter a. Where after exceeds before by
// more than enough it may return sums over the first part of the list only: for a
// particle that grows, the rest makes the difference larger still.
func (p *Pairs) Resized(particles []Particle, list []int32, i int, a float32, except int, enough float32) (before, after float32) {
	if len(list) == 0 {
		return 0, 0
	}
	return active.resized(&p.Cut, &particles[0].X[0], &list[0], len(list), &particles[i].X[0], a, int32(except), enough)
}

// Doubt bounds the error of the difference of two estimates over n neighbours: 7.5e-6
// of q^-6, as roundings of r^2 and s^2 add up, and that of c0 + c2 q + c4 q^2, taken as of order 1.
func Doubt(before, after float32, n int) float64 {
	return 1e-5*(float64(before)+float64(after)) + 2e-5*float64(n)
}

// PrefetchEach brings the entries of x that a list names near to the processor. It has no effect but on time.
func PrefetchEach[T any](x []T, list []int32) {
	if active.prefetch != nil && len(list) > 0 {
		active.prefetch((*byte)(unsafe.Pointer(&x[0])), int(unsafe.Sizeof(x[0])), &list[0], len(list))
	}
}

// PrefetchList brings a list near to the processor.
func PrefetchList(list []int32) {
	if active.prefetchLines != nil && len(list) > 0 {
		active.prefetchLines(&list[0], len(list)/16+1)
	}
}

// PrefetchPlace brings a place near to the processor.
func PrefetchPlace(x *[3]int32) {
	if active.prefetchPlace != nil {
		active.prefetchPlace(&x[0])
	}
}
