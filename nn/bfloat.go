package nn

import "swapmc/internal/kernel"

// bfloat is a convolution whose products are of bfloat16 (see [BF16]). The operands are rounded an image at a time, in the
// orders in which the products read them:
//
//	forward               rows of pixels, as they lie          x  weights
//	gradient of inputs    rows of pixels, with zeros around    x  weights, turned
//	gradient of weights   channels of outputs x pixels         x  pairs of pixels x channels of inputs
//
// The inputs that one tap of the filter sees, pixel by pixel, are the third kind of B: for each column of taps a copy, in which a row
// of taps begins where its lines do.
type bfloat struct {
	conv
	ahead  []kernel.BFloat // weights of the forward pass, K K in x out,
	back   []kernel.BFloat // and of the gradient of the inputs: of each pair of phases, taps x out x in
	phases phases
	lines  int // of each phase in a copy of the inputs
}

// roundable tells whether a convolution can be made of bfloat16.
func roundable(in int, out Shape) bool { return in%16 == 0 && out.C%16 == 0 && out.W%2 == 0 }

func newBFloat(c conv) *bfloat {
	b := &bfloat{conv: c, ahead: make([]kernel.BFloat, len(c.dw))}
	in, out, k := c.x.C, c.y.C, c.kernel
	if c.needDX {
		b.back = make([]kernel.BFloat, len(c.dw))
		b.phases = newPhases(&b.conv)
	}
	b.lines = (c.stride*(c.y.H-1)+k-1)/c.stride + 1
	b.need.lines = max(b.need.lines, c.y.Len())
	b.need.turned = max(b.need.turned, c.y.Len()+spare)
	b.need.weights = max(b.need.weights, k*k*max((in/c.parts+2)*out, (out/c.parts+2)*in))
	b.need.rounded = max(b.need.rounded, c.x.size(), b.phases.padded(c.y.Shape))
	images := (c.capacity + c.groups - 1) / c.groups
	b.need.columns = max(b.need.columns, images*c.y.Len())
	b.need.pairs = max(b.need.pairs, images*b.copies())
	return b
}

// panel is the size of 16 channels of a copy of the inputs, copies that of all copies.
func (b *bfloat) panel() int  { return b.stride * b.lines * b.y.W * 16 }
func (b *bfloat) copies() int { return b.kernel * b.x.C / 16 * b.panel() }

func (b *bfloat) pack(i, worker int, backward bool) {
	if i == 0 {
		b.begin()
	}
	in, out, taps, turned := b.x.C, b.y.C, b.kernel*b.kernel, b.work[worker].weights
	if lo, hi := part(i, b.parts, in/2); lo < hi { // turned into in x taps x out
		lo, n := 2*lo, hi-lo
		kernel.Transpose(turned, out, b.weight[taps*lo:], taps*in, out, 2*taps*n)
		for t := range taps {
			kernel.RoundPairs(b.ahead[(t*in+lo)*16:], taps*in*16, turned[t*out:], taps*out, n, out)
		}
	}
	if !backward || !b.needDX {
		return
	}
	if lo, hi := part(i, b.parts, out/2); lo < hi { // turned into out x taps x in
		lo, n := 2*lo, hi-lo
		for o := range 2 * n {
			kernel.Transpose(turned[taps*o*in:], in, b.weight[taps*(lo+o)*in:], taps, in, taps)
		}
		b.phases.each(func(down, across phase, before int) {
			window, weights := down.taps*across.taps, b.back[before*in*out:]
			for t := range window {
				kernel.RoundPairs(weights[(t*out+lo)*16:], window*out*16, turned[b.phases.tap(down, across, t)*in:], taps*in, n, in)
			}
		})
	}
}

func (b *bfloat) precede(n *batchNorm, images [][]float32) { b.normalize(n, images) }

// inputs returns an image with its border.
func (b *bfloat) inputs(s span, image int) []float32 {
	x := b.x
	if b.before == nil {
		return x.whole(x.data, image)
	}
	to := b.fresh[s.worker]
	b.before.outputs(x.lines(to, 0, 0), image, 0, x.H)
	return to[:x.size()]
}

// corner is where the windows of a field with a border begin.
func (b *bfloat) corner() int { return (b.x.border - b.pad) * (b.x.row() + b.x.C) }

// multiply multiplies windows, whose lines and columns are so far apart in A and in C, with weights.
func multiply(lines, pixels, n int, a []kernel.BFloat, downA int, w kernel.Windows, weights []kernel.BFloat, c []float32, downC, acrossC int, add bool) {
	high := 16 // pixels in a block
	for pixels%high > 0 {
		high--
	}
	at := kernel.RowPairs{Apart: 16 * w.Segments * w.Length}
	blocks := kernel.Blocks{Lines: lines, N: pixels / high, Rows: high, A: high * w.Lead, C: high * acrossC, DownA: downA, DownC: downC}
	kernel.MulBFloat(blocks, n, a, w, weights, at, c, acrossC, add)
}

