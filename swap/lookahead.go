package swap

import (
	"math"
	"slices"
)

// Lookahead Permutation (Qiu and Suda, NeurIPS 2020, arXiv:2003.02570): the
// optimiser moves the weights as it likes; every k steps each weight vector is
// set to its initial values, in the order in which the optimiser has left it.
//
//	initial          -0.3  0.1  0.2
//	optimiser         0.5  0.4 -0.1
//	after the event   0.2  0.1 -0.3     same rank, initial value
type lookahead struct {
	sorted [][]float32 // for each block, vector by vector, the initial values in ascending order
	keys   []uint64    // scratch, as long as the longest vector
	spare  []uint64
}

func (p Protocol) lookaheadFault() (option, msg string) {
	if p.Guide != ByLookahead {
		return "", ""
	}
	item, _, _ := p.letters()
	switch {
	case p.Accept != Always:
		return "accept", "guide=lookahead follows the optimiser and refuses nothing: want accept= away"
	case p.Window != (Window{}):
		return "window", "guide=lookahead puts all values in order, near or far: want window= away"
	case !p.N.All:
		return "n", "guide=lookahead puts all values in order: want n=all"
	case p.Carry:
		return "carry", "guide=lookahead has no pairs along which the optimiser's state could travel: want carry= away"
	case !p.single():
		return "guide", "guide=lookahead puts single values in order, not blocks: want 1 or S in place of A"
	case item == 'S':
		return "guide", "guide=lookahead puts the values of one layer in order: want 1 or A on the first axis"
	}
	return "", ""
}

func newLookahead(m *Mover) *lookahead {
	n := m.longest()
	l := &lookahead{keys: make([]uint64, n), spare: make([]uint64, n)}
	for i := range m.blocks {
		b := &m.blocks[i]
		v := m.vectors(b)
		sorted := make([]float32, 0, len(b.Data))
		for k := range v.n {
			for _, key := range l.sort(b.Data, v, k) {
				sorted = append(sorted, b.Data[k*v.step+int(uint32(key))*v.stride])
			}
		}
		l.sorted = append(l.sorted, sorted)
	}
	return l
}

// restore gives the vectors of block i their initial values, rank by rank.
func (m *Mover) restore(i int) {
	b, l := &m.blocks[i], m.lookahead
	v := m.vectors(b)
	for k := range v.n {
		values := l.sorted[i][k*v.length:][:v.length]
		data := b.Data[k*v.step:]
		for rank, key := range l.sort(b.Data, v, k) {
			data[int(uint32(key))*v.stride] = values[rank]
		}
	}
	m.proposed += len(b.Data)
	m.accepted += len(b.Data)
}

// sort returns keys of vector k in ascending order of value, equal values in
// order of place: the value's bits above, the place below.
func (l *lookahead) sort(data []float32, v vectors, k int) []uint64 {
	keys := l.keys[:v.length]
	data = data[k*v.step:]
	for n := range keys {
		keys[n] = uint64(ascending(data[n*v.stride]))<<32 | uint64(n)
	}
	if len(keys) < radixPays {
		slices.Sort(keys)
		return keys
	}
	return radixSort(keys, l.spare[:len(keys)])
}

// ascending maps floats to integers of the same order, -0 before 0.
func ascending(x float32) uint32 {
	bits := math.Float32bits(x)
	return bits ^ (uint32(int32(bits)>>31) | 1<<31)
}

// radixPays is the length from which radixSort is faster than comparisons
// (BenchmarkLookahead).
const radixPays = 128

// radixSort sorts keys by their upper halves, stably, eight bits at a time. It
// returns keys; spare is as long.
func radixSort(keys, spare []uint64) []uint64 {
	var count [4][256]uint32
	for _, k := range keys {
		count[0][byte(k>>32)]++
		count[1][byte(k>>40)]++
		count[2][byte(k>>48)]++
		count[3][byte(k>>56)]++
	}
	for digit := range count {
		start := &count[digit]
		sum := uint32(0)
		for d, n := range start {
			start[d] = sum
			sum += n
		}
		shift := 32 + 8*digit
		for _, k := range keys {
			d := byte(k >> shift)
			spare[start[d]] = k
			start[d]++
		}
		keys, spare = spare, keys
	}
	return keys // four exchanges: the slice that was given
}
