package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"swapmc/internal/kernel"
)

// Options says what a network is built for. Zero values: one thread, cross
// entropy.
type Options struct {
	Input   Shape // of one image
	Classes int   // outputs of the last layer
	Batch   int   // largest batch
	Threads int
	Loss    Loss
	// Precision of the products of convolutions. BF16 is for processors with AMX or AVX512_BF16.
	Precision Precision
}

// A Range is a part of the parameters: Params()[Offset : Offset+Len].
type Range struct{ Offset, Len int }

// A Layer describes one layer that has parameters.
type Layer struct {
	Name       string    // PyTorch's prefix: "0", "3.c1", "6.short.0"
	Weight     Range     // Rows x Cols, row after row
	Bias       Range     // directly behind the weight; Len 0 if there is none
	Rows, Cols int       // output units (channels), and inputs (in-channel x kernel height x kernel width)
	Norm       bool      // batch normalisation: Weight is the scale, Bias the shift, Cols is 1
	Gauge      []Coupled // what hangs on the rows; nil where two units cannot be exchanged without changing the function
	shape      []int     // of the weight in PyTorch
	running    int       // of batch normalisation: the offset of mean and then variance in Buffers
}

// Coupled is a part of the parameters (or buffers) that must be exchanged
// together with two rows of a layer's weights, so that the network's function
// stays the same. Entry (o, u, i) with o < Outer, unit u < Rows and i < Inner lies at
// Offset + (o*Rows + u)*Inner + i.
type Coupled struct {
	InBuffers            bool
	Offset, Outer, Inner int
}

// Network is a network with its parameters and the memory of one batch.
type Network struct {
	opt      Options
	spec     Spec
	engine   *engine
	stages   []stage
	convs    []convolution
	rest     []Layer // whose parameters are updated at the end of a step
	logits   *field
	packing  func(i, worker int) // stored, so that a step allocates nothing
	gather   func(i, worker int)
	finish   func(i, worker int)
	updating func(i, worker int)
	params   []float32
	grads    []float32
	buffers  []float32
	parts    []Layer
}

// New builds a network with all parameters zero; [Network.Init] draws them. It
// reports shapes that cannot be, with the number of the layer.
func New(spec Spec, opt Options) (*Network, error) {
	switch {
	case opt.Input.C < 1 || opt.Input.H < 1 || opt.Input.W < 1:
		return nil, fmt.Errorf("nn: input %dx%dx%d: want at least 1x1x1", opt.Input.C, opt.Input.H, opt.Input.W)
	case opt.Classes < 1:
		return nil, fmt.Errorf("nn: %d classes: want at least 1", opt.Classes)
	case opt.Batch < 1:
		return nil, fmt.Errorf("nn: batch = %d: want at least 1", opt.Batch)
	case opt.Precision < 0 || int(opt.Precision) >= len(precisionNames):
		return nil, fmt.Errorf("nn: precision %d: want one of %s", opt.Precision, strings.Join(precisionNames, ", "))
	case opt.Loss < 0 || int(opt.Loss) >= len(lossNames):
		return nil, fmt.Errorf("nn: loss %d: want one of %s", opt.Loss, strings.Join(lossNames, ", "))
	}
	if err := tooLarge("values in a batch of images", opt.Batch, opt.Input.C, opt.Input.H, opt.Input.W); err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	if opt.Precision == BF16 {
		if err := kernel.BFloats(); err != nil {
			return nil, fmt.Errorf("nn: precision bf16: %w", err)
		}
	}
	plan, err := newPlan(spec, opt)
	if err != nil {
		return nil, err
	}
	threads := opt.Threads
	if slices.ContainsFunc(plan.nodes, func(n node) bool { return n.kind == "conv" || n.kind == "block" }) {
		threads = min(threads, groupsOf(opt.Batch)) // others would be woken for small layers only, which takes longer than they
	}
	n := &Network{
		opt: opt, spec: spec, engine: newEngine(threads, opt.Batch),
		params:  kernel.Make(plan.params),
		grads:   kernel.Make(plan.params),
		buffers: make([]float32, plan.buffers),
		parts:   plan.parts,
	}
	n.engine.precision = opt.Precision
	b := builder{Network: n}
	b.network(plan.nodes)
	n.engine.allocate()
	n.packing = func(i, worker int) {
		for _, c := range n.convs {
			c.pack(i, worker, n.engine.mode == training || n.engine.mode == deriving)
		}
	}
	n.gather = func(i, _ int) {
		for _, c := range n.convs {
			c.gather(i, n.engine.parts)
		}
	}
	n.finish = func(i, _ int) {
		for _, l := range n.rest {
			lo, hi := part(i, n.engine.parts, l.Weight.Len+l.Bias.Len)
			n.engine.update(n.grads[l.Weight.Offset+lo:l.Weight.Offset+hi], l.Weight.Offset+lo)
		}
	}
	n.updating = func(i, _ int) {
		lo, hi := part(i, n.engine.parts, len(n.params))
		n.engine.update(n.grads[lo:hi], lo)
	}
	n.engine.params = n.params
	for _, l := range n.parts {
		if l.Norm {
			variance := n.buffers[l.running+l.Rows:][:l.Rows]
			for c := range variance {
				variance[c] = 1
			}
		}
	}
	return n, nil
}

// Close ends the network's threads.
func (n *Network) Close() { n.engine.pool.Close() }

// Params returns all trainable parameters, each layer's weight directly
// followed by its bias. It is the network's own storage: writing changes the
// network.
func (n *Network) Params() []float32 { return n.params }

