package kernel

// Blocks of short rows: what packing, the columns of a convolution and the edges
// of a product are made of. In each, rows of cols entries lie ld apart.

// copyRows copies a block.
func copyRows(dst []float32, dstLd int, src []float32, srcLd int, rows, cols int) {
	if cols == dstLd && cols == srcLd {
		copy(dst[:rows*cols], src[:rows*cols])
		return
	}
	if rows <= 0 || cols <= 0 {
		return
	}
	_, _ = dst[(rows-1)*dstLd+cols-1], src[(rows-1)*srcLd+cols-1]
	switch {
	case active.vector && cols >= 8:
		copyRows256(&dst[0], dstLd, &src[0], srcLd, rows, cols)
	case active.vector && cols >= 4:
		copyRows128(&dst[0], dstLd, &src[0], srcLd, rows, cols)
	default:
		for i := range rows {
			copy(dst[i*dstLd:][:cols], src[i*srcLd:])
		}
	}
}

// addRows adds a block to another, row after row. Either leading dimension may
// be 0.
func addRows(dst []float32, dstLd int, src []float32, srcLd int, rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	_, _ = dst[(rows-1)*dstLd+cols-1], src[(rows-1)*srcLd+cols-1]
	switch {
	case active.vector && cols >= 8:
		addRows256(&dst[0], dstLd, &src[0], srcLd, rows, cols)
	case active.vector && cols >= 4:
		addRows128(&dst[0], dstLd, &src[0], srcLd, rows, cols)
	default:
		for i := range rows {
			to, from := dst[i*dstLd:][:cols], src[i*srcLd:][:cols]
			for j, v := range from {
				to[j] += v
			}
		}
	}
}

// AddBias adds bias to each of so many rows of y, ld apart.
func AddBias(y []float32, ld, rows int, bias []float32) {
	addRows(y, ld, bias, 0, rows, len(bias))
}

// slack is how far transpose may write behind what it stores.
const slack = 8

// transpose stores rows of src as columns: dst[p*stride+i] = src[i*ld+p], for
// i < rows and p < cols. In the vector loops, the entries of a column behind its
// rows, up to 8 in all, are overwritten: those of the last one are in the slack.
func transpose(dst []float32, stride int, src []float32, ld, rows, cols int) {
	if !active.vector || cols < 8 {
		for i := range rows {
			for p, v := range src[i*ld:][:cols] {
				dst[p*stride+i] = v
			}
		}
		return
	}
	_, _ = dst[(cols-1)*stride+max(rows, 8)-1], src[(rows-1)*ld+cols-1]
	const strip = 64 // columns: what is written stays in L1 until its lines are full
	for p := 0; p+8 <= cols; p += strip {
		for i := 0; i < rows; i += 8 {
			if rows >= 8 {
				i = min(i, rows-8) // the last eight may overlap those before
			}
			transpose8(dst[p*stride+i:], stride, src[i*ld+p:], ld, min(8, rows-i), min(strip, cols-p)/8)
		}
	}
	for i := 0; i < rows && cols%8 > 0; i += 8 {
		if rows >= 8 {
			i = min(i, rows-8)
		}
		transpose8(dst[(cols-8)*stride+i:], stride, src[i*ld+cols-8:], ld, min(8, rows-i), 1)
	}
}

// transpose8 transposes up to 8 rows of 8 blocks columns.
func transpose8(dst []float32, stride int, src []float32, ld, rows, blocks int) {
	if rows == 8 {
		transpose256(&dst[0], stride, &src[0], ld, blocks)
	} else {
		transposeFew256(&dst[0], stride, &src[0], ld, blocks, rows)
	}
}

// Transpose stores rows of src, ld apart, as columns: dst[p*stride+i] = src[i*ld+p] for
// i < rows and p < cols.
func Transpose(dst []float32, stride int, src []float32, ld, rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	_, _ = dst[(cols-1)*stride+rows-1], src[(rows-1)*ld+cols-1]
	if rows >= 8 {
		transpose(dst, stride, src, ld, rows, cols)
		return
	}
	for i := range rows {
		for p, v := range src[i*ld:][:cols] {
			dst[p*stride+i] = v
		}
	}
}

// AddRows adds a block of rows to another, row after row, both of so many columns;
// rows of dst, or of src, may overlap.
func AddRows(dst []float32, dstLd int, src []float32, srcLd int, rows, cols int) {
	addRows(dst, dstLd, src, srcLd, rows, cols)
}

// Fold adds to each of so many pixels what the windows of taps pixels that hold it have for it.
// The windows are rows of src, ld apart, of which there are pixels + taps - 1: the one that begins with pixel
// q is row q + taps - 1, and those that would begin before the first pixel or reach beyond the last are
// zero. It is AddRows to rows that overlap, but each pixel is summed at once, its first entries first.
func Fold(dst, src []float32, ld, pixels, taps, channels int) {
	if pixels <= 0 || taps <= 0 || channels <= 0 {
		return
	}
	n, last := pixels*channels, (pixels+taps-2)*ld+channels
	dst, src = dst[:n], src[:last]
	if active.vector && channels >= 4 && channels <= 8 && cap(dst) >= n+8 && cap(src) >= last+8 {
		fold256(&dst[0], &src[0], ld, pixels, taps, channels)
		return
	}
	for q := range pixels {
		for c := range channels {
			sum := dst[q*channels+c]
			for l := range taps {
				sum += src[(q+taps-1-l)*ld+l*channels+c]
			}
			dst[q*channels+c] = sum
		}
	}
}

// CopyRows copies a block of rows; srcLd = 0 repeats one.
func CopyRows(dst []float32, dstLd int, src []float32, srcLd int, rows, cols int) {
	copyRows(dst, dstLd, src, srcLd, rows, cols)
}

// Interleave stores the entries of three lines, each as long as the first, by turns: pixels of three channels.
func Interleave(dst, x, y, z []float32) {
	y, z, dst = y[:len(x)], z[:len(x)], dst[:3*len(x)]
	n := whole(len(x))
	if n > 0 {
		interleave256(&dst[0], &x[0], &y[0], &z[0], n/8)
	}
	for i := n; i < len(x); i++ {
		p := dst[3*i : 3*i+3 : 3*i+3]
		p[0], p[1], p[2] = x[i], y[i], z[i]
	}
}
