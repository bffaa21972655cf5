package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"swapmc/internal/kernel"
)

// Of numbers that bfloat16 can hold, its products are exact: such a convolution gives what the direct one in float32 does, which
// the reference in float64 has tested, up to the order of sums.
func TestBFloatAgainstDirect(t *testing.T) {
	for _, c := range []struct {
		in                  Shape
		out                 int
		kernel, stride, pad int
		borderX, borderY    int
		batch               int
		bias, relu, addDX   bool
	}{
		{Shape{16, 4, 4}, 16, 3, 1, 1, 1, 0, 9, false, false, false},
		{Shape{32, 32, 32}, 16, 3, 1, 1, 1, 1, 3, true, false, true},
		{Shape{48, 12, 20}, 16, 3, 1, 1, 2, 1, 2, true, true, false},
		{Shape{64, 8, 8}, 80, 3, 1, 1, 1, 1, 17, true, true, false},
		{Shape{16, 32, 32}, 32, 3, 2, 1, 1, 1, 10, false, false, false},
		{Shape{16, 32, 32}, 32, 1, 2, 0, 1, 1, 10, false, false, true},
		{Shape{16, 8, 12}, 16, 1, 2, 0, 0, 0, 3, false, false, false},
		{Shape{16, 9, 14}, 48, 5, 1, 1, 1, 2, 4, true, true, false}, // odd sizes
		{Shape{16, 9, 16}, 16, 4, 3, 2, 3, 0, 4, true, true, true},
		{Shape{16, 7, 11}, 16, 2, 3, 0, 0, 0, 5, false, true, true}, // inputs that nothing reaches
		{Shape{16, 6, 2}, 16, 3, 1, 2, 2, 1, 130, true, false, false},
		{Shape{16, 2, 5}, 16, 3, 3, 1, 1, 1, 8, false, false, false}, // taps that reach no input
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			w := window{C: c.in.C, H: c.in.H, W: c.in.W, K: c.kernel, Stride: c.stride, Pad: c.pad}
			out := Shape{C: c.out}
			out.H, out.W = w.Out()
			if !roundable(c.in.C, out) {
				t.Fatal("not roundable")
			}
			r := rand.New(rand.NewPCG(1, 1))
			normal := func(n int) []float32 {
				x, rounded := make([]float32, n), make([]kernel.BFloat, n)
				for i := range x {
					x[i] = float32(r.NormFloat64())
				}
				kernel.Round(rounded, x)
				for i := range x {
					x[i] = rounded[i].Float()
				}
				return x
			}
			weight := normal(c.kernel * c.kernel * c.in.C * c.out)
			var bias []float32
			if c.bias {
				bias = normal(c.out)
			}
			image, gradient, before := normal(c.batch*c.in.Len()), normal(1<<20), normal(1<<20)
			run := func(build func(conv) convolution) (conv, []float32, []float32) {
				e := newEngine(2, c.batch)
				defer e.pool.Close()
				e.batch, e.image = c.batch, image
				x, y := newField(c.in, c.borderX, c.batch), newField(out, c.borderY, c.batch)
				base := conv{x: x, y: y, kernel: c.kernel, stride: c.stride, pad: c.pad, weight: weight, bias: bias, relu: c.relu, needDX: true, addDX: c.addDX,
					dw: make([]float32, len(weight)), db: make([]float32, len(bias))}
				var built conv
				l := newConvBy(e, base, func(c conv) convolution { built = c; return build(c) })
				e.allocate()
				ch := newChain(e, []layer{&input{e, x}, l}, x.size(), nil)
				for range 2 { // nothing is left over from the first time
					for i := range e.parts {
						l.pack(i, 0, true)
					}
					ch.forward()
					copy(y.grad, gradient)
					copy(x.grad, before)
					ch.backward()
				}
				for i := range 5 {
					l.gather(i, 5)
				}
				var dx, outputs []float32 // without the border, which holds rubbish
				for i := range c.batch {
					for row := range c.in.H {
						dx = append(dx, x.line(x.grad, i, row)...)
					}
					for row := range out.H {
						outputs = append(outputs, y.line(y.data, i, row)...)
					}
				}
				return built, outputs, dx
			}
			a, ya, da := run(func(c conv) convolution { return newBFloat(c) })
			b, yb, db := run(func(c conv) convolution { return newDirect(c) })
			same := func(what string, got, want []float32) {
				t.Helper()
				size := 0.0
				for _, v := range want {
					size = math.Max(size, math.Abs(float64(v)))
				}
				for i := range want {
					if d := math.Abs(float64(got[i] - want[i])); !(d <= 1e-5*size) {
						t.Fatalf("%s[%d] = %v, want %v (largest %v)", what, i, got[i], want[i], size)
					}
				}
			}
			same("outputs", ya, yb)
			same("gradient of the inputs", da, db)
			same("gradient of the weights", a.dw, b.dw)
			same("gradient of the bias", a.db, b.db)
		})
	}
}

