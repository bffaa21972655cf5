package nn

import "swapmc/internal/kernel"

// linear computes Y = X W^T + b for X of batch x in, W of out x in, and may rectify it.
// It is a stage: its threads share the weights, not the images, and each reads and
// writes its weights once. They are the broadcast side of the product
// Y^T = W X^T and need no packing; the inputs are put into panels for it. The gradient dW = dY^T X, where dY^T is
// a sparse matrix if the outputs are rectified (see package kernel), is made a few units at a time,
// and the optimiser takes it while it is in the cache or, where it can, in registers.
//
// What one core has written comes to another more slowly than from memory, if they share no cache. So each thread copies
// for itself the inputs that it needs for dW, reads no weights for dX that another will change, as far as it can, and finds
// Y^T and dY^T of its units where it left them: between linear layers neither is turned.
type linear struct {
	*engine
	x, y         *field
	weight, bias []float32 // bias may be nil
	dw, db       []float32
	offset       int // of weight and then bias in the network's parameters
	relu         bool
	needDX       bool
	panels       []float32      // of X^T, in x batch, which the linear layer before fills
	before       *linear        // whose outputs are the inputs, and go nowhere else, or nil
	after        *linear        // the other way round
	sums         []float32      // Y^T, out x batch
	dy           *kernel.Sparse // dY^T, out x batch
	halves       int            // of the units, or one, whose parts of dX are added up,
	second       []float32      // the second one here
	share        share          // of a thread in the gradient

	turn, units, slopes, inputs, gradients func(i, worker int)
}

func newLinear(l linear, batch int) *linear {
	l.need.product = max(l.need.product, atATime*(together+kernel.StripWidth))
	l.need.strips = max(l.need.strips, kernel.StripsLen(batch, min(together, l.x.C)))
	l.panels = kernel.Make(kernel.PanelsLen(l.x.C, batch))
	l.dy = kernel.NewSparse(l.y.C, batch)
	l.dy.Dense = !l.relu
	l.sums = kernel.Make(l.y.C * batch)
	l.halves = min(2, max(1, l.y.C/tall))
	if l.needDX && l.halves > 1 {
		l.second = kernel.Make(batch * l.x.C)
	}
	l.share = newShare(l.pool.Threads(), l.y.C, l.x.C)
	l.turn, l.units, l.slopes, l.inputs, l.gradients = l.turnInputs, l.forwardUnits, l.backwardSlopes, l.backwardInputs, l.backwardWeights
	return &l
}

// parts is into how many the units are divided: a few for each thread, so that one that is
// held up can leave some to the others.
func (l *linear) parts() int { return 4 * l.pool.Threads() }

// images is the batch as it lies in memory, batch x in.
func (l *linear) images() []float32 {
	if l.x.data == nil { // what the user gave
		return l.image
	}
	return l.x.data
}

func (l *linear) forward() {
	if l.before == nil {
		l.pool.Run(l.pool.Threads(), l.turn)
	}
	l.pool.Run(l.parts(), l.units)
}

// follow tells which linear layer, and nothing else does, reads the outputs. They are Y^T first, of which its panels
// are made without turning it twice.
func (l *linear) follow(after *linear) {
	l.after, after.before = after, l
}

// turnInputs transposes one part of the inputs.
func (l *linear) turnInputs(i, _ int) {
	lo, hi := part(i, l.pool.Threads(), l.x.C)
	kernel.TransposePanels(l.panels, l.images(), l.x.C, l.batch, l.x.C, lo, hi)
}

// forwardUnits computes the rows of Y^T, that is the units, of one part.
func (l *linear) forwardUnits(i, _ int) {
	lo, hi := part(i, l.parts(), l.y.C)
	if lo == hi {
		return
	}
	in, out := l.x.C, l.y.C
	sums := l.sums[lo*l.batch : hi*l.batch]
	for k := 0; k < in; k += deep {
		for u := lo; u < hi; u += high {
			kernel.MulPanels(min(high, hi-u), l.batch, min(deep, in-k), l.weight[u*in+k:], in, l.panels, in, k, sums[(u-lo)*l.batch:], l.batch, k > 0)
		}
	}
	for u := lo; u < hi && (l.relu || l.bias != nil); u++ {
		var b float32
		if l.bias != nil {
			b = l.bias[u]
		}
		kernel.Shift(sums[(u-lo)*l.batch:][:l.batch], b, l.relu)
	}
	if l.after != nil {
		kernel.Panels(l.after.panels, sums, l.batch, l.batch, out, lo, hi)
		if l.mode == probing || l.mode == inference {
			return
		}
	}
	kernel.Transpose(l.y.data[lo:], out, sums, l.batch, hi-lo, l.batch)
}

