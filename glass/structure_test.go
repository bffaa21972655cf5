package glass

import (
	"math"
	"testing"
)

// A lattice scatters at its own wave number and nowhere else, and a liquid as the sum over its pairs says.
func TestStructureFactor(t *testing.T) {
	one := Sizes{Kind: "list", Values: []float64{1}}
	for _, dim := range []int{2, 3} {
		const across = 8
		s := system(t, Options{Model: "soft-poly", Dim: dim, N: power(across, dim), Temperature: 0.3, Sizes: &one})
		for n := 1; n <= 2*across; n++ {
			want := 0.0
			if n%across == 0 {
				want = float64(s.N())
			}
			if k, got := s.StructureFactor(n); math.Abs(got-want) > 1e-6 || math.Abs(k*s.side/float64(n)-2*math.Pi) > 1e-12 {
				t.Errorf("%d dimensions, lattice: S(%g) = %g, want %g", dim, k, got, want)
			}
		}
		s.Run(50)
		k, got := s.StructureFactor(7)
		want := 0.0
		for i := range s.N() {
			for j := range s.N() {
				x, y := s.Position(i), s.Position(j)
				for axis := range dim {
					want += math.Cos(k*(x[axis]-y[axis])) / float64(s.N()) / float64(dim)
				}
			}
		}
		if math.Abs(got-want) > 1e-6*want {
			t.Errorf("%d dimensions: S(%g) = %g, over all pairs %g", dim, k, got, want)
		}
	}
}
