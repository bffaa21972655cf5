package kernel

// Panels are how B is read best: as many columns as the widest tile has, their rows one
// behind the other. Where the rows of a matrix lie a multiple of 4 KiB apart, as those of
// 3072 inputs do, its columns compete for a few lines of the cache; a panel does not.

// PanelWidth returns the columns of a panel.
func PanelWidth() int { return Padded(active.widths[0].cols) }

// PanelsLen returns the entries of the panels of a matrix of so many rows and columns.
func PanelsLen(rows, cols int) int {
	w := PanelWidth()
	return (cols + w - 1) / w * w * rows
}

// Panels stores columns [lo, hi) of a matrix, whose rows lie ld apart, in panels: entry
// (p, j) at (j/w*rows + p)*w + j%w, w = PanelWidth. What the last panel has behind its
// columns is left as it is. lo is a multiple of w.
func Panels(dst, src []float32, ld, rows, lo, hi int) {
	w := PanelWidth()
	for j := lo; j < hi; j += w {
		copyRows(dst[j*rows:], w, src[j:], ld, rows, min(w, hi-j))
	}
}

// TransposePanels is Panels of the transpose of a matrix of n rows: entries [lo, hi)
// of each, which become rows of the panels.
func TransposePanels(dst, src []float32, ld, n, rows, lo, hi int) {
	w := PanelWidth()
	for j := 0; j < n && lo < hi; j += w {
		Transpose(dst[j*rows+lo*w:][:(hi-lo)*w], w, src[j*ld+lo:], ld, min(w, n-j), hi-lo)
	}
}

// MulPanels sets the m x n matrix C, or adds to it, the product of rows of A, lda apart,
// with rows [lo, lo+k) of panels of so many rows.
func MulPanels(m, n, k int, a []float32, lda int, panels []float32, rows, lo int, c []float32, ldc int, accumulate bool) {
	w := PanelWidth()
	for j := 0; j < n; j += w {
		MulRows(m, min(w, n-j), a, Rows(k, lda), panels[(j*rows+lo*w):], w, c[j:], ldc, accumulate)
	}
}

// descent computes, for blocks of rows of A and of the weights w and velocities v,
// g = A B with B some panels of length rows, and then what momentum256 does with it.
type descent = func(blocks, length int, a *float32, lda int, b, w, v *float32, ldw int, lr, mu, decay float32)

// descents are those for so many columns, for one and for two rows.
type descents struct {
	cols int
	rows [3]descent
}

// MulMomentum is [MulPanels] with all k rows of the panels and [Momentum] along the product,
// which is the gradient of the m x n weights w with velocities v, rows ldw apart. The bits
// are the same; the gradient is never stored, or in scratch, m x PanelWidth.
func MulMomentum(m, n, k int, a []float32, lda int, panels []float32, w, v []float32, ldw int, lr, mu, decay float32, scratch []float32) {
	if m <= 0 || n <= 0 || k <= 0 {
		return
	}
	width := PanelWidth()
	_ = a[(m-1)*lda+k-1]
	_, _ = w[(m-1)*ldw+n-1], v[(m-1)*ldw+n-1]
	_ = panels[(n-1)/width*width*k+k*width-1]
	for j := 0; j < n; {
		if d := fitting(n - j); d != nil {
			if m >= 2 {
				d.rows[2](m/2, k, &a[0], lda, &panels[j*k], &w[j], &v[j], ldw, lr, mu, decay)
			}
			if i := m - 1; m%2 > 0 {
				d.rows[1](1, k, &a[i*lda], lda, &panels[j*k], &w[i*ldw+j], &v[i*ldw+j], ldw, lr, mu, decay)
			}
			j += d.cols
			continue
		}
		cols := min(width, n-j)
		MulRows(m, cols, a, Rows(k, lda), panels[j*k:], width, scratch, width, false)
		for i := range m {
			at := i*ldw + j
			Momentum(w[at:at+cols], scratch[i*width:][:cols], v[at:at+cols], lr, mu, decay, false)
		}
		j += cols
	}
}

// fitting returns the widest descents for n columns, or nil.
func fitting(n int) *descents {
	for i := range active.descents {
		if d := &active.descents[i]; n >= d.cols {
			return d
		}
	}
	return nil
}