// Grads returns the gradient of the last Step's or Gradient's loss, laid out as Params.
func (n *Network) Grads() []float32 { return n.grads }

// Buffers returns the running mean and variance of every batch normalisation:
// state that is not trained.
func (n *Network) Buffers() []float32 { return n.buffers }

// Layers describes the layers that have parameters, in order.
func (n *Network) Layers() []Layer { return n.parts }

// Spec returns the layers that the network was built from.
func (n *Network) Spec() Spec { return n.spec }

// Step takes the gradient on one batch: forward in training mode, mean loss,
// backward. x holds len(labels) images, at most the batch that the network was
// built for and at least 1; labels are below the number of classes. It returns
// the loss.
func (n *Network) Step(x []float32, labels []uint8) float64 {
	return n.step(x, labels, training, nil)
}

// Gradient is Step without its effect on the running statistics of batch
// normalisation: it changes Grads and nothing else.
func (n *Network) Gradient(x []float32, labels []uint8) float64 {
	return n.step(x, labels, deriving, nil)
}

// Train is Step and [Network.Update] in one pass, with the same bits. It leaves no
// gradient in Grads: that of a linear layer goes into the update while it is in the
// cache. If the loss is not finite the parameters stay as they are. The optimiser none needs
// no gradient, and none is taken.
func (n *Network) Train(x []float32, labels []uint8, u *Updater, lr float64, noise *rand.Rand) float64 {
	if !u.separable() {
		loss := n.step(x, labels, training, nil)
		if finite(loss) {
			u.Update(n.params, n.grads, lr, noise)
		}
		return loss
	}
	u.begin(lr)
	return n.step(x, labels, training, u)
}

// Update is u.Update of the parameters along the gradient, on the network's threads.
func (n *Network) Update(u *Updater, lr float64, noise *rand.Rand) {
	if !u.separable() {
		u.Update(n.params, n.grads, lr, noise)
		return
	}
	u.begin(lr)
	n.engine.updater = u
	n.engine.pool.Run(n.engine.parts, n.updating)
}

// Parallel calls f(i, worker) for every i in [0, n) on the network's threads, between
// two steps. Worker is below the number of threads.
func (n *Network) Parallel(count int, f func(i, worker int)) { n.engine.pool.Run(count, f) }

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

func (n *Network) step(x []float32, labels []uint8, mode mode, u *Updater) float64 {
	logits := n.forward(x, len(labels), mode)
	sum, _ := n.opt.Loss.evaluate(logits, labels, n.opt.Classes, n.logits.grad[:len(logits)])
	loss := sum / float64(len(labels))
	if u != nil && (u.Name == "none" || !finite(loss)) {
		return loss
	}
	n.engine.updater = u
	for i := len(n.stages) - 1; i >= 0; i-- {
		n.stages[i].backward()
	}
	if len(n.convs) > 0 {
		n.engine.pool.Run(n.engine.parts, n.gather)
	}
	if u != nil && len(n.rest) > 0 {
		n.engine.pool.Run(n.engine.parts, n.finish)
	}
	return loss
}

// forward returns the outputs of a batch.
func (n *Network) forward(x []float32, batch int, mode mode) []float32 {
	n.engine.image, n.engine.batch, n.engine.mode = x, batch, mode
	if len(n.convs) > 0 {
		n.engine.pool.Run(n.engine.parts, n.packing)
	}
	for _, s := range n.stages {
		s.forward()
	}
	return n.logits.data[:batch*n.opt.Classes]
}

// Loss returns the mean loss of one batch as Step would see it, and changes
// nothing.
func (n *Network) Loss(x []float32, labels []uint8) float64 {
	loss, _ := n.opt.Loss.evaluate(n.forward(x, len(labels), probing), labels, n.opt.Classes, nil)
	return loss / float64(len(labels))
}

// Evaluate returns the sum of the losses over the images and the number that
// are classified correctly, in inference mode: with the running statistics of
// batch normalisation. There may be any number of images.
func (n *Network) Evaluate(x []float32, labels []uint8) (lossSum float64, correct int) {
	size := n.opt.Input.Len()
	for len(labels) > 0 {
		batch := min(len(labels), n.opt.Batch)
		logits := n.forward(x[:batch*size], batch, inference)
		l, c := n.opt.Loss.evaluate(logits, labels[:batch], n.opt.Classes, nil)
		lossSum += l
		correct += c
		x, labels = x[batch*size:], labels[batch:]
	}
	return lossSum, correct
}

// Logits returns the outputs for up to a batch of images in inference mode:
// batch x classes, valid until the next call.
func (n *Network) Logits(x []float32) []float32 {
	return n.forward(x, len(x)/n.opt.Input.Len(), inference)
}

// Init draws the initial weights by the named scheme: "pytorch" (also ""), "he" or
// "xavier". Batch normalisations start as the identity.
//
//	pytorch  weights and biases uniform in +-1/sqrt(fan-in): Kaiming uniform with a = sqrt 5
//	he       weights normal with variance 2/fan-in (He et al. 2015), biases zero
//	xavier   weights uniform in +-sqrt(6/(fan-in + fan-out)) (Glorot and Bengio 2010), biases zero
func (n *Network) Init(scheme string, r *rand.Rand) error {
	for _, l := range n.parts {
		w := n.params[l.Weight.Offset:][:l.Weight.Len]
		b := n.params[l.Bias.Offset:][:l.Bias.Len]
		if l.Norm {
			for i := range w {
				w[i] = 1
			}
			clear(b)
			continue
		}
		if err := initialise(scheme, w, b, l, r); err != nil {
			return err
		}
	}
	return nil
}
