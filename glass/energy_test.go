package glass

import (
	"math"
	"testing"
)

func system(tb testing.TB, o Options) *System {
	tb.Helper()
	s, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// bruteForce sums over all pairs, without lists.
func bruteForce(s *System) (energy, virial float64) {
	for i := range s.particles {
		for k := range i {
			a, b := &s.particles[i], &s.particles[k]
			v, w := s.Model.pair.energy(s.apart(&a.X, &b.X), float64(a.S), float64(b.S))
			energy += v
			virial += w
		}
	}
	return energy, virial
}

var liquids = []Options{
	{Model: "soft-poly", N: 300, Temperature: 0.3},
	{Model: "soft-poly", N: 150, Dim: 2, Temperature: 0.3},
	{Model: "soft-binary", N: 220, Temperature: 0.4},
	{Model: "soft-binary", N: 150, Dim: 2, Temperature: 0.4},
	{Model: "hard-poly", N: 200, Packing: 0.3},
	{Model: "hard-poly", N: 120, Dim: 2, Packing: 0.4},
	{Model: "kob-andersen", N: 220, Temperature: 0.8},
	{Model: "kob-andersen", N: 120, Dim: 2, Temperature: 0.8},
}

// Energies of trials add up to the energy over all pairs, after many moves of each kind.
func TestEnergyHasNoDrift(t *testing.T) {
	trials := 1_000_000
	if testing.Short() {
		trials = 50_000
	}
	for _, o := range liquids {
		for name, m := range map[string]Move{"displacement": nil, "swap": &Swap{}, "window": &Swap{Window: 0.2}, "lifted": &Lifted{K: 3}} {
			o := o
			if m != nil {
				o.Moves = []Weighted{{Move: m, P: 0.5}}
			}
			s := system(t, o)
			s.trials(trials / 4)
			energy, virial := s.pairs()
			e, w := bruteForce(s)
			if math.IsInf(energy, 0) || math.Abs(energy-e) > 1e-9*math.Abs(e) || math.Abs(virial-w) > 1e-9*math.Abs(w) {
				t.Errorf("%s in %d dimensions, %s: energy %v, virial %v by lists; %v, %v over all pairs", o.Model, s.dim, name, energy, virial, e, w)
			}
			// What the last trials thought of their changes.
			for range 200 {
				before := s.Energy()
				i, k := s.own.index(s.N()), s.own.index(s.N())
				change := s.exchangedExactly(i, k)
				s.exchange(i, k)
				after := s.Energy()
				if math.Abs(after-before-change) > 1e-9*(1+math.Abs(before)+math.Abs(after)) && !math.IsInf(change, 1) {
					t.Fatalf("%s in %d dimensions: exchange of %d and %d changes the energy by %v, not %v", o.Model, s.dim, i, k, after-before, change)
				}
				if math.IsInf(change, 1) != math.IsInf(after, 1) {
					t.Fatalf("%s in %d dimensions: exchange of %d and %d: %v, energy %v", o.Model, s.dim, i, k, change, after)
				}
				s.exchange(i, k)
				// And a displacement, near or far.
				old := s.particles[i].X
				to := &s.own.to
				*to = old
				for d := range s.dim {
					to[d] += s.fixed((s.own.uniform() - 0.5) * []float64{0.2, 3}[k%2])
				}
				x := *to
				s.shift(&s.own, i, to)
				got := s.elsewhere(&s.own, i, to)
				before, _ = bruteForce(s)
				s.particles[i].X = x
				after, _ = bruteForce(s)
				s.particles[i].X = old
				if want := after - before; math.Abs(want) < highest/2 && math.Abs(got-want) > 1e-9*(1+math.Abs(before)+math.Abs(after)) && !math.IsInf(want, 1) || math.IsInf(want, 1) != math.IsInf(got, 1) {
					t.Fatalf("%s in %d dimensions: a displacement of %d changes the energy by %v, not %v", o.Model, s.dim, i, want, got)
				}
			}
		}
	}
}

func TestPressureIsTheDerivativeByVolume(t *testing.T) {
	for _, o := range liquids {
		if o.Model == "hard-poly" {
			continue
		}
		s := system(t, o)
		s.Run(20)
		p := s.Pressure() - s.Density()*s.temperature
		volume := func() float64 { return math.Pow(s.side, float64(s.dim)) }
		const h = 1e-5
		side := s.side
		s.box(side * (1 + h))
		up, v1 := bruteForce2(s), volume()
		s.box(side * (1 - h))
		down, v0 := bruteForce2(s), volume()
		if want := -(up - down) / (v1 - v0); math.Abs(p-want) > 1e-4*math.Abs(want) {
			t.Errorf("%s in %d dimensions: virial pressure %g, -dU/dV = %g", o.Model, s.dim, p, want)
		}
	}
}

func bruteForce2(s *System) float64 { e, _ := bruteForce(s); return e }

// Estimates, neighbour lists and their history decide how long a trajectory takes, not
// where it goes.
func TestTrajectoryDependsOnNoLists(t *testing.T) {
	for _, o := range liquids {
		o.Moves = []Weighted{{Move: &Swap{}, P: 0.2}, {Move: &Lifted{K: 3}, P: 0.1}}
		a, b := system(t, o), system(t, o)
		b.estimates = nil
		sweeps := 200
		if testing.Short() {
			sweeps = 20
		}
		for range 5 {
			b.relist(0.1 + b.lists.skin)
			a.Run(sweeps / 5)
			b.Run(sweeps / 5)
		}
		for i := range a.particles {
			if a.particles[i] != b.particles[i] {
				t.Fatalf("%s in %d dimensions: particle %d is %v, and with other lists in double precision %v", o.Model, a.dim, i, a.particles[i], b.particles[i])
			}
		}
	}
}

// The energies at a few distances, worked out by hand.
func TestModels(t *testing.T) {
	for _, c := range []struct {
		model   string
		r, a, b float64
		want    float64
	}{
		{"soft-poly", 1, 1, 1, 1 - 28/math.Pow(1.25, 12) + 48/math.Pow(1.25, 14) - 21/math.Pow(1.25, 16)},
		{"soft-poly", 1.2499999, 1, 1, 0},
		{"soft-poly", 1.1, 0.8, 1.2, math.Pow(0.92/1.1, 12) - 28/math.Pow(1.25, 12) + 48/math.Pow(1.25, 14)*math.Pow(1.1/0.92, 2) - 21/math.Pow(1.25, 16)*math.Pow(1.1/0.92, 4)},
		{"hard-poly", 0.99, 1, 1, math.Inf(1)},
		{"hard-poly", 1.01, 0.8, 1.2, 0},
		{"kob-andersen", math.Pow(2, 1./6), 1, 1, -1 - 4*(math.Pow(2.5, -12)-math.Pow(2.5, -6))},
		{"kob-andersen", 0.8 * math.Pow(2, 1./6), 1, 0.88, 1.5 * (-1 - 4*(math.Pow(2.5, -12)-math.Pow(2.5, -6)))},
		{"kob-andersen", 0.88 * math.Pow(2, 1./6), 0.88, 0.88, 0.5 * (-1 - 4*(math.Pow(2.5, -12)-math.Pow(2.5, -6)))},
		{"soft-binary", 1, 1, 1, 1 - math.Pow(3, -6)},
	} {
		m, err := FindModel(c.model)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := m.pair.energy(c.r*c.r, c.a, c.b)
		if math.Abs(v-c.want) > 1e-9 && v != c.want {
			t.Errorf("%s: v(%g) of %g and %g = %g, want %g", c.model, c.r, c.a, c.b, v, c.want)
		}
	}
}

// A derivative of the pair energy is its virial.
func TestVirial(t *testing.T) {
	for _, name := range Models() {
		m, _ := FindModel(name)
		if m.Hard {
			continue
		}
		for _, r := range []float64{0.8, 0.95, 1.1, 1.2} {
			const h = 1e-6
			up, _ := m.pair.energy((r+h)*(r+h), 0.9, 1.1)
			down, _ := m.pair.energy((r-h)*(r-h), 0.9, 1.1)
			_, w := m.pair.energy(r*r, 0.9, 1.1)
			if want := -r * (up - down) / (2 * h); math.Abs(w-want) > 1e-4*(1+math.Abs(want)) {
				t.Errorf("%s: virial %g at %g, want %g", name, w, r, want)
			}
		}
	}
}
