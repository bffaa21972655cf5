package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// compareTruth is the rule in float64, with products of random float32 that do
// not underflow: pairs, one at a time.
func compareTruth(wa, ga, wb, gb []float32, window float64) (exchanged int) {
	for i := range wa {
		j := len(wa) - 1 - i
		a, b := float64(wa[i]), float64(wb[j])
		if math.Abs(a-b) <= window && (float64(ga[i])-float64(gb[j]))*(b-a) < 0 {
			wa[i], wb[j] = wb[j], wa[i]
			exchanged++
		}
	}
	return exchanged
}

func TestCompare(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 1))
		for _, n := range sizes {
			for _, window := range []float64{math.Inf(1), 1.5, 0.25, 0, -1} {
				wa, alive0 := guarded(t, r, n)
				wb, alive1 := guarded(t, r, n)
				ga, gb := random(r, n), random(r, n)
				for i := range n {
					if i%5 == 0 { // ties move nothing
						gb[n-1-i] = ga[i]
					}
					if i%7 == 0 {
						wb[n-1-i] = wa[i]
					}
				}
				ta, tb := slices.Clone(wa), slices.Clone(wb)
				want := compareTruth(ta, ga, tb, gb, window)
				// The gradients end where they do: reading further is an error.
				got := Compare(wa, ga[:n:n], wb, gb[:n:n], float32(window))
				alive0()
				alive1()
				if got != want || !slices.Equal(wa, ta) || !slices.Equal(wb, tb) {
					t.Fatalf("n = %d, window %v: %d exchanged, want %d; %v %v, want %v %v", n, window, got, want, wa, wb, ta, tb)
				}
				if window <= 0 && got != 0 {
					t.Fatalf("n = %d, window %v: %d exchanged, want none", n, window, got)
				}
			}
		}
	})
}

// Two parts of one array, as in one row of weights: whatever happens, it stays a
// permutation, and sum of w g does not rise.
func TestCompareWithinOneArray(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(6, 1))
		for _, half := range []int{1, 7, 8, 16, 53, 200} {
			w, g := random(r, 2*half), random(r, 2*half)
			before := slices.Clone(w)
			work := func(w []float32) (s float64) {
				for i := range w {
					s += float64(w[i]) * float64(g[i])
				}
				return s
			}
			count := Compare(w[:half], g[:half], w[half:], g[half:], float32(math.Inf(1)))
			if count == 0 && half > 8 {
				t.Errorf("half = %d: nothing exchanged", half)
			}
			if work(w) > work(before)+1e-9 {
				t.Errorf("half = %d: sum of w g rose from %v to %v", half, work(before), work(w))
			}
			if again := Compare(w[:half], g[:half], w[half:], g[half:], float32(math.Inf(1))); again != 0 {
				t.Errorf("half = %d: %d exchanged again", half, again)
			}
			slices.Sort(w)
			slices.Sort(before)
			if !slices.Equal(w, before) {
				t.Errorf("half = %d: not a permutation", half)
			}
		}
	})
}

func TestCompareLeavesNaN(t *testing.T) {
	each(t, func(t *testing.T) {
		nan, inf := float32(math.NaN()), float32(math.Inf(1))
		for _, c := range []struct {
			name           string
			wa, ga, wb, gb float32
			window         float32
			want           int
		}{
			{"exchange", 1, 1, 0, 0, inf, 1}, // dL1 = (1-0)(0-1) < 0
			{"weight", nan, 1, 0, 0, inf, 0},
			{"partner", 1, 1, nan, 0, inf, 0},
			{"gradient", 1, nan, 0, 0, inf, 0},
			{"partner's gradient", 1, 1, 0, nan, inf, 0},
			{"window", 1, 1, 0, 0, nan, 0},
			{"infinite weight", inf, 1, 0, 0, inf, 1},
			{"infinite weight, finite window", inf, 1, 0, 0, 5, 0},
			{"infinite gradient", 1, inf, 0, 0, inf, 1},
			{"both infinite", inf, 1, inf, 0, inf, 0},
		} {
			for _, n := range []int{1, 8, 16, 19} {
				fill := func(v float32) []float32 { return slices.Repeat([]float32{v}, n) }
				wa, wb := fill(c.wa), fill(c.wb)
				got := Compare(wa, fill(c.ga), wb, fill(c.gb), c.window)
				if got != c.want*n {
					t.Errorf("%s, n = %d: %d exchanged, want %d", c.name, n, got, c.want*n)
				}
				if c.want == 0 && (!same(wa, fill(c.wa)) || !same(wb, fill(c.wb))) {
					t.Errorf("%s, n = %d: weights changed", c.name, n)
				}
			}
		}
	})
}

// The share of pairs that are within the window decides what is read and written.
func BenchmarkCompare(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"L1/1Ki", 1 << 10}, {"L2/16Ki", 1 << 14}, {"L3/512Ki", 1 << 19}} {
		for _, window := range []float32{0.02, 0.1, 0.5, float32(math.Inf(1))} { // standard deviations
			b.Run(fmt.Sprintf("%s/window=%g", size.name, window), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 1))
				wa, ga, wb, gb := random(r, size.n), random(r, size.n), random(r, size.n), random(r, size.n)
				for b.Loop() {
					Compare(wa, ga, wb, gb, window)
				}
				b.ReportMetric(float64(b.N)*float64(size.n)/b.Elapsed().Seconds()/1e9, "Gpairs/s")
			})
		}
	}
}
