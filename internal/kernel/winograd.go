package kernel

import "math"

// Winograd's convolution F(4x4, 3x3) computes 4 x 4 outputs of a 3 x 3 window from a
// 6 x 6 tile of inputs with 36 multiplications an input and output channel instead
// of 144 (Winograd 1980; Lavin and Gray 2016):
//
//	y = A' [ (G w G') * (B' x B) ] A        ' transposes, * multiplies entry by entry
//
// and by transposition the gradients
//
//	dw = G' [ (B' x B) * (A dy A') ] G      dx = B [ (G w G') * (A dy A') ] B'
//
// summed over channels, tiles, or both, so that each of the 36 entries is a matrix
// product. The polynomials behind it are evaluated at 0, +-1/sqrt 2, +-sqrt 2 and
// infinity, whose rounding errors are a few times smaller than those of the usual 0,
// +-1, +-2 (compare Barabasz et al., ACM TOMS 46, 37, 2020).
var (
	WinogradInput = Transform{in: 6, out: 6, matrix: []float32{ // B'
		1, 0, -2.5, 0, 1, 0,
		0, -2 * pa, -2, pa, 1, 0,
		0, 2 * pa, -2, -pa, 1, 0,
		0, -pb / 2, -0.5, pb, 1, 0,
		0, pb / 2, -0.5, -pb, 1, 0,
		0, 1, 0, -2.5, 0, 1}}
	WinogradOutput = Transform{in: 6, out: 4, matrix: []float32{ // A'
		1, 1, 1, 1, 1, 0,
		0, pa, -pa, pb, -pb, 0,
		0, 0.5, 0.5, 2, 2, 0,
		0, pa / 2, -pa / 2, 2 * pb, -2 * pb, 1}}
	WinogradWeights = Transform{in: 3, out: 6, matrix: []float32{ // G
		1, 0, 0,
		-2. / 3, -2 * pa / 3, -1. / 3,
		-2. / 3, 2 * pa / 3, -1. / 3,
		1. / 6, pb / 6, 1. / 3,
		1. / 6, -pb / 6, 1. / 3,
		0, 0, 1}}
	WinogradInputGradient   = WinogradInput.transposed(true) // adds: tiles overlap
	WinogradOutputGradient  = WinogradOutput.transposed(false)
	WinogradWeightsGradient = WinogradWeights.transposed(true)
)

const (
	pa = math.Sqrt2 / 2
	pb = math.Sqrt2
)

// A Transform maps squares of in x in entries to squares of out x out: M x M'.
type Transform struct {
	in, out int
	matrix  []float32 // out x in
	add     bool      // to what is there
}

func (t Transform) transposed(add bool) Transform {
	u := Transform{in: t.out, out: t.in, matrix: make([]float32, len(t.matrix)), add: add}
	for i := range t.out {
		for j := range t.in {
			u.matrix[j*t.out+i] = t.matrix[i*t.in+j]
		}
	}
	return u
}

// transformKernel is a transform of so many tiles and vectors of channels.
type transformKernel = func(tiles, vectors int, dst *float32, dstRow, dstCol, dstTile int, src *float32, srcRow, srcCol, srcTile int)

// A Square says how far apart the rows and columns of a square lie, and the next
// tile behind it. Entries of the next channels follow each other.
type Square struct{ Row, Col, Tile int }

// Planes are squares of side x side whose entries lie size apart.
func Planes(side, size, tile int) Square { return Square{side * size, size, tile} }

func (s Square) last(side, tiles, channels int) int {
	return (side-1)*(s.Row+s.Col) + (tiles-1)*s.Tile + channels - 1
}

// Apply transforms so many tiles of so many channels.
func (t *Transform) Apply(tiles, channels int, dst []float32, to Square, src []float32, from Square) {
	if tiles <= 0 || channels <= 0 {
		return
	}
	_, _ = dst[to.last(t.out, tiles, channels)], src[from.last(t.in, tiles, channels)]
	f, lanes, most := active.transform(t, channels, &dst[0], to, from)
	for first := 0; f != nil && first < tiles; first += min(most, tiles) {
		f(min(most, tiles-first), channels/lanes, &dst[first*to.Tile], to.Row, to.Col, to.Tile, &src[first*from.Tile], from.Row, from.Col, from.Tile)
	}
	if f != nil {
		return
	}
	for tile := range tiles {
		for c := range channels {
			t.one(dst[tile*to.Tile+c:], to, src[tile*from.Tile+c:], from)
		}
	}
}

// WinogradInputGradientFresh is WinogradInputGradient.Apply for the tiles of a line, 4 columns apart,
// whose first two rows are added to what the line before has left, and whose others are set.
func WinogradInputGradientFresh(tiles, channels int, dst []float32, to Square, src []float32, from Square) {
	if tiles <= 0 || channels <= 0 {
		return
	}
	_, _ = dst[to.last(6, tiles, channels)], src[from.last(6, tiles, channels)]
	if f, lanes := active.fresh(tiles, channels); f != nil {
		f(tiles, channels/lanes, &dst[0], to.Row, to.Col, to.Tile, &src[0], from.Row, from.Col, from.Tile)
		return
	}
	for row := 2; row < 6; row++ {
		for col := range 4*tiles + 2 {
			clear(dst[row*to.Row+col*to.Col:][:channels])
		}
	}
	WinogradInputGradient.Apply(tiles, channels, dst, to, src, from)
}

// one transforms one square of one channel in plain Go.
func (t *Transform) one(dst []float32, to Square, src []float32, from Square) {
	var half [6][6]float32
	for i := range t.out {
		for j := range t.in {
			for k := range t.in {
				half[i][j] += float32(t.matrix[i*t.in+k] * src[k*from.Row+j*from.Col])
			}
		}
	}
	for i := range t.out {
		for j := range t.out {
			var sum float32
			for k := range t.in {
				sum += float32(half[i][k] * t.matrix[j*t.in+k])
			}
			if at := i*to.Row + j*to.Col; t.add {
				dst[at] += sum
			} else {
				dst[at] = sum
			}
		}
	}
}
