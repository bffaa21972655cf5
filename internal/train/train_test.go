package train

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"swapmc/dataset"
	"swapmc/internal/safetensors"
	"swapmc/nn"
	"swapmc/swap"
)

var synth = dataset.Synth(dataset.SynthOptions{Train: 256, Test: 64, Seed: 1})

// config returns a small run under the given protocols.
func config(t *testing.T, protocols ...string) Config {
	t.Helper()
	cfg := Config{
		Network:    "conv 4 5x5 stride 2, relu, maxpool 2, linear 16, relu, linear 10",
		Optimizer:  nn.Optimizer{Name: "sgd", LR: 0.02},
		Batch:      8,
		Iterations: 100,
		Eval:       Eval{Every: 10, Train: 64, Test: 64},
		Seed:       3,
	}
	for _, text := range protocols {
		p, err := swap.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Protocols = append(cfg.Protocols, p)
	}
	return cfg
}

func start(t *testing.T, cfg Config, threads int) *Run {
	t.Helper()
	r, err := New(cfg, synth, threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func steps(t *testing.T, r *Run, n int) {
	t.Helper()
	for range n {
		if err := r.Step(); err != nil {
			t.Fatal(err)
		}
	}
}

var everything = []string{
	"features:1SA", "features:ASA p=0.5", "features:1AS each n=3 keep=true", "weights:1SA every=3 carry=momentum",
	"weights:1SS each n=all guide=momentum window=0.01 accept=greedy", "biases:1S accept=metropolis T=0.01", "params:SS n=2",
}

func TestProtocolsShareWeightsAndOrder(t *testing.T) {
	a, b := start(t, config(t), 1), start(t, config(t, everything...), 1)
	if !slices.Equal(a.Network().Params(), b.Network().Params()) {
		t.Error("initial weights differ")
	}
	for it := range 80 { // more than two epochs
		steps(t, a, 1)
		steps(t, b, 1)
		if !slices.Equal(a.index, b.index) {
			t.Fatalf("iteration %d: images %v and %v", it, a.index, b.index)
		}
	}
	if slices.Equal(a.Network().Params(), b.Network().Params()) {
		t.Error("the protocols did nothing")
	}
}

func TestEpochSeesEveryImageOnce(t *testing.T) {
	r := start(t, config(t), 1)
	seen := map[int]int{}
	for range 256 / 8 {
		steps(t, r, 1)
		for _, i := range r.index {
			seen[i]++
		}
	}
	if len(seen) != 256 {
		t.Errorf("%d of 256 images seen in one epoch", len(seen))
	}
}

func TestThreadsDoNotChangeTheResult(t *testing.T) {
	var want []float32
	for _, threads := range []int{1, 2, 3} {
		r := start(t, config(t, everything...), threads)
		steps(t, r, 30)
		if want == nil {
			want = slices.Clone(r.Network().Params())
		} else if !slices.Equal(want, r.Network().Params()) {
			t.Errorf("%d threads give other weights than one", threads)
		}
	}
}

// A run that is saved, written, read and continued ends as one that never
// stopped, bit for bit.
func TestResumeIsExact(t *testing.T) {
	for _, optimizer := range []nn.Optimizer{
		{Name: "sgd", LR: 0.02, Momentum: 0.9, Nesterov: true}, {Name: "adam", LR: 0.001},
		{Name: "langevin", LR: 0.01, Temperature: 1e-5}, {Name: "gd", LR: 0.05},
		{Name: "signum", LR: 1e-3}, {Name: "sgd", LR: 0.02, Sign: 1e-3}, {Name: "sgd", LR: 0.02, Sign: 1e-3, Momentum: 0.9}, {Name: "none"},
	} {
		cfg := config(t, everything...)
		cfg.Optimizer = optimizer
		cfg.Schedule = nn.Schedule{Name: "cosine", Warmup: 10}
		const n = 12
		whole := start(t, cfg, 1)
		steps(t, whole, n)

		for _, cut := range []int{0, 1, 7} {
			first := start(t, cfg, 1)
			steps(t, first, cut)
			first.Evaluate()
			var file bytes.Buffer
			if err := first.Save().Write(&file); err != nil {
				t.Fatal(err)
			}
			saved, err := safetensors.Read(&file)
			if err != nil {
				t.Fatal(err)
			}
			second := start(t, cfg, 2)
			steps(t, second, 3) // whatever state it is in is replaced
			if err := second.Load(saved); err != nil {
				t.Fatal(err)
			}
			steps(t, second, n-cut)
			if !slices.Equal(whole.Network().Params(), second.Network().Params()) {
				t.Errorf("%+v: cut at %d: other weights", optimizer, cut)
			}
			a, b := whole.Evaluate(), second.Evaluate()
			a.Seconds, b.Seconds = 0, 0
			if a != b {
				t.Errorf("%+v: cut at %d: %+v, want %+v", optimizer, cut, b, a)
			}
		}
	}
}

func TestLoadRefusesDamage(t *testing.T) {
	cfg := config(t, everything...)
	for name, damage := range map[string]func(*safetensors.File){
		"iteration":         func(f *safetensors.File) { f.Metadata["iteration"] = "many" },
		"of a run of 100":   func(f *safetensors.File) { f.Metadata["iteration"] = "101" },
		"stream.swap.0":     func(f *safetensors.File) { f.Metadata["stream.swap.0"] = "00" },
		"no tensor":         func(f *safetensors.File) { f.Tensors = f.Tensors[1:] },
		"swap.4.average":    func(f *safetensors.File) { f.Tensors = slices.DeleteFunc(f.Tensors, isAverage) },
		"optimizer.steps":   func(f *safetensors.File) { delete(f.Metadata, "optimizer.steps") },
		"swap.1.proposed":   func(f *safetensors.File) { delete(f.Metadata, "swap.1.proposed") },
		"image 100000 of 2": func(f *safetensors.File) { keptIndex(f)[0] = 100000 },
	} {
		r := start(t, cfg, 1)
		steps(t, r, 2)
		f := r.Save()
		damage(f)
		if err := start(t, cfg, 1).Load(f); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want it to name %q", err, name)
		}
	}
}

func isAverage(t safetensors.Tensor) bool { return strings.HasSuffix(t.Name, ".average") }

func keptIndex(f *safetensors.File) []float32 {
	t, _ := f.Tensor("kept.index")
	return t.Data
}

// Feature swaps are gone after the iteration; with keep=true they stay.
func TestFeatureSwapsAreUndone(t *testing.T) {
	clean := slices.Clone(synth.Train.Images)
	for _, keep := range []bool{false, true} {
		cfg := config(t, "features:1AS each n=20")
		cfg.Protocols[0].Keep = keep
		cfg.Optimizer.LR = 1e-9
		r := start(t, cfg, 1)
		before := r.Evaluate()
		steps(t, r, 64) // two epochs
		if !slices.Equal(clean, synth.Train.Images) {
			t.Fatal("the data set itself changed")
		}
		after := r.Evaluate()
		if math.Abs(after.TrainLoss-before.TrainLoss) > 1e-4 {
			t.Errorf("keep=%v: clean loss went from %g to %g without learning", keep, before.TrainLoss, after.TrainLoss)
		}
		again := make([]float32, r.pixels())
		r.data.Batch(again, &r.data.Train, []int{5})
		r.index[0] = 5
		r.load(r.index)
		if same := slices.Equal(again, r.images[:r.pixels()]); same == keep {
			t.Errorf("keep=%v: image 5 unchanged: %v", keep, same)
		}
	}
}

// Exchanging two units with all that hangs on them leaves the function as it is.
func TestGaugeSwapsLeaveOutputsUnchanged(t *testing.T) {
	for _, network := range []string{"mlp 32 32", "lenet", "conv 8 3x3, batchnorm, relu, maxpool 4, linear 12, relu, linear 10",
		"conv 8 3x3 stride 4, batchnorm, relu, block 8, block 16 stride 2, avgpool, linear 10"} {
		cfg := config(t, "weights:1SA gauge=true n=5")
		cfg.Network = network
		cfg.Batch = 16
		r := start(t, cfg, 1)
		steps(t, r, 5) // running statistics of batch normalisation become real
		params := slices.Clone(r.Network().Params())
		before := r.Evaluate()
		for range 20 {
			r.swap(r.free, nil)
		}
		after := r.Evaluate()
		if slices.Equal(params, r.Network().Params()) {
			t.Errorf("%s: nothing was swapped", network)
		}
		if d := math.Abs(after.TestLoss - before.TestLoss); d > 2e-5*before.TestLoss {
			t.Errorf("%s: loss %.7g became %.7g", network, before.TestLoss, after.TestLoss)
		}
		// The control of the control: without the gauge the function changes.
		cfg.Protocols[0].Gauge = false
		plain := start(t, cfg, 1)
		steps(t, plain, 5)
		before = plain.Evaluate()
		for range 20 {
			plain.swap(plain.free, nil)
		}
		if after = plain.Evaluate(); math.Abs(after.TestLoss-before.TestLoss) < 1e-4 {
			t.Errorf("%s: swaps without the gauge changed nothing: %g, %g", network, before.TestLoss, after.TestLoss)
		}
	}
}

// With the learning rate all but zero, guided swaps alone lower the loss, and
// each layer keeps its multiset of weights.
func TestGuidedSwapsAloneTrain(t *testing.T) {
	cfg := config(t, "weights:1SS each n=all guide=momentum window=0.02 accept=greedy")
	cfg.Optimizer.LR = 1e-30
	cfg.Batch, cfg.Iterations = 32, 300
	r := start(t, cfg, 1)
	before := r.Evaluate()
	layer := r.Network().Layers()[0].Weight
	weights := slices.Clone(r.Network().Params()[layer.Offset:][:layer.Len])
	steps(t, r, 300)
	after := r.Evaluate()
	if after.TrainLoss > before.TrainLoss-0.2 {
		t.Errorf("loss went from %g to %g", before.TrainLoss, after.TrainLoss)
	}
	got := slices.Clone(r.Network().Params()[layer.Offset:][:layer.Len])
	slices.Sort(weights)
	slices.Sort(got)
	if !slices.Equal(weights, got) {
		t.Error("the multiset of weights changed")
	}
	if after.Accepted == 0 || after.Accepted >= after.Proposed {
		t.Errorf("%d of %d swaps accepted", after.Accepted, after.Proposed)
	}
}

// Greedy swaps of parameters never raise the loss of the batch they see.
func TestGreedySwapsLowerTheBatchLoss(t *testing.T) {
	r := start(t, config(t, "params:1S n=4 accept=greedy"), 1)
	r.nextBatch()
	r.load(r.index)
	last := r.losses.batch()
	for range 50 {
		r.swap(r.free, r.losses.batch)
		if l := r.losses.batch(); l > last {
			t.Fatalf("loss rose from %g to %g", last, l)
		} else {
			last = l
		}
	}
	if p := r.protocols[0]; p.accepted == 0 || p.accepted == p.proposed {
		t.Errorf("%d of %d accepted", p.accepted, p.proposed)
	}
}

// The full-batch gradient is the gradient of the loss over all images.
func TestGradientDescentSeesAllImages(t *testing.T) {
	small := config(t)
	small.Optimizer.Name = "gd"
	whole := small
	whole.Batch = synth.Train.Len()
	a, b := start(t, small, 1), start(t, whole, 1)
	for range 3 {
		steps(t, a, 1)
		steps(t, b, 1)
	}
	if x, y := a.fullLoss(), b.fullLoss(); math.Abs(x-y) > 1e-6 {
		t.Errorf("loss %.9g in parts, %.9g at once", x, y)
	}
	for k, x := range a.Network().Params() {
		if y := b.Network().Params()[k]; math.Abs(float64(x-y)) > 1e-6 {
			t.Fatalf("parameter %d is %g in parts, %g at once", k, x, y)
		}
	}
}

func TestDivergenceIsReported(t *testing.T) {
	cfg := config(t)
	cfg.Optimizer.LR = 1e12
	r := start(t, cfg, 1)
	for range 100 {
		if err := r.Step(); err != nil {
			if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "iteration") {
				t.Errorf("error %v", err)
			}
			return
		}
	}
	t.Error("a learning rate of 1e12 did not diverge")
}

