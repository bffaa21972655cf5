package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// each runs a test with every implementation that this machine has.
func each(t *testing.T, f func(t *testing.T)) {
	chosen := active
	defer func() { active = chosen }()
	for _, k := range append(available(), goKernels) {
		active = k
		t.Run(k.name, f)
	}
}

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

const canary = 12345

// guarded returns n random values at an odd offset, between canaries, and a
// check that the canaries are alive.
func guarded(t *testing.T, r *rand.Rand, n int) ([]float32, func()) {
	return guardedAt(t, r, n, 37)
}

// aligned is guarded, but the values begin with a line of the cache.
func aligned(t *testing.T, r *rand.Rand, n int) ([]float32, func()) {
	return guardedAt(t, r, n, 0)
}

// guardedAt begins so many values behind a line of the cache.
func guardedAt(t *testing.T, r *rand.Rand, n, offset int) ([]float32, func()) {
	all := make([]float32, n+256)
	for i := range all {
		all[i] = canary
	}
	margin := 64 + offset
	for uintptr(unsafe.Pointer(&all[margin-offset]))%64 != 0 {
		margin++
	}
	x := all[margin : margin+n : margin+n]
	copy(x, random(r, n))
	return x, func() {
		t.Helper()
		for i, v := range all {
			if (i < margin || i >= margin+n) && v != canary {
				t.Fatalf("wrote outside: entry %d of %d", i-margin, n)
			}
		}
	}
}

func TestGemm(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		var ws Workspace
		sides := []int{1, 2, 3, 5, 6, 7, 13, 14, 15, 16, 17, 31, 32, 33, 65}
		deep := []int{1, 2, 7, 8, 9, 64, 255, 256, 257, 600}
		cases := [][3]int{{169, 513, 3}, {170, 33, 300}, {5, 1030, 20}, {6, 784, 75}, {500, 7, 9}}
		for range 150 {
			cases = append(cases, [3]int{sides[r.IntN(len(sides))], sides[r.IntN(len(sides))], deep[r.IntN(len(deep))]})
		}
		for _, c := range cases {
			m, n, k := c[0], c[1], c[2]
			for mode := range 4 {
				transA, transB := mode&1 != 0, mode&2 != 0
				beta := []float32{0, 1, 0.5}[r.IntN(3)]
				pad := r.IntN(3)
				lda, ldb, ldc := k+pad, n+pad, n+pad
				rowsA, rowsB := m, k
				if transA {
					lda, rowsA = m+pad, k
				}
				if transB {
					ldb, rowsB = k+pad, n
				}
				// The last row ends where its entries do: reading further is an error.
				a := random(r, (rowsA-1)*lda+lda-pad)
				b := random(r, (rowsB-1)*ldb+ldb-pad)
				out, alive := guarded(t, r, (m-1)*ldc+n)
				before := slices.Clone(out)
				if beta == 0 {
					out[0] = float32(math.NaN())
				}
				Gemm(transA, transB, m, n, k, a[:len(a):len(a)], lda, b[:len(b):len(b)], ldb, beta, out, ldc, &ws)
				alive()
				for i := range m {
					for j := range ldc {
						if i == m-1 && j >= n {
							break
						}
						got := float64(out[i*ldc+j])
						if j >= n {
							if out[i*ldc+j] != before[i*ldc+j] {
								t.Fatalf("%v: wrote between rows", c)
							}
							continue
						}
						want, size := 0.0, 1.0
						if beta != 0 {
							want = float64(beta) * float64(before[i*ldc+j])
						}
						for p := range k {
							x, y := a[i*lda*b2i(!transA)+p*b2i(!transA)+(p*lda+i)*b2i(transA)], b[(p*ldb+j)*b2i(!transB)+(j*ldb+p)*b2i(transB)]
							want += float64(x) * float64(y)
							size += math.Abs(float64(x) * float64(y))
						}
						if math.Abs(got-want) > 3e-6*size {
							t.Fatalf("m, n, k = %v, transposed %v %v, beta %v: C[%d][%d] = %v, want %v", c, transA, transB, beta, i, j, got, want)
						}
					}
				}
			}
		}
	})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// However C is cut into parts, its bits are the same.
