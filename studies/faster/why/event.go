package main

import (
	"fmt"
	"slices"

	"swapmc/internal/rng"
	"swapmc/nn"
	"swapmc/swap"
)

// Protocols, with a window in standard deviations of each layer.
const (
	guided   = "weights:1SS each n=all guide=momentum window=%gstd accept=greedy"
	unguided = "weights:1SS each n=all window=%gstd"
)

// events are events of one protocol at fixed weights, each from the same weights with
// other random numbers.
type events struct {
	params, start, moved []float32
	mover                *swap.Mover
	proposed, accepted   int
}

// newEvents binds a protocol to the weights of a network, with guide in place of the
// average of its gradients.
func newEvents(net *nn.Network, protocol string, window float64, guide []float32) (*events, error) {
	text := fmt.Sprintf(protocol, window)
	p, err := swap.Parse(text)
	if err != nil {
		return nil, err
	}
	var blocks []swap.Block
	for _, l := range net.Layers() {
		if l.Norm {
			continue
		}
		cut := func(x []float32) []float32 { return x[l.Weight.Offset:][:l.Weight.Len] }
		blocks = append(blocks, swap.Block{Name: l.Name, Rows: l.Rows, Cols: l.Cols, Data: cut(net.Params()), Average: cut(guide)})
	}
	mover, err := swap.New(p, blocks, rng.New(seed, text).Rand)
	if err != nil {
		return nil, err
	}
	mover.SetRunner(net.Parallel)
	return &events{params: net.Params(), start: slices.Clone(net.Params()), moved: make([]float32, len(net.Params())), mover: mover}, nil
}

// next makes an event of so many passes over all weights and returns the displacement of every
// parameter, which is valid until the next. The network keeps the new weights until back.
func (e *events) next(passes int) []float32 {
	copy(e.params, e.start)
	for range passes {
		proposed, accepted := e.mover.Step(0, nil)
		e.proposed += proposed
		e.accepted += accepted
	}
	for i, w := range e.params {
		e.moved[i] = w - e.start[i]
	}
	return e.moved
}

// back returns the network to the weights before the event, bit by bit.
func (e *events) back() { copy(e.params, e.start) }
