package nn

import "swapmc/internal/kernel"

// linear computes Y = X W^T + b for X of batch x in, W of out x in, and may rectify it.
// It is a stage: its threads share the weights, not the images.
type linear struct {
	*engine
	x, y         *field
	weight, bias []float32 // bias may be nil
	dw, db       []float32
	relu         bool
	needDX       bool

	units, gradients, inputs func(i, worker int)
}

func newLinear(l linear) *linear {
	l.units, l.gradients, l.inputs = l.forwardUnits, l.backwardUnits, l.backwardInputs
	return &l
}

func (l *linear) forward() { l.pool.Run(l.pool.Threads(), l.units) }

// images is the batch as it lies in memory, batch x in.
func (l *linear) images() []float32 {
	if l.x.data == nil { // what the user gave
		return l.image
	}
	return l.x.data
}

// forwardUnits computes the columns of Y, that is the units, of one part.
func (l *linear) forwardUnits(i, worker int) {
	lo, hi := part(i, l.pool.Threads(), l.y.C)
	if lo == hi {
		return
	}
	in, out := l.x.C, l.y.C
	kernel.Gemm(false, true, l.batch, hi-lo, in, l.images(), in, l.weight[lo*in:], in, 0, l.y.data[lo:], out, &l.work[worker].Workspace)
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
	l.pool.Run(l.pool.Threads(), l.gradients)
	if l.needDX {
		l.pool.Run(l.pool.Threads(), l.inputs)
	}
}

// backwardUnits computes dW = dY^T X and db for the units of one part.
func (l *linear) backwardUnits(i, worker int) {
	lo, hi := part(i, l.pool.Threads(), l.y.C)
	if lo == hi {
		return
	}
	in, out := l.x.C, l.y.C
	if l.relu {
		for b := range l.batch {
			dy := l.y.grad[b*out+lo : b*out+hi]
			kernel.ReluBackward(dy, dy, l.y.data[b*out+lo:b*out+hi])
		}
	}
	kernel.MulColumns(hi-lo, in, 1, l.batch, l.y.grad[lo:], kernel.Strided{Lead: out}, l.images(), kernel.Strided{Lead: in}, l.dw[lo*in:], in, false)
	if l.bias != nil {
		kernel.SumRows(l.db[lo:hi], l.y.grad[lo:], out, l.batch)
	}
}

// backwardInputs computes dX = dY W for the images of one part.
func (l *linear) backwardInputs(i, worker int) {
	lo, hi := part(i, l.pool.Threads(), l.batch)
	if lo == hi {
		return
	}
	in, out := l.x.C, l.y.C
	kernel.Gemm(false, false, hi-lo, in, out, l.y.grad[lo*out:], out, l.weight, in, 0, l.x.grad[lo*in:], in, &l.work[worker].Workspace)
}
