package glass

import (
	"math"
	"testing"
)

// A thousand hard particles at the packing of the documentation's example find places where none overlap.
func TestSettle(t *testing.T) {
	for _, o := range []Options{
		{Model: "hard-poly", N: 150, Packing: 0.6, Seed: 1},
		{Model: "hard-poly", N: 200, Dim: 2, Packing: 0.75, Seed: 1},
		{Model: "hard-poly", N: 1000, Packing: 0.55, Seed: 1},
	} {
		if testing.Short() && o.N == 1000 {
			continue
		}
		s, err := New(o)
		if err != nil {
			t.Error(err)
			continue
		}
		if e := s.Energy(); e != 0 || s.Sweeps() != 0 || s.Model.pair.form != hard {
			t.Errorf("N = %d: energy %g after %d sweeps", o.N, e, s.Sweeps())
		}
		if p := s.Packing(); math.Abs(p-o.Packing) > 1e-6 {
			t.Errorf("N = %d: packing %g, want %g", o.N, p, o.Packing)
		}
		for i := range s.particles { // by themselves, without lists
			for k := range i {
				a, b := &s.particles[i], &s.particles[k]
				if r := math.Sqrt(s.apart(&a.X, &b.X)); r < s.Model.pair.size(float64(a.S), float64(b.S)) {
					t.Fatalf("N = %d: %d and %d overlap", o.N, i, k)
				}
			}
		}
	}
}
