package glass

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestRestartIsExact(t *testing.T) {
	for _, o := range []Options{
		{Model: "soft-poly", N: 200, Temperature: 0.2, Moves: []Weighted{{Move: &Swap{}, P: 0.2}, {Move: &Lifted{K: 5}, P: 0.1}}},
		{Model: "hard-poly", N: 150, Dim: 2, Packing: 0.5, Moves: []Weighted{{Move: &Swap{}, P: 0.2}}},
	} {
		a := system(t, o)
		a.Equilibrate(30, 0.4)
		var file bytes.Buffer
		if err := a.Save(&file); err != nil {
			t.Fatal(err)
		}
		whole := bytes.Clone(file.Bytes())
		a.Run(40)
		o.Seed = 99
		b := system(t, o)
		if err := b.Load(&file); err != nil {
			t.Fatal(err)
		}
		b.Run(40)
		for i := range a.particles {
			if a.particles[i] != b.particles[i] || a.laps[i] != b.laps[i] {
				t.Fatalf("%s: particle %d: %v after a restart, %v without", o.Model, i, b.particles[i], a.particles[i])
			}
		}
		if a.Moves[0].Tally != b.Moves[0].Tally || a.Sweeps() != b.Sweeps() {
			t.Errorf("%s: counts %v at %d after a restart, %v at %d without", o.Model, b.Moves[0].Tally, b.Sweeps(), a.Moves[0].Tally, a.Sweeps())
		}
		for _, damage := range [][]byte{nil, whole[:10], whole[:len(whole)/2], whole[:len(whole)-3], append(bytes.Clone(whole[:len(whole)/2]), bytes.Repeat([]byte{7}, len(whole)/2)...)} {
			if err := b.Load(bytes.NewReader(damage)); err == nil || !strings.Contains(err.Error(), "restart file") {
				t.Errorf("a damaged file of %d bytes: error %v", len(damage), err)
			}
		}
		b.Run(1) // still whole
	}
}

func TestXYZReadsBack(t *testing.T) {
	for _, o := range []Options{
		{Model: "soft-poly", N: 200, Temperature: 0.2},
		{Model: "hard-poly", N: 150, Dim: 2, Packing: 0.5},
	} {
		a := system(t, o)
		a.Run(30)
		var file bytes.Buffer
		for range 2 { // the last one counts
			if err := a.WriteXYZ(&file); err != nil {
				t.Fatal(err)
			}
			a.Run(1)
		}
		a = system(t, o)
		a.Run(31)
		b, err := ReadXYZ(bytes.NewReader(file.Bytes()), Options{Model: o.Model, Dim: o.Dim, Temperature: o.Temperature})
		if err != nil {
			t.Fatal(err)
		}
		if e, f := a.Energy(), b.Energy(); e-f > 1e-9*e || f-e > 1e-9*e || b.N() != a.N() || b.Side() != a.Side() {
			t.Errorf("energy %v of %d in %v, wrote %v of %d in %v", f, b.N(), b.Side(), e, a.N(), a.Side())
		}
		for i := range a.particles {
			if a.particles[i].S != b.particles[i].S {
				t.Fatalf("particle %d: diameter %v, wrote %v", i, b.particles[i].S, a.particles[i].S)
			}
		}
	}
}

