package kernel

// The micro-kernels hold a tile of C in registers. Entries of A are broadcast, rows
// of B read as vectors. There are two kinds, for the two ways in which A and B lie
// in memory; lengths and distances are in entries. Each makes several products of one shape, whose matrices lie nextA, nextB
// and nextC apart: a call for each takes up to a twelfth of the time of short ones. While they sum they fetch what lies ahead, and
// pace bytes further on each time (see [Ahead]).

// rowwise computes, for each of so many products, and in each for so many blocks of rows of A and C,
//
//	c[i][j] (+)= sum over s, p of a[i*lda + s*sa + p] b[(s*length + p)*ldb + j].
//
// With one segment A is a plain matrix; with several, a row is the window of an image.
// Of the last vector of C only tail lanes are stored; those of B are all read.
type rowwise = func(products, blocks, segments, length int, a *float32, lda, sa, nextA int, b *float32, ldb, nextB int, c *float32, ldc, nextC, tail int, accumulate bool, ahead *float32, pace int)

// columnwise computes, for each of so many products, and in each for so many blocks of columns of A and rows of C,
//
//	c[i][j] (+)= sum over s, p of a[s*sa + p*lda + i] b[s*sb + p*ldb + j].
//
// Of the last vector of B and C only tail lanes are read and stored.
type columnwise = func(products, blocks, segments, length int, a *float32, lda, sa, nextA int, b *float32, ldb, sb, nextB int, c *float32, ldc, nextC, tail int, accumulate bool, ahead *float32, pace int)

// maxRows is the most rows of any tile.
const maxRows = 16

// A width is a family of micro-kernels for tiles of up to cols columns, more than
// cols-lanes, and up to so many rows.
type width struct {
	cols, lanes, rows int
	tall              int // the most rows of rowwise, if more
	entries           int // of a sum for each time that they fetch
	rowwise           [maxRows + 1]rowwise
	columnwise        [maxRows + 1]columnwise
}

// fit returns the width for the next of n columns, how many it takes and its tail.
func fit(n int) (w *width, cols, tail int) {
	w = &active.widths[0]
	if n >= w.cols {
		return w, w.cols, w.lanes
	}
	for i := range active.widths {
		if next := &active.widths[i]; n <= next.cols {
			w = next
		}
	}
	return w, n, n - (w.cols - w.lanes)
}

// heights divides m rows into blocks of equal height, at most most, and a lower rest.
func heights(m, most int) (height, blocks, rest int) {
	for height = most; height > most/2; height-- {
		if m%height == 0 {
			return height, m / height, 0
		}
	}
	height = even(m, most)
	return height, m / height, m % height
}

// heights divides m rows, lda apart, into blocks of equal height and a lower rest.
func (w *width) heights(m, lda int) (height, blocks, rest int) {
	most := max(w.rows, w.tall)
	if lda%1024 == 0 {
		most = min(most, 6) // of rows at the same place in their pages L1 holds eight
	}
	return heights(m, most)
}

// even returns the height, at most mr, of tiles that divide the rows evenly: 16
// rows are 8 and 8 rather than 14 and 2, which leave a micro-kernel idle.
func even(rows, mr int) int {
	tiles := (rows + mr - 1) / mr
	return (rows + tiles - 1) / tiles
}

// Windows says where the rows of A lie in [MulRows]: row i has Segments parts of
// Length entries, part s from i*Lead + s*Skip on.
type Windows struct{ Segments, Length, Lead, Skip int }

// Rows are the windows that make a plain matrix of k columns.
func Rows(k, lda int) Windows { return Windows{1, k, lda, 0} }

// Padded returns n rounded up to whole vectors of any kernel: the columns that a
// row of B must have in [MulRows].
func Padded(n int) int { return (n + 15) &^ 15 }

// MulRows sets C, or adds to it, the product of m windows on A with the n columns
// of B: a convolution where the windows overlap, a matrix product where not. B has
// as many rows as a window has entries, ldb apart, and Padded(n) columns, of
// which those behind n may hold anything.
func MulRows(m, n int, a []float32, w Windows, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	MulRowsEach(Apart{N: 1}, m, n, a, w, b, ldb, c, ldc, accumulate)
}

// Apart says how many products of one shape there are, and how far apart their matrices lie.
type Apart struct {
	N, A, B, C int
	Ahead      *Ahead // to be fetched meanwhile, or nil
}

