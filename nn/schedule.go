package nn

import (
	"cmp"
	"fmt"
	"math"

	"swapmc/internal/spelling"
)

// Schedule changes the learning rate during training. The zero value keeps it
// constant.
//
//	constant
//	step     times Gamma every Every iterations
//	cosine   falls to zero at the end as (1 + cos(pi x))/2 (Loshchilov and Hutter 2017)
//
// Any of them begins with a linear warm-up over Warmup iterations.
type Schedule struct {
	Name   string  `yaml:"name,omitempty" json:"name,omitempty"`
	Warmup int     `yaml:"warmup,omitempty" json:"warmup,omitempty"`
	Every  int     `yaml:"every,omitempty" json:"every,omitempty"`
	Gamma  float64 `yaml:"gamma,omitempty" json:"gamma,omitempty"`
}

// Validate reports an unknown name or numbers that the schedule cannot have.
func (s Schedule) Validate() error {
	names := []string{"constant", "step", "cosine"}
	switch {
	case s.Name != "" && s.Name != "constant" && s.Name != "step" && s.Name != "cosine":
		return fmt.Errorf("schedule %q%s: want constant, step or cosine", s.Name, spelling.Hint(s.Name, names))
	case s.Warmup < 0:
		return fmt.Errorf("schedule %s: warmup = %d: want at least 0", cmp.Or(s.Name, "constant"), s.Warmup)
	case s.Name == "step" && (s.Every < 1 || !(s.Gamma > 0) || math.IsInf(s.Gamma, 0)):
		return fmt.Errorf("schedule step: every = %d, gamma = %g: want both above 0", s.Every, s.Gamma)
	case s.Name != "step" && (s.Every != 0 || s.Gamma != 0):
		return fmt.Errorf("schedule %s: every and gamma belong to step", cmp.Or(s.Name, "constant"))
	}
	return nil
}

// Factor returns what the learning rate is multiplied with at an iteration,
// counted from 0, of a run of that many in total.
func (s Schedule) Factor(iteration, total int) float64 {
	if iteration < s.Warmup {
		return float64(iteration+1) / float64(s.Warmup)
	}
	switch s.Name {
	case "step":
		return math.Pow(s.Gamma, float64(iteration/max(1, s.Every)))
	case "cosine":
		x := float64(iteration-s.Warmup) / float64(max(1, total-s.Warmup))
		return (1 + math.Cos(math.Pi*min(x, 1))) / 2
	}
	return 1
}
