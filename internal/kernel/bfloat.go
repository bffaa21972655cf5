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

// panelBFloat is how many of n columns lie together in B of MulBFloat.
func panelBFloat(n int) int { return 32 - n&16 }

// RoundPairs rounds so many pairs of rows, lead apart, of n entries, a multiple of 16, and stores entries of the two by
// turns, in panels of 32 columns, or of 16 if 32 do not divide n: B of [MulBFloat]. Panels are that many entries apart.
func RoundPairs(dst []BFloat, panel int, src []float32, lead, pairs, n int) {
	if pairs <= 0 || n <= 0 {
		return
	}
	width := panelBFloat(n)
	_, _ = dst[(n/width-1)*panel+2*pairs*width-1], src[(2*pairs-1)*lead+n-1]
	for p := range n / width {
		to, from := dst[p*panel:], src[p*width:]
		if active.wide {
			pair512((*uint16)(&to[0]), &from[0], 4*lead, pairs, width/16)
			continue
		}
		for i := range pairs {
			for j := range width {
				to[2*(i*width+j)], to[2*(i*width+j)+1] = rounded(from[2*i*lead+j]), rounded(from[(2*i+1)*lead+j])
			}
		}
	}
}

// Blocks says where the rows of A and C lie in [MulBFloat]: N blocks of up to 16 rows, which begin A and C entries apart.
type Blocks struct{ N, Rows, A, C int }

// MulBFloat sets C, or adds to it, the product of windows on A with B, in float32. In each block the windows on A are Lead
// apart, and the rows of C ldc. The parts of a window have an even number of entries. B has n columns, a multiple of 16, and lies
// as [RoundPairs] leaves it.
//
// An element of C is one sequence of sums that depends on nothing but the windows; how many
// terms are added before they are rounded, and whether denormal numbers count, depends on the implementation.
func MulBFloat(blocks Blocks, n int, a []BFloat, w Windows, b []BFloat, panel int, c []float32, ldc int, accumulate bool) {
	if blocks.N <= 0 || blocks.Rows <= 0 || n <= 0 || w.Segments <= 0 || w.Length <= 0 {
		return
	}
	if n%16 > 0 || w.Length%2 > 0 || blocks.Rows > maxRows {
		panic(fmt.Sprintf("kernel: %d columns of windows of %d, %d rows: want multiples of 16 and 2, at most %d", n, w.Length, blocks.Rows, maxRows))
	}
	_ = a[(blocks.N-1)*blocks.A+(blocks.Rows-1)*w.Lead+(w.Segments-1)*w.Skip+w.Length-1]
	width := panelBFloat(n)
	_ = b[(n/width-1)*panel+w.Segments*w.Length*width-1]
	_ = c[(blocks.N-1)*blocks.C+(blocks.Rows-1)*ldc+n-1]
	if active.bfloat != nil {
		active.bfloat(blocks, n, a, w, b, panel, c, ldc, accumulate)
		return
	}
	for k := range blocks.N {
		for i := range blocks.Rows {
			windows, sums := a[k*blocks.A+i*w.Lead:], c[k*blocks.C+i*ldc:][:n]
			if !accumulate {
				clear(sums)
			}
			for s := range w.Segments {
				for p := range w.Length / 2 {
					x, y := windows[s*w.Skip+2*p].Float(), windows[s*w.Skip+2*p+1].Float()
					for j := 0; j < n; j += width {
						row := b[j/width*panel+(s*w.Length/2+p)*2*width:][:2*width]
						for i := range width {
							sums[j+i] += float32(x*row[2*i].Float()) + float32(y*row[2*i+1].Float())
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
