package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sizes cover no vector, whole vectors, and tails of all kinds.
var sizes = []int{0, 1, 2, 3, 5, 7, 8, 9, 13, 15, 16, 17, 23, 31, 32, 33, 63, 64, 65, 127, 131, 257}

// operations are the element-wise kernels on three arrays, with the truth for one
// entry of each in float64.
var operations = []struct {
	name  string
	apply func(x [3][]float32)
	truth func(x [3]float64) [3]float64
}{
	{"Axpy", func(x [3][]float32) { Axpy(-0.7, x[1], x[0]) },
		func(x [3]float64) [3]float64 { return [3]float64{x[0] - 0.7*x[1], x[1], x[2]} }},
	{"EMA", func(x [3][]float32) { EMA(x[0], x[1], 0.9) },
		func(x [3]float64) [3]float64 { return [3]float64{0.9*x[0] + 0.1*x[1], x[1], x[2]} }},
	{"SGD", func(x [3][]float32) { SGD(x[0], x[1], 0.3, 0.01) },
		func(x [3]float64) [3]float64 { return [3]float64{x[0] - 0.3*(x[1]+0.01*x[0]), x[1], x[2]} }},
	{"Momentum", func(x [3][]float32) { Momentum(x[0], x[1], x[2], 0.3, 0.9, 0.01, false) },
		func(x [3]float64) [3]float64 {
			v := 0.9*x[2] + x[1] + 0.01*x[0]
			return [3]float64{x[0] - 0.3*v, x[1], v}
		}},
	{"Nesterov", func(x [3][]float32) { Momentum(x[0], x[1], x[2], 0.3, 0.9, 0.01, true) },
		func(x [3]float64) [3]float64 {
			g := x[1] + 0.01*x[0]
			v := 0.9*x[2] + g
			return [3]float64{x[0] - 0.3*(g+0.9*v), x[1], v}
		}},
	{"Relu", func(x [3][]float32) { Relu(x[0], x[1]) },
		func(x [3]float64) [3]float64 { return [3]float64{max(x[1], 0), x[1], x[2]} }},
	{"Relu in place", func(x [3][]float32) { Relu(x[0], x[0]) },
		func(x [3]float64) [3]float64 { return [3]float64{max(x[0], 0), x[1], x[2]} }},
	{"ReluBackward", func(x [3][]float32) { ReluBackward(x[0], x[1], x[2]) },
		func(x [3]float64) [3]float64 {
			if x[2] > 0 {
				return [3]float64{x[1], x[1], x[2]}
			}
			return [3]float64{0, x[1], x[2]}
		}},
	{"ReluBackward in place", func(x [3][]float32) { ReluBackward(x[0], x[0], x[2]) },
		func(x [3]float64) [3]float64 {
			if x[2] > 0 {
				return x
			}
			return [3]float64{0, x[1], x[2]}
		}},
}

func TestElementwise(t *testing.T) {
	each(t, func(t *testing.T) {
		for _, op := range operations {
			r := rand.New(rand.NewPCG(3, 1))
			for _, n := range sizes {
				var x, before [3][]float32
				var alive [3]func()
				for k := range x {
					x[k], alive[k] = guarded(t, r, n)
					before[k] = slices.Clone(x[k])
				}
				op.apply(x)
				for k := range x {
					alive[k]()
				}
				for i := range n {
					want := op.truth([3]float64{float64(before[0][i]), float64(before[1][i]), float64(before[2][i])})
					for k := range x {
						if got := float64(x[k][i]); math.Abs(got-want[k]) > 1e-6*(1+math.Abs(want[k])) {
							t.Fatalf("%s, n = %d: array %d entry %d: %v, want %v", op.name, n, k, i, got, want[k])
						}
					}
				}
			}
		}
	})
}

// One array and the same array in two parts, in assembly and in Go: the bits are
// the same.
func TestElementwiseDoesNotDependOnTheCut(t *testing.T) {
	for _, op := range operations {
		var want [3][]float32
		each(t, func(t *testing.T) {
			const n = 77
			for _, cut := range []int{0, 1, 8, 13, 40, 77} {
				r := rand.New(rand.NewPCG(4, 1))
				var x, head, tail [3][]float32
				for k := range x {
					x[k] = random(r, n)
					head[k], tail[k] = x[k][:cut], x[k][cut:]
				}
				op.apply(head)
				op.apply(tail)
				if want[0] == nil {
					want = x
				}
				for k := range x {
					if !slices.Equal(x[k], want[k]) {
						t.Fatalf("%s: bits depend on the cut at %d", op.name, cut)
					}
				}
			}
		})
	}
}

