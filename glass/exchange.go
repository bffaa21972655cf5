package glass

import "math"

// Swap exchanges the diameters of two particles, drawn at random: Grigera and Parisi,
// Phys. Rev. E 63, 045102, 2001. Window, if not 0, is the largest difference of two
// diameters that are tried.
type Swap struct {
	Window float64
}

func (m *Swap) try(s *System) bool {
	i, k := s.pick(), s.pick()
	a, b := s.particles[i].S, s.particles[k].S
	if a == b || m.Window > 0 && math.Abs(a-b) > m.Window {
		return false
	}
	if !s.accept(s.exchangeEnergy(i, k)) {
		return false
	}
	s.exchange(i, k)
	return true
}

// exchangeEnergy returns by how much the energy would change, were i and k to exchange
// their diameters. The pair (i, k) itself does not change.
func (s *System) exchangeEnergy(i, k int) float64 {
	if s.particles[i].S > s.particles[k].S {
		i, k = k, i
	}
	p, q := &s.particles[i], &s.particles[k]
	// The one that grows first: hard particles overlap there.
	before, after := s.change(i, &p.X, q.S, k)
	if math.IsInf(after, 1) {
		return after
	}
	b, a := s.change(k, &q.X, p.S, i)
	return after - before + a - b
}

func (s *System) exchange(i, k int) {
	p, q := &s.particles[i], &s.particles[k]
	p.S, q.S = q.S, p.S
	if s.rank != nil {
		s.rank[i], s.rank[k] = s.rank[k], s.rank[i]
		s.ranked[s.rank[i]], s.ranked[s.rank[k]] = int32(i), int32(k)
	}
}
