// Package train runs one training under swap protocols: it puts a network (nn),
// a data set and protocols (swap) together.
//
// One iteration is
//
//	batch            the next images of this epoch's random order
//	features:...     swaps in the batch
//	weights:...      swaps of parameters that no gradient guides
//	gradient         forward, loss, backward
//	update           the optimiser's step
//	weights:... guide=   swaps guided by that gradient, or by the update
//
// A swap of features changes the copy of the images that is the batch, and is
// gone with it; with keep=true it goes back into the data set. Losses are
// reported on clean images only.
//
// Random numbers come from streams named "order/EPOCH", "init", "noise" and
// "swap/K", so that runs of one seed share initial weights and data order
// whatever their protocols.
package train

import (
	"errors"
	"fmt"
	"math"
	"time"

	"swapmc/dataset"
	"swapmc/internal/rng"
	"swapmc/nn"
	"swapmc/swap"
)

// ErrDiverged is wrapped by the error of a step whose loss is NaN or infinite.
var ErrDiverged = errors.New("training diverged")

// Run is a training in progress.
type Run struct {
	cfg     Config
	data    *dataset.Set
	network *nn.Network
	updater *nn.Updater

	features, free, guided []*protocol // by where in the iteration they act
	protocols              []*protocol // all, in the order of the Config
	gradients              bool        // some guide wants the gradient after the update
	noise                  *rng.Stream // Langevin

	iteration int
	elapsed   time.Duration
	epoch     int   // of order; -1 before the first
	order     []int // this epoch's order of the training images

	images  []float32 // the batch
	labels  []uint8
	index   []int
	kept    *kept     // images that a keep=true protocol has changed; nil without one
	sum     []float32 // gradient over the full data, for gradient descent
	measure struct{ train, test []int }
	losses  struct{ batch, all, gradient func() float64 } // energies, stored so that a step allocates nothing
}

// A protocol is one of the run's protocols with its stream and its tally.
type protocol struct {
	*swap.Mover
	stream             *rng.Stream
	informed           bool // its energy must come with a gradient
	proposed, accepted int64
}

// New prepares a run on that data with the given number of threads. It reports
// an impossible configuration, for example a protocol that exchanges layers of
// different size.
func New(cfg Config, data *dataset.Set, threads int) (_ *Run, err error) {
	if err := cfg.validate(data); err != nil {
		return nil, err
	}
	spec, err := nn.Parse(cfg.Network)
	if err != nil {
		return nil, err
	}
	loss, err := nn.ParseLoss(cfg.Loss)
	if err != nil {
		return nil, err
	}
	precision, err := nn.ParsePrecision(cfg.Precision)
	if err != nil {
		return nil, err
	}
	if err := cfg.Schedule.Validate(); err != nil {
		return nil, err
	}
	r := &Run{cfg: cfg, data: data, epoch: -1, noise: rng.New(cfg.Seed, "noise")}
	r.network, err = nn.New(spec, nn.Options{
		Input:   nn.Shape(data.Shape),
		Classes: len(data.Classes),
		Batch:   cfg.Batch,
		Threads: max(1, threads),
		Loss:    loss,

		Precision: precision,
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if err := r.network.Init(cfg.Init, rng.New(cfg.Seed, "init").Rand); err != nil {
		return nil, err
	}
	if r.updater, err = cfg.Optimizer.New(len(r.network.Params())); err != nil {
		return nil, err
	}
	r.order = make([]int, data.Train.Len())
	r.images = make([]float32, cfg.Batch*r.pixels())
	r.labels = make([]uint8, cfg.Batch)
	r.index = make([]int, cfg.Batch)
	r.measure.train = subset("eval/train", data.Train.Len(), cfg.Eval.Train)
	r.measure.test = subset("eval/test", data.Test.Len(), cfg.Eval.Test)
	r.losses.batch = func() float64 { return r.network.Loss(r.images, r.labels) }
	r.losses.all = r.fullLoss
	r.losses.gradient = func() float64 { return r.network.Gradient(r.images, r.labels) }
	if r.fullBatch() {
		part := r.losses.gradient
		r.losses.gradient = func() float64 { return r.sumGradient(part) }
		r.sum = make([]float32, len(r.network.Params()))
	}
	if err := r.bind(); err != nil {
		return nil, err
	}
	return r, nil
}

// Close frees the run's threads. The run cannot be used afterwards.
func (r *Run) Close() { r.network.Close() }

// Iteration returns the number of iterations done.
func (r *Run) Iteration() int { return r.iteration }

// Done tells whether the run has reached its length.
func (r *Run) Done() bool { return r.iteration >= r.cfg.Iterations }

// Network gives access to the weights.
func (r *Run) Network() *nn.Network { return r.network }

// fullBatch tells whether an iteration sees the whole training set.
func (r *Run) fullBatch() bool { return r.cfg.Optimizer.Name == "gd" }

func (r *Run) pixels() int { return r.data.Shape.C * r.data.Shape.H * r.data.Shape.W }

// Step does one iteration. If the loss is no longer finite it returns an error
// that wraps [ErrDiverged], and the run cannot go on.
func (r *Run) Step() error {
	start := time.Now()
	var loss float64
	if r.fullBatch() {
		loss = r.update(r.fullGradient())
	} else {
		loss = r.batchUpdate()
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("iteration %d: loss is %v: %w", r.iteration, loss, ErrDiverged)
	}
	r.swap(r.guided, nil)
	for _, p := range r.protocols {
		p.Observe(r.iteration, loss)
	}
	r.iteration++
	r.elapsed += time.Since(start)
	return nil
}

func (r *Run) learningRate() float64 {
	return r.cfg.Optimizer.LR * r.cfg.Schedule.Factor(r.iteration, r.cfg.Iterations)
}

// batchUpdate takes the gradient on the next batch, updates and returns its loss.
func (r *Run) batchUpdate() float64 {
	r.nextBatch()
	r.load(r.index)
	r.swapFeatures()
	r.swap(r.free, r.losses.batch)
	if r.gradients {
		return r.update(r.network.Step(r.images, r.labels))
	}
	return r.network.Train(r.images, r.labels, r.updater, r.learningRate(), r.noise.Rand)
}

// update lets the optimiser act on a gradient, unless its loss is not finite.
func (r *Run) update(loss float64) float64 {
	if !math.IsNaN(loss) && !math.IsInf(loss, 0) {
		r.network.Update(r.updater, r.learningRate(), r.noise.Rand)
	}
	return loss
}

// swap lets protocols act and tallies what they did.
func (r *Run) swap(list []*protocol, energy func() float64) {
	for _, p := range list {
		p.SetLearningRate(r.learningRate())
		measure := energy
		if p.informed {
			measure = r.losses.gradient
		}
		proposed, accepted := p.Step(r.iteration, measure)
		p.proposed += int64(proposed)
		p.accepted += int64(accepted)
	}
}

// swapFeatures lets the protocols on features act on the batch, first those
// whose swaps stay in the data set.
func (r *Run) swapFeatures() {
	if r.kept == nil {
		r.swap(r.features, r.losses.batch)
		return
	}
	for k, p := range r.features {
		before := p.accepted
		r.swap(r.features[k:k+1], r.losses.batch)
		if p.Protocol().Keep && p.accepted > before {
			r.kept.store(r.index, r.images)
		}
	}
}
