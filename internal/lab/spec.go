package lab

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"swapmc/internal/spelling"
	"swapmc/internal/train"
	"swapmc/nn"
	"swapmc/swap"
)

// A Spec says what is to be measured. Its YAML form is the file that users write
// and the spec.yaml of a results folder.
type Spec struct {
	Name       string       `yaml:"name"`
	Version    string       `yaml:"version,omitempty"` // of the program that wrote it
	System     string       `yaml:"system"`            // "network", for now
	Data       Data         `yaml:"data"`
	Network    Network      `yaml:"network"`
	Init       string       `yaml:"init"`
	Loss       string       `yaml:"loss"`
	Precision  string       `yaml:"precision,omitempty"` // of the products of convolutions: float32 (also "") or bf16
	Optimizer  nn.Optimizer `yaml:"optimizer"`
	Schedule   nn.Schedule  `yaml:"schedule"`
	Batch      int          `yaml:"batch"`
	Iterations int          `yaml:"iterations"`
	Eval       train.Eval   `yaml:"eval"`
	Protocols  []Protocols  `yaml:"protocols"` // each is compared with no swaps
	Seeds      Seeds        `yaml:"seeds"`
	Targets    []float64    `yaml:"targets"` // training losses; empty: chosen from the baseline
	Checkpoint Checkpoint   `yaml:"checkpoint"`
	Parallel   int          `yaml:"parallel"` // runs at once; 0: as many as cores suffice for
}

// Data names a data set.
type Data struct {
	Set   string `yaml:"set"`   // one of Sets
	Path  string `yaml:"path"`  // where its files are; "": the usual folder
	Train int    `yaml:"train"` // images to use, the first of each set; 0: all
	Test  int    `yaml:"test"`
}

// Checkpoint says how often an unfinished run is saved.
type Checkpoint struct {
	Every int `yaml:"every"` // iterations; 0: only when stopped
}

// Default is the Spec of which a user's file or flags change parts.
func Default() Spec {
	return Spec{
		Name:    "compare",
		System:  "network",
		Data:    Data{Set: "synth"},
		Network: "lenet",
		Init:    "pytorch",
		Loss:    "cross-entropy",
		// The best of 0.02, 0.05, 0.1 and 0.2 without swaps, so that no protocol wins
		// against a weak opponent.
		Optimizer:  nn.Optimizer{Name: "sgd", LR: 0.1},
		Schedule:   nn.Schedule{Name: "constant"},
		Batch:      32,
		Iterations: 600,
		Eval:       train.Eval{Every: 20, Train: 500, Test: 500},
		Seeds:      FirstSeeds(5),
		Checkpoint: Checkpoint{Every: 500},
	}
}

// DefaultProtocols are compared where a Spec names none: the poster's two, a
// weaker and a stronger one on weights, and the one guided by the gradient.
func DefaultProtocols() []Protocols {
	var list []Protocols
	for _, text := range []string{
		"features:1SA",
		"features:1AS n=64",
		"weights:1SA every=100",
		"weights:1SS accept=metropolis T=1e-4",
		"weights:1SS each n=all guide=momentum window=0.01 accept=greedy",
	} {
		p, err := ParseProtocols(text)
		if err != nil {
			panic(err) // a constant of this package
		}
		list = append(list, p)
	}
	return list
}

// A FieldError tells which key of a Spec has a value that cannot be.
type FieldError struct {
	Key string // for example "eval.every"
	Err error
}

func (e *FieldError) Error() string { return e.Key + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *FieldError) Unwrap() error { return e.Err }