func (l *linear) backward() {
	if l.after == nil { // or else it has done that
		l.dy.Cols = l.batch
		l.pool.Run(l.pool.Threads(), l.slopes)
	}
	l.dy.Settle()
	if l.needDX {
		l.pool.Run(l.halves*l.pool.Threads(), l.inputs)
	}
	for i := range l.work {
		l.work[i].held = -1
	}
	if l.before != nil {
		l.before.dy.Cols = l.batch
	}
	l.pool.Run(l.pool.Threads()*(1+l.share.pieces()), l.gradients)
}

// backwardSlopes completes dY^T for one part of the units, and takes it through the rectifier; its sums are the gradient
// of the bias.
func (l *linear) backwardSlopes(i, _ int) {
	out, n := l.y.C, l.batch
	lo, hi := part(i, l.pool.Threads(), out)
	if lo == hi {
		return
	}
	dy := l.dy.Values[lo*n : hi*n]
	switch {
	case l.after == nil:
		kernel.Transpose(dy, n, l.y.grad[lo:], out, n, hi-lo)
	case l.after.halves > 1:
		kernel.Axpy(1, l.after.second[lo*n:][:len(dy)], dy)
	}
	if l.relu {
		kernel.ReluBackward(dy, dy, l.sums[lo*n:])
	}
	l.dy.List(lo, hi)
	if l.bias == nil {
		return
	}
	for u := lo; u < hi; u++ {
		l.db[u] = kernel.Sum(l.dy.Values[u*n:][:n])
	}
	l.update(l.db[lo:hi], l.offset+len(l.weight)+lo)
}

// backwardInputs computes what all units, or a half of them, give to one part of the inputs' gradient, before the
// weights change: dX^T = W^T dY^T for a linear layer before this one, or else dX = dY W. With halves, a thread of two reads
// the weights that it changes itself.
func (l *linear) backwardInputs(i, _ int) {
	in, out, n, threads := l.x.C, l.y.C, l.batch, l.pool.Threads()
	half, i := i/threads, i%threads
	first, end := part(half, l.halves, out)
	lo, hi := part(i, threads, in)
	if lo == hi {
		return
	}
	w, dy := l.weight[first*in+lo:], l.dy.Values[first*n:]
	if l.before == nil {
		dx := l.x.grad
		if half > 0 {
			dx = l.second
		}
		kernel.MulColumns(n, hi-lo, 1, end-first, dy, kernel.Strided{Lead: n}, w, kernel.Strided{Lead: in}, dx[lo:], in, false)
		return
	}
	dx := l.before.dy.Values
	if half > 0 {
		dx = l.second
	}
	kernel.MulFar(hi-lo, n, end-first, w, in, dy, n, dx[lo*n:], n)
}

// finishInputs completes one part of dX, of each thread one: for a linear layer it does what comes next.
func (l *linear) finishInputs(i, worker int) {
	switch lo, hi := part(i, l.pool.Threads(), l.x.C); {
	case l.before != nil:
		l.before.backwardSlopes(i, worker)
	case lo < hi && l.second != nil:
		kernel.AddRows(l.x.grad[lo:], l.x.C, l.second[lo:], l.x.C, l.batch, hi-lo)
	}
}

// backwardWeights computes one piece of dW = dY^T X, behind each thread's part of dX. With an optimiser at work dW
// goes no further than the cache.
func (l *linear) backwardWeights(i, worker int) {
	each := l.share.pieces()
	thread, i := i/(1+each), i%(1+each)
	if i == 0 {
		l.finishInputs(thread, worker)
		return
	}
	i += thread*each - 1
	p, next := l.share.piece(i), l.share.piece(i+1)
	in, work := l.x.C, &l.work[worker]
	m, n, at := p.hi-p.lo, p.end-p.first, p.lo*in+p.first
	if m <= 0 || n <= 0 {
		return
	}
	if work.held != p.first {
		kernel.Strips(work.strips, l.images()[p.first:], in, l.batch, 0, n)
		work.held = p.first
	}
	if l.updater == nil {
		kernel.MulSparse(l.dy, p.lo, p.hi, n, work.strips, l.dw[at:], in, work.product)
		return
	}
	if l.updater.alongProduct(l.params, l.offset+at, l.dy, p.lo, p.hi, n, work.strips, in, next.lo*in+next.first-at, work.product) {
		return
	}
	dw := work.product[atATime*kernel.StripWidth:]
	kernel.MulSparse(l.dy, p.lo, p.hi, n, work.strips, dw, n, work.product)
	for r := range m {
		l.update(dw[r*n:][:n], l.offset+at+r*in)
	}
}

const (
	deep = 1024 // inputs in one product: a panel of them stays in L2,
	high = 42   // and so do the weights of so many units; whole tiles of any kernel
)
