package nn

import "swapmc/internal/kernel"

// pooled is a direct convolution and the pooling over 2 x 2 of its outputs behind it. Two lines of outputs at
// a time are pooled while they are in L1, and stored nowhere; what is kept is which of the four
// was the largest. Only that one has a gradient, so that on the way back there is a quarter of the
// terms to sum.
//
//	window of (K + stride) x (K + stride) inputs
//	┌─────────┐
//	│ 0  1    │  an output of the pooling; the window of the one of its four that was the
//	│ 2  3    │  largest begins at one of four places
//	└─────────┘
type pooled struct {
	*direct
	which      []uint32  // of the four, for each output of the pooling: images of places entries, with lines as y has them
	bias       []float32 // whole vectors
	pitch      int       // of a line of a window, in sums: whole vectors
	windows    []int     // the four places of a window,
	filters    []int     // and those of a filter for the way back
	shifted    []float32 // filters in lines of wide, moved right by no pixel and by stride, with zeros around them
	high, wide int       // lines of a filter there, and their length
}

// newPooled takes a convolution whose outputs y are those of the pooling.
func newPooled(c conv) *pooled {
	needDX := c.needDX
	c.needDX = false // there is another way
	p := &pooled{direct: newDirect(c)}
	p.needDX = needDX
	batch := (len(c.y.data) - spare) / c.y.size()
	p.which = make([]uint32, batch*p.places())
	p.bias = make([]float32, kernel.Padded(c.y.C))
	p.pitch = kernel.Padded(c.kernel * c.x.C)
	p.sums = newGroupSums(c.groups, c.y.C*c.kernel*p.pitch)
	down, right := c.stride*c.x.row(), c.stride*c.x.C
	p.windows = []int{0, right, down, down + right}
	p.need.lines = max(p.need.lines, 4*c.y.W*c.y.C+spare)
	if needDX {
		p.high, p.wide = c.kernel+2*c.stride, ((c.kernel+c.stride)*c.x.C+7)&^7
		one := c.y.C * p.high * p.wide
		p.shifted = kernel.Make(2 * one)
		up := c.stride * p.wide
		p.filters = []int{up, up + one, 0, one}
		p.need.product = max(p.need.product, c.y.W*linesTogether*p.wide)
	}
	return p
}

// places is how many places are stored for an image: vectors may be written beyond its last.
func (p *pooled) places() int { return p.y.size() + 8 }

// picked returns the places of the maxima of an image from a line on.
func (p *pooled) picked(image, row int) []uint32 {
	return p.which[image*p.places()+(row+p.y.border)*p.y.row()+p.y.border*p.y.C:]
}

// linesTogether is how many lines of a window's gradient are summed at a time: all their sums are in registers, and
// those of all filters in L1.
const linesTogether = 3

func (p *pooled) pack(i, worker int, backward bool) {
	p.direct.pack(i, worker, false)
	if i == 0 {
		copy(p.bias, p.conv.bias)
	}
	if !backward || !p.needDX {
		return
	}
	width := p.kernel * p.x.C
	lo, hi := part(i, p.parts, p.y.C)
	for o := lo; o < hi; o++ {
		filter := p.weight[o*p.columns:][:p.columns]
		at := (o*p.high + p.stride) * p.wide
		right := at + p.y.C*p.high*p.wide + p.stride*p.x.C
		for k := range p.kernel {
			line := p.shifted[at+k*p.wide:][:width]
			for j, from := range p.permute[k*width:][:width] {
				line[j] = filter[from]
			}
			copy(p.shifted[right+k*p.wide:], line)
		}
	}
}

func (p *pooled) forward(s span) {
	x, y := p.x, p.y
	w := kernel.Windows{Segments: p.kernel, Length: p.kernel * x.C, Lead: p.stride * x.C, Skip: x.row()}
	n := 2 * y.W * y.C
	lines := p.work[s.worker].lines[:2*n+spare]
	two := kernel.Apart{N: 2, A: p.stride * x.row(), C: n}
	for i := s.lo; i < s.hi; i++ {
		for row := range y.H {
			for j := 0; j < y.C; j += p.width {
				kernel.MulRowsEach(two, 2*y.W, p.width, p.window(x.data, i, 2*row), w, p.ahead[j*p.columns:], kernel.Padded(p.width), lines[j:], y.C, false)
			}
			kernel.MaxPoolPicked(y.line(y.data, i, row), p.picked(i, row), lines, lines[n:], y.W, y.C, p.bias, p.relu)
		}
	}
}

func (p *pooled) backward(s span) {
	p.slopes(s)
	p.clearDX(s)
	for i := s.lo; i < s.hi; i++ {
		p.sumWeights(s, i)
		if p.needDX {
			p.sumInputs(s, i)
		}
	}
	p.sums.done(s, p.batch)
}

// sumWeights adds what an image gives to the gradient of the weights.
func (p *pooled) sumWeights(s span, image int) {
	x, y := p.x, p.y
	pieces := kernel.Pieces{Line: 2 * p.stride * x.row(), Step: 2 * p.stride * x.C, Segments: p.kernel, Length: p.kernel * x.C, Skip: x.row()}
	picks := kernel.Picks{Lines: y.H, N: y.W, Line: y.row(), Stride: y.C, Places: p.windows}
	for o := range y.C {
		picks.Weights, picks.Which = y.from(y.grad, image, 0)[o:], p.picked(image, 0)[o:]
		kernel.SumPicked(p.sums.each[s.group][o*p.kernel*p.pitch:], 0, p.pitch, picks, p.window(x.data, image, 0), pieces, image > s.lo || !s.first)
	}
}

// sumInputs sums the gradient of the inputs of an image: for each output of the pooling, over the filters.
func (p *pooled) sumInputs(s span, image int) {
	x, y, sums := p.x, p.y, p.work[s.worker].product
	lines, one := p.kernel+p.stride, linesTogether*p.wide
	pieces := kernel.Pieces{Step: p.high * p.wide, Length: lines * x.C, Skip: p.wide}
	picks := kernel.Picks{Lines: y.W, N: y.C, Line: y.C, Stride: 1, Places: p.filters}
	for first := 0; first < lines; first += linesTogether {
		pieces.Segments = min(linesTogether, lines-first)
		for row := range y.H {
			picks.Weights, picks.Which = y.line(y.grad, image, row), p.picked(image, row)
			kernel.SumPicked(sums, one, p.wide, picks, p.shifted[first*p.wide:], pieces, false)
			dx := p.window(x.grad, image, 2*row)[first*x.row():]
			for q := range y.W {
				kernel.AddRows(dx[2*q*p.stride*x.C:], x.row(), sums[q*one:], p.wide, pieces.Segments, pieces.Length)
			}
		}
	}
}

func (p *pooled) gather(i, n int) {
	if i == 0 {
		p.gatherBias()
	}
	lo, hi := part(i, n, p.y.C)
	if lo == hi {
		return
	}
	one := p.kernel * p.pitch
	sum, width := p.sums.total(lo*one, hi*one), p.kernel*p.x.C
	for o := lo; o < hi; o++ {
		for j, to := range p.permute {
			p.dw[o*p.columns+to] = sum[(o-lo)*one+j/width*p.pitch+j%width]
		}
	}
}
