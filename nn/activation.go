package nn

import "swapmc/internal/kernel"

// activation is a function of each value by itself, given on a line; slope multiplies
// the gradient with its derivative, which it gets from the outputs. A rectifier that
// follows a convolution, a linear layer or a batch normalisation is part of that.
type activation struct {
	x, y     *field
	function func(y, x []float32)
	slope    func(dx, dy, y []float32)
}

func (a *activation) forward(s span) {
	for i := s.lo; i < s.hi; i++ {
		for row := range a.x.H {
			a.function(a.y.line(a.y.data, i, row), a.x.line(a.x.data, i, row))
		}
	}
}

func (a *activation) backward(s span) {
	for i := s.lo; i < s.hi; i++ {
		for row := range a.x.H {
			a.slope(a.x.line(a.x.grad, i, row), a.y.line(a.y.grad, i, row), a.y.line(a.y.data, i, row))
		}
	}
}

func newActivation(kind string, x, y *field) *activation {
	a := &activation{x: x, y: y}
	switch kind {
	case "relu":
		a.function, a.slope = kernel.Relu, kernel.ReluBackward
	case "copy": // into a field with a border
		a.function = func(y, x []float32) { copy(y, x) }
		a.slope = func(dx, dy, _ []float32) { copy(dx, dy) }
	case "sigmoid":
		a.function, a.slope = kernel.Sigmoid, kernel.SigmoidBackward
	case "tanh":
		a.function, a.slope = kernel.Tanh, kernel.TanhBackward
	}
	return a
}

// skip carries the gradient around a residual block whose shortcut is the identity, where
// the fields before and behind it have other borders and cannot share one; what the
// block's first convolution leaves is added to it.
type skip struct{ x, y *field }

func (l *skip) forward(span) {}

func (l *skip) backward(s span) {
	for i := s.lo; i < s.hi; i++ {
		for row := range l.x.H {
			copy(l.x.line(l.x.grad, i, row), l.y.line(l.y.grad, i, row))
		}
	}
}
