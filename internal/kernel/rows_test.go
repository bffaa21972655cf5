package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Blocks of every small shape, between canaries, at distances of their own.
func TestRows(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(10, 1))
		for rows := 1; rows <= 4; rows++ {
			for cols := 1; cols <= 35; cols++ {
				for _, pad := range []int{0, 1, 3} {
					dstLd, srcLd := cols+pad, cols+r.IntN(3)
					src := random(r, (rows-1)*srcLd+cols)
					for _, add := range []bool{false, true} {
						dst, alive := guarded(t, r, (rows-1)*dstLd+cols)
						before := append([]float32(nil), dst...)
						if add {
							addRows(dst, dstLd, src[:len(src):len(src)], srcLd, rows, cols)
						} else {
							copyRows(dst, dstLd, src[:len(src):len(src)], srcLd, rows, cols)
						}
						alive()
						for p := range dst {
							want := before[p]
							if i, j := p/dstLd, p%dstLd; j < cols {
								want = src[i*srcLd+j]
								if add {
									want += before[p]
								}
							}
							if dst[p] != want {
								t.Fatalf("%d x %d, rows %d apart, add %v: entry %d is %v, want %v", rows, cols, dstLd, add, p, dst[p], want)
							}
						}
					}
				}
			}
		}
	})
}

// Lines of pixels, short and long, beside the sums taken window after window.
func TestFold(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(10, 2))
		whole := func() float32 { return float32(r.IntN(2000) - 1000) } // sums are exact, in any order
		for _, windows := range []int{1, 2, 3, 10, 29} {
			for _, taps := range []int{1, 2, 3, 5, 7} {
				for channels := 1; channels <= 9; channels++ {
					for _, room := range []int{0, 8} { // the assembly reads on, Go does not
						ld, edge := taps*channels+r.IntN(3), taps-1
						n, rows := (windows+edge)*channels, windows+2*edge
						src := make([]float32, rows*ld+8)
						for i := range windows * ld {
							src[edge*ld+i] = whole()
						}
						for i := range 8 {
							src[rows*ld+i] = float32(math.NaN())
						}
						all := make([]float32, n+16)
						for i := range all {
							all[i] = whole()
						}
						want := append([]float32(nil), all...)
						for w := range windows {
							for j, v := range src[(edge+w)*ld:][:taps*channels] {
								want[8+w*channels+j] += v
							}
						}
						Fold(all[8:8+n:8+n+room], src[:rows*ld:rows*ld+room], ld, windows+edge, taps, channels)
						for i, v := range all {
							if v != want[i] {
								t.Fatalf("%d windows of %d pixels of %d channels: entry %d of %d is %v, want %v", windows, taps, channels, i-8, n, v, want[i])
							}
						}
					}
				}
			}
		}
	})
}

func TestTranspose(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 1))
		for rows := 1; rows <= 33; rows++ {
			for _, cols := range []int{1, 3, 7, 8, 9, 15, 16, 75} {
				for _, stride := range []int{rows, rows + 2} {
					ld := cols + r.IntN(3)
					src := random(r, (rows-1)*ld+cols)
					dst, alive := guarded(t, r, cols*stride+slack)
					transpose(dst, stride, src[:len(src):len(src)], ld, rows, cols)
					alive()
					for i := range rows {
						for p := range cols {
							if dst[p*stride+i] != src[i*ld+p] {
								t.Fatalf("%d x %d, stride %d: row %d, column %d: %v, want %v", rows, cols, stride, i, p, dst[p*stride+i], src[i*ld+p])
							}
						}
					}
				}
			}
		}
	})
}

func TestAddBiasAndAddRows(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(12, 1))
		for _, n := range []int{1, 3, 4, 7, 8, 10, 16, 17, 84} {
			const rows = 5
			ld := n + 2
			y, alive := guarded(t, r, (rows-1)*ld+n)
			before := append([]float32(nil), y...)
			bias, sum := random(r, n), random(r, n)
			AddBias(y, ld, rows, bias)
			alive()
			clear(sum)
			AddRows(sum, 0, y, ld, rows, n)
			for j := range n {
				total := 0.0
				for i := range rows {
					if got, want := y[i*ld+j], before[i*ld+j]+bias[j]; got != want {
						t.Fatalf("n = %d: row %d, entry %d: %v, want %v", n, i, j, got, want)
					}
					total += float64(y[i*ld+j])
				}
				if math.Abs(total-float64(sum[j])) > 1e-5 {
					t.Fatalf("n = %d: sum %d is %v, want %v", n, j, sum[j], total)
				}
			}
			for p := range y {
				if p%ld >= n && y[p] != before[p] {
					t.Fatalf("n = %d: wrote between rows", n)
				}
			}
		}
	})
}

func BenchmarkTranspose(b *testing.B) {
	const rows, cols = 32, 256
	r := rand.New(rand.NewPCG(1, 1))
	src, dst := random(r, rows*cols), make([]float32, rows*cols+slack)
	b.SetBytes(4 * rows * cols)
	for b.Loop() {
		transpose(dst, rows, src, cols, rows, cols)
	}
}
