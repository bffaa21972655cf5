//go:build amd64 && !purego

package kernel

// A tileConfig describes the tiles of AMX (palette 1): of each the bytes in a row, and the rows.
type tileConfig struct {
	palette byte
	_       [15]byte
	bytes   [16]uint16
	rows    [16]byte
}

// bfloatByTiles is MulBFloat by AMX.
func bfloatByTiles(blocks Blocks, n int, a []BFloat, w Windows, b []BFloat, bs RowPairs, c []float32, ldc int, accumulate bool) {
	blocks, rest := blocks.inPairs()
	if rest > 0 { // the last line
		bfloatByTiles(Blocks{Lines: 1, N: 1, Rows: blocks.Rows}, n, a[2*blocks.A*blocks.Lines:], w, b, bs, c[2*blocks.C*blocks.Lines:], ldc, accumulate)
	}
	step := tileStep(w.Length)
	config := configure(blocks.Rows, step)
	bfloatTiles(&config, blocks.Lines, blocks.N, n/16, w.Segments, w.Length/step, &a[0], 2*w.Lead, 2*(w.Skip-w.Length), 2*step, 2*blocks.A,
		&b[0], 2*bs.Apart, 32*step, 2*bs.Skip, &c[0], 4*ldc, 4*blocks.C,
		2*(blocks.DownA-blocks.N*blocks.A), 4*(blocks.DownC-blocks.N*blocks.C), flag(accumulate), 0)
}

// inPairs makes lines of two out of lines of one block, so that two share what is loaded of B, and tells how many lines are left over.
func (b Blocks) inPairs() (pairs Blocks, rest int) {
	if b.N > 1 || b.Lines < 2 {
		return b, 0
	}
	return Blocks{Lines: b.Lines / 2, N: 2, Rows: b.Rows, A: b.DownA, C: b.DownC, DownA: 2 * b.DownA, DownC: 2 * b.DownC}, b.Lines % 2
}

// configure describes tiles of so many rows, and step columns of A.
func configure(rows, step int) tileConfig {
	config := tileConfig{palette: 1}
	for t := range 8 {
		config.bytes[t], config.rows[t] = 64, byte(rows)
	}
	for t := 4; t < 6; t++ { // A
		config.bytes[t] = uint16(2 * step)
	}
	for t := 6; t < 8; t++ { // B
		config.rows[t] = byte(step / 2)
	}
	return config
}

// tileStep is how many entries of a window of even length go into a tile: the most that divides it.
func tileStep(length int) int {
	step := 32
	for length%step > 0 {
		step -= 2
	}
	return step
}

// bfloatByVectors is MulBFloat by AVX512_BF16.
func bfloatByVectors(blocks Blocks, n int, a []BFloat, w Windows, b []BFloat, bs RowPairs, c []float32, ldc int, accumulate bool) {
	height := even(blocks.Rows, 8)
	for k := range blocks.Lines * blocks.N {
		fromA, fromC := blocks.at(k)
		for i := 0; i < blocks.Rows; i += height {
			rows := min(height, blocks.Rows-i)
			for p := 0; p < n/16; p += 2 {
				bfloats512[min(1, n/16-p-1)][rows-1](w.Segments, w.Length/2, &a[fromA+i*w.Lead], 2*w.Lead, 2*(w.Skip-w.Length),
					&b[p*bs.Apart], 2*bs.Apart, 2*bs.Skip, &c[fromC+i*ldc+16*p], 4*ldc, flag(accumulate))
			}
		}
	}
}

func flag(x bool) int {
	if x {
		return 1
	}
	return 0
}

var bfloats512 = [2][8]func(segments, pairs int, a *BFloat, lead, skip int, b *BFloat, panel, skipB int, c *float32, ldc, accumulate int){
	{bfloat512_1x16, bfloat512_2x16, bfloat512_3x16, bfloat512_4x16, bfloat512_5x16, bfloat512_6x16, bfloat512_7x16, bfloat512_8x16},
	{bfloat512_1x32, bfloat512_2x32, bfloat512_3x32, bfloat512_4x32, bfloat512_5x32, bfloat512_6x32, bfloat512_7x32, bfloat512_8x32},
}
