package kernel

import (
	"math"
	"sync/atomic"
)

// A Sparse matrix is multiplied without its zeros, if they are many. The gradient of a rectified unit is a row
// of one: it is zero for every image that left the unit at zero, which is half of
// them to begin with and more of them later.
type Sparse struct {
	Cols   int          // that it has now
	Dense  bool         // no zero is left out: beside an infinity of the other matrix each gives the NaN that IEEE asks for
	Values []float32    // rows x Cols
	height int          // rows
	whole  bool         // so few are zero that none is left out
	counts []int        // of values listed: blocks x rows,
	listed atomic.Int64 // and their sum, until it is settled
	found  []float32    // those of each row and block where its first column would be
	places []uint16     // of the rows of a strip that they multiply: bytes behind the first of the block
}

// NewSparse returns a matrix of so many rows and columns, all zero. It may have fewer columns later.
func NewSparse(rows, cols int) *Sparse {
	return &Sparse{Cols: cols, Values: make([]float32, rows*cols), height: rows,
		counts: make([]int, rows*blocks(cols)), found: make([]float32, rows*cols), places: make([]uint16, rows*cols)}
}

// most is the columns of a block.
const most = 128

// blocks returns into how many blocks columns are divided, and the rows of strips, so that those of one stay in L1.
func blocks(cols int) int { return (cols + most - 1) / most }

// block returns the bounds of block i of n.
func (s *Sparse) block(i, n int) (lo, hi int) { return i * s.Cols / n, (i + 1) * s.Cols / n }

// List looks for the entries of rows [lo, hi) that count. When it has been called for all rows, Settle follows, and then
// products.
func (s *Sparse) List(lo, hi int) {
	if active.strips.sparse == nil {
		return
	}
	every := 0
	if s.Dense {
		every = 1
	}
	sum := 0
	for b, n := 0, blocks(s.Cols); b < n; b++ {
		first, end := s.block(b, n)
		for row := lo; row < hi; row++ {
			at, last := row*s.Cols+first, row*s.Cols+end
			values, found, places := s.Values[at:last], s.found[at:last], s.places[at:last]
			count, from := 0, 0
			if n := whole(len(values)); n > 0 && !s.Dense {
				count, from = list256(&found[0], &places[0], &values[0], n/8), n
			}
			for i := from; i < len(values); i++ {
				found[count], places[count] = values[i], uint16(4*StripWidth*i)
				// 1 but for +0 and -0, without a branch, which nobody could predict.
				count += int((uint64(math.Float32bits(values[i])<<1)+math.MaxUint32)>>32) | every
			}
			s.counts[b*s.height+row] = count
			sum += count
		}
	}
	s.listed.Add(int64(sum))
}

// Settle decides by what was listed whether zeros are left out. It pays where at least a fifth is zero; it is for all rows,
// so that it does not depend on how they are divided.
func (s *Sparse) Settle() {
	listed := int(s.listed.Swap(0))
	s.whole = s.Dense || 10*listed > 8*s.height*s.Cols
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
	s.multiply(lo, hi, n, strips, target{c, c, ldc, n, n, Descent{Rule: stored}, scratch})
}

// MulDescent is [MulSparse], and d along the product, which is
// the gradient of the (hi-lo) x n weights w with velocities v, rows ldw apart; v may be nil for
// Steepest. The bits are the same; the gradient is not stored, or in scratch. What begins next entries behind w, and
// behind v, is fetched meanwhile: what will be updated then.
func MulDescent(s *Sparse, lo, hi, n int, strips, w, v []float32, ldw, next int, d Descent, scratch []float32) {
	if d.Rule == Steepest {
		v = w // which is not touched as such
	}
	s.multiply(lo, hi, n, strips, target{w, v, ldw, n, next, d, scratch})
}

// A target is what a product goes into: d moves w, with velocities v, along it.
type target struct {
	w, v    []float32
	ldw, n  int
	next    int // to what follows behind the n columns
	d       Descent
	scratch []float32
}

// after returns how far from column j that is what comes after so many columns.
func (t target) after(j, cols int) int {
	if j+cols < t.n {
		return cols
	}
	return t.next - j
}

// stored is the rule that sets w to the product.
const stored = rules

