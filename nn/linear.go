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
	l.need.product = max(l.need.product, atATime*l.x.C)
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
	sums, ld := l.sums[lo*l.batch:hi*l.batch], kernel.Padded(l.batch)
	for k := 0; k < in; k += deep {
		depth := min(deep, in-k)
		for u := lo; u < hi; u += high {
			kernel.MulRows(min(high, hi-u), l.batch, l.weight[u*in+k:], kernel.Rows(depth, in), l.turned[k*ld:], ld, sums[(u-lo)*l.batch:], l.batch, k > 0)
		}
	}
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

// backwardUnits computes dW = dY^T X and db for the units of one part. With an
// optimiser at work they go no further than the cache.
func (l *linear) backwardUnits(i, worker int) {
	lo, hi := part(i, l.pool.Threads(), l.y.C)
	if lo == hi {
		return
	}
	in, out := l.x.C, l.y.C
	for u := lo; u < hi; u += atATime {
		n := min(atATime, hi-u)
		dw := l.dw[u*in:][:n*in]
		if l.updater != nil {
			dw = l.work[worker].product[:n*in]
		}
		kernel.MulColumns(n, in, 1, l.batch, l.y.grad[u:], kernel.Strided{Lead: out}, l.images(), kernel.Strided{Lead: in}, dw, in, false)
		l.update(dw, l.offset+u*in)
	}
	if l.bias != nil {
		kernel.SumRows(l.db[lo:hi], l.y.grad[lo:], out, l.batch)
		l.update(l.db[lo:hi], l.offset+len(l.weight)+lo)
	}
}

const (
	deep    = 512 // inputs in one product: those of the batch stay in L2,
	high    = 60  // and so do the weights of so many units
	atATime = 14  // units that get their gradient together: a tile of any kernel
)
