package kernel

import "fmt"

// Blocking; the package comment has the picture.
const (
	kc = 512  // depth of a slice
	mc = 168  // most rows of A packed at a time, 336 KiB: a multiple of every mr
	nc = 1024 // columns of B packed at a time, 2 MiB: a multiple of every nr

	rowGap = 16 // between rows of A, which would else compete for the same lines of L1
)

// Workspace holds the packing buffers of one thread. The zero value is ready.
type Workspace struct {
	a, b []float32
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
		ws.a, ws.b = make([]float32, mc*(kc+rowGap)), make([]float32, nc*kc+Padded(1))
	}
	t := &active.widths[0]
	// B is packed where that is needed to read it forwards, or where the rows of C
	// are many enough to pay for it.
	packB := transB || m > 4*t.rows
	mc := min(mc, active.packed)
	reuse := packB && m > mc // packed panels are kept for the next rows
	for j0 := 0; j0 < n; j0 += nc {
		nj := min(nc, n-j0)
		for p0 := 0; p0 < k; p0 += kc {
			depth := min(kc, k-p0)
			for j := 0; j < nj && reuse; j += t.cols {
				packColumns(ws.b[j*depth:], t.cols, b, ldb, transB, p0, depth, j0+j, min(t.cols, nj-j))
			}
			for i0 := 0; i0 < m; i0 += mc {
				rows := min(mc, m-i0)
				mr, ld := even(rows, t.rows), depth+rowGap
				if transA {
					packRows(ws.a, a, lda, i0, rows, p0, depth, mr)
				} else {
					copyRows(ws.a, ld, a[i0*lda+p0:], lda, rows, depth)
				}
				for j := 0; j < nj; j += t.cols {
					cols := min(t.cols, nj-j)
					panel, stride := ws.b, t.cols
					switch {
					case reuse:
						panel = ws.b[j*depth:]
					case packB || n-j0-j < Padded(cols):
						packColumns(panel, t.cols, b, ldb, transB, p0, depth, j0+j, cols)
					default:
						panel, stride = b[p0*ldb+j0+j:], ldb
					}
					to, more := c[i0*ldc+j0+j:], p0 > 0 || beta == 1
					if transA {
						column(ws.a, rows, mr, cols, depth, panel, stride, to, ldc, more)
					} else {
						MulRows(rows, cols, ws.a, Rows(depth, ld), panel, stride, to, ldc, more)
					}
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

// column multiplies a packed block of A with one panel of B.
func column(packed []float32, rows, mr, cols, depth int, panel []float32, stride int, c []float32, ldc int, accumulate bool) {
	kind, _, tail := fit(cols)
	for i := 0; i < rows; i += mr {
		h := min(mr, rows-i)
		kind.columnwise[h](1, 1, 1, depth, &packed[i*depth], h, 0, 0, &panel[0], stride, 0, 0, &c[i*ldc], ldc, 0, tail, accumulate, &panel[0], 0)
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

// packRows stores rows [i0, i0+rows) and columns [p0, p0+depth) of the transpose of A in
// panels of mr rows, column after column; the last panel may have fewer rows.
func packRows(dst, a []float32, lda, i0, rows, p0, depth, mr int) {
	for i := 0; i < rows; i += mr {
		h := min(mr, rows-i)
		copyRows(dst[i*depth:], h, a[p0*lda+i0+i:], lda, depth, h)
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
