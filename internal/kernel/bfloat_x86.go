//go:build amd64 && !purego

package kernel

// A tileConfig describes the tiles of AMX (palette 1): of each the bytes in a row, and the rows.
type tileConfig struct {
	palette, start byte
	_              [14]byte
	bytes          [16]uint16
	rows           [16]byte
}

// bfloatByTiles is MulBFloat by AMX.
func bfloatByTiles(blocks Blocks, n int, a []BFloat, w Windows, b []BFloat, panel int, c []float32, ldc int, accumulate bool) {
	step := tileStep(w.Length)
	config := configure(blocks.Rows, step)
	multiply, width := bfloatTiles32, panelBFloat(n)
	if width == 16 {
		multiply = bfloatTiles16
	}
	multiply(&config, blocks.N, n/width, w.Segments, w.Length/step, &a[0], 2*w.Lead, 2*(w.Skip-w.Length), 2*step, 2*blocks.A,
		&b[0], 2*panel, &c[0], 4*ldc, 4*blocks.C, flag(accumulate))
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
func bfloatByVectors(blocks Blocks, n int, a []BFloat, w Windows, b []BFloat, panel int, c []float32, ldc int, accumulate bool) {
	height, width := even(blocks.Rows, 8), panelBFloat(n)
	for k := range blocks.N {
		for i := 0; i < blocks.Rows; i += height {
			rows := min(height, blocks.Rows-i)
			for p := range n / width {
				bfloats512[width/16-1][rows-1](w.Segments, w.Length/2, &a[k*blocks.A+i*w.Lead], 2*w.Lead, 2*(w.Skip-w.Length),
					&b[p*panel], 4*width, &c[k*blocks.C+i*ldc+p*width], 4*ldc, flag(accumulate))
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

var bfloats512 = [2][8]func(segments, pairs int, a *BFloat, lead, skip int, b *BFloat, ldb int, c *float32, ldc, accumulate int){
	{bfloat512_1x16, bfloat512_2x16, bfloat512_3x16, bfloat512_4x16, bfloat512_5x16, bfloat512_6x16, bfloat512_7x16, bfloat512_8x16},
	{bfloat512_1x32, bfloat512_2x32, bfloat512_3x32, bfloat512_4x32, bfloat512_5x32, bfloat512_6x32, bfloat512_7x32, bfloat512_8x32},
}
