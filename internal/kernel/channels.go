package kernel

// Loops over lines of pixels, whose channels follow each other, with parameters or
// sums that belong to the channels. Sums of the lines of one call are taken in single precision, one
// pixel after the other, and added to sums in double precision.

// Lines are lines of pixels from the first of X on, Pitch entries apart. Where they may be left out, nil X stands for none.
type Lines struct {
	X     []float32
	Pitch int
}

// first checks that there are so many lines of n entries, at least one, and returns where they begin.
func (l Lines) first(lines, n int) *float32 {
	_ = l.X[(lines-1)*l.Pitch+n-1]
	return &l.X[0]
}

// firstOrNil is first for lines that may be none.
func (l Lines) firstOrNil(lines, n int) *float32 {
	if l.X == nil {
		return nil
	}
	return l.first(lines, n)
}

// line returns n entries of line i.
func (l Lines) line(i, n int) []float32 {
	if l.X == nil {
		return nil
	}
	return l.X[i*l.Pitch:][:n]
}

// pixelLoops are those loops in assembly: over so many lines of so many pixels, each of width channels in so many vectors of lanes.
type pixelLoops struct {
	lanes            int
	biasRelu         func(lines, pixels, vectors, width int, y *float32, yPitch int, bias *float32)
	moments          func(lines, pixels, vectors, width int, x *float32, xPitch int, origin *float32, sum, square *float64)
	normalize        func(lines, pixels, vectors, width int, y *float32, yPitch int, x *float32, xPitch int, scale, shift *float32)
	normalizeRelu    func(lines, pixels, vectors, width int, y *float32, yPitch int, x *float32, xPitch int, scale, shift *float32)
	normalizeAdd     func(lines, pixels, vectors, width int, y *float32, yPitch int, x *float32, xPitch int, r *float32, rPitch int, scale, shift *float32)
	normalizeAddRelu func(lines, pixels, vectors, width int, y *float32, yPitch int, x *float32, xPitch int, r *float32, rPitch int, scale, shift *float32)
	slopes           func(lines, pixels, vectors, width int, dy *float32, dyPitch int, sum *float64)
	slopesRelu       func(lines, pixels, vectors, width int, dy *float32, dyPitch int, y *float32, yPitch int, sum *float64)
	slopesNorm       func(lines, pixels, vectors, width int, dy *float32, dyPitch int, x *float32, xPitch int, center *float32, sum, product *float64)
	slopesReluNorm   func(lines, pixels, vectors, width int, dy *float32, dyPitch int, y *float32, yPitch int, x *float32, xPitch int, center *float32, sum, product *float64)
	slopesNormalized func(lines, pixels, vectors, width int, dy *float32, dyPitch int, x *float32, xPitch int, scale, shift, center *float32, sum, product *float64)
	combine          func(lines, pixels, vectors, width int, dx *float32, dxPitch int, dy *float32, dyPitch int, x *float32, xPitch int, a, b, c *float32)
}

// over returns the loops for pixels of so many channels, and the vectors of a pixel, or nil.
func over(channels int) (*pixelLoops, int) {
	for i := range active.pixels {
		if l := &active.pixels[i]; channels%l.lanes == 0 {
			return l, channels / l.lanes
		}
	}
	return nil, 0
}

// BiasRelu adds to each pixel of y, in so many lines of so many pixels, the bias of its channel, and rectifies it. The
// pixels are as wide as the bias; NaN stays NaN.
func BiasRelu(y Lines, lines, pixels int, bias []float32) {
	width := len(bias)
	n := pixels * width
	if lines <= 0 || n <= 0 {
		return
	}
	y0 := y.first(lines, n)
	if l, v := over(width); l != nil {
		l.biasRelu(lines, pixels, v, width, y0, y.Pitch, &bias[0])
		return
	}
	for i := range lines {
		y := y.line(i, n)
		for p := 0; p < n; p += width {
			for c, b := range bias {
				y[p+c] = rectify(y[p+c] + b)
			}
		}
	}
}

func rectify(x float32) float32 {
	if x < 0 {
		return 0
	}
	return x
}

