package speedup

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Pair is the time to a target without and with swaps, from one seed. A run
// that does not reach it has instead the time at which it ended.
type Pair struct {
	Base, Test               float64
	BaseReached, TestReached bool
}

// An Estimate is a mean speed-up.
type Estimate struct {
	Speedup float64 // geometric mean over pairs; NaN without any
	Low     float64 // 95% interval; NaN with fewer than three pairs
	High    float64
	P       float64 // probability of a mean this far from 1 if there were no difference; NaN without an interval
	BCaLow  float64 // 95% BCa bootstrap interval, beside the other; NaN with fewer than three pairs or with runs that did not arrive
	BCaHigh float64
	Pairs   int  // pairs of which at least one run arrived
	AtMost  int  // pairs of which only the run without swaps arrived: their ratio is an upper bound
	AtLeast int  // pairs of which only the run with swaps arrived: a lower bound
	Neither int  // pairs of which none arrived, or whose times make no sense
	Fitted  bool // bounds were taken as bounds; otherwise, with AtMost or AtLeast above 0, Speedup itself is one
}

// Mark is what should stand before Speedup: "<=" or ">=" for a bound, "~" for the
// mean of bounds of both sorts, and for a mean fitted to times of which some are
// bounds; "" otherwise.
func (e Estimate) Mark() string {
	switch {
	case e.Fitted, e.AtMost > 0 && e.AtLeast > 0:
		return "~"
	case e.AtMost > 0:
		return "<="
	case e.AtLeast > 0:
		return ">="
	}
	return ""
}

// resamples of the bootstrap. No probability comes out below 2/resamples, which
// leaves Holm's correction room for 200 protocols.
const resamples = 10000

// Ratio averages Base/Test over pairs.
//
// Where all runs arrive the interval is a smoothed bootstrap-t on the logarithms: each
// resample draws pairs with replacement, adds normal noise of 1/sqrt(n) standard
// deviations, and is studentised by its own deviation (Hall, Ann. Stat. 16, 927, 1988;
// Polansky and Schucany, J. R. Stat. Soc. B 59, 821, 1997). P is the level at which the
// interval touches 1, or that of Student's t, whichever is larger, so that a verdict needs
// both. The BCa interval (Efron, J. Am. Stat. Assoc. 82, 171, 1987) is
// given beside it and decides nothing: for the three to ten seeds that one has it is
// far too narrow. The bootstrap-t without noise needs more than three pairs, and
// Student's t suffers more from skewed logarithms. docs/speedup.md has the coverage of
// each, TestCoverage measures it.
//
// Where runs end before they arrive, at least two pairs arrive on both sides and three
// on one, the mean is the most likely one of normal logarithms of which some are known
// only to be beyond an end, and the interval that of the profile likelihood (Fitted).
// Then pairs of which neither run arrives count as what they are.
//
// With less, a run that never arrived enters with its end in place of its time. It is a
// bound, and so is the mean: AtMost or AtLeast counts such pairs, and the interval is
// open on that side, Low being 0 or High +Inf.
//
// A bound that speaks for a difference is not trusted with its size: where runs of the
// side that seems faster did not arrive, P is at least that of the signs of the pairs
// alone.
//
// Pairs whose ratios all agree to the last digit show no scatter to resample. Then P
// is that of the signs alone, 2/2^n, and there is an interval, of no width, only
// where that is below 5%: from six pairs on.
func Ratio(pairs []Pair, r *rand.Rand) Estimate { return ratio(pairs, resamples, r) }

func ratio(pairs []Pair, resamples int, r *rand.Rand) Estimate {
	var e Estimate
	var logs []float64
	all := newPairing()
	faster, slower := 0, 0
	for _, p := range pairs {
		x, y := math.Log(p.Base), math.Log(p.Test)
		if !finite(x) || !finite(y) {
			e.Neither++
			continue
		}
		all.add(x, y, p.BaseReached, p.TestReached)
		switch {
		case !p.BaseReached && !p.TestReached:
			e.Neither++
			continue
		case !p.TestReached:
			e.AtMost++
			slower++
		case !p.BaseReached:
			e.AtLeast++
			faster++
		case x > y:
			faster++
		case x < y:
			slower++
		}
		logs = append(logs, x-y)
	}
	e.Pairs = len(logs)
	nan := math.NaN()
	e.Speedup, e.Low, e.High, e.P, e.BCaLow, e.BCaHigh = nan, nan, nan, nan, nan, nan
	if len(logs) == 0 {
		return e
	}
	mean := stat.Mean(logs, nil)
	e.Speedup = math.Exp(mean)
	if len(logs) < 3 {
		return e
	}
	if e.AtMost == 0 && e.AtLeast == 0 {
		b := resample(logs, 1/math.Sqrt(float64(len(logs))), resamples, r)
		low, high, p := b.studentised()
		e.Low, e.High, e.P = math.Exp(low), math.Exp(high), p
		low, high = b.bca()
		e.BCaLow, e.BCaHigh = math.Exp(low), math.Exp(high)
		return e
	}
	if mean, low, high, p, ok := all.estimate(); ok {
		e.Speedup, e.Low, e.High, e.P, e.Fitted = math.Exp(mean), math.Exp(low), math.Exp(high), p, true
	} else {
		low, high, p := resample(logs, 1/math.Sqrt(float64(len(logs))), resamples, r).studentised()
		e.Low, e.High, e.P = math.Exp(low), math.Exp(high), p
		if e.AtMost > 0 {
			e.Low = 0
		}
		if e.AtLeast > 0 {
			e.High = math.Inf(1)
		}
	}
	if e.Speedup > 1 && e.AtMost > 0 || e.Speedup < 1 && e.AtLeast > 0 {
		e.P = max(e.P, signs(faster, slower))
	}
	return e
}

