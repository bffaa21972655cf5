package nn

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// The reference: the same networks in float64, written as their definitions
// read, one output at a time. It has no backward pass; gradients come from
// central differences.

// volume is a batch of images: n x c x h x w.
type volume struct {
	n, c, h, w int
	v          []float64
}

func newVolume(n, c, h, w int) volume { return volume{n, c, h, w, make([]float64, n*c*h*w)} }

func (a volume) at(i, c, y, x int) *float64 { return &a.v[((i*a.c+c)*a.h+y)*a.w+x] }

// padded is zero outside the image.
func (a volume) padded(i, c, y, x int) float64 {
	if y < 0 || y >= a.h || x < 0 || x >= a.w {
		return 0
	}
	return *a.at(i, c, y, x)
}

func (a volume) apply(f func(float64) float64) volume {
	out := newVolume(a.n, a.c, a.h, a.w)
	for i, v := range a.v {
		out.v[i] = f(v)
	}
	return out
}

func rectify(x float64) float64 { return math.Max(x, 0) }

// reference is a network with its state_dict in float64.
type reference struct {
	spec     Spec
	classes  int
	tensors  map[string][]float64
	training bool
	moments  map[string][]float64 // batch statistics by name of a running one: mean, unbiased variance
}

func newReference(n *Network) *reference {
	r := &reference{spec: n.Spec(), classes: n.opt.Classes, tensors: map[string][]float64{}, training: true, moments: map[string][]float64{}}
	for _, t := range n.Tensors() {
		r.tensors[t.Name] = widen(t.Data)
	}
	return r
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func (r *reference) forward(t testing.TB, x volume) volume {
	number, flat := 0, false
	for _, text := range r.spec {
		l, err := parseLayer(text)
		if err != nil {
			t.Fatal(err)
		}
		if l.kind == "linear" && !flat {
			x = volume{x.n, x.c * x.h * x.w, 1, 1, x.v}
			number++
		}
		name := strconv.Itoa(number)
		number++
		switch l.kind {
		case "conv":
			x, flat = r.conv(name, x, l.units, l.kernel, l.stride, l.pad), false
		case "linear":
			x, flat = r.linear(name, x), true
		case "batchnorm":
			x = r.norm(name, x)
		case "relu":
			x = x.apply(rectify)
		case "sigmoid":
			x = x.apply(func(v float64) float64 { return 1 / (1 + math.Exp(-v)) })
		case "tanh":
			x = x.apply(math.Tanh)
		case "maxpool":
			x, flat = maximum(x, l.kernel), false
		case "avgpool":
			x, flat = average(x), false
		case "block":
			x, flat = r.block(name, x, l.units, l.stride), false
		case "flatten":
			x, flat = volume{x.n, x.c * x.h * x.w, 1, 1, x.v}, true
		default:
			t.Fatalf("no reference for %q", text)
		}
	}
	return x
}

func (r *reference) conv(name string, x volume, out, k, stride, pad int) volume {
	w, bias := r.tensors[name+".weight"], r.tensors[name+".bias"]
	y := newVolume(x.n, out, (x.h+2*pad-k)/stride+1, (x.w+2*pad-k)/stride+1)
	for i := range y.n {
		for o := range y.c {
			for py := range y.h {
				for px := range y.w {
					var s float64
					if bias != nil {
						s = bias[o]
					}
					for c := range x.c {
						for ky := range k {
							for kx := range k {
								s += w[((o*x.c+c)*k+ky)*k+kx] * x.padded(i, c, py*stride+ky-pad, px*stride+kx-pad)
							}
						}
					}
					*y.at(i, o, py, px) = s
				}
			}
		}
	}
	return y
}

func (r *reference) linear(name string, x volume) volume {
	w, bias := r.tensors[name+".weight"], r.tensors[name+".bias"]
	y := newVolume(x.n, len(w)/x.c, 1, 1)
	for i := range y.n {
		for o := range y.c {
			var s float64
			if bias != nil {
				s = bias[o]
			}
			for c := range x.c {
				s += w[o*x.c+c] * *x.at(i, c, 0, 0)
			}
			*y.at(i, o, 0, 0) = s
		}
	}
	return y
}

func (r *reference) norm(name string, x volume) volume {
	y := newVolume(x.n, x.c, x.h, x.w)
	count := float64(x.n * x.h * x.w)
	means, variances := make([]float64, x.c), make([]float64, x.c)
	for c := range x.c {
		each := func(f func(v float64, out *float64)) {
			for i := range x.n {
				for py := range x.h {
					for px := range x.w {
						f(*x.at(i, c, py, px), y.at(i, c, py, px))
					}
				}
			}
		}
		var mean, variance float64
		each(func(v float64, _ *float64) { mean += v / count })
		each(func(v float64, _ *float64) { variance += (v - mean) * (v - mean) / count })
		means[c], variances[c] = mean, variance*count/(count-1)
		if !r.training {
			mean, variance = r.tensors[name+".running_mean"][c], r.tensors[name+".running_var"][c]
		}
		each(func(v float64, out *float64) {
			*out = (v-mean)/math.Sqrt(variance+1e-5)*r.tensors[name+".weight"][c] + r.tensors[name+".bias"][c]
		})
	}
	r.moments[name+".running_mean"], r.moments[name+".running_var"] = means, variances
	return y
}

func maximum(x volume, k int) volume {
	y := newVolume(x.n, x.c, x.h/k, x.w/k)
	for i := range y.n {
		for c := range y.c {
			for py := range y.h {
				for px := range y.w {
					best := math.Inf(-1)
					for ky := range k {
						for kx := range k {
							best = math.Max(best, *x.at(i, c, py*k+ky, px*k+kx))
						}
					}
					*y.at(i, c, py, px) = best
				}
			}
		}
	}
	return y
}

func average(x volume) volume {
	y := newVolume(x.n, x.c, 1, 1)
	for i := range y.n {
		for c := range y.c {
			for py := range x.h {
				for px := range x.w {
					*y.at(i, c, 0, 0) += *x.at(i, c, py, px) / float64(x.h*x.w)
				}
			}
		}
	}
	return y
}

func (r *reference) block(name string, x volume, out, stride int) volume {
	y := r.norm(name+".b1", r.conv(name+".c1", x, out, 3, stride, 1)).apply(rectify)
	y = r.norm(name+".b2", r.conv(name+".c2", y, out, 3, 1, 1))
	if stride != 1 || out != x.c {
		x = r.norm(name+".short.1", r.conv(name+".short.0", x, out, 1, stride, 0))
	}
	for i, v := range x.v {
		y.v[i] = math.Max(y.v[i]+v, 0)
	}
	return y
}

// losses returns the loss of each image.
func (r *reference) losses(t testing.TB, loss Loss, x volume, labels []uint8) []float64 {
	f := r.forward(t, x)
	if f.c*f.h*f.w != r.classes {
		t.Fatalf("reference: %d outputs, want %d", f.c*f.h*f.w, r.classes)
	}
	out := make([]float64, x.n)
	for i := range out {
		out[i] = definition(loss, f.v[i*r.classes:][:r.classes], int(labels[i]))
	}
	return out
}

// definition is a loss as its definition reads.
func definition(loss Loss, f []float64, label int) (sum float64) {
	for c, v := range f {
		target := 0.0
		if c == label {
			target = 1
		}
		switch loss {
		case CrossEntropy:
			sum += math.Exp(v - f[label])
		case MeanSquared:
			sum += (v - target) * (v - target) / float64(len(f))
		case QuadraticHinge:
			sum += 0.5 * math.Pow(math.Max(0, 1-(2*target-1)*v), 2)
		}
	}
	if loss == CrossEntropy {
		sum = math.Log(sum)
	}
	return sum
}

func mean(x []float64) (m float64) {
	for _, v := range x {
		m += v / float64(len(x))
	}
	return m
}

// The networks that tests go through: every layer, at the start, inside and on
// odd sizes. All end in three classes.
var zoo = []string{
	"linear classes",
	"mlp 7 6",
	"linear 5, tanh, linear 4 nobias, sigmoid, linear classes",
	"conv 3 3x3, relu, maxpool 2, conv 4 2x2 pad 1 stride 2 nobias, linear classes",
	"conv 3 3x3 stride 2 pad 1, batchnorm, relu, avgpool, linear classes",
	"batchnorm, linear 6 nobias, batchnorm, relu, linear classes",
	"relu, conv 3 1x1, tanh, conv 3 3x3 pad 2, maxpool 3, flatten, batchnorm, linear classes",
	"conv 4 1x1 stride 2, sigmoid, conv 5 2x2, relu, conv 3 2x2, avgpool",
	"block 2, block 4 stride 2, avgpool, linear classes",
	"conv 4 3x3 nobias, batchnorm, relu, block 4, block 5, block 5 stride 2, linear classes",
	"conv 3 3x3 pad 1 nobias, batchnorm, block 3, block 3, batchnorm, relu, block 3, conv 3 3x3 pad 2 stride 2 nobias, batchnorm, linear classes",
	"conv 8 1x1, tanh, conv 3 2x2 stride 3, linear classes",                   // inputs that no tap reaches
	"conv 8 1x1, maxpool 3, conv 32 3x3 stride 3 pad 1, relu, linear classes", // taps that reach no input
	"conv 8 2x2, tanh, conv 2 5x5 pad 2 stride 2, linear classes",
}

const zooClasses = 3

var zooInput = Shape{2, 7, 6}

func build(t testing.TB, text string, opt Options) *Network {
	t.Helper()
	spec, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(spec, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

// randomise gives every parameter and running statistic a value of its own.
func randomise(n *Network, r *rand.Rand) {
	for i := range n.params {
		n.params[i] = float32(r.NormFloat64()) * 0.5
	}
	for _, l := range n.parts {
		if !l.Norm {
			continue
		}
		for i := range l.Rows {
			n.params[l.Weight.Offset+i] = float32(1 + 0.3*r.NormFloat64())
			n.buffers[l.running+i] = float32(r.NormFloat64())
			n.buffers[l.running+l.Rows+i] = float32(0.5 + r.Float64())
		}
	}
}

func randomBatch(in Shape, classes, batch int, r *rand.Rand) ([]float32, []uint8) {
	x, labels := make([]float32, batch*in.Len()), make([]uint8, batch)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	for i := range labels {
		labels[i] = uint8(r.IntN(classes))
	}
	return x, labels
}

// Loss, gradient, running statistics and evaluation of every network of the zoo
// against the reference.
func TestAgainstReference(t *testing.T) {
	for k, text := range zoo {
		for _, loss := range []Loss{CrossEntropy, MeanSquared, QuadraticHinge} {
			if k >= 3 && int(loss) != k%3 { // all losses on small networks, one on others
				continue
			}
			t.Run(text+"/"+loss.String(), func(t *testing.T) { againstReference(t, text, zooInput, 5, k, loss) })
		}
	}
}

// The same for images whose lines are summed in several goes.
func TestLargeImagesAgainstReference(t *testing.T) {
	for k, text := range []string{
		"conv 3 3x3 pad 1, relu, conv 2 3x3 pad 1 nobias, batchnorm, relu, avgpool, linear classes",
		"batchnorm, conv 2 3x3, tanh, batchnorm, avgpool, linear classes",
	} {
		t.Run(text, func(t *testing.T) { againstReference(t, text, Shape{2, 21, 40}, 2, k, CrossEntropy) })
	}
}

// againstReference compares network number k, with so many images.
func againstReference(t *testing.T, text string, in Shape, batch, k int, loss Loss) {
	r := rand.New(rand.NewPCG(uint64(k), 1))
	n := build(t, text, Options{Input: in, Classes: zooClasses, Batch: batch + k%2*2, Threads: 1 + k%3, Loss: loss}) // of which the batch is all, or not
	randomise(n, r)
	x, labels := randomBatch(in, zooClasses, batch, r)
	images := volume{batch, in.C, in.H, in.W, widen(x)}
	ref := newReference(n)
	want := mean(ref.losses(t, loss, images, labels))
	moments := maps.Clone(ref.moments)

	buffers := slices.Clone(n.Buffers())
	near(t, "Loss", n.Loss(x, labels), want, 1e-5)
	if !slices.Equal(buffers, n.Buffers()) {
		t.Error("Loss moved the running statistics")
	}

	ref.training = false
	sum := mean(ref.losses(t, loss, images, labels)) * float64(batch)
	right := 0
	for i, f := range slices.Collect(slices.Chunk(ref.forward(t, images).v, zooClasses)) {
		if f[labels[i]] == slices.Max(f) {
			right++
		}
	}
	got, correct := n.Evaluate(x, labels)
	near(t, "Evaluate", got, sum, 1e-5)
	if correct != right {
		t.Errorf("%d correct, want %d", correct, right)
	}
	ref.training = true

	near(t, "Step", n.Step(x, labels), want, 1e-5)
	for _, s := range n.Tensors() {
		if m, ok := moments[s.Name]; ok {
			for i, v := range s.Data {
				near(t, s.Name, float64(v), 0.9*ref.tensors[s.Name][i]+0.1*m[i], 1e-5)
			}
		}
	}
	for _, l := range n.Layers() {
		checkGradient(t, l.Name+".weight", n.grads[l.Weight.Offset:][:l.Weight.Len], ref, loss, images, labels)
		checkGradient(t, l.Name+".bias", n.grads[l.Bias.Offset:][:l.Bias.Len], ref, loss, images, labels)
	}
}

// checkGradient compares with central differences of the reference.
func checkGradient(t *testing.T, name string, got []float32, ref *reference, loss Loss, x volume, labels []uint8) {
	t.Helper()
	w := ref.tensors[name]
	if len(w) != len(got) {
		t.Fatalf("%s: %d entries, reference %d", name, len(got), len(w))
	}
	want := make([]float64, len(w))
	size := 0.0
	for i, v := range w {
		const h = 1e-6
		w[i] = v + h
		up := mean(ref.losses(t, loss, x, labels))
		w[i] = v - h
		down := mean(ref.losses(t, loss, x, labels))
		w[i] = v
		want[i] = (up - down) / (2 * h)
		size = max(size, math.Abs(want[i]))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= 1e-4*size+5e-6) {
			t.Fatalf("gradient of %s[%d] = %g, want %g (largest %g)", name, i, got[i], want[i], size)
		}
	}
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Max(1, math.Abs(want))) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}
