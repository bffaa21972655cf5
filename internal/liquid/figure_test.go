package liquid

import (
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"swapmc/dynamics"
	"swapmc/internal/lab"
	"swapmc/internal/report"
	"swapmc/speedup"
)

// drawn is a record of F_s = 1/(1 + t/(100 + seed)), with whatever its arguments say.
func drawn(t *testing.T, temperature float64, protocol string, seed uint64, reached bool) *Record {
	t.Helper()
	r := &Record{ID: "0000", Result: &Result{Density: 1, Packing: 0.5}}
	c := &r.Config
	c.Model, c.Particles, c.Dimension, c.Temperature, c.Seed, c.Measure.K = "soft-poly", 250, 3, temperature, seed, 7
	if protocol != "" {
		p, err := lab.ParseProtocols(protocol)
		if err != nil {
			t.Fatal(err)
		}
		c.Protocol = p
	}
	x := r.Result
	for _, time := range []int{0, 1, 10, 100} {
		x.Curves.Time = append(x.Curves.Time, time)
		x.Curves.Fs = append(x.Curves.Fs, 1/(1+float64(time)/float64(100+seed)))
		x.Curves.MSD = append(x.Curves.MSD, float64(time))
	}
	x.Tau = Time{100 * math.Exp(float64(seed)), reached}
	x.G = G{[]float64{0.5, 1}, []float64{0, 1}}
	x.EnergyPerParticle = Value{Mean: speedup.Number(temperature + 0.1*float64(seed)), Error: 0.01}
	return r
}

// panel returns the panel whose Y begins so, nil if there is none.
func panel(g *report.Grid, y string) *report.Panel {
	if i := slices.IndexFunc(g.Panels, func(p report.Panel) bool { return strings.HasPrefix(p.Y, y) }); i >= 0 {
		return &g.Panels[i]
	}
	return nil
}

// Temperatures have a colour each, protocols a stroke; seeds are averaged; what tau exceeds is a bound.
func TestDiagramsOfTemperatures(t *testing.T) {
	const swaps = "diameters:S p=0.2"
	var records []*Record
	for _, temperature := range []float64{0.2, 0.14, 0.25} {
		for seed := uint64(1); seed <= 2; seed++ {
			records = append(records, drawn(t, temperature, swaps, seed, true), drawn(t, temperature, "", seed, temperature > 0.15))
		}
	}
	g := Diagrams(fstest.MapFS{}, records)
	var legend []string
	for _, e := range g.Legend {
		legend = append(legend, e.Text)
	}
	if want := []string{"no swaps", swaps, "T = 0.25", "T = 0.2", "T = 0.14", "tau is longer than what was measured"}; !slices.Equal(legend, want) {
		t.Errorf("legend %q, want %q", legend, want)
	}
	for _, want := range []string{"soft-poly", "N = 250", "density 1", "k = 7", "2 seeds"} {
		if !strings.Contains(g.Title, want) {
			t.Errorf("no %q in the title %q", want, g.Title)
		}
	}
	fs := panel(g, "F_s")
	seen := map[[2]int]bool{}
	for _, c := range fs.Curves {
		seen[[2]int{c.Entry, c.Dashes}] = true
		mean, low := 0.5*(1/(1+100./101)+1/(1+100./102)), math.Abs(1/(1+100./101)-1/(1+100./102))/2 // of two, the standard error is half the difference
		if math.Abs(c.Y[3]-mean) > 1e-12 || math.Abs(c.Y[3]-c.Low[3]-low) > 1e-12 || math.Abs(c.High[3]-c.Y[3]-low) > 1e-12 {
			t.Errorf("F_s(100) = %g in [%g, %g]: want %g, off by %g", c.Y[3], c.Low[3], c.High[3], mean, low)
		}
	}
	if len(fs.Curves) != 6 || len(seen) != 6 {
		t.Errorf("%d curves of F_s, %d of a look of their own: want 6", len(fs.Curves), len(seen))
	}
	tau := panel(g, "relaxation time")
	if len(tau.Curves) != 2 || !slices.Equal(tau.Curves[0].X, []float64{0.25, 0.2, 0.14}) || !slices.Equal(tau.Curves[0].Bounds, []int{0, 0, 1}) || !slices.Equal(tau.Curves[1].Bounds, []int{0, 0, 0}) {
		t.Fatalf("%+v", tau.Curves)
	}
	if y := tau.Curves[0].Y[0]; math.Abs(y-100*math.Exp(1.5)) > 1e-9 {
		t.Errorf("tau = %g, want the geometric mean", y)
	}
	for _, y := range []string{"energy", "exchanges", "S(k)"} {
		if panel(g, y) != nil {
			t.Errorf("a panel of %s, which was not measured", y)
		}
	}
	if err := g.Draw(io.Discard, report.SVG); err != nil {
		t.Error(err)
	}
}

