package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMaxPoolPicked(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(6, 1))
		for _, c := range channelCounts {
			for pixels := 1; pixels < 20; pixels += 1 + r.IntN(3) {
				for _, relu := range []bool{false, true} {
					for _, spare := range []int{0, 8} { // behind the lines
						n := pixels * c
						line := func() []float32 {
							x := random(r, 2*n+spare)
							for i := range x {
								x[i] = float32(math.Round(float64(2 * x[i]))) // ties
							}
							return x[: 2*n : 2*n+spare]
						}
						top, bottom, bias := line(), line(), random(r, Padded(c))
						if r.IntN(3) == 0 {
							top[r.IntN(2*n)] = nan
						}
						all, alive := guarded(t, r, n+spare)
						behind := slices.Clone(all[n:])
						which := make([]uint32, n+9)
						which[n+8] = canary
						MaxPoolPicked(all[:n], which, top, bottom, pixels, c, bias, relu)
						alive()
						if !slices.Equal(all[n:], behind) || which[n+8] != canary {
							t.Fatalf("%d pixels of %d channels: wrote behind the line", pixels, c)
						}
						for p := range pixels {
							for k := range c {
								i := 2*p*c + k
								four := []float32{top[i] + bias[k], top[i+c] + bias[k], bottom[i] + bias[k], bottom[i+c] + bias[k]}
								place := slices.IndexFunc(four, func(v float32) bool { return v != v })
								if place < 0 {
									place = slices.Index(four, slices.Max(four))
								}
								want := four[place]
								if relu && want < 0 {
									want = 0
								}
								if got := all[p*c+k]; got != want && (got == got || want == want) {
									t.Fatalf("%d pixels of %d channels: %v of %v", pixels, c, got, four)
								}
								if got := which[p*c+k]; int(got) != place {
									t.Fatalf("%d pixels of %d channels: place %d of %v", pixels, c, got, four)
								}
							}
						}
					}
				}
			}
		}
	})
}

func TestSumPicked(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(6, 2))
		for range 500 {
			p := Picks{Lines: 1 + r.IntN(5), N: 1 + r.IntN(30), Stride: 1 + r.IntN(7), Places: []int{r.IntN(50), r.IntN(50), r.IntN(50), r.IntN(50)}}
			p.Line = p.N*p.Stride + r.IntN(5)
			w := Pieces{Line: r.IntN(300), Step: r.IntN(40), Segments: 1 + r.IntN(9), Length: 1 + r.IntN(110), Skip: r.IntN(60)}
			whole := (w.Length + 7) / 8 * 8
			ld := whole + r.IntN(3)
			list := (p.Lines-1)*p.Line + (p.N-1)*p.Stride + 1
			p.Weights = random(r, list)[:list:list]
			p.Which = make([]uint32, list)
			for i := range p.Which {
				p.Which[i] = uint32(r.IntN(4))
			}
			src := random(r, (p.Lines-1)*w.Line+(p.N-1)*w.Step+slices.Max(p.Places)+(w.Segments-1)*w.Skip+whole)
			sums, apart := 1, 0
			if r.IntN(2) == 0 {
				sums, apart = p.Lines, (w.Segments-1)*ld+whole+r.IntN(3)
			}
			dst, alive := guarded(t, r, (sums-1)*apart+(w.Segments-1)*ld+whole)
			before, accumulate := slices.Clone(dst), r.IntN(2) == 0
			SumPicked(dst, apart, ld, p, src, w, accumulate)
			alive()
			want, size := make([]float64, len(dst)), make([]float64, len(dst))
			mine := make([]bool, len(dst)) // or what may be anything
			for sum := range sums {
				for s := range w.Segments {
					for j := range whole {
						mine[sum*apart+s*ld+j] = true
					}
				}
			}
			if accumulate {
				for i, v := range before {
					want[i], size[i] = float64(v), math.Abs(float64(v))
				}
			}
			for l := range p.Lines {
				for s := range w.Segments {
					for j := range w.Length {
						for i := range p.N {
							at, to := l*p.Line+i*p.Stride, l*apart+s*ld+j
							term := float64(p.Weights[at]) * float64(src[l*w.Line+i*w.Step+p.Places[p.Which[at]]+s*w.Skip+j])
							want[to], size[to] = want[to]+term, size[to]+math.Abs(term)
						}
					}
				}
			}
			for sum := range sums {
				for s := range w.Segments {
					for j := range w.Length {
						if at := sum*apart + s*ld + j; !nearSum(dst[at], want[at], size[at]) {
							t.Fatalf("%+v, %d x %d pieces, apart %d, entry %d of segment %d of sum %d: %v, want %v", w, p.Lines, p.N, apart, j, s, sum, dst[at], want[at])
						}
					}
				}
			}
			for i, v := range dst {
				if !mine[i] && v != before[i] {
					t.Fatalf("%+v: wrote between segments", w)
				}
			}
		}
	})
}

// An entry that is not a number reaches the sums it belongs to, and no others.
func TestSumPickedNaN(t *testing.T) {
	each(t, func(t *testing.T) {
		p := Picks{Lines: 1, N: 2, Stride: 1, Weights: []float32{1, 1}, Which: []uint32{0, 1}, Places: []int{0, 16, 32, 48}}
		src := make([]float32, 64)
		src[16+3], src[32] = nan, nan // the second is in a place that no piece is in
		dst := make([]float32, 16)
		SumPicked(dst, 0, 16, p, src, Pieces{Segments: 1, Length: 16}, false)
		for i, v := range dst {
			if nan := v != v; nan != (i == 3) {
				t.Errorf("entry %d: %v", i, v)
			}
		}
	})
}

// BenchmarkPicked is the gradient of the weights of lenet's convolutions from one image, and that of the inputs
// of its second.
func BenchmarkPicked(b *testing.B) {
	r := rand.New(rand.NewPCG(6, 3))
	which := make([]uint32, 14*14*6)
	for i := range which {
		which[i] = uint32(r.IntN(4))
	}
	g, x, sum := random(r, len(which)), Make(2*16*7*40), make([]float32, 6*40)
	weights := func(outputs, side, channels int) func(*testing.B) {
		return func(b *testing.B) {
			line := 2 * (side + 2) * channels
			p := Picks{Lines: side, N: side, Line: side * outputs, Stride: outputs, Places: []int{0, channels, line, line + channels}}
			for b.Loop() {
				for o := range outputs {
					p.Weights, p.Which = g[o:], which[o:]
					SumPicked(sum, 0, 40, p, x, Pieces{2 * line, 2 * channels, 5, 5 * channels, line}, true)
				}
			}
		}
	}
	b.Run("weights/first", weights(6, 14, 3))
	b.Run("weights/second", weights(16, 5, 6))
	b.Run("inputs", func(b *testing.B) {
		const one, wide = 16 * 7 * 40, 40
		sums := make([]float32, 5*3*wide)
		p := Picks{Lines: 5, N: 16, Line: 16, Stride: 1, Places: []int{wide, wide + one, 0, one}}
		for b.Loop() {
			for first := 0; first < 6; first += 3 {
				for row := range 5 {
					p.Weights, p.Which = g[5*16*row:], which[5*16*row:]
					SumPicked(sums, 3*wide, wide, p, x[first*wide:], Pieces{0, 7 * wide, 3, 36, wide}, false)
				}
			}
		}
	})
}
