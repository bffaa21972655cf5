package nn

import "swapmc/internal/kernel"

// groups is the number of parts of a batch whose weight gradients are summed
// apart and then added in order. It is fixed, so that the sum does not depend on
// the number of threads; more threads than this do not help a convolution.
const groups = 8

// conv is a convolution with a square kernel: for each image, the product of
// the weights, out x (in K K), with the columns of its windows.
type conv struct {
	*engine
	window       kernel.Window
	out          int
	weight, bias []float32 // bias may be nil
	dw, db       []float32
	y, dx        []float32   // dx nil: not needed
	cols, dcols  [][]float32 // one a thread
	sums         []float32   // groups x (weights, then biases)

	x, dy       []float32
	batch       int
	image, part func(i, worker int)
}

func newConv(e *engine, w kernel.Window, out, batch int, weight, bias, dw, db []float32, needDX bool) *conv {
	oh, ow := w.Out()
	c := &conv{engine: e, window: w, out: out, weight: weight, bias: bias, dw: dw, db: db,
		y: make([]float32, batch*out*oh*ow), sums: make([]float32, groups*(len(dw)+len(db)))}
	if needDX {
		c.dx = make([]float32, batch*w.C*w.H*w.W)
	}
	for range e.work {
		n := w.C * w.K * w.K * oh * ow
		c.cols = append(c.cols, make([]float32, n))
		if needDX {
			c.dcols = append(c.dcols, make([]float32, n))
		}
	}
	c.image, c.part = c.forwardImage, c.backwardGroup
	return c
}

// sizes returns inputs an image, rows of the weights' columns, and positions.
func (c *conv) sizes() (in, fan, positions int) {
	oh, ow := c.window.Out()
	return c.window.C * c.window.H * c.window.W, c.window.C * c.window.K * c.window.K, oh * ow
}

// pointwise tells whether the columns are the image itself.
func (c *conv) pointwise() bool {
	return c.window.K == 1 && c.window.Stride == 1 && c.window.Pad == 0
}

// columns returns the columns of an image.
func (c *conv) columns(image []float32, worker int) []float32 {
	if c.pointwise() {
		return image
	}
	kernel.Im2col(c.cols[worker], image, c.window)
	return c.cols[worker]
}

func (c *conv) forward(x []float32, batch int, _ mode) []float32 {
	c.x, c.batch = x, batch
	c.pool.Run(batch, c.image)
	_, _, positions := c.sizes()
	return c.y[:batch*c.out*positions]
}

func (c *conv) forwardImage(b, worker int) {
	in, fan, positions := c.sizes()
	cols := c.columns(c.x[b*in:][:in], worker)
	y := c.y[b*c.out*positions:][:c.out*positions]
	var beta float32
	if c.bias != nil {
		beta = 1
		for o, v := range c.bias {
			fill(y[o*positions:][:positions], v)
		}
	}
	kernel.Gemm(false, false, c.out, positions, fan, c.weight, fan, cols, positions, beta, y, positions, &c.work[worker])
}

func (c *conv) backward(dy []float32, batch int) []float32 {
	c.dy, c.batch = dy, batch
	c.pool.Run(groups, c.part)
	size := len(c.dw) + len(c.db)
	copy(c.dw, c.sums)
	copy(c.db, c.sums[len(c.dw):])
	for g := 1; g < groups; g++ {
		sum := c.sums[g*size:][:size]
		kernel.Axpy(1, sum[:len(c.dw)], c.dw)
		kernel.Axpy(1, sum[len(c.dw):], c.db)
	}
	if c.dx == nil {
		return nil
	}
	in, _, _ := c.sizes()
	return c.dx[:batch*in]
}

// backwardGroup sums the gradients of one group of images.
func (c *conv) backwardGroup(g, worker int) {
	in, fan, positions := c.sizes()
	size := len(c.dw) + len(c.db)
	sum := c.sums[g*size:][:size]
	clear(sum)
	dw, db := sum[:len(c.dw)], sum[len(c.dw):]
	lo, hi := part(g, groups, c.batch)
	for b := lo; b < hi; b++ {
		dy := c.dy[b*c.out*positions:][:c.out*positions]
		for o := range db {
			db[o] += float32(total(dy[o*positions:][:positions]))
		}
		cols := c.columns(c.x[b*in:][:in], worker)
		kernel.Gemm(false, true, c.out, fan, positions, dy, positions, cols, positions, 1, dw, fan, &c.work[worker])
		if c.dx == nil {
			continue
		}
		dx := c.dx[b*in:][:in]
		if c.pointwise() {
			kernel.Gemm(true, false, fan, positions, c.out, c.weight, fan, dy, positions, 0, dx, positions, &c.work[worker])
			continue
		}
		dcols := c.dcols[worker]
		kernel.Gemm(true, false, fan, positions, c.out, c.weight, fan, dy, positions, 0, dcols, positions, &c.work[worker])
		kernel.Col2im(dx, dcols, c.window)
	}
}

// fill sets all of x to v, for the most part by copying what is there already.
func fill(x []float32, v float32) {
	n := min(16, len(x))
	for i := range x[:n] {
		x[i] = v
	}
	for ; n < len(x); n *= 2 {
		copy(x[n:], x[:n])
	}
}
