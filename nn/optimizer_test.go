package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A textbook is one parameter's update by an optimiser, in float64, as the
// papers and PyTorch's documentation write it: step t counts from 1.
type textbook func(t int, w, g, lr float64) float64

func sgdTextbook(mu, decay float64, nesterov bool) textbook {
	var v float64
	return func(t int, w, g, lr float64) float64 {
		g += decay * w
		if t == 1 {
			v = g
		} else {
			v = mu*v + g
		}
		if nesterov {
			return w - lr*(g+mu*v)
		}
		return w - lr*v
	}
}

func adamTextbook(b1, b2, eps, coupled, apart float64) textbook {
	var m, v float64
	return func(t int, w, g, lr float64) float64 {
		w *= 1 - lr*apart
		g += coupled * w
		m = b1*m + (1-b1)*g
		v = b2*v + (1-b2)*g*g
		return w - lr*(m/(1-math.Pow(b1, float64(t))))/(math.Sqrt(v/(1-math.Pow(b2, float64(t))))+eps)
	}
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

func signumTextbook(beta, decay float64) textbook {
	var m float64
	return func(_ int, w, g, lr float64) float64 {
		m = beta*m + (1-beta)*g
		return w - lr*(sign(m)+decay*w)
	}
}

// signed is sgd at the learning rate top plus a sign step.
func signed(mu, decay float64, nesterov bool, step, top float64) textbook {
	sgd := sgdTextbook(mu, decay, nesterov)
	var m float64
	return func(t int, w, g, lr float64) float64 {
		if mu == 0 {
			m = 0.9*m + 0.1*g
		} else {
			m = mu*m + g + decay*w
		}
		return sgd(t, w, g, lr) - step*lr/top*sign(m)
	}
}

func TestOptimizers(t *testing.T) {
	const n, steps = 53, 40
	for _, c := range []struct {
		o    Optimizer
		make func() textbook
	}{
		{Optimizer{Name: "sgd", LR: 0.1}, func() textbook { return sgdTextbook(0, 0, false) }},
		{Optimizer{Name: "gd", LR: 0.1}, func() textbook { return sgdTextbook(0, 0, false) }},
		{Optimizer{Name: "langevin", LR: 0.1}, func() textbook { return sgdTextbook(0, 0, false) }}, // T = 0
		{Optimizer{Name: "sgd", LR: 0.1, WeightDecay: 0.3}, func() textbook { return sgdTextbook(0, 0.3, false) }},
		{Optimizer{Name: "sgd", LR: 0.02, Momentum: 0.9, WeightDecay: 0.3}, func() textbook { return sgdTextbook(0.9, 0.3, false) }},
		{Optimizer{Name: "sgd", LR: 0.02, Momentum: 0.8, WeightDecay: 0.3, Nesterov: true}, func() textbook { return sgdTextbook(0.8, 0.3, true) }},
		{Optimizer{Name: "adam", LR: 0.02}, func() textbook { return adamTextbook(0.9, 0.999, 1e-8, 0, 0) }},
		{Optimizer{Name: "adam", LR: 0.02, Beta1: 0.7, Beta2: 0.95, Epsilon: 0.01, WeightDecay: 0.2}, func() textbook { return adamTextbook(0.7, 0.95, 0.01, 0.2, 0) }},
		{Optimizer{Name: "adamw", LR: 0.02}, func() textbook { return adamTextbook(0.9, 0.999, 1e-8, 0, 0.01) }},
		{Optimizer{Name: "adamw", LR: 0.02, WeightDecay: 0.5}, func() textbook { return adamTextbook(0.9, 0.999, 1e-8, 0, 0.5) }},
		{Optimizer{Name: "signum", LR: 0.01}, func() textbook { return signumTextbook(0.9, 0) }},
		{Optimizer{Name: "signum", LR: 0.01, Momentum: 0.6, WeightDecay: 0.3}, func() textbook { return signumTextbook(0.6, 0.3) }},
		{Optimizer{Name: "sgd", LR: 0.1, Sign: 0.03}, func() textbook { return signed(0, 0, false, 0.03, 0.1) }},
		{Optimizer{Name: "sgd", LR: 0.1, Sign: 0.03, WeightDecay: 0.3}, func() textbook { return signed(0, 0.3, false, 0.03, 0.1) }},
		{Optimizer{Name: "sgd", LR: 0.02, Sign: 0.03, Momentum: 0.9, WeightDecay: 0.3}, func() textbook { return signed(0.9, 0.3, false, 0.03, 0.02) }},
		{Optimizer{Name: "sgd", LR: 0.02, Sign: 0.03, Momentum: 0.8, Nesterov: true}, func() textbook { return signed(0.8, 0, true, 0.03, 0.02) }},
		{Optimizer{Name: "none"}, func() textbook { return func(_ int, w, _, _ float64) float64 { return w } }},
		{Optimizer{Name: "none", LR: 0.1}, func() textbook { return func(_ int, w, _, _ float64) float64 { return w } }},
	} {
		u, err := c.o.New(n)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 1))
		w, g := make([]float32, n), make([]float32, n)
		for i := range w {
			w[i] = float32(r.NormFloat64())
		}
		want := widen(w)
		books := make([]textbook, n)
		for i := range books {
			books[i] = c.make()
		}
		for s := 1; s <= steps; s++ {
			lr := c.o.LR * (1 + 0.5*math.Sin(float64(s))) // a schedule
			for i := range g {
				g[i] = float32(r.NormFloat64())
				want[i] = books[i](s, want[i], float64(g[i]), lr)
			}
			u.Update(w, g, lr, r)
		}
		for i := range w {
			if math.Abs(float64(w[i])-want[i]) > 1e-5 {
				t.Errorf("%+v: w[%d] = %v, want %v", c.o, i, w[i], want[i])
				break
			}
		}
		if u.Steps() != steps {
			t.Errorf("%+v: %d steps", c.o, u.Steps())
		}
	}
}

