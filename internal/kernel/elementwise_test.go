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
	{"Signum", func(x [3][]float32) { Signum(x[0], x[1], x[2], 0.3, 0.9, 0.01) },
		func(x [3]float64) [3]float64 {
			m := 0.9*x[2] + 0.1*x[1]
			return [3]float64{x[0] - 0.3*(math.Copysign(1, m)+0.01*x[0]), x[1], m}
		}},
	{"SGDSign", func(x [3][]float32) { SGDSign(x[0], x[1], x[2], 0.3, 0.01, 0.9, 0.2) },
		func(x [3]float64) [3]float64 {
			m := 0.9*x[2] + 0.1*x[1]
			return [3]float64{x[0] - 0.3*(x[1]+0.01*x[0]) - math.Copysign(0.2, m), x[1], m}
		}},
	{"SGDAverage", func(x [3][]float32) { SGDAverage(x[0], x[1], x[2], 0.3, 0.01, 0.9) },
		func(x [3]float64) [3]float64 {
			return [3]float64{x[0] - 0.3*(x[1]+0.01*x[0]), x[1], 0.9*x[2] + 0.1*x[1]}
		}},
	{"MomentumSign", func(x [3][]float32) { MomentumSign(x[0], x[1], x[2], 0.3, 0.9, 0.01, 0.2, false) },
		func(x [3]float64) [3]float64 {
			v := 0.9*x[2] + x[1] + 0.01*x[0]
			return [3]float64{x[0] - 0.3*v - math.Copysign(0.2, v), x[1], v}
		}},
	{"NesterovSign", func(x [3][]float32) { MomentumSign(x[0], x[1], x[2], 0.3, 0.9, 0.01, 0.2, true) },
		func(x [3]float64) [3]float64 {
			g := x[1] + 0.01*x[0]
			v := 0.9*x[2] + g
			return [3]float64{x[0] - 0.3*(g+0.9*v) - math.Copysign(0.2, v), x[1], v}
		}},
	{"Sigmoid", func(x [3][]float32) { Sigmoid(x[0], x[1]) },
		func(x [3]float64) [3]float64 { return [3]float64{1 / (1 + math.Exp(-x[1])), x[1], x[2]} }},
	{"Sigmoid in place", func(x [3][]float32) { Sigmoid(x[0], x[0]) },
		func(x [3]float64) [3]float64 { return [3]float64{1 / (1 + math.Exp(-x[0])), x[1], x[2]} }},
	{"SigmoidBackward", func(x [3][]float32) { SigmoidBackward(x[0], x[1], x[2]) },
		func(x [3]float64) [3]float64 { return [3]float64{x[1] * x[2] * (1 - x[2]), x[1], x[2]} }},
	{"SigmoidBackward in place", func(x [3][]float32) { SigmoidBackward(x[0], x[0], x[2]) },
		func(x [3]float64) [3]float64 { return [3]float64{x[0] * x[2] * (1 - x[2]), x[1], x[2]} }},
	{"Tanh", func(x [3][]float32) { Tanh(x[0], x[1]) },
		func(x [3]float64) [3]float64 { return [3]float64{math.Tanh(x[1]), x[1], x[2]} }},
	{"Tanh in place", func(x [3][]float32) { Tanh(x[0], x[0]) },
		func(x [3]float64) [3]float64 { return [3]float64{math.Tanh(x[0]), x[1], x[2]} }},
	{"TanhBackward", func(x [3][]float32) { TanhBackward(x[0], x[1], x[2]) },
		func(x [3]float64) [3]float64 { return [3]float64{x[1] * (1 - x[2]*x[2]), x[1], x[2]} }},
	{"TanhBackward in place", func(x [3][]float32) { TanhBackward(x[0], x[0], x[2]) },
		func(x [3]float64) [3]float64 { return [3]float64{x[0] * (1 - x[2]*x[2]), x[1], x[2]} }},
	{"Shift", func(x [3][]float32) { Shift(x[0], -0.3, false) },
		func(x [3]float64) [3]float64 { return [3]float64{x[0] - 0.3, x[1], x[2]} }},
	{"Shift and rectify", func(x [3][]float32) { Shift(x[0], 0.3, true) },
		func(x [3]float64) [3]float64 { return [3]float64{max(0, x[0]+0.3), x[1], x[2]} }},
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

// adamSteps are constants of Adam and of AdamW, and some with both kinds of decay.
var adamSteps = []AdamStep{
	{Beta1: 0.9, Rest1: 0.1, Beta2: 0.999, Rest2: 0.001, Rate: 0.01 / 0.271, Root: 18.3, Epsilon: 1e-8, Coupled: 0.02},
	{Beta1: 0.9, Rest1: 0.1, Beta2: 0.999, Rest2: 0.001, Rate: 0.01 / 0.271, Root: 18.3, Epsilon: 1e-8, Apart: 0.003},
	{Beta1: 0.7, Rest1: 0.3, Beta2: 0.95, Rest2: 0.05, Rate: 0.2, Root: 1.7, Epsilon: 0.3, Coupled: 0.4, Apart: 0.1},
}

