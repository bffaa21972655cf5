package kernel

// A Descent moves weights w along their gradient g. With d = g + Decay w:
//
//	Steepest   w <- w - LR d
//	Averaging  the same, and v <- Mu v + (1-Mu) g beside it, for others
//	HeavyBall  v <- Mu v + d; w <- w - LR v
//	Nesterov   v <- Mu v + d; w <- w - LR (d + Mu v)
type Descent struct {
	Rule          Rule
	LR, Mu, Decay float32
}

// A Rule is one of those of a [Descent].
type Rule int

const (
	Steepest Rule = iota
	Averaging
	HeavyBall
	Nesterov
	rules
)

// Apply moves w along g. The three slices have one length; v may be nil for Steepest.
func (d Descent) Apply(w, g, v []float32) {
	switch d.Rule {
	case Steepest:
		SGD(w, g, d.LR, d.Decay)
	case Averaging:
		SGDAverage(w, g, v, d.LR, d.Decay, d.Mu)
	default:
		Momentum(w, g, v, d.LR, d.Mu, d.Decay, d.Rule == Nesterov)
	}
}