// Entries whose gradient has always been 0 stay where they are.
func TestSignOfZero(t *testing.T) {
	for _, o := range []Optimizer{{Name: "signum", LR: 1}, {Name: "sgd", LR: 1, Sign: 1}, {Name: "sgd", LR: 1, Sign: 1, Momentum: 0.9}} {
		const n = 19
		u, err := o.New(n)
		if err != nil {
			t.Fatal(err)
		}
		w, g := make([]float32, n), make([]float32, n)
		g[2], g[n-1] = 1, -1
		for range 3 {
			u.Update(w, g, 1, nil)
		}
		for i, v := range w {
			if (v != 0) != (g[i] != 0) {
				t.Errorf("%+v: w[%d] = %v with the gradient %v", o, i, v, g[i])
			}
		}
	}
}

// An optimiser resumed from its state goes on bit-identically.
func TestOptimizerResumes(t *testing.T) {
	const n = 20
	for _, o := range []Optimizer{{Name: "sgd", LR: 1, Momentum: 0.9}, {Name: "adam", LR: 1}, {Name: "adamw", LR: 1},
		{Name: "signum", LR: 1}, {Name: "sgd", LR: 1, Sign: 0.1}, {Name: "sgd", LR: 1, Sign: 0.1, Momentum: 0.9}} {
		r := rand.New(rand.NewPCG(1, 2))
		a, err := o.New(n)
		if err != nil {
			t.Fatal(err)
		}
		w, g := make([]float32, n), make([]float32, n)
		step := func(u *Updater, w []float32) {
			u.Update(w, g, 0.01, nil)
		}
		for range 5 {
			for i := range g {
				g[i] = float32(r.NormFloat64())
			}
			step(a, w)
		}
		b, err := o.New(n)
		if err != nil {
			t.Fatal(err)
		}
		if len(a.State()) != len(b.State()) || len(a.State()) == 0 {
			t.Fatalf("%s: state of %d and %d slices", o.Name, len(a.State()), len(b.State()))
		}
		for k, s := range a.State() {
			copy(b.State()[k], s)
		}
		b.SetSteps(a.Steps())
		again := slices.Clone(w)
		step(a, w)
		step(b, again)
		if !slices.Equal(w, again) {
			t.Errorf("%s: %v, resumed %v", o.Name, w, again)
		}
	}
}

