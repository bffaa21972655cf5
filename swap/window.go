package swap

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// A Window bounds the difference of two values that are exchanged: the trust region
// of a guide, the usual limit of the difference of two diameters. The zero value is
// no limit.
type Window struct {
	Size   float64
	Unit   Unit
	Anneal bool    // the protocol's ramp takes the window from Size to End
	End    float64 // in the same unit, 0 or more
}

// A Unit is what a window is measured in.
type Unit string

// The units of a window. A layer's spread is the standard deviation of its values
// when the protocol is bound to them, that is, of its initial weights: swaps do not
// change it.
const (
	Absolute     Unit = ""
	Spread       Unit = "std" // of the layer that the values belong to; of two layers, the smaller
	LearningRate Unit = "lr"  // of this iteration, so that the window follows its schedule
)

func (w Window) String() string {
	s := number(w.Size) + string(w.Unit)
	if w.Anneal {
		s += ".." + number(w.End) + string(w.Unit)
	}
	return s
}

func parseWindow(text string) (w Window, err error) {
	from, to, isRange := strings.Cut(text, "..")
	if w.Size, w.Unit, err = length(from); err != nil {
		return w, err
	}
	if w.Size <= 0 {
		return w, errors.New("want a positive number")
	}
	if !isRange {
		return w, nil
	}
	w.Anneal = true
	var unit Unit
	if w.End, unit, err = length(to); err != nil {
		return w, err
	}
	if unit != w.Unit && w.End != 0 {
		return w, fmt.Errorf("want both ends in one unit, such as %s..%s%s", from, number(w.End), w.Unit)
	}
	if w.End < 0 {
		return w, errors.New("want 0 or more at the end")
	}
	return w, nil
}

// length reads a number with a unit.
func length(text string) (x float64, unit Unit, err error) {
	for _, u := range []Unit{Spread, LearningRate} {
		if n, ok := strings.CutSuffix(text, string(u)); ok {
			text, unit = n, u
			break
		}
	}
	if err := decimal(&x, text); err != nil {
		return 0, unit, fmt.Errorf("%w: want a number such as 0.01, 0.1std (of a layer's spread) or 2lr (of the learning rate)", err)
	}
	return x, unit, nil
}

// fault returns what is wrong with the window of a protocol.
func (w Window) fault(p Protocol) string {
	switch {
	case w == Window{}:
		return ""
	case !(w.Size > 0) || math.IsInf(w.Size, 0) || !(w.End >= 0) || math.IsInf(w.End, 0):
		return fmt.Sprintf("window=%s: want a positive number", w)
	case w.Unit != Absolute && w.Unit != Spread && w.Unit != LearningRate:
		return fmt.Sprintf("window=%s: unknown unit %q: want std, lr or none", w, w.Unit)
	case !p.single():
		return "window= compares two values, not blocks: want 1 or S in place of A"
	case w.Unit == LearningRate && !p.Target.ofNetwork():
		return fmt.Sprintf("window=%s: the learning rate is for weights, biases and params, not %s", w, p.Target)
	case w.Unit == Spread && !p.Target.ofNetwork():
		return fmt.Sprintf("window=%s: the spread is for weights, biases and params: want a number for %s", w, p.Target)
	case w.Anneal && p.Target.ofParticles():
		return fmt.Sprintf("window=%s: want one number for %s, whose time has no end", w, p.Target)
	case w.Anneal && p.Ramp == NoRamp:
		return "a range of the window needs ramp=linear, cosine or exp and until="
	case !w.Anneal && w.End != 0:
		return fmt.Sprintf("window=%s: an end without a ramp", w)
	}
	return ""
}

// at returns the size at iteration t, in the window's unit.
func (w Window) at(p *Protocol, t int) float64 {
	if !w.Anneal {
		return w.Size
	}
	return w.Size + (w.End-w.Size)*p.shape(t)
}

// SetLearningRate tells the learning rate of the iterations to come, for a window
// in units of it. Before the first call it is 0, and such a window refuses every pair.
func (m *Mover) SetLearningRate(lr float64) { m.rate = lr }

// setLimits takes the windows of iteration t, one a block.
func (m *Mover) setLimits(t int) {
	w := m.protocol.Window
	size := w.at(&m.protocol, t)
	for k := range m.limit {
		switch w.Unit {
		case Spread:
			m.limit[k] = float32(size * m.spread[k])
		case LearningRate:
			m.limit[k] = float32(size * m.rate)
		default:
			m.limit[k] = float32(size)
		}
	}
}

// window returns the limit between blocks i and j.
func (m *Mover) window(i, j int) float32 {
	if m.protocol.Window == (Window{}) {
		return float32(math.Inf(1))
	}
	return min(m.limit[i], m.limit[j])
}

// spread returns the standard deviation of x.
func spread(x []float32) float64 {
	var sum, squares float64
	for _, v := range x {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(max(1, len(x)))
	mean := sum / n
	return math.Sqrt(max(0, squares/n-mean*mean))
}
