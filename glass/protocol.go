package glass

import (
	"fmt"
	"math"

	"swapmc/swap"
)

// Moves returns the moves that protocols on diameters stand for, p being the probability
// that a trial is one of them. For lift=true, window= is how far the largest step in rank
// may reach, as a share of the range of diameters; without it, a tenth.
// It reports options that have no meaning for particles, which keep equilibrium only by
// Metropolis' rule at the temperature of the system.
func (s *System) Protocols(list []swap.Protocol) ([]Weighted, error) {
	var moves []Weighted
	for _, p := range list {
		fail := func(format string, args ...any) error {
			return fmt.Errorf("%s: %w", p, fmt.Errorf(format, args...))
		}
		switch {
		case p.Target != swap.Diameters:
			return nil, fail("particles have diameters only: want diameters:S")
		case p.Accept != swap.Metropolis && p.Accept != "":
			return nil, fail("accept=%s would leave equilibrium: want accept=metropolis", p.Accept)
		case p.T != 0 && p.T != s.temperature:
			return nil, fail("T=%g, the system is at %g: want T= away", p.T, s.temperature)
		case p.Every > 1 || p.From != 0 || p.Until != 0 || p.UntilLoss != 0 || p.Ramp != swap.NoRamp || p.N != (swap.Count{}) && p.N != (swap.Count{Value: 1}):
			return nil, fail("swaps of particles are trials among others: want p= to say how many, and no n, every, from, until or ramp")
		case p.P == 0 || p.P == 1:
			return nil, fail("no trial is left to move a particle: want p below 1, such as p=0.2")
		case !(p.P > 0 && p.P < 1):
			return nil, fail("p=%g: want above 0 and below 1", p.P)
		}
		var m Move = &Swap{Window: p.Window.Size}
		if p.Lift {
			share := 0.1
			if p.Window.Size > 0 {
				share = p.Window.Size / (s.largest - s.smallest)
			}
			m = &Lifted{K: int(min(max(1, math.Round(share*float64(len(s.particles)))), float64(len(s.particles))))}
		}
		moves = append(moves, Weighted{Move: m, P: p.P})
	}
	if err := checkMoves(moves); err != nil {
		return nil, err
	}
	return moves, nil
}

// SetMoves replaces the moves besides displacements.
func (s *System) SetMoves(moves []Weighted) error {
	if err := checkMoves(moves); err != nil {
		return fmt.Errorf("glass: %w", err)
	}
	if err := s.mayDivide(moves); err != nil {
		return fmt.Errorf("glass: %w", err)
	}
	s.Moves, s.Displacement.P = moves, 1
	for _, w := range moves {
		s.Displacement.P -= w.P
		if _, ok := w.Move.(*Lifted); ok && s.rank == nil {
			s.rankDiameters()
		}
	}
	s.ResetTallies()
	return nil
}