// In the potential w^2/2 the discrete Langevin equation w' = (1-lr) w +
// sqrt(2 lr T) xi has the stationary variance T/(1 - lr/2).
func TestLangevinSamplesBoltzmann(t *testing.T) {
	const n, lr, temperature = 20000, 0.1, 0.7
	u, err := Optimizer{Name: "langevin", LR: lr, Temperature: temperature}.New(n)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 3))
	w, g := make([]float32, n), make([]float32, n)
	for range 80 { // 0.9^160 of the start is left
		copy(g, w)
		u.Update(w, g, lr, r)
	}
	var square float64
	for _, v := range w {
		square += float64(v) * float64(v) / n
	}
	want := temperature / (1 - lr/2)
	if m := mean(widen(w)); math.Abs(m) > 5*math.Sqrt(want/n) {
		t.Errorf("mean %g", m)
	}
	if math.Abs(square/want-1) > 5*math.Sqrt(2.0/n) {
		t.Errorf("variance %g, want %g", square, want)
	}
}

func TestOptimizerValidate(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		o    Optimizer
		want string
	}{
		{Optimizer{LR: 1}, `optimizer "": want one of sgd, adam`},
		{Optimizer{Name: "adamm", LR: 1}, "did you mean adam?"},
		{Optimizer{Name: "sgd"}, "lr = 0: want a learning rate above 0"},
		{Optimizer{Name: "sgd", LR: nan}, "lr = NaN"},
		{Optimizer{Name: "sgd", LR: inf}, "lr = +Inf"},
		{Optimizer{Name: "sgd", LR: 1, Momentum: 1}, "momentum = 1"},
		{Optimizer{Name: "sgd", LR: 1, Momentum: nan}, "momentum = NaN"},
		{Optimizer{Name: "sgd", LR: 1, Nesterov: true}, "nesterov needs momentum"},
		{Optimizer{Name: "sgd", LR: 1, WeightDecay: -1}, "weight-decay = -1"},
		{Optimizer{Name: "sgd", LR: 1, WeightDecay: inf}, "weight-decay = +Inf"},
		{Optimizer{Name: "sgd", LR: 1, Beta1: 0.9}, "has no beta1"},
		{Optimizer{Name: "sgd", LR: 1, Temperature: 1}, "has no temperature"},
		{Optimizer{Name: "adam", LR: 1, Momentum: 0.9}, "has no momentum"},
		{Optimizer{Name: "adam", LR: 1, Beta2: 1}, "beta2 = 1"},
		{Optimizer{Name: "adam", LR: 1, Beta1: nan}, "beta1 = NaN"},
		{Optimizer{Name: "adam", LR: 1, Epsilon: -1}, "epsilon = -1"},
		{Optimizer{Name: "adam", LR: 1, Epsilon: inf}, "epsilon = +Inf"},
		{Optimizer{Name: "langevin", LR: 1, Temperature: -1}, "temperature = -1"},
		{Optimizer{Name: "langevin", LR: 1, Temperature: inf}, "temperature = +Inf"},
		{Optimizer{Name: "gd", LR: 1, WeightDecay: 1}, "has no weight decay"},
		{Optimizer{Name: "sgd", LR: 1, Sign: -1}, "sign = -1"},
		{Optimizer{Name: "sgd", LR: 1, Sign: nan}, "sign = NaN"},
		{Optimizer{Name: "sgd", LR: 1, Sign: inf}, "sign = +Inf"},
		{Optimizer{Name: "adam", LR: 1, Sign: 1}, "adam has no sign step: want sgd"},
		{Optimizer{Name: "signum", LR: 1, Sign: 1}, "signum has no sign step"},
		{Optimizer{Name: "signum"}, "lr = 0: want a learning rate above 0"},
		{Optimizer{Name: "signum", LR: 1, Momentum: 1}, "momentum = 1"},
		{Optimizer{Name: "signum", LR: 1, Momentum: 0.9, Nesterov: true}, "signum has no nesterov"},
		{Optimizer{Name: "signun", LR: 1}, "did you mean signum?"},
		{Optimizer{Name: "none", LR: -1}, "lr = -1: want at least 0"},
		{Optimizer{Name: "none", LR: nan}, "lr = NaN"},
		{Optimizer{Name: "none", LR: inf}, "lr = +Inf"},
		{Optimizer{Name: "none", Momentum: 0.9}, "none has no momentum"},
		{Optimizer{Name: "none", WeightDecay: 1}, "none has no weight decay"},
		{Optimizer{Name: "none", Sign: 1}, "none has no sign step"},
	} {
		if err := c.o.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q in it", c.o, err, c.want)
		}
		if u, err := c.o.New(3); err == nil || u != nil {
			t.Errorf("%+v: New accepts it", c.o)
		}
	}
}

