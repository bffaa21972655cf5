package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

var winogradTransforms = []*Transform{&WinogradInput, &WinogradOutput, &WinogradWeights, &WinogradInputGradient, &WinogradOutputGradient, &WinogradWeightsGradient}

// In float64 the transforms make a convolution: to the digits of their constants.
func TestWinogradIsAConvolution(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	apply := func(t *Transform, x [][]float64) [][]float64 {
		y := make([][]float64, t.out)
		for i := range y {
			y[i] = make([]float64, t.out)
			for j := range y[i] {
				for k := range t.in {
					for l := range t.in {
						y[i][j] += float64(t.matrix[i*t.in+k]) * x[k][l] * float64(t.matrix[j*t.in+l])
					}
				}
			}
		}
		return y
	}
	random := func(n int) [][]float64 {
		x := make([][]float64, n)
		for i := range x {
			for range n {
				x[i] = append(x[i], r.NormFloat64())
			}
		}
		return x
	}
	times := func(x, y [][]float64) [][]float64 {
		z := random(len(x))
		for i := range z {
			for j := range z {
				z[i][j] = x[i][j] * y[i][j]
			}
		}
		return z
	}
	x, w, dy := random(6), random(3), random(4)
	y := apply(&WinogradOutput, times(apply(&WinogradWeights, w), apply(&WinogradInput, x)))
	dw := apply(&WinogradWeightsGradient, times(apply(&WinogradInput, x), apply(&WinogradOutputGradient, dy)))
	dx := apply(&WinogradInputGradient, times(apply(&WinogradWeights, w), apply(&WinogradOutputGradient, dy)))
	wantY, wantW, wantX := random(4), random(3), random(6)
	for _, z := range [][][]float64{wantY, wantW, wantX} {
		for i := range z {
			clear(z[i])
		}
	}
	for i := range 4 {
		for j := range 4 {
			for k := range 3 {
				for l := range 3 {
					wantY[i][j] += w[k][l] * x[i+k][j+l]
					wantW[k][l] += dy[i][j] * x[i+k][j+l]
					wantX[i+k][j+l] += dy[i][j] * w[k][l]
				}
			}
		}
	}
	for name, pair := range map[string][2][][]float64{"y": {y, wantY}, "dw": {dw, wantW}, "dx": {dx, wantX}} {
		for i := range pair[0] {
			for j := range pair[0] {
				if math.Abs(pair[0][i][j]-pair[1][i][j]) > 3e-6 {
					t.Errorf("%s[%d][%d] = %v, want %v", name, i, j, pair[0][i][j], pair[1][i][j])
				}
			}
		}
	}
}

func TestTransforms(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 2))
		for k, f := range winogradTransforms {
			for i, channels := range []int{1, 7, 8, 16, 24, 48, 64, 16, 32, 64} {
				tiles := 1 + r.IntN(4)
				gap, guard := r.IntN(3), guarded
				if i >= 7 { // all in whole lines of the cache
					gap, guard = 16*gap, aligned
				}
				from := Square{Row: f.in*channels + gap, Col: channels, Tile: (f.in*channels + gap) * f.in}
				to := Planes(f.out, tiles*channels+gap, channels)
				if k%2 == 1 {
					from, to = Planes(f.in, tiles*channels+gap, channels), Square{Row: 40 * channels, Col: channels, Tile: f.out * channels}
				}
				src := random(r, from.last(f.in, tiles, channels)+1)
				dst, alive := guard(t, r, to.last(f.out, tiles, channels)+1)
				before := append([]float32(nil), dst...)
				f.Apply(tiles, channels, dst, to, src[:len(src):len(src)], from)
				alive()
				written := map[int]bool{}
				for tile := range tiles {
					for c := range channels {
						for i := range f.out {
							for j := range f.out {
								at := tile*to.Tile + c + i*to.Row + j*to.Col
								written[at] = true
								want, size := 0.0, 0.0
								if f.add {
									want = float64(before[at])
								}
								for k := range f.in {
									for l := range f.in {
										x := float64(f.matrix[i*f.in+k]) * float64(src[tile*from.Tile+c+k*from.Row+l*from.Col]) * float64(f.matrix[j*f.in+l])
										want += x
										size += math.Abs(x)
									}
								}
								if !nearSum(dst[at], want, size) {
									t.Fatalf("transform %d, %d channels: [%d][%d] = %v, want %v", k, channels, i, j, dst[at], want)
								}
							}
						}
					}
				}
				for i := range dst {
					if !written[i] && dst[i] != before[i] {
						t.Fatalf("transform %d: wrote entry %d between rows", k, i)
					}
				}
			}
		}
	})
}

// Tiles of one line overlap by two columns, in what they read or in what they add to.
func TestTransformsOfALine(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 3))
		for k, f := range []*Transform{&WinogradInput, &WinogradInputGradient, &WinogradInputGradient} {
			fresh := k == 2
			for _, channels := range []int{1, 8, 16, 24, 64} {
				for _, tiles := range []int{1, 2, 3, 8, 9, 17} {
					gap := r.IntN(3)
					line := Square{Row: (4*tiles+2)*channels + gap, Col: channels, Tile: 4 * channels}
					from, to := line, Planes(6, tiles*channels+gap, channels)
					if f.add {
						from, to = to, from
					}
					src := random(r, from.last(f.in, tiles, channels)+1)
					dst, alive := guarded(t, r, to.last(f.out, tiles, channels)+1)
					before, size := make([]float64, len(dst)), make([]float64, len(dst))
					want := make([]float64, len(dst))
					for i, v := range dst {
						before[i] = float64(v)
						if f.add && (!fresh || i < 2*line.Row) {
							want[i] = before[i]
						}
					}
					written := make([]bool, len(dst))
					for tile := range tiles {
						for c := range channels {
							for i := range 36 {
								at := tile*to.Tile + c + i/6*to.Row + i%6*to.Col
								written[at] = true
								for j := range 36 {
									x := float64(f.matrix[i/6*6+j/6]) * float64(src[tile*from.Tile+c+j/6*from.Row+j%6*from.Col]) * float64(f.matrix[i%6*6+j%6])
									want[at] += x
									size[at] += math.Abs(x)
								}
							}
						}
					}
					if src = src[:len(src):len(src)]; fresh {
						WinogradInputGradientFresh(tiles, channels, dst, to, src, from)
					} else {
						f.Apply(tiles, channels, dst, to, src, from)
					}
					alive()
					for i, v := range dst {
						if !written[i] {
							want[i] = before[i]
						}
						if !nearSum(v, want[i], size[i]) {
							t.Fatalf("%d tiles of %d channels, adding %v: entry %d is %v, want %v", tiles, channels, f.add, i, v, want[i])
						}
					}
				}
			}
		}
	})
}

func BenchmarkTransform(b *testing.B) {
	names := []string{"input", "output", "weights", "input-gradient", "output-gradient", "weights-gradient"}
	for k, f := range winogradTransforms {
		b.Run(fmt.Sprint(names[k]), func(b *testing.B) {
			const tiles, channels = 8, 32
			r := rand.New(rand.NewPCG(1, 1))
			line, plane := Square{34 * channels, channels, 4 * channels}, 32*channels+16
			from, to := line, Planes(f.out, plane, channels)
			if f.in == 6 && f != &WinogradInput {
				from, to = Planes(6, plane, channels), line
			}
			src, dst := random(r, 40*plane+7*34*channels), random(r, 40*plane+7*34*channels)
			for b.Loop() {
				f.Apply(tiles, channels, dst, to, src, from)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(tiles*channels/16), "ns/vector")
		})
	}
}
