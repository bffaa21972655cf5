package swap

import (
	"fmt"
	"math"
	"slices"
)

// Stochastic Gradient Permutation (Qiu and Suda, "Permute to Train", the first
// version of arXiv:2003.02570): guided values move in cycles, not only in pairs.
// A vector's entries are divided at random into subsets. Within one, entry i may
// take the value of entry j if that is at most a window away, and above its own
// where g_i < 0, below where g_i > 0:
//
//	i -> j   if   0 < (w_j - w_i) sign(-g_i) <= window
//
// A cycle of this graph moves each of its entries to the value of the next, and so
// each down its own gradient. Cycles are sought from the entry of largest |g| on,
// nearest values first, until every entry has moved or cannot. A cycle of two is
// a guided swap.
type cycles struct {
	order []int // places of a vector in random order, as long as the longest

	// One subset, its entries in ascending order of value. As long as the largest.
	place   []int     // in the block
	value   []float32 // at the start
	pull    []float32 // -g
	next    []int     // for an entry on the path, the entry to look at next
	visited []int     // the search that was there last; gone where it has moved or given up
	path    []int
	keys    []uint64 // to sort by: value or strength above, entry below
}

const (
	defaultSubset = 10 // the least in the paper
	gone          = math.MaxInt
)

func (p Protocol) cyclesFault() (option, msg string) {
	if !p.Cycles {
		if p.Subset != 0 {
			return "subset", "subset= is where cycles are sought: want cycles"
		}
		return "", ""
	}
	item, _, _ := p.letters()
	switch {
	case p.Subset < 2:
		return "subset", fmt.Sprintf("subset=%d: want at least 2", p.Subset)
	case p.Guide != ByGradient && p.Guide != ByMomentum:
		return "cycles", "cycles follow a gradient: want guide=momentum or guide=gradient"
	case p.Accept != Greedy:
		return "accept", "cycles lower the first-order loss always: want accept=greedy"
	case !p.N.All:
		return "n", "cycles are sought among all values: want n=all"
	case !p.single():
		return "cycles", "cycles move single values, not blocks: want 1 or S in place of A"
	case item == 'S':
		return "cycles", "cycles stay within one layer: want 1 or A on the first axis"
	}
	return "", ""
}

func newCycles(m *Mover) *cycles {
	longest := m.longest()
	n := min(longest, 2*m.protocol.Subset)
	return &cycles{
		order: make([]int, longest),
		place: make([]int, n), next: make([]int, n), visited: make([]int, n), path: make([]int, 0, n),
		value: make([]float32, n), pull: make([]float32, n), keys: make([]uint64, n),
	}
}

// rotate moves the values of block i along cycles.
func (m *Mover) rotate(i int) {
	b, c := &m.blocks[i], m.cycles
	v := m.vectors(b)
	subsets := max(1, v.length/m.protocol.Subset)
	for k := range v.n {
		order := c.order[:v.length]
		for n := range order { // a random order (Fisher and Yates)
			at := m.rand.IntN(n + 1)
			order[n] = order[at]
			order[at] = k*v.step + n*v.stride
		}
		for s := range subsets {
			part := order[s*v.length/subsets : (s+1)*v.length/subsets]
			m.proposed += len(part)
			m.rotateSubset(i, part)
		}
	}
}

// rotateSubset moves the values at these places of block i.
func (m *Mover) rotateSubset(i int, part []int) {
	b, c := &m.blocks[i], m.cycles
	n := len(part)
	keys := c.keys[:n]
	for k, at := range part {
		keys[k] = uint64(ascending(b.Data[at]))<<32 | uint64(k)
	}
	slices.Sort(keys)
	for k, key := range keys {
		at := part[uint32(key)]
		c.place[k], c.value[k], c.pull[k], c.visited[k] = at, b.Data[at], -m.force[i][at], 0
	}
	for k := range keys {
		strength := max(c.pull[k], -c.pull[k])
		keys[k] = uint64(^ascending(strength))<<32 | uint64(k)
	}
	slices.Sort(keys) // strongest first
	for search, key := range keys {
		first := int(uint32(key))
		if c.visited[first] == gone || c.pull[first] == 0 {
			continue
		}
		if m.findCycle(i, first, n, search+1) {
			m.followCycle(b)
			m.accepted += len(c.path)
			for _, k := range c.path {
				c.visited[k] = gone
			}
		}
		c.visited[first] = gone
	}
}

// findCycle leaves in path a cycle through the entry first, if there is one. An
// entry from which first cannot be reached is never looked at twice, so that a
// search looks at each pair once at most.
func (m *Mover) findCycle(i, first, n, search int) bool {
	c := m.cycles
	limit := m.window(i, i)
	push := func(k int) {
		c.visited[k] = search
		c.next[k] = k + direction(c.pull[k])
		c.path = append(c.path, k)
	}
	c.path = c.path[:0]
	push(first)
	for len(c.path) > 0 {
		k := c.path[len(c.path)-1]
		to := c.next[k]
		if to == k || to < 0 || to >= n || distance(c.value[k], c.value[to]) > limit {
			c.path = c.path[:len(c.path)-1] // no way on from here
			continue
		}
		c.next[k] += direction(c.pull[k])
		switch {
		case c.value[to] == c.value[k]:
		case to == first:
			return true
		case c.visited[to] < search:
			push(to)
		}
	}
	return false
}

// direction is the sign of x; 0 for NaN.
func direction(x float32) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

func distance(x, y float32) float32 { return max(x-y, y-x) }

// followCycle gives each entry on the path the value of the next.
func (m *Mover) followCycle(b *Block) {
	shift := func(x []float32) {
		path, place := m.cycles.path, m.cycles.place
		carried := x[place[path[0]]]
		for k := range len(path) - 1 {
			x[place[path[k]]] = x[place[path[k+1]]]
		}
		x[place[path[len(path)-1]]] = carried
	}
	shift(b.Data)
	if m.protocol.Carry {
		for _, state := range b.Carry {
			shift(state)
		}
	}
}
