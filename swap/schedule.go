package swap

import "math"

// due tells whether iteration t is one at which the protocol acts.
func (p *Protocol) due(t int) bool {
	return t >= p.From && (p.Until == 0 || t < p.Until) && (t-p.From)%p.Every == 0
}

// shape is how far along its ramp a strength is: 0 at From, 1 at Until.
func (p *Protocol) shape(t int) float64 {
	x := float64(t-p.From) / float64(p.Until-p.From)
	switch p.Ramp {
	case Linear:
		return x
	case Cosine:
		return (1 - math.Cos(math.Pi*x)) / 2
	case Exp:
		return (1 - math.Exp(-5*x)) / (1 - math.Exp(-5))
	}
	return 0
}

// Probability returns the probability of an event at iteration t: 0 where the
// protocol does not act.
func (p Protocol) Probability(t int) float64 {
	p = p.normal()
	switch {
	case !p.due(t):
		return 0
	case p.Ramp == NoRamp || p.Window.Anneal || p.NTo != Count{}:
		return p.P
	}
	return p.P + (p.PTo-p.P)*p.shape(t)
}

// Swaps returns the number of swaps of an event at iteration t, at least 1, for
// a batch of the given size. It returns 0 for n=all, where the number depends on
// the blocks.
func (p Protocol) Swaps(t, batch int) int {
	p = p.normal()
	if p.N.All {
		return 0
	}
	n := p.N.Value
	if p.NTo != (Count{}) {
		n += (p.NTo.Value - n) * p.shape(t)
	}
	if p.N.Batch {
		n *= float64(batch)
	}
	return max(1, int(math.Round(n)))
}
