package report

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"swapmc/speedup"
)

// Shown is how many protocols a figure draws in full and names.
const Shown = shown

// Named are the numbers of the protocols that a figure names, at most [Shown].
func Named(c *speedup.Comparison) []int { return drawn(c, shown) }

// drawn are the numbers of the protocols that are drawn in full and named, in the
// order of the comparison: all if there are few, otherwise the fastest at the headline
// target, and then always the one whose curve of speed-ups is least like the curves so
// far, the baseline's straight 1 among them.
func drawn(c *speedup.Comparison, most int) []int {
	var chosen []int
	for k := range c.Protocols {
		chosen = append(chosen, k)
	}
	if len(chosen) <= most {
		return chosen
	}
	fastest, best := 0, math.Inf(-1)
	curves := make([][]float64, len(c.Protocols)) // logarithms
	for k := range c.Protocols {
		p := &c.Protocols[k]
		for _, t := range p.Targets {
			curves[k] = append(curves[k], math.Log(t.Iterations.Speedup))
		}
		if t := p.At(c.HeadlineTarget()); t != nil && t.Iterations.AtMost == 0 && t.Iterations.Speedup > best {
			fastest, best = k, t.Iterations.Speedup
		}
	}
	nearest := make([]float64, len(curves)) // distance to the nearest chosen curve
	for k := range nearest {
		nearest[k] = distance(curves[k], make([]float64, len(curves[k])))
	}
	choose := func(k int) {
		chosen = append(chosen, k)
		for i := range nearest {
			nearest[i] = min(nearest[i], distance(curves[i], curves[k]))
		}
		nearest[k] = -1
	}
	chosen = chosen[:0]
	choose(fastest)
	for len(chosen) < most {
		choose(floats.MaxIdx(nearest))
	}
	slices.Sort(chosen)
	return chosen
}

// distance is the root mean square difference of two curves where both are finite.
func distance(a, b []float64) float64 {
	sum, n := 0.0, 0.0
	for i := range min(len(a), len(b)) {
		if d := a[i] - b[i]; ok(d) {
			sum += d * d
			n++
		}
	}
	return math.Sqrt(sum / max(n, 1))
}
