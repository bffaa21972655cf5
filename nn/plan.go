package nn

import "fmt"

// A node is one layer of a plan, with its shapes.
type node struct {
	kind           string
	in, out        Shape
	window         window
	part           int    // its Layer, if it has parameters
	main, shortcut []node // of a residual block
}

// A plan is a Spec with all shapes inferred and storage assigned.
type plan struct {
	batch           int
	nodes           []node
	parts           []Layer
	params, buffers int
}

// maxValues bounds what one layer may hold: 8 GiB in float32. Sizes are
// compared in float64, which does not overflow.
const maxValues = 1 << 31

func tooLarge(what string, sizes ...int) error {
	n := 1.0
	for _, s := range sizes {
		n *= float64(s)
	}
	if n > maxValues {
		return fmt.Errorf("%.3g %s: more than %d", n, what, maxValues)
	}
	return nil
}

// newPlan goes through the layers from the input on.
func newPlan(spec Spec, opt Options) (*plan, error) {
	p := &plan{batch: opt.Batch}
	shape := opt.Input
	number := 0   // PyTorch's number of the layer
	flat := false // whether PyTorch has units without a plane here
	for i, text := range spec {
		fail := func(err error) (*plan, error) { return nil, fmt.Errorf("nn: layer %d %q: %w", i, text, err) }
		l, err := parseLayer(text)
		if err != nil {
			return fail(err)
		}
		if l.kind == "linear" && l.units == 0 {
			l.units = opt.Classes
		}
		if l.kind == "linear" && !flat {
			p.nodes = append(p.nodes, node{kind: "flatten", in: shape, out: Shape{shape.Len(), 1, 1}})
			shape = Shape{shape.Len(), 1, 1}
			number++
		}
		n, err := p.node(fmt.Sprint(number), l, shape)
		if err != nil {
			return fail(err)
		}
		p.nodes = append(p.nodes, n)
		shape = n.out
		number++
		switch l.kind {
		case "flatten", "linear":
			flat = true
		case "conv", "block", "maxpool", "avgpool":
			flat = false
		}
	}
	switch {
	case len(p.parts) == 0:
		return nil, fmt.Errorf("nn: no layer has parameters: want one such as linear classes")
	case shape.Len() != opt.Classes:
		return nil, fmt.Errorf("nn: the last layer gives %d outputs: want %d, one a class (linear classes)", shape.Len(), opt.Classes)
	}
	p.gauge()
	return p, nil
}

// node plans one layer on inputs of that shape.
func (p *plan) node(name string, l layerSpec, in Shape) (node, error) {
	n := node{kind: l.kind, in: in, out: in, part: -1}
	switch l.kind {
	case "conv":
		n.window = window{C: in.C, H: in.H, W: in.W, K: l.kernel, Stride: l.stride, Pad: l.pad}
		if in.H+2*l.pad < l.kernel || in.W+2*l.pad < l.kernel {
			return n, fmt.Errorf("a %dx%d kernel on a plane of %dx%d with pad %d: want a smaller kernel", l.kernel, l.kernel, in.H, in.W, l.pad)
		}
		n.out.C = l.units
		n.out.H, n.out.W = n.window.Out()
		if err := tooLarge("entries in the columns of one image", in.C, l.kernel, l.kernel, n.out.H, n.out.W); err != nil {
			return n, err
		}
		if err := tooLarge("weights", l.units, in.C, l.kernel, l.kernel); err != nil {
			return n, err
		}
		n.part = p.add(Layer{Name: name, Rows: l.units, Cols: in.C * l.kernel * l.kernel, shape: []int{l.units, in.C, l.kernel, l.kernel}}, l.bias)
	case "linear":
		n.out = Shape{l.units, 1, 1}
		if err := tooLarge("weights", l.units, in.Len()); err != nil {
			return n, err
		}
		n.part = p.add(Layer{Name: name, Rows: l.units, Cols: in.Len(), shape: []int{l.units, in.Len()}}, l.bias)
	case "batchnorm":
		n.part = p.add(Layer{Name: name, Rows: in.C, Cols: 1, Norm: true, shape: []int{in.C}, running: p.buffers}, true)
		p.buffers += 2 * in.C
	case "maxpool":
		n.window = window{C: in.C, H: in.H, W: in.W, K: l.kernel, Stride: l.kernel}
		if in.H < l.kernel || in.W < l.kernel {
			return n, fmt.Errorf("a window of %dx%d on a plane of %dx%d: want a smaller one", l.kernel, l.kernel, in.H, in.W)
		}
		n.out.H, n.out.W = n.window.Out()
	case "avgpool":
		n.out.H, n.out.W = 1, 1
	case "flatten":
		n.out = Shape{in.Len(), 1, 1}
	case "block":
		return p.block(n, name, l, in)
	}
	if err := tooLarge("parameters up to here", p.params); err != nil {
		return n, err
	}
	return n, tooLarge("activations in a batch", p.batch, n.out.C, n.out.H, n.out.W)
}

