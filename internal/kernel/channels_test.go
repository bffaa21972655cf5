package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var nan = float32(math.NaN())

// widths of pixels: whole vectors, none, and some with a tail.
var channelCounts = []int{1, 3, 4, 6, 7, 8, 12, 16, 20, 24, 64}

// A plane is some lines of pixels for a test, with other things between them.
type plane struct {
	Lines
	lines, n int // entries of a line
}

func (p plane) at(i int) *float32 { return &p.X[i/p.n*p.Pitch+i%p.n] }

// entries returns all entries of the lines, one after the other.
func (p plane) entries() []float32 {
	x := make([]float32, p.lines*p.n)
	for i := range x {
		x[i] = *p.at(i)
	}
	return x
}

func (p plane) set(x []float32) {
	for i, v := range x {
		*p.at(i) = v
	}
}

// between returns what lies between the lines.
func (p plane) between() []float32 {
	var x []float32
	for i := range p.lines - 1 {
		x = append(x, p.X[i*p.Pitch+p.n:(i+1)*p.Pitch]...)
	}
	return x
}

func randomPlane(r *rand.Rand, lines, n int) plane {
	pitch := n + r.IntN(20)
	return plane{Lines{random(r, (lines-1)*pitch+n), pitch}, lines, n}
}

func TestChannels(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 1))
		for _, c := range channelCounts {
			for range 8 {
				lines, pixels := 1+r.IntN(5), 1+r.IntN(20)
				n := lines * pixels * c
				x, residual, a, b, d := randomPlane(r, lines, pixels*c), randomPlane(r, lines, pixels*c), random(r, c), random(r, c), random(r, c)
				y := randomPlane(r, lines, pixels*c)
				whole, untouched := guarded(t, r, len(y.X))
				y.X = whole
				before, between := y.entries(), y.between()
				alive := func() {
					t.Helper()
					untouched()
					if !slices.Equal(y.between(), between) {
						t.Fatalf("%d lines of %d pixels of %d channels: wrote between the lines", lines, pixels, c)
					}
				}
				at := func(what string, got float32, want, size float64) {
					t.Helper()
					if !nearSum(got, want, size) {
						t.Fatalf("%s, %d lines of %d pixels of %d channels: %v, want %v", what, lines, pixels, c, got, want)
					}
				}
				BiasRelu(y.Lines, lines, pixels, a)
				alive()
				for i, v := range y.entries() {
					at("BiasRelu", v, max(0, float64(before[i])+float64(a[i%c])), 1)
				}
				for _, relu := range []bool{false, true} {
					for _, plus := range []plane{{}, residual} {
						Normalize(y.Lines, x.Lines, plus.Lines, lines, pixels, a, b, relu)
						alive()
						for i, v := range y.entries() {
							want := float64(*x.at(i))*float64(a[i%c]) + float64(b[i%c])
							size := math.Abs(want) + math.Abs(float64(b[i%c]))
							if plus.X != nil {
								want += float64(*plus.at(i))
							}
							if relu {
								want = max(0, want)
							}
							at("Normalize", v, want, size)
						}
					}
				}
				sum, square := make([]float64, c), make([]float64, c)
				wantSum, wantSquare, size := make([]float64, c), make([]float64, c), float64(n)
				for i := range sum { // it adds to what is there
					sum[i], square[i] = 3, 5
					wantSum[i], wantSquare[i] = 3, 5
				}
				Moments(sum, square, x.Lines, lines, pixels, a)
				for i, v := range x.entries() {
					e := float64(v) - float64(a[i%c])
					wantSum[i%c] += e
					wantSquare[i%c] += e * e
				}
				for i := range sum {
					at("sum", float32(sum[i]), wantSum[i], size)
					at("square", float32(square[i]), wantSquare[i], 10*size)
				}
				for _, mask := range []plane{{}, residual} {
					for _, with := range []plane{{}, x} {
						y.set(before)
						clear(sum)
						clear(square)
						clear(wantSum)
						clear(wantSquare)
						Slopes(sum, square, y.Lines, mask.Lines, with.Lines, lines, pixels, a)
						alive()
						for i, v := range y.entries() {
							g := float64(before[i])
							if mask.X != nil && *mask.at(i) <= 0 {
								g = 0
							}
							at("Slopes", v, g, 0)
							wantSum[i%c] += g
							if with.X != nil {
								wantSquare[i%c] += g * (float64(*x.at(i)) - float64(a[i%c]))
							}
						}
						for i := range sum {
							at("sum of dy", float32(sum[i]), wantSum[i], size)
							at("sum of dy x", float32(square[i]), wantSquare[i], 10*size)
						}
					}
				}
				// As Slopes with what Normalize gives, bit by bit.
				mask, g := randomPlane(r, lines, pixels*c), randomPlane(r, lines, pixels*c)
				g.set(before)
				Normalize(mask.Lines, x.Lines, Lines{}, lines, pixels, a, b, true)
				wantSum, wantSquare = make([]float64, c), make([]float64, c)
				Slopes(wantSum, wantSquare, g.Lines, mask.Lines, x.Lines, lines, pixels, d)
				y.set(before)
				clear(sum)
				clear(square)
				SlopesNormalized(sum, square, y.Lines, x.Lines, lines, pixels, a, b, d)
				alive()
				if !slices.Equal(y.entries(), g.entries()) || !slices.Equal(sum, wantSum) || !slices.Equal(square, wantSquare) {
					t.Fatalf("SlopesNormalized, %d lines of %d pixels of %d channels: not what Slopes gives", lines, pixels, c)
				}
				y.set(before)
				Combine(y.Lines, y.Lines, x.Lines, lines, pixels, a, b, d)
				alive()
				for i, v := range y.entries() {
					want := float64(a[i%c])*float64(before[i]) + float64(b[i%c])*float64(*x.at(i)) + float64(d[i%c])
					at("Combine", v, want, 10)
				}
				y.set(before)
				Combine(g.Lines, y.Lines, x.Lines, lines, pixels, a, b, d) // with lines of another pitch
				for i, v := range g.entries() {
					want := float64(a[i%c])*float64(before[i]) + float64(b[i%c])*float64(*x.at(i)) + float64(d[i%c])
					at("Combine", v, want, 10)
				}
			}
		}
	})
}

