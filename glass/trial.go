package glass

import "swapmc/internal/kernel"

// A trial of a move, drawn before the state in which it is made is known.
type trial struct {
	move  *Weighted
	i, k  int      // the particles that it would change; equal if one, or if not known yet
	limit float64  // by how much the energy may change
	step  [3]int32 // of a displacement; of Lifted, in ranks
}

// crowded is a number of particles whose lists exceed a core's own cache.
const crowded = 4000

// ahead and near are how many trials before theirs the heads of the lists of a large system are fetched, and the lists
// themselves, their heads being there by then.
const ahead, near = 8, 4

// trials makes n trials, one after the other. In a large system they are drawn ahead, and what they will read is fetched: memory takes
// longer to come than a trial takes. The order in which numbers are drawn is the same.
func (s *System) trials(n int) {
	drawn, far := 0, 0
	if len(s.particles) > crowded {
		far = ahead
	}
	for done := range n {
		for ; drawn < min(done+far+1, n); drawn++ {
			s.draw(&s.ring[drawn%len(s.ring)])
		}
		if len(s.particles) > crowded && done+near < n {
			s.fetch(&s.ring[(done+near)%len(s.ring)])
		}
		t := &s.ring[done%len(s.ring)]
		t.move.Proposed++
		if t.move.try(s, t) {
			t.move.Accepted++
		}
	}
}

// draw makes the next trial.
func (s *System) draw(t *trial) {
	t.move = &s.Displacement
	if len(s.Moves) > 0 {
		u := s.uniform()
		for i := range s.Moves {
			if u -= s.Moves[i].P; u < 0 {
				t.move = &s.Moves[i]
				break
			}
		}
	}
	t.move.draw(s, t)
	if len(s.particles) > crowded {
		s.fetchHead(t.i)
		if t.k != t.i {
			s.fetchHead(t.k)
		}
	}
}

func (s *System) fetchHead(i int) {
	kernel.PrefetchPlace(&s.lists.heads[i].origin)
	kernel.PrefetchPlace(&s.particles[i].X)
}

// fetch has the lists that a trial reads brought near.
func (s *System) fetch(t *trial) {
	kernel.PrefetchList(s.near(t.i, t.k))
	if t.k != t.i {
		kernel.PrefetchList(s.near(t.k, t.i))
	}
}
