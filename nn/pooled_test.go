package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A convolution that does the pooling behind it gives the bits of the two layers forward, and their gradients back.
func TestPooled(t *testing.T) {
	for _, c := range []struct {
		in                           Shape
		out, kernel, stride, pad     int
		borderX, borderY, batch      int
		bias, relu, needDX, threaded bool
	}{
		{Shape{3, 32, 32}, 6, 5, 1, 0, 0, 0, 9, true, true, true, true},
		{Shape{6, 14, 14}, 16, 5, 1, 0, 0, 0, 3, true, true, true, false},
		{Shape{1, 9, 12}, 3, 3, 1, 0, 0, 1, 1, false, true, true, false}, // odd: a line and a column are in no window
		{Shape{5, 11, 9}, 20, 3, 2, 1, 2, 2, 17, true, false, true, true},
		{Shape{8, 7, 7}, 9, 4, 3, 2, 2, 0, 2, true, true, true, false},
		{Shape{12, 6, 8}, 1, 1, 1, 0, 1, 1, 8, false, false, true, true},
		{Shape{16, 8, 8}, 8, 3, 1, 1, 1, 0, 5, true, true, false, true},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 3))
			normal := func(n int) []float32 {
				x := make([]float32, n)
				for i := range x {
					x[i] = float32(r.NormFloat64())
				}
				return x
			}
			weight, image, gradient := normal(c.out*c.in.C*c.kernel*c.kernel), normal(c.batch*c.in.Len()), normal(1<<16)
			var bias []float32
			if c.bias {
				bias = normal(c.out)
			}
			w := window{C: c.in.C, H: c.in.H, W: c.in.W, K: c.kernel, Stride: c.stride, Pad: c.pad}
			full := Shape{C: c.out}
			full.H, full.W = w.Out()
			half := Shape{c.out, full.H / 2, full.W / 2}
			inside := func(f *field, x []float32) (all []float32) {
				for i := range c.batch {
					for row := range f.H {
						all = append(all, f.line(x, i, row)...)
					}
				}
				return all
			}
			run := func(together bool) (y, dx, dw, db []float32) {
				threads := 1
				if c.threaded {
					threads = 3
				}
				e := newEngine(threads, c.batch)
				defer e.pool.Close()
				e.batch, e.image = c.batch, image
				in, out := newField(c.in, c.borderX, c.batch), newField(half, c.borderY, c.batch)
				between := out
				if !together {
					between = newField(full, 0, c.batch)
				}
				l := newConv(e, conv{x: in, y: between, kernel: c.kernel, stride: c.stride, pad: c.pad, weight: weight, bias: bias, relu: c.relu, pooled: together, needDX: c.needDX,
					dw: make([]float32, len(weight)), db: make([]float32, len(bias))})
				layers := []layer{&input{e, in}, l}
				var base *conv
				if together {
					base = &l.(*pooled).conv
				} else {
					base = &l.(*direct).conv
					layers = append(layers, &maxPool{between, out, 2})
				}
				e.allocate()
				ch := newChain(e, layers, in.size(), nil)
				for range 2 { // nothing is left over from the first time
					for i := range e.parts {
						l.pack(i, 0, true)
					}
					ch.forward()
					n := 0
					for i := range c.batch {
						for row := range out.H {
							n += copy(out.line(out.grad, i, row), gradient[n:])
						}
					}
					ch.backward()
					for i := range 5 {
						l.gather(i, 5)
					}
				}
				return inside(out, out.data), inside(in, in.grad), base.dw, base.db
			}
			y, dx, dw, db := run(true)
			wantY, wantDX, wantDW, wantDB := run(false)
			if !slices.Equal(y, wantY) {
				t.Error("outputs differ from those of the two layers")
			}
			near := func(what string, got, want []float32) {
				size := 0.0
				for _, v := range want {
					size = max(size, math.Abs(float64(v)))
				}
				for i := range want {
					if d := math.Abs(float64(got[i] - want[i])); !(d <= 1e-5*size) {
						t.Fatalf("%s: entry %d is %v, want %v", what, i, got[i], want[i])
					}
				}
			}
			near("gradient of the weights", dw, wantDW)
			near("gradient of the bias", db, wantDB)
			if c.needDX {
				near("gradient of the inputs", dx, wantDX)
			}
		})
	}
}