// rounding has convolutions of bfloat16 of all kinds: behind and before batch normalisations, strided, 1x1, and with a bias.
const rounding = "conv 16 3x3 pad 1, batchnorm, relu, block 16, block 32 stride 2, conv 32 3x3 pad 1, relu, maxpool 2, conv 48 1x1, avgpool, linear classes"

func skipWithoutBFloats(t *testing.T) {
	if err := kernel.BFloats(); err != nil {
		t.Skip(err)
	}
}

// smooth has no rectifier and no maximum, which a rounded number might take the other way.
const smooth = "conv 16 3x3 pad 1, batchnorm, tanh, conv 32 3x3 pad 1, batchnorm, sigmoid, conv 16 3x3 stride 2 pad 1, batchnorm, tanh, conv 32 1x1, avgpool, linear classes"

// A gradient in bfloat16 is that in float32, but for what is rounded: numbers by a thousandth of their size. Nothing is
// allocated for it.
func TestBFloatGradient(t *testing.T) {
	skipWithoutBFloats(t)
	in := Shape{3, 16, 16}
	const batch = 24
	r := rand.New(rand.NewPCG(16, 16))
	x, labels := randomBatch(in, 4, batch, r)
	var grads [2][]float32
	for p := range Precision(2) {
		n := build(t, smooth, Options{Input: in, Classes: 4, Batch: batch, Precision: p, Threads: 2})
		if err := n.Init("", rand.New(rand.NewPCG(1, 2))); err != nil {
			t.Fatal(err)
		}
		n.Gradient(x, labels)
		grads[p] = n.Grads()
		u, err := Optimizer{Name: "sgd", LR: 0.1}.New(len(n.Params()))
		if err != nil {
			t.Fatal(err)
		}
		before := slices.Clone(grads[p])
		if allocs := testing.AllocsPerRun(3, func() {
			n.Train(x, labels, u, 0.1, r)
			n.Evaluate(x, labels)
		}); allocs != 0 {
			t.Errorf("%v: %g allocations in a step", p, allocs)
		}
		grads[p] = before
		if p == Float32 {
			continue
		}
		for _, l := range n.Layers() {
			var difference, size float64
			for i := l.Weight.Offset; i < l.Weight.Offset+l.Weight.Len; i++ {
				difference += math.Pow(float64(grads[BF16][i]-grads[Float32][i]), 2)
				size += math.Pow(float64(grads[Float32][i]), 2)
			}
			if off := math.Sqrt(difference / size); !(off > 1e-5 && off < 0.03) {
				t.Errorf("layer %s: the gradient is off by %v of its size", l.Name, off)
			}
		}
	}
}

func TestPrecision(t *testing.T) {
	for _, p := range []Precision{Float32, BF16} {
		if got, err := ParsePrecision(p.String()); got != p || err != nil {
			t.Errorf("%v is read as %v, %v", p, got, err)
		}
	}
	if p, err := ParsePrecision(""); p != Float32 || err != nil {
		t.Errorf("nothing is read as %v, %v", p, err)
	}
	if _, err := ParsePrecision("bf61"); err == nil || !strings.Contains(err.Error(), "did you mean bf16") {
		t.Errorf("bf61: %v", err)
	}
	spec, err := Parse("conv 16 3x3, linear classes")
	if err != nil {
		t.Fatal(err)
	}
	opt := Options{Input: Shape{16, 8, 8}, Classes: 2, Batch: 1, Precision: 7}
	if _, err := New(spec, opt); err == nil || !strings.Contains(err.Error(), "precision 7") {
		t.Errorf("precision 7: %v", err)
	}
	opt.Precision = BF16
	n, err := New(spec, opt)
	if missing := kernel.BFloats(); (err == nil) != (missing == nil) {
		t.Errorf("the processor: %v; a network: %v", missing, err)
	}
	if err == nil {
		n.Close()
	}
}
