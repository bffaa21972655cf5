package main

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"swapmc/dataset"
	"swapmc/nn"
)

func near(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if !(math.Abs(got-want) <= relative*math.Abs(want)) {
		t.Errorf("%s: %g, want %g within %g%%", what, got, want, 100*relative)
	}
}

func TestPairsWithinIsASumOverPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	w := make([]float32, 200)
	for i := range w {
		w[i] = float32(r.NormFloat64()) + 3
	}
	copy(w, w[100:110]) // equal values
	for _, window := range []float64{0, 0.1, 1, 10} {
		var want pairs
		for i := range w {
			for j := range w {
				if d := math.Abs(float64(w[i]) - float64(w[j])); i != j && d <= window {
					n := float64(len(w) * (len(w) - 1))
					want.within += 1 / n
					want.distance += d / n
					want.square += d * d / n
				}
			}
		}
		got := pairsWithin(w, window)
		near(t, "within", got.within, want.within, 1e-9)
		near(t, "distance", got.distance+1, want.distance+1, 1e-9)
		near(t, "square", got.square+1, want.square+1, 1e-9)
	}
}

// On a flat density over [0, R] all means have a closed form.
func TestPairsWithinOnAFlatDensity(t *testing.T) {
	const R = 2.0
	w := make([]float32, 20000)
	for i := range w {
		w[i] = float32(R * (float64(i) + 0.5) / float64(len(w)))
	}
	for _, x := range []float64{0.1, 0.5, 1.5} {
		got := pairsWithin(w, x)
		near(t, "within", got.within, 2*x/R-x*x/(R*R), 2e-3)
		near(t, "distance", got.distance, x*x/R-2*x*x*x/(3*R*R), 2e-3)
		near(t, "square", got.square, 2*x*x*x/(3*R)-x*x*x*x/(2*R*R), 2e-3)
	}
}

func TestRanks(t *testing.T) {
	g := []float32{5, -1, 5, 0, 7, -1}
	for i, got := range ranks(g) {
		want := 0
		for _, other := range g {
			switch {
			case other < g[i]:
				want++
			case other > g[i]:
				want--
			}
		}
		if got != float32(float64(want)/5) {
			t.Errorf("ranks(%v)[%d] = %g, want %d/5", g, i, got, want)
		}
	}
}

func TestCosine(t *testing.T) {
	near(t, "45 degrees", cosine([]float32{1, 0, 0}, []float32{2, 2, 0}), math.Sqrt(0.5), 1e-12)
	near(t, "opposite", cosine([]float32{1, -2}, []float32{-3, 6}), -1, 1e-12)
	if c := cosine([]float32{1, 2}, []float32{0, 0}); c != 0 {
		t.Errorf("cosine with 0 is %g", c)
	}
}

// synthetic is a moment whose weights are flat and whose average gradient is independent of
// them.
func synthetic(t *testing.T) *moment {
	t.Helper()
	set := dataset.Synth(dataset.SynthOptions{Train: 300, Test: 100})
	w, err := newWalk(set, "linear 64, tanh, linear classes", 100)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.net.Close)
	m := w.moment(0)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range m.average {
		m.average[i] = float32(math.Pow(r.NormFloat64(), 3)) // far from normal: only ranks count
	}
	m.average = m.weightsOf(m.average)
	for _, l := range m.net.Layers() {
		copy(m.rank[l.Weight.Offset:], ranks(m.average[l.Weight.Offset:][:l.Weight.Len]))
	}
	return m
}

// Where the assumptions of the theory hold, so does what it says.
func TestTheoryHoldsOnASyntheticLayer(t *testing.T) {
	m := synthetic(t)
	for _, c := range []struct {
		window float64
		passes int
	}{{0.1, 1}, {0.5, 1}, {2, 1}, {0.1, 4}} {
		r, err := look(m, c.window, c.passes, 16)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "slope", r.slope, -1, 0.03)
		near(t, "signal", r.signal, r.predicted, 0.06)
		near(t, "cosine", r.towards, r.towardsPredicted, 0.04)
		if c.passes > 1 {
			continue
		}
		near(t, "accepted", r.accepted, r.within/2, 0.02)
		R := 2 * math.Sqrt(3) // of a flat density, in standard deviations
		near(t, "within", r.within, 2*c.window/R-c.window*c.window/(R*R), 0.01)
		for b, density := range r.distance {
			x := (float64(b) + 0.5) / bins * c.window
			near(t, "density", density, (R-x)/(R-c.window/2), 0.1)
		}
	}
	r, err := look(m, 0.02, 1, 16) // a small window: rho w/4 with rho = 1/R
	if err != nil {
		t.Fatal(err)
	}
	near(t, "rho w/4", r.predicted, 0.02/(8*math.Sqrt(3)), 0.03)
}

