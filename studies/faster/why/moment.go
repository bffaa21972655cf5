package main

import (
	"slices"
	"strconv"

	"swapmc/dataset"
	"swapmc/internal/rng"
	"swapmc/nn"
)

const (
	batch    = 32  // images of an iteration
	chunk    = 250 // images of a pass over many
	rate     = 0.01
	beta     = 0.9 // of the average gradient
	adamRate = 0.001
)

// A walk is an ordinary training, by SGD with momentum, along which moments are looked at. It
// goes through the training set once.
type walk struct {
	name      string
	net       *nn.Network
	set       *dataset.Set
	order     []int
	images    []float32
	labels    []uint8
	others    []float32 // test images: what the batches are not part of
	answers   []uint8
	sgd, adam *nn.Updater
	average   []float32 // of the gradients
	adamStep  []float32 // what Adam would do here, from the gradients of this training
	iteration int
}

func newWalk(set *dataset.Set, network string, others int) (*walk, error) {
	spec, err := nn.Parse(network)
	if err != nil {
		return nil, err
	}
	net, err := nn.New(spec, nn.Options{Input: nn.Shape(set.Shape), Classes: len(set.Classes), Batch: max(batch, chunk), Threads: 1})
	if err != nil {
		return nil, err
	}
	w := &walk{name: network, net: net, set: set, order: first(set.Train.Len())}
	if err := net.Init("pytorch", rng.New(seed, "init").Rand); err != nil {
		return nil, err
	}
	if w.sgd, err = (nn.Optimizer{Name: "sgd", LR: rate, Momentum: beta}).New(len(net.Params())); err != nil {
		return nil, err
	}
	if w.adam, err = (nn.Optimizer{Name: "adam", LR: adamRate}).New(len(net.Params())); err != nil {
		return nil, err
	}
	rng.New(seed, "order").Shuffle(len(w.order), func(i, j int) { w.order[i], w.order[j] = w.order[j], w.order[i] })
	w.images, w.labels = make([]float32, batch*set.Shape.Len()), make([]uint8, batch)
	others = min(others, set.Test.Len())
	w.others, w.answers = make([]float32, others*set.Shape.Len()), set.Test.Labels[:others]
	set.Batch(w.others, &set.Test, first(others))
	w.average, w.adamStep = make([]float32, len(net.Params())), make([]float32, len(net.Params()))
	return w, nil
}

// first returns the numbers below n.
func first(n int) []int {
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	return index
}

// gradient takes the gradient on the next batch and the averages that follow it.
func (w *walk) gradient() {
	index := w.order[w.iteration*batch%(len(w.order)-batch+1):][:batch]
	w.set.Batch(w.images, &w.set.Train, index)
	for k, i := range index {
		w.labels[k] = w.set.Train.Labels[i]
	}
	w.net.Step(w.images, w.labels)
	for i, g := range w.net.Grads() {
		w.average[i] = beta*w.average[i] + (1-beta)*g
	}
	clear(w.adamStep)
	w.adam.Update(w.adamStep, w.net.Grads(), adamRate, nil)
	w.iteration++
}

// moment trains until so many updates are made, takes the gradient on one more batch and
// returns all that is known there before the next update.
func (w *walk) moment(iterations int) *moment {
	for w.iteration < iterations {
		w.gradient()
		w.net.Update(w.sgd, rate, nil)
	}
	w.gradient()
	m := &moment{walk: w, iterations: iterations, update: slices.Clone(w.net.Grads())}
	m.gradient, m.average, m.adam = m.weightsOf(w.net.Grads()), m.weightsOf(w.average), m.weightsOf(w.adamStep)
	m.full = m.weightsOf(w.fullGradient())
	m.rank, m.sigma = make([]float32, len(m.average)), make([]float64, len(w.net.Layers()))
	for k, l := range w.net.Layers() {
		copy(m.rank[l.Weight.Offset:], ranks(m.average[l.Weight.Offset:][:l.Weight.Len]))
		m.sigma[k] = spread(w.net.Params()[l.Weight.Offset:][:l.Weight.Len])
	}
	m.batchLoss, m.othersLoss = m.lossOfBatch(), m.lossOfOthers()
	return m
}

// leave makes the update that the moment has left out.
func (m *moment) leave() {
	copy(m.net.Grads(), m.update)
	m.net.Update(m.sgd, rate, nil)
}

// fullGradient is the gradient on the test images.
func (w *walk) fullGradient() []float32 {
	sum := make([]float32, len(w.net.Params()))
	size := w.set.Shape.Len()
	for at := 0; at < len(w.answers); at += chunk {
		end := min(at+chunk, len(w.answers))
		w.net.Gradient(w.others[at*size:end*size], w.answers[at:end])
		share := float32(end-at) / float32(len(w.answers))
		for i, g := range w.net.Grads() {
			sum[i] += share * g
		}
	}
	return sum
}

// A moment is a network at fixed weights. Its vectors are laid out as the parameters and
// are 0 at the biases, which the swaps leave alone.
type moment struct {
	*walk
	iterations                          int
	update                              []float32 // the gradient of the batch, biases included
	gradient, average, full, adam, rank []float32 // rank is 2F-1 of the average within each layer
	sigma                               []float64 // standard deviation of each layer's weights
	batchLoss, othersLoss               float64
}

func (m *moment) String() string {
	return m.name + " after " + strconv.Itoa(m.iterations) + " iterations"
}

// weightsOf returns a copy that is 0 at the biases.
func (m *moment) weightsOf(x []float32) []float32 {
	x = slices.Clone(x)
	for _, l := range m.net.Layers() {
		clear(x[l.Bias.Offset:][:l.Bias.Len])
	}
	return x
}

func (m *moment) lossOfBatch() float64 { return m.net.Loss(m.images, m.labels) }

func (m *moment) lossOfOthers() float64 {
	sum, _ := m.net.Evaluate(m.others, m.answers)
	return sum / float64(len(m.answers))
}
