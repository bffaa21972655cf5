// Package draw makes pictures of swap protocols: a few small blocks before and
// after one event.
//
// The picture is not an illustration of what a protocol should do but a
// measurement of what it does. Every cell of the blocks is numbered, a
// [swap.Mover] bound to the numbers makes its swaps, and where the numbers lie
// afterwards says which cell moved where:
//
//	before  0 1 2 3   after  0 2 1 3   cells 1 and 2 changed places
//
// A cell keeps its colour as it moves. Those that moved are saturated and
// outlined, in the colours of the block they come from; the others are pale.
package draw

import (
	"math/rand/v2"
	"strings"

	"swapmc/internal/rng"
	"swapmc/swap"
)

// shownSwaps is the largest number of swaps that one picture draws; more could
// not be told apart. n=all is drawn as it is.
const shownSwaps = 3

// A Picture is one event of a protocol on small example blocks.
type Picture struct {
	protocol swap.Protocol
	blocks   []block
	origin   []int // cell k holds what lay in cell origin[k] before the event
	party    []int // of each cell before the event: see stay, first, second
	orbit    []int // of each cell that moved: the number of its cycle
	orbits   int   // number of cycles
	partial  bool  // fewer swaps are drawn than the protocol makes
}

// What a cell did. Of two cells that change places, the one with the smaller
// number is first.
const (
	stay = iota
	first
	second
)

// Protocol draws one event of p on example blocks of its target. When, how
// often and whether a swap is kept do not show: every proposal is made once and
// kept, at most three a block. Where an optimiser or a gradient says what moves,
// it is a random one. The seed chooses which cells. It is an error if p is invalid.
func Protocol(p swap.Protocol, seed uint64) (*Picture, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	blocks := example(p.Target)
	n := p.N
	partial := false
	if !n.All {
		want := p.Swaps(p.From, len(blocks))
		n = swap.Count{Value: float64(min(want, shownSwaps))}
		partial = want > shownSwaps
	}
	bare := swap.Protocol{Target: p.Target, Code: p.Code, N: n, Each: p.Each, P: 1, Every: 1, Accept: swap.Always}
	switch {
	case p.Guide == swap.ByLookahead:
		bare.Guide = p.Guide
	case p.Cycles:
		bare.Cycles, bare.Subset, bare.Guide, bare.Accept = true, p.Subset, swap.ByGradient, swap.Greedy
	}
	r := rng.New(seed, "draw").Rand
	pic := &Picture{protocol: p, blocks: blocks, partial: partial}
	// Several swaps of one event can undo each other, and a swap of neighbours is
	// hard to see: of a few events, the one that moves its cells furthest is drawn.
	furthest := 0
	for try := 0; try < 4 || furthest == 0 && try < 100; try++ {
		origin, err := event(bare, blocks, r)
		if err != nil {
			return nil, err
		}
		if d := distance(origin); try == 0 || d > furthest {
			pic.read(origin)
			furthest = d
		}
	}
	return pic, nil
}

// event makes one event on the numbered cells of the blocks and returns the
// numbers as they lie afterwards.
func event(p swap.Protocol, blocks []block, r *rand.Rand) ([]int, error) {
	var bound []swap.Block
	k := 0
	for _, b := range blocks {
		data := make([]float32, b.rows*b.cols)
		for i := range data {
			data[i] = float32(k)
			k++
		}
		block := swap.Block{Name: b.name, Rows: b.rows, Cols: b.cols, Data: data}
		if p.Cycles {
			block.Grad = make([]float32, len(data))
			for i := range block.Grad {
				block.Grad[i] = float32(r.NormFloat64())
			}
		}
		bound = append(bound, block)
	}
	m, err := swap.New(p, bound, r)
	if err != nil {
		return nil, err
	}
	if p.Guide == swap.ByLookahead { // an optimiser has been at work since
		for _, b := range bound {
			for i := range b.Data {
				b.Data[i] += float32(8 * r.NormFloat64())
			}
		}
	}
	m.Step(0, nil)
	origin := make([]int, 0, k)
	for _, b := range bound {
		for _, x := range b.Data {
			origin = append(origin, int(x))
		}
	}
	return origin, nil
}

// distance is how far the cells moved in all.
func distance(origin []int) int {
	d := 0
	for k, from := range origin {
		d += max(k-from, from-k)
	}
	return d
}

// read finds out which cells moved, and in which cycles.
func (p *Picture) read(origin []int) {
	p.origin = origin
	p.party = make([]int, len(origin))
	p.orbit = make([]int, len(origin))
	p.orbits = 0
	for k, from := range origin {
		switch {
		case from > k:
			p.party[from] = second
		case from < k:
			p.party[from] = first
		}
	}
	seen := make([]bool, len(origin))
	for k := range origin {
		if seen[k] || origin[k] == k {
			continue
		}
		for c := k; !seen[c]; c = origin[c] {
			seen[c] = true
			p.orbit[c] = p.orbits
		}
		p.orbits++
	}
}

// content returns which cell's content lies in cell k of a panel.
func (p *Picture) content(k int, after bool) int {
	if after {
		return p.origin[k]
	}
	return k
}

// caption says what is drawn.
func (p *Picture) caption() string {
	s := sentence(swap.Describe(p.protocol.Target, p.protocol.Code))
	if p.partial {
		s += " Three of the swaps are drawn."
	}
	switch {
	case p.protocol.Guide == swap.ByLookahead:
		s = "All values put into the order in which an optimiser, here a random one, has left them."
	case p.protocol.Cycles:
		s = "Values moved along cycles, each down its gradient, here a random one."
	case p.protocol.Accept != swap.Always && p.protocol.Accept != "":
		s += " Drawn as if every proposal were accepted."
	}
	if p.protocol.Gauge {
		s += " Not drawn: the units' biases and the next layer's columns, which go with them."
	}
	return s
}

// sentence makes one of a description.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }
