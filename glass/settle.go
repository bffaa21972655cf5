package glass

import (
	"fmt"
	"math"
)

// settle moves hard particles, placed at random or on a lattice, until none overlap: as
// soft ones that are half a percent larger, with energy (1.01 - (r/s)^2)^2 where these overlap, at a falling temperature, with
// displacements and swaps. Below T = 1e-5 hardly any pair is nearer than it may be.
func (s *System) settle() error {
	const sweeps = 4000
	model, displacement, moves, temperature := s.Model, s.Displacement, s.Moves, s.temperature
	soft := model
	soft.pair.form, soft.pair.cut = harmonic, 1.01
	defer func() {
		s.Model, s.Displacement, s.Moves, s.temperature, s.sweeps = model, displacement, moves, temperature, 0
		s.relist(defaultSkin)
	}()
	s.Model = soft
	s.relist(defaultSkin)
	s.Displacement = Weighted{Move: &Displacement{Delta: 0.1}, P: 0.8}
	s.Moves = []Weighted{{Move: &Swap{}, P: 0.2}}
	s.temperature = 1e-2
	for range sweeps / 10 {
		s.Model = model
		overlap := math.IsInf(s.Energy(), 1)
		s.Model = soft
		if !overlap {
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
