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

// TransposePanels stores the transpose of a matrix of n rows, which lie ld apart, in panels of so many rows: entry (p, j) at
// (j/w*rows + p)*w + j%w, w = PanelWidth. Of each row of the matrix it takes entries [lo, hi), which become rows of the
// panels. What the last panel has behind its columns is left as it is.
func TransposePanels(dst, src []float32, ld, n, rows, lo, hi int) {
	w := PanelWidth()
	for j := 0; j < n && lo < hi; j += w {
		Transpose(dst[j*rows+lo*w:][:(hi-lo)*w], w, src[j*ld+lo:], ld, min(w, n-j), hi-lo)
	}
}

// Panels stores (hi-lo) x n entries of a matrix, rows ld apart, as rows [lo, hi) of its panels of so many rows.
func Panels(dst, src []float32, ld, n, rows, lo, hi int) {
	w := PanelWidth()
	for j := 0; j < n && lo < hi; j += w {
		copyRows(dst[j*rows+lo*w:], w, src[j:], ld, hi-lo, min(w, n-j))
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
