package swap

// until=0.9L ends a protocol by the loss that it meets, not by a number of
// iterations. The first untilFirst losses from iteration From on give the mean
// that counts as 1; from there an exponential average over untilSpan follows.
const (
	untilFirst = 20
	untilSpan  = 50
)

// Progress is what a protocol with until=...L has seen of the loss. It is state:
// whoever saves and resumes a mover must save it.
type Progress struct {
	Seen    int     // losses so far, from iteration From on
	First   float64 // mean of the first 20
	Average float64 // of all so far, then exponential over about 50 iterations
	Ended   bool    // the loss has fallen far enough; there are no events any more
}

func (p Protocol) untilFault() (option, msg string) {
	switch {
	case p.UntilLoss == 0:
		return "", ""
	case !(p.UntilLoss > 0 && p.UntilLoss < 1):
		return "until", "until=" + number(p.UntilLoss) + "L: want a fraction of the first loss above 0 and below 1"
	case p.Until != 0:
		return "until", "until= a fraction of the loss and until= an iteration at once: want one of them"
	case p.Target.ofParticles():
		return "until", "until=" + number(p.UntilLoss) + "L waits for a loss that is learnt away: want features, weights, biases or params, not " + string(p.Target)
	}
	return "", ""
}

// Progress returns what until=...L has seen, to be saved or replaced; nil for
// other protocols.
func (m *Mover) Progress() *Progress { return m.progress }

// Observe tells a mover the loss on which iteration t takes its gradient.
// Protocols with until=...L end by it; for others it does nothing.
func (m *Mover) Observe(t int, loss float64) {
	p := m.progress
	if p == nil || p.Ended || t < m.protocol.From {
		return
	}
	p.Seen++
	if p.Seen <= untilFirst {
		p.Average += (loss - p.Average) / float64(p.Seen)
		p.First = p.Average
		return
	}
	p.Average += (loss - p.Average) / untilSpan
	p.Ended = p.Average <= m.protocol.UntilLoss*p.First
}
