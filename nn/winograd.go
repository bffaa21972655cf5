package nn

import "swapmc/internal/kernel"

// winograd is a 3x3 convolution by Winograd's F(4x4, 3x3): inputs and outputs in tiles
// whose transforms have 36 entries, each entry one matrix product over the
// channels (see package kernel). A block of tiles goes through all of it in the cache.
//
//	inputs     6x6 tile x channels  ->  36 x tiles x in
//	weights                             36 x in x out
//	outputs    4x4 tile x channels  <-  36 x tiles x out
type winograd struct {
	conv
	ahead, back []float32 // transformed weights: 36 x in x out, and 36 x out x in
	turned      []float32 // the weights as in x 9 x out,
	turnedBack  []float32 // and as out x 9 x in
	block       int       // tiles, at most
}

const points = 36

func newWinograd(c conv) *winograd {
	in, out := c.x.C, c.y.C
	w := &winograd{conv: c, ahead: make([]float32, points*apart(in*out)), turned: make([]float32, 9*in*out)}
	if c.needDX {
		w.back, w.turnedBack = make([]float32, points*apart(in*out)), make([]float32, 9*in*out)
	}
	// A block and its two transforms shall stay in L2.
	const cache = 160 << 10 // entries
	across := c.y.W / 4
	w.block = max(across, min(64, cache/(points*(in+out)))/across*across)
	w.need.lines = max(w.need.lines, 4*c.y.W*c.y.C)
	w.need.tiles = max(w.need.tiles, points*w.size(in))
	w.need.outputs = max(w.need.outputs, points*w.size(out))
	w.need.weights = max(w.need.weights, points*apart(in*out))
	return w
}

// apart is the distance between the entries of a transform of so many values. It is no
// power of two, so that the 36 do not compete for the same lines of the cache.
func apart(n int) int { return n + 16 }

// size is the distance between the entries of a transformed block.
func (w *winograd) size(channels int) int { return apart(w.block * channels) }

// plane is a transformed block.
func (w *winograd) plane(channels int) kernel.Square {
	return kernel.Planes(6, w.size(channels), channels)
}

// tiles are the squares of a field, one tile beside the other.
func tiles(f *field) kernel.Square { return kernel.Square{Row: f.row(), Col: f.C, Tile: 4 * f.C} }

func (w *winograd) pack(i, n int, backward bool) {
	if i == 0 {
		w.packBias()
	}
	in, out := w.x.C, w.y.C
	if lo, hi := part(i, n, in); lo < hi {
		turned := w.turned[9*lo*out : 9*hi*out]
		kernel.Transpose(turned, out, w.weight[9*lo:], 9*in, out, 9*(hi-lo))
		kernel.WinogradWeights.Apply(hi-lo, out, w.ahead[lo*out:], kernel.Planes(6, apart(in*out), out), turned, filters(out))
	}
	if !backward || !w.needDX {
		return
	}
	if lo, hi := part(i, n, out); lo < hi {
		turned := w.turnedBack[9*lo*in : 9*hi*in]
		for o := range hi - lo {
			kernel.Transpose(turned[9*o*in:], in, w.weight[9*(lo+o)*in:], 9, in, 9)
		}
		kernel.WinogradWeights.Apply(hi-lo, in, w.back[lo*in:], kernel.Planes(6, apart(in*out), in), turned, filters(in))
	}
}

// filters are 3x3 squares of so many channels, one behind the other.
func filters(channels int) kernel.Square {
	return kernel.Square{Row: 3 * channels, Col: channels, Tile: 9 * channels}
}

// A line of tiles is number r of a span: that of an image, and its first row.
func (w *winograd) line(s span, r int) (image, row int) {
	perImage := w.y.H / 4
	return s.lo + r/perImage, r % perImage * 4
}

func (w *winograd) forward(s span) {
	in, out, across := w.x.C, w.y.C, w.y.W/4
	x, y := &w.work[s.worker], w.y
	lines, per := (s.hi-s.lo)*y.H/4, w.block/across
	for first := 0; first < lines; first += per {
		n := min(per, lines-first)
		w.transformInputs(s, first, n)
		for p := range points {
			kernel.MulRows(n*across, out, x.tiles[p*w.size(in):], kernel.Rows(in, in), w.ahead[p*apart(in*out):], out, x.outputs[p*w.size(out):], out, false)
		}
		for r := range n {
			i, row := w.line(s, first+r)
			kernel.WinogradOutput.Apply(across, out, y.from(y.data, i, row), tiles(y), x.outputs[r*across*out:], w.plane(out))
			for k := range 4 {
				w.finish(y.line(y.data, i, row+k))
			}
		}
	}
}

// transformInputs transforms n lines of tiles, which overlap by two rows and columns.
func (w *winograd) transformInputs(s span, first, n int) {
	x, across := w.x, w.y.W/4
	for r := range n {
		i, row := w.line(s, first+r)
		corner := x.data[i*x.size()+(row+x.border-1)*x.row()+(x.border-1)*x.C:]
		kernel.WinogradInput.Apply(across, x.C, w.work[s.worker].tiles[r*across*x.C:], w.plane(x.C), corner, tiles(x))
	}
}

func (w *winograd) backward(s span) {
	w.slopes(s)
	w.clearDX(s)
	in, out, across := w.x.C, w.y.C, w.y.W/4
	t, x, y := &w.work[s.worker], w.x, w.y
	lines, per := (s.hi-s.lo)*y.H/4, w.block/across
	for first := 0; first < lines; first += per {
		n := min(per, lines-first)
		w.transformInputs(s, first, n)
		for r := range n {
			i, row := w.line(s, first+r)
			g, pitch := w.gradient(t.lines, i, row, 4)
			kernel.WinogradOutputGradient.Apply(across, out, t.outputs[r*across*out:], w.plane(out), g, kernel.Square{Row: pitch, Col: out, Tile: 4 * out})
		}
		for p := range points {
			kernel.MulColumns(in, out, 1, n*across, t.tiles[p*w.size(in):], kernel.Strided{Lead: in}, t.outputs[p*w.size(out):], kernel.Strided{Lead: out}, t.weights[p*apart(in*out):], out, first > 0)
		}
		if !w.needDX {
			continue
		}
		for p := range points {
			kernel.MulRows(n*across, in, t.outputs[p*w.size(out):], kernel.Rows(out, out), w.back[p*apart(in*out):], in, t.tiles[p*w.size(in):], in, false)
		}
		for r := range n {
			i, row := w.line(s, first+r)
			corner := x.grad[i*x.size()+(row+x.border-1)*x.row()+(x.border-1)*x.C:]
			kernel.WinogradInputGradient.Apply(across, in, corner, tiles(x), t.tiles[r*across*in:], w.plane(in))
		}
	}
	if s.first {
		clear(w.sums[s.group])
	}
	kernel.WinogradWeightsGradient.Apply(in, out, w.sums[s.group], filters(out), t.weights, kernel.Planes(6, apart(in*out), out))
}

func (w *winograd) gather(i, n int) {
	if i == 0 {
		w.gatherBias()
	}
	in, out := w.x.C, w.y.C
	if lo, hi := part(i, n, in); lo < hi {
		kernel.Transpose(w.dw[9*lo:], 9*in, w.total(9*lo*out, 9*hi*out), out, 9*(hi-lo), out)
	}
}
