package main

import (
	"fmt"
	"math"
	"slices"

	"swapmc/dataset"
	"swapmc/internal/report"
	"swapmc/internal/train"
	"swapmc/nn"
	"swapmc/swap"
)

// An arm is a way of training whose weights are watched.
type arm struct {
	name      string
	optimizer nn.Optimizer
	protocol  string
}

var arms = []arm{
	{"SGD, momentum 0.9, 0.01", nn.Optimizer{Name: "sgd", LR: rate, Momentum: beta}, ""},
	{"signum, 0.0003", nn.Optimizer{Name: "signum", LR: 0.0003}, ""},
	{"Adam, 0.001", nn.Optimizer{Name: "adam", LR: adamRate}, ""},
	{"Adam, 0.001, and guided swaps, window 0.1", nn.Optimizer{Name: "adam", LR: adamRate}, fmt.Sprintf(guided, 0.1)},
	{"guided swaps alone, window 0.3", nn.Optimizer{Name: "none"}, fmt.Sprintf(guided, 0.3)},
	{"guided swaps alone, window 0.3 to 0", nn.Optimizer{Name: "none"}, "weights:1SS each n=all guide=momentum window=0.3std..0std until=%d ramp=linear accept=greedy"},
}

// A course is a training of an arm.
type course struct {
	network string
	arm     arm
	points  []train.Point
	norms   []float64 // of all weights, over what it was at first
	kept    bool      // the weights of every layer are the initial ones in another order
}

const normPoints = 20 // evaluations of a training

func watch(set *dataset.Set, network string, iterations int, a arm) (*course, error) {
	cfg := train.Config{Network: network, Optimizer: a.optimizer, Batch: batch, Iterations: iterations, Seed: seed,
		Eval: train.Eval{Every: max(1, iterations/normPoints), Train: 1000, Test: 250}}
	if a.protocol != "" {
		text := a.protocol
		if a.optimizer.Name == "none" && slices.Contains([]byte(text), '%') {
			text = fmt.Sprintf(text, iterations)
		}
		p, err := swap.Parse(text)
		if err != nil {
			return nil, err
		}
		cfg.Protocols = append(cfg.Protocols, p)
	}
	r, err := train.New(cfg, set, 1)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	c := &course{network: network, arm: a}
	start, initial := norm(r.Network()), sortedWeights(r.Network())
	for {
		if r.Iteration()%cfg.Eval.Every == 0 || r.Done() {
			c.points = append(c.points, r.Evaluate())
			c.norms = append(c.norms, norm(r.Network())/start)
		}
		if r.Done() {
			break
		}
		if err := r.Step(); err != nil {
			return nil, fmt.Errorf("%s, %s: %w", network, a.name, err)
		}
	}
	c.kept = slices.EqualFunc(initial, sortedWeights(r.Network()), slices.Equal[[]float32])
	return c, nil
}

// norm of all weights, without the biases.
func norm(n *nn.Network) float64 {
	var sum float64
	for _, l := range n.Layers() {
		w := n.Params()[l.Weight.Offset:][:l.Weight.Len]
		sum += dot(w, w)
	}
	return math.Sqrt(sum)
}

// sortedWeights are the weights of each layer in order of size.
func sortedWeights(n *nn.Network) [][]float32 {
	var list [][]float32
	for _, l := range n.Layers() {
		w := slices.Clone(n.Params()[l.Weight.Offset:][:l.Weight.Len])
		slices.Sort(w)
		list = append(list, w)
	}
	return list
}

func courseTable(courses []*course) table {
	t := table{{"network", "arm", "iteration", "weight_norm_over_initial", "train_loss", "test_loss", "test_accuracy", "weights_are_a_permutation_in_the_end"}}
	for _, c := range courses {
		for i, p := range c.points {
			t.add(c.network, c.arm.name, p.Iteration, c.norms[i], p.TrainLoss, p.TestLoss, p.TestAccuracy, c.kept)
		}
	}
	return t
}

func coursePanels(courses []*course, network string) (legend []string, panels []report.Panel) {
	norms := report.Panel{X: "iteration", Y: "norm of the weights / initial", LogY: true}
	losses := report.Panel{X: "iteration", Y: "training loss"}
	for _, c := range courses {
		if c.network != network {
			continue
		}
		n, l := report.Curve{Entry: len(legend)}, report.Curve{Entry: len(legend)}
		for i, p := range c.points {
			n.X, n.Y = append(n.X, float64(p.Iteration)), append(n.Y, c.norms[i])
			l.X, l.Y = append(l.X, float64(p.Iteration)), append(l.Y, p.TrainLoss)
		}
		norms.Curves, losses.Curves = append(norms.Curves, n), append(losses.Curves, l)
		legend = append(legend, c.arm.name)
	}
	return legend, []report.Panel{norms, losses}
}
