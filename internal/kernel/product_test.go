package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// near tells whether a sum of products is right to rounding.
func nearSum(got float32, want, size float64) bool {
	return math.Abs(float64(got)-want) <= 3e-6*(size+1)
}

func TestMulRows(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 1))
		for range 300 {
			m, n := 1+r.IntN(45), 1+r.IntN(70)
			w := Windows{Segments: 1 + r.IntN(5), Length: 1 + r.IntN(40), Lead: r.IntN(20)}
			w.Skip = w.Length + r.IntN(30) - 10
			w.Skip = max(w.Skip, 0)
			if r.IntN(2) == 0 {
				w = Rows(w.Length, w.Length+r.IntN(3))
			}
			k, ldb, ldc := w.Segments*w.Length, Padded(n)+16*r.IntN(2), n+r.IntN(3)
			a := random(r, (m-1)*w.Lead+(w.Segments-1)*w.Skip+w.Length)
			b := random(r, (k-1)*ldb+Padded(n))
			for i := range k { // what is behind the columns does not matter
				b[i*ldb+Padded(n)-1] = float32(math.NaN())
				for j := n; j < Padded(n); j++ {
					b[i*ldb+j] = float32(math.NaN())
				}
			}
			for i := range k {
				for j := range n {
					b[i*ldb+j] = float32(r.NormFloat64())
				}
			}
			c, alive := guarded(t, r, (m-1)*ldc+n)
			before := slices.Clone(c)
			accumulate := r.IntN(2) == 0
			MulRows(m, n, a[:len(a):len(a)], w, b, ldb, c, ldc, accumulate)
			alive()
			for i := range m {
				for j := range ldc {
					if i*ldc+j >= len(c) {
						break
					}
					want, size := float64(before[i*ldc+j]), 0.0
					if j < n {
						if !accumulate {
							want = 0
						}
						for s := range w.Segments {
							for p := range w.Length {
								x := float64(a[i*w.Lead+s*w.Skip+p]) * float64(b[(s*w.Length+p)*ldb+j])
								want += x
								size += math.Abs(x)
							}
						}
					}
					if !nearSum(c[i*ldc+j], want, size) {
						t.Fatalf("%d x %d, %+v: C[%d][%d] = %v, want %v", m, n, w, i, j, c[i*ldc+j], want)
					}
				}
			}
		}
	})
}

// Several products in one call have the bits of each by itself, and write nothing between them.
func TestMulEach(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		var ahead Ahead
		far := random(r, 500)
		for range 200 {
			m, n, length := 1+r.IntN(45), 1+r.IntN(70), 1+r.IntN(20)
			if r.IntN(3) == 0 { // whole tiles
				m, n = 16*(1+r.IntN(3)), 16*(1+r.IntN(4))
			}
			w := Windows{Segments: 1 + r.IntN(3), Length: length, Lead: r.IntN(20), Skip: r.IntN(30)}
			k := w.Segments * length
			ldb, ldc := Padded(n), n+r.IntN(3)
			together := Apart{N: 1 + r.IntN(5), A: r.IntN(40), B: r.IntN(40), C: (m-1)*ldc + n + r.IntN(9), Ahead: &ahead}
			ahead.Begin()
			for range r.IntN(6) { // each ends a call
				ahead.Add(far[:1+r.IntN(len(far))])
			}
			a := random(r, 4*together.A+(m-1)*w.Lead+(w.Segments-1)*w.Skip+length)
			b := random(r, 4*together.B+k*ldb)
			accumulate := r.IntN(2) == 0
			c, alive := guarded(t, r, (together.N-1)*together.C+(m-1)*ldc+n)
			want := slices.Clone(c)
			for i := range together.N {
				MulRows(m, n, a[i*together.A:], w, b[i*together.B:], ldb, want[i*together.C:], ldc, accumulate)
			}
			MulRowsEach(together, m, n, a, w, b, ldb, c, ldc, accumulate)
			alive()
			if !slices.Equal(c, want) {
				t.Fatalf("%d x %d, %+v, %+v: other rows than one by one", m, n, w, together)
			}
			as, bs := Strided{Lead: r.IntN(m + 3), Skip: r.IntN(30)}, Strided{Lead: n + r.IntN(3), Skip: r.IntN(30)}
			a = random(r, 4*together.A+(w.Segments-1)*as.Skip+(length-1)*as.Lead+m)
			b = random(r, 4*together.B+(w.Segments-1)*bs.Skip+(length-1)*bs.Lead+n)
			for i := range together.N {
				MulColumns(m, n, w.Segments, length, a[i*together.A:], as, b[i*together.B:], bs, want[i*together.C:], ldc, accumulate)
			}
			MulColumnsEach(together, m, n, w.Segments, length, a, as, b, bs, c, ldc, accumulate)
			alive()
			if !slices.Equal(c, want) {
				t.Fatalf("%d x %d, %d x %d, %+v: other columns than one by one", m, n, w.Segments, length, together)
			}
		}
	})
}

