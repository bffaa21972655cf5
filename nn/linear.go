package nn

import "swapmc/internal/kernel"

// linear computes Y = X W^T + b for X of batch x in, W of out x in.
type linear struct {
	*engine
	in, out      int
	weight, bias []float32 // bias may be nil
	dw, db       []float32
	y, dx        []float32 // dx nil: not needed

	// The arguments of the pass under way, for the pool's workers.
	x, dy             []float32
	batch             int
	rows, cols, lines func(i, worker int)
}

func newLinear(e *engine, in, out, batch int, weight, bias, dw, db []float32, needDX bool) *linear {
	l := &linear{engine: e, in: in, out: out, weight: weight, bias: bias, dw: dw, db: db, y: make([]float32, batch*out)}
	if needDX {
		l.dx = make([]float32, batch*in)
	}
	l.cols, l.rows, l.lines = l.forwardPart, l.weightPart, l.inputPart
	return l
}

func (l *linear) forward(x []float32, batch int, _ mode) []float32 {
	l.x, l.batch = x, batch
	l.pool.Run(l.pool.Threads(), l.cols)
	return l.y[:batch*l.out]
}

// forwardPart computes the columns of Y, that is the units, of one part.
func (l *linear) forwardPart(i, worker int) {
	lo, hi := part(i, l.pool.Threads(), l.out)
	if lo == hi {
		return
	}
	var beta float32
	if l.bias != nil {
		beta = 1
		for b := range l.batch {
			copy(l.y[b*l.out+lo:b*l.out+hi], l.bias[lo:hi])
		}
	}
	kernel.Gemm(false, true, l.batch, hi-lo, l.in, l.x, l.in, l.weight[lo*l.in:], l.in, beta, l.y[lo:], l.out, &l.work[worker])
}

func (l *linear) backward(dy []float32, batch int) []float32 {
	l.dy, l.batch = dy, batch
	l.pool.Run(l.pool.Threads(), l.rows)
	if l.dx == nil {
		return nil
	}
	l.pool.Run(l.pool.Threads(), l.lines)
	return l.dx[:batch*l.in]
}

// weightPart computes dW = dY^T X and db for the units of one part.
func (l *linear) weightPart(i, worker int) {
	lo, hi := part(i, l.pool.Threads(), l.out)
	if lo == hi {
		return
	}
	kernel.Gemm(true, false, hi-lo, l.in, l.batch, l.dy[lo:], l.out, l.x, l.in, 0, l.dw[lo*l.in:], l.in, &l.work[worker])
	if l.db == nil {
		return
	}
	db := l.db[lo:hi]
	clear(db)
	for b := range l.batch {
		for u, g := range l.dy[b*l.out+lo : b*l.out+hi] {
			db[u] += g
		}
	}
}

// inputPart computes dX = dY W for the images of one part.
func (l *linear) inputPart(i, worker int) {
	lo, hi := part(i, l.pool.Threads(), l.batch)
	if lo == hi {
		return
	}
	kernel.Gemm(false, false, hi-lo, l.in, l.out, l.dy[lo*l.out:], l.out, l.weight, l.in, 0, l.dx[lo*l.in:], l.in, &l.work[worker])
}
