package nn

import (
	"math"

	"swapmc/internal/kernel"
)

// relu is max(x, 0). It overwrites its inputs where the layer before has no more
// use for them.
type relu struct {
	own []float32 // nil: in place
	y   []float32 // of the last forward
}

func (r *relu) forward(x []float32, _ int, _ mode) []float32 {
	r.y = x
	if r.own != nil {
		r.y = r.own[:len(x)]
	}
	kernel.Relu(r.y, x)
	return r.y
}

func (r *relu) backward(dy []float32, _ int) []float32 {
	kernel.ReluBackward(dy, dy, r.y)
	return dy
}

// saturating is sigmoid or tanh; slope gives the derivative from the output.
type saturating struct {
	y        []float32
	function func(float64) float64
	slope    func(y float32) float32
}

func newSigmoid(n int) *saturating {
	return &saturating{
		y:        make([]float32, n),
		function: func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
		slope:    func(y float32) float32 { return y * (1 - y) },
	}
}

func newTanh(n int) *saturating {
	return &saturating{
		y:        make([]float32, n),
		function: math.Tanh,
		slope:    func(y float32) float32 { return 1 - y*y },
	}
}

func (s *saturating) forward(x []float32, _ int, _ mode) []float32 {
	y := s.y[:len(x)]
	for i, v := range x {
		y[i] = float32(s.function(float64(v)))
	}
	return y
}

func (s *saturating) backward(dy []float32, _ int) []float32 {
	for i, y := range s.y[:len(dy)] {
		dy[i] *= s.slope(y)
	}
	return dy
}
