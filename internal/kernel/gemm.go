package kernel

import "fmt"

// Blocking; the package comment has the picture.
const (
	kc = 256 // depth of a slice
	mc = 168 // rows of A packed at a time, 168 KiB: a multiple of every mr
	nc = 512 // columns of B packed at a time, 512 KiB: a multiple of every nr

	maxRows, maxCols = 14, 32 // the largest tile
)

// A micro kernel computes sums[i][j] = sum over p < k of a[p*rows+i] b[p*ldb+j],
// for its number of rows and of columns, and stores them in c, or adds them where
// accumulate is set.
type micro = func(k int, a, b *float32, ldb int, c *float32, ldc int, accumulate bool)

// A tile is one set of micro-kernels: kernel[rows] for up to mr rows and exactly
// nr columns, narrowKernel[rows] for exactly narrow columns.
type tile struct {
	mr, nr, narrow       int
	kernel, narrowKernel [maxRows + 1]micro
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
//
// It panics if a slice is shorter than its sizes say.
func Gemm(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int, ws *Workspace) {
	if m <= 0 || n <= 0 {
		return
	}
	check("C", m, n, c, ldc, false)
	if beta != 0 && beta != 1 || k <= 0 {
		scale(m, n, beta, c, ldc)
		beta = 1
	}
	if k <= 0 {
		return
	}
	check("A", m, k, a, lda, transA)
	check("B", k, n, b, ldb, transB)
	if ws.a == nil {
		ws.a, ws.b = make([]float32, mc*kc+slack), make([]float32, nc*kc)
	}
	t := active.tile
	// B is packed where that is needed to read it forwards, or where the rows of C
	// are many enough to pay for it.
	packB := transB || m > 4*t.mr
	reuse := packB && m > mc // packed panels are kept for the next rows
	for j0 := 0; j0 < n; j0 += nc {
		nj := min(nc, n-j0)
		direct := 0 // columns read where they are
		if !packB {
			direct = nj / t.narrow * t.narrow
		}
		for p0 := 0; p0 < k; p0 += kc {
			depth := min(kc, k-p0)
			for j := 0; j < nj && reuse; j += t.nr {
				packColumns(ws.b[j*depth:], t.nr, b, ldb, transB, p0, depth, j0+j, min(t.nr, nj-j))
			}
			for i0 := 0; i0 < m; i0 += mc {
				rows := min(mc, m-i0)
				mr := even(rows, t.mr)
				packRows(ws.a, a, lda, transA, i0, rows, p0, depth, mr)
				for j := 0; j < nj; j += t.nr {
					cols := min(t.nr, nj-j)
					out := c[i0*ldc+j0+j:]
					// Of a last panel, the whole narrow part is read where it is.
					whole := max(0, min(cols, direct-j))
					if whole > 0 {
						t.column(ws, rows, mr, whole, depth, b[p0*ldb+j0+j:], ldb, out, ldc, p0 > 0 || beta == 1)
					}
					if whole == cols {
						continue
					}
					panel := ws.b
					if reuse {
						panel = ws.b[j*depth:]
					} else {
						packColumns(panel, t.nr, b, ldb, transB, p0, depth, j0+j+whole, cols-whole)
					}
					t.column(ws, rows, mr, cols-whole, depth, panel, t.nr, out[whole:], ldc, p0 > 0 || beta == 1)
				}
			}
		}
	}
}

// check panics if x cannot hold op(X), rows x cols.
func check(name string, rows, cols int, x []float32, ld int, trans bool) {
	if trans {
		rows, cols = cols, rows
	}
	if ld < cols || len(x) < (rows-1)*ld+cols {
		panic(fmt.Sprintf("kernel: Gemm: %s: %d entries and rows %d apart cannot be %d x %d", name, len(x), ld, rows, cols))
	}
}

// even returns the height, at most mr, of tiles that divide the rows evenly: 16
// rows are 8 and 8 rather than 14 and 2, which leave a micro-kernel idle.
func even(rows, mr int) int {
	tiles := (rows + mr - 1) / mr
	return (rows + tiles - 1) / tiles
}

// column multiplies a packed block of A with one panel of B, of cols <= nr columns.
func (t *tile) column(ws *Workspace, rows, mr, cols, depth int, panel []float32, stride int, c []float32, ldc int, accumulate bool) {
	width, kernel := t.nr, &t.kernel
	if cols <= t.narrow {
		width, kernel = t.narrow, &t.narrowKernel
	}
	for i := 0; i < rows; i += mr {
		h := min(mr, rows-i)
		packed := &ws.a[i*depth]
		switch out := c[i*ldc:]; {
		case cols == width:
			kernel[h](depth, packed, &panel[0], stride, &out[0], ldc, accumulate)
		case accumulate:
			kernel[h](depth, packed, &panel[0], stride, &ws.tile[0], width, false)
			addRows(out, ldc, ws.tile[:], width, h, cols)
		default:
			kernel[h](depth, packed, &panel[0], stride, &ws.tile[0], width, false)
			copyRows(out, ldc, ws.tile[:], width, h, cols)
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
		h := min(mr, rows-i)
		if trans {
			copyRows(dst[i*depth:], h, a[p0*lda+i0+i:], lda, depth, h)
		} else {
			transpose(dst[i*depth:], h, a[(i0+i)*lda+p0:], lda, h, depth)
		}
	}
}

// packColumns stores rows [p0, p0+depth) and columns [j0, j0+cols) of op(B), row
// after row, nr apart; what lies behind the columns is of no account.
func packColumns(dst []float32, nr int, b []float32, ldb int, trans bool, p0, depth, j0, cols int) {
	if trans {
		transpose(dst, nr, b[j0*ldb+p0:], ldb, cols, depth)
	} else {
		copyRows(dst, nr, b[p0*ldb+j0:], ldb, depth, cols)
	}
}
