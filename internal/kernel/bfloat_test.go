package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Rounding gives a nearest number, the even one of two, and keeps what bfloat16 can hold.
func TestRound(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(16, 1))
		var x []float32
		for range 20000 {
			x = append(x, math.Float32frombits(r.Uint32()))
		}
		for range 2000 { // half way, and next to it
			half := r.Uint32()&^0xffff | 0x8000
			for d := range uint32(3) {
				x = append(x, math.Float32frombits(half+d-1))
			}
		}
		x = append(x, 0, float32(math.Copysign(0, -1)), 1, -2.5, float32(math.Inf(1)), float32(math.Inf(-1)), nan, math.Float32frombits(0x7f800001), math.Float32frombits(0xffffffff), math.MaxFloat32, 1e-45)
		for _, n := range []int{1, 15, 16, 17, len(x)} {
			got := make([]BFloat, n+3)
			for i := n; i < len(got); i++ {
				got[i] = canary
			}
			from := x[len(x)-n:]
			Round(got, from)
			for i, v := range from {
				y := got[i].Float()
				low, high := BFloat(math.Float32bits(v)>>16), BFloat(math.Float32bits(v)>>16+1) // towards zero and away from it
				off := func(b BFloat) float64 {                                                 // infinity counts as the next number
					f := float64(b.Float())
					if math.IsInf(f, 0) {
						f = math.Copysign(math.Ldexp(1, 128), f)
					}
					return math.Abs(float64(v) - f)
				}
				var want BFloat
				switch {
				case v != v:
					if y == y {
						t.Fatalf("NaN %#x is rounded to %v", math.Float32bits(v), y)
					}
					continue
				case math.IsInf(float64(v), 0) || off(low) < off(high) || off(low) == off(high) && low%2 == 0:
					want = low
				default:
					want = high
				}
				if got[i] != want {
					t.Fatalf("%v (%#x) is rounded to %#x, want %#x", v, math.Float32bits(v), got[i], want)
				}
			}
			if i := slices.IndexFunc(got[n:], func(b BFloat) bool { return b != canary }); i >= 0 {
				t.Fatalf("%d numbers: wrote %d behind", n, i)
			}
		}
	})
}

func TestRoundPairs(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(16, 2))
		for range 50 {
			pairs, n := 1+r.IntN(5), 16*(1+r.IntN(4))
			lead := n + r.IntN(3)
			src := random(r, (2*pairs-1)*lead+n)
			src[r.IntN(n)] = nan
			apart := 32*pairs + r.IntN(3)
			want := make([]BFloat, (n/16-1)*apart+32*pairs+1)
			for i := range want {
				want[i] = canary
			}
			got := slices.Clone(want)
			for i := range 2 * pairs {
				for j := range n {
					Round(want[j/16*apart+i/2*32+2*(j%16)+i%2:][:1], src[i*lead+j:][:1])
				}
			}
			RoundPairs(got, apart, src, lead, pairs, n)
			if !slices.Equal(got, want) {
				t.Fatalf("%d pairs of %d, lead %d: got %v, want %v", pairs, n, lead, got, want)
			}
		}
	})
}

