package nn

import "swapmc/internal/kernel"

// linear computes Y = X W^T + b for X of batch x in, W of out x in, and may rectify it.
// It is a stage: its threads share the weights, not the images, and each reads and
// writes its weights once. They are the broadcast side of the product
// Y^T = W X^T and need no packing; the inputs are put into panels for it, and into strips for the gradient
// dW = dY^T X, where dY^T is a sparse matrix if the outputs are rectified (see package kernel). That
// gradient is made a few units at a time, and the optimiser takes it while it is in the cache or, where it
// can, in registers.
type linear struct {
	*engine
	x, y         *field
	weight, bias []float32 // bias may be nil
	dw, db       []float32
	offset       int // of weight and then bias in the network's parameters
	relu         bool
	needDX       bool
	panels       []float32      // forward those of X^T, in x batch; backward strips of X, batch x in
	sums         []float32      // Y^T, out x batch
	dy           *kernel.Sparse // dY^T, out x batch

	turn, units, slopes, inputs, gradients func(i, worker int)
}

func newLinear(l linear, batch int) *linear {
	l.need.product = max(l.need.product, atATime*(together+kernel.StripWidth))
	l.panels = kernel.Make(max(kernel.PanelsLen(l.x.C, batch), kernel.StripsLen(batch, l.x.C)))
	l.dy = kernel.NewSparse(l.y.C, batch)
	l.dy.Dense = !l.relu
	l.sums = l.dy.Values
	l.turn, l.units, l.slopes, l.inputs, l.gradients = l.turnInputs, l.forwardUnits, l.backwardSlopes, l.backwardInputs, l.backwardUnits
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
	l.pool.Run(l.pool.Threads(), l.turn)
	l.pool.Run(l.parts(), l.units)
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
	l.dy.Cols = l.batch
	l.pool.Run(l.pool.Threads(), l.slopes)
	l.dy.Settle()
	if l.needDX {
		l.pool.Run(l.pool.Threads(), l.inputs)
	}
	l.pool.Run(l.parts(), l.gradients)
}

// backwardSlopes takes the gradient of one part of the units through the rectifier and
// transposes it, and puts one part of the inputs into strips.
func (l *linear) backwardSlopes(i, _ int) {
	in, out := l.x.C, l.y.C
	if lo, hi := part(i, l.pool.Threads(), out); lo < hi {
		if l.relu {
			for b := range l.batch {
				dy := l.y.grad[b*out+lo : b*out+hi]
				kernel.ReluBackward(dy, dy, l.y.data[b*out+lo:b*out+hi])
			}
		}
		kernel.Transpose(l.sums[lo*l.batch:hi*l.batch], l.batch, l.y.grad[lo:], out, l.batch, hi-lo)
		l.dy.List(lo, hi)
	}
	const w = kernel.StripWidth
	lo, hi := part(i, l.pool.Threads(), (in+w-1)/w)
	kernel.Strips(l.panels, l.images(), in, l.batch, lo*w, min(hi*w, in))
}

// backwardInputs computes one part of the inputs' gradient dX = dY W, before the weights
// change.
func (l *linear) backwardInputs(i, worker int) {
	in, out := l.x.C, l.y.C
	if lo, hi := part(i, l.pool.Threads(), in); lo < hi {
		kernel.Gemm(false, false, l.batch, hi-lo, out, l.y.grad, out, l.weight[lo:], in, 0, l.x.grad[lo:], in, &l.work[worker].Workspace)
	}
}

// backwardUnits computes dW = dY^T X and db for the units of one part. With an
// optimiser at work they go no further than the cache.
func (l *linear) backwardUnits(i, worker int) {
	lo, hi := part(i, l.parts(), l.y.C)
	if lo == hi {
		return
	}
	in, out, batch := l.x.C, l.y.C, l.batch
	scratch := l.work[worker].product
	for j := 0; j < in; j += together {
		n := min(together, in-j)
		for u := lo; u < hi; u += atATime {
			m, strips, at := min(atATime, hi-u), l.panels[j*batch:], u*in+j
			if l.updater == nil {
				kernel.MulSparse(l.dy, u, u+m, n, strips, l.dw[at:], in, scratch)
				continue
			}
			if l.updater.alongProduct(l.params, l.offset+at, l.dy, u, u+m, n, strips, in, scratch) {
				continue
			}
			dw := scratch[atATime*kernel.StripWidth:]
			kernel.MulSparse(l.dy, u, u+m, n, strips, dw, n, scratch)
			for r := range m {
				l.update(dw[r*n:][:n], l.offset+at+r*in)
			}
		}
	}
	if l.bias != nil {
		kernel.SumRows(l.db[lo:hi], l.y.grad[lo:], out, batch)
		l.update(l.db[lo:hi], l.offset+len(l.weight)+lo)
	}
}

const (
	deep     = 1024 // inputs in one product: a panel of them stays in L2,
	high     = 42   // and so do the weights of so many units; whole tiles of any kernel
	atATime  = 64   // units that get their gradient together,
	together = 768  // for so many inputs at most
)
