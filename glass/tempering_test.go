package glass

import (
	"testing"
)

// Each temperature keeps its Boltzmann distribution while configurations wander.
func TestTemperingSamplesBoltzmannWeights(t *testing.T) {
	temperatures := []float64{0.3, 0.6, 1.5}
	var systems []*System
	var weight, count []map[string]float64
	for _, T := range temperatures {
		s := cluster(t, T, &Swap{})
		systems = append(systems, s)
		weight = append(weight, weights(s))
		count = append(count, map[string]float64{})
	}
	ladder, err := NewTempering(systems, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	const samples = 100_000
	for range samples {
		for _, s := range systems {
			s.Run(20)
		}
		ladder.Exchange()
		for i, s := range systems {
			count[i][order(s)]++
		}
	}
	for i, T := range temperatures {
		chi2 := 0.0
		for p, w := range weight[i] {
			chi2 += (count[i][p] - samples*w) * (count[i][p] - samples*w) / (samples * w)
		}
		t.Logf("T = %g: chi2 = %.1f, exchanges %v, round trips %d", T, chi2, ladder.Tallies, ladder.RoundTrips())
		if chi2 > 200 { // 23 degrees of freedom, samples not quite independent
			t.Errorf("T = %g: chi2 = %.1f over 23 degrees of freedom", T, chi2)
		}
	}
	if ladder.RoundTrips() < 100 {
		t.Errorf("%d round trips", ladder.RoundTrips())
	}
}

func TestTemperingRefuses(t *testing.T) {
	a := system(t, Options{Model: "soft-poly", N: 200, Temperature: 0.3})
	b := system(t, Options{Model: "soft-poly", N: 220, Temperature: 0.4})
	h := system(t, Options{Model: "hard-poly", N: 200, Packing: 0.3})
	for name, list := range map[string][]*System{"one": {a}, "other N": {a, b}, "hard": {h, h}} {
		if _, err := NewTempering(list, 1, 1); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewTempering([]*System{a, a}, 0, 1); err == nil {
		t.Error("every 0 sweeps: no error")
	}
}