// The products of bfloat16 are those of the same numbers in float64, up to sums in float32.
func TestMulBFloat(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(16, 3))
		for range 400 {
			blocks := Blocks{Lines: 1 + r.IntN(4), N: 1 + r.IntN(4), Rows: 1 + r.IntN(16)}
			n := 16 * (1 + r.IntN(5))
			w := Windows{Segments: 1 + r.IntN(4), Length: 2 * (1 + r.IntN(60)), Lead: r.IntN(100)}
			w.Skip = max(0, w.Length+r.IntN(40)-20)
			bs, ldc := RowPairs{Skip: r.IntN(20)}, n+r.IntN(3)
			panel := w.Segments*w.Length*16 + (w.Segments-1)*bs.Skip
			bs.Apart = panel + r.IntN(40)
			blocks.A, blocks.C = r.IntN(300), (blocks.Rows-1)*ldc+n+r.IntN(40)
			blocks.DownA, blocks.DownC = r.IntN(500), blocks.N*blocks.C+r.IntN(40)
			surrounded := func(n int) []BFloat { // by NaN, which would show
				all := make([]BFloat, n+64)
				for i := range all {
					all[i] = 0x7fc0
				}
				return all[32 : 32+n : 32+n]
			}
			a := surrounded((blocks.Lines-1)*blocks.DownA + (blocks.N-1)*blocks.A + (blocks.Rows-1)*w.Lead + (w.Segments-1)*w.Skip + w.Length)
			b := surrounded((n/16-1)*bs.Apart + panel)
			Round(a, random(r, len(a)))
			Round(b, random(r, len(b)))
			c, alive := guarded(t, r, (blocks.Lines-1)*blocks.DownC+(blocks.N-1)*blocks.C+(blocks.Rows-1)*ldc+n)
			want, size := make([]float64, len(c)), make([]float64, len(c))
			accumulate := r.IntN(2) == 0
			for i, v := range c {
				want[i] = float64(v)
			}
			for k := range blocks.Lines * blocks.N {
				line, k := k/blocks.N, k%blocks.N
				for i := range blocks.Rows {
					for j := range n {
						at := line*blocks.DownC + k*blocks.C + i*ldc + j
						if !accumulate {
							want[at] = 0
						}
						for s := range w.Segments {
							for p := range w.Length {
								row := s*w.Length + p
								x := float64(a[line*blocks.DownA+k*blocks.A+i*w.Lead+s*w.Skip+p].Float()) * float64(b[j/16*bs.Apart+s*bs.Skip+row/2*32+2*(j%16)+row%2].Float())
								want[at] += x
								size[at] += math.Abs(x)
							}
						}
					}
				}
			}
			MulBFloat(blocks, n, a, w, b, bs, c, ldc, accumulate)
			alive()
			for i, v := range c {
				if !nearSum(v, want[i], size[i]) {
					t.Fatalf("%+v, %d columns, %+v, adding %v: entry %d is %v, want %v", blocks, n, w, accumulate, i, v, want[i])
				}
			}
		}
	})
}

// What the shapes do not allow panics before anything is read or written.
func TestMulBFloatChecks(t *testing.T) {
	each(t, func(t *testing.T) {
		const lines, rows, n, k, ldc = 2, 3, 32, 40, 33
		blocks := Blocks{Lines: lines, N: 2, Rows: rows, A: 100, C: 200, DownA: 300, DownC: 500}
		w := Windows{Segments: 2, Length: k / 2, Lead: 5, Skip: 50}
		bs := RowPairs{Apart: 16*k + 64, Skip: 8}
		sizeA, sizeB, sizeC := 300+100+(rows-1)*5+50+k/2, 16*k+64+8+16*k, 500+200+(rows-1)*ldc+n
		call := func(blocks Blocks, n int, w Windows, lessA, lessB, lessC int) (panics bool) {
			defer func() { panics = recover() != nil }()
			MulBFloat(blocks, n, make([]BFloat, sizeA-lessA), w, make([]BFloat, sizeB-lessB), bs, make([]float32, sizeC-lessC), ldc, true)
			return false
		}
		if call(blocks, n, w, 0, 0, 0) {
			t.Fatal("the sizes are right")
		}
		odd, high := w, blocks
		odd.Length, high.Rows = 19, 17
		for i, panics := range []bool{call(blocks, n, w, 1, 0, 0), call(blocks, n, w, 0, 1, 0), call(blocks, n, w, 0, 0, 1),
			call(blocks, 24, w, 0, 0, 0), call(blocks, n, odd, 0, 0, 0), call(high, n, w, 0, 0, 0)} {
			if !panics {
				t.Errorf("case %d goes through", i)
			}
		}
		pairs := func(n, less int) (panics bool) {
			defer func() { panics = recover() != nil }()
			RoundPairs(make([]BFloat, 100+32*3-less), 100, make([]float32, 5*40+32), 40, 3, n)
			return false
		}
		if pairs(32, 0) || !pairs(32, 1) || !pairs(24, 0) {
			t.Error("RoundPairs takes what it should not, or not what it should")
		}
	})
}

