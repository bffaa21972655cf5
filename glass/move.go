package glass

import "fmt"

// A Move is a way to propose another state. A trial either changes the system or
// leaves it as it is, such that the Boltzmann distribution stays as it is. A
// new move is a type with two methods, in a file of its own: [Displacement] and [Swap]
// obey detailed balance, [Lifted] global balance only.
type Move interface {
	// draw draws the random numbers of a trial, maybe some trials before it is made.
	draw(s *System, t *trial)
	// try makes the trial and tells whether it was accepted.
	try(s *System, t *trial) bool
}

// A Weighted move is chosen for a trial with probability P.
type Weighted struct {
	Move
	P float64
	Tally
}

// A Tally counts trials.
type Tally struct{ Proposed, Accepted int64 }

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
func (s *System) limit() float64 { return s.temperature * s.random.ExpFloat64() }

// uniform draws from [0, 1).
func (s *System) uniform() float64 { return float64(s.random.Uint64()>>11) / (1 << 53) }

// index draws a number below n, n < 2^32.
func (s *System) index(n int) int { return int((s.random.Uint64() >> 32) * uint64(n) >> 32) }
