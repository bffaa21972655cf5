package nn

import "swapmc/internal/kernel"

// direct is a convolution as products of the windows, read where they lie in the
// inputs, with the weights: no matrix of columns is stored. A window's line, K pixels
// of all channels, is contiguous.
type direct struct {
	conv
	ahead   []float32 // K K in x out: the weights of the forward pass, in panels of so many columns,
	width   int
	back    []float32 // out x K K in: and of the gradient of the inputs
	columns int       // K K in
	turned  bool      // the gradient of the weights is summed as out x K K in: so fewer lanes are idle
	folds   bool      // the gradient of the inputs is summed pixel by pixel: windows that overlap in parts of a vector wait for each other
	edge    int       // windows of zeros on both sides of a line of the products that are folded
	permute []int     // entry of a filter as PyTorch has it, for each of the columns
}

func newDirect(c conv) *direct {
	d := &direct{conv: c, columns: c.x.C * c.kernel * c.kernel}
	d.width = panel(c.y.C)
	d.ahead = make([]float32, d.columns*kernel.Padded(c.y.C))
	if c.needDX {
		d.back = make([]float32, c.y.C*kernel.Padded(d.columns))
		d.folds = c.stride == 1 && c.x.C < 8
		if d.folds {
			d.edge = c.kernel - 1
		}
		d.need.product = max(d.need.product, (c.y.W+2*d.edge)*d.columns+spare)
	}
	d.need.lines = max(d.need.lines, c.y.Len()+spare)
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

func (d *direct) pack(i, _ int, backward bool) {
	if i == 0 {
		d.begin()
	}
	ld, ldBack := kernel.Padded(d.width), kernel.Padded(d.columns)
	lo, hi := part(i, d.groups, d.y.C)
	for o := lo; o < hi; o++ {
		filter := d.weight[o*d.columns:][:d.columns]
		column := d.ahead[o/d.width*d.columns*ld+o%d.width:]
		for j, p := range d.permute {
			column[j*ld] = filter[p]
		}
		if backward && d.needDX {
			to := d.back[o*ldBack:][:d.columns]
			for j, p := range d.permute {
				to[j] = filter[p]
			}
		}
	}
}

func (d *direct) passes(backward bool, through func([]float32, *field)) {
	d.passesFrom(d.x, backward, through)
}

// window returns the inputs from the first window of a line of outputs on.
func (d *direct) window(x []float32, image, row int) []float32 {
	return x[image*d.x.size()+(row*d.stride+d.x.border-d.pad)*d.x.row()+(d.x.border-d.pad)*d.x.C:]
}

func (d *direct) forward(s span) {
	x, y, one := d.x, d.y, kernel.Apart{N: 1, Ahead: &d.work[s.worker].ahead}
	w := kernel.Windows{Segments: d.kernel, Length: d.kernel * x.C, Lead: d.stride * x.C, Skip: x.row()}
	for i := s.lo; i < s.hi; i++ {
		for row := range y.H {
			for j := 0; j < y.C; j += d.width {
				kernel.MulRowsEach(one, y.W, d.width, d.window(x.data, i, row), w, d.ahead[j*d.columns:], kernel.Padded(d.width), y.line(y.data, i, row)[j:], y.C, false)
			}
			d.finish(s, i, row)
		}
	}
}

func (d *direct) backward(s span) {
	x, y, one := d.x, d.y, kernel.Apart{N: 1, Ahead: &d.work[s.worker].ahead}
	d.slopes(s)
	sums, width := d.sums[s.group], d.kernel*x.C
	work := &d.work[s.worker]
	d.clearDX(s)
	for i := s.lo; i < s.hi; i++ {
		g, pitch := d.gradient(work.lines, i, 0, y.H)
		for k := range d.kernel {
			inputs, at := d.window(x.data, i, 0)[k*x.row():], kernel.Strided{Lead: d.stride * x.C, Skip: d.stride * x.row()}
			outputs, more := kernel.Strided{Lead: y.C, Skip: pitch}, i > s.lo || !s.first
			if d.turned {
				kernel.MulColumnsEach(one, y.C, width, y.H, y.W, g, outputs, inputs, at, sums[k*width:], d.columns, more)
			} else {
				kernel.MulColumnsEach(one, width, y.C, y.H, y.W, inputs, at, g, outputs, sums[k*width*y.C:], y.C, more)
			}
		}
		if !d.needDX {
			continue
		}
		if d.kernel == 1 {
			for row := range y.H {
				kernel.MulRowsEach(one, y.W, x.C, g[row*pitch:], kernel.Rows(y.C, y.C), d.back, kernel.Padded(x.C), d.window(x.grad, i, row), d.stride*x.C, true)
			}
			continue
		}
		padded := work.product[:(y.W+2*d.edge)*d.columns+spare]
		product := padded[d.edge*d.columns:]
		clear(padded[:d.edge*d.columns])
		clear(product[y.W*d.columns:][:d.edge*d.columns])
		for row := range y.H {
			kernel.MulRowsEach(one, y.W, d.columns, g[row*pitch:], kernel.Rows(y.C, y.C), d.back, kernel.Padded(d.columns), product, d.columns, false)
			dx := d.window(x.grad, i, row)
			for k := range d.kernel {
				if d.folds {
					kernel.Fold(dx[k*x.row():], padded[k*width:], d.columns, y.W+d.edge, d.kernel, x.C)
					continue
				}
				kernel.AddRows(dx[k*x.row():], d.stride*x.C, product[k*width:], d.columns, y.W, width)
			}
		}
	}
}

func (d *direct) gather(i, n int) {
	if i == 0 {
		d.gatherBias()
	}
	if d.turned {
		if lo, hi := part(i, n, d.y.C); lo < hi {
			sum := d.total(lo*d.columns, hi*d.columns)
			for o := lo; o < hi; o++ {
				for j, p := range d.permute {
					d.dw[o*d.columns+p] = sum[(o-lo)*d.columns+j]
				}
			}
		}
		return
	}
	lo, hi := part(i, n, d.columns)
	if lo == hi {
		return
	}
	sum := d.total(lo*d.y.C, hi*d.y.C)
	for j := lo; j < hi; j++ {
		p := d.permute[j]
		for o, v := range sum[(j-lo)*d.y.C:][:d.y.C] {
			d.dw[o*d.columns+p] = v
		}
	}
}
