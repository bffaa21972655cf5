package glass

import "math"

// change returns the energy of particle i with all others as it is, and as it would be at x with
// diameter a. The particle except is left out of both (-1: none).
func (s *System) change(i int, x *[3]int64, a float64, except int) (before, after float64) {
	p := &s.particles[i]
	reach := s.reach(max(p.S, a))
	switch s.Model.pair.form {
	case hard:
		return 0, s.overlap(i, x, a, reach, except)
	case inverse12:
		return s.soft.Change(s.particles, s.lists.of(i), reach, i, x, a, except)
	}
	pair := &s.Model.pair
	for _, e := range s.lists.of(i) {
		if e.D() > reach {
			break
		}
		if e.K() == except {
			continue
		}
		k := &s.particles[e.K()]
		v, _ := pair.energy(s.apart(&p.X, &k.X), p.S, k.S)
		w, _ := pair.energy(s.apart(x, &k.X), a, k.S)
		before += v
		after += w
	}
	return before, after
}

// reach returns how far a particle of diameter a must read its list.
func (s *System) reach(a float64) float32 {
	return float32(s.Model.pair.reach(a, s.smallest, s.largest)+s.lists.skin) * (1 + 1e-6)
}

// overlap returns infinity if particle i, at x with diameter a, overlaps another, and 0 if not.
func (s *System) overlap(i int, x *[3]int64, a float64, reach float32, except int) float64 {
	pair := &s.Model.pair
	for _, e := range s.lists.of(i) {
		if e.D() > reach {
			break
		}
		k := &s.particles[e.K()]
		if size := pair.size(a, k.S); s.apart(x, &k.X) < size*size && e.K() != except {
			return math.Inf(1)
		}
	}
	return 0
}

// pairs sums energy and virial over all pairs, by the lists.
func (s *System) pairs() (energy, virial float64) {
	for i := range s.particles {
		p := &s.particles[i]
		reach := s.reach(p.S)
		var v, w float64
		for _, e := range s.lists.of(i) {
			if e.D() > reach {
				break
			}
			k := &s.particles[e.K()]
			dv, dw := s.Model.pair.energy(s.apart(&p.X, &k.X), p.S, k.S)
			v += dv
			w += dw
		}
		energy += v / 2
		virial += w / 2
	}
	return energy, virial
}
