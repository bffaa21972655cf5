package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A convolution by Winograd's transforms gives what the direct one gives, which the
// reference in float64 has tested: outputs and all gradients, to some rounding errors.
func TestWinogradAgainstDirect(t *testing.T) {
	for _, c := range []struct {
		in, out           Shape
		borderX, borderY  int
		batch             int
		bias, relu, addDX bool
	}{
		{Shape{16, 4, 4}, Shape{16, 4, 4}, 1, 0, 9, false, false, false},
		{Shape{16, 8, 4}, Shape{32, 8, 4}, 1, 1, 3, true, false, true},
		{Shape{48, 12, 20}, Shape{16, 12, 20}, 2, 1, 2, true, true, false},
		{Shape{16, 32, 32}, Shape{16, 32, 32}, 1, 2, 2, false, true, true},
		{Shape{64, 8, 8}, Shape{64, 8, 8}, 1, 1, 17, true, true, false},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 1))
			normal := func(x []float32) []float32 {
				for i := range x {
					x[i] = float32(r.NormFloat64())
				}
				return x
			}
			weight := normal(make([]float32, 9*c.in.C*c.out.C))
			var bias []float32
			if c.bias {
				bias = normal(make([]float32, c.out.C))
			}
			image := normal(make([]float32, c.batch*c.in.Len()))
			gradient, before := normal(make([]float32, 1<<20)), normal(make([]float32, 1<<20))
			run := func(build func(conv) convolution) (conv, []float32) {
				e := newEngine(2, c.batch)
				defer e.pool.Close()
				e.batch, e.image = c.batch, image
				x, y := newField(c.in, c.borderX, c.batch), newField(c.out, c.borderY, c.batch)
				base := conv{x: x, y: y, kernel: 3, stride: 1, pad: 1, weight: weight, bias: bias, relu: c.relu, needDX: true, addDX: c.addDX,
					dw: make([]float32, len(weight)), db: make([]float32, len(bias))}
				var built conv
				l := newConvBy(e, base, func(c conv) convolution { built = c; return build(c) })
				e.allocate()
				for i := range e.parts {
					l.pack(i, 0, true)
				}
				ch := newChain(e, []layer{&input{e, x}, l}, x.size(), nil)
				ch.forward()
				copy(y.grad, gradient)
				copy(x.grad, before)
				ch.backward()
				for i := range 5 {
					l.gather(i, 5)
				}
				inside := []float32{} // without the border, which holds rubbish
				for i := range c.batch {
					for row := range c.in.H {
						inside = append(inside, x.line(x.grad, i, row)...)
					}
				}
				return built, inside
			}
			a, da := run(func(c conv) convolution { return newWinograd(c) })
			b, db := run(func(c conv) convolution { return newDirect(c) })
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
			same("outputs", a.y.data, b.y.data)
			same("gradient of the inputs", da, db)
			same("gradient of the weights", a.dw, b.dw)
			same("gradient of the bias", a.db, b.db)
		})
	}
}

// A convolution that normalises its inputs while it reads them gives the same bits as one
// that finds them stored.
func TestConvolutionsNormalizeInputs(t *testing.T) {
	for _, c := range []struct {
		in, out Shape
		batch   int
	}{
		{Shape{16, 4, 4}, Shape{32, 4, 4}, 3},
		{Shape{16, 32, 32}, Shape{16, 32, 32}, 9},
		{Shape{32, 12, 40}, Shape{16, 12, 40}, 2},
		{Shape{64, 8, 8}, Shape{64, 8, 8}, 80}, // blocks of tiles begin within images
	} {
		for _, precision := range []Precision{Float32, BF16} {
			t.Run(fmt.Sprint(c, precision), func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, 2))
				normal := func(n int) []float32 {
					x := make([]float32, n)
					for i := range x {
						x[i] = float32(r.NormFloat64())
					}
					return x
				}
				weight, image, gradient := normal(9*c.in.C*c.out.C), normal(c.batch*c.in.Len()), normal(1<<20)
				gamma, beta := normal(c.in.C), normal(c.in.C)
				run := func(stored bool) (results [][]float32, n *batchNorm) {
					e := newEngine(2, c.batch)
					defer e.pool.Close()
					e.batch, e.image, e.precision = c.batch, image, precision
					z, x, y := newField(c.in, 1, c.batch), newField(c.in, 1, c.batch), newField(c.out, 1, c.batch)
					channels := func() []float32 { return make([]float32, c.in.C) }
					n = newBatchNorm(batchNorm{engine: e, x: z, y: x, relu: true, gamma: gamma, beta: beta, dgamma: channels(), dbeta: channels(), mean: channels(), variance: channels()})
					dw := make([]float32, len(weight))
					l := newConv(e, conv{x: x, y: y, kernel: 3, stride: 1, pad: 1, weight: weight, dw: dw, needDX: true})
					if _, rounds := l.(*bfloat); rounds != (precision == BF16) {
						t.Fatalf("precision %v gives %T", precision, l)
					}
					if !stored {
						b := builder{Network: &Network{engine: e}}
						l.precede(n, b.images(x))
						if x.data != nil {
							t.Fatal("the inputs are stored")
						}
					}
					e.allocate()
					for i := range e.parts {
						l.pack(i, 0, true)
					}
					before := newChain(e, []layer{&input{e, z}, observe{n}}, z.size(), nil)
					behind := newChain(e, []layer{apply{n}, l}, z.size(), before)
					before.forward()
					meeting{n}.forward()
					behind.forward()
					copy(y.grad, gradient)
					behind.backward()
					l.gather(0, 1)
					results = [][]float32{dw}
					for i := range c.batch {
						for row := range c.in.H {
							results = append(results, y.line(y.data, i, row), x.line(x.grad, i, row))
						}
					}
					return results, n
				}
				got, gotNorm := run(false)
				want, wantNorm := run(true)
				for i := range want {
					if !slices.Equal(got[i], want[i]) {
						t.Fatalf("result %d is not the same", i)
					}
				}
				for g := range gotNorm.groups {
					if !slices.Equal(gotNorm.sum[g], wantNorm.sum[g]) || !slices.Equal(gotNorm.product[g], wantNorm.product[g]) {
						t.Fatalf("sums of group %d: %v and %v, want %v and %v", g, gotNorm.sum[g], gotNorm.product[g], wantNorm.sum[g], wantNorm.product[g])
					}
				}
			})
		}
	}
}