func TestXYZRefuses(t *testing.T) {
	const head = "1\nLattice=\"9 0 0 0 9 0 0 0 9\" Properties=species:S:1:pos:R:3:radius:R:1\n"
	for text, want := range map[string]string{
		"":                       "no configuration",
		"x\n":                    "line 1",
		"-1\n":                   "line 1",
		"3\n":                    "line 2",
		head:                     "ends after 0 of 1",
		head + "A 1 2 3\n":       "4 columns, want 5",
		head + "A 1 2 x 0.5\n":   `line 3: "x"`,
		head + "A 1 2 nan 0.5\n": "want a number",
		head + "A 1 2 3 -1\n":    "diameter -2",
		"1\nLattice=\"9 0 0 0 8 0 0 0 9\" Properties=pos:R:3:radius:R:1\n":                          "cubic",
		"1\nLattice=\"9 0 0 0 9 0 0 0 5\" Properties=pos:R:3:radius:R:1\n1 1 1 0.5\n":               "want a cube",
		"1\nLattice=\"9 0 0 0 9 0 0 0 1\" Properties=pos:R:3:radius:R:1 pbc=\"T T F\"\n1 1 1 0.5\n": "two dimensions",
		"1\nLattice=\"9 0 0 0 9 0 0 0 9\" Properties=pos:R:3\n":                                     "radius",
		"1\nLattice=\"2 0 0 0 2 0 0 0 2\" Properties=pos:R:3:radius:R:1\n1 1 1 0.5\n":               "smaller than twice",
	} {
		_, err := ReadXYZ(strings.NewReader(text), Options{Model: "soft-poly", Temperature: 1})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// A configuration is not taken for one of another model or dimension.
func TestXYZIsOfItsModel(t *testing.T) {
	const head = "2\nLattice=\"9 0 0 0 9 0 0 0 9\" Properties=pos:R:3:diameter:R:1"
	for _, c := range []struct {
		text, model string
		dim         int
		want        string // "": no error
	}{
		{head + " model=soft-poly\n1 1 1 1\n4 4 4 1\n", "soft-poly", 3, ""},
		{head + " model=soft-poly\n1 1 1 1\n4 4 4 1\n", "soft-binary", 3, "of model soft-poly, want soft-binary"},
		{head + "\n1 1 1 1\n4 4 4 1\n", "soft-binary", 3, ""},
		{head + "\n1 1 1 1\n4 4 4 0.88\n", "kob-andersen", 3, ""},
		{head + "\n1 1 1 1\n4 4 4 0.9\n", "kob-andersen", 3, "kob-andersen: diameter 0.9: want 1 and 0.88"},
		{head + "\n1 1 1 1\n4 4 4 1\n", "soft-poly", 2, "of three dimensions, want 2"},
		{head + " dimension=3\n1 1 1 1\n4 4 1 1\n", "soft-poly", 2, "of three dimensions, want 2"},
		{head + "\n1 1 1 1\n4 4 1 1\n", "soft-poly", 2, ""},
	} {
		_, err := ReadXYZ(strings.NewReader(c.text), Options{Model: c.model, Dim: c.dim, Temperature: 1})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q as %s in %d dimensions: error %v, want %q", c.text, c.model, c.dim, err, c.want)
		}
	}
}

// Sizes of a list are had by equally many, also where the list is sorted and no whole part of the particles.
func TestListOfSizesIsDrawnEvenly(t *testing.T) {
	list := Sizes{Kind: "list"}
	for i := range 30 {
		list.Values = append(list.Values, 1+float64(i)/100)
	}
	for _, n := range []int{30, 60, 50, 41} {
		counts, mean := map[float64]int{}, 0.0
		for _, d := range list.Draw(n, rand.New(rand.NewPCG(1, 2))) {
			counts[d]++
			mean += d / float64(n)
		}
		for _, d := range list.Values {
			if c := counts[d]; c < n/30 || c > (n+29)/30 {
				t.Errorf("%d particles: %d of diameter %g", n, c, d)
			}
		}
		if math.Abs(mean-1.145) > 0.005 {
			t.Errorf("%d particles: mean diameter %g, want 1.145", n, mean)
		}
	}
}

func FuzzReadXYZ(f *testing.F) {
	f.Add([]byte("1\nLattice=\"9 0 0 0 9 0 0 0 9\" Properties=species:S:1:pos:R:3:radius:R:1\nA 1 2 3 0.5\n"))
	f.Add([]byte("2\nLattice=\"9 0 0 0 9 0 0 0 1\" Properties=pos:R:3:diameter:R:1 pbc=\"T T F\"\n1 2 3 0.5\n4 4 4 1\n"))
	f.Add([]byte("2\nLattice=\"9 0 0 0 9 0 0 0 9\" Properties=pos:R:3:diameter:R:1\n1 2 3 1\n1 2 3 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, o := range []Options{{Model: "soft-poly", Temperature: 1}, {Model: "kob-andersen", Temperature: 1, Dim: 2}, {Model: "hard-poly"}} {
			s, err := ReadXYZ(bytes.NewReader(text), o)
			if err != nil {
				if !strings.HasPrefix(err.Error(), "glass: ") {
					t.Errorf("error %v", err)
				}
				continue
			}
			if s.N() < 1 || math.IsNaN(s.Energy()) {
				t.Errorf("%d particles with an energy of %g", s.N(), s.Energy())
			}
			s.Run(1)
			var again bytes.Buffer
			if err := s.WriteXYZ(&again); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadXYZ(&again, o); err != nil {
				t.Errorf("what was written: %v", err)
			}
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for want, o := range map[string]Options{
		"N = 0: need at least one particle": {Model: "soft-poly", Temperature: 1},
		"want one of soft-poly":             {Model: "water", N: 10, Temperature: 1},
		"temperature = 0":                   {Model: "soft-poly", N: 100},
		"dimension = 4":                     {Model: "soft-poly", N: 100, Dim: 4, Temperature: 1},
		"smaller than twice the range":      {Model: "kob-andersen", N: 20, Temperature: 1},
		"beyond any packing":                {Model: "soft-poly", N: 100, Temperature: 1, Density: 100},
		"packing fraction or a density":     {Model: "hard-poly", N: 100},
		"found no state without overlaps":   {Model: "hard-poly", N: 60, Packing: 0.8},
		"probabilities of 1.2 in all":       {Model: "soft-poly", N: 100, Temperature: 1, Moves: []Weighted{{P: 0.6}, {P: 0.6}}},
		"want one of them above 0":          {Model: "hard-poly", N: 100, Packing: 0.4, Density: 1},
		"2 values for N = 1":                {Model: "soft-poly", N: 1, Temperature: 1, Density: 0.01, Sizes: &Sizes{Kind: "list", Values: []float64{1, 2}}},
		"kob-andersen: diameter 0.7":        {Model: "kob-andersen", N: 200, Temperature: 1, Sizes: &Sizes{Kind: "binary", Ratio: 0.7}},
		"sizes power: ratio = 2":            {Model: "soft-poly", N: 100, Temperature: 1, Sizes: &Sizes{Kind: "power", Ratio: 2}},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", o, err, want)
		}
	}
}
