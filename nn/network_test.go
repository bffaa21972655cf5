package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"swapmc/internal/safetensors"
)

// everything has each kind of layer, on sizes that threads do not divide.
const everything = "conv 5 3x3 pad 1, batchnorm, relu, block 5, block 7 stride 2, maxpool 2, conv 6 2x2, tanh, linear 33, batchnorm, sigmoid, linear 9, relu, linear classes"

// large has layers that go through Winograd's transforms, with one span a group and with several, and linear ones whose units
// are halved.
const large = "conv 16 3x3 pad 1, relu, conv 16 3x3 pad 1, relu, maxpool 2, block 16, maxpool 2, block 64, linear 300, relu, linear 257, relu, linear 512, linear classes"

// Training gives the same bits whatever the number of threads.
func TestThreadsDoNotChangeBits(t *testing.T) {
	t.Run("everything", func(t *testing.T) {
		threadsDoNotChangeBits(t, everything, Options{Input: Shape{3, 10, 11}, Batch: 11}, []int{1, 2, 3, 5, 16}, CrossEntropy, QuadraticHinge)
	})
	t.Run("many groups", func(t *testing.T) {
		threadsDoNotChangeBits(t, everything, Options{Input: Shape{3, 10, 11}, Batch: 130}, []int{1, 2, 11, 32}, CrossEntropy)
	})
	t.Run("large", func(t *testing.T) {
		threadsDoNotChangeBits(t, large, Options{Input: Shape{3, 32, 32}, Batch: 26}, []int{1, 2, 8}, CrossEntropy)
	})
	t.Run("bf16", func(t *testing.T) {
		skipWithoutBFloats(t)
		threadsDoNotChangeBits(t, rounding, Options{Input: Shape{3, 16, 16}, Batch: 70, Precision: BF16}, []int{1, 2, 5, 16}, CrossEntropy)
	})
}

func threadsDoNotChangeBits(t *testing.T, text string, opt Options, numbers []int, losses ...Loss) {
	in, batch := opt.Input, opt.Batch
	for _, loss := range losses {
		var params, buffers []float32
		var losses []float64
		for _, threads := range numbers {
			opt.Classes, opt.Threads, opt.Loss = 4, threads, loss
			n := build(t, text, opt)
			r := rand.New(rand.NewPCG(3, 4))
			if err := n.Init("", r); err != nil {
				t.Fatal(err)
			}
			opt, err := Optimizer{Name: "sgd", LR: 0.05, Momentum: 0.9}.New(len(n.Params()))
			if err != nil {
				t.Fatal(err)
			}
			var got []float64
			for i := range 4 {
				x, labels := randomBatch(in, 4, batch-i, r) // and batches that are not full
				got = append(got, n.Step(x, labels))
				opt.Update(n.Params(), n.Grads(), 0.05, nil)
				sum, _ := n.Evaluate(x, labels)
				got = append(got, n.Loss(x, labels), sum)
			}
			if params == nil {
				params, buffers, losses = n.Params(), n.Buffers(), got
				continue
			}
			if !slices.Equal(losses, got) || !slices.Equal(params, n.Params()) || !slices.Equal(buffers, n.Buffers()) {
				t.Errorf("%v: %d threads give other bits than one: losses %v, want %v", loss, threads, got, losses)
			}
		}
	}
}