// A run with swaps alone is not drawn as one without.
func TestDiagramsOfOneRun(t *testing.T) {
	r := drawn(t, 0.2, "diameters:S p=0.2", 1, true)
	r.Result.S = &S{[]float64{1, 2}, []float64{0.1, 0.2}}
	files := fstest.MapFS{"runs/0000/inherent.csv": {Data: []byte("sweep,energy_per_particle,largest_force,steps\n10,0.3,1e-9,40\n20,0.25,1e-9,50\n")}}
	g := Diagrams(files, []*Record{r})
	if len(g.Legend) != 1 || g.Legend[0].Hue != report.Blue {
		t.Errorf("legend %+v: want swaps in blue", g.Legend)
	}
	if !strings.Contains(g.Title, "T = 0.2") {
		t.Errorf("no temperature in the title %q", g.Title)
	}
	if p := panel(g, "energy of inherent structures"); p == nil || !slices.Equal(p.Curves[0].X, []float64{10, 20}) || !slices.Equal(p.Curves[0].Y, []float64{0.3, 0.25}) {
		t.Errorf("inherent structures: %+v", p)
	}
	if p := panel(g, "S(k)"); p == nil || !slices.Equal(p.Curves[0].Y, []float64{0.1, 0.2}) {
		t.Errorf("S(k): %+v", p)
	}
	if c := panel(g, "F_s").Curves[0]; c.Low != nil {
		t.Error("a band of one seed")
	}
	files["runs/0000/inherent.csv"].Data = []byte("sweep,energy_per_particle\n10,much\n")
	if p := panel(Diagrams(files, []*Record{r}), "energy of inherent structures"); p != nil {
		t.Errorf("a panel from a damaged file: %+v", p)
	}
}

// A ladder shows energies and exchanges between neighbours, and nothing that it does not measure.
func TestDiagramsOfTempering(t *testing.T) {
	ladder := []float64{0.1, 0.2, 0.4}
	var records []*Record
	for i, temperature := range ladder {
		r := drawn(t, temperature, "", 1, false)
		r.Config.Tempering = &Rung{10, ladder, i}
		r.Result.Curves, r.Result.Tau = dynamics.Curves{}, Time{}
		r.Result.Exchanges = &Exchanges{RoundTrips: 3}
		if i < 2 {
			r.Result.Exchanges.Next = &Rate{10, int64(i + 1), speedup.Number(0.1 * float64(i+1))}
		}
		r.Result.InherentEnergyPerParticle = &Value{Mean: speedup.Number(temperature / 2), Error: 0.02}
		records = append(records, r)
	}
	g := Diagrams(fstest.MapFS{}, records)
	var got []string
	for _, p := range g.Panels {
		got = append(got, p.Y)
		for _, c := range p.Curves {
			if len(c.X) == 0 || len(c.X) != len(c.Y) {
				t.Errorf("%s: a curve of %d and %d numbers", p.Y, len(c.X), len(c.Y))
			}
		}
	}
	if want := []string{"g(r)", "energy a particle", "energy of inherent structures", "exchanges accepted"}; !slices.Equal(got, want) {
		t.Fatalf("panels %q, want %q", got, want)
	}
	x := panel(g, "exchanges").Curves[0]
	if len(x.X) != 2 || math.Abs(x.X[0]-0.3) > 1e-12 || math.Abs(x.X[1]-0.15) > 1e-12 || !slices.Equal(x.Y, []float64{0.2, 0.1}) || !strings.HasSuffix(panel(g, "exchanges").X, "round trips: 3") {
		t.Errorf("%+v, %s", x, panel(g, "exchanges").X)
	}
	e := panel(g, "energy a").Curves[0]
	if e.X[0] != 0.4 || e.Y[0] != 0.5 || math.Abs(e.Low[0]-0.49) > 1e-12 || !e.Bars {
		t.Errorf("energies %+v", e)
	}
	if !strings.Contains(g.Title, "exchanges every 10 sweeps") || strings.Contains(g.Title, "k =") {
		t.Errorf("title %q", g.Title)
	}
}
