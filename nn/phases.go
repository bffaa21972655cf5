package nn

// phases are how the gradient of the inputs of a convolution is made of windows on that of its outputs: inputs that
// are the stride apart are reached by the same taps of the filter.
type phases struct {
	kernel, stride int
	down, across   []phase
	edge           int  // zeros around the gradient of the outputs
	gaps           bool // there are inputs that no tap reaches
}

// A phase is those of one direction.
type phase struct {
	taps  int
	first int // of the inputs
	count int
	from  int // output at which the window of the first one begins
	start int // first of the taps, which are the stride apart; the window meets the last one first
}

func newPhases(c *conv) phases {
	p := phases{kernel: c.kernel, stride: c.stride, gaps: c.stride > c.kernel}
	direction := func(length, outputs int) []phase {
		var list []phase
		for k := range min(c.stride, c.kernel) {
			// Tap k of output y reaches input stride y + k - pad.
			ph := phase{start: k, taps: (c.kernel - k + c.stride - 1) / c.stride, first: ((k-c.pad)%c.stride + c.stride) % c.stride}
			if ph.first >= length {
				continue
			}
			ph.count = (length - ph.first + c.stride - 1) / c.stride
			ph.from = (ph.first+c.pad-k)/c.stride - (ph.taps - 1)
			p.edge = max(p.edge, -ph.from, ph.from+ph.count-1+ph.taps-outputs)
			list = append(list, ph)
		}
		return list
	}
	p.down, p.across = direction(c.x.H, c.y.H), direction(c.x.W, c.y.W)
	return p
}

// each calls f for each pair of phases, with the number of taps of those before.
func (p *phases) each(f func(down, across phase, before int)) {
	before := 0
	for _, down := range p.down {
		for _, across := range p.across {
			f(down, across, before)
			before += down.taps * across.taps
		}
	}
}

// tap is which of the K K taps is number t of a window.
func (p *phases) tap(down, across phase, t int) int {
	row := down.start + (down.taps-1-t/across.taps)*p.stride
	return row*p.kernel + across.start + (across.taps-1-t%across.taps)*p.stride
}

// padded is the size of the gradient of an image of outputs with zeros around.
func (p *phases) padded(y Shape) int { return (y.H + 2*p.edge) * (y.W + 2*p.edge) * y.C }