func (b *bfloat) forward(s span) {
	x, y, rounded := b.x, b.y, b.work[s.worker].rounded
	w := kernel.Windows{Segments: b.kernel, Length: b.kernel * x.C, Lead: b.stride * x.C, Skip: x.row()}
	for i := s.lo; i < s.hi; i++ {
		kernel.Round(rounded, b.inputs(s, i))
		multiply(y.H, y.W, y.C, rounded[b.corner():], b.stride*x.row(), w, b.ahead, y.from(y.data, i, 0), y.row(), y.C, false)
		b.finish(s, i, 0, y.H)
	}
}

func (b *bfloat) backward(s span) {
	b.slopes(s)
	x, y, t := b.x, b.y, &b.work[s.worker]
	if b.phases.gaps {
		b.clearDX(s)
	}
	for i := s.lo; i < s.hi; i++ {
		g, pitch := b.gradient(t.lines, i, 0, y.H)
		b.turn(t.columns[(i-s.lo)*y.Len():], t.turned, g, pitch)
		b.copyInputs(t.pairs[(i-s.lo)*b.copies():], b.inputs(s, i))
		if !b.needDX {
			continue
		}
		edge := b.phases.edge
		row := (y.W + 2*edge) * y.C
		padded := t.rounded[:b.phases.padded(y.Shape)]
		clear(padded)
		for r := range y.H {
			kernel.Round(padded[(r+edge)*row+edge*y.C:], g[r*pitch:][:y.W*y.C])
		}
		b.phases.each(func(down, across phase, before int) {
			w := kernel.Windows{Segments: down.taps, Length: across.taps * y.C, Lead: y.C, Skip: row}
			dx := x.from(x.grad, i, 0)[down.first*x.row()+across.first*x.C:]
			multiply(down.count, across.count, x.C, padded[(down.from+edge)*row+(across.from+edge)*y.C:], row, w, b.back[before*x.C*y.C:], dx, b.stride*x.row(), b.stride*x.C, b.addDX || b.phases.gaps)
		})
	}
	b.sumWeights(s)
	b.sums.done(s, b.batch)
}

// turn rounds the gradient of an image as channels x pixels.
func (b *bfloat) turn(to []kernel.BFloat, turned, g []float32, pitch int) {
	y := b.y
	if pitch == y.W*y.C {
		kernel.Transpose(turned, y.plane(), g, y.C, y.plane(), y.C)
	} else {
		for row := range y.H {
			kernel.Transpose(turned[row*y.W:], y.plane(), g[row*pitch:], y.C, y.W, y.C)
		}
	}
	kernel.Round(to, turned[:y.Len()])
}

// copyInputs rounds the inputs that each column of taps sees.
func (b *bfloat) copyInputs(to []kernel.BFloat, image []float32) {
	x, line := b.x, b.y.W*16
	for col := range b.kernel {
		for r := range b.stride*(b.y.H-1) + b.kernel {
			at := (r%b.stride*b.lines + r/b.stride) * line
			kernel.RoundPairs(to[at:], b.panel(), image[b.corner()+r*x.row()+col*x.C:], b.stride*x.C, b.y.W/2, x.C)
		}
		to = to[x.C/16*b.panel():]
	}
}

// sumWeights adds what the images of a span give to the gradient of the weights, out x K x K x in.
func (b *bfloat) sumWeights(s span) {
	in, out, plane, t := b.x.C, b.y.C, b.y.plane(), &b.work[s.worker]
	ld := b.kernel * b.kernel * in
	w := kernel.Windows{Segments: s.hi - s.lo, Length: plane, Lead: plane, Skip: out * plane}
	at := kernel.RowPairs{Apart: b.panel(), Skip: b.copies() - 16*plane}
	for row := range b.kernel {
		first := (row%b.stride*b.lines + row/b.stride) * b.y.W * 16
		kernel.MulBFloat(kernel.Blocks{Lines: 1, N: out / 16, Rows: 16, A: 16 * plane, C: 16 * ld}, b.kernel*in, t.columns, w, t.pairs[first:], at,
			b.sums.each[s.group][row*b.kernel*in:], ld, !s.first)
	}
}

func (b *bfloat) gather(i, n int) {
	if i == 0 {
		b.gatherBias()
	}
	in, taps := b.x.C, b.kernel*b.kernel
	lo, hi := part(i, n, b.y.C)
	if lo == hi {
		return
	}
	sums := b.sums.total(lo*taps*in, hi*taps*in)
	for o := range hi - lo {
		kernel.Transpose(b.dw[(lo+o)*taps*in:], taps, sums[o*taps*in:], in, taps, in)
	}
}