// Loops over no lines or no pixels do nothing; those whose last line is too short panic.
func TestChannelsCheckLines(t *testing.T) {
	each(t, func(t *testing.T) {
		const lines, pixels, c, pitch = 3, 5, 16, 100
		whole := func() Lines { return Lines{make([]float32, (lines-1)*pitch+pixels*c), pitch} }
		one := make([]float32, c)
		sum, product := make([]float64, c), make([]float64, c)
		loops := map[string]struct {
			fields int
			run    func(f []Lines, lines, pixels int)
		}{
			"BiasRelu":  {1, func(f []Lines, lines, pixels int) { BiasRelu(f[0], lines, pixels, one) }},
			"Moments":   {1, func(f []Lines, lines, pixels int) { Moments(sum, product, f[0], lines, pixels, one) }},
			"Normalize": {3, func(f []Lines, lines, pixels int) { Normalize(f[0], f[1], f[2], lines, pixels, one, one, true) }},
			"Slopes":    {3, func(f []Lines, lines, pixels int) { Slopes(sum, product, f[0], f[1], f[2], lines, pixels, one) }},
			"SlopesNormalized": {2, func(f []Lines, lines, pixels int) {
				SlopesNormalized(sum, product, f[0], f[1], lines, pixels, one, one, one)
			}},
			"Combine": {3, func(f []Lines, lines, pixels int) { Combine(f[0], f[1], f[2], lines, pixels, one, one, one) }},
		}
		for name, loop := range loops {
			loop.run(make([]Lines, loop.fields), 0, pixels)
			loop.run(make([]Lines, loop.fields), lines, 0)
			for short := range loop.fields {
				fields := make([]Lines, loop.fields)
				for i := range fields {
					fields[i] = whole()
				}
				loop.run(fields, lines, pixels)
				fields[short].X = fields[short].X[:len(fields[short].X)-1]
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("%s: no panic where the last line of field %d is too short", name, short)
						}
					}()
					loop.run(fields, lines, pixels)
				}()
			}
		}
	})
}