func TestSchedule(t *testing.T) {
	for _, c := range []struct {
		s                Schedule
		iteration, total int
		want             float64
	}{
		{Schedule{}, 0, 100, 1},
		{Schedule{}, 99, 100, 1},
		{Schedule{Name: "constant", Warmup: 4}, 0, 100, 0.25},
		{Schedule{Name: "constant", Warmup: 4}, 3, 100, 1},
		{Schedule{Name: "constant", Warmup: 4}, 50, 100, 1},
		{Schedule{Name: "step", Every: 30, Gamma: 0.1}, 29, 100, 1},
		{Schedule{Name: "step", Every: 30, Gamma: 0.1}, 30, 100, 0.1},
		{Schedule{Name: "step", Every: 30, Gamma: 0.1}, 99, 100, 0.001},
		{Schedule{Name: "cosine"}, 0, 100, 1},
		{Schedule{Name: "cosine"}, 50, 100, 0.5},
		{Schedule{Name: "cosine"}, 100, 100, 0},
		{Schedule{Name: "cosine"}, 200, 100, 0},
		{Schedule{Name: "cosine", Warmup: 20}, 9, 100, 0.5},
		{Schedule{Name: "cosine", Warmup: 20}, 20, 100, 1},
		{Schedule{Name: "cosine", Warmup: 20}, 40, 100, (1 + math.Sqrt2/2) / 2},
		{Schedule{Name: "cosine", Warmup: 200}, 9, 100, 0.05},
	} {
		if err := c.s.Validate(); err != nil {
			t.Error(err)
		}
		if got := c.s.Factor(c.iteration, c.total); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%+v: factor %v at %d of %d, want %v", c.s, got, c.iteration, c.total, c.want)
		}
	}
	for _, c := range []struct {
		s    Schedule
		want string
	}{
		{Schedule{Name: "cosin"}, `schedule "cosin" (did you mean cosine?)`},
		{Schedule{Warmup: -1}, "schedule constant: warmup = -1"},
		{Schedule{Name: "step", Gamma: 0.1}, "every = 0, gamma = 0.1"},
		{Schedule{Name: "step", Every: 3}, "every = 3, gamma = 0"},
		{Schedule{Name: "step", Every: 3, Gamma: math.NaN()}, "gamma = NaN"},
		{Schedule{Name: "cosine", Gamma: 0.1}, "schedule cosine: every and gamma belong to step"},
		{Schedule{Every: 1}, "schedule constant: every and gamma belong to step"},
	} {
		if err := c.s.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q in it", c.s, err, c.want)
		}
	}
}
