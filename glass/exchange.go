package glass

import "math"

// Swap exchanges the diameters of two particles, drawn at random: Grigera and Parisi,
// Phys. Rev. E 63, 045102, 2001. Window, if not 0, is the largest difference of two
// diameters that are tried.
type Swap struct {
	Window float64
}

func (m *Swap) local() bool { return true }

func (m *Swap) draw(s *System, w *worker, t *trial) {
	t.i, t.k = w.pick(s), w.pick(s)
	t.limit = w.limit(s)
}

func (m *Swap) try(s *System, _ *worker, t *trial) bool {
	a, b := s.particles[t.i].S, s.particles[t.k].S
	if a == b || m.Window > 0 && math.Abs(float64(a-b)) > m.Window {
		return false
	}
	return s.tryExchange(t.i, t.k, t.limit)
}

// tryExchange exchanges the diameters of two particles unless the energy would
// change by more than limit.
func (s *System) tryExchange(i, k int, limit float64) bool {
	change := s.exchanged(i, k, limit)
	if change.unclear(limit) {
		change.by = s.exchangedExactly(i, k)
	}
	if change.by > limit {
		return false
	}
	s.exchange(i, k)
	return true
}

// exchanged returns by how much the energy would change, were i and k to exchange
// their diameters, or anything above limit if it is more than that. The pair (i, k) itself
// does not change.
func (s *System) exchanged(i, k int, limit float64) change {
	if s.particles[i].S > s.particles[k].S {
		i, k = k, i
	}
	if s.estimates == nil {
		// The one that grows first: hard particles overlap there.
		grown := s.resizedExactly(i, k)
		if math.IsInf(grown, 1) {
			return change{by: grown}
		}
		return change{by: grown + s.resizedExactly(k, i)}
	}
	// The one that shrinks first: what it gains is the most that the other may cost, and its
	// nearest neighbours mostly cost more.
	shrunk := s.resized(k, i, math.Inf(1))
	const clear = 0.05 // more than any doubt
	grown := s.resized(i, k, limit-shrunk.by+clear)
	return change{grown.by + shrunk.by, grown.doubt + shrunk.doubt}
}

func (s *System) exchangedExactly(i, k int) float64 {
	return s.resizedExactly(i, k) + s.resizedExactly(k, i)
}

func (s *System) exchange(i, k int) {
	p, q := &s.particles[i], &s.particles[k]
	p.S, q.S = q.S, p.S
	a, b := &s.lists.heads[i], &s.lists.heads[k]
	a.class, b.class = b.class, a.class
	if s.rank != nil {
		s.rank[i], s.rank[k] = s.rank[k], s.rank[i]
		s.ranked[s.rank[i]], s.ranked[s.rank[k]] = int32(i), int32(k)
	}
}