// With so many units the gradient of the inputs is made of two halves, behind a convolution as behind a linear layer: along
// that of each layer the loss changes by its square.
func TestGradientInHalves(t *testing.T) {
	in := Shape{2, 7, 6}
	n := build(t, "conv 3 3x3, tanh, linear 260, relu, linear 257, linear 256, relu, linear classes", Options{Input: in, Classes: 3, Batch: 9, Threads: 2})
	r := rand.New(rand.NewPCG(29, 1))
	if err := n.Init("he", r); err != nil {
		t.Fatal(err)
	}
	x, labels := randomBatch(in, 3, 7, r)
	n.Gradient(x, labels)
	grads, params := slices.Clone(n.Grads()), slices.Clone(n.Params())
	for _, l := range n.Layers() {
		g, w := grads[l.Weight.Offset:][:l.Weight.Len], n.Params()[l.Weight.Offset:][:l.Weight.Len]
		var square float64
		for _, v := range g {
			square += float64(v) * float64(v)
		}
		step := 3e-3 / math.Sqrt(square)
		var losses [2]float64
		for i, sign := range []float64{1, -1} {
			for k, v := range g {
				w[k] = params[l.Weight.Offset+k] + float32(sign*step*float64(v))
			}
			losses[i] = n.Loss(x, labels)
		}
		copy(w, params[l.Weight.Offset:])
		if got := (losses[0] - losses[1]) / (2 * step); math.Abs(got/square-1) > 0.01 {
			t.Errorf("layer %s: %v by differences, want %v", l.Name, got, square)
		}
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	const batch = 8
	in := Shape{3, 10, 10}
	for _, threads := range []int{1, 2} {
		for _, o := range []Optimizer{{Name: "sgd", LR: 0.1}, {Name: "sgd", LR: 0.1, Momentum: 0.9, Nesterov: true}, {Name: "adam", LR: 0.1}, {Name: "langevin", LR: 0.1, Temperature: 1e-6}, {Name: "signum", LR: 0.1}, {Name: "sgd", LR: 0.1, Sign: 0.1}, {Name: "none"}} {
			n := build(t, everything, Options{Input: in, Classes: 4, Batch: batch, Threads: threads})
			r := rand.New(rand.NewPCG(5, 6))
			if err := n.Init("", r); err != nil {
				t.Fatal(err)
			}
			u, err := o.New(len(n.Params()))
			if err != nil {
				t.Fatal(err)
			}
			x, labels := randomBatch(in, 4, batch, r)
			allocs := testing.AllocsPerRun(3, func() {
				n.Step(x, labels)
				u.Update(n.Params(), n.Grads(), 0.1, r)
				n.Train(x, labels, u, 0.1, r)
				n.Loss(x, labels)
				n.Evaluate(x, labels)
			})
			if allocs != 0 {
				t.Errorf("%s, %d threads: %g allocations in a step", o.Name, threads, allocs)
			}
		}
	}
}

// Exchanging two rows of a layer together with all that Gauge lists leaves the
// network's function as it was; exchanging the rows alone does not.
func TestGauge(t *testing.T) {
	const batch = 4
	in := Shape{2, 8, 9}
	for _, c := range []struct {
		text string
		free string // the layers that have this freedom
	}{
		{"linear classes", ""},
		{"mlp 6 5", "1 3"},
		{"linear 6 nobias, batchnorm, relu, linear classes", "1"},
		{"conv 4 3x3, relu, maxpool 2, conv 5 2x2 nobias, batchnorm, tanh, linear 6, sigmoid, linear classes", "0 3 7"},
		{"conv 4 3x3, flatten, batchnorm, relu, linear classes", "0"},
		{"conv 4 3x3, relu, avgpool, linear classes", "0"},
		{"conv 4 3x3, flatten, conv 3 1x1, linear classes", "0 2"},
		{"conv 4 3x3, batchnorm, relu, block 4, block 4, avgpool, linear classes", "3.c1 4.c1"},
		{"conv 4 3x3, batchnorm, relu, block 6 stride 2, avgpool, linear classes", "0 3.c1"},
	} {
		n := build(t, c.text, Options{Input: in, Classes: 3, Batch: batch})
		r := rand.New(rand.NewPCG(7, 8))
		randomise(n, r)
		x, labels := randomBatch(in, 3, batch, r)
		before := slices.Clone(n.Logits(x))
		loss := n.Loss(x, labels)
		params, buffers := slices.Clone(n.Params()), slices.Clone(n.Buffers())
		var free []string
		for _, l := range n.Layers() {
			if l.Norm && l.Gauge != nil {
				t.Errorf("%s: the batch normalisation %s has a gauge", c.text, l.Name)
			}
			if l.Gauge == nil {
				continue
			}
			free = append(free, l.Name)
			a, b := 1, l.Rows-1
			exchange(n.Params(), Coupled{Offset: l.Weight.Offset, Outer: 1, Inner: l.Cols}, l.Rows, a, b)
			if slices.Equal(before, n.Logits(x)) {
				t.Errorf("%s: exchanging rows of %s alone changes nothing: the test cannot fail", c.text, l.Name)
			}
			for _, k := range l.Gauge {
				data := n.Params()
				if k.InBuffers {
					data = n.Buffers()
				}
				exchange(data, k, l.Rows, a, b)
			}
			for i, v := range n.Logits(x) {
				if math.Abs(float64(v-before[i])) > 2e-5*math.Max(1, math.Abs(float64(before[i]))) {
					t.Errorf("%s: layer %s: logit %d is %v after the exchange, %v before", c.text, l.Name, i, v, before[i])
				}
			}
			near(t, c.text+": loss in training mode", n.Loss(x, labels), loss, 2e-5)
			copy(n.Params(), params)
			copy(n.Buffers(), buffers)
		}
		if got := strings.Join(free, " "); got != c.free {
			t.Errorf("%s: layers %q have a gauge, want %q", c.text, got, c.free)
		}
	}
}

func exchange(data []float32, c Coupled, rows, a, b int) {
	for o := range c.Outer {
		for i := range c.Inner {
			p, q := c.Offset+(o*rows+a)*c.Inner+i, c.Offset+(o*rows+b)*c.Inner+i
			data[p], data[q] = data[q], data[p]
		}
	}
}

// The sizes of the reference networks, counted by hand from their definition.
func TestReferenceNetworks(t *testing.T) {
	for _, c := range []struct {
		name, free      string
		params, buffers int
	}{
		{"mlp", "1 3", 3072*512 + 512 + 512*512 + 512 + 5120 + 10, 0},
		{"lenet", "0 3 7 9", 6*75 + 6 + 16*150 + 16 + 400*120 + 120 + 120*84 + 84 + 840 + 10, 0},
		{"cnn", "0 2 5 7 11", 32*27 + 32 + 32*288 + 32 + 64*288 + 64 + 64*576 + 64 + 4096*512 + 512 + 5120 + 10, 0},
		{"resnet20", "3.c1 4.c1 5.c1 6.c1 7.c1 8.c1 9.c1 10.c1 11.c1",
			16*27 + 6*16*144 + 32*144 + 5*32*288 + 64*288 + 5*64*576 + 32*16 + 64*32 + 2*(7*16+7*32+7*64) + 650, 2 * (7*16 + 7*32 + 7*64)},
	} {
		n := build(t, c.name, Options{Input: Shape{3, 32, 32}, Classes: 10, Batch: 1})
		if len(n.Params()) != c.params || len(n.Grads()) != c.params || len(n.Buffers()) != c.buffers {
			t.Errorf("%s: %d parameters, %d buffers, want %d, %d", c.name, len(n.Params()), len(n.Buffers()), c.params, c.buffers)
		}
		var free []string
		end := 0
		for _, l := range n.Layers() {
			if l.Gauge != nil {
				free = append(free, l.Name)
			}
			if l.Weight.Offset != end || l.Bias.Len > 0 && l.Bias.Offset != end+l.Weight.Len || l.Weight.Len != l.Rows*l.Cols {
				t.Errorf("%s: layer %+v leaves a gap at %d", c.name, l, end)
			}
			end += l.Weight.Len + l.Bias.Len
		}
		if end != c.params {
			t.Errorf("%s: layers cover %d of %d parameters", c.name, end, c.params)
		}
		if got := strings.Join(free, " "); got != c.free {
			t.Errorf("%s: layers %q have a gauge, want %q", c.name, got, c.free)
		}
	}
}

// A set larger than the batch is evaluated in parts.
func TestEvaluateInParts(t *testing.T) {
	in := Shape{2, 6, 6}
	r := rand.New(rand.NewPCG(9, 1))
	large := build(t, everything2, Options{Input: in, Classes: 3, Batch: 17})
	small := build(t, everything2, Options{Input: in, Classes: 3, Batch: 5})
	randomise(large, r)
	copy(small.Params(), large.Params())
	copy(small.Buffers(), large.Buffers())
	x, labels := randomBatch(in, 3, 17, r)
	want, wantCorrect := large.Evaluate(x, labels)
	got, correct := small.Evaluate(x, labels)
	near(t, "loss", got, want, 1e-6)
	if correct != wantCorrect {
		t.Errorf("%d correct, want %d", correct, wantCorrect)
	}
}

const everything2 = "conv 4 3x3, batchnorm, relu, maxpool 2, linear classes"

// Loss and Evaluate leave gradients, parameters and running statistics alone.
func TestLossTouchesNothing(t *testing.T) {
	in := Shape{2, 6, 6}
	r := rand.New(rand.NewPCG(9, 2))
	n := build(t, everything2, Options{Input: in, Classes: 3, Batch: 5})
	randomise(n, r)
	x, labels := randomBatch(in, 3, 5, r)
	n.Step(x, labels)
	p, g, b := slices.Clone(n.Params()), slices.Clone(n.Grads()), slices.Clone(n.Buffers())
	y, _ := randomBatch(in, 3, 5, r)
	n.Loss(y, labels)
	n.Evaluate(y, labels)
	if !slices.Equal(p, n.Params()) || !slices.Equal(g, n.Grads()) || !slices.Equal(b, n.Buffers()) {
		t.Error("something has changed")
	}
}

// Gradient has the bits of Step, for weights that have just changed, and leaves
// parameters and running statistics alone.
func TestGradientIsStepWithoutTrace(t *testing.T) {
	for _, text := range []string{everything, "conv 16 3x3 pad 1, batchnorm, relu, conv 16 3x3 pad 1, relu, linear classes"} {
		in := Shape{3, 10, 11}
		r := rand.New(rand.NewPCG(9, 3))
		n := build(t, text, Options{Input: in, Classes: 4, Batch: 7, Threads: 2})
		randomise(n, r)
		x, labels := randomBatch(in, 4, 7, r)
		n.Step(x, labels)
		for k := range n.Params() {
			n.Params()[k] *= 1 + 0.1*float32(r.NormFloat64())
		}
		p, b := slices.Clone(n.Params()), slices.Clone(n.Buffers())
		loss := n.Gradient(x, labels)
		g := slices.Clone(n.Grads())
		if !slices.Equal(p, n.Params()) || !slices.Equal(b, n.Buffers()) {
			t.Errorf("%s: parameters or running statistics have changed", text)
		}
		if want := n.Step(x, labels); loss != want || !slices.Equal(g, n.Grads()) {
			t.Errorf("%s: another gradient than that of a step, or loss %g, want %g", text, loss, want)
		}
	}
}

// Weights that have gone astray give a loss that says so.
func TestNaNReachesTheLoss(t *testing.T) {
	for _, loss := range []Loss{CrossEntropy, MeanSquared, QuadraticHinge} {
		n := build(t, everything2, Options{Input: Shape{2, 6, 6}, Classes: 3, Batch: 5, Loss: loss})
		r := rand.New(rand.NewPCG(9, 3))
		randomise(n, r)
		x, labels := randomBatch(Shape{2, 6, 6}, 3, 5, r)
		n.Params()[0] = float32(math.NaN())
		if got := n.Step(x, labels); !math.IsNaN(got) {
			t.Errorf("%v: loss %v, want NaN", loss, got)
		}
	}
}

// Large outputs overflow nowhere.
func TestCrossEntropyOfLargeOutputs(t *testing.T) {
	d := make([]float32, 3)
	sum, correct := CrossEntropy.evaluate([]float32{1000, -1000, 990}, []uint8{1}, 3, d)
	near(t, "loss", sum, 2000+math.Log1p(math.Exp(-10)), 1e-12)
	if correct != 0 || d[1] != -1 || math.Abs(float64(d[0])-1/(1+math.Exp(-10))) > 1e-6 {
		t.Errorf("correct %d, gradient %v", correct, d)
	}
}

func TestInit(t *testing.T) {
	n := build(t, "conv 64 5x5, batchnorm, relu, linear 40, relu, linear classes", Options{Input: Shape{3, 16, 16}, Classes: 10, Batch: 1})
	for _, c := range []struct {
		scheme   string
		bound    func(in, out float64) float64 // 0: normal
		variance func(in, out float64) float64
		bias     bool
	}{
		{"", func(in, _ float64) float64 { return 1 / math.Sqrt(in) }, func(in, _ float64) float64 { return 1 / (3 * in) }, true},
		{"pytorch", func(in, _ float64) float64 { return 1 / math.Sqrt(in) }, func(in, _ float64) float64 { return 1 / (3 * in) }, true},
		{"he", func(_, _ float64) float64 { return math.Inf(1) }, func(in, _ float64) float64 { return 2 / in }, false},
		{"xavier", func(in, out float64) float64 { return math.Sqrt(6 / (in + out)) }, func(in, out float64) float64 { return 2 / (in + out) }, false},
	} {
		for i := range n.params {
			n.params[i] = float32(math.NaN())
		}
		if err := n.Init(c.scheme, rand.New(rand.NewPCG(1, 9))); err != nil {
			t.Fatal(err)
		}
		for k, fan := range [][2]float64{{75, 64 * 25}, {}, {64 * 12 * 12, 40}, {40, 10}} {
			l := n.Layers()[k]
			w, b := widen(n.params[l.Weight.Offset:][:l.Weight.Len]), widen(n.params[l.Bias.Offset:][:l.Bias.Len])
			if l.Norm {
				if slices.Min(w) != 1 || slices.Max(w) != 1 || slices.Min(b) != 0 || slices.Max(b) != 0 {
					t.Errorf("%s: batch normalisation is not the identity", c.scheme)
				}
				continue
			}
			bound, variance := c.bound(fan[0], fan[1]), c.variance(fan[0], fan[1])
			var square, most float64
			for _, v := range w {
				square += v * v / float64(len(w))
				most = math.Max(most, math.Abs(v))
			}
			// Five standard errors; of the variance of a normal, sqrt(2/n).
			allowed := 5 / math.Sqrt(float64(len(w)))
			if m := mean(w); math.Abs(m) > allowed*math.Sqrt(variance) {
				t.Errorf("%s: layer %s: mean %g", c.scheme, l.Name, m)
			}
			if math.Abs(square/variance-1) > allowed*math.Sqrt2 {
				t.Errorf("%s: layer %s: variance %g, want %g", c.scheme, l.Name, square, variance)
			}
			if most > bound*(1+1e-6) || !math.IsInf(bound, 0) && most < 0.95*bound {
				t.Errorf("%s: layer %s: largest %g, want below %g and near it", c.scheme, l.Name, most, bound)
			}
			if spread := slices.Max(b) - slices.Min(b); c.bias != (spread > bound) && !math.IsInf(bound, 0) || !c.bias && spread != 0 || slices.Max(b) > bound {
				t.Errorf("%s: layer %s: biases in [%g, %g]", c.scheme, l.Name, slices.Min(b), slices.Max(b))
			}
		}
	}
	if err := n.Init("kaimin", rand.New(rand.NewPCG(1, 9))); err == nil || !strings.Contains(err.Error(), `init "kaimin": want pytorch, he or xavier`) {
		t.Errorf("error %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	good := Options{Input: Shape{3, 8, 8}, Classes: 10, Batch: 2}
	with := func(f func(*Options)) Options {
		o := good
		f(&o)
		return o
	}
	for _, c := range []struct {
		spec Spec
		opt  Options
		want string
	}{
		{Spec{"linear classes"}, with(func(o *Options) { o.Input.H = 0 }), "input 3x0x8"},
		{Spec{"linear classes"}, with(func(o *Options) { o.Classes = 0 }), "0 classes"},
		{Spec{"linear classes"}, with(func(o *Options) { o.Batch = 0 }), "batch = 0"},
		{Spec{"linear classes"}, with(func(o *Options) { o.Batch = math.MaxInt }), "values in a batch of images"},
		{Spec{"linear classes"}, with(func(o *Options) { o.Loss = 7 }), "loss 7: want one of cross-entropy"},
		{nil, good, "no layer has parameters"},
		{Spec{"relu"}, with(func(o *Options) { o.Classes = 192 }), "no layer has parameters"},
		{Spec{"linear 9"}, good, "the last layer gives 9 outputs: want 10"},
		{Spec{"conv 4 3x3"}, good, "the last layer gives 144 outputs: want 10"},
		{Spec{"relu", "conv 4 9x9", "linear classes"}, good, `nn: layer 1 "conv 4 9x9": a 9x9 kernel on a plane of 8x8`},
		{Spec{"maxpool 2", "maxpool 5", "linear classes"}, good, `nn: layer 1 "maxpool 5": a window of 5x5 on a plane of 4x4`},
		{Spec{"blok 4"}, good, `nn: layer 0 "blok 4": unknown layer "blok" (did you mean block?)`},
		{Spec{"conv 1000000 8x8", "conv 1000000 1x1", "linear classes"}, good, `layer 1 "conv 1000000 1x1": 1e+12 weights`},
		{Spec{"conv 1000 3x3 pad 1024", "linear classes"}, with(func(o *Options) { o.Batch = 1000 }), "layer 0"},
		{Spec{"linear 1000000", "linear 1000000", "linear classes"}, good, `layer 1 "linear 1000000": 1e+12 weights`},
		{Spec{"linear 10000000", "linear classes"}, good, "want units, a whole number from 1 to 1048576"},
	} {
		n, err := New(c.spec, c.opt)
		if err == nil {
			n.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q in it", c.spec, err, c.want)
		}
	}
}

func TestSetTensors(t *testing.T) {
	opt := Options{Input: Shape{2, 6, 6}, Classes: 3, Batch: 5}
	a, b := build(t, everything2, opt), build(t, everything2, opt)
	randomise(a, rand.New(rand.NewPCG(9, 4)))
	list := append(a.Tensors(), safetensors.Tensor{Name: "1.num_batches_tracked", Data: []float32{5}})
	if err := b.SetTensors(list); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Params(), b.Params()) || !slices.Equal(a.Buffers(), b.Buffers()) {
		t.Error("the copy differs")
	}
	list[0].Data[0]++ // a view
	if a.Params()[0] == b.Params()[0] {
		t.Error("Tensors returned copies")
	}
	before := slices.Clone(b.Params())
	for _, c := range []struct {
		change func([]safetensors.Tensor) []safetensors.Tensor
		want   string
	}{
		{func(l []safetensors.Tensor) []safetensors.Tensor { return l[:len(l)-1] }, `no tensor "5.bias"`},
		{func(l []safetensors.Tensor) []safetensors.Tensor { l[5].Shape = []int{2}; return l }, `tensor "1.running_var" has shape [2], want [4]`},
		{func(l []safetensors.Tensor) []safetensors.Tensor { l[0].Shape = []int{4, 18}; return l }, `tensor "0.weight" has shape [4 18], want [4 2 3 3]`},
		{func(l []safetensors.Tensor) []safetensors.Tensor { l[0].Data = nil; return l }, `tensor "0.weight"`},
	} {
		if err := b.SetTensors(c.change(a.Tensors())); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q in it", err, c.want)
		}
		if !slices.Equal(before, b.Params()) {
			t.Fatal("an error left the network changed")
		}
	}
}

func Example() {
	spec, err := Parse("conv 4 3x3, relu, maxpool 2, linear classes")
	if err != nil {
		fmt.Println(err)
		return
	}
	net, err := New(spec, Options{Input: Shape{C: 1, H: 8, W: 8}, Classes: 2, Batch: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer net.Close()
	for _, t := range net.Tensors() {
		fmt.Println(t.Name, t.Shape)
	}
	// Two images to learn by heart.
	images, labels := make([]float32, 2*64), []uint8{0, 1}
	images[27] = 1
	if err := net.Init("pytorch", rand.New(rand.NewPCG(1, 2))); err != nil {
		fmt.Println(err)
		return
	}
	sgd := Optimizer{Name: "sgd", LR: 0.5, Momentum: 0.9}
	updater, err := sgd.New(len(net.Params()))
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 50 {
		net.Step(images, labels)
		updater.Update(net.Params(), net.Grads(), sgd.LR, nil)
	}
	_, correct := net.Evaluate(images, labels)
	fmt.Println(correct, "of 2 correct")
	// Output:
	// 0.weight [4 1 3 3]
	// 0.bias [4]
	// 4.weight [2 36]
	// 4.bias [2]
	// 2 of 2 correct
}

// Train has the bits of Step and Update, for every optimiser and number of threads.
func TestTrainIsStepAndUpdate(t *testing.T) {
	const batch = 9
	in := Shape{3, 10, 11}
	for _, o := range []Optimizer{{Name: "sgd"}, {Name: "sgd", Momentum: 0.9, Nesterov: true, WeightDecay: 0.01}, {Name: "adam"}, {Name: "adamw"}, {Name: "langevin", Temperature: 1e-5},
		{Name: "signum", WeightDecay: 0.01}, {Name: "sgd", Sign: 1e-3}, {Name: "sgd", Sign: 1e-3, Momentum: 0.9}, {Name: "none"}} {
		o.LR = 0.01
		var want, buffers []float32
		for _, fused := range []bool{false, true} {
			for _, threads := range []int{1, 3} {
				n := build(t, everything, Options{Input: in, Classes: 4, Batch: batch, Threads: threads})
				r := rand.New(rand.NewPCG(7, 8))
				if err := n.Init("", r); err != nil {
					t.Fatal(err)
				}
				u, err := o.New(len(n.Params()))
				if err != nil {
					t.Fatal(err)
				}
				for i := range 3 {
					x, labels := randomBatch(in, 4, batch-i, r)
					switch {
					case fused:
						n.Train(x, labels, u, o.LR, r)
					case threads > 1:
						n.Step(x, labels)
						n.Update(u, o.LR, r)
					default:
						n.Step(x, labels)
						u.Update(n.Params(), n.Grads(), o.LR, r)
					}
				}
				if want == nil {
					want, buffers = n.Params(), n.Buffers()
				}
				if !slices.Equal(n.Params(), want) || !slices.Equal(n.Buffers(), buffers) {
					t.Errorf("%+v, fused %v, %d threads: other weights", o, fused, threads)
				}
			}
		}
	}
}

// A loss that is not finite leaves the weights as they were.
func TestTrainStopsAtNaN(t *testing.T) {
	in := Shape{3, 8, 8}
	n := build(t, "conv 4 3x3, relu, maxpool 2, linear classes", Options{Input: in, Classes: 3, Batch: 2})
	r := rand.New(rand.NewPCG(1, 1))
	if err := n.Init("", r); err != nil {
		t.Fatal(err)
	}
	u, err := Optimizer{Name: "sgd", LR: 0.1}.New(len(n.Params()))
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(n.Params())
	x, labels := randomBatch(in, 3, 2, r)
	x[5] = float32(math.NaN())
	if loss := n.Train(x, labels, u, 0.1, nil); !math.IsNaN(loss) {
		t.Errorf("loss %v of an image with NaN", loss)
	}
	if !slices.Equal(before, n.Params()) {
		t.Error("the weights changed")
	}
}
