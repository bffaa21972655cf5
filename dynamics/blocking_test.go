package dynamics

import (
	"math"
	"math/rand/v2"
	"testing"
)

// An autoregressive is a series with the mean 0 and the variance 1 that forgets itself in tau
// steps, and white noise of which so large a part of the variance is.
type autoregressive struct{ tau, noise float64 }

// error of the mean of n values, exactly.
func (a autoregressive) error(n int) float64 {
	phi, m := math.Exp(-1/a.tau), float64(n)
	slow := (m*(1+phi)/(1-phi) - 2*phi*(1-math.Pow(phi, m))/((1-phi)*(1-phi))) / (m * m)
	return math.Sqrt((1-a.noise)*slow + a.noise/m)
}

func (a autoregressive) draw(n int, r *rand.Rand) []float64 {
	phi := math.Exp(-1 / a.tau)
	x, v := make([]float64, n), r.NormFloat64()
	for i := range x {
		v = phi*v + math.Sqrt(1-phi*phi)*r.NormFloat64()
		x[i] = math.Sqrt(1-a.noise)*v + math.Sqrt(a.noise)*r.NormFloat64()
	}
	return x
}

// Series of known error: how often the error is trusted, and how often the mean is then within one and two
// errors of the truth. Of a normal distribution that is 68% and 95%.
func TestAverageIsHonest(t *testing.T) {
	const series = 1000
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		a           autoregressive
		n           int
		least, most float64 // trusted
		one, two    float64 // of these, within one error and two, at least
	}{
		// Long: trusted, and right.
		{autoregressive{0.01, 0}, 256, 0.97, 1, 0.65, 0.93},
		{autoregressive{0.01, 0}, 3000, 0.97, 1, 0.65, 0.93},
		{autoregressive{2, 0}, 1000, 0.94, 1, 0.6, 0.92},
		{autoregressive{8, 0}, 4096, 0.96, 1, 0.64, 0.93},
		{autoregressive{8, 0.7}, 4096, 0.96, 1, 0.64, 0.93},
		{autoregressive{32, 0}, 4096, 0.94, 1, 0.58, 0.9},
		{autoregressive{32, 0.7}, 4096, 0.94, 1, 0.58, 0.9},
		// 32 integrated correlation times: the worst that is mostly trusted.
		{autoregressive{4, 0}, 256, 0.75, 0.95, 0.5, 0.84},
		{autoregressive{64, 0}, 4096, 0.75, 0.95, 0.5, 0.84},
		// Short: the error is far too small, and it is known.
		{autoregressive{64, 0}, 1000, 0, 0.02, 0, 0},
		{autoregressive{64, 0.7}, 1000, 0, 0.02, 0, 0},
		{autoregressive{512, 0}, 4096, 0, 0.04, 0, 0},
		{autoregressive{1000, 0}, 1000, 0, 0.02, 0, 0},
	} {
		want := c.a.error(c.n)
		trusted, one, two, sum := 0.0, 0.0, 0.0, 0.0
		for range series {
			e := Average(c.a.draw(c.n, r))
			sum += e.Error / series
			if !e.Plateau {
				continue
			}
			trusted++
			if math.Abs(e.Mean) < e.Error {
				one++
			}
			if math.Abs(e.Mean) < 2*e.Error {
				two++
			}
		}
		t.Logf("tau %g, noise %g, n = %d: trusted %.1f%%, of these within one error %.1f%%, within two %.1f%%; mean error %.2f of the true one",
			c.a.tau, c.a.noise, c.n, 100*trusted/series, 100*one/trusted, 100*two/trusted, sum/want)
		if p := trusted / series; p < c.least || p > c.most {
			t.Errorf("tau %g, noise %g, n = %d: %.1f%% of the errors are trusted, want %g%% to %g%%", c.a.tau, c.a.noise, c.n, 100*p, 100*c.least, 100*c.most)
		}
		if trusted > series/10 && (one/trusted < c.one || two/trusted < c.two) {
			t.Errorf("tau %g, noise %g, n = %d: %.1f%% within one error and %.1f%% within two, want %g%% and %g%%", c.a.tau, c.a.noise, c.n, 100*one/trusted, 100*two/trusted, 100*c.one, 100*c.two)
		}
		if c.least > 0.9 && (sum < 0.88*want || sum > 1.15*want) {
			t.Errorf("tau %g, noise %g, n = %d: error %g on the average, want %g", c.a.tau, c.a.noise, c.n, sum, want)
		}
	}
}

func TestAverageOfFew(t *testing.T) {
	if e := Average([]float64{3}); e.Mean != 3 || !math.IsNaN(e.Error) || e.Plateau {
		t.Errorf("one value: %+v", e)
	}
	if e := Average(nil); e.Mean != 0 || !math.IsNaN(e.Error) || e.Plateau {
		t.Errorf("no value: %+v", e)
	}
	if e := Average([]float64{1, 3}); e.Mean != 2 || math.Abs(e.Error-1) > 1e-12 || e.Plateau {
		t.Errorf("two values: %+v, want 2 with an error of 1", e)
	}
	constant := make([]float64, 1000)
	for i := range constant {
		constant[i] = 0.1
	}
	if e := Average(constant); math.Abs(e.Mean-0.1) > 1e-12 || e.Error != 0 || !e.Plateau {
		t.Errorf("a constant: %+v", e)
	}
	// A trend has no plateau.
	r := rand.New(rand.NewPCG(5, 6))
	for i := range constant {
		constant[i] = float64(i)/200 + r.NormFloat64()
	}
	if e := Average(constant); e.Plateau {
		t.Errorf("a trend: %+v", e)
	}
}
