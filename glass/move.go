package glass

import "fmt"

// A Move is a way to propose another state. A trial either changes the system or
// leaves it as it is, such that the Boltzmann distribution stays as it is. A
// new move is a type with three methods, in a file of its own: [Displacement] and [Swap]
// obey detailed balance, [Lifted] global balance only.
type Move interface {
	// draw draws the random numbers of a trial, maybe some trials before it is made.
	draw(s *System, w *worker, t *trial)
	// try makes the trial and tells whether it was accepted.
	try(s *System, w *worker, t *trial) bool
	// local tells whether the move may be made in a domain: whether it changes only particles that it has from
	// [worker.pick], moves them nowhere but where [worker.holds], and is right for these particles alone, all
	// others being at rest.
	local() bool
}

// A Weighted move is chosen for a trial with probability P.
type Weighted struct {
	Move
	P float64
	Tally
}

// A Tally counts trials.
type Tally struct{ Proposed, Accepted int64 }

func (t *Tally) add(u Tally) { t.Proposed, t.Accepted = t.Proposed+u.Proposed, t.Accepted+u.Accepted }

// Rate is the fraction that was accepted, NaN of none.
func (t Tally) Rate() float64 { return float64(t.Accepted) / float64(t.Proposed) }

func checkMoves(moves []Weighted) error {
	sum := 0.0
	for _, m := range moves {
		if !(m.P >= 0 && m.P <= 1) {
			return fmt.Errorf("probability %g of a move: want 0 to 1", m.P)
		}
		sum += m.P
	}
	if sum > 1+1e-12 {
		return fmt.Errorf("moves with probabilities of %g in all: want at most 1", sum)
	}
	return nil
}

// limit draws by how much the energy may change in a trial that is accepted: x with
// probability exp(-x/T), which is the rule of Metropolis et al., J. Chem. Phys. 21, 1087, 1953.
func (w *worker) limit(s *System) float64 { return s.temperature * w.random.ExpFloat64() }

// uniform draws from [0, 1).
func (w *worker) uniform() float64 { return float64(w.random.Uint64()>>11) / (1 << 53) }

// index draws a number below n, n < 2^32.
func (w *worker) index(n int) int { return int((w.random.Uint64() >> 32) * uint64(n) >> 32) }

// pick draws a particle. In a small system its list is looked at, for nothing, so that it is on its way to the processor while the rest of
// the trial is drawn; in a large one it would come from memory, and be waited for.
func (w *worker) pick(s *System) int {
	if w.members != nil {
		return int(w.members[w.index(len(w.members))])
	}
	i := w.index(len(s.particles))
	if l := &s.lists; len(s.particles) <= crowded {
		w.seen = l.entries[i*l.stride] + int32(l.heads[i].class)
	}
	return i
}
