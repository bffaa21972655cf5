package glass

import (
	"math"
	"testing"

	"swapmc/dynamics"
)

// Swaps of every kind leave equilibrium alone: where displacements by themselves equilibrate, energy,
// pressure and g(r) about its first peak are the same with swaps and without.
func TestSwapsLeaveEquilibriumAlone(t *testing.T) {
	sweeps := 1500
	if testing.Short() {
		sweeps = 1000
	}
	for _, o := range []Options{
		{Model: "soft-poly", N: 108, Density: 0.8, Temperature: 0.4},
		{Model: "soft-poly", N: 100, Dim: 2, Density: 0.6, Temperature: 1}, // denser, sizes mix too slowly without swaps
		{Model: "soft-binary", N: 108, Temperature: 0.7},
		{Model: "hard-poly", N: 108, Packing: 0.35},
		{Model: "kob-andersen", N: 110, Density: 0.8, Temperature: 2},
	} {
		name := o.Model
		if o.Dim == 2 {
			name += " in 2D"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sweeps := sweeps
			if o.Model == "soft-binary" {
				sweeps *= 25 // its averages drift over hundreds of sweeps
			}
			o.Seed = 1
			alone := equilibrium(t, o, 0, 2*sweeps) // all are compared with it
			sum, count := 0.0, 0
			for _, c := range []struct {
				kind    string
				move    Move
				domains int
			}{{"random pairs", &Swap{}, 0}, {"window", &Swap{Window: 0.3}, 0}, {"lifted", &Lifted{K: o.N / 10}, 0},
				{"2 domains along each axis", &Swap{}, 2}, {"4 domains along each axis", &Swap{}, 4}} {
				kind := c.kind
				o.Seed, o.Moves = o.Seed+1, []Weighted{{Move: c.move, P: 0.4}}
				sweeps := sweeps
				if c.domains > 0 {
					sweeps *= 4 // with domains as small as particles most moves would leave them, and averages drift for longer
				}
				for what, x := range equilibrium(t, o, c.domains, sweeps) {
					one, two := dynamics.Average(alone[what]), dynamics.Average(x)
					a, errA, b, errB := one.Mean, one.Error, two.Mean, two.Error
					z := (a - b) / math.Hypot(errA, errB)
					if a == b { // the energy of hard particles
						z = 0
					}
					t.Logf("%-25s %-10s %.5f ± %.5f without, %.5f ± %.5f with: z = %.1f", kind, what, a, errA, b, errB, z)
					// Errors from 16 blocks or more scatter, so that z is about Student's t with 30 degrees of
					// freedom, beyond 4.5 once in 10^4 times; here are some 130 of them.
					if !(math.Abs(z) < 4.5) {
						t.Errorf("%s: %s is %.5f ± %.5f without swaps, %.5f ± %.5f with: z = %.1f", kind, what, a, errA, b, errB, z)
					}
					sum, count = sum+z*z, count+1
				}
			}
			// Small deviations of everything show here. The mean of z^2 is about 1, give or take sqrt(2/5) if only the
			// 5 observables counted as independent, for all are compared with one run.
			if sum/float64(count) > 3 {
				t.Errorf("mean of z^2 is %.2f over %d comparisons, want about 1", sum/float64(count), count)
			}
		})
	}
}

// equilibrium returns series of energy and pressure, and of g(r) in bins about its first peak, with so many domains along each axis, or none.
func equilibrium(t *testing.T, o Options, domains, sweeps int) map[string][]float64 {
	s := system(t, o)
	cut(s, domains)
	s.Equilibrate(400, 0.4)
	series := map[string][]float64{}
	const every = 5
	for range sweeps / every {
		s.Run(every)
		energy, pressure := s.Virial()
		series["energy"] = append(series["energy"], energy/float64(s.N()))
		series["pressure"] = append(series["pressure"], pressure)
		const bins = 24 // of about a tenth of a diameter
		var pairs [bins]float64
		ideal := s.RadialDistribution(pairs[:])
		width := s.Side() / 2 / bins
		for what, r := range map[string]float64{"g(0.85)": 0.85, "g(1.05)": 1.05, "g(1.3)": 1.3} {
			b := int(r / width)
			series[what] = append(series[what], pairs[b]/ideal[b])
		}
	}
	return series
}

