package main

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// An event of guided swaps draws a partner j for every weight i of a layer and gives
// each the other's value where |w_j - w_i| <= window and (w_j - w_i)(g_i - g_j) < 0.
// If j is drawn at random, and g has nothing to do with w, then for d, the displacement of i,
//
//	E[d]   = -1/2 E|w_j - w_i| (2F(g_i) - 1)
//	E[d^2] =  1/2 E(w_j - w_i)^2
//
// with F the distribution of g in the layer and the means over all pairs of its weights,
// those farther apart than the window counting as 0. (Of a weight of known value w the mean has one
// more term, 1/2 E(w_j - w): a drift to where weights are dense, which keeps their
// distribution. It has nothing to do with g and vanishes in the mean over the layer.) Where the density rho of the weights is
// flat on the scale of the window, the means are rho w^2 and 2/3 rho w^3.

// pairs are means over all pairs of different entries of a layer, and over the pairs of equal
// or smaller distance than a window alone, the others counting as 0.
type pairs struct {
	within   float64 // share of the pairs within the window
	distance float64 // mean of |w_j - w_i|
	square   float64 // mean of (w_j - w_i)^2
}

// pairsWithin takes the means over the pairs of w.
func pairsWithin(w []float32, window float64) pairs {
	sorted := slices.Clone(w)
	slices.Sort(sorted)
	var p pairs
	var sum, squares float64 // over sorted[low:high], from the first entry on
	low, origin := 0, 0.0
	if len(sorted) > 0 {
		origin = float64(sorted[0])
	}
	for high, v := range sorted {
		x := float64(v) - origin
		for float64(v)-float64(sorted[low]) > window {
			y := float64(sorted[low]) - origin
			sum, squares = sum-y, squares-y*y
			low++
		}
		n := float64(high - low)
		p.within += n
		p.distance += n*x - sum
		p.square += n*x*x - 2*x*sum + squares
		sum, squares = sum+x, squares+x*x
	}
	all := float64(len(w)) * float64(len(w)-1) / 2
	if all == 0 {
		return pairs{}
	}
	return pairs{p.within / all, p.distance / all, p.square / all}
}

// ranks returns 2F(g)-1 of each entry: the share of the others that lie below it, less that of
// those above.
func ranks(g []float32) []float32 {
	order := make([]int, len(g))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(g[i], g[j]) })
	r := make([]float32, len(g))
	others := float64(max(1, len(g)-1))
	for start := 0; start < len(order); {
		end := start + 1
		for end < len(order) && g[order[end]] == g[order[start]] {
			end++
		}
		for _, i := range order[start:end] {
			r[i] = float32((float64(start) - float64(len(order)-end)) / others)
		}
		start = end
	}
	return r
}

// spread returns the standard deviation of x.
func spread(x []float32) float64 {
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	return stat.PopStdDev(wide, nil)
}

func dot(a, b []float32) float64 {
	var sum float64
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}

// cosine of the angle between a and b; 0 if one of them is 0.
func cosine(a, b []float32) float64 {
	if n := math.Sqrt(dot(a, a) * dot(b, b)); n > 0 {
		return dot(a, b) / n
	}
	return 0
}

// scaled returns f x.
func scaled(x []float32, f float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(f * float64(v))
	}
	return y
}

// signs returns the sign of each entry, 0 for 0.
func signs(x []float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		switch {
		case v > 0:
			y[i] = 1
		case v < 0:
			y[i] = -1
		}
	}
	return y
}
