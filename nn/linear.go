package nn

import "swapmc/internal/kernel"

// linear computes Y = X W^T + b for X of batch x in, W of out x in, and may rectify it.
// It is a stage: its threads share the weights, not the images, and each reads and
// writes its weights once. Forward they are the broadcast side of the product
// Y^T = W X^T, so that they need no packing; backward dW = dY^T X is made a few units
// at a time, and the optimiser takes them while they are in the cache.
type linear struct {
	*engine
	x, y         *field
	weight, bias []float32 // bias may be nil
	dw, db       []float32
	offset       int // of weight and then bias in the network's parameters
	relu         bool
	needDX       bool
	turned       []float32 // X^T, in x Padded(batch)
	sums         []float32 // Y^T, out x batch

	turn, units, inputs, gradients func(i, worker int)
}

func newLinear(l linear, batch int) *linear {
	l.turned, l.sums = make([]float32, l.x.C*kernel.Padded(batch)), make([]float32, l.y.C*batch)
	l.turn, l.units, l.inputs, l.gradients = l.turnInputs, l.forwardUnits, l.backwardInputs, l.backwardUnits
	return &l
}

// images is the batch as it lies in memory, batch x in.
func (l *linear) images() []float32 {
	if l.x.data == nil { // what the user gave
		return l.image
	}
	return l.x.data
}

func (l *linear) forward() {
	l.pool.Run(l.pool.Threads(), l.turn)
	l.pool.Run(l.pool.Threads(), l.units)
}

// turnInputs transposes one part of the inputs.
func (l *linear) turnInputs(i, _ int) {
	lo, hi := part(i, l.pool.Threads(), l.x.C)
	if ld := kernel.Padded(l.batch); lo < hi {
		kernel.Transpose(l.turned[lo*ld:hi*ld], ld, l.images()[lo:], l.x.C, l.batch, hi-lo)
	}
}

// forwardUnits computes the rows of Y^T, that is the units, of one part.
func (l *linear) forwardUnits(i, _ int) {
	lo, hi := part(i, l.pool.Threads(), l.y.C)
	if lo == hi {
		return
	}
	in, out := l.x.C, l.y.C
	sums := l.sums[lo*l.batch : hi*l.batch]
	kernel.MulRows(hi-lo, l.batch, l.weight[lo*in:], kernel.Rows(in, in), l.turned, kernel.Padded(l.batch), sums, l.batch, false)
	kernel.Transpose(l.y.data[lo:], out, sums, l.batch, hi-lo, l.batch)
	for b := range l.batch {
		y := l.y.data[b*out+lo : b*out+hi]
		switch {
		case l.relu && l.bias != nil:
			kernel.BiasRelu(y, 1, l.bias[lo:hi])
		case l.relu:
			kernel.Relu(y, y)
		case l.bias != nil:
			kernel.Axpy(1, l.bias[lo:hi], y)
		}
	}
}

func (l *linear) backward() {
	l.pool.Run(l.pool.Threads(), l.inputs)
	l.pool.Run(l.pool.Threads(), l.gradients)
}

// backwardInputs takes the gradient of one part of the images through the rectifier,
// and computes dX = dY W, before the weights change.
func (l *linear) backwardInputs(i, worker int) {
	lo, hi := part(i, l.pool.Threads(), l.batch)
	if lo == hi {
		return
	}
	in, out := l.x.C, l.y.C
	if l.relu {
		dy := l.y.grad[lo*out : hi*out]
		kernel.ReluBackward(dy, dy, l.y.data[lo*out:hi*out])
	}
	if l.needDX {
		kernel.Gemm(false, false, hi-lo, in, out, l.y.grad[lo*out:], out, l.weight, in, 0, l.x.grad[lo*in:], in, &l.work[worker].Workspace)
	}
}

// backwardUnits computes dW = dY^T X and db for the units of one part.
func (l *linear) backwardUnits(i, _ int) {
	lo, hi := part(i, l.pool.Threads(), l.y.C)
	in, out := l.x.C, l.y.C
	for u := lo; u < hi; u += atATime {
		n := min(atATime, hi-u)
		kernel.MulColumns(n, in, 1, l.batch, l.y.grad[u:], kernel.Strided{Lead: out}, l.images(), kernel.Strided{Lead: in}, l.dw[u*in:], in, false)
		l.update(l.offset+u*in, n*in)
	}
	if l.bias != nil && lo < hi {
		kernel.SumRows(l.db[lo:hi], l.y.grad[lo:], out, l.batch)
		l.update(l.offset+len(l.weight)+lo, hi-lo)
	}
}

// atATime is how many units get their gradient together: a tile of any kernel.
const atATime = 28
