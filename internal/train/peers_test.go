package train

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"swapmc/internal/safetensors"
	"swapmc/nn"
)

// withNorm has running statistics, which a proposal must not move.
const withNorm = "conv 4 5x5 stride 2, batchnorm, relu, maxpool 2, linear 16, relu, linear 10"

var slower = []string{
	"weights:11S each n=all every=4 guide=lookahead", "weights:A1S n=all guide=momentum cycles subset=12 window=0.02 accept=greedy carry=momentum",
	"weights:1SS n=3 propose=gradient pairs=8 accept=metropolis T=0.01", "params:SS propose=gradient accept=metropolis T=1 carry=momentum",
	"features:1AS n=30 until=0.98L",
}

// again returns a run that was saved, written, read and loaded into one that had
// begun otherwise.
func again(t *testing.T, r *Run, threads int) *Run {
	t.Helper()
	var file bytes.Buffer
	if err := r.Save().Write(&file); err != nil {
		t.Fatal(err)
	}
	saved, err := safetensors.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	second := start(t, r.cfg, threads)
	steps(t, second, 3)
	if err := second.Load(saved); err != nil {
		t.Fatal(err)
	}
	return second
}

func TestResumeOfPeersIsExact(t *testing.T) {
	for _, optimizer := range []nn.Optimizer{{Name: "sgd", LR: 0.02, Momentum: 0.9}, {Name: "adam", LR: 0.001}, {Name: "gd", LR: 0.05}} {
		if testing.Short() && optimizer.Name == "gd" {
			continue // each of its proposals sees all images
		}
		cfg := config(t, slower...)
		cfg.Network, cfg.Optimizer = withNorm, optimizer
		const n = 10
		whole := start(t, cfg, 1)
		steps(t, whole, n)
		for _, cut := range []int{0, 1, 6} {
			first := start(t, cfg, 1)
			steps(t, first, cut)
			second := again(t, first, 2)
			steps(t, second, n-cut)
			if !slices.Equal(whole.Network().Params(), second.Network().Params()) || !slices.Equal(whole.Network().Buffers(), second.Network().Buffers()) {
				t.Errorf("%s: cut at %d: other weights", optimizer.Name, cut)
			}
		}
		for k, p := range whole.protocols {
			if p.accepted == 0 {
				t.Errorf("%s: protocol %s did nothing", optimizer.Name, cfg.Protocols[k])
			}
		}
	}
}

