//go:build !purego

package kernel

//go:generate go run -C asm ./neon

// available lists the assembly kernels: every arm64 has NEON.
func available() []implementation {
	return []implementation{{name: "neon", packed: mc, widths: []width{neonWidth(16), neonWidth(12), neonWidth(8), neonWidth(4)}}}
}

type (
	rowwiseNeon    = func(blocks, segments, length int, a *float32, lda, sa int, b *float32, ldb int, c *float32, ldc int, accumulate bool)
	columnwiseNeon = func(segments, length int, a *float32, lda, sa int, b *float32, ldb, sb int, c *float32, ldc int, accumulate bool)
)

// The micro-kernels of so many columns and rows.
var (
	neonRowwise = map[int][7]rowwiseNeon{
		1:  {nil, rowwiseNeon_1x1, rowwiseNeon_2x1, rowwiseNeon_3x1, rowwiseNeon_4x1, rowwiseNeon_5x1, rowwiseNeon_6x1},
		2:  {nil, rowwiseNeon_1x2, rowwiseNeon_2x2, rowwiseNeon_3x2, rowwiseNeon_4x2, rowwiseNeon_5x2, rowwiseNeon_6x2},
		3:  {nil, rowwiseNeon_1x3, rowwiseNeon_2x3, rowwiseNeon_3x3, rowwiseNeon_4x3, rowwiseNeon_5x3, rowwiseNeon_6x3},
		4:  {nil, rowwiseNeon_1x4, rowwiseNeon_2x4, rowwiseNeon_3x4, rowwiseNeon_4x4, rowwiseNeon_5x4, rowwiseNeon_6x4},
		8:  {nil, rowwiseNeon_1x8, rowwiseNeon_2x8, rowwiseNeon_3x8, rowwiseNeon_4x8, rowwiseNeon_5x8, rowwiseNeon_6x8},
		12: {nil, rowwiseNeon_1x12, rowwiseNeon_2x12, rowwiseNeon_3x12, rowwiseNeon_4x12, rowwiseNeon_5x12, rowwiseNeon_6x12},
		16: {nil, rowwiseNeon_1x16, rowwiseNeon_2x16, rowwiseNeon_3x16, rowwiseNeon_4x16, rowwiseNeon_5x16, rowwiseNeon_6x16},
	}
	neonColumnwise = map[int][7]columnwiseNeon{
		1:  {nil, columnwiseNeon_1x1, columnwiseNeon_2x1, columnwiseNeon_3x1, columnwiseNeon_4x1, columnwiseNeon_5x1, columnwiseNeon_6x1},
		2:  {nil, columnwiseNeon_1x2, columnwiseNeon_2x2, columnwiseNeon_3x2, columnwiseNeon_4x2, columnwiseNeon_5x2, columnwiseNeon_6x2},
		3:  {nil, columnwiseNeon_1x3, columnwiseNeon_2x3, columnwiseNeon_3x3, columnwiseNeon_4x3, columnwiseNeon_5x3, columnwiseNeon_6x3},
		4:  {nil, columnwiseNeon_1x4, columnwiseNeon_2x4, columnwiseNeon_3x4, columnwiseNeon_4x4, columnwiseNeon_5x4, columnwiseNeon_6x4},
		8:  {nil, columnwiseNeon_1x8, columnwiseNeon_2x8, columnwiseNeon_3x8, columnwiseNeon_4x8, columnwiseNeon_5x8, columnwiseNeon_6x8},
		12: {nil, columnwiseNeon_1x12, columnwiseNeon_2x12, columnwiseNeon_3x12, columnwiseNeon_4x12, columnwiseNeon_5x12, columnwiseNeon_6x12},
		16: {nil, columnwiseNeon_1x16, columnwiseNeon_2x16, columnwiseNeon_3x16, columnwiseNeon_4x16, columnwiseNeon_5x16, columnwiseNeon_6x16},
	}
)

// neonWidth makes a width of cols columns. Where the last vector is not whole, it has
// a kernel of its own: NEON has no masks.
func neonWidth(cols int) width {
	w := width{cols: cols, lanes: 4, rows: 6}
	for r := 1; r <= w.rows; r++ {
		rows, columns := neonRowwise[cols][r], neonColumnwise[cols][r]
		rowsBut, columnsBut := neonRowwise[cols-4][r], neonColumnwise[cols-4][r]
		var rowsTail [4]rowwiseNeon
		var columnsTail [4]columnwiseNeon
		for tail := 1; tail < 4; tail++ {
			rowsTail[tail], columnsTail[tail] = neonRowwise[tail][r], neonColumnwise[tail][r]
		}
		w.rowwise[r] = func(products, blocks, segments, length int, a *float32, lda, sa, nextA int, b *float32, ldb, nextB int, c *float32, ldc, nextC, tail int, accumulate bool, _ *float32, _ int) {
			for k := range products {
				a, b, c := behind(a, k*nextA), behind(b, k*nextB), behind(c, k*nextC)
				if tail == 4 {
					rows(blocks, segments, length, a, lda, sa, b, ldb, c, ldc, accumulate)
					continue
				}
				if rowsBut != nil {
					rowsBut(blocks, segments, length, a, lda, sa, b, ldb, c, ldc, accumulate)
				}
				rowsTail[tail](blocks, segments, length, a, lda, sa, behind(b, cols-4), ldb, behind(c, cols-4), ldc, accumulate)
			}
		}
		w.columnwise[r] = func(products, blocks, segments, length int, a *float32, lda, sa, nextA int, b *float32, ldb, sb, nextB int, c *float32, ldc, nextC, tail int, accumulate bool, _ *float32, _ int) {
			for k := range products {
				for i := range blocks {
					a, b, c := behind(a, k*nextA+i*r), behind(b, k*nextB), behind(c, k*nextC+i*r*ldc)
					if tail == 4 {
						columns(segments, length, a, lda, sa, b, ldb, sb, c, ldc, accumulate)
						continue
					}
					if columnsBut != nil {
						columnsBut(segments, length, a, lda, sa, b, ldb, sb, c, ldc, accumulate)
					}
					columnsTail[tail](segments, length, a, lda, sa, behind(b, cols-4), ldb, sb, behind(c, cols-4), ldc, accumulate)
				}
			}
		}
	}
	return w
}

// transform returns no assembly: the transforms are plain Go here.
func (k *implementation) transform(*Transform, int, *float32, Square, Square) (f transformKernel, lanes, tiles int) {
	return nil, 0, 0
}

func (k *implementation) fresh(int, int) (transformKernel, int) { return nil, 0 }
