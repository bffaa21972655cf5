package nn

import (
	"sync/atomic"

	"swapmc/internal/kernel"
)

// groupSums are the gradients of a convolution's weights, one sum for each group of a batch, and how they are added up: two
// neighbours, then neighbouring pairs, and so on up a binary tree, for any number of threads. A thread that has made both
// halves of such a part adds them at once, while they are near; the rest is added when all are there.
type groupSums struct {
	each [][]float32 // by group
	tree [][]subtotal
}

// A subtotal is a part of the tree: a group, two neighbours, four, and so on.
type subtotal struct {
	by atomic.Int32 // the worker that has added all of it up, plus one, or 0
	at int          // the group in whose sums it is then
}

// newGroupSums makes room for n sums of each group, whose number is a power of two. They lie no power of two apart.
func newGroupSums(groups, n int) groupSums {
	s := groupSums{each: make([][]float32, groups)}
	all := make([]float32, groups*apart(n))
	for g := range groups {
		s.each[g] = all[g*apart(n):][:n]
	}
	for ; groups > 0; groups /= 2 {
		s.tree = append(s.tree, make([]subtotal, groups))
	}
	return s
}

// begin forgets all sums.
func (s *groupSums) begin() {
	for _, level := range s.tree {
		for k := range level {
			level[k].by.Store(0)
		}
	}
	for g := range s.tree[0] {
		s.tree[0][g].at = g
	}
}

// of returns the sums to which a span adds, which are zero at first. Where a span is all of its group and adds each sum in one piece
// (atOnce), they are those of the neighbour, if the same worker has left them: the order of the two does not matter.
func (s *groupSums) of(p span, atOnce bool) []float32 {
	group, neighbour := &s.tree[0][p.group], &s.tree[0][p.group^1]
	switch {
	case atOnce && p.first && p.last && neighbour.by.Load() == int32(p.worker+1):
		group.at = p.group ^ 1
	case p.first:
		clear(s.each[p.group])
	}
	return s.each[group.at]
}

// done is called behind a span. If the group is complete, the worker adds up all parts of which it has made both halves. Groups without
// images count for nothing.
func (s *groupSums) done(p span, batch int) {
	if !p.last {
		return
	}
	at := s.tree[0][p.group].at
	for level, k := 0, p.group; ; level, k = level+1, k/2 {
		part := &s.tree[level][k]
		part.at = at
		part.by.Store(int32(p.worker + 1))
		if level+1 == len(s.tree) {
			return
		}
		if s.empty(level, k^1, batch) {
			continue
		}
		other := &s.tree[level][k^1]
		if other.by.Load() != int32(p.worker+1) {
			return
		}
		if other.at != at {
			n := len(s.each[at])
			kernel.AddRows(s.each[other.at], n, s.each[at], n, 1, n)
			at = other.at
		}
	}
}

// empty tells whether a part of the tree has no images.
func (s *groupSums) empty(level, k, batch int) bool {
	lo, _ := part(k<<level, len(s.each), batch)
	_, hi := part((k+1)<<level-1, len(s.each), batch)
	return lo == hi
}

// total adds up entries [lo, hi) of all groups, in the sums of one of them; a few entries of all at a time, since each comes from far.
func (s *groupSums) total(lo, hi int) []float32 {
	const few = 128
	at := 0
	for i := lo; i < hi; i += few {
		at = s.add(len(s.tree)-1, 0, i, min(few, hi-i))
	}
	return s.each[at][lo:hi]
}

// add adds up n entries of a part of the tree from i on. It returns the group in whose sums they are, or -1 if the part is empty.
func (s *groupSums) add(level, k, i, n int) int {
	if whole := &s.tree[level][k]; whole.by.Load() != 0 {
		return whole.at
	}
	if level == 0 {
		return -1
	}
	a, b := s.add(level-1, 2*k, i, n), s.add(level-1, 2*k+1, i, n)
	if a < 0 || b < 0 {
		return max(a, b)
	}
	kernel.AddRows(s.each[a][i:i+n], n, s.each[b][i:i+n], n, 1, n)
	return a
}
