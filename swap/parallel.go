package swap

import (
	"slices"

	"swapmc/internal/kernel"
)

// A matching whose pairs are decided by their own two entries is first drawn, as a list
// of segments, and then made by several threads at once: the pairs are disjoint, so that
// the order does not matter and the result is the same for any number of threads.

// A segment is n pairs: entries from p upwards of block i, against those that end
// before entry q+n of block j, downwards.
type segment struct {
	i, j, p, q, n int
	before        int // pairs in the segments before it
}

const (
	parts   = 16   // of the work that threads share
	longest = 4096 // pairs of a segment, so that the parts come out even
)

// A Runner calls f(k, worker) for every k in [0, n), on as many threads as it likes.
type Runner func(n int, f func(k, worker int))

// SetRunner lets a mover do its work on several threads; without it there is one.
// The swaps are the same.
func (m *Mover) SetRunner(run Runner) { m.run = run }

func oneThread(n int, f func(k, worker int)) {
	for k := range n {
		f(k, 0)
	}
}

// plan adds n pairs to those that are to be compared.
func (m *Mover) plan(i, j, p, q, n int) {
	for n > 0 {
		k := min(n, longest)
		m.segments = append(m.segments, segment{i, j, p, q + n - k, k, m.planned})
		m.planned += k
		p, n = p+k, n-k
	}
}

// compareAll makes the exchanges of all segments and forgets them.
func (m *Mover) compareAll() {
	if m.planned == 0 {
		return
	}
	m.run(parts, m.comparing)
	m.proposed += m.planned
	for k, n := range m.exchanged {
		m.accepted += n
		m.exchanged[k] = 0
	}
	m.segments, m.planned = m.segments[:0], 0
}

// comparePart does part k of the work: the segments that begin in it.
func (m *Mover) comparePart(k, _ int) {
	lo, hi := k*m.planned/parts, (k+1)*m.planned/parts
	first, _ := slices.BinarySearchFunc(m.segments, lo, func(s segment, lo int) int { return s.before - lo })
	n := 0
	for _, s := range m.segments[first:] {
		if s.before >= hi {
			break
		}
		n += m.compare(s)
	}
	m.exchanged[k] = n
}

// compare is one stage of a comparator network: pairs are exchanged where dL1 < 0
// within the window.
func (m *Mover) compare(s segment) (exchanged int) {
	a, b := m.blocks[s.i].Data[s.p:s.p+s.n], m.blocks[s.j].Data[s.q:s.q+s.n]
	return kernel.Compare(a, m.force[s.i][s.p:s.p+s.n], b, m.force[s.j][s.q:s.q+s.n], m.window(s.i, s.j))
}

// averageGradients moves each block's average towards its gradient:
// avg <- beta avg + (1-beta) gradient.
func (m *Mover) averageGradients() { m.run(parts, m.averaging) }

func (m *Mover) averagePart(k, _ int) {
	for i, b := range m.blocks {
		lo, hi := k*len(b.Data)/parts, (k+1)*len(b.Data)/parts
		kernel.EMA(m.force[i][lo:hi], b.Grad[lo:hi], float32(m.protocol.Beta))
	}
}