// Moments adds to sum and square those of x - origin over so many lines of so many pixels.
func Moments(sum, square []float64, x Lines, lines, pixels int, origin []float32) {
	width := len(origin)
	n := pixels * width
	if lines <= 0 || n <= 0 {
		return
	}
	x0, sum, square := x.first(lines, n), sum[:width], square[:width]
	if l, v := over(width); l != nil {
		l.moments(lines, pixels, v, width, x0, x.Pitch, &origin[0], &sum[0], &square[0])
		return
	}
	for c, o := range origin {
		var s, q float32
		for i := range lines {
			x := x.line(i, n)
			for p := c; p < n; p += width {
				d := x[p] - o
				s += d
				q += float32(d * d)
			}
		}
		sum[c] += float64(s)
		square[c] += float64(q)
	}
}

// Normalize sets y = x scale + shift, plus r unless that is none, in so many lines of so many pixels, and rectifies it if
// asked.
func Normalize(y, x, r Lines, lines, pixels int, scale, shift []float32, relu bool) {
	width := len(scale)
	n := pixels * width
	if lines <= 0 || n <= 0 {
		return
	}
	y0, x0, r0, shift := y.first(lines, n), x.first(lines, n), r.firstOrNil(lines, n), shift[:width]
	if l, v := over(width); l != nil {
		switch {
		case relu && r0 != nil:
			l.normalizeAddRelu(lines, pixels, v, width, y0, y.Pitch, x0, x.Pitch, r0, r.Pitch, &scale[0], &shift[0])
		case relu:
			l.normalizeRelu(lines, pixels, v, width, y0, y.Pitch, x0, x.Pitch, &scale[0], &shift[0])
		case r0 != nil:
			l.normalizeAdd(lines, pixels, v, width, y0, y.Pitch, x0, x.Pitch, r0, r.Pitch, &scale[0], &shift[0])
		default:
			l.normalize(lines, pixels, v, width, y0, y.Pitch, x0, x.Pitch, &scale[0], &shift[0])
		}
		return
	}
	for i := range lines {
		y, x, r := y.line(i, n), x.line(i, n), r.line(i, n)
		for p := 0; p < n; p += width {
			for c, s := range scale {
				z := float32(x[p+c]*s) + shift[c]
				if r != nil {
					z += r[p+c]
				}
				if relu {
					z = rectify(z)
				}
				y[p+c] = z
			}
		}
	}
}

// Slopes sets dy to zero where y, unless that is none, is not above zero: the gradient of
// a rectifier. It then adds to sum that of dy over so many lines of so many pixels, and, unless x is
// none, to product that of dy (x - center). sum is as long as a pixel is wide.
func Slopes(sum, product []float64, dy, y, x Lines, lines, pixels int, center []float32) {
	width := len(sum)
	n := pixels * width
	if lines <= 0 || n <= 0 {
		return
	}
	dy0, y0, x0 := dy.first(lines, n), y.firstOrNil(lines, n), x.firstOrNil(lines, n)
	if x0 != nil {
		center, product = center[:width], product[:width]
	}
	if l, v := over(width); l != nil {
		switch {
		case y0 != nil && x0 != nil:
			l.slopesReluNorm(lines, pixels, v, width, dy0, dy.Pitch, y0, y.Pitch, x0, x.Pitch, &center[0], &sum[0], &product[0])
		case y0 != nil:
			l.slopesRelu(lines, pixels, v, width, dy0, dy.Pitch, y0, y.Pitch, &sum[0])
		case x0 != nil:
			l.slopesNorm(lines, pixels, v, width, dy0, dy.Pitch, x0, x.Pitch, &center[0], &sum[0], &product[0])
		default:
			l.slopes(lines, pixels, v, width, dy0, dy.Pitch, &sum[0])
		}
		return
	}
	for c := range sum {
		var s, q float32
		for i := range lines {
			dy, y, x := dy.line(i, n), y.line(i, n), x.line(i, n)
			for p := c; p < n; p += width {
				if y != nil && !(y[p] > 0) {
					dy[p] = 0
				}
				s += dy[p]
				if x != nil {
					q += float32(dy[p] * (x[p] - center[c]))
				}
			}
		}
		sum[c] += float64(s)
		if x0 != nil {
			product[c] += float64(q)
		}
	}
}

