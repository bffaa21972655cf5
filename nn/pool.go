package nn

import "swapmc/internal/kernel"

// maxPool is the maximum over windows that do not overlap.
type maxPool struct {
	*engine
	window        kernel.Window
	y, dx         []float32
	arg           []int32
	x, dy         []float32
	pool1, unpool func(b, worker int)
}

func newMaxPool(e *engine, w kernel.Window, batch int) *maxPool {
	oh, ow := w.Out()
	n := batch * w.C * oh * ow
	m := &maxPool{engine: e, window: w, y: make([]float32, n), arg: make([]int32, n), dx: make([]float32, batch*w.C*w.H*w.W)}
	m.pool1, m.unpool = m.forwardImage, m.backwardImage
	return m
}

func (m *maxPool) sizes() (in, out int) {
	oh, ow := m.window.Out()
	return m.window.C * m.window.H * m.window.W, m.window.C * oh * ow
}

func (m *maxPool) forward(x []float32, batch int, _ mode) []float32 {
	m.x = x
	m.engine.pool.Run(batch, m.pool1)
	_, out := m.sizes()
	return m.y[:batch*out]
}

func (m *maxPool) forwardImage(b, _ int) {
	in, out := m.sizes()
	kernel.MaxPool(m.y[b*out:][:out], m.arg[b*out:][:out], m.x[b*in:][:in], m.window)
}

func (m *maxPool) backward(dy []float32, batch int) []float32 {
	m.dy = dy
	m.engine.pool.Run(batch, m.unpool)
	in, _ := m.sizes()
	return m.dx[:batch*in]
}

func (m *maxPool) backwardImage(b, _ int) {
	in, out := m.sizes()
	kernel.MaxPoolBackward(m.dx[b*in:][:in], m.dy[b*out:][:out], m.arg[b*out:][:out])
}

// avgPool is the mean over each channel.
type avgPool struct {
	in    Shape
	y, dx []float32
}

func newAvgPool(in Shape, batch int) *avgPool {
	return &avgPool{in: in, y: make([]float32, batch*in.C), dx: make([]float32, batch*in.Len())}
}

func (a *avgPool) forward(x []float32, batch int, _ mode) []float32 {
	n := a.in.plane()
	y := a.y[:batch*a.in.C]
	for c := range y {
		y[c] = float32(total(x[c*n:][:n]) / float64(n))
	}
	return y
}

func (a *avgPool) backward(dy []float32, batch int) []float32 {
	n := a.in.plane()
	for c, g := range dy {
		g /= float32(n)
		fill(a.dx[c*n:][:n], g)
	}
	return a.dx[:batch*a.in.Len()]
}

// flatten changes the shape, not the values.
type flatten struct{}

func (flatten) forward(x []float32, _ int, _ mode) []float32 { return x }
func (flatten) backward(dy []float32, _ int) []float32       { return dy }
