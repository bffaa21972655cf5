package kernel

// Blocking, after Goto and van de Geijn (ACM TOMS 34, 12, 2008):
//
//	        n                     B is cut into slices of depth kc, which are read
//	    ┌───┬───┬──┐              in panels nr columns wide; A into blocks of mc rows,
//	  k │   │   │  │ kc           packed so that a micro-kernel reads both forwards.
//	    ├───┼───┼──┤
//	    └───┴───┴──┘              The micro-kernel keeps mr x nr sums in registers:
//	      nr                      for each of kc steps it multiplies mr entries of A
//	 k                            with nr entries of B, and adds the tile to C once.
//	┌──┐┌───┬───┬──┐
//	│  ││mr x nr│  │ m           A packed panel of B that is used mc/mr times stays
//	├──┤├───┼───┼──┤              in L1/L2, and the packed block of A in L2.
//	└──┘└───┴───┴──┘
//
// Every element of C is one sequence of fused multiply-adds over k, in slices of
// kc, whatever tile it falls in; so its bits do not depend on m, n or on how a
// caller divides them among threads.
const (
	kc = 256 // depth of a slice
	mc = 168 // rows of A packed at a time: a multiple of every mr
	nc = 512 // columns of B packed at a time: a multiple of every nr

	maxRows, maxCols = 14, 32 // the largest tile
)

// A tile is one set of micro-kernels, for up to mr rows and exactly nr columns.
type tile struct {
	mr, nr int
	// kernel[rows] computes sums[i][j] = sum over p < k of a[p*rows+i] b[p*ldb+j]
	// and stores them in c, or adds them where accumulate is set.
	kernel [maxRows + 1]func(k int, a, b *float32, ldb int, c *float32, ldc int, accumulate bool)
}

// Workspace holds the packing buffers of one thread. The zero value is ready.
type Workspace struct {
	a, b []float32
	tile [maxRows * maxCols]float32
}

// Gemm computes C = op(A) op(B) + beta C in row-major order, where op(A) is m x k,
// op(B) is k x n, and op is the transpose where transA or transB is set: then A
// is stored as k x m, B as n x k. lda, ldb, ldc are the distances between stored
// rows. With beta = 0, C is overwritten whatever it holds. One thread; callers
// that divide m or n among threads get the same bits.
func Gemm(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int, ws *Workspace) {
	if m <= 0 || n <= 0 {
		return
	}
	if beta != 0 && beta != 1 || k <= 0 {
		scale(m, n, beta, c, ldc)
		beta = 1
	}
	if k <= 0 {
		return
	}
	if ws.a == nil {
		ws.a, ws.b = make([]float32, mc*kc), make([]float32, nc*kc)
	}
	t := active.tile
	// B is packed where that is needed to read it forwards, or where the rows of C
	// are many enough to pay for it.
	packB := transB || m > 4*t.mr
	for j0 := 0; j0 < n; j0 += nc {
		nj := min(nc, n-j0)
		for p0 := 0; p0 < k; p0 += kc {
			depth := min(kc, k-p0)
			full := nj / t.nr * t.nr // columns in whole panels
			if packB {
				full = 0
			}
			packColumns(ws.b, b, ldb, transB, p0, depth, j0+full, nj-full, t.nr)
			for i0 := 0; i0 < m; i0 += mc {
				rows := min(mc, m-i0)
				packRows(ws.a, a, lda, transA, i0, rows, p0, depth, t.mr)
				accumulate := p0 > 0 || beta == 1
				for j := 0; j < nj; j += t.nr {
					panel, stride := b, ldb
					if j < full {
						panel = b[p0*ldb+j0+j:]
					} else {
						panel, stride = ws.b[(j-full)*depth:], t.nr
					}
					t.column(ws, rows, min(t.nr, nj-j), depth, panel, stride, c[i0*ldc+j0+j:], ldc, accumulate)
				}
			}
		}
	}
}

// column multiplies a packed block of A with one panel of B.
func (t *tile) column(ws *Workspace, rows, cols, depth int, panel []float32, stride int, c []float32, ldc int, accumulate bool) {
	for i := 0; i < rows; i += t.mr {
		mr := min(t.mr, rows-i)
		packed := &ws.a[i*depth]
		if cols == t.nr {
			t.kernel[mr](depth, packed, &panel[0], stride, &c[i*ldc], ldc, accumulate)
			continue
		}
		t.kernel[mr](depth, packed, &panel[0], stride, &ws.tile[0], t.nr, false)
		for r := range mr {
			src, dst := ws.tile[r*t.nr:][:cols], c[(i+r)*ldc:][:cols]
			if !accumulate {
				copy(dst, src)
				continue
			}
			for j, v := range src {
				dst[j] += v
			}
		}
	}
}

func scale(m, n int, beta float32, c []float32, ldc int) {
	for i := range m {
		row := c[i*ldc:][:n]
		if beta == 0 {
			clear(row)
			continue
		}
		for j := range row {
			row[j] *= beta
		}
	}
}

// packRows stores rows [i0, i0+rows) and columns [p0, p0+depth) of op(A) in
// panels of mr rows, column after column; the last panel may have fewer rows.
func packRows(dst, a []float32, lda int, trans bool, i0, rows, p0, depth, mr int) {
	for i := 0; i < rows; i += mr {
		w := min(mr, rows-i)
		panel := dst[i*depth:][:w*depth]
		if trans {
			for p := range depth {
				copy(panel[p*w:][:w], a[(p0+p)*lda+i0+i:])
			}
			continue
		}
		transpose(panel, a[(i0+i)*lda+p0:], lda, w, depth, w)
	}
}

// packColumns stores rows [p0, p0+depth) and columns [j0, j0+cols) of op(B) in
// panels of nr columns, row after row; the last panel is filled up with zeros.
func packColumns(dst, b []float32, ldb int, trans bool, p0, depth, j0, cols, nr int) {
	for j := 0; j < cols; j += nr {
		w := min(nr, cols-j)
		panel := dst[j*depth:][:nr*depth]
		if w < nr {
			clear(panel)
		}
		if trans {
			transpose(panel, b[(j0+j)*ldb+p0:], ldb, w, depth, nr)
			continue
		}
		for p := range depth {
			copy(panel[p*nr:][:w], b[(p0+p)*ldb+j0+j:])
		}
	}
}

// transpose stores the rows x cols matrix src, whose rows are ld apart, as
// columns: dst[p*stride+i] = src[i*ld+p].
func transpose(dst, src []float32, ld, rows, cols, stride int) {
	i := 0
	if active.transpose8 != nil {
		for ; i+8 <= rows; i += 8 {
			if blocks := cols / 8; blocks > 0 {
				active.transpose8(&dst[i], stride, &src[i*ld], ld, blocks)
			}
			for p := cols / 8 * 8; p < cols; p++ {
				for r := range 8 {
					dst[p*stride+i+r] = src[(i+r)*ld+p]
				}
			}
		}
	}
	for ; i < rows; i++ {
		row := src[i*ld:][:cols]
		for p, v := range row {
			dst[p*stride+i] = v
		}
	}
}
