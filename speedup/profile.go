package speedup

import (
	"math"
	"slices"
)

// A Profile is a performance profile (Dolan and Moré, Math. Program. 91, 201, 2002):
// the share of problems (networks, data sets) on which one way of training needs at most
// a factor of the time that the best of all needs. It is a step function: Share[k] from
// Ratio[k] on, and 0 before Ratio[0], which is at least 1. Problems on which it never
// arrives have no step.
type Profile struct {
	Ratio []float64 `json:"ratio"` // rising
	Share []float64 `json:"share"` // of all problems, in (0, 1]
}

// Profiles returns a profile for each way of training from times[way][problem], which
// are times to a target, NaN or +Inf where it is never reached. Each way must have a time
// for each problem; a problem on which none arrives counts against all, as in AlgoPerf.
func Profiles(times [][]float64) []Profile {
	profiles := make([]Profile, len(times))
	problems := 0
	for _, t := range times {
		problems = max(problems, len(t))
	}
	best := slices.Repeat([]float64{math.Inf(1)}, problems)
	for _, way := range times {
		for p, t := range way {
			if arrived(t) {
				best[p] = min(best[p], t)
			}
		}
	}
	for w, way := range times {
		var ratios []float64
		for p, t := range way {
			if arrived(t) {
				ratios = append(ratios, t/best[p])
			}
		}
		slices.Sort(ratios)
		for k, r := range ratios {
			share := float64(k+1) / float64(problems)
			if n := len(profiles[w].Ratio); n > 0 && profiles[w].Ratio[n-1] == r {
				profiles[w].Share[n-1] = share
				continue
			}
			profiles[w].Ratio, profiles[w].Share = append(profiles[w].Ratio, r), append(profiles[w].Share, share)
		}
	}
	return profiles
}

func arrived(t float64) bool { return t > 0 && !math.IsInf(t, 0) }

// At returns the share of problems solved within a factor of the best time.
func (p Profile) At(factor float64) float64 {
	k, found := slices.BinarySearch(p.Ratio, factor)
	switch {
	case found:
		return p.Share[k]
	case k > 0:
		return p.Share[k-1]
	}
	return 0
}

// Score is the mean of the profile over factors from 1 to most, which must be above 1:
// 1 for a way that is the best on every problem, 0 for one that never comes within the
// factor. AlgoPerf's benchmark score has most = 4 (Dahl et al., arXiv:2306.07179).
func (p Profile) Score(most float64) float64 {
	area := 0.0
	for k, r := range p.Ratio {
		end := most
		if k+1 < len(p.Ratio) {
			end = min(most, p.Ratio[k+1])
		}
		if end > r {
			area += (end - r) * p.Share[k]
		}
	}
	return area / (most - 1)
}

// ProfileTimes collects what [Profiles] wants from comparisons, one a problem: the median
// iterations (Kaplan-Meier) to each comparison's own headline target, of the baseline,
// named first, and of each protocol that all comparisons have, in the order of the first.
func ProfileTimes(comparisons []Comparison) (names []string, times [][]float64) {
	if len(comparisons) == 0 {
		return nil, nil
	}
	names, times = []string{comparisons[0].Baseline}, [][]float64{nil}
	for i := range comparisons {
		c := &comparisons[i]
		median := math.NaN()
		if len(c.Protocols) > 0 {
			if t := c.Protocols[0].At(c.HeadlineTarget()); t != nil {
				median = float64(t.MedianBaseline)
			}
		}
		times[0] = append(times[0], median)
	}
next:
	for _, p := range comparisons[0].Protocols {
		var medians []float64
		for i := range comparisons {
			c := &comparisons[i]
			k := slices.IndexFunc(c.Protocols, func(q Protocol) bool { return q.Text == p.Text })
			if k < 0 {
				continue next
			}
			median := math.NaN()
			if t := c.Protocols[k].At(c.HeadlineTarget()); t != nil {
				median = float64(t.Median)
			}
			medians = append(medians, median)
		}
		names, times = append(names, p.Text), append(times, medians)
	}
	return names, times
}
