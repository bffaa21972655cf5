package glass

import (
	"math"
	"testing"
)

func TestForcesAreDerivatives(t *testing.T) {
	for _, o := range liquids {
		if o.Model == "hard-poly" {
			continue
		}
		s := system(t, o)
		s.Run(20)
		n := s.N()
		x, f, g := make([][3]float64, n), make([][3]float64, n), make([][3]float64, n)
		e, _ := s.forces(x, f)
		if want := bruteForce2(s); math.Abs(e-want) > 1e-9*math.Abs(want) {
			t.Errorf("%s: energy %v, over all pairs %v", o.Model, e, want)
		}
		for _, i := range []int{0, 17, n - 1} {
			for k := range s.dim {
				const h = 1e-5
				x[i][k] = h
				up, _ := s.forces(x, g)
				x[i][k] = -h
				down, _ := s.forces(x, g)
				x[i][k] = 0
				if want := -(up - down) / (2 * h); math.Abs(f[i][k]-want) > 1e-4*(1+math.Abs(want)) {
					t.Errorf("%s in %d dimensions: force %v, -dE/dx = %v", o.Model, s.dim, f[i][k], want)
				}
			}
		}
	}
}

// A minimum has no force, and a lower energy than anything near it; quenching leaves the system alone.
func TestQuench(t *testing.T) {
	seeds := []uint64{0, 1, 2}
	if testing.Short() {
		seeds = seeds[:1]
	}
	for _, o := range liquids {
		if o.Model == "hard-poly" {
			if _, _, err := system(t, o).Quench(1e-6, 100); err == nil {
				t.Error("hard-poly: no error")
			}
			continue
		}
		for _, o.Seed = range seeds {
			testQuench(t, o)
		}
	}
	// Here a pair comes to rest just beyond the step of its force.
	o := liquids[6]
	o.Seed = 26
	testQuench(t, o)
}

func testQuench(t *testing.T, o Options) {
	s := system(t, o)
	s.Run(50)
	before := s.Energy()
	c, m, err := s.Quench(1e-7, 20000)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s in %d dimensions, seed %d: %g to %g in %d steps, force %.2g", o.Model, s.dim, o.Seed, before, m.Energy, m.Steps, m.Force)
	if e := bruteForce2(c); math.Abs(e-m.Energy) > 1e-6*(1+math.Abs(e)) || math.Abs(e-c.Energy()) > 1e-9*math.Abs(e) {
		t.Errorf("%s: energy %v by lists %v, over all pairs %v", o.Model, m.Energy, c.Energy(), e)
	}
	if m.Energy >= before || s.Energy() != before {
		t.Errorf("%s: energy %v, quenched %v, afterwards %v", o.Model, before, m.Energy, s.Energy())
	}
	if m.Force > 1e-7 && o.Model != "soft-binary" {
		t.Errorf("%s: a force of %g is left after %d steps", o.Model, m.Force, m.Steps)
	}
	// The same for the configuration as it is returned, but for the rounding of its places.
	x, f := make([][3]float64, c.N()), make([][3]float64, c.N())
	if _, force := c.forces(x, f); force > 1e-5 && o.Model != "soft-binary" {
		t.Errorf("%s: a force of %g in the configuration", o.Model, force)
	}
	// Metropolis at T = 0 finds little below it.
	c.SetTemperature(1e-12)
	c.Displacement.Move = &Displacement{Delta: 1e-3}
	c.trials(2000)
	if e := c.Energy(); m.Energy-e > 1e-6 {
		t.Errorf("%s in %d dimensions, seed %d: %v below the minimum", o.Model, s.dim, o.Seed, m.Energy-e)
	}
}

// Two particles, nearer than they repel, come to rest just out of range, and two that
// attract each other at the bottom of their potential.
func TestQuenchOfAPair(t *testing.T) {
	for model, want := range map[string]float64{"soft-poly": 1.25, "kob-andersen": math.Pow(2, 1./6)} {
		one := Sizes{Kind: "list", Values: []float64{1}}
		s := system(t, Options{Model: model, N: 2, Density: 0.01, Temperature: 1, Sizes: &one})
		s.particles[0].X = [3]int32{}
		s.particles[1].X = [3]int32{s.fixed(1.02), s.fixed(0.1)}
		s.relist(defaultSkin)
		c, m, err := s.Quench(1e-9, 100000)
		if err != nil {
			t.Fatal(err)
		}
		r := math.Sqrt(c.apart(&c.particles[0].X, &c.particles[1].X))
		if model == "soft-poly" && r < want-0.02 || model != "soft-poly" && math.Abs(r-want) > 1e-6 {
			t.Errorf("%s: distance %v, want %v (%+v)", model, r, want, m)
		}
	}
}
