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
	ahead, back []float32 // transformed weights: 36 x in x out, and 36 x out x in, each of the 36 in panels
	block       int       // tiles, at most
	chunk       int       // channels of the inputs for which the gradient of the weights is summed at a time
}

const points = 36

func newWinograd(c conv) *winograd {
	in, out := c.x.C, c.y.C
	w := &winograd{conv: c, ahead: make([]float32, points*apart(in*out))}
	if c.needDX {
		w.back = make([]float32, points*apart(in*out))
	}
	// A block and its two transforms shall stay in L2.
	const cache = 160 << 10 // entries
	across := c.y.W / 4
	w.block = max(across, min(64, cache/(points*(in+out)))/across*across)
	w.need.lines = max(w.need.lines, 4*c.y.W*c.y.C)
	w.need.tiles = max(w.need.tiles, points*w.size(in))
	w.need.outputs = max(w.need.outputs, points*w.size(out))
	// What is summed shall stay there too.
	w.chunk = in
	if points*in*out > cache/2 {
		w.chunk = 16
	}
	w.need.weights = max(w.need.weights, points*apart(w.chunk*out), 9*in*out/w.parts+9*max(in, out))
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

func (w *winograd) pack(i, worker int, backward bool) {
	if i == 0 {
		w.begin()
	}
	in, out, turned := w.x.C, w.y.C, w.work[worker].weights // as rows x 9 x columns
	if lo, hi := part(i, w.parts, in); lo < hi {
		kernel.Transpose(turned, out, w.weight[9*lo:], 9*in, out, 9*(hi-lo))
		packPanels(w.ahead, turned, in, out, lo, hi)
	}
	if !backward || !w.needDX {
		return
	}
	if lo, hi := part(i, w.parts, out); lo < hi {
		for o := range hi - lo {
			kernel.Transpose(turned[9*o*in:], in, w.weight[9*(lo+o)*in:], 9, in, 9)
		}
		packPanels(w.back, turned, out, in, lo, hi)
	}
}

// packPanels transforms rows [lo, hi) of the weights and stores them where multiply reads them.
func packPanels(to, turned []float32, rows, cols, lo, hi int) {
	width := panel(cols)
	for j := 0; j < cols; j += width {
		kernel.WinogradWeights.Apply(hi-lo, width, to[j*rows+lo*width:], kernel.Planes(6, apart(rows*cols), width), turned[j:], filters(cols))
	}
}

// panel is how many columns of the transformed weights lie together: those that a product reads at a time, if
// that divides them.
func panel(cols int) int {
	if w := kernel.PanelWidth(); cols%w == 0 {
		return w
	}
	return cols
}

// multiply multiplies each of the 36 entries of m transformed tiles with its transformed weights.
func (w *winograd) multiply(ahead *kernel.Ahead, m int, x []float32, rows int, weights, y []float32, cols int) {
	width := panel(cols)
	if width == cols {
		each := kernel.Apart{N: points, A: w.size(rows), B: apart(rows * cols), C: w.size(cols), Ahead: ahead}
		kernel.MulRowsEach(each, m, cols, x, kernel.Rows(rows, rows), weights, cols, y, cols, false)
		return
	}
	panels := kernel.Apart{N: cols / width, B: rows * width, C: width, Ahead: ahead}
	for p := range points {
		kernel.MulRowsEach(panels, m, width, x[p*w.size(rows):], kernel.Rows(rows, rows), weights[p*apart(rows*cols):], width, y[p*w.size(cols):], cols, false)
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
		w.multiply(&x.ahead, n*across, x.tiles, in, w.ahead, x.outputs, out)
		for r := range n {
			i, row := w.line(s, first+r)
			kernel.WinogradOutput.Apply(across, out, y.from(y.data, i, row), tiles(y), x.outputs[r*across*out:], w.plane(out))
			w.finish(s, i, row, 4)
		}
	}
}

func (w *winograd) passes(backward bool, through func([]float32, *field)) {
	inputs := w.x
	if w.before != nil {
		inputs = w.before.x
	}
	w.passesFrom(inputs, backward, through)
}

func (w *winograd) precede(b *batchNorm, images [][]float32) { w.normalize(b, images) }

// transformInputs transforms n lines of tiles, which overlap by two rows and columns.
func (w *winograd) transformInputs(s span, first, n int) {
	x, across := w.x, w.y.W/4
	for r := range n {
		i, row := w.line(s, first+r)
		from := w.inputs(s, i, row, r == 0)
		corner := from[(row+x.border-1)*x.row()+(x.border-1)*x.C:]
		kernel.WinogradInput.Apply(across, x.C, w.work[s.worker].tiles[r*across*x.C:], w.plane(x.C), corner, tiles(x))
	}
}

// inputs returns an image, of which the tiles from a row on are wanted. The lines of an image come in
// order, the first of a block marked.
func (w *winograd) inputs(s span, image, row int, first bool) []float32 {
	x := w.x
	if w.before == nil {
		return x.whole(x.data, image)
	}
	to := w.fresh[s.worker]
	lo := row + 1 // there are those up to here
	if first || row == 0 {
		lo = max(row-1, 0)
	}
	w.before.outputs(x.lines(to, 0, lo), image, lo, min(row+5, x.H)-lo)
	return to
}

func (w *winograd) backward(s span) {
	w.slopes(s)
	in, out, across := w.x.C, w.y.C, w.y.W/4
	t, x, y := &w.work[s.worker], w.x, w.y
	lines, per := (s.hi-s.lo)*y.H/4, w.block/across
	sums := w.sums.of(s, w.chunk == in || lines <= per)
	for first := 0; first < lines; first += per {
		n := min(per, lines-first)
		w.transformInputs(s, first, n)
		for r := range n {
			i, row := w.line(s, first+r)
			g, pitch := w.gradient(t.lines, i, row, 4)
			kernel.WinogradOutputGradient.Apply(across, out, t.outputs[r*across*out:], w.plane(out), g, kernel.Square{Row: pitch, Col: out, Tile: 4 * out})
		}
		w.sumWeights(s, sums, n*across, first > 0, first+n == lines)
		if !w.needDX {
			continue
		}
		w.multiply(&t.ahead, n*across, t.outputs, out, w.back, t.tiles, in)
		for r := range n {
			i, row := w.line(s, first+r)
			corner := x.grad[i*x.size()+(row+x.border-1)*x.row()+(x.border-1)*x.C:]
			if w.addDX {
				kernel.WinogradInputGradient.Apply(across, in, corner, tiles(x), t.tiles[r*across*in:], w.plane(in))
				continue
			}
			if row == 0 {
				clear(corner[:2*x.row()])
			}
			kernel.WinogradInputGradientFresh(across, in, corner, tiles(x), t.tiles[r*across*in:], w.plane(in))
		}
	}
	w.sums.done(s, w.batch)
}

// sumWeights adds what so many tiles of a block give to the gradient of the weights. Where it is
// small it is transformed after the last block only.
func (w *winograd) sumWeights(s span, sums []float32, tiles int, more, last bool) {
	in, out, t := w.x.C, w.y.C, &w.work[s.worker]
	whole := w.chunk == in
	for c := 0; c < in; c += w.chunk {
		each := kernel.Apart{N: points, A: w.size(in), B: w.size(out), C: apart(w.chunk * out), Ahead: &t.ahead}
		kernel.MulColumnsEach(each, w.chunk, out, 1, tiles, t.tiles[c:], kernel.Strided{Lead: in}, t.outputs, kernel.Strided{Lead: out}, t.weights, out, whole && more)
		if !whole || last {
			kernel.WinogradWeightsGradient.Apply(w.chunk, out, sums[9*c*out:], filters(out), t.weights, kernel.Planes(6, apart(w.chunk*out), out))
		}
	}
}

func (w *winograd) gather(i, n int) {
	if i == 0 {
		w.gatherBias()
	}
	in, out := w.x.C, w.y.C
	if lo, hi := part(i, n, in); lo < hi {
		kernel.Transpose(w.dw[9*lo:], 9*in, w.sums.total(9*lo*out, 9*hi*out), out, 9*(hi-lo), out)
	}
}
