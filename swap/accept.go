package swap

import "math"

// try proposes one swap, made in all blocks from first to last, and keeps it or
// not. A swap within one block or between two has first equal to last.
func (m *Mover) try(first, last move) {
	m.proposed++
	if m.protocol.Window != (Window{}) && !m.within(first) {
		return
	}
	switch {
	case m.protocol.Accept == Always:
		m.exchangeAll(first, last)
	case m.protocol.Guide != Unguided:
		if !m.keep(m.firstOrder(first, last), false) {
			return
		}
		m.exchangeAll(first, last)
	default:
		if math.IsNaN(m.present) {
			m.present = m.energy()
		}
		m.exchangeAll(first, last)
		changed := m.energy()
		if !m.keep(changed-m.present, true) {
			m.exchangeAll(first, last)
			return
		}
		m.present = changed
	}
	m.accepted++
}

// keep is the acceptance rule: min(1, exp(-dL/T)), and its limit T = 0. The
// limit keeps a swap that changes nothing, except where the change is a
// first-order estimate: a guide that sees no gain makes no move.
func (m *Mover) keep(dL float64, neutral bool) bool {
	switch {
	case dL < 0, dL == 0 && neutral:
		return true
	case m.protocol.Accept == Metropolis:
		return m.rand.Float64() < math.Exp(-dL/m.protocol.T) // NaN is refused
	}
	return false
}

func (m *Mover) exchangeAll(first, last move) {
	if first == last {
		m.exchange(first)
		return
	}
	for i := first.i; i <= last.i; i++ {
		v := first
		v.i, v.j = i, i
		m.exchange(v)
	}
}

// within tells whether a pair of single entries differs by at most the window.
func (m *Mover) within(first move) bool {
	a, b := &m.blocks[first.i], &m.blocks[first.j]
	d := a.Data[first.rowA*a.Cols+first.colA] - b.Data[first.rowB*b.Cols+first.colB]
	return math.Abs(float64(d)) <= float64(m.window(first.i, first.j))
}

// firstOrder is dL1, the sum of (g_i - g_j)(w_j - w_i) over the entries that the
// move exchanges.
func (m *Mover) firstOrder(first, last move) float64 {
	v := first
	a, b := &m.blocks[v.i], &m.blocks[v.j]
	ga, gb := m.force[v.i], m.force[v.j]
	rows, rowA, rowB := 1, v.rowA, v.rowB
	if v.rowA == all {
		rows, rowA, rowB = a.Rows, 0, 0
	}
	cols, colA, colB := 1, v.colA, v.colB
	if v.colA == all {
		cols, colA, colB = a.Cols, 0, 0
	}
	var sum float64
	for r := range rows {
		p, q := (rowA+r)*a.Cols+colA, (rowB+r)*b.Cols+colB
		for c := range cols {
			sum += float64((ga[p+c] - gb[q+c]) * (b.Data[q+c] - a.Data[p+c]))
		}
	}
	return sum
}
