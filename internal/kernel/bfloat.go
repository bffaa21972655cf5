package kernel

import (
	"fmt"
	"math"
)

// A BFloat is a bfloat16: the upper half of a float32, with 8 bits of precision and the same range.
type BFloat uint16

// Float returns the same number in more bits.
func (x BFloat) Float() float32 { return math.Float32frombits(uint32(x) << 16) }

// rounded returns the nearest bfloat16; of two equally near the even one. A NaN stays one.
func rounded(x float32) BFloat {
	b := math.Float32bits(x)
	if x != x {
		return BFloat(b>>16 | 0x40)
	}
	return BFloat((b + 0x7fff + b>>16&1) >> 16)
}

// Round sets dst to src, rounded to the nearest; of two equally near numbers to the even one.
func Round(dst []BFloat, src []float32) {
	dst = dst[:len(src)]
	i := 0
	if n := len(src) / 16; n > 0 && active.wide {
		round512((*uint16)(&dst[0]), &src[0], n)
		i = 16 * n
	}
	for ; i < len(src); i++ {
		dst[i] = rounded(src[i])
	}
}

// RoundPairs rounds so many pairs of rows, lead apart, of n entries, a multiple of 16, and stores entries of the two by
// turns, in panels of 16 columns that are so far apart: B of [MulBFloat].
func RoundPairs(dst []BFloat, apart int, src []float32, lead, pairs, n int) {
	if pairs <= 0 || n <= 0 {
		return
	}
	if n%16 > 0 {
		panic(fmt.Sprintf("kernel: %d columns: want a multiple of 16", n))
	}
	_, _ = dst[(n/16-1)*apart+32*pairs-1], src[(2*pairs-1)*lead+n-1]
	for p := range n / 16 {
		to, from := dst[p*apart:], src[16*p:]
		if active.wide {
			pair512((*uint16)(&to[0]), &from[0], 4*lead, pairs)
			continue
		}
		for i := range pairs {
			for j := range 16 {
				to[32*i+2*j], to[32*i+2*j+1] = rounded(from[2*i*lead+j]), rounded(from[(2*i+1)*lead+j])
			}
		}
	}
}

// Blocks says where the rows of A and C lie in [MulBFloat]: lines of N blocks of up to 16 rows. In a line blocks begin A and C
// entries apart, and lines DownA and DownC.
type Blocks struct{ Lines, N, Rows, A, C, DownA, DownC int }

// at returns where block k begins in A and in C.
func (b Blocks) at(k int) (a, c int) {
	line, k := k/b.N, k%b.N
	return line*b.DownA + k*b.A, line*b.DownC + k*b.C
}

// RowPairs says where B lies in [MulBFloat]: panels of 16 columns, so many entries apart, each with its rows as [RoundPairs] leaves
// them; between those of one segment and the next so many entries are skipped.
type RowPairs struct{ Apart, Skip int }

// MulBFloat sets C, or adds to it, the product of windows on A with the n columns, a multiple of 16, of B, with sums in float32.
// In each block the windows on A are Lead apart, and the rows of C ldc. The parts of a window have an even number
// of entries.
//
// An element of C is one sequence of sums that depends on nothing but the windows; how many
// terms are added before they are rounded, and whether denormal numbers count, depends on the implementation.
func MulBFloat(blocks Blocks, n int, a []BFloat, w Windows, b []BFloat, bs RowPairs, c []float32, ldc int, accumulate bool) {
	if blocks.Lines <= 0 || blocks.N <= 0 || blocks.Rows <= 0 || n <= 0 || w.Segments <= 0 || w.Length <= 0 {
		return
	}
	if n%16 > 0 || w.Length%2 > 0 || blocks.Rows > maxRows {
		panic(fmt.Sprintf("kernel: %d columns of windows of %d, %d rows: want multiples of 16 and 2, at most %d", n, w.Length, blocks.Rows, maxRows))
	}
	lastA, lastC := blocks.at(blocks.Lines*blocks.N - 1)
	_ = a[lastA+(blocks.Rows-1)*w.Lead+(w.Segments-1)*w.Skip+w.Length-1]
	_ = b[(n/16-1)*bs.Apart+(w.Segments-1)*bs.Skip+w.Segments*w.Length*16-1]
	_ = c[lastC+(blocks.Rows-1)*ldc+n-1]
	if active.bfloat != nil {
		active.bfloat(blocks, n, a, w, b, bs, c, ldc, accumulate)
		return
	}
	for k := range blocks.Lines * blocks.N {
		fromA, fromC := blocks.at(k)
		for i := range blocks.Rows {
			for p := range n / 16 {
				sums := c[fromC+i*ldc+16*p:][:16]
				if !accumulate {
					clear(sums)
				}
				for s := range w.Segments {
					windows, rows := a[fromA+i*w.Lead+s*w.Skip:], b[p*bs.Apart+s*(16*w.Length+bs.Skip):]
					for q := 0; q < w.Length; q += 2 {
						x, y, row := windows[q].Float(), windows[q+1].Float(), rows[16*q:][:32]
						for j := range sums {
							sums[j] += float32(x*row[2*j].Float()) + float32(y*row[2*j+1].Float())
						}
					}
				}
			}
		}
	}
}

// BFloats reports whether this machine has instructions for products of bfloat16, or else how to do without.
func BFloats() error {
	if active.bfloat == nil && active.name != goKernels.name {
		return fmt.Errorf("the %s kernels have no bfloat16 products: they need AMX or AVX512_BF16 (SWAPMC_KERNEL=go has slow ones)", active.name)
	}
	return nil
}
