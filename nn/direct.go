package nn

import "swapmc/internal/kernel"

// direct is a convolution as products of the windows, read where they lie in the
// inputs, with the weights: no matrix of columns is stored. A window's line, K pixels
// of all channels, is contiguous. The gradient of the inputs is products of windows too, on that of the outputs with zeros
// around, for each of the phases into which the stride divides the inputs.
type direct struct {
	conv
	ahead   []float32 // K K in x out: the weights of the forward pass, in panels of so many columns,
	width   int
	back    []float32 // and of the gradient of the inputs: of each pair of phases, taps x out x in
	phases  phases
	folds   bool  // instead, products of pixels with the weights, out x K K in, are folded into the inputs: few channels would leave lanes idle
	columns int   // K K in
	turned  bool  // the gradient of the weights is summed as out x K K in: so fewer lanes are idle
	permute []int // entry of a filter as PyTorch has it, for each of the columns
}

func newDirect(c conv) *direct {
	d := &direct{conv: c, columns: c.x.C * c.kernel * c.kernel}
	d.width = panel(c.y.C)
	d.ahead = make([]float32, d.columns*kernel.Padded(c.y.C))
	if d.folds = c.needDX && c.stride == 1 && c.x.C < 8; d.folds {
		d.back = make([]float32, c.y.C*kernel.Padded(d.columns))
		d.need.product = max(d.need.product, (c.y.W+2*(c.kernel-1))*d.columns+spare)
	} else if c.needDX {
		d.back = make([]float32, c.y.C*c.kernel*c.kernel*kernel.Padded(c.x.C))
		d.phases = newPhases(&d.conv)
	}
	d.need.lines = max(d.need.lines, d.phases.padded(c.y.Shape)+spare)
	d.need.weights = max(d.need.weights, c.kernel*c.kernel*c.y.C*(c.x.C/d.parts+1))
	vectors := func(n int) int { return (n + 7) / 8 }
	width := c.kernel * c.x.C
	d.turned = c.y.C*vectors(width) < width*vectors(c.y.C)
	for k := range c.kernel * c.kernel {
		for ch := range c.x.C {
			d.permute = append(d.permute, ch*c.kernel*c.kernel+k)
		}
	}
	return d
}

func (d *direct) pack(i, worker int, backward bool) {
	if i == 0 {
		d.begin()
	}
	in, out, window := d.x.C, d.y.C, d.kernel*d.kernel
	// By inputs, so that threads hardly write to the same lines of the cache.
	if lo, hi := part(i, d.parts, in); lo < hi {
		turned, ld := d.work[worker].weights, kernel.Padded(d.width)
		kernel.Transpose(turned, out, d.weight[lo*window:], d.columns, out, (hi-lo)*window)
		for ch := lo; ch < hi; ch++ {
			for k := range window {
				row := turned[((ch-lo)*window+k)*out:][:out]
				for j := 0; j < out; j += d.width {
					copy(d.ahead[j*d.columns+(k*in+ch)*ld:][:d.width], row[j:])
				}
			}
		}
	}
	if !backward || !d.needDX {
		return
	}
	lo, hi := part(i, d.parts, out)
	ldBack := kernel.Padded(in)
	for o := lo; o < hi && d.folds; o++ {
		to, filter := d.back[o*kernel.Padded(d.columns):], d.weight[o*d.columns:][:d.columns]
		for j, p := range d.permute {
			to[j] = filter[p]
		}
	}
	d.phases.each(func(down, across phase, before int) {
		for t := range down.taps * across.taps {
			p := d.phases.tap(down, across, t)
			for o := lo; o < hi; o++ {
				to, filter := d.back[((before+t)*out+o)*ldBack:][:in], d.weight[o*d.columns:][:d.columns]
				for ch := range to {
					to[ch] = filter[ch*d.kernel*d.kernel+p]
				}
			}
		}
	})
}

func (d *direct) passes(backward bool, through func([]float32, *field)) {
	d.passesFrom(d.x, backward, through)
}

// window returns the inputs from the first window of a line of outputs on.
func (d *direct) window(x []float32, image, row int) []float32 {
	return x[image*d.x.size()+(row*d.stride+d.x.border-d.pad)*d.x.row()+(d.x.border-d.pad)*d.x.C:]
}

func (d *direct) forward(s span) {
	x, y := d.x, d.y
	w := kernel.Windows{Segments: d.kernel, Length: d.kernel * x.C, Lead: d.stride * x.C, Skip: x.row()}
	each := kernel.Apart{A: d.stride * x.row(), C: y.row(), Ahead: &d.work[s.worker].ahead}
	most := max(1, 4096/(y.W*y.C)) // lines, which stay in L1
	for i := s.lo; i < s.hi; i++ {
		for row := 0; row < y.H; row += most {
			each.N = min(most, y.H-row)
			for j := 0; j < y.C; j += d.width {
				kernel.MulRowsEach(each, y.W, d.width, d.window(x.data, i, row), w, d.ahead[j*d.columns:], kernel.Padded(d.width), y.from(y.data, i, row)[j:], y.C, false)
			}
			d.finish(s, i, row, each.N)
		}
	}
}