func TestElementwisePassesNaNAndInf(t *testing.T) {
	each(t, func(t *testing.T) {
		nan, inf := float32(math.NaN()), float32(math.Inf(1))
		odd := []float32{nan, inf, -inf, -1, 0, 1, nan, inf, -inf, nan, 2}
		y := make([]float32, len(odd))
		Relu(y, odd)
		if want := []float32{nan, inf, 0, 0, 0, 1, nan, inf, 0, nan, 2}; !same(y, want) {
			t.Errorf("Relu: %v, want %v", y, want)
		}
		dy := []float32{1, nan, 3, 4, 5, 6, 7, inf, nan, 10, 11}
		dx := make([]float32, len(odd))
		ReluBackward(dx, dy, odd)
		if want := []float32{0, nan, 0, 0, 0, 6, 0, inf, 0, 0, 11}; !same(dx, want) {
			t.Errorf("ReluBackward: %v, want %v", dx, want)
		}
		clear(y)
		Axpy(1, odd, y)
		if !same(y, odd) {
			t.Errorf("Axpy: %v, want %v", y, odd)
		}
	})
}

// same compares entries, NaN equal to NaN.
func same(x, y []float32) bool {
	return slices.EqualFunc(x, y, func(a, b float32) bool { return a == b || a != a && b != b })
}

// Three updates by PyTorch's rule (torch.optim.SGD, lr 0.1, momentum 0.9, weight
// decay 0.5) of w = 1 under g = 1, by hand: the first velocity is the gradient.
func TestMomentumFollowsPyTorch(t *testing.T) {
	each(t, func(t *testing.T) {
		for _, c := range []struct {
			nesterov bool
			want     float64
		}{
			// g + 0.5 w = 1.5; v = 1.5; w = 0.85
			// 1.425; v = 2.775; w = 0.5725
			// 1.28625; v = 3.78375; w = 0.194125
			{false, 0.194125},
			// 1.5; v = 1.5; w = 1 - 0.1 (1.5 + 1.35) = 0.715
			// 1.3575; v = 2.7075; w = 0.715 - 0.1 (1.3575 + 2.43675) = 0.335575
			// 1.1677875; v = 3.6045375; w = 0.335575 - 0.1 (1.1677875 + 3.24408375) = -0.105612125
			{true, -0.105612125},
		} {
			w, g, v := make([]float32, 11), make([]float32, 11), make([]float32, 11)
			for i := range w {
				w[i], g[i] = 1, 1
			}
			for range 3 {
				Momentum(w, g, v, 0.1, 0.9, 0.5, c.nesterov)
			}
			for i := range w {
				if math.Abs(float64(w[i])-c.want) > 1e-6 {
					t.Fatalf("nesterov %v: w[%d] = %v, want %v", c.nesterov, i, w[i], c.want)
				}
			}
		}
	})
}

// Sum is near the sum in float64, and the same bits in assembly and in Go.
func TestSum(t *testing.T) {
	var first []float32
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(13, 1))
		var sums []float32
		for _, n := range append(sizes, 10007) {
			x, _ := guarded(t, r, n)
			got, want, size := Sum(x), 0.0, 0.0
			for _, v := range x {
				want += float64(v)
				size += math.Abs(float64(v))
			}
			if math.Abs(float64(got)-want) > 1e-6*size {
				t.Errorf("n = %d: %v, want %v", n, got, want)
			}
			sums = append(sums, got)
		}
		if first == nil {
			first = sums
		}
		if !slices.Equal(sums, first) {
			t.Errorf("sums %v, with other kernels %v", sums, first)
		}
		if nan := Sum([]float32{1, float32(math.NaN()), 2}); nan == nan {
			t.Errorf("a sum with NaN is %v", nan)
		}
	})
}

func BenchmarkSum(b *testing.B) {
	x := random(rand.New(rand.NewPCG(1, 1)), 784)
	b.SetBytes(4 * int64(len(x)))
	var s float32
	for b.Loop() {
		s += Sum(x)
	}
	_ = s
}

func BenchmarkElementwise(b *testing.B) {
	for _, op := range operations {
		b.Run(op.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			const n = 1 << 14 // three arrays of 64 KiB, in L2
			x := [3][]float32{random(r, n), random(r, n), random(r, n)}
			b.SetBytes(4 * n)
			for b.Loop() {
				op.apply(x)
			}
		})
	}
}