func TestEventsConserveTheWeights(t *testing.T) {
	m := synthetic(t)
	start, sorted := slices.Clone(m.net.Params()), sortedWeights(m.net)
	e, err := newEvents(m.net, guided, 0.5, m.average)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		d := e.next(5)
		moved := 0
		for i, x := range d {
			if x != 0 {
				moved++
			}
			if m.net.Params()[i] == start[i] != (x == 0) {
				t.Fatalf("displacement %g of a weight that went from %g to %g", x, start[i], m.net.Params()[i])
			}
		}
		if moved < len(d)/4 {
			t.Errorf("%d of %d weights moved", moved, len(d))
		}
		if !slices.EqualFunc(sorted, sortedWeights(m.net), slices.Equal[[]float32]) {
			t.Error("the weights are no permutation of what they were")
		}
	}
	e.back()
	if !slices.Equal(start, m.net.Params()) {
		t.Error("back has left something")
	}
}

func TestEventsDoNotSeeTheScaleOfTheGradient(t *testing.T) {
	m := synthetic(t)
	var want []float32
	for _, scale := range []float64{1, 1.0 / (1 << 20), 1 << 20} {
		e, err := newEvents(m.net, guided, 0.2, scaled(m.average, scale))
		if err != nil {
			t.Fatal(err)
		}
		got := slices.Clone(e.next(3))
		e.back()
		if want == nil {
			want = got
		} else if !slices.Equal(want, got) {
			t.Errorf("gradient times %g: another event", scale)
		}
	}
}

// For small windows the loss of the batch changes by what its gradient says.
func TestSmallWindowsAreFirstOrder(t *testing.T) {
	m := synthetic(t)
	p, err := m.promised(guided, 0.05, m.gradient)
	if err != nil {
		t.Fatal(err)
	}
	if p.guide >= 0 {
		t.Errorf("dL1 = %g: want less than 0", p.guide)
	}
	near(t, "dL of the batch", p.batch, p.guide, 0.2)
	if got := m.lossOfBatch(); got != m.batchLoss {
		t.Errorf("the loss is %g afterwards, not %g", got, m.batchLoss)
	}
}

func TestUsefulWindow(t *testing.T) {
	var list []change
	for _, w := range windows {
		list = append(list, change{window: w, byAverage: promise{others: -0.4*w*w + w*w*w}})
	}
	near(t, "zero", useful(list, ofOthers), 0.4, 0.05)
	if x := useful(list[:3], ofOthers); !math.IsNaN(x) {
		t.Errorf("a zero at %g that is not there", x)
	}
}

func TestNormsAndConservation(t *testing.T) {
	set := dataset.Synth(dataset.SynthOptions{Train: 300, Test: 100})
	for _, a := range []arm{
		{"adam", nn.Optimizer{Name: "adam", LR: 0.01}, ""},
		{"swaps", nn.Optimizer{Name: "none"}, arms[len(arms)-1].protocol},
	} {
		c, err := watch(set, "linear 16, relu, linear classes", 40, a)
		if err != nil {
			t.Fatal(err)
		}
		last := c.norms[len(c.norms)-1]
		if swaps := a.optimizer.Name == "none"; c.kept != swaps || (math.Abs(last-1) < 1e-6) != swaps {
			t.Errorf("%s: permutation %v, norm %g of the initial", a.name, c.kept, last)
		}
		if c.points[len(c.points)-1].TrainLoss >= c.points[0].TrainLoss {
			t.Errorf("%s: nothing is learnt", a.name)
		}
	}
}

// The whole program, small.
func TestProgram(t *testing.T) {
	set := dataset.Synth(dataset.SynthOptions{Train: 300, Test: 100})
	small := []subject{{network: "linear 16, relu, linear classes", stages: []int{2, 30}, repeats: 2, others: 100, events: 2, iterations: 5}}
	r, err := measure(set, small)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := r.write(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"displacement.csv", "displacement.png", "loss.svg", "noise.png", "norm.csv", "direction.csv", "window.csv"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
