package speedup

import (
	"math"
	"slices"
)

// A Survival is the share of runs that have not yet arrived, as a step function
// of time: Share[k] from Time[k] on, and 1 before Time[0].
type Survival struct{ Time, Share []float64 }

// KaplanMeier estimates the survival function of times to a target, of which those
// not reached are the ends of runs that had not arrived by then (Kaplan and Meier,
// J. Am. Stat. Assoc. 53, 457, 1958).
func KaplanMeier(times []float64, reached []bool) Survival {
	order := make([]int, len(times))
	for i := range order {
		order[i] = i
	}
	// At equal times arrivals come before ends.
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case times[a] < times[b], times[a] == times[b] && reached[a] && !reached[b]:
			return -1
		case times[a] > times[b], times[a] == times[b] && reached[b] && !reached[a]:
			return 1
		}
		return 0
	})
	var s Survival
	share := 1.0
	for k, i := range order {
		if !reached[i] {
			continue
		}
		share *= 1 - 1/float64(len(order)-k)
		if n := len(s.Time); n > 0 && s.Time[n-1] == times[i] {
			s.Share[n-1] = share
			continue
		}
		s.Time, s.Share = append(s.Time, times[i]), append(s.Share, share)
	}
	return s
}

// Median returns the time by which half of the runs have arrived, +Inf if fewer
// do.
func (s Survival) Median() float64 {
	for k, share := range s.Share {
		if share <= 0.5+1e-12 {
			return s.Time[k]
		}
	}
	return math.Inf(1)
}