func TestGemmDoesNotDependOnTheCut(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 1))
		var ws Workspace
		for _, mode := range []int{0, 1, 2, 3} {
			transA, transB := mode&1 != 0, mode&2 != 0
			m, n, k := 61, 77, 300
			a, b := random(r, m*k), random(r, k*n)
			lda, ldb := k, n
			if transA {
				lda = m
			}
			if transB {
				ldb = k
			}
			want := make([]float32, m*n)
			Gemm(transA, transB, m, n, k, a, lda, b, ldb, 0, want, n, &ws)
			got := make([]float32, m*n)
			for i := 0; i < m; {
				rows := min(1+r.IntN(20), m-i)
				for j := 0; j < n; {
					cols := min(1+r.IntN(40), n-j)
					ai, bj := i*lda, j
					if transA {
						ai = i
					}
					if transB {
						bj = j * ldb
					}
					Gemm(transA, transB, rows, cols, k, a[ai:], lda, b[bj:], ldb, 0, got[i*n+j:], n, &ws)
					j += cols
				}
				i += rows
			}
			if !slices.Equal(want, got) {
				t.Errorf("transposed %v %v: bits depend on the cut", transA, transB)
			}
		}
	})
}

func TestGemmPassesNaNAndInf(t *testing.T) {
	each(t, func(t *testing.T) {
		var ws Workspace
		inf := float32(math.Inf(1))
		a, b, c := []float32{inf, 1, 0, 1}, []float32{0, 1, 1, 1}, make([]float32, 4)
		Gemm(false, false, 2, 2, 2, a, 2, b, 2, 0, c, 2, &ws) // inf*0+1, inf+1; 1, 1
		if c[0] == c[0] || c[1] != inf || c[2] != 1 || c[3] != 1 {
			t.Errorf("%v, want NaN, Inf, 1, 1", c)
		}
	})
}

// Both assembly versions, which fuse alike, give the same bits.
func TestGemmAgreesAcrossAssembly(t *testing.T) {
	var first []float32
	for _, k := range available() {
		chosen := active
		active = k
		r := rand.New(rand.NewPCG(14, 1))
		m, n, depth := 45, 107, 601
		a, b, c := random(r, m*depth), random(r, n*depth), make([]float32, m*n)
		Gemm(false, true, m, n, depth, a, depth, b, depth, 0, c, n, new(Workspace))
		active = chosen
		if first == nil {
			first = c
		}
		if !slices.Equal(c, first) {
			t.Errorf("%s: bits differ from %s", k.name, available()[0].name)
		}
	}
}

func TestGemmRefusesShortSlices(t *testing.T) {
	for _, c := range []struct {
		name          string
		a, b, c       int
		lda, ldb, ldc int
	}{
		{"A", 5, 12, 8, 3, 4, 4},
		{"B", 6, 11, 8, 3, 4, 4},
		{"C", 6, 12, 7, 3, 4, 4},
		{"A", 6, 12, 8, 2, 4, 4}, // rows that overlap
		{"C", 6, 12, 8, 3, 4, 5},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "kernel: Gemm: "+c.name+": ") {
					t.Errorf("%+v: %s", c, got)
				}
			}()
			Gemm(false, false, 2, 4, 3, make([]float32, c.a), c.lda, make([]float32, c.b), c.ldb, 0, make([]float32, c.c), c.ldc, new(Workspace))
		}()
	}
}

func BenchmarkGemm(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, s := range []struct {
		name           string
		transA, transB bool
		m, n, k        int
	}{
		{"square/64", false, false, 64, 64, 64},
		{"square/128", false, false, 128, 128, 128},
		{"square/256", false, false, 256, 256, 256},
		{"square/512", false, false, 512, 512, 512},
		{"square/1024", false, false, 1024, 1024, 1024},
		{"lenet/conv1", false, false, 6, 784, 75},
		{"lenet/conv2", false, false, 16, 100, 150},
		{"lenet/conv2-dx", true, false, 150, 100, 16},
		{"lenet/conv2-dw", false, true, 16, 150, 100},
		{"lenet/linear", false, true, 32, 120, 400},
		{"mlp/forward", false, true, 32, 512, 3072},
		{"mlp/dw", true, false, 512, 3072, 32},
		{"mlp/dx", false, false, 32, 512, 512},
	} {
		b.Run(s.name, func(b *testing.B) {
			var ws Workspace
			x, y, c := random(r, s.m*s.k), random(r, s.k*s.n), make([]float32, s.m*s.n)
			lda, ldb := s.k, s.n
			if s.transA {
				lda = s.m
			}
			if s.transB {
				ldb = s.k
			}
			for b.Loop() {
				Gemm(s.transA, s.transB, s.m, s.n, s.k, x, lda, y, ldb, 0, c, s.n, &ws)
			}
			flops := 2 * float64(s.m) * float64(s.n) * float64(s.k)
			b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func ExampleGemm() {
	a := []float32{1, 2, 3, 4, 5, 6} // 2 x 3
	b := []float32{1, 0, 0, 1, 1, 1} // 3 x 2
	c := make([]float32, 4)
	Gemm(false, false, 2, 2, 3, a, 3, b, 2, 0, c, 2, new(Workspace))
	fmt.Println(c)
	// Output: [4 5 10 11]
}