// Validate reports the first value that cannot be, as a [*FieldError]. What
// depends on the data is left to [Plan].
func (s *Spec) Validate() error {
	fail := func(key, format string, args ...any) error {
		return &FieldError{Key: key, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case s.Name == "" || s.Name != strings.TrimSpace(s.Name) || strings.ContainsAny(s.Name, `/\:*?"<>|`) || strings.HasPrefix(s.Name, "."):
		return fail("name", "%q: want a folder name, without / and not starting with a dot", s.Name)
	case s.System != "network":
		return fail("system", "%q: want network or glass", s.System)
	case !slices.Contains(Sets(), s.Data.Set):
		return fail("data.set", "unknown data set %q%s: want %s", s.Data.Set, spelling.Hint(s.Data.Set, Sets()), alternatives(Sets()))
	case s.Data.Train < 0:
		return fail("data.train", "%d: want a number of images, or 0 for all", s.Data.Train)
	case s.Data.Test < 0:
		return fail("data.test", "%d: want a number of images, or 0 for all", s.Data.Test)
	case s.Init != "" && !slices.Contains(inits, s.Init):
		return fail("init", "unknown initialisation %q%s: want %s", s.Init, spelling.Hint(s.Init, inits), alternatives(inits))
	case s.Batch < 1:
		return fail("batch", "%d: want at least one image", s.Batch)
	case s.Iterations < 1:
		return fail("iterations", "%d: want at least 1", s.Iterations)
	case s.Eval.Every < 1:
		return fail("eval.every", "%d: want at least 1", s.Eval.Every)
	case s.Eval.Train < 0:
		return fail("eval.train", "%d: want a number of images, or 0 for all", s.Eval.Train)
	case s.Eval.Test < 0:
		return fail("eval.test", "%d: want a number of images, or 0 for all", s.Eval.Test)
	case len(s.Seeds) == 0:
		return fail("seeds", "want a number of at least 1, or a list of seeds")
	case s.Checkpoint.Every < 0:
		return fail("checkpoint.every", "%d: want a number of iterations, or 0 for none but at the end", s.Checkpoint.Every)
	case s.Parallel < 0:
		return fail("parallel", "%d: want a number of runs at once, or 0 for one on each core", s.Parallel)
	}
	if _, err := nn.Parse(string(s.Network)); err != nil {
		return &FieldError{Key: "network", Err: err}
	}
	if _, err := nn.ParseLoss(s.Loss); err != nil {
		return &FieldError{Key: "loss", Err: err}
	}
	if _, err := nn.ParsePrecision(s.Precision); err != nil {
		return &FieldError{Key: "precision", Err: err}
	}
	if err := s.Optimizer.Validate(); err != nil {
		return &FieldError{Key: "optimizer", Err: err}
	}
	if err := s.Schedule.Validate(); err != nil {
		return &FieldError{Key: "schedule", Err: err}
	}
	seen := map[string]bool{"none": true}
	for i, p := range s.Protocols {
		key := fmt.Sprintf("protocols[%d]", i)
		switch text := p.String(); {
		case text == "none":
			return fail(key, "no swaps are the baseline, which is always run: leave it out")
		case seen[text]:
			return fail(key, "%s is given twice", text)
		default:
			seen[text] = true
		}
		for _, q := range p {
			if q.Target == swap.Diameters || q.Target == swap.Lengths {
				return fail(key, "%s: a network has no %s: want features, weights, biases or params", q, q.Target)
			}
		}
	}
	for i, x := range s.Seeds {
		if slices.Contains(s.Seeds[:i], x) {
			return fail("seeds", "%d is given twice", x)
		}
	}
	for i, x := range s.Targets {
		if !(x > 0) || math.IsInf(x, 0) {
			return fail(fmt.Sprintf("targets[%d]", i), "%v: want a training loss above 0", x)
		}
	}
	return nil
}

// inits are the initialisations that a network knows.
var inits = []string{"pytorch", "he", "xavier"}

// config is the part of the Spec that one run sees.
func (s *Spec) config(p Protocols, seed uint64) train.Config {
	precision := s.Precision
	if precision == nn.Float32.String() {
		precision = "" // what is not said has been float32 from the first version on
	}
	return train.Config{
		Network:    string(s.Network),
		Init:       s.Init,
		Loss:       s.Loss,
		Precision:  precision,
		Optimizer:  s.Optimizer,
		Schedule:   s.Schedule,
		Batch:      s.Batch,
		Iterations: s.Iterations,
		Eval:       s.Eval,
		Protocols:  p,
		Seed:       seed,
	}
}
