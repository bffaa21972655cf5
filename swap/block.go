package swap

// A Block is one index of a protocol's first axis: the image, layer or system
// whose entries are exchanged. A mover keeps the slices and exchanges in place.
type Block struct {
	Name       string
	Rows, Cols int // size of the matrix; a target with fewer axes has one row
	Data       []float32
	Grad       []float32   // gradient of the loss with respect to Data; needed by a guide
	Average    []float32   // optional: an exponential average of Grad that the owner keeps, in place of one of the mover's own
	Carry      [][]float32 // optimiser state, each as long as Data, that travels with Carry
	Gauge      []Coupled   // what else must be exchanged with two rows to leave the network's function as it is
}

// A Coupled is an array of shape (Outer, Rows, Inner) that shares its middle
// axis with the rows of a block: the bias of the same layer (Outer = Inner = 1),
// or the columns of the next layer that these rows feed.
type Coupled struct {
	Data         []float32
	Outer, Inner int
	Carry        [][]float32
}

// exchange swaps rows a and b of the middle axis of x.
func (c Coupled) exchange(x []float32, rows, a, b int) {
	for o := range c.Outer {
		swapSlices(x[(o*rows+a)*c.Inner:][:c.Inner], x[(o*rows+b)*c.Inner:][:c.Inner])
	}
}

// A move is one swap: block i's entries (rowA, colA) against block j's
// (rowB, colB). Row or column -1 stands for all of them.
type move struct {
	i, j                   int
	rowA, rowB, colA, colB int
}

const all = -1

// exchange makes the move. It is its own inverse.
func (m *Mover) exchange(v move) {
	a, b := &m.blocks[v.i], &m.blocks[v.j]
	exchangeEntries(a.Data, b.Data, a, b, v)
	if m.protocol.Carry {
		for k := range a.Carry {
			exchangeEntries(a.Carry[k], b.Carry[k], a, b, v)
		}
	}
	if m.protocol.Gauge {
		for _, c := range a.Gauge {
			c.exchange(c.Data, a.Rows, v.rowA, v.rowB)
			if m.protocol.Carry {
				for _, state := range c.Carry {
					c.exchange(state, a.Rows, v.rowA, v.rowB)
				}
			}
		}
	}
}

// exchangeEntries exchanges the corner blocks of a move between x and y, laid
// out as the data of a and b.
func exchangeEntries(x, y []float32, a, b *Block, v move) {
	rows, rowA, rowB := 1, v.rowA, v.rowB
	if v.rowA == all {
		rows, rowA, rowB = a.Rows, 0, 0
	}
	if v.colA == all {
		swapSlices(x[rowA*a.Cols:][:rows*a.Cols], y[rowB*b.Cols:][:rows*b.Cols])
		return
	}
	for r := range rows {
		p, q := (rowA+r)*a.Cols+v.colA, (rowB+r)*b.Cols+v.colB
		x[p], y[q] = y[q], x[p]
	}
}

func swapSlices(x, y []float32) {
	y = y[:len(x)]
	for k, v := range x {
		x[k], y[k] = y[k], v
	}
}
