package glass

import (
	"sync"

	"swapmc/internal/kernel"
	"swapmc/internal/rng"
)

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
const ahead, near = 4, 2

// A worker makes trials, one after the other, on all particles or on those of a domain. It has what no two that are at work at once may share.
type worker struct {
	random       *rng.Stream
	displacement *Weighted
	moves        []Weighted       // others
	ring         [2 * ahead]trial // drawn for the next trials; a power of two
	seen         int32            // of no account: see pick
	to, origin   [3]int32         // where a particle is tried, and where an origin follows; here because assembly reads it
	near, found  []int32          // scratch
	in           []uint8          // shells of found
	domain
	copied Weighted      // displacements, where others make them too
	others *sync.RWMutex // held for reading while others may be at work; nil: there are none
	_      [128]byte     // the next worker has cache lines of its own
}

// trials makes n trials on all particles.
func (s *System) trials(n int) {
	w := &s.own
	w.displacement, w.moves = &s.Displacement, s.Moves
	s.work(w, n)
}

// work makes n trials, one after the other.
func (s *System) work(w *worker, n int) {
	if len(s.particles) > crowded {
		s.workAhead(w, n)
		return
	}
	t := &w.ring[0]
	for range n {
		s.draw(w, t)
		s.attempt(w, t)
	}
}

// workAhead is work in a large system. Trials are drawn ahead, and what they will read is fetched: memory takes
// longer to come than a trial takes. The order in which numbers are drawn is the same.
func (s *System) workAhead(w *worker, n int) {
	drawn := 0
	for done := range n {
		for ; drawn < min(done+ahead+1, n); drawn++ {
			t := &w.ring[drawn%len(w.ring)]
			s.draw(w, t)
			s.fetchHeads(t)
		}
		if done+near < n {
			s.fetch(&w.ring[(done+near)%len(w.ring)])
		}
		s.attempt(w, &w.ring[done%len(w.ring)])
	}
}

func (s *System) attempt(w *worker, t *trial) {
	t.move.Proposed++
	if t.move.try(s, w, t) {
		t.move.Accepted++
	}
}

// draw makes the next trial.
func (s *System) draw(w *worker, t *trial) {
	t.move = w.displacement
	if len(w.moves) > 0 {
		u := w.uniform()
		for i := range w.moves {
			if u -= w.moves[i].P; u < 0 {
				t.move = &w.moves[i]
				break
			}
		}
	}
	t.move.draw(s, w, t)
}

// fetchHeads has brought near what leads to the lists that a trial reads.
func (s *System) fetchHeads(t *trial) {
	i, k := &s.particles[t.i].X[0], &s.particles[t.k].X[0]
	kernel.Prefetch(&s.lists.heads[t.i].origin[0], &s.lists.heads[t.k].origin[0], i, k, i, k)
}

// fetch has brought near the lists that a trial reads: their ends and their middles are in all of their cache lines, or all but one.
func (s *System) fetch(t *trial) {
	a := s.near(t.i, t.k)
	b := a
	if t.k != t.i {
		b = s.near(t.k, t.i)
	}
	if len(a) > 0 && len(b) > 0 {
		kernel.Prefetch(&a[0], &a[len(a)/2], &a[len(a)-1], &b[0], &b[len(b)/2], &b[len(b)-1])
	}
}
