package nn

import "swapmc/internal/kernel"

// A share says how the gradient of a linear layer's weights is divided among threads, and each thread's part
// into pieces of a few units and inputs. Units are divided among as many threads as
// leave each of them tall, and inputs among those that are over: for each of its inputs a thread copies
// those of the whole batch, which must be little beside what it does with them.
// A thread takes all its units before it goes on to the next inputs.
type share struct {
	units, inputs int // of the layer,
	across, along int // divided among so many threads,
	blocks, spans int // and each part into so many
}

// A piece is the gradient of units [lo, hi) by inputs [first, end). It may be empty.
type piece struct{ lo, hi, first, end int }

const (
	tall     = 128                   // units a thread, or more
	atATime  = 64                    // units of a piece at most,
	together = 3 * kernel.StripWidth // and inputs, whole strips
)

func newShare(threads, units, inputs int) share {
	s := share{units: units, inputs: inputs, across: threads}
	for s.across > 1 && (threads%s.across > 0 || units < tall*s.across) {
		s.across--
	}
	s.along = threads / s.across
	s.blocks = over(over(units, s.across), atATime)
	s.spans = over(over(inputs, together), s.along)
	return s
}

// over returns n/by, rounded up.
func over(n, by int) int { return (n + by - 1) / by }

// pieces returns the number of those of each thread.
func (s share) pieces() int { return s.blocks * s.spans }

// piece returns piece i.
func (s share) piece(i int) piece {
	block, i := i%s.blocks, i/s.blocks
	span, i := i%s.spans, i/s.spans
	lo, hi := part(i/s.along, s.across, s.units)
	first, end := part(i%s.along*s.spans+span, s.along*s.spans, over(s.inputs, kernel.StripWidth))
	from, to := part(block, s.blocks, hi-lo)
	return piece{lo + from, lo + to, first * kernel.StripWidth, min(end*kernel.StripWidth, s.inputs)}
}
