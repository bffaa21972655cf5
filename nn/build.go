package nn

import "swapmc/internal/kernel"

// A builder turns the nodes of a plan into stages over the network's storage.
type builder struct {
	*Network
	layers  []layer               // of the chain under way
	largest int                   // image of any field of that chain
	last    *chain                // before it
	fresh   map[Shape][][]float32 // an image a thread, for inputs that are not stored
	inner   map[Shape][]float32   // the gradient within a residual block, which the next one to go back may have
	needDX  bool                  // whether a layer so far has parameters, so that gradients must go on
}

// field makes a field for the chain under way.
func (b *builder) field(s Shape, border int) *field {
	f := newField(s, border, b.opt.Batch)
	b.largest = max(b.largest, f.size())
	return f
}

// network builds all stages.
func (b *builder) network(nodes []node) {
	in := &field{Shape: b.opt.Input} // without data: the images as the user gives them
	if nodes[0].kind == "flatten" {
		in.Shape = Shape{in.Len(), 1, 1} // already flat
		nodes = nodes[1:]
	}
	if nodes[0].kind != "linear" {
		in = b.field(in.Shape, reach(nodes))
		b.layers = append(b.layers, &input{b.engine, in})
	}
	b.logits = b.chain(nodes, in)
	if out := b.logits; out.plane() > 1 {
		b.logits = b.field(Shape{out.Len(), 1, 1}, 0)
		b.layers = append(b.layers, &flatten{out, b.logits})
	}
	b.meet(nil)
}

// meet ends the chain under way; all threads wait for each other, and s follows.
func (b *builder) meet(s stage) {
	if len(b.layers) > 0 {
		b.last = newChain(b.engine, b.layers, b.largest, b.last)
		b.stages = append(b.stages, b.last)
		b.layers, b.largest = nil, 0
	}
	if s != nil {
		b.stages = append(b.stages, s)
	}
}

// reach is the border that the outputs before these nodes need: what the next
// convolution pads.
func reach(nodes []node) int {
	for _, n := range nodes {
		switch n.kind {
		case "conv":
			return n.window.Pad
		case "block":
			return 1
		case "batchnorm", "relu", "sigmoid", "tanh":
		default:
			return 0
		}
	}
	return 0
}

// chain builds layers that follow each other, and returns what the last one gives.
func (b *builder) chain(nodes []node, x *field) *field {
	for i := 0; i < len(nodes); i++ {
		n := &nodes[i]
		// A rectifier is part of the layer before.
		relu := i+1 < len(nodes) && nodes[i+1].kind == "relu" && (n.kind == "conv" || n.kind == "linear" || n.kind == "batchnorm")
		if n.kind == "conv" {
			// So is a pooling, where outputs can be pooled as they come.
			last := i
			if relu {
				last++
			}
			if last+1 < len(nodes) && b.poolable(n, &nodes[last+1]) {
				i = last + 1
				y := b.field(nodes[i].out, reach(nodes[i+1:]))
				b.conv(n, x, y, relu, false)
				x = y
				continue
			}
		}
		border := reach(nodes[i+1:])
		y := b.field(n.out, border)
		if n.kind == "linear" || n.kind == "flatten" {
			y = b.field(n.out, 0) // a plain matrix
		}
		switch n.kind {
		case "conv":
			b.conv(n, x, y, relu, false)
		case "linear":
			w, bias, dw, db := b.weights(n)
			l := newLinear(linear{engine: b.engine, x: x, y: y, weight: w, bias: bias, dw: dw, db: db, offset: b.parts[n.part].Weight.Offset, relu: relu, needDX: b.needDX}, b.opt.Batch)
			if len(b.stages) > 0 && len(b.layers) == 0 {
				if before, ok := b.stages[len(b.stages)-1].(*linear); ok && before.y == x {
					before.follow(l)
				}
			}
			b.meet(l)
			b.needDX = true
		case "batchnorm":
			y.grad = x.grad // the gradient of the inputs takes the place of that of the outputs
			norm := b.norm(n, x, y, nil, relu)
			if i > 0 && nodes[i-1].kind == "conv" {
				b.convs[len(b.convs)-1].follow(norm)
			}
			b.layers = append(b.layers, observe{norm})
			b.meet(meeting{norm})
			b.layers = append(b.layers, apply{norm})
		case "block":
			b.block(n, x, y)
		case "maxpool":
			b.layers = append(b.layers, &maxPool{x, y, n.window.K})
		case "avgpool":
			b.layers = append(b.layers, &avgPool{x, y})
		case "flatten":
			if n.in.plane() == 1 && x.border == 0 && x.data != nil {
				y = x // already flat
			} else {
				b.layers = append(b.layers, &flatten{x, y})
			}
		default:
			b.layers = append(b.layers, newActivation(n.kind, x, y))
		}
		if x = y; x.border < border {
			x = b.field(n.out, border)
			b.layers = append(b.layers, newActivation("copy", y, x))
		}
		if relu {
			i++
		}
	}
	return x
}

