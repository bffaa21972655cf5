package glass

import (
	"math"
)

// Energies of trials are whole numbers of 2^-36 epsilon: their sums are exact, in any
// order, and so a trajectory does not depend on neighbour lists or processors.
const (
	quantum = 1.0 / (1 << 36)
	highest = 1 << 20 // more than that is never accepted, at any temperature of interest
)

// pair returns the energy of two particles.
func (s *System) pair(x, y *[3]int32, a, b float32) int64 {
	v, _ := s.Model.pair.energy(s.apart(x, y), float64(a), float64(b))
	return int64(min(v, highest) * (1 / quantum))
}

// A change of the energy that a trial would make, known to within doubt.
type change struct{ by, doubt float64 }

// unclear tells whether c may be below or above limit.
func (c change) unclear(limit float64) bool { return !(math.Abs(c.by-limit) > c.doubt) && c.doubt != 0 }

// movedExactly returns the change of energy if particle i were at x, within reach of its list.
func (s *System) movedExactly(i int, x *[3]int32) float64 {
	p := &s.particles[i]
	list := s.lists.read(i, i, s.lists.bin(gap(x, &s.lists.heads[i].origin)))
	if s.Model.pair.form == hard {
		return s.overlap(list, x, p.S, -1)
	}
	sum := int64(0)
	for _, e := range list {
		k := &s.particles[e]
		sum += s.pair(x, &k.X, p.S, k.S) - s.pair(&p.X, &k.X, p.S, k.S)
	}
	return float64(sum) * quantum
}

// resized returns the change of energy if particle i took the diameter of particle k,
// their own pair left out, or anything above enough if i grows and it is more than that.
func (s *System) resized(i, k int, enough float64) change {
	if list := s.near(i, k); s.estimates == nil {
		return change{by: s.resizedExactly(i, k)}
	} else if len(list) > 0 {
		by, doubt := s.estimates.Resized(s.particles, list, i, s.particles[k].S, k, float32(enough))
		return change{by, doubt}
	}
	return change{}
}

func (s *System) resizedExactly(i, k int) float64 {
	p, a := &s.particles[i], s.particles[k].S
	list := s.near(i, k)
	if s.Model.pair.form == hard {
		return s.overlap(list, &p.X, a, k)
	}
	sum := int64(0)
	for _, e := range list {
		if int(e) != k {
			o := &s.particles[e]
			sum += s.pair(&p.X, &o.X, a, o.S) - s.pair(&p.X, &o.X, p.S, o.S)
		}
	}
	return float64(sum) * quantum
}

// overlap returns infinity if a particle at x with diameter a overlaps another of the list, and 0 if not.
func (s *System) overlap(list []int32, x *[3]int32, a float32, except int) float64 {
	for _, e := range list {
		k := &s.particles[e]
		if size := s.Model.pair.size(float64(a), float64(k.S)); s.apart(x, &k.X) < size*size && int(e) != except {
			return math.Inf(1)
		}
	}
	return 0
}

// pairs sums energy and virial over all pairs, by the lists, whose order is of no
// account: each particle's share is a sum of whole numbers.
func (s *System) pairs() (energy, virial float64) {
	for i := range s.particles {
		p := &s.particles[i]
		var v, w int64
		for _, e := range s.lists.of(i) {
			k := &s.particles[e]
			dv, dw := s.Model.pair.energy(s.apart(&p.X, &k.X), float64(p.S), float64(k.S))
			if math.IsInf(dv, 1) {
				return dv, 0
			}
			v += whole(dv)
			w += whole(dw)
		}
		energy += float64(v)
		virial += float64(w)
	}
	return energy * (share / 2), virial * (share / 2)
}

// share is the unit of what pairs adds up, so that hundreds of the highest have room in 64 bits.
const share = 1.0 / (1 << 34)

// whole returns x in shares; it is 0 only if x is.
func whole(x float64) int64 {
	switch n := int64(math.RoundToEven(max(-highest, min(x, highest)) / share)); {
	case n == 0 && x > 0:
		return 1
	case n == 0 && x < 0:
		return -1
	default:
		return n
	}
}

// contacts returns how many pairs of hard particles there are at contact, per relative
// distance: n'(0), where n(x) pairs have r < s_ij (1 + x). Swelling all particles by x would
// make n(x) overlaps, so that the pressure is rho T (1 + n'(0)/(d N)). The first three
// bins of a histogram are extrapolated to 0 by a parabola.
func (s *System) contacts() float64 {
	const width = 0.004
	var n [3]float64
	for i := range s.particles {
		p := &s.particles[i]
		for _, e := range s.lists.of(i) {
			k := &s.particles[e]
			size := s.Model.pair.size(float64(p.S), float64(k.S))
			if r2 := s.apart(&p.X, &k.X); r2 < size*size*(1+3*width)*(1+3*width) {
				x := math.Sqrt(r2)/size - 1
				n[min(max(0, int(x/width)), 2)] += 0.5
			}
		}
	}
	return (11*n[0] - 7*n[1] + 2*n[2]) / (6 * width)
}
