package kernel

import "math"

// A Sparse matrix is multiplied without its zeros. The gradient of a rectified unit is a row
// of one: it is zero for every image that left the unit at zero, which is half of
// them to begin with and more of them later.
type Sparse struct {
	Cols    int       // that it has now
	Values  []float32 // rows x Cols
	counts  []int     // of entries listed, of each row
	entries []entry   // of each row, which has room for all columns
}

// An entry says how many bytes behind the first row of a strip the one begins that the value multiplies.
type entry struct {
	at    uint32
	value float32
}

// NewSparse returns a matrix of so many rows and columns, all zero. It may have fewer columns later.
func NewSparse(rows, cols int) *Sparse {
	return &Sparse{cols, make([]float32, rows*cols), make([]int, rows), make([]entry, rows*cols+1)}
}

// List looks for the entries of rows [lo, hi) that are not zero; all products of these rows take what it found. If
// dense, all count: where the other matrix has an infinity, a zero gives the NaN then that IEEE asks for.
func (s *Sparse) List(lo, hi int, dense bool) {
	if active.sparse == nil {
		return
	}
	every := 0
	if dense {
		every = 1
	}
	for row := lo; row < hi; row++ {
		at, n := row*s.Cols, 0
		list := s.entries[at : at+s.Cols+1] // the last is written before it is known not to count
		for i, v := range s.Values[at : at+s.Cols] {
			list[n] = entry{uint32(4 * StripWidth * i), v}
			// 1 but for +0 and -0, without a branch, which nobody could predict.
			n += int((uint64(math.Float32bits(v)<<1)+math.MaxUint32)>>32) | every
		}
		s.counts[row] = n
	}
}

// StripWidth is the columns of a strip: as many as leave room in L1 for 128 rows.
const StripWidth = 64

// StripsLen returns the entries of the strips of a matrix of so many rows and columns.
func StripsLen(rows, cols int) int { return (cols + StripWidth - 1) / StripWidth * StripWidth * rows }

// Strips stores columns [lo, hi) of a matrix, whose rows lie ld apart, as a [Sparse] one reads them: entry
// (p, j) at (j/w*rows + p)*w + j%w, w = StripWidth. What the last strip has behind its
// columns is left as it is. lo is a multiple of w.
func Strips(dst, src []float32, ld, rows, lo, hi int) {
	for j := lo; j < hi; j += StripWidth {
		copyRows(dst[j*rows:], StripWidth, src[j:], ld, rows, min(StripWidth, hi-j))
	}
}

// MulSparse sets C to the product of rows [lo, hi) of a sparse matrix with the n columns of strips. Every
// element is one sequence of multiply-adds in the order of the columns.
// Scratch is (hi-lo) x StripWidth.
func MulSparse(s *Sparse, lo, hi, n int, strips, c []float32, ldc int, scratch []float32) {
	s.multiply(lo, hi, n, strips, c, nil, ldc, nil, scratch)
}

// MulDescent is [MulSparse], and d along the product, which is
// the gradient of the (hi-lo) x n weights w with velocities v, rows ldw apart; v may be nil for
// Steepest. The bits are the same; the gradient is not stored, or in scratch.
func MulDescent(s *Sparse, lo, hi, n int, strips, w, v []float32, ldw int, d Descent, scratch []float32) {
	if d.Rule == Steepest {
		v = w // which is not touched as such
	}
	s.multiply(lo, hi, n, strips, w, v, ldw, &d, scratch)
}

// multiply stores the product in w, or moves w along it.
func (s *Sparse) multiply(lo, hi, n int, strips, w, v []float32, ldw int, d *Descent, scratch []float32) {
	m, k := hi-lo, s.Cols
	if m <= 0 || n <= 0 || k <= 0 {
		return
	}
	last := (m-1)*ldw + n - 1
	_, _, _ = w[last], strips[(n-1)/StripWidth*StripWidth*k+k*StripWidth-1], scratch[m*StripWidth-1]
	rule, c := stored, Descent{}
	if d != nil {
		_ = v[last]
		rule, c = d.Rule, *d
	} else {
		v = w // which is not touched as such
	}
	for j := 0; j < n; {
		strip := strips[j/StripWidth*StripWidth*k+j%StripWidth:]
		cols := min(n-j, StripWidth-j%StripWidth)
		kernels := fitting(cols)
		if kernels != nil && kernels.cols <= cols {
			cols = kernels.cols
			kernels.rule[rule](m, &s.counts[lo], &s.entries[lo*k].at, k, &strip[0], &w[j], &v[j], ldw, c.LR, c.Mu, 1-c.Mu, c.Decay)
			j += cols
			continue
		}
		if kernels != nil {
			kernels.rule[stored](m, &s.counts[lo], &s.entries[lo*k].at, k, &strip[0], &scratch[0], &scratch[0], StripWidth, 0, 0, 0, 0)
		} else {
			MulRows(m, cols, s.Values[lo*k:], Rows(k, k), strip, StripWidth, scratch, StripWidth, false)
		}
		for i := range m {
			g, from, to := scratch[i*StripWidth:][:cols], i*ldw+j, i*ldw+j+cols
			if d == nil {
				copy(w[from:to], g)
			} else {
				d.Apply(w[from:to], g, v[from:to])
			}
		}
		j += cols
	}
}

// sparseKernel multiplies rows of so much room with columns of a strip, and applies a rule.
type sparseKernel = func(rows int, counts *int, entries *uint32, room int, strip, w, v *float32, ldw int, lr, mu, rest, decay float32)

// sparseKernels are those for so many columns of each rule.
type sparseKernels struct {
	cols int
	rule [rules + 1]sparseKernel
}

// stored is the rule that sets w to the product.
const stored = rules

// fitting returns the widest kernels for n columns, or else the narrowest, or nil.
func fitting(n int) (k *sparseKernels) {
	for i := range active.sparse {
		if k = &active.sparse[i]; k.cols <= n {
			break
		}
	}
	return k
}