// SlopesNormalized is Slopes through [Normalize] with a rectifier and without r, of which only the inputs
// x are there: dy is set to zero where x scale + shift is not above zero.
func SlopesNormalized(sum, product []float64, dy, x Lines, lines, pixels int, scale, shift, center []float32) {
	width := len(sum)
	n := pixels * width
	if lines <= 0 || n <= 0 {
		return
	}
	dy0, x0 := dy.first(lines, n), x.first(lines, n)
	product, scale, shift, center = product[:width], scale[:width], shift[:width], center[:width]
	if l, v := over(width); l != nil {
		l.slopesNormalized(lines, pixels, v, width, dy0, dy.Pitch, x0, x.Pitch, &scale[0], &shift[0], &center[0], &sum[0], &product[0])
		return
	}
	for c := range sum {
		var s, q float32
		for i := range lines {
			dy, x := dy.line(i, n), x.line(i, n)
			for p := c; p < n; p += width {
				if !(float32(x[p]*scale[c])+shift[c] > 0) {
					dy[p] = 0
				}
				s += dy[p]
				q += float32(dy[p] * (x[p] - center[c]))
			}
		}
		sum[c] += float64(s)
		product[c] += float64(q)
	}
}

// Combine sets dx = a dy + b x + c with a, b, c of the channel, in so many lines of so many pixels. dx may be dy.
func Combine(dx, dy, x Lines, lines, pixels int, a, b, c []float32) {
	width := len(a)
	n := pixels * width
	if lines <= 0 || n <= 0 {
		return
	}
	dx0, dy0, x0, b, c := dx.first(lines, n), dy.first(lines, n), x.first(lines, n), b[:width], c[:width]
	if l, v := over(width); l != nil {
		l.combine(lines, pixels, v, width, dx0, dx.Pitch, dy0, dy.Pitch, x0, x.Pitch, &a[0], &b[0], &c[0])
		return
	}
	for i := range lines {
		dx, dy, x := dx.line(i, n), dy.line(i, n), x.line(i, n)
		for p := 0; p < n; p += width {
			for ch, f := range a {
				dx[p+ch] = c[ch] + float32(b[ch]*x[p+ch]) + float32(f*dy[p+ch])
			}
		}
	}
}

// MaxPool sets the pixels of y to the maxima over 2 x 2 pixels of so many channels on
// the lines top and bottom. A NaN of the four is their maximum.
func MaxPool(y, top, bottom []float32, pixels, channels int) {
	if pixels <= 0 {
		return
	}
	n := 2 * pixels * channels
	y, top, bottom = y[:n/2], top[:n], bottom[:n]
	// The assembly reads whole vectors: it leaves out a last one that would be too long.
	if active.vector && channels >= 4 && (channels%8 == 0 || cap(top) >= n+8 && cap(bottom) >= n+8) {
		maxPool256(pixels, (channels+7)/8, channels, &y[0], &top[0], &bottom[0], (channels-1)%8+1)
		return
	}
	for p := range pixels {
		for c := range channels {
			i := 2*p*channels + c
			y[p*channels+c] = larger(larger(top[i], top[i+channels]), larger(bottom[i], bottom[i+channels]))
		}
	}
}

func larger(a, b float32) float32 {
	if b > a || b != b {
		return b
	}
	return a
}

// MaxPoolBackward sends each entry of dy to the first of the four that has the
// maximum, and zeros to the others.
func MaxPoolBackward(dTop, dBottom, dy, y, top, bottom []float32, pixels, channels int) {
	if pixels <= 0 {
		return
	}
	n := 2 * pixels * channels
	dTop, dBottom, dy, y, top, bottom = dTop[:n], dBottom[:n], dy[:n/2], y[:n/2], top[:n], bottom[:n]
	room := func(x []float32) bool { return cap(x) >= len(x)+8 }
	if active.vector && channels >= 4 && (channels%8 == 0 || room(dy) && room(y) && room(top) && room(bottom)) {
		maxPoolBackward256(pixels, (channels+7)/8, channels, &dTop[0], &dBottom[0], &dy[0], &y[0], &top[0], &bottom[0], (channels-1)%8+1)
		return
	}
	for p := range pixels {
		for c := range channels {
			i := 2*p*channels + c
			g, best := dy[p*channels+c], y[p*channels+c]
			for _, to := range [4]struct{ x, d *float32 }{{&top[i], &dTop[i]}, {&top[i+channels], &dTop[i+channels]}, {&bottom[i], &dBottom[i]}, {&bottom[i+channels], &dBottom[i+channels]}} {
				*to.d = 0
				if *to.x == best {
					*to.d, g = g, 0
				}
			}
		}
	}
}
