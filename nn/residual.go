package nn

import "swapmc/internal/kernel"

// residual is relu(main(x) + shortcut(x)), the basic block of He et al. 2016.
// An empty shortcut is the identity.
type residual struct {
	main, shortcut []layer
	y, dx          []float32
}

func forward(layers []layer, x []float32, batch int, mode mode) []float32 {
	for _, l := range layers {
		x = l.forward(x, batch, mode)
	}
	return x
}

func backward(layers []layer, dy []float32, batch int) []float32 {
	for i := len(layers) - 1; i >= 0 && dy != nil; i-- {
		dy = layers[i].backward(dy, batch)
	}
	return dy
}

func (r *residual) forward(x []float32, batch int, mode mode) []float32 {
	y := r.y[:0]
	y = append(y, forward(r.main, x, batch, mode)...)
	kernel.Axpy(1, forward(r.shortcut, x, batch, mode), y)
	kernel.Relu(y, y)
	return y
}

// backward relies on the last layer of main and shortcut, a batch normalisation,
// leaving the gradient that it is given as it is.
func (r *residual) backward(dy []float32, batch int) []float32 {
	kernel.ReluBackward(dy, dy, r.y[:len(dy)])
	through := backward(r.main, dy, batch)
	around := backward(r.shortcut, dy, batch)
	if through == nil {
		return nil
	}
	dx := append(r.dx[:0], through...)
	kernel.Axpy(1, around, dx)
	return dx
}
