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

// span returns the output columns [lo, hi) whose input column for offset kx lies
// inside the image.
func (w Window) span(kx, out int) (lo, hi int) {
	if d := w.Pad - kx; d > 0 {
		lo = (d + w.Stride - 1) / w.Stride
	}
	hi = min(out, (w.W-1+w.Pad-kx)/w.Stride+1)
	return min(lo, out), max(min(lo, out), hi)
}

// Im2col writes the image's windows as the columns of a matrix with a row for
// each of C x K x K offsets and a column for each position.
func Im2col(cols, image []float32, w Window) {
	oh, ow := w.Out()
	row := 0
	for c := range w.C {
		plane := image[c*w.H*w.W:][:w.H*w.W]
		for ky := range w.K {
			for kx := range w.K {
				dst := cols[row*oh*ow:][:oh*ow]
				row++
				lo, hi := w.span(kx, ow)
				for y := range oh {
					line := dst[y*ow:][:ow]
					iy := y*w.Stride + ky - w.Pad
					if iy < 0 || iy >= w.H {
						clear(line)
						continue
					}
					if w.Pad > 0 {
						clear(line[:lo])
						clear(line[hi:])
					}
					src := plane[iy*w.W:][:w.W]
					ix := lo*w.Stride + kx - w.Pad
					if w.Stride == 1 {
						copy(line[lo:hi], src[ix:])
						continue
					}
					for x := lo; x < hi; x++ {
						line[x] = src[ix]
						ix += w.Stride
					}
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
	row := 0
	for c := range w.C {
		plane := image[c*w.H*w.W:][:w.H*w.W]
		for ky := range w.K {
			for kx := range w.K {
				src := cols[row*oh*ow:][:oh*ow]
				row++
				lo, hi := w.span(kx, ow)
				for y := range oh {
					iy := y*w.Stride + ky - w.Pad
					if iy < 0 || iy >= w.H || lo == hi {
						continue
					}
					ix := lo*w.Stride + kx - w.Pad
					line, dst := src[y*ow+lo:][:hi-lo], plane[iy*w.W+ix:]
					if w.Stride == 1 {
						dst = dst[:len(line)]
						for x, v := range line {
							dst[x] += v
						}
						continue
					}
					for x, v := range line {
						dst[x*w.Stride] += v
					}
				}
			}
		}
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

// maxPool2 pools two lines by two.
func maxPool2(y []float32, arg []int32, top, bottom []float32, index, width int32) {
	arg = arg[:len(y)]
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
