package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"swapmc/internal/kernel"
	"swapmc/internal/spelling"
)

// Optimizer names an optimiser and its constants, in PyTorch's terms. A zero
// constant stands for PyTorch's default.
//
//	sgd       d = g + decay w;  v = momentum v + d;  w -= lr v  (nesterov: w -= lr (d + momentum v))
//	adam      Kingma and Ba 2015, with bias correction; decay added to the gradient
//	adamw     Loshchilov and Hutter 2019: w -= lr decay w apart from the gradient; decay 0.01 by default
//	langevin  w -= lr g + sqrt(2 lr T) xi with xi normal: samples exp(-L/T) for small lr
//	gd        w -= lr g on the full training set, which the trainer supplies
//	signum    Bernstein et al. 2018: m = momentum m + (1-momentum) g;  w -= lr (sign(m) + decay w);
//	          momentum 0.9 by default
//	none      nothing: for swaps alone; lr, which need not be given, changes no weight
//
// Sgd plus sign step: with Sign > 0 every weight moves, after the update of sgd, by about
// the same amount, as guided swaps do, to which it is the control:
//
//	w -= Sign lr/LR sign(m),  lr/LR being the factor of the schedule
//
// m is the velocity v, or without momentum m = 0.9 m + 0.1 g. The sign of 0 is 0.
type Optimizer struct {
	Name        string  `yaml:"name" json:"name"`
	LR          float64 `yaml:"lr" json:"lr"`
	Momentum    float64 `yaml:"momentum,omitempty" json:"momentum,omitempty"`
	Nesterov    bool    `yaml:"nesterov,omitempty" json:"nesterov,omitempty"`
	Sign        float64 `yaml:"sign,omitempty" json:"sign,omitempty"`
	WeightDecay float64 `yaml:"weight-decay,omitempty" json:"weight-decay,omitempty"`
	Beta1       float64 `yaml:"beta1,omitempty" json:"beta1,omitempty"`
	Beta2       float64 `yaml:"beta2,omitempty" json:"beta2,omitempty"`
	Epsilon     float64 `yaml:"epsilon,omitempty" json:"epsilon,omitempty"`
	Temperature float64 `yaml:"temperature,omitempty" json:"temperature,omitempty"`
}

var optimizerNames = []string{"sgd", "adam", "adamw", "langevin", "gd", "signum", "none"}

// averaging is the momentum of signum and of the sign step of sgd that has none itself.
const averaging = 0.9

// Validate reports an unknown name, a constant out of range, or one that the
// optimiser does not have.
func (o Optimizer) Validate() error {
	known := false
	for _, n := range optimizerNames {
		known = known || n == o.Name
	}
	adam := o.Name == "adam" || o.Name == "adamw"
	switch {
	case !known:
		return fmt.Errorf("optimizer %q%s: want one of %s", o.Name, spelling.Hint(o.Name, optimizerNames), strings.Join(optimizerNames, ", "))
	case o.Name == "none" && (!(o.LR >= 0) || math.IsInf(o.LR, 0)):
		return fmt.Errorf("optimizer none: lr = %g: want at least 0, or lr away", o.LR)
	case o.Name != "none" && !(o.LR > 0) || math.IsInf(o.LR, 0):
		return fmt.Errorf("optimizer %s: lr = %g: want a learning rate above 0", o.Name, o.LR)
	case !(o.Momentum >= 0 && o.Momentum < 1):
		return fmt.Errorf("optimizer %s: momentum = %g: want at least 0 and below 1", o.Name, o.Momentum)
	case o.Momentum != 0 && o.Name != "sgd" && o.Name != "signum":
		return fmt.Errorf("optimizer %s has no momentum: want sgd or signum, or momentum away", o.Name)
	case o.Nesterov && o.Name != "sgd":
		return fmt.Errorf("optimizer %s has no nesterov: want sgd, or nesterov away", o.Name)
	case !(o.Sign >= 0) || math.IsInf(o.Sign, 0):
		return fmt.Errorf("optimizer %s: sign = %g: want at least 0", o.Name, o.Sign)
	case o.Sign != 0 && o.Name != "sgd":
		return fmt.Errorf("optimizer %s has no sign step: want sgd, or sign away", o.Name)
	case o.Nesterov && o.Momentum == 0:
		return fmt.Errorf("optimizer %s: nesterov needs momentum above 0", o.Name)
	case !(o.WeightDecay >= 0) || math.IsInf(o.WeightDecay, 0):
		return fmt.Errorf("optimizer %s: weight-decay = %g: want at least 0", o.Name, o.WeightDecay)
	case o.WeightDecay != 0 && (o.Name == "langevin" || o.Name == "gd" || o.Name == "none"):
		return fmt.Errorf("optimizer %s has no weight decay: want sgd, signum, adam or adamw", o.Name)
	case !adam && (o.Beta1 != 0 || o.Beta2 != 0 || o.Epsilon != 0):
		return fmt.Errorf("optimizer %s has no beta1, beta2, epsilon: want adam or adamw", o.Name)
	case !(o.Beta1 >= 0 && o.Beta1 < 1 && o.Beta2 >= 0 && o.Beta2 < 1 && o.Epsilon >= 0) || math.IsInf(o.Epsilon, 0):
		return fmt.Errorf("optimizer %s: beta1 = %g, beta2 = %g, epsilon = %g: want betas in [0, 1) and epsilon at least 0", o.Name, o.Beta1, o.Beta2, o.Epsilon)
	case o.Name == "langevin" && !(o.Temperature >= 0) || math.IsInf(o.Temperature, 0):
		return fmt.Errorf("optimizer langevin: temperature = %g: want at least 0", o.Temperature)
	case o.Name != "langevin" && o.Temperature != 0:
		return fmt.Errorf("optimizer %s has no temperature: want langevin", o.Name)
	}
	return nil
}

