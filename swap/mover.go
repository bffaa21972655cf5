package swap

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"swapmc/internal/spelling"
)

// A Mover makes the swaps of one protocol on its blocks.
type Mover struct {
	protocol Protocol
	blocks   []Block
	rand     *rand.Rand

	items   []int       // blocks that can be drawn, where the first letter is 1 or A
	pairs   [][2]int    // pairs of blocks that can be drawn, where it is S and sizes differ
	order   []int       // scratch for matchings of blocks
	force   [][]float32 // what guides: for each block its gradient or the average of it
	average []float32   // storage of the averages of ByMomentum
	spread  []float64   // standard deviation of each block's initial values
	limit   []float32   // the present window of each block
	rate    float64     // learning rate

	run       Runner
	segments  []segment // pairs to be compared
	planned   int       // pairs in them
	exchanged [parts]int
	comparing func(k, worker int) // comparePart and averagePart, stored so that a step allocates nothing
	averaging func(k, worker int)

	lookahead *lookahead // each nil without its option
	cycles    *cycles
	informed  *informed
	progress  *Progress

	energy   func() float64 // loss or energy of the present state, during Step
	present  float64        // its value
	proposed int
	accepted int
}

// New binds a protocol to blocks and a random stream of its own. With layers=
// only the blocks of those names take part. It is an error if the protocol is
// invalid, a name is unknown, a slice has the wrong length, a guide has no
// gradient, or no block or pair of blocks has the sizes that the code needs. With
// guide=lookahead the values that the blocks hold now are those that they are
// given again and again; a resumed mover must be bound to the same.
func New(p Protocol, blocks []Block, r *rand.Rand) (*Mover, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.normal()
	for _, name := range p.Layer {
		if !slices.ContainsFunc(blocks, func(b Block) bool { return b.Name == name }) {
			var have []string
			for _, b := range blocks {
				have = append(have, b.Name)
			}
			return nil, fmt.Errorf("%s: no layer %q%s: want some of %v", p, name, spelling.Hint(name, have), have)
		}
	}
	m := &Mover{protocol: p, rand: r, run: oneThread}
	m.comparing, m.averaging = m.comparePart, m.averagePart
	entries := 0
	for _, b := range blocks {
		if len(p.Layer) > 0 && !slices.Contains(p.Layer, b.Name) {
			continue
		}
		if err := check(p, b); err != nil {
			return nil, err
		}
		m.blocks = append(m.blocks, b)
		entries += len(b.Data)
	}
	if err := m.eligible(); err != nil {
		return nil, err
	}
	if p.Guide == ByMomentum && !averaged(m.blocks) {
		m.average = make([]float32, entries)
	}
	for _, b := range m.blocks {
		s := 0.0
		if p.Window.Unit == Spread {
			s = spread(b.Data)
		}
		m.spread = append(m.spread, s)
	}
	m.limit = make([]float32, len(m.blocks))
	offset := 0
	for _, b := range m.blocks {
		force := b.Grad
		switch {
		case m.average != nil:
			force = m.average[offset : offset+len(b.Data)]
		case p.Guide == ByMomentum:
			force = b.Average
		}
		m.force = append(m.force, force)
		offset += len(b.Data)
	}
	m.order = make([]int, len(m.blocks))
	if p.Guide == ByLookahead {
		m.lookahead = newLookahead(m)
	}
	if p.Cycles {
		m.cycles = newCycles(m)
	}
	if p.Propose == ProposeByGradient {
		m.informed = newInformed(m)
	}
	if p.UntilLoss > 0 {
		m.progress = &Progress{}
	}
	return m, nil
}

func check(p Protocol, b Block) error {
	switch {
	case len(axes[p.Target]) < 3 && b.Rows != 1:
		return fmt.Errorf("%s: block %s has %d rows: want 1 for %s", p, b.Name, b.Rows, p.Target)
	case len(b.Data) != b.Rows*b.Cols:
		return fmt.Errorf("%s: block %s holds %d values: want %d x %d", p, b.Name, len(b.Data), b.Rows, b.Cols)
	case p.Guide == ByMomentum && b.Average != nil && len(b.Average) != len(b.Data):
		return fmt.Errorf("%s: block %s has an average of length %d: want %d", p, b.Name, len(b.Average), len(b.Data))
	case p.Guide == ByMomentum && b.Average != nil:
	case (p.Guide != Unguided && p.Guide != ByLookahead || p.Propose == ProposeByGradient) && len(b.Grad) != len(b.Data):
		return fmt.Errorf("%s: block %s has a gradient of length %d: want %d", p, b.Name, len(b.Grad), len(b.Data))
	}
	if p.Carry {
		for _, c := range b.Carry {
			if len(c) != len(b.Data) {
				return fmt.Errorf("%s: block %s has optimiser state of length %d: want %d", p, b.Name, len(c), len(b.Data))
			}
		}
	}
	return nil
}

