package glass

import (
	"fmt"
	"testing"
)

func equilibrated(tb testing.TB, n int) *System {
	tb.Helper()
	s, err := New(Options{Model: "soft-poly", N: n, Temperature: 0.25, Seed: 1, Moves: []Weighted{{Move: &Swap{}, P: 0.2}}})
	if err != nil {
		tb.Fatal(err)
	}
	sweeps := 400000/n + 20
	for _, t := range []float64{0.25, 0.18, 0.14, 0.12, 0.11, 0.1} {
		s.SetTemperature(t)
		s.Equilibrate(sweeps, 0.4)
	}
	return s
}

func BenchmarkTrial(b *testing.B) {
	for _, n := range []int{1500, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := equilibrated(b, n)
			for _, p := range []float64{0, 1} {
				b.Run([]string{"displacement", "swap"}[int(p)], func(b *testing.B) {
					if err := s.SetMoves([]Weighted{{Move: &Swap{}, P: p}}); err != nil {
						b.Fatal(err)
					}
					b.ReportAllocs()
					s.trials(b.N)
				})
			}
		})
	}
}
