package glass

import "fmt"

// settle moves hard particles, placed at random or on a lattice, until none overlap: as
// soft ones, with energy (1 - (r/s)^2)^2 where they do, at a falling temperature, with
// displacements and swaps.
func (s *System) settle() error {
	const sweeps = 4000
	model, displacement, moves, temperature := s.Model, s.Displacement, s.Moves, s.temperature
	defer func() {
		s.Model, s.Displacement, s.Moves, s.temperature, s.sweeps = model, displacement, moves, temperature, 0
	}()
	s.Model.pair.form = harmonic
	s.Displacement = Weighted{Move: &Displacement{Delta: 0.1}, P: 0.8}
	s.Moves = []Weighted{{Move: &Swap{}, P: 0.2}}
	s.temperature = 1e-2
	for range sweeps / 10 {
		if s.Energy() == 0 {
			s.unwrap()
			return nil
		}
		s.Equilibrate(10, 0.4)
		s.temperature *= 0.97
	}
	return fmt.Errorf("glass: %s at packing fraction %.4g: found no state without overlaps: start from a lower packing fraction, or from a file", model.Name, s.Packing())
}

// unwrap forgets how often particles went through the walls.
func (s *System) unwrap() { clear(s.laps) }