// MulRowsEach is MulRows for each of several products.
func MulRowsEach(each Apart, m, n int, a []float32, w Windows, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	if m <= 0 || n <= 0 || each.N <= 0 {
		return
	}
	_ = a[(each.N-1)*each.A+(m-1)*w.Lead+(w.Segments-1)*w.Skip+w.Length-1]
	_ = b[(each.N-1)*each.B+(w.Segments*w.Length-1)*ldb+Padded(n)-1]
	_ = c[(each.N-1)*each.C+(m-1)*ldc+n-1]
	for j := 0; j < n; {
		kind, cols, tail := fit(n - j)
		height, blocks, rest := kind.heights(m, w.Lead)
		for i := 0; i < each.N; {
			products, ahead, pace := each.Ahead.take(kind, each.N-i, blocks*w.Segments, w.Length, &a[0])
			kind.rowwise[height](products, blocks, w.Segments, w.Length, &a[i*each.A], w.Lead, w.Skip, each.A, &b[i*each.B+j], ldb, each.B, &c[i*each.C+j], ldc, each.C, tail, accumulate, ahead, pace)
			i += products
		}
		if k := height * blocks; rest > 0 {
			kind.rowwise[rest](each.N, 1, w.Segments, w.Length, &a[k*w.Lead], w.Lead, w.Skip, each.A, &b[j], ldb, each.B, &c[k*ldc+j], ldc, each.C, tail, accumulate, &a[0], 0)
		}
		j += cols
	}
}

// Strided says where the rows of A or B lie in [MulColumns]: segment s begins at
// s*Skip, and its rows are Lead apart.
type Strided struct{ Lead, Skip int }

// MulColumns sets the m x n matrix C, or adds to it, the product of the transpose
// of A with B, both of so many segments of length rows: the gradient of weights
// from the windows of an image and the gradient of its outputs.
func MulColumns(m, n, segments, length int, a []float32, as Strided, b []float32, bs Strided, c []float32, ldc int, accumulate bool) {
	MulColumnsEach(Apart{N: 1}, m, n, segments, length, a, as, b, bs, c, ldc, accumulate)
}

// MulFar sets the m x n matrix C to the product of the transpose of A with B, both of k rows, where A comes from far:
// the next columns of it are fetched while some are multiplied for the first time.
func MulFar(m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
	if m <= 0 || n <= 0 || k <= 0 {
		return
	}
	_, _, _ = a[(k-1)*lda+m-1], b[(k-1)*ldb+n-1], c[(m-1)*ldc+n-1]
	for j := 0; j < n; {
		kind, cols, tail := fit(n - j)
		height := even(m, kind.rows)
		for i := 0; i < m; i += height {
			ahead, pace := &a[0], 0
			if next := i + 2*height - 1; j == 0 && next < m {
				ahead, pace = &a[next], 4*lda*kind.entries
			}
			kind.columnwise[min(height, m-i)](1, 1, 1, k, &a[i], lda, 0, 0, &b[j], ldb, 0, 0, &c[i*ldc+j], ldc, 0, tail, false, ahead, pace)
		}
		j += cols
	}
}

// MulColumnsEach is MulColumns for each of several products.
func MulColumnsEach(each Apart, m, n, segments, length int, a []float32, as Strided, b []float32, bs Strided, c []float32, ldc int, accumulate bool) {
	if m <= 0 || n <= 0 || segments <= 0 || length <= 0 || each.N <= 0 {
		return
	}
	_ = a[(each.N-1)*each.A+(segments-1)*as.Skip+(length-1)*as.Lead+m-1]
	_ = b[(each.N-1)*each.B+(segments-1)*bs.Skip+(length-1)*bs.Lead+n-1]
	_ = c[(each.N-1)*each.C+(m-1)*ldc+n-1]
	for j := 0; j < n; {
		kind, cols, tail := fit(n - j)
		if s := active.square; s != nil && m%s.rows == 0 && n%s.cols == 0 {
			kind, cols, tail = s, s.cols, s.lanes
		}
		height, blocks, rest := heights(m, kind.rows)
		for i := 0; i < each.N; {
			products, ahead, pace := each.Ahead.take(kind, each.N-i, blocks*segments, length, &a[0])
			kind.columnwise[height](products, blocks, segments, length, &a[i*each.A], as.Lead, as.Skip, each.A, &b[i*each.B+j], bs.Lead, bs.Skip, each.B, &c[i*each.C+j], ldc, each.C, tail, accumulate, ahead, pace)
			i += products
		}
		if k := height * blocks; rest > 0 {
			kind.columnwise[rest](each.N, 1, segments, length, &a[k], as.Lead, as.Skip, each.A, &b[j], bs.Lead, bs.Skip, each.B, &c[k*ldc+j], ldc, each.C, tail, accumulate, &a[0], 0)
		}
		j += cols
	}
}