// As IEEE says: what is computed from NaN is NaN, and from infinity infinity.
func TestChannelsPassNaN(t *testing.T) {
	each(t, func(t *testing.T) {
		for _, c := range []int{3, 8} {
			y, one, zero := make([]float32, 2*c), make([]float32, c), make([]float32, c)
			for i := range one {
				one[i] = 1
			}
			y[1], y[2] = nan, float32(math.Inf(1))
			BiasRelu(Lines{X: y}, 1, 2, one)
			if y[1] == y[1] || !math.IsInf(float64(y[2]), 1) || y[0] != 1 {
				t.Errorf("BiasRelu, %d channels: %v", c, y[:3])
			}
			x := slices.Clone(y)
			Normalize(Lines{X: y}, Lines{X: x}, Lines{}, 1, 2, one, zero, true)
			if y[1] == y[1] || !math.IsInf(float64(y[2]), 1) {
				t.Errorf("Normalize, %d channels: %v", c, y[:3])
			}
			sum := make([]float64, c)
			Slopes(sum, nil, Lines{X: x}, Lines{}, Lines{}, 1, 2, nil)
			if sum[1] == sum[1] {
				t.Errorf("Slopes, %d channels: %v", c, sum)
			}
		}
	})
}

func TestMaxPool(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 2))
		for _, c := range channelCounts {
			for pixels := 1; pixels < 20; pixels += 1 + r.IntN(3) {
				n := pixels * c
				for _, spare := range []int{0, 8} { // behind the lines
					line := func() []float32 {
						x := random(r, 2*n+spare)
						for i := range x {
							x[i] = float32(math.Round(float64(2 * x[i]))) // ties
						}
						return x[: 2*n : 2*n+spare]
					}
					top, bottom := line(), line()
					if r.IntN(3) == 0 {
						top[r.IntN(2*n)] = nan
					}
					all, alive := guarded(t, r, n+spare)
					behind := slices.Clone(all[n:])
					y := all[:n]
					MaxPool(y, top, bottom, pixels, c)
					alive()
					if !slices.Equal(all[n:], behind) {
						t.Fatalf("%d pixels of %d channels: wrote behind the line", pixels, c)
					}
					dTop, aliveTop := guarded(t, r, 2*n)
					dBottom, aliveBottom := guarded(t, r, 2*n)
					dy := random(r, n+spare)[:n]
					MaxPoolBackward(dTop, dBottom, dy, y, top, bottom, pixels, c)
					aliveTop()
					aliveBottom()
					for p := range pixels {
						for k := range c {
							i := 2*p*c + k
							four := []float32{top[i], top[i+c], bottom[i], bottom[i+c]}
							grads := []float32{dTop[i], dTop[i+c], dBottom[i], dBottom[i+c]}
							want, first := float32(math.Inf(-1)), 0
							for j, v := range four {
								if v > want {
									want, first = v, j
								}
							}
							if slices.ContainsFunc(four, func(v float32) bool { return v != v }) {
								if got := y[p*c+k]; got == got {
									t.Fatalf("%d channels: %v of %v", c, got, four)
								}
								continue
							}
							if y[p*c+k] != want {
								t.Fatalf("%d pixels of %d channels: maximum %v of %v", pixels, c, y[p*c+k], four)
							}
							for j, g := range grads {
								if j == first && g != dy[p*c+k] || j != first && g != 0 {
									t.Fatalf("%d pixels of %d channels: gradient %v to %v, of %v", pixels, c, dy[p*c+k], grads, four)
								}
							}
						}
					}
				}
			}
		}
	})
}

func TestTransposeAndRows(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 4))
		for range 200 {
			rows, cols := 1+r.IntN(40), 1+r.IntN(40)
			stride, ld := rows+r.IntN(3), cols+r.IntN(3)
			src := random(r, (rows-1)*ld+cols)
			dst, alive := guarded(t, r, (cols-1)*stride+rows)
			Transpose(dst, stride, src[:len(src):len(src)], ld, rows, cols)
			alive()
			for i := range rows {
				for j := range cols {
					if dst[j*stride+i] != src[i*ld+j] {
						t.Fatalf("%d x %d: [%d][%d]", rows, cols, i, j)
					}
				}
			}
		}
	})
}

func TestInterleave(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 5))
		for n := range 45 {
			lines := [3][]float32{random(r, n), random(r, n), random(r, n)}
			dst, alive := guarded(t, r, 3*n)
			Interleave(dst, lines[0][:n:n], lines[1][:n:n], lines[2][:n:n])
			alive()
			for i, v := range dst {
				if v != lines[i%3][i/3] {
					t.Fatalf("%d pixels: entry %d is %v, want %v", n, i, v, lines[i%3][i/3])
				}
			}
		}
	})
}
