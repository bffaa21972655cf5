package train

import (
	"fmt"
	"slices"
	"testing"

	"swapmc/nn"
)

// A guide that follows the optimiser's average does what one does with an average of its
// own, which a protocol that carries optimiser state along makes it keep. Rounding may
// decide a pair otherwise, now and then.
func TestGuideFollowsTheOptimisersAverage(t *testing.T) {
	const guided = "weights:1SS each n=all guide=momentum window=0.2std accept=greedy"
	for _, o := range []nn.Optimizer{
		{Name: "sgd", LR: 0.05}, {Name: "sgd", LR: 0.01, Momentum: 0.9}, {Name: "sgd", LR: 0.01, Momentum: 0.9, Nesterov: true},
		{Name: "adam", LR: 0.001}, {Name: "adamw", LR: 0.001}, {Name: "signum", LR: 0.001}, {Name: "sgd", LR: 0.05, Sign: 0.001},
	} {
		shared := config(t, guided)
		shared.Optimizer = o
		own := config(t, guided, "weights:11S p=1e-12 carry=momentum") // never acts
		own.Optimizer = o
		a, b := start(t, shared, 2), start(t, own, 1)
		if a.protocols[0].Average() != nil || b.protocols[0].Average() == nil {
			t.Fatalf("%+v: who keeps the average is not as this test wants it", o)
		}
		steps(t, a, 1)
		steps(t, b, 1)
		x, y := a.Network().Params(), b.Network().Params()
		differ := 0
		for i := range x {
			if x[i] != y[i] {
				differ++
			}
		}
		if differ > len(x)/1000 {
			t.Errorf("%+v: %d of %d weights differ after one step", o, differ, len(x))
		}
		steps(t, a, 20)
		steps(t, b, 20)
		p, q := a.Evaluate(), b.Evaluate()
		if p.Accepted == 0 || float64(p.Accepted) < 0.9*float64(q.Accepted) || float64(q.Accepted) < 0.9*float64(p.Accepted) {
			t.Errorf("%+v: %d and %d swaps", o, p.Accepted, q.Accepted)
		}
	}
}

// A window in units of the learning rate follows its schedule, and one that is annealed
// closes.
func TestWindowsFollowTheRun(t *testing.T) {
	for _, c := range []struct {
		protocol string
		schedule nn.Schedule
	}{
		{"weights:1SS each n=all guide=momentum window=1lr accept=greedy", nn.Schedule{Name: "cosine"}},
		{"weights:1SS each n=all guide=momentum window=0.2std..0std ramp=cosine until=100 accept=greedy", nn.Schedule{}},
	} {
		cfg := config(t, c.protocol)
		cfg.Schedule = c.schedule
		r := start(t, cfg, 1)
		steps(t, r, 20)
		first := r.Evaluate()
		steps(t, r, 70)
		before := r.Evaluate()
		steps(t, r, 10)
		last := r.Evaluate()
		early, late := float64(first.Accepted)/20, float64(last.Accepted-before.Accepted)/10
		if early == 0 || late > 0.3*early {
			t.Errorf("%s: %g swaps an iteration at first and %g in the end", c.protocol, early, late)
		}
	}
}

func TestGuidedRunsAreTheSameOnAnyThreads(t *testing.T) {
	for _, optimizer := range []string{"sgd", "adam", "none"} {
		var want []float32
		for _, threads := range []int{1, 2, 3} {
			cfg := config(t, "weights:1SS each n=all guide=momentum window=0.2std accept=greedy", "biases:SS n=all guide=gradient accept=greedy")
			cfg.Optimizer = nn.Optimizer{Name: optimizer, LR: 0.01}
			r := start(t, cfg, threads)
			steps(t, r, 20)
			got := slices.Clone(r.Network().Params())
			if want == nil {
				want = got
			} else if !slices.Equal(want, got) {
				t.Error(fmt.Sprint(optimizer, " on ", threads, " threads differs"))
			}
		}
	}
}