// MulFar has the bits of MulColumns, and writes nothing else.
func TestMulFar(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 3))
		for range 200 {
			m, n, k := 1+r.IntN(60), 1+r.IntN(150), 1+r.IntN(40)
			lda, ldb, ldc := m+r.IntN(3), n+r.IntN(3), n+r.IntN(3)
			a, b := random(r, (k-1)*lda+m), random(r, (k-1)*ldb+n)
			c, alive := guarded(t, r, (m-1)*ldc+n)
			want := slices.Clone(c)
			MulColumns(m, n, 1, k, a, Strided{Lead: lda}, b, Strided{Lead: ldb}, want, ldc, false)
			MulFar(m, n, k, a, lda, b, ldb, c, ldc)
			alive()
			if !slices.Equal(c, want) {
				t.Fatalf("%d x %d x %d: not the product", m, n, k)
			}
		}
	})
}

func TestMulColumns(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 2))
		for range 300 {
			m, n, segments, length := 1+r.IntN(45), 1+r.IntN(70), 1+r.IntN(4), 1+r.IntN(40)
			as := Strided{Lead: r.IntN(m + 3)}
			bs := Strided{Lead: n + r.IntN(3)}
			if r.IntN(3) == 0 { // whole tiles
				m, n = 16*(1+r.IntN(3)), 16*(1+r.IntN(4))
				as.Lead, bs.Lead = m, n+r.IntN(3)
			}
			as.Skip, bs.Skip = length*as.Lead+r.IntN(5), length*bs.Lead+r.IntN(5)
			ldc := n + r.IntN(3)
			a := random(r, (segments-1)*as.Skip+(length-1)*as.Lead+m)
			b, intact := guarded(t, r, (segments-1)*bs.Skip+(length-1)*bs.Lead+n)
			c, alive := guarded(t, r, (m-1)*ldc+n)
			before := slices.Clone(c)
			accumulate := r.IntN(2) == 0
			MulColumns(m, n, segments, length, a[:len(a):len(a)], as, b, bs, c, ldc, accumulate)
			alive()
			intact()
			for i := range m {
				for j := range ldc {
					if i*ldc+j >= len(c) {
						break
					}
					want, size := float64(before[i*ldc+j]), 0.0
					if j < n {
						if !accumulate {
							want = 0
						}
						for s := range segments {
							for p := range length {
								x := float64(a[s*as.Skip+p*as.Lead+i]) * float64(b[s*bs.Skip+p*bs.Lead+j])
								want += x
								size += math.Abs(x)
							}
						}
					}
					if !nearSum(c[i*ldc+j], want, size) {
						t.Fatalf("%d x %d, %d x %d: C[%d][%d] = %v, want %v", m, n, segments, length, i, j, c[i*ldc+j], want)
					}
				}
			}
		}
	})
}