// Adam is near the update in float64, writes nothing else, and has the same bits in
// assembly and in Go, wherever it is cut.
func TestAdam(t *testing.T) {
	for _, s := range adamSteps {
		want := map[int][4][]float32{}
		each(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(14, 1))
			for _, n := range sizes {
				var x, before, head, tail [4][]float32
				var alive [4]func()
				for k := range x {
					x[k], alive[k] = guarded(t, r, n)
					if k == 3 {
						for i, v := range x[k] {
							x[k][i] = v * v
						}
					}
					before[k] = slices.Clone(x[k])
					again := slices.Clone(x[k])
					head[k], tail[k] = again[:n/3], again[n/3:]
				}
				Adam(x[0], x[1], x[2], x[3], s)
				Adam(head[0], head[1], head[2], head[3], s)
				Adam(tail[0], tail[1], tail[2], tail[3], s)
				for i := range n {
					w, g := float64(before[0][i]), float64(before[1][i])
					g += float64(s.Coupled) * w
					m := float64(s.Beta1)*float64(before[2][i]) + float64(s.Rest1)*g
					v := float64(s.Beta2)*float64(before[3][i]) + float64(s.Rest2)*g*g
					w -= float64(s.Apart)*w + float64(s.Rate)*m/(float64(s.Root)*math.Sqrt(v)+float64(s.Epsilon))
					for k, want := range []float64{w, float64(before[1][i]), m, v} {
						if got := float64(x[k][i]); math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
							t.Fatalf("%+v, n = %d: array %d entry %d: %v, want %v", s, n, k, i, got, want)
						}
					}
				}
				first, ok := want[n]
				if !ok {
					want[n], first = x, x
				}
				for k := range x {
					alive[k]()
					if !slices.Equal(x[k], first[k]) {
						t.Fatalf("%+v, n = %d: array %d has other bits than with other kernels", s, n, k)
					}
					if !slices.Equal(slices.Concat(head[k], tail[k]), x[k]) {
						t.Fatalf("%+v, n = %d: array %d: bits depend on the cut", s, n, k)
					}
				}
			}
		})
	}
}

// Sigmoid and Tanh over all magnitudes and both signs, in units in the last place of the
// result in float64; assembly and Go give the same bits.
func TestSigmoidAndTanh(t *testing.T) {
	var x []float32
	for bits := uint32(0); bits < 0x7F800000; bits += 3001 {
		v := math.Float32frombits(bits)
		x = append(x, v, -v)
	}
	for _, c := range []struct {
		name  string
		f     func(y, x []float32)
		truth func(x float64) float64
		most  float64 // units in the last place
		odd   [][2]float64
	}{
		{"Sigmoid", Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 2.5,
			[][2]float64{{math.Inf(1), 1}, {math.Inf(-1), 0}, {math.MaxFloat32, 1}, {-math.MaxFloat32, 0}, {0, 0.5}, {100, 1}, {-100, 0}}},
		{"Tanh", Tanh, math.Tanh, 1.5,
			[][2]float64{{math.Inf(1), 1}, {math.Inf(-1), -1}, {math.MaxFloat32, 1}, {-math.MaxFloat32, -1}, {0, 0}, {math.Copysign(0, -1), math.Copysign(0, -1)}, {1e-45, 1e-45}}},
	} {
		var first []float32
		each(t, func(t *testing.T) {
			y := make([]float32, len(x))
			c.f(y, x)
			worst, at := 0.0, float32(0)
			for i, v := range y {
				want := c.truth(float64(x[i]))
				ulp := float64(math.Nextafter32(float32(math.Abs(want)), 2)) - math.Abs(float64(float32(want)))
				if d := math.Abs(float64(v)-want) / max(ulp, 1e-38); d > worst {
					worst, at = d, x[i]
				}
			}
			if t.Logf("%s: at most %.2f units in the last place, at %g", c.name, worst, at); worst > c.most {
				t.Errorf("%s(%g) is off by %.2f units in the last place", c.name, at, worst)
			}
			if first == nil {
				first = y
			}
			if !slices.Equal(y, first) {
				t.Errorf("%s: other bits than with other kernels", c.name)
			}
			for _, o := range c.odd {
				got := make([]float32, 9) // a vector and one behind it
				for i := range got {
					got[i] = float32(o[0])
				}
				c.f(got, got)
				for _, v := range got {
					if math.Float32bits(v) != math.Float32bits(float32(o[1])) {
						t.Errorf("%s(%g) = %g, want %g", c.name, o[0], v, o[1])
					}
				}
			}
			nan := float32(math.NaN())
			got := []float32{1, 1, nan, 1, 1, 1, 1, 1, nan, 1}
			c.f(got, got)
			for i, v := range got {
				if (v != v) != (i == 2 || i == 8) {
					t.Errorf("%s of NaN at 2 and 8: %v", c.name, got)
				}
			}
		})
	}
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
		copy(y, odd)
		Shift(y, 1, true)
		if want := []float32{nan, inf, 0, 0, 1, 2, nan, inf, 0, nan, 3}; !same(y, want) {
			t.Errorf("Shift: %v, want %v", y, want)
		}
		copy(y, odd)
		Shift(y, 1, false)
		if want := []float32{nan, inf, -inf, 0, 1, 2, nan, inf, -inf, nan, 3}; !same(y, want) {
			t.Errorf("Shift without rectifier: %v, want %v", y, want)
		}
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
		signs := []float32{nan, -2, 2, 2, 0, -2, nan, -2, 2, nan, -2}
		for _, u := range []struct {
			name  string
			apply func(w, m []float32)
		}{
			{"Signum", func(w, m []float32) { Signum(w, make([]float32, len(w)), m, 2, 0.5, 0) }},
			{"SGDSign", func(w, m []float32) { SGDSign(w, make([]float32, len(w)), m, 1, 0, 0.5, 2) }},
		} {
			w := make([]float32, len(odd))
			if u.apply(w, slices.Clone(odd)); !same(w, signs) {
				t.Errorf("%s: %v, want %v", u.name, w, signs)
			}
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

func BenchmarkAdam(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	const n = 1 << 13 // four arrays of 32 KiB, in L2
	w, g, m, v := random(r, n), random(r, n), random(r, n), make([]float32, n)
	b.SetBytes(4 * n)
	for b.Loop() {
		Adam(w, g, m, v, adamSteps[0])
	}
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