func (s *Sparse) multiply(lo, hi, n int, strips []float32, to target) {
	m, k := hi-lo, s.Cols
	if m <= 0 || n <= 0 || k <= 0 {
		return
	}
	last := (m-1)*to.ldw + n - 1
	_, _, _, _ = to.w[last], to.v[last], strips[(n-1)/StripWidth*StripWidth*k+k*StripWidth-1], to.scratch[m*StripWidth-1]
	if cols := active.strips.denseCols; s.whole && cols > 0 && m > 1 {
		pairs, whole := m/2, n/cols*cols
		for j := 0; j < whole; j += cols {
			s.pairs(lo, pairs, j, strips[j/StripWidth*StripWidth*k+j%StripWidth:], to)
		}
		s.rows(lo, lo+2*pairs, whole, n, strips, to)
		if m%2 == 0 {
			return
		}
		lo, to.w, to.v = hi-1, to.w[(m-1)*to.ldw:], to.v[(m-1)*to.ldw:]
	}
	s.rows(lo, hi, 0, n, strips, to)
}

// pairs multiplies pairs of rows, zeros and all, with a strip, or half of one, that begins with column j.
func (s *Sparse) pairs(lo, pairs, j int, strip []float32, to target) {
	d, f := to.d, &active.strips.dense
	var start *float32
	for b, n := 0, blocks(s.Cols); b < n; b++ {
		first, end := s.block(b, n)
		values, from := &s.Values[lo*s.Cols+first], &strip[first*StripWidth]
		if b == n-1 {
			f[d.Rule](pairs, values, s.Cols, end-first, from, start, &to.w[j], &to.v[j], to.ldw, to.after(j, active.strips.denseCols), d.LR, d.Mu, 1-d.Mu, d.Decay)
			return
		}
		f[stored](pairs, values, s.Cols, end-first, from, start, &to.scratch[0], &to.scratch[0], active.strips.denseCols, 0, 0, 0, 0, 0)
		start = &to.scratch[0]
	}
}

// rows multiplies a row at a time, with columns [j, n).
func (s *Sparse) rows(lo, hi, j, n int, strips []float32, to target) {
	m, k, d := hi-lo, s.Cols, to.d
	for m > 0 && j < n {
		strip := strips[j/StripWidth*StripWidth*k+j%StripWidth:]
		cols := min(n-j, StripWidth-j%StripWidth)
		f, ld := fitting(cols), StripWidth
		if f == nil {
			MulRows(m, cols, s.Values[lo*k:], Rows(k, k), strip, StripWidth, to.scratch, ld, false)
		} else {
			ld = f.cols
			whole := ld <= cols
			cols = min(cols, ld)
			var start *float32
			for b, count := 0, blocks(k); b < count; b++ {
				first, _ := s.block(b, count)
				counts, found, places, from := &s.counts[b*s.height+lo], &s.found[lo*k+first], &s.places[lo*k+first], &strip[first*StripWidth]
				if b == count-1 && whole {
					f.rule[d.Rule](m, counts, found, places, k, from, start, &to.w[j], &to.v[j], to.ldw, to.after(j, cols), d.LR, d.Mu, 1-d.Mu, d.Decay)
					break
				}
				f.rule[stored](m, counts, found, places, k, from, start, &to.scratch[0], &to.scratch[0], ld, 0, 0, 0, 0, 0)
				start = &to.scratch[0]
			}
			if whole {
				j += cols
				continue
			}
		}
		for i := range m {
			g, from, end := to.scratch[i*ld:][:cols], i*to.ldw+j, i*to.ldw+j+cols
			if d.Rule == stored {
				copy(to.w[from:end], g)
			} else {
				d.Apply(to.w[from:end], g, to.v[from:end])
			}
		}
		j += cols
	}
}

// stripKernels are the products with strips.
type stripKernels struct {
	sparse    []sparseKernels // the widest first
	dense     [rules + 1]denseKernel
	denseCols int
}

// sparseKernel multiplies rows, whose values and places have so much room, with columns of a strip, adds that to start, if not nil, and applies a rule.
type sparseKernel = func(rows int, counts *int, values *float32, places *uint16, room int, strip, start, w, v *float32, ldw, next int, lr, mu, rest, decay float32)

// sparseKernels are those for so many columns of each rule.
type sparseKernels struct {
	cols int
	rule [rules + 1]sparseKernel
}

// denseKernel does the same with pairs of rows of so many values.
type denseKernel = func(pairs int, values *float32, pitch, length int, strip, start, w, v *float32, ldw, next int, lr, mu, rest, decay float32)

// fitting returns the widest kernels for n columns, or else the narrowest, or nil.
func fitting(n int) (k *sparseKernels) {
	for i := range active.strips.sparse {
		if k = &active.strips.sparse[i]; k.cols <= n {
			break
		}
	}
	return k
}