func BenchmarkMulRows(b *testing.B) {
	for _, c := range []struct{ m, n, segments, length int }{{32, 32, 3, 96}, {32, 16, 3, 48}, {28, 6, 5, 15}, {10, 16, 5, 30}, {16, 64, 1, 64}, {32, 16, 1, 16}, {32, 32, 1, 32}, {28, 32, 1, 256}} {
		b.Run(fmt.Sprint(c), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			k := c.segments * c.length
			w := Windows{c.segments, c.length, c.length / max(c.segments, 1), 1200}
			a, bb, out := random(r, c.m*c.length+4*w.Skip+k), random(r, k*Padded(c.n)), random(r, c.m*c.n)
			for b.Loop() {
				MulRows(c.m, c.n, a, w, bb, Padded(c.n), out, c.n, false)
			}
			b.ReportMetric(2*float64(c.m*c.n*k)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}

func BenchmarkMulColumns(b *testing.B) {
	for _, c := range []struct{ m, n, segments, length int }{{96, 32, 32, 32}, {15, 6, 28, 28}, {30, 16, 10, 10}, {64, 64, 1, 32}, {16, 16, 1, 32}} {
		b.Run(fmt.Sprint(c), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			as, bs := Strided{c.m / 3, 34 * c.m / 3}, Strided{c.n, c.n * c.length}
			a, bb, out := random(r, c.segments*as.Skip+c.length*as.Lead+c.m), random(r, c.segments*bs.Skip), random(r, c.m*c.n)
			for b.Loop() {
				MulColumns(c.m, c.n, c.segments, c.length, a, as, bb, bs, out, c.n, true)
			}
			b.ReportMetric(2*float64(c.m*c.n*c.segments*c.length)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}

// BenchmarkPeak is the rate of the inner loop on what is in L1: all that a product can reach.
func BenchmarkPeak(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	w := &active.widths[0]
	a, bb, c := random(r, w.rows), random(r, w.cols), random(r, w.rows*w.cols)
	const k = 10000
	for b.Loop() {
		w.columnwise[w.rows](1, 1, 1, k, &a[0], 0, 0, 0, &bb[0], 0, 0, 0, &c[0], w.cols, 0, w.lanes, false, &a[0], 0)
	}
	b.ReportMetric(2*k*float64(w.rows*w.cols)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
}

// A NaN in A makes a row of C NaN, one in B a column, and nothing else; infinity times
// zero is NaN.
func TestProductsPassNaN(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 3))
		inf := float32(math.Inf(1))
		for _, n := range []int{1, 5, 16, 35} {
			const m, k = 17, 20
			for _, bad := range []float32{nan, inf} {
				a, at, b := random(r, m*k), random(r, m*k), random(r, k*Padded(n))
				row, column, depth := r.IntN(m), r.IntN(n), r.IntN(k)
				a[row*k+depth], at[depth*m+row] = bad, bad
				b[depth*Padded(n)+column] = 0
				rows, columns := random(r, m*n), random(r, m*n)
				MulRows(m, n, a, Rows(k, k), b, Padded(n), rows, n, false)
				MulColumns(m, n, 1, k, at, Strided{Lead: m}, b, Strided{Lead: Padded(n)}, columns, n, false)
				for _, c := range [][]float32{rows, columns} {
					for i, v := range c {
						isNaN, isInf := v != v, math.IsInf(float64(v), 0)
						switch {
						case i/n != row && (isNaN || isInf):
							t.Fatalf("%v spreads to row %d", bad, i/n)
						case i/n == row && (bad != bad || i%n == column) && !isNaN:
							t.Fatalf("%v in A, column %d of %d: %v", bad, i%n, n, v)
						case i/n == row && bad == inf && i%n != column && !isInf:
							t.Fatalf("%v in A, column %d of %d: %v", bad, i%n, n, v)
						}
					}
				}
			}
		}
	})
}

func TestTransformsPassNaN(t *testing.T) {
	each(t, func(t *testing.T) {
		for k, f := range winogradTransforms {
			const channels = 16
			src, dst := make([]float32, 36*channels), make([]float32, 36*channels)
			for i := range f.in * f.in {
				src[i*channels+3] = nan
			}
			f.Apply(1, channels, dst, Planes(f.out, channels, channels), src, Planes(f.in, channels, channels))
			for i := range f.out * f.out {
				if dst[i*channels+3] == dst[i*channels+3] || dst[i*channels+2] != 0 {
					t.Fatalf("transform %d: entry %d is %v beside %v", k, i, dst[i*channels+3], dst[i*channels+2])
				}
			}
		}
	})
}