// New returns the optimiser for n parameters.
func (o Optimizer) New(n int) (*Updater, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	u := &Updater{Optimizer: o, size: n}
	switch o.Name {
	case "sgd":
		if o.Momentum != 0 || o.Sign != 0 {
			u.state = [][]float32{newState(n)}
		}
	case "signum":
		u.state = [][]float32{newState(n)}
		defaults(&u.Momentum, averaging)
	case "adam", "adamw":
		u.state = [][]float32{kernel.Make(n), kernel.Make(n)}
		defaults(&u.Beta1, 0.9)
		defaults(&u.Beta2, 0.999)
		defaults(&u.Epsilon, 1e-8)
		if o.Name == "adamw" {
			defaults(&u.WeightDecay, 0.01)
		}
	}
	return u, nil
}

// newState returns n values that lie half a page beside the parameters, which large slices
// begin with a page as well: entries that are read and written together share no line of L1.
func newState(n int) []float32 {
	const half = 512
	return kernel.Make(n + half)[half:]
}

func defaults(x *float64, value float64) {
	if *x == 0 {
		*x = value
	}
}

// An Updater is an optimiser at work, with its state.
type Updater struct {
	Optimizer
	state [][]float32
	steps int
	size  int     // parameters
	keep  float64 // beta of the average that plain sgd keeps for others; 0 for none

	// Of the update under way.
	lr      float64
	descent kernel.Descent // of sgd without a sign step, gd and langevin
	adam    kernel.AdamStep
}

// State returns the optimiser's state, each slice laid out as the parameters:
// the velocity of sgd with momentum; the average of the gradient of signum and of sgd with
// a sign step and no momentum; the first and second moments of adam.
func (u *Updater) State() [][]float32 { return u.state }

// Average returns the part of the state that is an exponential average of the gradient,
//
//	a <- beta a + (1-beta) g,
//
// nil where the optimiser keeps none with this beta. If not exact, it is one apart from a
// positive factor: the velocity of sgd. Plain sgd begins to keep one when it is asked,
// which must be before its first update; it is then part of the state.
func (u *Updater) Average(beta float64) (a []float32, exact bool) {
	switch {
	case u.Name == "sgd" && u.Momentum != 0:
		if beta != u.Momentum || u.WeightDecay != 0 {
			return nil, false
		}
		return u.state[0], false
	case u.Name == "sgd" && u.Sign != 0:
		if beta != averaging {
			return nil, false
		}
	case u.Name == "sgd":
		if u.keep == 0 {
			u.keep = beta
			u.state = [][]float32{newState(u.size)}
		}
		if beta != u.keep {
			return nil, false
		}
	case u.Name == "signum":
		if beta != u.Momentum {
			return nil, false
		}
	case u.Name == "adam" && u.WeightDecay == 0 || u.Name == "adamw":
		if beta != u.Beta1 {
			return nil, false
		}
	default:
		return nil, false
	}
	return u.state[0], true
}

