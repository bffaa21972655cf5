package speedup

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// studies is how many are simulated: SWAPMC_STUDIES where it is set.
func studies(t *testing.T) int {
	t.Helper()
	if s := os.Getenv("SWAPMC_STUDIES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 100 {
			t.Fatalf("SWAPMC_STUDIES=%s: want a number from 100 on", s)
		}
		return n
	}
	if testing.Short() {
		return 200
	}
	return 2000
}

// allowed is by how many per cent a share of so many studies may be off, where fewer
// than 2,000 are simulated: three standard errors.
func allowed(studies int) float64 {
	if studies >= 2000 {
		return 0
	}
	return 300 * math.Sqrt(0.05*0.95/float64(studies))
}

// The chance that 95% intervals cover the truth, for logarithms that are normal, skewed
// or heavy-tailed: of the interval that Ratio gives and of the alternatives.
func TestCoverage(t *testing.T) {
	for _, d := range []struct {
		name  string
		draw  func(r *rand.Rand) float64
		least float64 // coverage in per cent
	}{
		{"normal", func(r *rand.Rand) float64 { return r.NormFloat64() }, 93},
		{"skewed (Gumbel)", func(r *rand.Rand) float64 { return -math.Log(r.ExpFloat64()) - 0.57721566490153 }, 93},
		{"heavy (t, 4 degrees)", func(r *rand.Rand) float64 { return distuv.StudentsT{Sigma: 1, Nu: 4, Src: r}.Rand() }, 93},
		// What no interval from so few numbers can do; here it shall not get worse.
		{"very skewed (exponential)", func(r *rand.Rand) float64 { return r.ExpFloat64() - 1 }, 90},
	} {
		for _, n := range []int{3, 5, 10} {
			t.Run(fmt.Sprintf("%s/%d", d.name, n), func(t *testing.T) {
				t.Parallel()
				r := stream(uint64(n))
				names := []string{"smoothed bootstrap-t", "Student's t", "BCa", "percentile"}
				covered := make([]int, len(names))
				levels := []float64{0.05, 0.01, 0.0025}
				rejected := make([]int, len(levels))
				studies := studies(t)
				for range studies {
					x := make([]float64, n)
					for i := range x {
						x[i] = 0.2 * d.draw(r)
					}
					b := resample(x, 1/math.Sqrt(float64(n)), 2000, r) // a fifth of what Ratio draws do here
					low, high, p := b.studentised()
					limits := [][2]float64{{low, high}, {}, {}, {}}
					limits[1][0], limits[1][1] = student(x)
					limits[2][0], limits[2][1] = b.bca()
					limits[3] = [2]float64{stat.Quantile(0.025, stat.Empirical, b.means, nil), stat.Quantile(0.975, stat.Empirical, b.means, nil)}
					for k, limit := range limits {
						if limit[0] <= 0 && 0 <= limit[1] {
							covered[k]++
						}
					}
					for k, level := range levels {
						if p < level {
							rejected[k]++
						}
					}
				}
				share := func(k int) float64 { return 100 * float64(k) / float64(studies) }
				for k, name := range names {
					t.Logf("%-20s covers %5.1f%%", name, share(covered[k]))
				}
				t.Logf("P below 5, 1 and 0.25%% in %.2f, %.2f and %.2f%%", share(rejected[0]), share(rejected[1]), share(rejected[2]))
				most := 97.0
				if n == 3 { // where the noise that makes up for so few is much
					most = 98
				}
				if c := share(covered[0]); c < d.least-allowed(studies) || c > most+allowed(studies) {
					t.Errorf("the interval covers %.1f%%", c)
				}
				if c := share(covered[2]); c > 93+allowed(studies) {
					t.Errorf("BCa covers %.1f%%: then docs/speedup.md is wrong about it", c)
				}
			})
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

// A design says how simulated runs behave: their loss is 2.3 exp(-v t/500) for 1,000
// iterations, and the logarithm of the speed v scatters from run to run and, for both
// runs of a pair alike, from seed to seed.
type design struct {
	seeds     int
	run, seed float64   // deviations
	speedups  []float64 // true, of each protocol
	arrive    float64   // share of the runs without swaps that reach the target in time
}

// target is the loss that the given share of runs without swaps reaches.
func (d design) target() float64 {
	deviation := math.Hypot(d.run, d.seed)
	v := math.Exp(deviation * distuv.UnitNormal.Quantile(1-d.arrive))
	return 2.3 * math.Exp(-v*1000/500)
}

func (d design) arms(r *rand.Rand) (base Arm, arms []Arm) {
	seeds := make([]float64, d.seeds)
	for i := range seeds {
		seeds[i] = d.seed * r.NormFloat64()
	}
	all := make([]Arm, len(d.speedups)+1)
	for k := range all {
		all[k].Text = strconv.Itoa(k)
		for i, slow := range seeds {
			v := math.Exp(slow + d.run*r.NormFloat64())
			if k > 0 {
				v *= d.speedups[k-1]
			}
			run := Run{Seed: uint64(i + 1)}
			for it := 0.0; it <= 1000; it += 10 {
				run.Iterations = append(run.Iterations, it)
				run.Loss = append(run.Loss, 2.3*math.Exp(-v*it/500))
			}
			all[k].Runs = append(all[k].Runs, run)
		}
	}
	return all[0], all[1:]
}

// The whole of it: from the losses of simulated studies of known speed-up, some of whose
// runs end before they arrive, to the interval.
func TestCoverageOfStudies(t *testing.T) {
	for _, n := range []int{5, 10} {
		for _, d := range []design{
			{arrive: 1 - 1e-9, speedups: []float64{1.5}},
			{arrive: 0.9, speedups: []float64{1.5}},
			{arrive: 0.7, speedups: []float64{1}},
			{arrive: 0.6, speedups: []float64{1.5}},
		} {
			d.seeds, d.run, d.seed = n, 0.2, 0.2
			t.Run(fmt.Sprintf("%d seeds, %.0f%% arrive, speed-up %g", n, 100*d.arrive, d.speedups[0]), func(t *testing.T) {
				t.Parallel()
				r := stream(uint64(11 * n))
				studies, covered, none, open, ended, runs := studies(t), 0, 0, 0, 0, 0
				bias := 0.0
				for k := range studies {
					base, arms := d.arms(r)
					got := Compare(base, arms, Options{Targets: []float64{d.target()}, Seed: uint64(k), resamples: 2000}).Protocols[0].Targets[0]
					e := got.Iterations
					ended += 2*n - got.Reached - got.ReachedBaseline
					runs += 2 * n
					if e.Pairs < 3 {
						none++
						continue
					}
					if e.Low == 0 || math.IsInf(e.High, 1) {
						open++
					}
					if e.Low <= d.speedups[0] && d.speedups[0] <= e.High {
						covered++
					}
					bias += math.Log(e.Speedup / d.speedups[0])
				}
				share := 100 * float64(covered) / float64(studies-none)
				t.Logf("covers %.1f%%; %.0f%% of the runs end early; no interval in %.1f%%, an open one in %.1f%%; mean of the speed-ups is off by %+.1f%%", share,
					100*float64(ended)/float64(runs), 100*float64(none)/float64(studies), 100*float64(open)/float64(studies), 100*math.Expm1(bias/float64(studies-none)))
				if share < 93-allowed(studies) || share > 97+allowed(studies) {
					t.Errorf("the interval covers %.1f%%", share)
				}
			})
		}
	}
}

// When nothing differs, at most 5% of the studies of several protocols name any of them
// faster or slower: where all runs arrive, and where many end before.
func TestNoFalseVerdicts(t *testing.T) {
	for _, n := range []int{5, 10} {
		for _, arrive := range []float64{1 - 1e-9, 0.7, 0.4} {
			t.Run(fmt.Sprintf("%d seeds, %.0f%% arrive", n, 100*arrive), func(t *testing.T) {
				t.Parallel()
				d := design{seeds: n, run: 0.2, seed: 0.1, speedups: []float64{1, 1, 1}, arrive: arrive}
				r := stream(uint64(5 + n))
				studies, wrong := studies(t), 0
				if arrive < 0.9 && os.Getenv("SWAPMC_STUDIES") == "" {
					studies = max(100, studies/8) // each costs many times as much
				}
				for k := range studies {
					base, arms := d.arms(r)
					for _, p := range Compare(base, arms, Options{Targets: []float64{d.target()}, Seed: uint64(k), resamples: 2000}).Protocols {
						if v := p.Verdict; v == Faster || v == Slower {
							wrong++
							break
						}
					}
				}
				share := 100 * float64(wrong) / float64(studies)
				t.Logf("%.1f%% of the studies name a difference", share)
				if share > 5+allowed(studies) {
					t.Errorf("%.1f%% of the studies name a difference", share)
				}
			})
		}
	}
}
