package swap

// vectors are the sets of entries within which a block's values may change
// places when more than two of them move at once: the rows (code 11S), the
// columns (1S1) or the whole block (1SS). Entry k of vector v lies at
// v*step + k*stride.
type vectors struct {
	n, length    int
	step, stride int
}

func (m *Mover) vectors(b *Block) vectors {
	switch _, row, col := m.protocol.letters(); {
	case row == '1':
		return vectors{n: b.Rows, length: b.Cols, step: b.Cols, stride: 1}
	case col == '1':
		return vectors{n: b.Cols, length: b.Rows, step: 1, stride: b.Cols}
	}
	return vectors{n: 1, length: len(b.Data), stride: 1}
}

// longest returns the length of the longest vector.
func (m *Mover) longest() int {
	n := 0
	for i := range m.blocks {
		n = max(n, m.vectors(&m.blocks[i]).length)
	}
	return n
}
