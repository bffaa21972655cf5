package speedup

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// The chance that 95% intervals cover the truth for few pairs, with logarithms that are
// normal, skewed or heavy-tailed: of the interval that Ratio gives and of the
// alternatives. SWAPMC_STUDIES says how many studies are simulated.
func TestCoverage(t *testing.T) {
	studies, most := 600, 1500 // for the interval itself fewer resamples do
	if s := os.Getenv("SWAPMC_STUDIES"); s != "" {
		var err error
		if studies, err = strconv.Atoi(s); err != nil || studies < 100 {
			t.Fatalf("SWAPMC_STUDIES=%s: want a number from 100 on", s)
		}
	}
	for _, d := range []struct {
		name  string
		draw  func(r *rand.Rand) float64
		least float64
	}{
		{"normal", func(r *rand.Rand) float64 { return r.NormFloat64() }, 95},
		{"skewed (Gumbel)", func(r *rand.Rand) float64 { return -math.Log(r.ExpFloat64()) - 0.57721566490153 }, 94},
		{"skewed (exponential)", func(r *rand.Rand) float64 { return r.ExpFloat64() - 1 }, 90},
		{"heavy (t, 4 degrees)", func(r *rand.Rand) float64 { return distuv.StudentsT{Sigma: 1, Nu: 4, Src: r}.Rand() }, 93.5},
	} {
		for _, n := range []int{3, 5, 10} {
			r := stream(uint64(n))
			intervals := []struct {
				name string
				of   func(x []float64) (low, high float64)
			}{
				{"smoothed bootstrap-t", func(x []float64) (float64, float64) {
					low, high, _ := bootstrapT(x, 1/math.Sqrt(float64(n)), most, r)
					return low, high
				}},
				{"bootstrap-t", func(x []float64) (float64, float64) {
					low, high, _ := bootstrapT(x, 0, most, r)
					return low, high
				}},
				{"Student's t", student},
				{"percentile", func(x []float64) (float64, float64) { return resampledMeans(x, r).interval(0, 0) }},
				{"BCa", func(x []float64) (float64, float64) { return bca(x, r) }},
			}
			covered := make([]int, len(intervals))
			rejected := [3]int{}
			levels := [3]float64{0.05, 0.01, 0.0025}
			for range studies {
				x := make([]float64, n)
				for i := range x {
					x[i] = 0.2 * d.draw(r)
				}
				for k, interval := range intervals {
					if low, high := interval.of(x); low <= 0 && 0 <= high {
						covered[k]++
					}
				}
				_, _, p := bootstrapT(x, 1/math.Sqrt(float64(n)), most, r)
				for k, level := range levels {
					if p < level {
						rejected[k]++
					}
				}
			}
			share := func(k int) float64 { return 100 * float64(k) / float64(studies) }
			for k, interval := range intervals {
				t.Logf("%-20s n = %2d: %-20s covers %5.1f%%", d.name, n, interval.name, share(covered[k]))
			}
			t.Logf("%-20s n = %2d: P below 5, 1 and 0.25%% in %.2f, %.2f and %.2f%%", d.name, n, share(rejected[0]), share(rejected[1]), share(rejected[2]))
			allowed := 300 * math.Sqrt(0.05*0.95/float64(studies)) // three standard errors
			if c := share(covered[0]); c < d.least-allowed || c > 97.5+allowed {
				t.Errorf("%s, n = %d: the interval covers %.1f%%", d.name, n, c)
			}
			if f := share(rejected[0]); f > 100-d.least+allowed {
				t.Errorf("%s, n = %d: %.1f%% false verdicts", d.name, n, f)
			}
		}
	}
}

// student is the textbook interval.
func student(x []float64) (low, high float64) {
	n := float64(len(x))
	mean, deviation := stat.MeanStdDev(x, nil)
	half := deviation / math.Sqrt(n) * distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975)
	return mean - half, mean + half
}

// means are the sorted means of resamples.
type means []float64

func resampledMeans(x []float64, r *rand.Rand) means {
	m := make(means, 1000)
	for k := range m {
		for range x {
			m[k] += x[r.IntN(len(x))] / float64(len(x))
		}
	}
	slices.Sort(m)
	return m
}

// interval is the percentile interval, with the shift z0 and the acceleration a of
// BCa if they are not zero.
func (m means) interval(z0, a float64) (low, high float64) {
	at := func(z float64) float64 {
		u := distuv.UnitNormal.CDF(z0 + (z0+z)/(1-a*(z0+z)))
		return m[min(len(m)-1, int(u*float64(len(m))))]
	}
	return at(-1.959964), at(1.959964)
}

// bca is the bias-corrected and accelerated interval (Efron, J. Am. Stat. Assoc. 82,
// 171, 1987) of the mean.
func bca(x []float64, r *rand.Rand) (low, high float64) {
	m := resampledMeans(x, r)
	mean := stat.Mean(x, nil)
	below := 0.0
	for _, v := range m {
		switch {
		case v < mean:
			below++
		case v == mean:
			below += 0.5
		}
	}
	var second, third float64
	for _, v := range x {
		second += (v - mean) * (v - mean)
		third += (v - mean) * (v - mean) * (v - mean)
	}
	return m.interval(distuv.UnitNormal.Quantile(below/float64(len(m))), third/(6*math.Pow(second, 1.5)))
}