func (d *direct) backward(s span) {
	x, y, one := d.x, d.y, kernel.Apart{N: 1, Ahead: &d.work[s.worker].ahead}
	d.slopes(s)
	sums, width := d.sums.each[s.group], d.kernel*x.C
	work := &d.work[s.worker]
	if d.phases.gaps || d.folds {
		d.clearDX(s)
	}
	for i := s.lo; i < s.hi; i++ {
		g, pitch := d.padded(work.lines, i, d.phases.edge)
		for k := range d.kernel {
			inputs, at := d.window(x.data, i, 0)[k*x.row():], kernel.Strided{Lead: d.stride * x.C, Skip: d.stride * x.row()}
			outputs, more := kernel.Strided{Lead: y.C, Skip: pitch}, i > s.lo || !s.first
			g := g[d.phases.edge*(pitch+y.C):]
			if d.turned {
				kernel.MulColumnsEach(one, y.C, width, y.H, y.W, g, outputs, inputs, at, sums[k*width:], d.columns, more)
			} else {
				kernel.MulColumnsEach(one, width, y.C, y.H, y.W, inputs, at, g, outputs, sums[k*width*y.C:], y.C, more)
			}
		}
		switch {
		case d.folds:
			d.foldInputs(work, i, g, pitch)
		case d.needDX:
			d.sumInputs(&work.ahead, i, g, pitch)
		}
	}
	d.sums.done(s, d.batch)
}

// sumInputs computes the gradient of the inputs of an image from that of its outputs, with zeros around.
func (d *direct) sumInputs(ahead *kernel.Ahead, image int, g []float32, pitch int) {
	x, y, ld, edge := d.x, d.y, kernel.Padded(d.x.C), d.phases.edge
	dx := x.from(x.grad, image, 0)
	d.phases.each(func(down, across phase, before int) {
		w := kernel.Windows{Segments: down.taps, Length: across.taps * y.C, Lead: y.C, Skip: pitch}
		windows, weights := g[(down.from+edge)*pitch+(across.from+edge)*y.C:], d.back[before*y.C*ld:]
		each := kernel.Apart{N: down.count, A: pitch, C: d.stride * x.row(), Ahead: ahead}
		kernel.MulRowsEach(each, across.count, x.C, windows, w, weights, ld, dx[down.first*x.row()+across.first*x.C:], d.stride*x.C, d.addDX || d.phases.gaps)
	})
}

// foldInputs does the same by products of a line with the weights, which are then added where the windows were.
func (d *direct) foldInputs(work *scratch, image int, g []float32, pitch int) {
	x, y, edge, one := d.x, d.y, d.kernel-1, kernel.Apart{N: 1, Ahead: &work.ahead}
	padded := work.product[:(y.W+2*edge)*d.columns+spare] // with windows of zeros on both sides
	product := padded[edge*d.columns:]
	clear(padded[:edge*d.columns])
	clear(product[y.W*d.columns:][:edge*d.columns])
	for row := range y.H {
		kernel.MulRowsEach(one, y.W, d.columns, g[row*pitch:], kernel.Rows(y.C, y.C), d.back, kernel.Padded(d.columns), product, d.columns, false)
		dx := d.window(x.grad, image, row)
		for k := range d.kernel {
			kernel.Fold(dx[k*x.row():], padded[k*d.kernel*x.C:], d.columns, y.W+edge, d.kernel, x.C)
		}
	}
}

func (d *direct) gather(i, n int) {
	if i == 0 {
		d.gatherBias()
	}
	if d.turned {
		if lo, hi := part(i, n, d.y.C); lo < hi {
			sum := d.sums.total(lo*d.columns, hi*d.columns)
			for o := lo; o < hi; o++ {
				for j, p := range d.permute {
					d.dw[o*d.columns+p] = sum[(o-lo)*d.columns+j]
				}
			}
		}
		return
	}
	in, out, window := d.x.C, d.y.C, d.kernel*d.kernel
	lo, hi := part(i, n, in)
	for k := 0; k < window && lo < hi; k++ {
		sum := d.sums.total((k*in+lo)*out, (k*in+hi)*out)
		for ch := lo; ch < hi; ch++ {
			for o, v := range sum[(ch-lo)*out:][:out] {
				d.dw[o*d.columns+ch*window+k] = v
			}
		}
	}
}