// An element does not depend on the block in which it is, nor a NaN in A or B reach another row or column.
func TestMulBFloatBlocks(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(16, 4))
		const rows, n, k = 48, 48, 96
		a, b := make([]BFloat, rows*k), make([]BFloat, n*k)
		Round(a, random(r, len(a)))
		Round(b, random(r, len(b)))
		var first []float32
		for _, high := range []int{16, 12, 8, 3, 1} {
			c := make([]float32, rows*n)
			MulBFloat(Blocks{Lines: 1, N: rows / high, Rows: high, A: high * k, C: high * n}, n, a, Rows(k, k), b, RowPairs{Apart: 16 * k}, c, n, false)
			if first == nil {
				first = c
			}
			if !slices.Equal(first, c) {
				t.Errorf("blocks of %d rows have other bits than those of 16", high)
			}
		}
		for _, bad := range []float32{nan, float32(math.Inf(1))} {
			a, b, c := slices.Clone(a), slices.Clone(b), make([]float32, rows*n)
			Round(a[17*k+5:][:1], []float32{bad})
			Round(b[16*k+2*(40*16+4):][:1], []float32{bad})
			MulBFloat(Blocks{Lines: 1, N: 3, Rows: 16, A: 16 * k, C: 16 * n}, n, a, Rows(k, k), b, RowPairs{Apart: 16 * k}, c, n, false)
			for i, v := range c {
				if finite := !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0); finite != (i/n != 17 && i%n != 20) {
					t.Fatalf("%v in row 17 of A and column 20 of B: C[%d][%d] = %v", bad, i/n, i%n, v)
				}
			}
		}
	})
}

func BenchmarkMulBFloat(b *testing.B) {
	for _, s := range []struct {
		blocks Blocks
		w      Windows
		n      int
	}{
		{Blocks{32, 2, 16, 16 * 16, 16 * 16, 34 * 16, 32 * 16}, Windows{3, 48, 16, 34 * 16}, 16}, // an image of 32 x 32
		{Blocks{16, 1, 16, 0, 0, 18 * 32, 16 * 32}, Windows{3, 96, 32, 18 * 32}, 32},             // an image of 16 x 16
		{Blocks{8, 1, 8, 0, 0, 10 * 64, 8 * 64}, Windows{3, 192, 64, 10 * 64}, 64},               // of 8 x 8
		{Blocks{1, 4, 16, 16 * 1024, 16 * 64, 0, 0}, Windows{1, 1024, 1024, 0}, 64},              // a gradient of weights
		{Blocks{1, 4, 16, 16 * 64, 16 * 64, 0, 0}, Windows{1, 64, 64, 0}, 64},                    // what is in L1
		{Blocks{1, 2, 16, 16 * 256, 16 * 32, 0, 0}, Windows{1, 256, 256, 0}, 32},
		{Blocks{1, 2, 16, 16 * 320, 16 * 32, 0, 0}, Windows{1, 256, 320, 0}, 32},
		{Blocks{32, 2, 16, 16 * 16, 16 * 16, 34 * 16, 32 * 16}, Windows{3, 48, 16, 34 * 16}, 32},
	} {
		b.Run(fmt.Sprint(s), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			x, y, c := make([]BFloat, 1<<17), make([]BFloat, 2*s.n*s.w.Segments*s.w.Length), make([]float32, 1<<16)
			Round(x, random(r, len(x)))
			Round(y, random(r, len(y)))
			for b.Loop() {
				MulBFloat(s.blocks, s.n, x, s.w, y, RowPairs{Apart: 16 * s.w.Segments * s.w.Length}, c, s.n, false)
			}
			b.ReportMetric(2*float64(s.blocks.Lines*s.blocks.N*s.blocks.Rows*s.n*s.w.Segments*s.w.Length)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}

func BenchmarkRound(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	x, y := random(r, 16384), make([]BFloat, 16384)
	b.Run("plain", func(b *testing.B) {
		b.SetBytes(4 * 16384)
		for b.Loop() {
			Round(y, x)
		}
	})
	b.Run("pairs", func(b *testing.B) {
		b.SetBytes(4 * 16384)
		for b.Loop() {
			RoundPairs(y, 0, x, 32, 256, 32)
		}
	})
}
