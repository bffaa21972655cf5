package swap

// n=all pairs every entry in scope with another. The pairing is a reflection,
//
//	c <-> (t - c) mod n,
//
// with t drawn uniformly. Over t every pair occurs equally often (it is the
// round-robin tournament's schedule), at most two entries are left alone, and
// both partners are read in order, one upwards and one downwards, so that a
// vector unit can compare them:
//
//	 0 1 2 3 4 5 6 7 8        n = 9, t = 4
//	 └─┴─╵─┴─┘ └─┴─┴─┘        0-4 1-3, 5-8 6-7; 2 is left alone
//
// An axis marked S is reflected, an axis marked 1 runs over all its indices with
// each paired to itself, and an axis marked A is exchanged as a whole.

// match proposes a random perfect matching of the entries of blocks i and j,
// which may be the same.
func (m *Mover) match(i, j int) {
	_, row, _ := m.protocol.letters()
	a, b := &m.blocks[i], &m.blocks[j]
	n := min(a.Rows, b.Rows)
	switch row {
	case 'A':
		m.matchColumns(i, j, all, all)
	case '1':
		for r := range n {
			m.matchColumns(i, j, r, r)
		}
	case 'S':
		s := m.rand.IntN(n)
		for r := range n {
			partner := reflect(r, s, n)
			// Within one block each pair must come once.
			if partner > r || partner < r && i != j {
				m.matchColumns(i, j, r, partner)
			}
		}
	}
}

// reflect returns (t - c) mod n for c and t in [0, n).
func reflect(c, t, n int) int {
	if d := t - c; d >= 0 {
		return d
	}
	return t - c + n
}

// matchColumns proposes the swaps between row ra of block i and row rb of
// block j.
func (m *Mover) matchColumns(i, j, ra, rb int) {
	_, _, col := m.protocol.letters()
	n := min(m.blocks[i].Cols, m.blocks[j].Cols)
	try := func(ca, cb int) {
		v := move{i, j, ra, rb, ca, cb}
		m.try(v, v)
	}
	switch col {
	case 'A':
		try(all, all)
	case '1':
		for c := range n {
			try(c, c)
		}
	case 'S':
		t := m.rand.IntN(n)
		if ra != all && m.comparable() {
			m.compareSegment(i, j, ra, rb, 0, t)
			m.compareSegment(i, j, ra, rb, t+1, n-1)
			return
		}
		for c := range n {
			partner := reflect(c, t, n)
			if partner > c || partner < c && (i != j || ra != rb) {
				try(c, partner)
			}
		}
	}
}

// comparable tells whether pairs can be compared and exchanged in bulk: the
// decision depends on the two entries alone.
func (m *Mover) comparable() bool {
	return m.protocol.Guide != Unguided && m.protocol.Accept == Greedy && !m.protocol.Carry
}

// compareSegment plans to compare columns lo..hi of row ra in block i with the same
// columns of row rb in block j in reverse order. The middle column of an odd
// number would meet itself and is left out; so are, within one row, the pairs
// that would come twice.
func (m *Mover) compareSegment(i, j, ra, rb, lo, hi int) {
	half := (hi - lo + 1) / 2
	a, b := ra*m.blocks[i].Cols, rb*m.blocks[j].Cols
	m.plan(i, j, a+lo, b+hi+1-half, half)
	if i != j || ra != rb {
		m.plan(i, j, a+hi+1-half, b+lo, half)
	}
}

// matchBlocks pairs the blocks at random, as far as their sizes allow, and
// matches the entries of each pair.
func (m *Mover) matchBlocks() {
	_, row, col := m.protocol.letters()
	for k := range m.order {
		m.order[k] = k
	}
	m.rand.Shuffle(len(m.order), func(x, y int) { m.order[x], m.order[y] = m.order[y], m.order[x] })
	for x, i := range m.order {
		if i < 0 {
			continue
		}
		for y := x + 1; y < len(m.order); y++ {
			if j := m.order[y]; j >= 0 && m.fits(i, j, row, col) {
				m.order[y] = all
				m.match(i, j)
				break
			}
		}
	}
}