// Steps returns the number of updates so far.
func (u *Updater) Steps() int { return u.steps }

// SetSteps restores the number of updates, for a resumed run.
func (u *Updater) SetSteps(n int) { u.steps = n }

// Update changes the parameters by one step along the gradient, at learning
// rate lr in place of Optimizer.LR. Only langevin draws from noise.
func (u *Updater) Update(params, grads []float32, lr float64, noise *rand.Rand) {
	u.begin(lr)
	u.apply(params, grads, 0)
	if u.Name == "langevin" {
		amplitude := math.Sqrt(2 * lr * u.Temperature)
		for i := range params {
			params[i] += float32(amplitude * noise.NormFloat64())
		}
	}
}

// separable tells whether the parameters may be updated in parts.
func (u *Updater) separable() bool { return u.Name != "langevin" }

// begin counts an update at this learning rate.
func (u *Updater) begin(lr float64) {
	u.steps++
	u.lr = lr
	u.descent = kernel.Descent{LR: float32(lr), Mu: float32(u.Momentum), Decay: float32(u.WeightDecay)}
	switch {
	case u.Nesterov:
		u.descent.Rule = kernel.Nesterov
	case u.Momentum != 0:
		u.descent.Rule = kernel.HeavyBall
	case u.keep != 0:
		u.descent.Rule, u.descent.Mu = kernel.Averaging, float32(u.keep)
	}
	if u.Name != "adam" && u.Name != "adamw" {
		return
	}
	u.adam = kernel.AdamStep{
		Beta1: float32(u.Beta1), Rest1: float32(1 - u.Beta1),
		Beta2: float32(u.Beta2), Rest2: float32(1 - u.Beta2),
		Rate:    float32(lr / (1 - math.Pow(u.Beta1, float64(u.steps)))),
		Root:    float32(1 / math.Sqrt(1-math.Pow(u.Beta2, float64(u.steps)))),
		Epsilon: float32(u.Epsilon),
	}
	if u.Name == "adamw" {
		u.adam.Apart = float32(lr * u.WeightDecay)
	} else {
		u.adam.Coupled = float32(u.WeightDecay)
	}
}

// apply updates the parameters from an offset on that have these gradients.
func (u *Updater) apply(params, grads []float32, offset int) {
	n := len(grads)
	params = params[offset:][:n]
	var state [2][]float32
	for i, x := range u.state {
		state[i] = x[offset:][:n]
	}
	lr, mu, decay := float32(u.lr), float32(u.Momentum), float32(u.WeightDecay)
	switch u.Name {
	case "sgd", "gd", "langevin":
		step := float32(u.Sign * u.lr / u.LR)
		switch {
		case u.Sign == 0:
			u.descent.Apply(params, grads, state[0])
		case u.Momentum != 0:
			kernel.MomentumSign(params, grads, state[0], lr, mu, decay, step, u.Nesterov)
		default:
			kernel.SGDSign(params, grads, state[0], lr, decay, averaging, step)
		}
	case "signum":
		kernel.Signum(params, grads, state[0], lr, mu, decay)
	case "adam", "adamw":
		kernel.Adam(params, grads, state[0], state[1], u.adam)
	}
}

// alongProduct is apply to weights from an offset on, whose rows are ld apart, along the product of rows [lo, hi) of
// slopes with n columns of strips (see [kernel.MulSparse]), where there is a faster way than to store it. It
// reports whether there is.
func (u *Updater) alongProduct(params []float32, offset int, slopes *kernel.Sparse, lo, hi, n int, strips []float32, ld, next int, scratch []float32) bool {
	if u.Name != "sgd" || u.Sign != 0 {
		return false
	}
	var velocity []float32
	if u.state != nil {
		velocity = u.state[0][offset:]
	}
	kernel.MulDescent(slopes, lo, hi, n, strips, params[offset:], velocity, ld, next, u.descent, scratch)
	return true
}
