package kernel

// A Window slides over the planes of one image, as in a convolution or a
// pooling: K x K entries, Stride apart, over an image of C planes of H x W with
// Pad zeros on each side.
type Window struct {
	C, H, W        int
	K, Stride, Pad int
}

// Out returns the number of positions downwards and across.
func (w Window) Out() (h, wd int) {
	return (w.H+2*w.Pad-w.K)/w.Stride + 1, (w.W+2*w.Pad-w.K)/w.Stride + 1
}

// span returns the output positions [lo, hi) of out whose input, at offset k of
// the window, lies inside the image's size; k is below K, size is H or W.
func (w Window) span(k, size, out int) (lo, hi int) {
	if w.Stride == 1 { // spares the divisions
		lo = min(out, max(0, w.Pad-k))
		return lo, max(lo, min(out, size+w.Pad-k))
	}
	if d := w.Pad - k; d > 0 {
		lo = min(out, (d+w.Stride-1)/w.Stride)
	}
	if last := size - 1 + w.Pad - k; last >= 0 {
		hi = min(out, last/w.Stride+1)
	}
	return lo, max(lo, hi)
}

// Im2col writes the image's windows as the columns of a matrix with a row for
// each of C x K x K offsets and a column for each position.
func Im2col(cols, image []float32, w Window) {
	oh, ow := w.Out()
	for c := range w.C {
		plane := image[c*w.H*w.W:][:w.H*w.W]
		for ky := range w.K {
			top, bottom := w.span(ky, w.H, oh)
			for kx := range w.K {
				dst := cols[:oh*ow]
				cols = cols[oh*ow:]
				left, right := w.span(kx, w.W, ow)
				if top == bottom || left == right {
					clear(dst)
					continue
				}
				clear(dst[:top*ow])
				clear(dst[bottom*ow:])
				for y := top; y < bottom && right-left < ow; y++ { // the padding is narrow
					line := dst[y*ow:][:ow]
					for x := 0; x < left; x++ {
						line[x] = 0
					}
					for x := right; x < ow; x++ {
						line[x] = 0
					}
				}
				src := plane[(top*w.Stride+ky-w.Pad)*w.W+left*w.Stride+kx-w.Pad:]
				if w.Stride == 1 {
					copyRows(dst[top*ow+left:], ow, src, w.W, bottom-top, right-left)
					continue
				}
				for y := top; y < bottom; y++ {
					gather(dst[y*ow+left:][:right-left], src[(y-top)*w.Stride*w.W:], w.Stride)
				}
			}
		}
	}
}

// Col2im adds the columns back to the image they came from: the transpose of
// Im2col. The image is overwritten.
func Col2im(image, cols []float32, w Window) {
	oh, ow := w.Out()
	clear(image[:w.C*w.H*w.W])
	for c := range w.C {
		plane := image[c*w.H*w.W:][:w.H*w.W]
		for ky := range w.K {
			top, bottom := w.span(ky, w.H, oh)
			for kx := range w.K {
				src := cols[:oh*ow]
				cols = cols[oh*ow:]
				left, right := w.span(kx, w.W, ow)
				if top == bottom || left == right {
					continue
				}
				dst := plane[(top*w.Stride+ky-w.Pad)*w.W+left*w.Stride+kx-w.Pad:]
				if w.Stride == 1 {
					addRows(dst, w.W, src[top*ow+left:], ow, bottom-top, right-left)
					continue
				}
				for y := top; y < bottom; y++ {
					scatter(dst[(y-top)*w.Stride*w.W:], src[y*ow+left:][:right-left], w.Stride)
				}
			}
		}
	}
}

// gather sets dst[i] = src[i*stride].
func gather(dst, src []float32, stride int) {
	p := 0
	for i := range dst {
		dst[i] = src[p]
		p += stride
	}
}

// scatter adds src[i] to dst[i*stride].
func scatter(dst, src []float32, stride int) {
	p := 0
	for _, v := range src {
		dst[p] += v
		p += stride
	}
}

// MaxPool writes the largest entry of each K x K window, Stride = K and no
// padding, and its index in the image. A NaN in a window is its maximum.
func MaxPool(y []float32, arg []int32, image []float32, w Window) {
	oh, ow := w.Out()
	out := 0
	for c := range w.C {
		for oy := range oh {
			if w.K == 2 {
				top := (c*w.H + 2*oy) * w.W
				maxPool2(y[out:][:ow], arg[out:][:ow], image[top:][:w.W], image[top+w.W:][:w.W], int32(top), int32(w.W))
				out += ow
				continue
			}
			for ox := range ow {
				best := (c*w.H+oy*w.K)*w.W + ox*w.K
				for ky := range w.K {
					for kx := range w.K {
						i := (c*w.H+oy*w.K+ky)*w.W + ox*w.K + kx
						if v := image[i]; v > image[best] || v != v {
							best = i
						}
					}
				}
				y[out], arg[out] = image[best], int32(best)
				out++
			}
		}
	}
}

// maxPool2 pools two lines by two; index is that of the upper line's first entry.
func maxPool2(y []float32, arg []int32, top, bottom []float32, index, width int32) {
	n := len(y)
	arg, top, bottom = arg[:n], top[:2*n], bottom[:2*n]
	switch {
	case active.vector && n >= 8:
		maxPool256(&y[0], &arg[0], &top[0], &bottom[0], n, index, width)
		return
	case active.vector && n >= 4:
		maxPool128(&y[0], &arg[0], &top[0], &bottom[0], n, index, width)
		return
	}
	for x := range y {
		a, b := top[2*x], top[2*x+1]
		c, d := bottom[2*x], bottom[2*x+1]
		i, j := index+int32(2*x), index+width+int32(2*x)
		if b > a || b != b {
			a, i = b, i+1
		}
		if d > c || d != d {
			c, j = d, j+1
		}
		if c > a || c != c {
			a, i = c, j
		}
		y[x], arg[x] = a, i
	}
}

// MaxPoolBackward sends each entry of dy to where the maximum was. The image's
// gradient is overwritten.
func MaxPoolBackward(dImage, dy []float32, arg []int32) {
	clear(dImage)
	arg = arg[:len(dy)]
	for i, g := range dy {
		dImage[arg[i]] += g
	}
}