// poolable tells whether a convolution does the pooling behind it too.
func (b *builder) poolable(conv, pool *node) bool {
	w := conv.window
	if b.engine.precision == BF16 && roundable(w.C, conv.out) {
		return false
	}
	return kernel.PickingPays() && pool.kind == "maxpool" && pool.window.K == 2 && !tileable(w.K, w.Stride, w.Pad, w.C, conv.out)
}

// block builds relu(main(x) + shortcut(x)), the basic block of He et al. 2016. What
// adds and rectifies is the second batch normalisation of main.
func (b *builder) block(n *node, x, y *field) {
	c1, b1, c2, b2 := &n.main[0], &n.main[1], &n.main[3], &n.main[4]
	first := b.field(c1.out, 1)
	inner := b.field(c1.out, 1)
	second := b.field(c2.out, y.border)
	// What the shortcut leaves of the gradient stays where it is, if it can.
	if len(n.shortcut) == 0 && x.border == y.border {
		y.grad = x.grad
	}
	if b.inner == nil {
		b.inner = map[Shape][]float32{}
	}
	if b.inner[c1.out] == nil {
		b.inner[c1.out] = inner.grad
	}
	inner.grad = b.inner[c1.out]
	first.grad, second.grad = inner.grad, y.grad
	wanted := b.needDX
	conv1 := b.conv(c1, x, first, false, true) // to what the shortcut leaves
	norm1 := b.norm(b1, first, inner, nil, true)
	conv1.follow(norm1)
	b.layers = append(b.layers, observe{norm1})
	b.meet(meeting{norm1})
	b.layers = append(b.layers, apply{norm1})
	conv2 := b.conv(c2, inner, second, false, false)
	conv2.precede(norm1, b.images(inner))
	if len(n.shortcut) == 0 {
		norm2 := b.norm(b2, second, y, x, true)
		conv2.follow(norm2)
		b.layers = append(b.layers, observe{norm2})
		b.meet(meeting{norm2})
		if wanted && x.border != y.border {
			b.layers = append(b.layers, &skip{x, y})
		}
		b.layers = append(b.layers, apply{norm2})
		return
	}
	around := b.field(y.Shape, y.border)
	straight := &field{Shape: y.Shape, border: y.border, data: kernel.Make(len(y.data)), grad: y.grad}
	around.grad = y.grad
	norm2 := b.norm(b2, second, y, straight, true)
	conv2.follow(norm2)
	b.layers = append(b.layers, observe{norm2})
	b.needDX = wanted
	conv3 := b.conv(&n.shortcut[0], x, around, false, false)
	norm3 := b.norm(&n.shortcut[1], around, straight, nil, false)
	conv3.follow(norm3)
	b.layers = append(b.layers, observe{norm3})
	b.meet(meeting{norm2, norm3})
	b.layers = append(b.layers, apply{norm3}, apply{norm2})
}

// images returns a field like f of one image for each thread.
func (b *builder) images(f *field) [][]float32 {
	if b.fresh == nil {
		b.fresh = map[Shape][][]float32{}
	}
	if b.fresh[f.Shape] == nil {
		for range b.engine.pool.Threads() {
			b.fresh[f.Shape] = append(b.fresh[f.Shape], kernel.Make(f.size()+spare))
		}
	}
	return b.fresh[f.Shape]
}

// conv appends a convolution.
func (b *builder) conv(n *node, x, y *field, relu, addDX bool) convolution {
	w, bias, dw, db := b.weights(n)
	b.rest = append(b.rest, b.parts[n.part])
	c := newConv(b.engine, conv{x: x, y: y, kernel: n.window.K, stride: n.window.Stride, pad: n.window.Pad,
		weight: w, bias: bias, dw: dw, db: db, relu: relu, pooled: y.Shape != n.out, needDX: b.needDX, addDX: addDX})
	b.convs = append(b.convs, c)
	b.layers = append(b.layers, c)
	b.needDX = true
	return c
}

func (b *builder) norm(n *node, x, y, residual *field, relu bool) *batchNorm {
	w, bias, dw, db := b.weights(n)
	b.rest = append(b.rest, b.parts[n.part])
	running := b.parts[n.part].running
	b.needDX = true
	return newBatchNorm(batchNorm{engine: b.engine, x: x, y: y, residual: residual, relu: relu, gamma: w, beta: bias, dgamma: dw, dbeta: db,
		mean: b.buffers[running:][:n.in.C], variance: b.buffers[running+n.in.C:][:n.in.C]})
}

// weights returns a layer's parameters and their gradients; no bias is nil.
func (b *builder) weights(n *node) (w, bias, dw, dbias []float32) {
	l := b.parts[n.part]
	cut := func(x []float32, r Range) []float32 {
		if r.Len == 0 {
			return nil
		}
		return x[r.Offset:][:r.Len]
	}
	return cut(b.params, l.Weight), cut(b.params, l.Bias), cut(b.grads, l.Weight), cut(b.grads, l.Bias)
}
