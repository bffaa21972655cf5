package train

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"swapmc/internal/rng"
	"swapmc/nn"
	"swapmc/swap"
)

// bind gives each protocol the blocks that its target names, a random stream of
// its own, and its place in the iteration.
func (r *Run) bind() error {
	for k, p := range r.cfg.Protocols {
		stream := rng.New(r.cfg.Seed, "swap/"+strconv.Itoa(k))
		mover, err := swap.New(p, r.blocks(p.Target, r.average(p)), stream.Rand)
		if err != nil {
			return err
		}
		mover.SetRunner(r.network.Parallel)
		bound := &protocol{Mover: mover, stream: stream, informed: p.Propose == swap.ProposeByGradient}
		r.protocols = append(r.protocols, bound)
		switch {
		case p.Target == swap.Features:
			r.features = append(r.features, bound)
		case p.Guide != swap.Unguided:
			r.guided = append(r.guided, bound)
			r.gradients = r.gradients || p.Guide == swap.ByGradient || mover.Average() != nil
		default:
			r.free = append(r.free, bound)
		}
		if p.Keep && r.kept == nil {
			r.kept = newKept(r.data.Train.Len(), r.pixels())
		}
	}
	return nil
}

// Fits reports protocols that find nothing to swap in the network of this run, in
// which they do not act.
func (r *Run) Fits(protocols []swap.Protocol) error {
	for _, p := range protocols {
		if _, err := swap.New(p, r.blocks(p.Target, nil), rng.New(r.cfg.Seed, "swap/0").Rand); err != nil {
			return err
		}
	}
	return nil
}

// blocks lays out what a protocol may swap, with the average of all gradients if there is one.
func (r *Run) blocks(target swap.Target, average []float32) []swap.Block {
	var blocks []swap.Block
	if target == swap.Features {
		rows, cols := r.data.Shape.C, r.data.Shape.H*r.data.Shape.W
		for b := range r.cfg.Batch {
			blocks = append(blocks, swap.Block{
				Name: fmt.Sprintf("image %d", b), Rows: rows, Cols: cols,
				Data: r.images[b*rows*cols:][:rows*cols],
			})
		}
		return blocks
	}
	for _, layer := range r.network.Layers() {
		if b, ok := r.layerBlock(target, layer, average); ok {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// average returns the average gradient that the optimiser keeps anyway, where it is the one
// that the protocol follows: the mover then needs no pass of its own, nor the gradient. It
// is nil where there is none. Optimiser state that travels with the weights is not it.
func (r *Run) average(p swap.Protocol) []float32 {
	if p.Guide != swap.ByMomentum || r.carries() {
		return nil
	}
	average, exact := r.updater.Average(cmp.Or(p.Beta, swap.DefaultBeta))
	if !exact && p.Accept != swap.Greedy { // its sign is enough for greedy
		return nil
	}
	return average
}

// carries tells whether a protocol moves optimiser state.
func (r *Run) carries() bool {
	return slices.ContainsFunc(r.cfg.Protocols, func(p swap.Protocol) bool { return p.Carry })
}

// layerBlock returns the part of a layer that a target names. The scale of a
// batch normalisation is no weight between units: it belongs to params only;
// its shift is a bias.
func (r *Run) layerBlock(target swap.Target, layer nn.Layer, average []float32) (swap.Block, bool) {
	part, rows, cols := layer.Weight, layer.Rows, layer.Cols
	switch target {
	case swap.Weights:
		if layer.Norm {
			return swap.Block{}, false
		}
	case swap.Biases:
		part, rows, cols = layer.Bias, 1, layer.Bias.Len
	case swap.Params:
		part.Len += layer.Bias.Len // the bias lies directly behind the weights
		rows, cols = 1, part.Len
	}
	if part.Len == 0 {
		return swap.Block{}, false
	}
	cut := func(x []float32) []float32 { return x[part.Offset:][:part.Len] }
	b := swap.Block{
		Name: layer.Name, Rows: rows, Cols: cols,
		Data: cut(r.network.Params()),
		Grad: cut(r.network.Grads()),
	}
	if average != nil {
		b.Average = cut(average)
	}
	for _, state := range r.updater.State() {
		b.Carry = append(b.Carry, cut(state))
	}
	if target != swap.Weights {
		return b, true
	}
	for _, c := range layer.Gauge {
		if c.InBuffers {
			b.Gauge = append(b.Gauge, swap.Coupled{Data: r.network.Buffers()[c.Offset:], Outer: c.Outer, Inner: c.Inner})
			continue
		}
		coupled := swap.Coupled{Data: r.network.Params()[c.Offset:], Outer: c.Outer, Inner: c.Inner}
		for _, state := range r.updater.State() {
			coupled.Carry = append(coupled.Carry, state[c.Offset:])
		}
		b.Gauge = append(b.Gauge, coupled)
	}
	return b, true
}