// signs is the two-sided sign test: the probability of counts this unequal if either
// were as likely.
func signs(a, b int) float64 {
	if a+b == 0 {
		return 1
	}
	return min(1, 2*distuv.Binomial{N: float64(a + b), P: 0.5}.CDF(float64(min(a, b))))
}

// A bootstrap is resamples of some numbers.
type bootstrap struct {
	x     []float64
	means []float64 // of the resamples, sorted
	t     []float64 // their studentised distances from the mean, smoothed; sorted
}

// resample draws so many times from x with replacement, with normal noise of so many
// standard deviations for t. It draws nothing where x does not scatter.
func resample(x []float64, noise float64, resamples int, r *rand.Rand) *bootstrap {
	b := &bootstrap{x: x}
	mean, deviation := stat.MeanStdDev(x, nil)
	if scattered(mean, deviation) {
		n := float64(len(x))
		sample := make([]float64, len(x))
		b.means, b.t = make([]float64, resamples), make([]float64, resamples)
		for k := range b.t {
			sum := 0.0
			for i := range sample {
				v := x[r.IntN(len(x))]
				sum += v
				sample[i] = v + noise*deviation*r.NormFloat64()
			}
			m, s := stat.MeanStdDev(sample, nil)
			b.means[k] = sum / n
			b.t[k] = (m - mean) / (s / math.Sqrt(n))
		}
		slices.Sort(b.means)
		slices.Sort(b.t)
	}
	return b
}

// scattered tells whether a deviation is more than the rounding of the mean.
func scattered(mean, deviation float64) bool { return deviation > 1e-12*(1+math.Abs(mean)) }

// studentised returns the 95% interval of the bootstrap-t for the mean and the
// two-sided probability of a mean this far from zero if the true one were zero.
func (b *bootstrap) studentised() (low, high, p float64) {
	n := float64(len(b.x))
	mean, deviation := stat.MeanStdDev(b.x, nil)
	if len(b.t) == 0 {
		if !scattered(0, math.Abs(mean)) {
			return 0, 0, 1
		}
		if p = 2 / math.Pow(2, n); p < 0.05 {
			return mean, mean, p
		}
		return math.NaN(), math.NaN(), p
	}
	scale := deviation / math.Sqrt(n)
	low = mean - scale*stat.Quantile(0.975, stat.Empirical, b.t, nil)
	high = mean - scale*stat.Quantile(0.025, stat.Empirical, b.t, nil)
	below, _ := slices.BinarySearch(b.t, mean/scale)
	least := min(below, len(b.t)-below)
	p = min(1, 2*float64(least+1)/float64(len(b.t)+1))
	return low, high, max(p, 2*distuv.StudentsT{Sigma: 1, Nu: n - 1}.Survival(math.Abs(mean/scale)))
}

// bca returns the bias-corrected and accelerated 95% interval for the mean.
func (b *bootstrap) bca() (low, high float64) {
	if len(b.means) == 0 {
		return math.NaN(), math.NaN()
	}
	mean := stat.Mean(b.x, nil)
	// Resamples as large as the mean, but for rounding, count half.
	round := 1e-12 * (1 + math.Abs(mean))
	below, _ := slices.BinarySearch(b.means, mean-round)
	upTo, _ := slices.BinarySearch(b.means, mean+round)
	z0 := distuv.UnitNormal.Quantile(float64(below+upTo) / 2 / float64(len(b.means)))
	// The jackknife's acceleration, which for a mean is a sixth of its skewness.
	var second, third float64
	for _, v := range b.x {
		second += (v - mean) * (v - mean)
		third += (v - mean) * (v - mean) * (v - mean)
	}
	a := third / (6 * math.Pow(second, 1.5))
	at := func(level float64) float64 {
		z := z0 + distuv.UnitNormal.Quantile(level)
		u := distuv.UnitNormal.CDF(z0 + z/(1-a*z))
		return stat.Quantile(u, stat.Empirical, b.means, nil)
	}
	return at(0.025), at(0.975)
}

// Holm returns the probabilities p adjusted for their number (Holm, Scand. J. Stat. 6,
// 65, 1979): the chance of any false rejection among them stays below the level at
// which the adjusted ones are judged. NaN stays NaN and does not count.
func Holm(p []float64) []float64 {
	var order []int
	adjusted := slices.Repeat([]float64{math.NaN()}, len(p))
	for i, v := range p {
		if v == v {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	worst := 0.0
	for rank, i := range order {
		worst = max(worst, min(1, float64(len(order)-rank)*p[i]))
		adjusted[i] = worst
	}
	return adjusted
}

// A Verdict is a result in words.
type Verdict string

// The verdicts.
const (
	Faster       Verdict = "faster"
	Slower       Verdict = "slower"
	NoDifference Verdict = "no difference shown"
	NotReached   Verdict = "target not reached" // by either side, in any pair
	TooFewSeeds  Verdict = "too few seeds"      // fewer than three pairs
)

// Verdict judges an estimate whose probability P has been adjusted, as by [Holm], for how
// many are judged.
func (e Estimate) Verdict(adjusted float64) Verdict {
	switch {
	case e.Pairs == 0:
		return NotReached
	case adjusted != adjusted:
		return TooFewSeeds
	case adjusted < 0.05 && e.Low > 1:
		return Faster
	case adjusted < 0.05 && e.High < 1:
		return Slower
	}
	return NoDifference
}