// Two particles that only move are as far from each other as Boltzmann says: chi-squared of the distances
// against exp(-v(r)/T) times the volume at r, by quadrature. Beyond half the box, where there are no
// forces, is what is left of the volume.
func TestTwoParticlesAgainstQuadrature(t *testing.T) {
	samples := 10_000
	if testing.Short() {
		samples = 3_000
	}
	for _, c := range []struct {
		model       string
		dim         int
		a, b        float64
		temperature float64
		delta       float64
		domains     int // along each axis
	}{
		{"soft-poly", 3, 0.9, 1.4, 0.2, 0.5, 0},
		{"soft-poly", 2, 0.8, 0.9, 0.2, 2, 0},
		{"soft-binary", 3, 0.9, 1.1, 0.5, 0.7, 0},
		{"hard-poly", 3, 0.7, 1.3, 1, 0.5, 0},
		{"hard-poly", 2, 0.7, 1.3, 1, 0.3, 0},
		{"kob-andersen", 3, 1, 0.88, 0.35, 0.9, 0},
		{"kob-andersen", 3, 1, 1, 0.35, 2.4, 0},
		{"soft-poly", 3, 0.9, 1.4, 0.2, 0.7, 2},
		{"soft-poly", 2, 0.8, 0.9, 0.2, 0.5, 4},
		{"hard-poly", 2, 0.7, 1.3, 1, 0.5, 2},
		{"kob-andersen", 3, 1, 0.88, 0.35, 0.9, 4},
	} {
		m, err := FindModel(c.model)
		if err != nil {
			t.Fatal(err)
		}
		// The smallest box that may be, and a little: the particles meet often.
		side := 2.05 * m.pair.farthest(min(c.a, c.b), max(c.a, c.b))
		s := system(t, Options{Model: c.model, N: 2, Dim: c.dim, Density: 2 / math.Pow(side, float64(c.dim)),
			Temperature: c.temperature, Sizes: &Sizes{Kind: "list", Values: []float64{c.a, c.b}}, Delta: c.delta, Seed: 5})
		cut(s, c.domains)
		s.Run(200)
		const bins = 30
		var count, want [bins + 1]float64
		between := max(4, int(side*side/(c.delta*c.delta))) // sweeps
		if c.domains > 0 {
			between *= 3 // many displacements would leave a domain
		}
		for range samples {
			s.Run(between)
			r := math.Sqrt(s.apart(&s.particles[0].X, &s.particles[1].X))
			count[min(bins, int(r/(side/2)*bins))]++
		}
		a, b := float64(s.particles[0].S), float64(s.particles[1].S)
		const steps = 2000
		sum := 0.0
		for i := range bins * steps {
			r := (float64(i) + 0.5) * side / 2 / (bins * steps)
			v, _ := m.pair.energy(r*r, a, b)
			shell := 4 * math.Pi * r * r
			if c.dim == 2 {
				shell = 2 * math.Pi * r
			}
			w := shell * math.Exp(-v/c.temperature) * side / 2 / (bins * steps)
			want[i/steps] += w
			sum += w
		}
		want[bins] = math.Pow(side, float64(c.dim)) - ball(c.dim)*math.Pow(side, float64(c.dim))
		sum += want[bins]
		chi2, freedom := 0.0, -1.0
		var got, expected float64 // bins together until 10 are expected
		for i := range want {
			got, expected = got+count[i], expected+float64(samples)*want[i]/sum
			if expected < 10 {
				continue
			}
			chi2 += (got - expected) * (got - expected) / expected
			freedom++
			got, expected = 0, 0
		}
		t.Logf("%s in %d dimensions, delta %g, %d domains along each axis: chi2 = %.1f over %g, displacements accepted %.2f", c.model, c.dim, c.delta, c.domains, chi2, freedom, s.Displacement.Rate())
		// Four standard deviations; the samples are independent but for a per cent or so.
		if chi2 > freedom+4*math.Sqrt(2*freedom) {
			t.Errorf("%s in %d dimensions, delta %g, %d domains along each axis: chi2 = %.1f over %g degrees of freedom", c.model, c.dim, c.delta, c.domains, chi2, freedom)
		}
	}
}

// The step of displacements follows the acceptance while equilibrating, and then stays as it is.
func TestStepIsFrozenAfterEquilibration(t *testing.T) {
	for _, acceptance := range []float64{0.25, 0.6} {
		s := system(t, Options{Model: "soft-poly", N: 108, Temperature: 0.3, Moves: []Weighted{{Move: &Swap{}, P: 0.2}}})
		first := s.Delta()
		s.Equilibrate(600, acceptance)
		tuned := s.Delta()
		if tuned == first {
			t.Errorf("acceptance %g: step still %g after equilibration", acceptance, tuned)
		}
		if s.Displacement.Tally != (Tally{}) || s.Moves[0].Tally != (Tally{}) {
			t.Errorf("trials of equilibration count: %v, %v", s.Displacement.Tally, s.Moves[0].Tally)
		}
		for range 20 {
			s.Run(20)
			if s.Delta() != tuned {
				t.Fatalf("acceptance %g: step %g while measuring, %g after equilibration", acceptance, s.Delta(), tuned)
			}
		}
		if got := s.Displacement.Rate(); math.Abs(got-acceptance) > 0.04 {
			t.Errorf("%.3f of displacements accepted, tuned to %g", got, acceptance)
		}
	}
}
