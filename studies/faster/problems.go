package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"swapmc/internal/lab"
	"swapmc/internal/train"
	"swapmc/nn"
)

// A problem is what is trained, how long, and what counts as trained.
type problem struct {
	name       string
	network    string
	batch      int
	iterations int
	every      int                   // iterations between evaluations
	train      int                   // images on which the losses are measured; 0: 1,000
	test       int                   // the same of the test set; 0: 500
	targets    []float64             // training losses, falling
	headline   float64               // the one of the targets for which everything is tuned
	tuning     []uint64              // seeds of the tuning runs of all trials
	finals     []uint64              // of those of the finalists besides
	ranges     map[string][2]float64 // of the learning rates of a baseline, where the usual ones do not suit
	ways       []string              // names, in the order in which they are run; nil: all
}

// fresh are the seeds that are compared; no choice is made with them.
var fresh = []uint64{1, 2, 3, 4, 5}

// plateau are the ways on networks that do not begin to learn for long.
var plateau = []string{
	"sgd", "momentum", "adam", "signum", "adam-cosine", "signum-cosine",
	"guided-sgd", "guided-momentum", "guided-adam", "guided-signum", "annealed-adam", "annealed-adam-cosine", "alone", "alone-annealed", "sign-sgd",
}

// broad are all ways but cycles, which take longer than all the rest of an iteration where
// layers are large, and exchanges of the gauge, which lenet is enough for.
var broad = []string{
	"sgd", "momentum", "nesterov", "adam", "signum", "adam-cosine", "signum-cosine",
	"guided-sgd", "guided-momentum", "guided-nesterov", "guided-adam", "guided-signum", "annealed-adam", "annealed-adam-cosine", "alone", "alone-annealed",
	"lookahead-adam", "sign-sgd", "unguided-sgd",
}

// problems in the order in which they are run: the cheap ones first.
var problems = []problem{
	{
		name: "lenet", network: "lenet", batch: 32, iterations: 1500, every: 50,
		targets: []float64{2, 1.8, 1.6, 1.5, 1.4, 1.3}, headline: 1.5, tuning: []uint64{101, 102},
	},
	{
		name: "sigmoid", network: layers(6, "linear 64, sigmoid"), batch: 32, iterations: 2500, every: 50,
		targets: []float64{2.25, 2.2, 2.15, 2.1, 2.05, 2}, headline: 2.1, tuning: []uint64{101}, finals: []uint64{102}, ways: plateau,
		ranges: map[string][2]float64{"sgd": {0.1, 10}, "momentum": {0.01, 1}, "nesterov": {0.01, 1}},
	},
	{
		name: "narrow", network: layers(12, "linear 16, relu"), batch: 32, iterations: 2500, every: 50,
		targets: []float64{2.25, 2.2, 2.1, 2, 1.9}, headline: 2, tuning: []uint64{101}, finals: []uint64{102}, ways: plateau,
	},
	{
		name: "mlp", network: "mlp", batch: 32, iterations: 700, every: 25,
		targets: []float64{2, 1.8, 1.7, 1.6, 1.5, 1.45}, headline: 1.6, tuning: []uint64{101}, finals: []uint64{102}, ways: broad,
		ranges: map[string][2]float64{"adam": {3e-5, 3e-3}, "signum": {1e-5, 1e-3}},
	},
	{
		name: "cnn", network: "cnn", batch: 32, iterations: 350, every: 25, train: 500, test: 300,
		targets: []float64{2, 1.8, 1.6, 1.5, 1.4, 1.3}, headline: 1.5, tuning: []uint64{101}, finals: []uint64{102}, ways: broad,
	},
	{
		name: "resnet20", network: "resnet20", batch: 32, iterations: 300, every: 25, train: 500, test: 300,
		targets: []float64{2, 1.8, 1.7, 1.6, 1.5, 1.4}, headline: 1.7, tuning: []uint64{101}, finals: []uint64{102}, ways: broad,
		ranges: map[string][2]float64{"momentum": {0.003, 0.3}, "nesterov": {0.003, 0.3}},
	},
}

// layers is a network of that many layers alike before the last.
func layers(depth int, layer string) string {
	return strings.Repeat(layer+", ", depth) + "linear classes"
}

// has tells whether a way is run on the problem.
func (p *problem) has(way string) bool { return p.ways == nil || slices.Contains(p.ways, way) }

// spec says what a run of the problem with that optimiser is.
func (p *problem) spec(optimizer nn.Optimizer, schedule string) lab.Spec {
	s := lab.Default()
	s.Name = "faster-" + p.name
	s.Data.Set = "cifar10"
	s.Network = lab.Network(p.network)
	s.Optimizer = optimizer
	s.Schedule.Name = cmp.Or(schedule, s.Schedule.Name)
	s.Batch, s.Iterations = p.batch, p.iterations
	s.Eval = train.Eval{Every: p.every, Train: cmp.Or(p.train, 1000), Test: cmp.Or(p.test, 500)}
	return s
}

func (p *problem) validate(ways []way) error {
	if !slices.Contains(p.targets, p.headline) {
		return fmt.Errorf("%s: the headline %g is none of its targets", p.name, p.headline)
	}
	for _, name := range p.ways {
		if !slices.ContainsFunc(ways, func(w way) bool { return w.name == name }) {
			return fmt.Errorf("%s: there is no way %q", p.name, name)
		}
	}
	return nil
}
