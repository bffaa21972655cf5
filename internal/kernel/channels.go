package kernel

// Loops over a line of pixels, whose channels follow each other, with parameters or
// sums that belong to the channels. Sums of a line are taken in single precision, one
// pixel after the other, and added to sums in double precision.

// pixelLoops are those loops in assembly: over so many pixels, each of width channels in so many vectors of lanes.
type pixelLoops struct {
	lanes            int
	biasRelu         func(pixels, vectors, width int, y, bias *float32)
	moments          func(pixels, vectors, width int, x, origin *float32, sum, square *float64)
	normalize        func(pixels, vectors, width int, y, x, scale, shift *float32)
	normalizeRelu    func(pixels, vectors, width int, y, x, scale, shift *float32)
	normalizeAdd     func(pixels, vectors, width int, y, x, r, scale, shift *float32)
	normalizeAddRelu func(pixels, vectors, width int, y, x, r, scale, shift *float32)
	slopes           func(pixels, vectors, width int, dy *float32, sum *float64)
	slopesRelu       func(pixels, vectors, width int, dy, y *float32, sum *float64)
	slopesNorm       func(pixels, vectors, width int, dy, x, center *float32, sum, product *float64)
	slopesReluNorm   func(pixels, vectors, width int, dy, y, x, center *float32, sum, product *float64)
	slopesNormalized func(pixels, vectors, width int, dy, x, scale, shift, center *float32, sum, product *float64)
	combine          func(pixels, vectors, width int, dx, dy, x, a, b, c *float32)
}

// over returns the loops for so many pixels of so many channels, and the vectors of a pixel, or nil.
func over(pixels, channels int) (*pixelLoops, int) {
	if pixels > 0 && channels > 0 {
		for i := range active.pixels {
			if l := &active.pixels[i]; channels%l.lanes == 0 {
				return l, channels / l.lanes
			}
		}
	}
	return nil, 0
}

// BiasRelu adds to each pixel of y the bias of its channel, and rectifies it. The
// pixels are as wide as the bias; NaN stays NaN.
func BiasRelu(y []float32, pixels int, bias []float32) {
	width := len(bias)
	y = y[:pixels*width]
	if l, v := over(pixels, width); l != nil {
		l.biasRelu(pixels, v, width, &y[0], &bias[0])
		return
	}
	for p := 0; p < len(y); p += width {
		for c, b := range bias {
			y[p+c] = rectify(y[p+c] + b)
		}
	}
}

func rectify(x float32) float32 {
	if x < 0 {
		return 0
	}
	return x
}

// Moments adds to sum and square those of x - origin over the pixels of x.
func Moments(sum, square []float64, x []float32, pixels int, origin []float32) {
	width := len(origin)
	x, sum, square = x[:pixels*width], sum[:width], square[:width]
	if l, v := over(pixels, width); l != nil {
		l.moments(pixels, v, width, &x[0], &origin[0], &sum[0], &square[0])
		return
	}
	for c, o := range origin {
		var s, q float32
		for p := c; p < len(x); p += width {
			d := x[p] - o
			s += d
			q += float32(d * d)
		}
		sum[c] += float64(s)
		square[c] += float64(q)
	}
}

// Normalize sets y = x scale + shift, plus r where it is not nil, and rectifies it if
// asked.
func Normalize(y, x, r []float32, pixels int, scale, shift []float32, relu bool) {
	width := len(scale)
	n := pixels * width
	y, x, shift = y[:n], x[:n], shift[:width]
	if r != nil {
		r = r[:n]
	}
	if l, v := over(pixels, width); l != nil {
		switch {
		case relu && r != nil:
			l.normalizeAddRelu(pixels, v, width, &y[0], &x[0], &r[0], &scale[0], &shift[0])
		case relu:
			l.normalizeRelu(pixels, v, width, &y[0], &x[0], &scale[0], &shift[0])
		case r != nil:
			l.normalizeAdd(pixels, v, width, &y[0], &x[0], &r[0], &scale[0], &shift[0])
		default:
			l.normalize(pixels, v, width, &y[0], &x[0], &scale[0], &shift[0])
		}
		return
	}
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

// Slopes sets dy to zero where y, unless it is nil, is not above zero: the gradient of
// a rectifier. It then adds to sum that of dy over the pixels, and, unless x is
// nil, to product that of dy (x - center). sum is as long as a pixel is wide.
func Slopes(sum, product []float64, dy, y, x []float32, pixels int, center []float32) {
	width := len(sum)
	n := pixels * width
	dy = dy[:n]
	if y != nil {
		y = y[:n]
	}
	if x != nil {
		x, center, product = x[:n], center[:width], product[:width]
	}
	if l, v := over(pixels, width); l != nil {
		switch {
		case y != nil && x != nil:
			l.slopesReluNorm(pixels, v, width, &dy[0], &y[0], &x[0], &center[0], &sum[0], &product[0])
		case y != nil:
			l.slopesRelu(pixels, v, width, &dy[0], &y[0], &sum[0])
		case x != nil:
			l.slopesNorm(pixels, v, width, &dy[0], &x[0], &center[0], &sum[0], &product[0])
		default:
			l.slopes(pixels, v, width, &dy[0], &sum[0])
		}
		return
	}
	for c := range sum {
		var s, q float32
		for p := c; p < n; p += width {
			if y != nil && !(y[p] > 0) {
				dy[p] = 0
			}
			s += dy[p]
			if x != nil {
				q += float32(dy[p] * (x[p] - center[c]))
			}
		}
		sum[c] += float64(s)
		if x != nil {
			product[c] += float64(q)
		}
	}
}

// SlopesNormalized is Slopes through [Normalize] with a rectifier and without r, of which only the inputs
// x are there: dy is set to zero where x scale + shift is not above zero.
func SlopesNormalized(sum, product []float64, dy, x []float32, pixels int, scale, shift, center []float32) {
	width := len(sum)
	n := pixels * width
	dy, x, product, scale, shift, center = dy[:n], x[:n], product[:width], scale[:width], shift[:width], center[:width]
	if l, v := over(pixels, width); l != nil {
		l.slopesNormalized(pixels, v, width, &dy[0], &x[0], &scale[0], &shift[0], &center[0], &sum[0], &product[0])
		return
	}
	for c := range sum {
		var s, q float32
		for p := c; p < n; p += width {
			if !(float32(x[p]*scale[c])+shift[c] > 0) {
				dy[p] = 0
			}
			s += dy[p]
			q += float32(dy[p] * (x[p] - center[c]))
		}
		sum[c] += float64(s)
		product[c] += float64(q)
	}
}

// Combine sets dx = a dy + b x + c with a, b, c of the channel. dx may be dy.
func Combine(dx, dy, x []float32, pixels int, a, b, c []float32) {
	width := len(a)
	n := pixels * width
	dx, dy, x, b, c = dx[:n], dy[:n], x[:n], b[:width], c[:width]
	if l, v := over(pixels, width); l != nil {
		l.combine(pixels, v, width, &dx[0], &dy[0], &x[0], &a[0], &b[0], &c[0])
		return
	}
	for p := 0; p < n; p += width {
		for i, f := range a {
			dx[p+i] = c[i] + float32(b[i]*x[p+i]) + float32(f*dy[p+i])
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