// averaged tells whether all blocks bring an average of their gradients.
func averaged(blocks []Block) bool {
	return !slices.ContainsFunc(blocks, func(b Block) bool { return b.Average == nil })
}

// Protocol returns what the mover does.
func (m *Mover) Protocol() Protocol { return m.protocol }

// Average returns the running average of the gradient that guide=momentum
// follows, nil for other guides and where the blocks bring theirs. It is state:
// whoever saves and resumes a mover must save it, and the random stream.
func (m *Mover) Average() []float32 { return m.average }

// Step makes the swaps of iteration t and returns how many were proposed and
// how many kept. Energy gives the loss or energy of the present state; it is
// called only by accept=metropolis and accept=greedy without a guide, and may
// be nil otherwise. With propose=gradient it must also fill Block.Grad with the
// gradient of that state, and what it leaves there is the gradient of the last
// proposal, kept or not. With guide=momentum, Step must be called after every
// gradient, since it also averages them. With guide=lookahead or cycles the
// entries that could move and that did are counted in place of swaps.
func (m *Mover) Step(t int, energy func() float64) (proposed, accepted int) {
	p := &m.protocol
	if m.average != nil {
		m.averageGradients()
	}
	probability := p.Probability(t)
	if probability == 0 || m.progress != nil && m.progress.Ended {
		return 0, 0
	}
	m.proposed, m.accepted = 0, 0
	m.setLimits(t)
	m.energy, m.present = energy, math.NaN()
	n := p.Swaps(t, len(m.blocks))
	item, _, _ := p.letters()
	if p.Each {
		for _, i := range m.items {
			if m.happens(probability) {
				m.event(i, n)
			}
		}
	} else if m.happens(probability) {
		switch {
		case item == 'S':
			m.eventBetween(n)
		case item == 'A':
			m.eventInAll(n)
		case p.N.All:
			m.event(m.items[m.rand.IntN(len(m.items))], n)
		default:
			for range n {
				m.event(m.items[m.rand.IntN(len(m.items))], 1)
			}
		}
	}
	m.compareAll()
	m.energy = nil
	return m.proposed, m.accepted
}

// happens draws whether an event of the given probability takes place. A sure
// event takes nothing from the stream.
func (m *Mover) happens(probability float64) bool {
	return probability >= 1 || m.rand.Float64() < probability
}

// event makes n swaps within block i.
func (m *Mover) event(i, n int) {
	switch {
	case m.informed != nil:
		for range n {
			m.tryInformed(func() move { return m.drawMove(i, i) })
		}
	case m.protocol.N.All:
		m.eventAll(i)
	default:
		for range n {
			v := m.drawMove(i, i)
			m.try(v, v)
		}
	}
}

// eventAll lets all entries of block i take part.
func (m *Mover) eventAll(i int) {
	switch {
	case m.lookahead != nil:
		m.restore(i)
	case m.cycles != nil:
		m.rotate(i)
	default:
		m.match(i, i)
	}
}

// eventBetween makes n swaps, each between two blocks.
func (m *Mover) eventBetween(n int) {
	if m.protocol.N.All {
		m.matchBlocks()
		return
	}
	for range n {
		if m.informed != nil {
			m.tryInformed(func() move { return m.drawMove(m.drawPair()) })
			continue
		}
		v := m.drawMove(m.drawPair())
		m.try(v, v)
	}
}

// eventInAll makes n swaps, each in every block. All images share one draw of
// channels and pixels. Layers differ in size, so that one index means nothing in
// two of them: each draws its own.
func (m *Mover) eventInAll(n int) {
	if m.protocol.N.All {
		for _, i := range m.items {
			m.eventAll(i)
		}
		return
	}
	for range n {
		if m.protocol.Target == Features {
			first, last := m.items[0], m.items[len(m.items)-1]
			v := m.drawMove(first, first)
			u := v
			u.i, u.j = last, last
			m.try(v, u)
			continue
		}
		for _, i := range m.items {
			v := m.drawMove(i, i)
			m.try(v, v)
		}
	}
}
