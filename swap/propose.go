package swap

import (
	"fmt"
	"math"
)

// Propose says how the pair of a swap is proposed.
type Propose string

// The proposals. Uniform draws a pair from all that the code allows.
//
// ProposeByGradient prefers pairs that promise to lower the loss: a locally
// informed proposal (Zanella, J. Am. Stat. Assoc. 115, 852, 2020) whose weights
// come from the gradient (Grathwohl et al., ICML 2021). Of a random set of pairs it
// takes one with probability
//
//	q(pair) = exp(-dL1/2T) / sum over the set of exp(-dL1/2T)
//
// and keeps the swap with probability min(1, exp(-dL/T) q'/q), where q' is the
// probability of the way back: the same pair of the same set, under the gradient
// after the swap. With this correction of Metropolis and Hastings the arrangements
// of the values have Boltzmann's probabilities, whatever dL1 is worth.
const (
	Uniform           Propose = ""
	ProposeByGradient Propose = "gradient"
	defaultPairs              = 64
)

// informed is the state of ProposeByGradient within a step.
type informed struct {
	pairs []move
	log   []float64 // -dL1/2T of each pair; -Inf where the window forbids it
}

func (p Protocol) proposeFault() (option, msg string) {
	item, _, _ := p.letters()
	switch {
	case p.Propose != Uniform && p.Propose != ProposeByGradient:
		return "propose", fmt.Sprintf("propose=%s: want gradient", p.Propose)
	case p.Propose == Uniform && p.Pairs != 0:
		return "pairs", "pairs= is among how many propose=gradient chooses: want propose=gradient"
	case p.Propose == Uniform:
		return "", ""
	case p.Pairs < 2:
		return "pairs", fmt.Sprintf("pairs=%d: want at least 2 to choose from", p.Pairs)
	case !p.Target.ofNetwork():
		return "propose", fmt.Sprintf("propose=gradient needs a gradient: want weights, biases or params, not %s", p.Target)
	case p.Guide != Unguided:
		return "propose", "propose=gradient measures the loss, guide= does not: want one of them"
	case p.Accept != Metropolis:
		return "propose", "propose=gradient weighs its pairs by a temperature: want accept=metropolis T="
	case p.N.All:
		return "n", "propose=gradient makes one swap at a time: want a whole number for n"
	case !p.single() || item == 'A':
		return "propose", "propose=gradient exchanges two single values: want 1 or S in place of A"
	case p.Gauge:
		return "gauge", "gauge=true changes no loss, so that no gradient can propose it: want propose= away"
	}
	return "", ""
}

func newInformed(m *Mover) *informed {
	// The gradient at the state that was kept last.
	for i, b := range m.blocks {
		m.force[i] = make([]float32, len(b.Data))
	}
	n := m.protocol.Pairs
	return &informed{pairs: make([]move, n), log: make([]float64, n)}
}

// tryInformed draws the set of pairs by draw, proposes one of them and keeps it or
// not. The set does not depend on the values, so that the way back meets the same
// set with the same probability.
func (m *Mover) tryInformed(draw func() move) {
	m.proposed++
	if math.IsNaN(m.present) {
		m.present = m.energy()
		m.keepGradient()
	}
	in, T := m.informed, m.protocol.T
	for k := range in.pairs {
		in.pairs[k] = draw()
	}
	total := m.weigh(true)
	if math.IsInf(total, 0) || math.IsNaN(total) {
		return // the window forbids all, or the gradient is of no use
	}
	chosen, left := -1, m.rand.Float64()
	for k, l := range in.log {
		if p := math.Exp(l - total); p > 0 {
			chosen = k // the last one also catches what rounding leaves over
			if left -= p; left < 0 {
				break
			}
		}
	}
	forward := in.log[chosen] - total
	v := in.pairs[chosen]
	m.exchange(v)
	changed := m.energy()
	backward := -m.weigh(false) + in.log[chosen]
	// NaN is refused.
	if !(math.Log1p(-m.rand.Float64()) < (m.present-changed)/T+backward-forward) {
		m.exchange(v)
		return
	}
	m.present = changed
	m.keepGradient()
	m.accepted++
}

// keepGradient remembers the gradient of the present state.
func (m *Mover) keepGradient() {
	for i, b := range m.blocks {
		copy(m.force[i], b.Grad)
	}
}

// weigh computes -dL1/2T of all pairs at the present state, with the gradient
// that was kept or the fresh one, and returns the logarithm of the sum of their
// exponentials.
func (m *Mover) weigh(kept bool) float64 {
	in := m.informed
	largest := math.Inf(-1)
	for k, v := range in.pairs {
		a, b := &m.blocks[v.i], &m.blocks[v.j]
		p, q := v.rowA*a.Cols+v.colA, v.rowB*b.Cols+v.colB
		ga, gb := a.Grad, b.Grad
		if kept {
			ga, gb = m.force[v.i], m.force[v.j]
		}
		in.log[k] = math.Inf(-1)
		if m.protocol.Window == (Window{}) || m.within(v) {
			dL1 := (float64(ga[p]) - float64(gb[q])) * (float64(b.Data[q]) - float64(a.Data[p]))
			in.log[k] = -dL1 / (2 * m.protocol.T)
		}
		largest = max(largest, in.log[k]) // NaN stays
	}
	if math.IsInf(largest, 0) {
		return largest
	}
	var sum float64
	for _, l := range in.log {
		sum += math.Exp(l - largest)
	}
	return largest + math.Log(sum)
}
