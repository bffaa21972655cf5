package nn

import (
	"fmt"
	"math"

	"swapmc/internal/spelling"
)

// A Loss compares the outputs f of a network with a label.
type Loss int

// The losses of one image with label y among C classes. A batch has their mean.
//
// The quadratic hinge makes a label one against all others; where every output
// is beyond its margin of 1, the loss is exactly zero: training becomes a
// satisfiability problem with a jamming transition at the interpolation
// threshold (Spigler, Geiger et al., J. Phys. A 52, 474001, 2019). Mean squared
// error is torch.nn.MSELoss against one-hot targets.
const (
	CrossEntropy   Loss = iota // -log softmax(f)_y
	MeanSquared                // mean over classes of (f_c - t_c)^2, t one at y and zero elsewhere
	QuadraticHinge             // sum over classes of 1/2 max(0, 1 - t_c f_c)^2, t one at y and minus one elsewhere
)

var lossNames = []string{"cross-entropy", "mean-squared", "quadratic-hinge"}

func (l Loss) String() string {
	if l < 0 || int(l) >= len(lossNames) {
		return fmt.Sprintf("Loss(%d)", int(l))
	}
	return lossNames[l]
}

// ParseLoss reads the name of a loss: cross-entropy (also ""), mean-squared,
// quadratic-hinge.
func ParseLoss(name string) (Loss, error) {
	if name == "" {
		return CrossEntropy, nil
	}
	for i, n := range lossNames {
		if n == name {
			return Loss(i), nil
		}
	}
	return 0, fmt.Errorf("loss %q%s: want cross-entropy, mean-squared or quadratic-hinge", name, spelling.Hint(name, lossNames))
}

// evaluate returns the sum of the losses of a batch and how many images have
// their largest output at the label. Where d is not nil it gets the gradient of
// the mean loss with respect to the outputs.
func (l Loss) evaluate(f []float32, labels []uint8, classes int, d []float32) (sum float64, correct int) {
	scale := 1 / float64(len(labels))
	for b, label := range labels {
		f := f[b*classes:][:classes]
		best := 0
		for c, v := range f {
			if v > f[best] {
				best = c
			}
		}
		if best == int(label) {
			correct++
		}
		var g []float32
		if d != nil {
			g = d[b*classes:][:classes]
		}
		sum += l.one(f, int(label), best, scale, g)
	}
	return sum, correct
}

// one returns the loss of one image and, times scale, its gradient.
func (l Loss) one(f []float32, label, best int, scale float64, g []float32) (loss float64) {
	switch l {
	case CrossEntropy:
		top := float64(f[best])
		var z float64
		for c, v := range f {
			e := math.Exp(float64(v) - top)
			z += e
			if g != nil {
				g[c] = float32(e)
			}
		}
		for c := range g {
			g[c] = float32(scale / z * float64(g[c]))
		}
		if g != nil {
			g[label] -= float32(scale)
		}
		return math.Log(z) + top - float64(f[label])
	case MeanSquared:
		n := float64(len(f))
		for c, v := range f {
			e := float64(v)
			if c == label {
				e--
			}
			loss += e * e / n
			if g != nil {
				g[c] = float32(scale * 2 * e / n)
			}
		}
	case QuadraticHinge:
		for c, v := range f {
			t := -1.0
			if c == label {
				t = 1
			}
			e := 1 - t*float64(v)
			if e <= 0 {
				e = 0
			}
			loss += e * e / 2
			if g != nil {
				g[c] = float32(-scale * t * e)
			}
		}
	}
	return loss
}