func TestNewRefuses(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"batch = 0":      func(c *Config) { c.Batch = 0 },
		"batch = 1000":   func(c *Config) { c.Batch = 1000 },
		"iterations = 0": func(c *Config) { c.Iterations = 0 },
		"eval.every = 0": func(c *Config) { c.Eval.Every = 0 },
		"eval: -1":       func(c *Config) { c.Eval.Train = -1 },
		"network has no": func(c *Config) { c.Protocols = []swap.Protocol{{Target: swap.Diameters, Code: "S"}} },
		"agree in size":  func(c *Config) { c.Protocols = []swap.Protocol{{Target: swap.Weights, Code: "SAA"}} },
		`no layer "9"`: func(c *Config) {
			c.Protocols = []swap.Protocol{{Target: swap.Weights, Code: "1SA", Layer: []string{"9"}}}
		},
		"ends after 100 iterations, before from=100": func(c *Config) {
			c.Protocols = []swap.Protocol{{Target: swap.Features, Code: "1SA", From: 100}}
		},
		"lenett":                func(c *Config) { c.Network = "lenett" },
		"cross":                 func(c *Config) { c.Loss = "cross" },
		"magic":                 func(c *Config) { c.Optimizer.Name = "magic" },
		"kaiming":               func(c *Config) { c.Init = "kaiming" },
		"slowly":                func(c *Config) { c.Schedule.Name = "slowly" },
		"at least two images: ": func(c *Config) { c.Batch = 1; c.Protocols = []swap.Protocol{{Target: swap.Features, Code: "SAA"}} },
	} {
		cfg := config(t)
		change(&cfg)
		if err := Check(cfg, synth); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want it to contain %q", err, want)
		}
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	cfg := config(t, everything...)
	r := start(t, cfg, 1)
	steps(t, r, 2)
	// An epoch's order is drawn anew once an epoch; stay within one.
	if n := testing.AllocsPerRun(20, func() {
		if err := r.Step(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a step", n)
	}
}

// BenchmarkIteration measures an iteration of lenet at batch 128 with and without
// swaps. Run it with -count 5 and compare the medians.
func BenchmarkIteration(b *testing.B) {
	for _, text := range []string{"none", "features:1SA", "features:ASA p=0.5", "features:1AS n=64", "weights:1SA",
		"weights:1SS each n=all guide=momentum window=0.01 accept=greedy", "weights:11S each n=all every=20 guide=lookahead",
		"weights:11S each n=all guide=momentum cycles window=0.01 accept=greedy", "weights:1SS propose=gradient accept=metropolis T=1e-4"} {
		b.Run(strings.ReplaceAll(text, " ", ","), func(b *testing.B) {
			list, err := swap.ParseList(text)
			if err != nil {
				b.Fatal(err)
			}
			r, err := New(Config{Network: "lenet", Optimizer: nn.Optimizer{Name: "sgd", LR: 0.001}, Batch: 128,
				Iterations: 1 << 30, Eval: Eval{Every: 100}, Protocols: list, Seed: 1}, synth, 1)
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			for b.Loop() {
				if err := r.Step(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
