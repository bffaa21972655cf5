package train

import (
	"fmt"

	"swapmc/dataset"
	"swapmc/nn"
	"swapmc/swap"
)

// Config defines a run, up to the data set. Two runs of equal Config on the same
// data are bit-identical on one kernel, whatever the number of threads.
type Config struct {
	Network    string          `yaml:"network" json:"network"`                         // a reference name or layers, as nn.Parse reads
	Init       string          `yaml:"init" json:"init"`                               // pytorch, he or xavier; "" is pytorch
	Loss       string          `yaml:"loss" json:"loss"`                               // cross-entropy, mean-squared or quadratic-hinge; "" is cross-entropy
	Precision  string          `yaml:"precision,omitempty" json:"precision,omitempty"` // of the products of convolutions: float32 (also "") or bf16
	Optimizer  nn.Optimizer    `yaml:"optimizer" json:"optimizer"`
	Schedule   nn.Schedule     `yaml:"schedule" json:"schedule"`
	Batch      int             `yaml:"batch" json:"batch"`           // images an iteration
	Iterations int             `yaml:"iterations" json:"iterations"` // length of the run
	Eval       Eval            `yaml:"eval" json:"eval"`
	Protocols  []swap.Protocol `yaml:"protocols" json:"protocols"` // act together, each with its own random stream
	Seed       uint64          `yaml:"seed" json:"seed"`
}

// Eval says how often and on how many images a run is measured. The images are
// the same for every seed and are never swapped.
type Eval struct {
	Every int `yaml:"every" json:"every"` // iterations between evaluations; also at iteration 0 and the last
	Train int `yaml:"train" json:"train"` // images of the training set, 0 for all
	Test  int `yaml:"test" json:"test"`   // images of the test set, 0 for all
}

// Point is one evaluation.
type Point struct {
	Iteration     int
	Seconds       float64 // training time so far; evaluation and checkpoints excluded
	TrainLoss     float64 // mean over the clean training subset
	TrainAccuracy float64 // in [0, 1]
	TestLoss      float64
	TestAccuracy  float64
	LearningRate  float64 // of the next iteration
	Proposed      int64   // swaps so far, over all protocols
	Accepted      int64
}

// Check reports whether a run of cfg on that data can start: whether the network
// has the right shape, the optimiser exists and each protocol finds something
// to swap.
func Check(cfg Config, data *dataset.Set) error {
	r, err := New(cfg, data, 1)
	if err != nil {
		return err
	}
	r.Close()
	return nil
}

func (c Config) validate(data *dataset.Set) error {
	switch {
	case c.Batch < 1:
		return fmt.Errorf("batch = %d: want at least one image", c.Batch)
	case c.Iterations < 1:
		return fmt.Errorf("iterations = %d: want at least 1", c.Iterations)
	case c.Eval.Every < 1:
		return fmt.Errorf("eval.every = %d: want at least 1", c.Eval.Every)
	case c.Eval.Train < 0 || c.Eval.Test < 0:
		return fmt.Errorf("eval: %d training and %d test images: want 0 (all) or more", c.Eval.Train, c.Eval.Test)
	case data.Train.Len() < c.Batch:
		return fmt.Errorf("batch = %d: the training set has only %d images", c.Batch, data.Train.Len())
	case data.Test.Len() == 0:
		return fmt.Errorf("data set %s: no test images", data.Name)
	}
	for _, p := range c.Protocols {
		if p.Target == swap.Diameters || p.Target == swap.Lengths {
			return fmt.Errorf("%s: a network has no %s: want features, weights, biases or params", p, p.Target)
		}
		if p.From >= c.Iterations {
			return fmt.Errorf("%s: the run ends after %d iterations, before from=%d: want less", p, c.Iterations, p.From)
		}
	}
	return nil
}
