package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Panels puts every entry where it says, rows in parts or at once, and nothing elsewhere.
func TestPanels(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 7))
		for range 100 {
			rows, cols := 1+r.IntN(40), 1+r.IntN(90)
			w, ld := PanelWidth(), cols+r.IntN(3)
			x := random(r, (rows-1)*ld+cols)
			panels, alive := guarded(t, r, PanelsLen(rows, cols))
			cut := r.IntN(rows + 1)
			if cut < rows {
				Panels(panels, x[cut*ld:], ld, cols, rows, cut, rows)
			}
			Panels(panels, x, ld, cols, rows, 0, cut)
			alive()
			for i := range rows {
				for j := range cols {
					if got := panels[(j/w*rows+i)*w+j%w]; got != x[i*ld+j] {
						t.Fatalf("%d x %d: entry (%d, %d) is %v, want %v", rows, cols, i, j, got, x[i*ld+j])
					}
				}
			}
		}
	})
}

// TransposePanels puts every entry where it says, in parts or at once, and nothing elsewhere.
func TestTransposePanels(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(21, 1))
		w := PanelWidth()
		for range 100 {
			rows, cols := 1+r.IntN(40), 1+r.IntN(90)
			ld := cols + r.IntN(3)
			x := random(r, (rows-1)*ld+cols)
			turned, intact := guarded(t, r, PanelsLen(cols, rows))
			cut := r.IntN(cols + 1)
			TransposePanels(turned, x, ld, rows, cols, cut, cols)
			TransposePanels(turned, x, ld, rows, cols, 0, cut)
			intact()
			for i := range rows {
				for j := range cols {
					if got := turned[(i/w*cols+j)*w+i%w]; got != x[i*ld+j] {
						t.Fatalf("%d x %d: entry (%d, %d) is %v, want %v", rows, cols, j, i, got, x[i*ld+j])
					}
				}
			}
		}
	})
}

// MulPanels has the bits of Gemm, also where there are infinities and NaN; nothing between the rows or around
// them is written.
func TestMulPanels(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(21, 2))
		for round := range 200 {
			m, n, k := 1+r.IntN(20), 1+r.IntN(150), 1+r.IntN(40)
			lda, ld := k+r.IntN(3), n+r.IntN(3)
			a, b := random(r, (m-1)*lda+k), random(r, k*n)
			if round%4 == 0 {
				a[r.IntN(len(a))], b[r.IntN(len(b))] = float32(math.Inf(1)), nan
			}
			panels := make([]float32, PanelsLen(k, n))
			for i := range panels {
				panels[i] = nan // what is behind the columns does not matter
			}
			turned := make([]float32, n*k)
			for p := range k {
				for j := range n {
					turned[j*k+p] = b[p*n+j]
				}
			}
			TransposePanels(panels, turned, k, n, k, 0, k)

			want := make([]float32, m*n)
			Gemm(false, false, m, n, k, a, lda, b, n, 0, want, n, new(Workspace))
			got, alive := guarded(t, r, (m-1)*ld+n)
			before := slices.Clone(got)
			half := r.IntN(k + 1)
			switch half {
			case 0, k:
				MulPanels(m, n, k, a[:len(a):len(a)], lda, panels, k, 0, got, ld, false)
			default: // in two slices, which round once more
				MulPanels(m, n, half, a, lda, panels, k, 0, got, ld, false)
				MulPanels(m, n, k-half, a[half:], lda, panels, k, half, got, ld, true)
			}
			alive()
			for i := range got {
				row, col := i/ld, i%ld
				switch {
				case col >= n && got[i] != before[i]:
					t.Fatalf("%d x %d x %d: wrote between rows", m, n, k)
				case col < n && (half == 0 || half == k) && !equal(got[i], want[row*n+col]),
					col < n && !nearSum(got[i], float64(want[row*n+col]), 30) && !equal(got[i], want[row*n+col]):
					t.Fatalf("%d x %d x %d: C[%d][%d] = %v, want %v", m, n, k, row, col, got[i], want[row*n+col])
				}
			}
		}
	})
}

// equal compares bits, any NaN with any other.
func equal(x, y float32) bool { return x == y || x != x && y != y }