func TestPeersAllocateNothing(t *testing.T) {
	for _, optimizer := range []string{"sgd", "gd"} {
		cfg := config(t, slower...)
		cfg.Optimizer.Name = optimizer
		r := start(t, cfg, 1)
		steps(t, r, 2)
		if n := testing.AllocsPerRun(10, func() {
			if err := r.Step(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a step", optimizer, n)
		}
	}
}

// After each event every row of every layer holds its initial weights, and between
// events the optimiser is free; the loss falls nevertheless.
func TestLookaheadTrains(t *testing.T) {
	cfg := config(t, "weights:11S each n=all every=10 guide=lookahead")
	cfg.Optimizer = nn.Optimizer{Name: "adam", LR: 0.003}
	cfg.Batch, cfg.Iterations = 32, 301
	r := start(t, cfg, 1)
	layer := r.Network().Layers()[1]
	row := func(k int) []float32 {
		x := slices.Clone(r.Network().Params()[layer.Weight.Offset+k*layer.Cols:][:layer.Cols])
		slices.Sort(x)
		return x
	}
	before := r.Evaluate()
	initial, unsorted := row(3), slices.Clone(r.Network().Params())
	for it := range 301 {
		steps(t, r, 1)
		if got := slices.Equal(row(3), initial); got != (it%10 == 0) {
			t.Fatalf("iteration %d: row has its initial values: %v", it, got)
		}
	}
	if after := r.Evaluate(); after.TrainLoss > before.TrainLoss-0.2 {
		t.Errorf("loss went from %g to %g", before.TrainLoss, after.TrainLoss)
	}
	if slices.Equal(unsorted[layer.Weight.Offset:][:layer.Cols], r.Network().Params()[layer.Weight.Offset:][:layer.Cols]) {
		t.Error("a row was not permuted")
	}
}

// With the learning rate all but zero, cycles alone lower the loss.
func TestCyclesAloneTrain(t *testing.T) {
	cfg := config(t, "weights:11S each n=all guide=momentum cycles window=0.05 accept=greedy")
	cfg.Optimizer.LR = 1e-30
	cfg.Batch, cfg.Iterations = 32, 300
	r := start(t, cfg, 1)
	before := r.Evaluate()
	steps(t, r, 300)
	if after := r.Evaluate(); after.TrainLoss > before.TrainLoss-0.1 {
		t.Errorf("loss went from %g to %g", before.TrainLoss, after.TrainLoss)
	}
}

// A proposal takes the gradient at the present state, and leaves nothing behind
// where all are refused: a window that forbids all pairs changes no bit of the run.
func TestProposalsByGradientLeaveNoTrace(t *testing.T) {
	for _, optimizer := range []string{"sgd", "gd"} {
		run := func(protocols ...string) *Run {
			cfg := config(t, protocols...)
			cfg.Network, cfg.Optimizer.Name = withNorm, optimizer
			r := start(t, cfg, 1)
			steps(t, r, 8)
			return r
		}
		without, with := run(), run("weights:1SS n=3 propose=gradient window=1e-12 accept=metropolis T=1")
		if with.protocols[0].proposed != 24 || with.protocols[0].accepted != 0 {
			t.Fatalf("%d proposed, %d accepted", with.protocols[0].proposed, with.protocols[0].accepted)
		}
		if !slices.Equal(without.Network().Params(), with.Network().Params()) || !slices.Equal(without.Network().Buffers(), with.Network().Buffers()) {
			t.Errorf("%s: refused proposals changed the run", optimizer)
		}
	}
}

// The energy of such a proposal is the loss that a plain one sees, with its
// gradient: of the batch, or of all images.
func TestEnergyWithGradient(t *testing.T) {
	cfg := config(t)
	cfg.Network = withNorm
	r := start(t, cfg, 1)
	steps(t, r, 3)
	r.nextBatch()
	r.load(r.index)
	buffers := slices.Clone(r.Network().Buffers())
	loss, plain := r.losses.gradient(), r.losses.batch()
	if math.Abs(loss-plain) > 1e-6 || !slices.Equal(buffers, r.Network().Buffers()) {
		t.Errorf("loss %g with the gradient, %g without", loss, plain)
	}
	got := slices.Clone(r.Network().Grads())
	r.Network().Step(r.images, r.labels)
	if !slices.Equal(got, r.Network().Grads()) {
		t.Error("the gradient is not that of a step")
	}
	if slices.Equal(buffers, r.Network().Buffers()) {
		t.Error("a step moves no running statistics: nothing was tested")
	}

	cfg.Optimizer.Name = "gd"
	r = start(t, cfg, 1)
	loss, plain = r.losses.gradient(), r.losses.all()
	got = slices.Clone(r.Network().Grads())
	if again := r.fullGradient(); math.Abs(loss-again) > 1e-6 || math.Abs(loss-plain) > 1e-6 {
		t.Errorf("loss %g with the gradient, %g without, %g in a step", loss, plain, again)
	}
	for k, g := range r.Network().Grads() {
		if math.Abs(float64(g-got[k])) > 1e-6 {
			t.Fatalf("gradient %d is %g, %g in a step", k, got[k], g)
		}
	}
}

// A protocol with until=0.9L stops when the loss has fallen so far, at the same
// iteration after a resume at any point; one that never comes so far is a protocol
// without.
func TestUntilLossStopsSwaps(t *testing.T) {
	cfg := config(t, "weights:1SS n=5 until=0.95L")
	cfg.Optimizer = nn.Optimizer{Name: "sgd", LR: 0.05, Momentum: 0.9}
	cfg.Batch, cfg.Iterations = 32, 400
	whole := start(t, cfg, 1)
	ended := -1
	for it := range 200 {
		steps(t, whole, 1)
		p := whole.protocols[0]
		if p.Progress().Ended && ended < 0 {
			ended = it
		}
		want := int64(5 * (it + 1))
		if ended >= 0 {
			want = int64(5 * (ended + 1))
		}
		if p.proposed != want {
			t.Fatalf("iteration %d: %d swaps, want %d", it, p.proposed, want)
		}
	}
	if ended < 25 || ended > 190 {
		t.Fatalf("ended at %d: nothing was tested", ended)
	}
	for _, cut := range []int{0, 7, 20, ended - 1, ended, ended + 1, ended + 2} {
		first := start(t, cfg, 1)
		steps(t, first, cut)
		second := again(t, first, 1)
		steps(t, second, 200-cut)
		if *second.protocols[0].Progress() != *whole.protocols[0].Progress() || !slices.Equal(whole.Network().Params(), second.Network().Params()) {
			t.Errorf("cut at %d: another run", cut)
		}
	}
	never, plain := config(t, "weights:1SS n=5 until=0.001L"), config(t, "weights:1SS n=5")
	a, b := start(t, never, 1), start(t, plain, 1)
	steps(t, a, 60)
	steps(t, b, 60)
	if !slices.Equal(a.Network().Params(), b.Network().Params()) {
		t.Error("until= changed the run before its end")
	}
}

func TestLoadRefusesDamagedProgress(t *testing.T) {
	r := start(t, config(t, "weights:1SS until=0.9L"), 1)
	steps(t, r, 2)
	f := r.Save()
	for _, damage := range []string{"", "{", `{"Seen":"many"}`} {
		f.Metadata["swap.0.progress"] = damage
		if err := start(t, r.cfg, 1).Load(f); err == nil || !strings.Contains(err.Error(), "swap.0.progress") {
			t.Errorf("%q: error %v", damage, err)
		}
	}
}
