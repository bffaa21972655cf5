package nn

import "swapmc/internal/kernel"

// A convolution is one of the ways to do it.
type convolution interface {
	layer
	// pack brings part i of the weights, of as many as the engine says, into the order that the
	// products read; backward tells whether the gradient will be wanted.
	pack(i, worker int, backward bool)
	// gather adds up part i of n of the gradients of all groups.
	gather(i, n int)
	// follow tells which batch normalisation reads the outputs, and nothing else does.
	// The convolution takes the gradient through it, while it reads it, if it can.
	follow(*batchNorm)
	// precede tells which batch normalisation with a rectifier gives the inputs, which nothing
	// else reads. The convolution computes them some lines at a time while it reads them, if it can, in
	// an image for each thread, with the border of its inputs; they are stored nowhere else then.
	precede(*batchNorm, [][]float32)
}

// conv is what every convolution with a square kernel has.
type conv struct {
	*engine
	x, y         *field
	kernel       int
	stride, pad  int
	weight, bias []float32 // out x (in K K); bias may be nil
	dw, db       []float32
	sums         groupSums // of the gradient of the weights, in the order of the convolution
	biasSums     [][]float64
	relu         bool // rectifies its outputs
	pooled       bool // y is what a pooling over 2 x 2 of them gives
	needDX       bool
	addDX        bool       // to what another layer has left there
	norm         *batchNorm // that follows, and leaves its gradient with respect to these outputs to slope; nil: none

	before *batchNorm  // that makes the inputs, which are not stored; nil: they are
	fresh  [][]float32 // its outputs: an image a thread

	// A line is so many pixels of so many channels: several real pixels, where
	// their channels do not fill vectors. Behind a pooling there is one line, if it has no border.
	lines, pixels int
	wideBias      []float32
}

func newConv(e *engine, c conv) convolution {
	return newConvBy(e, c, func(c conv) convolution {
		switch {
		case c.pooled:
			return newPooled(c)
		case e.precision == BF16 && roundable(c.x.C, c.y.Shape):
			return newBFloat(c)
		case tileable(c.kernel, c.stride, c.pad, c.x.C, c.y.Shape):
			return newWinograd(c)
		}
		return newDirect(c)
	})
}

// tileable tells whether a convolution can go through Winograd's transforms.
func tileable(kernel, stride, pad, in int, out Shape) bool {
	return kernel == 3 && stride == 1 && pad == 1 && in%16 == 0 && out.C%16 == 0 && out.H%4 == 0 && out.W%4 == 0
}

// newConvBy prepares what all ways need.
func newConvBy(e *engine, c conv, build func(conv) convolution) convolution {
	c.engine = e
	c.sums = newGroupSums(c.groups, len(c.dw))
	together := 1
	for together*c.y.C%8 != 0 && together < 8 {
		together *= 2
	}
	c.lines, c.pixels = c.y.H, c.y.W
	if c.pooled && c.y.border == 0 {
		c.lines, c.pixels = 1, c.y.plane()
	}
	if c.pixels%together != 0 {
		together = 1
	}
	c.pixels /= together
	c.wideBias = make([]float32, together*c.y.C)
	for range c.groups {
		c.biasSums = append(c.biasSums, make([]float64, together*c.y.C))
	}
	return build(c)
}

// begin is called with the first part of the weights that is packed: it spreads the bias, and no group has sums yet.
func (c *conv) begin() {
	c.sums.begin()
	for i := range c.wideBias {
		if c.bias != nil {
			c.wideBias[i] = c.bias[i%len(c.bias)]
		}
	}
}

// finish adds the bias to n lines of outputs and rectifies them, or shows them to the batch
// normalisation that follows.
func (c *conv) finish(s span, image, row, n int) {
	switch {
	case c.relu:
		kernel.BiasRelu(c.y.lines(c.y.data, image, row), n, c.pixels, c.wideBias)
	case c.bias != nil:
		for k := range n {
			kernel.AddBias(c.y.line(c.y.data, image, row+k), len(c.wideBias), c.pixels, c.wideBias)
		}
	case c.norm != nil:
		c.norm.moments(s, image, row, n)
	}
}

func (c *conv) precede(*batchNorm, [][]float32) {}

// normalize is precede for those that can.
func (c *conv) normalize(b *batchNorm, images [][]float32) {
	c.before, c.fresh, b.read = b, images, true
	c.x.data = nil
}

func (c *conv) follow(b *batchNorm) {
	if !c.relu && c.bias == nil {
		c.norm, b.passed = b, true
	}
}

// gradient returns the gradient of n lines of outputs, which lie row apart: where it is,
// or in to, where it comes from a batch normalisation.
func (c *conv) gradient(to []float32, image, first, n int) (g []float32, row int) {
	if c.norm == nil {
		return c.y.from(c.y.grad, image, first), c.y.row()
	}
	row = c.y.W * c.y.C
	c.norm.combine(kernel.Lines{X: to, Pitch: row}, image, first, n)
	return to, row
}

// padded is gradient of an image with so many zeros around, in to.
func (c *conv) padded(to []float32, image, edge int) (g []float32, row int) {
	if edge == 0 {
		return c.gradient(to, image, 0, c.y.H)
	}
	y := c.y
	row = (y.W + 2*edge) * y.C
	g = to[:(y.H+2*edge)*row]
	clear(g[:edge*row])
	clear(g[(y.H+edge)*row:])
	for r := range y.H {
		line := g[(r+edge)*row:][:row]
		clear(line[:edge*y.C])
		clear(line[row-edge*y.C:])
		if c.norm == nil {
			copy(line[edge*y.C:], y.line(y.grad, image, r))
		}
	}
	if c.norm != nil {
		c.norm.combine(kernel.Lines{X: g[edge*(row+y.C):], Pitch: row}, image, 0, y.H)
	}
	return g, row
}

// slopes takes the gradient of the outputs of a span through the rectifier, and sums
// that of the bias.
func (c *conv) slopes(s span) {
	if !c.relu && c.bias == nil {
		return
	}
	sums := c.biasSums[s.group]
	if s.first {
		clear(sums)
	}
	for i := s.lo; i < s.hi; i++ {
		for row, most := 0, c.y.summed(); row < c.lines; row += most {
			var y kernel.Lines
			if c.relu {
				y = c.y.lines(c.y.data, i, row)
			}
			kernel.Slopes(sums, nil, c.y.lines(c.y.grad, i, row), y, kernel.Lines{}, min(most, c.lines-row), c.pixels, nil)
		}
	}
}

// gatherBias adds up the gradients of the bias.
func (c *conv) gatherBias() {
	for o := range c.db {
		var sum float64
		for g := range c.groups {
			if lo, hi := part(g, c.groups, c.batch); lo < hi {
				for i := o; i < len(c.wideBias); i += c.y.C {
					sum += c.biasSums[g][i]
				}
			}
		}
		c.db[o] = float32(sum)
	}
}

// clearDX clears the gradient of the inputs, unless it is added to.
func (c *conv) clearDX(s span) {
	if c.needDX && !c.addDX {
		clear(c.x.grad[s.lo*c.x.size() : s.hi*c.x.size()])
	}
}

// passesFrom says which data the convolution goes through (see [passer]), from these inputs on.
func (c *conv) passesFrom(inputs *field, backward bool, through func([]float32, *field)) {
	if !backward {
		through(inputs.data, inputs)
		through(c.y.data, c.y)
		return
	}
	through(c.y.grad, c.y)
	if c.norm != nil {
		through(c.norm.x.data, c.y)
	}
	through(inputs.data, inputs)
	if c.needDX {
		through(c.x.grad, c.x)
	}
}