// block plans a residual block: two 3x3 convolutions with batch normalisation,
// around them the identity or, where the shape changes, a 1x1 convolution.
func (p *plan) block(n node, name string, l layerSpec, in Shape) (node, error) {
	chain := func(into *[]node, shape Shape, names []string, layers ...layerSpec) (Shape, error) {
		for i, l := range layers {
			sub, err := p.node(name+"."+names[i], l, shape)
			if err != nil {
				return shape, err
			}
			*into = append(*into, sub)
			shape = sub.out
		}
		return shape, nil
	}
	conv := layerSpec{kind: "conv", units: l.units, kernel: 3, stride: l.stride, pad: 1}
	again := layerSpec{kind: "conv", units: l.units, kernel: 3, stride: 1, pad: 1}
	norm, relu := layerSpec{kind: "batchnorm"}, layerSpec{kind: "relu"}
	var err error
	if n.out, err = chain(&n.main, in, []string{"c1", "b1", "", "c2", "b2"}, conv, norm, relu, again, norm); err != nil {
		return n, err
	}
	if n.out != in {
		point := layerSpec{kind: "conv", units: l.units, kernel: 1, stride: l.stride}
		_, err = chain(&n.shortcut, in, []string{"short.0", "short.1"}, point, norm)
	}
	return n, err
}

// add assigns storage to a layer's parameters and returns its place in parts.
func (p *plan) add(l Layer, bias bool) int {
	l.Weight = Range{p.params, l.Rows * l.Cols}
	l.Bias.Offset = p.params + l.Weight.Len
	if bias {
		l.Bias.Len = l.Rows
	}
	p.params = l.Bias.Offset + l.Bias.Len
	p.parts = append(p.parts, l)
	return len(p.parts) - 1
}

// gauge finds, for every layer whose units feed exactly one next layer, what
// hangs on them.
func (p *plan) gauge() {
	chainGauge := func(nodes []node) {
		for i, n := range nodes {
			if n.kind == "conv" || n.kind == "linear" {
				p.parts[n.part].Gauge = p.coupled(n, nodes[i+1:])
			}
		}
	}
	chainGauge(p.nodes)
	for _, n := range p.nodes {
		chainGauge(n.main)
		chainGauge(n.shortcut)
	}
}

// coupled follows the units of n until a layer reads them. It returns nil if
// they reach the output or a residual stream.
func (p *plan) coupled(n node, after []node) []Coupled {
	var list []Coupled
	add := func(offset, outer, inner int) {
		list = append(list, Coupled{Offset: offset, Outer: outer, Inner: inner})
	}
	inner := 1 // channels that one unit has become by flattening
	reads := func(reader node) {
		l := p.parts[reader.part]
		window := max(1, reader.window.K*reader.window.K) // 1 for a linear layer
		add(l.Weight.Offset, l.Rows, inner*window)
	}
	own := p.parts[n.part]
	if own.Bias.Len > 0 {
		add(own.Bias.Offset, 1, 1)
	}
	for _, next := range after {
		switch next.kind {
		case "batchnorm":
			l := p.parts[next.part]
			add(l.Weight.Offset, 1, inner)
			add(l.Bias.Offset, 1, inner)
			for k := range 2 {
				list = append(list, Coupled{InBuffers: true, Offset: l.running + k*l.Rows, Outer: 1, Inner: inner})
			}
		case "flatten":
			inner *= next.in.plane()
		case "conv", "linear":
			reads(next)
			return list
		case "block":
			if len(next.shortcut) == 0 {
				return nil
			}
			reads(next.main[0])
			reads(next.shortcut[0])
			return list
		}
	}
	return nil
}

// A window slides over the planes of one image, as in a convolution or a pooling:
// K x K entries, Stride apart, over an image of C planes of H x W with Pad zeros on
// each side.
type window struct {
	C, H, W        int
	K, Stride, Pad int
}

// Out returns the number of positions downwards and across.
func (w window) Out() (h, wd int) {
	return (w.H+2*w.Pad-w.K)/w.Stride + 1, (w.W+2*w.Pad-w.K)/w.Stride + 1
}
