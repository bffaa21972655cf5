package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Strips puts every entry where it says, in parts or at once, and nothing elsewhere.
func TestStrips(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(31, 1))
		for range 100 {
			rows, cols := 1+r.IntN(40), 1+r.IntN(200)
			const w = StripWidth
			ld := cols + r.IntN(3)
			x := random(r, (rows-1)*ld+cols)
			strips, alive := guarded(t, r, StripsLen(rows, cols))
			cut := r.IntN((cols+w-1)/w+1) * w
			Strips(strips, x, ld, rows, 0, min(cut, cols))
			Strips(strips, x, ld, rows, min(cut, (cols+w-1)/w*w), cols)
			alive()
			for i := range rows {
				for j := range cols {
					if got := strips[(j/w*rows+i)*w+j%w]; got != x[i*ld+j] {
						t.Fatalf("%d x %d: entry (%d, %d) is %v, want %v", rows, cols, i, j, got, x[i*ld+j])
					}
				}
			}
		}
	})
}

// MulSparse has the values of Gemm, also where there are infinities and NaN if zeros count, and MulDescent
// those of MulSparse and each rule; nothing between the rows or around them is written.
func TestMulSparse(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(31, 2))
		for round := range 300 {
			m, n, k := 1+r.IntN(20), 1+r.IntN(320), 1+r.IntN(40)
			if r.IntN(8) == 0 {
				k += 100 * r.IntN(5)
			}
			lo, rows, ld := r.IntN(4), m+5, n+r.IntN(3)
			s, b := NewSparse(rows, k+r.IntN(2)), random(r, k*n)
			s.Cols = k
			filled := []float64{0, 0.1, 0.5, 1}[r.IntN(4)]
			for i := range s.Values {
				if r.Float64() < filled {
					s.Values[i] = float32(r.NormFloat64())
				} else if r.IntN(2) == 0 {
					s.Values[i] = float32(math.Copysign(0, -1))
				}
			}
			dense := round%3 == 0
			if dense {
				s.Values[lo*k+r.IntN(m*k)], b[r.IntN(len(b))] = float32(math.Inf(1)), nan
			} else if round%3 == 1 {
				s.Values[lo*k+r.IntN(m*k)] = nan
			}
			strips := make([]float32, StripsLen(k, n))
			for i := range strips {
				strips[i] = nan // what is behind the columns does not matter
			}
			Strips(strips, b, n, k, 0, n)
			s.Dense = dense
			s.List(0, lo+1)
			s.List(lo+1, rows)
			s.Settle()
			scratch, within := guarded(t, r, m*StripWidth)

			want := make([]float32, m*n)
			Gemm(false, false, m, n, k, s.Values[lo*k:], k, b, n, 0, want, n, new(Workspace))
			got, alive := guarded(t, r, (m-1)*ld+n)
			before := slices.Clone(got)
			MulSparse(s, lo, lo+m, n, strips, got, ld, scratch)
			alive()
			within()
			for i := range got {
				row, col := i/ld, i%ld
				switch {
				case col >= n && got[i] != before[i]:
					t.Fatalf("%d x %d x %d: wrote between rows", m, n, k)
				case col < n && !equal(got[i], want[row*n+col]):
					t.Fatalf("%d x %d x %d: C[%d][%d] = %v, want %v", m, n, k, row, col, got[i], want[row*n+col])
				}
			}

			for rule := range rules {
				d := Descent{rule, 0.1, 0.9, 0.01}
				w, first := guarded(t, r, (m-1)*ld+n)
				v, second := guarded(t, r, (m-1)*ld+n)
				if round%8 == 0 {
					w[r.IntN(len(w))], v[r.IntN(len(v))] = nan, float32(math.Inf(1))
				}
				wantW, wantV := slices.Clone(w), slices.Clone(v)
				for i := range m {
					d.Apply(wantW[i*ld:][:n], want[i*n:][:n], wantV[i*ld:][:n])
				}
				arg := v
				if rule == Steepest {
					arg = nil
				}
				MulDescent(s, lo, lo+m, n, strips, w, arg, ld, n, d, scratch)
				first()
				second()
				within()
				for i := range w {
					if !equal(w[i], wantW[i]) || !equal(v[i], wantV[i]) {
						t.Fatalf("rule %d, %d x %d x %d: entry %d of row %d is %v, velocity %v; want %v, %v", rule, m, n, k, i%ld, i/ld, w[i], v[i], wantW[i], wantV[i])
					}
				}
			}
		}
	})
}

// Where many entries are zero, infinities of the other matrix beside them do not show; where few are, or all
// count, they make NaN.
func TestMulSparseSkips(t *testing.T) {
	if active.strips.sparse == nil {
		t.Skip("these kernels multiply zeros too")
	}
	const rows, cols, n = 4, 10, StripWidth
	b := make([]float32, cols*n)
	for i := range b {
		b[i] = 3
	}
	copy(b, slices.Repeat([]float32{float32(math.Inf(1))}, n)) // beside the first column, which is zero
	strips, c := make([]float32, StripsLen(cols, n)), make([]float32, rows*n)
	Strips(strips, b, n, cols, 0, n)
	for _, at := range []struct {
		zeros int // of each row
		dense bool
		want  float32
	}{
		{zeros: 9, want: 6}, {zeros: 2, want: 48}, {zeros: 1, want: nan}, {zeros: 9, dense: true, want: nan},
	} {
		s := NewSparse(rows, cols)
		for i := range s.Values {
			if i%cols >= at.zeros {
				s.Values[i] = 2
			}
		}
		s.Values[cols] = float32(math.Copysign(0, -1))
		s.Dense = at.dense
		s.List(0, rows)
		s.Settle()
		MulSparse(s, 0, rows, n, strips, c, n, make([]float32, rows*StripWidth))
		for i, v := range c {
			if !equal(v, at.want) {
				t.Fatalf("%+v: entry %d is %v", at, i, v)
			}
		}
	}
}

// The gradient and update of the weights of the mlp's first layer, a third of whose units are not zero for an image, and
// with no zeros: GFLOP/s as if all were multiplied.
func BenchmarkSparse(b *testing.B) {
	for _, batch := range []int{32, 128} {
		for _, filled := range []float64{0.38, 1} {
			b.Run(fmt.Sprintf("%d/%g", batch, filled), func(b *testing.B) {
				const units, inputs = 512, 3072
				r := rand.New(rand.NewPCG(31, 3))
				s := NewSparse(units, batch)
				for i := range s.Values {
					if r.Float64() < filled {
						s.Values[i] = float32(r.NormFloat64())
					}
				}
				s.Dense = filled == 1
				s.List(0, units)
				s.Settle()
				strips := Make(StripsLen(batch, inputs))
				Strips(strips, random(r, batch*inputs), inputs, batch, 0, inputs)
				w, v, scratch := Make(units*inputs), Make(units*inputs + 512)[512:], make([]float32, 64*StripWidth)
				const together = 768
				for b.Loop() {
					for u := 0; u < units; u += 64 {
						for j := 0; j < inputs; j += together {
							MulDescent(s, u, u+64, together, strips[j*batch:], w[u*inputs+j:], v[u*inputs+j:], inputs, together, Descent{HeavyBall, 1e-6, 0.9, 0}, scratch)
						}
					}
				}
				b.ReportMetric(2*units*inputs*float64(batch)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
