package swap

import "fmt"

// eligible lists which blocks, or pairs of blocks, the code can act on, and
// says why when there are none.
func (m *Mover) eligible() error {
	itemLetter, rowLetter, colLetter := m.protocol.letters()
	if itemLetter != 'S' {
		for i := range m.blocks {
			if m.fits(i, i, rowLetter, colLetter) {
				m.items = append(m.items, i)
			}
		}
		if len(m.items) == 0 {
			return m.nowhere("no block has two indices on every axis marked S")
		}
		return nil
	}
	if m.uniform() {
		// Any pair will do: it is drawn, not listed, since a batch has many.
		if len(m.blocks) >= 2 && m.fits(0, 1, rowLetter, colLetter) {
			return nil
		}
	} else {
		for i := range m.blocks {
			for j := range i {
				if m.fits(j, i, rowLetter, colLetter) {
					m.pairs = append(m.pairs, [2]int{j, i})
				}
			}
		}
		if len(m.pairs) > 0 {
			return nil
		}
	}
	names := axes[m.protocol.Target]
	if len(m.blocks) < 2 {
		return m.nowhere(fmt.Sprintf("want at least two %s", plural(names[0])))
	}
	return m.nowhere(fmt.Sprintf("no two %s agree in size on the axes marked A", plural(names[0])))
}

// nowhere describes the blocks that a protocol cannot act on.
func (m *Mover) nowhere(why string) error {
	list := ""
	for i, b := range m.blocks {
		if i == 8 {
			list += fmt.Sprintf(", ... %d in all", len(m.blocks))
			break
		}
		if i > 0 {
			list += ", "
		}
		list += fmt.Sprintf("%s (%d x %d)", b.Name, b.Rows, b.Cols)
	}
	if list == "" {
		list = "none"
	}
	return fmt.Errorf("%s: %s: %s", m.protocol, why, list)
}

// uniform tells whether all blocks have the same size.
func (m *Mover) uniform() bool {
	for _, b := range m.blocks {
		if b.Rows != m.blocks[0].Rows || b.Cols != m.blocks[0].Cols {
			return false
		}
	}
	return true
}

// fits tells whether a swap between blocks i and j can be drawn.
func (m *Mover) fits(i, j int, row, col byte) bool {
	a, b := &m.blocks[i], &m.blocks[j]
	if m.protocol.Gauge && a.Gauge == nil {
		return false
	}
	return fitsAxis(row, a.Rows, b.Rows) && fitsAxis(col, a.Cols, b.Cols)
}

func fitsAxis(letter byte, a, b int) bool {
	switch letter {
	case 'S':
		return max(a, b) >= 2 && min(a, b) >= 1
	case 'A':
		return a == b && a >= 1
	default:
		return min(a, b) >= 1
	}
}

// draw draws the indices of one axis for two blocks of sizes a and b there.
func (m *Mover) draw(letter byte, a, b int, same bool) (int, int) {
	switch letter {
	case 'A':
		return all, all
	case '1':
		k := m.rand.IntN(min(a, b))
		return k, k
	}
	if same || a == b {
		i, j := m.rand.IntN(a), m.rand.IntN(a-1)
		if j >= i {
			j++
		}
		return i, j
	}
	for { // sizes differ: uniform over the pairs with i != j
		if i, j := m.rand.IntN(a), m.rand.IntN(b); i != j {
			return i, j
		}
	}
}

// drawPair draws two different blocks that fit.
func (m *Mover) drawPair() (i, j int) {
	if m.pairs != nil {
		p := m.pairs[m.rand.IntN(len(m.pairs))]
		return p[0], p[1]
	}
	return m.draw('S', len(m.blocks), len(m.blocks), true)
}

// drawMove draws the rows and columns of a swap between blocks i and j.
func (m *Mover) drawMove(i, j int) move {
	_, row, col := m.protocol.letters()
	a, b := &m.blocks[i], &m.blocks[j]
	v := move{i: i, j: j}
	v.rowA, v.rowB = m.draw(row, a.Rows, b.Rows, i == j)
	v.colA, v.colB = m.draw(col, a.Cols, b.Cols, i == j)
	return v
}
