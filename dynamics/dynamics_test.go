package dynamics

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A walk is free particles that diffuse, for which all is known.
type walk struct {
	x [][3]float64
	s []float64
}

func (w *walk) N() int                    { return len(w.x) }
func (w *walk) Dim() int                  { return 3 }
func (w *walk) Position(i int) [3]float64 { return w.x[i] }
func (w *walk) Diameter(i int) float64    { return w.s[i] }

func TestFreeDiffusion(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	w := &walk{x: make([][3]float64, 4000), s: make([]float64, 4000)}
	const sigma, k = 0.05, 6.0
	rec := &Recorder{K: k, A: 0.3, Every: 50, Times: Times(200, 8)}
	for i := range w.s {
		w.s[i] = 1 + 0.1*r.NormFloat64()
	}
	for sweep := range int64(601) {
		rec.Record(w, sweep)
		for i := range w.x {
			for k := range 3 {
				w.x[i][k] += sigma * r.NormFloat64()
			}
			if r.Float64() < 0.01 { // diameters are forgotten at a known rate
				w.s[i] = 1 + 0.1*r.NormFloat64()
			}
		}
	}
	c := rec.Curves(len(w.x), 3)
	if c.Time[0] != 0 || math.Abs(c.Fs[0]-1) > 1e-9 || c.Time[len(c.Time)-1] != 200 {
		t.Fatalf("times %v, F_s %v", c.Time, c.Fs)
	}
	for i, n := range c.Time {
		v := sigma * sigma * float64(n) // variance along an axis
		for name, x := range map[string]struct{ got, want, tolerance float64 }{
			"msd":      {c.MSD[i], 3 * v, 0.03 * 3 * v},
			"F_s":      {c.Fs[i], math.Exp(-k * k * v / 2), 0.01},
			"alpha_2":  {c.Alpha2[i], 0, 0.04},
			"diameter": {c.Diameter[i], math.Pow(0.99, float64(n)), 0.03},
			"overlap":  {c.Overlap[i], within(0.3, math.Sqrt(v)), 0.015},
		} {
			if math.Abs(x.got-x.want) > x.tolerance {
				t.Errorf("%s after %d: %g, want %g", name, n, x.got, x.want)
			}
		}
		// Independent particles: N var(Q) = Q (1 - Q), with 9 to 13 waiting times.
		if q := c.Overlap[i]; c.Chi4[i] > 4*q*(1-q)+1e-9 {
			t.Errorf("chi_4 after %d: %g, want about %g", n, c.Chi4[i], q*(1-q))
		}
	}
	tau, ok := RelaxationTime(c.Time, c.Fs)
	if want := 2 / (k * k * sigma * sigma); !ok || math.Abs(tau-want) > 0.05*want {
		t.Errorf("relaxation time %g, want %g", tau, want)
	}
}

// within is the probability that a normal vector is shorter than a.
func within(a, sigma float64) float64 {
	if sigma == 0 {
		return 1
	}
	z := a / sigma
	return math.Erf(z/math.Sqrt2) - math.Sqrt(2/math.Pi)*z*math.Exp(-z*z/2)
}

func TestRelaxationTime(t *testing.T) {
	if _, ok := RelaxationTime([]int{0, 1, 10}, []float64{1, 0.9, 0.5}); ok {
		t.Error("reached by a correlation that stays above 1/e")
	}
	tau, ok := RelaxationTime([]int{0, 10, 1000}, []float64{1, 1/math.E + 0.1, 1/math.E - 0.1})
	if !ok || math.Abs(tau-100) > 1e-9 {
		t.Errorf("%g, want 100, halfway on a logarithmic scale", tau)
	}
}

func TestTimes(t *testing.T) {
	got := Times(1000, 3)
	if got[0] != 0 || got[1] != 1 || got[len(got)-1] != 1000 {
		t.Errorf("%v", got)
	}
	for i := 1; i < len(got); i++ {
		if got[i] <= got[i-1] {
			t.Errorf("%v does not ascend", got)
		}
	}
}
