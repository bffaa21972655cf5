package glass

import (
	"cmp"
	"slices"
)

// Lifted is a swap that breaks detailed balance. One particle is active and climbs: it
// takes the diameter that is k ranks larger than its own, from the particle that has it,
// with Metropolis' probability. If that is refused, the other particle, the one in the way,
// becomes active instead. Ranks go round: after the largest comes the smallest.
//
//	rank      r        r + k                 accepted: i is active, k ranks up
//	diameter  s_i  ->  s_j     i takes s_j <
//	                                         refused: j is active
//
// Global balance (k given; the activity is uniform over particles): into the state
// (C, i) flow pi(C') min(1, pi(C)/pi(C')) from C', where i and the particle k ranks below
// it, j, are exchanged, and pi(C) (1 - min(1, pi(C')/pi(C))) from (C, j), whose proposal C'
// was refused; the sum is pi(C). So each particle's diameter moves in one direction for a while,
// instead of diffusing: Ghimenti, Berthier and van Wijland, Phys. Rev. Lett. 133, 028202, 2024,
// for hard disks; Nishikawa, Ghimenti, Berthier and van Wijland, arXiv:2501.09932, for soft spheres.
//
// K is the largest step in ranks; steps are uniform from 1 to K. Rank follows the
// diameter, and equal diameters the particle's number at the start.
type Lifted struct {
	K int
}

// local is false: ranks are those of the whole system.
func (m *Lifted) local() bool { return false }

func (m *Lifted) draw(s *System, w *worker, t *trial) {
	t.i, t.k = s.active, s.active // as far as is known yet
	t.step[0] = 1
	if m.K > 1 && len(s.particles) > 2 {
		t.step[0] += int32(w.index(min(m.K, len(s.particles)-1)))
	}
	t.limit = w.limit(s)
}

func (m *Lifted) try(s *System, _ *worker, t *trial) bool {
	n := len(s.particles)
	if n < 2 {
		return false
	}
	i := s.active
	k := int(s.ranked[(int(s.rank[i])+int(t.step[0]))%n])
	if s.tryExchange(i, k, t.limit) {
		return true
	}
	s.active = k
	return false
}

// rankDiameters sorts the particles by diameter, as Lifted needs it.
func (s *System) rankDiameters() {
	n := len(s.particles)
	s.rank, s.ranked = make([]int32, n), make([]int32, n)
	for i := range s.ranked {
		s.ranked[i] = int32(i)
	}
	slices.SortStableFunc(s.ranked, func(a, b int32) int { return cmp.Compare(s.particles[a].S, s.particles[b].S) })
	for r, i := range s.ranked {
		s.rank[i] = int32(r)
	}
}
