package dynamics

import "math"

// Average returns the mean of a stationary series and its standard error, by blocking:
// values are averaged in pairs, again and again, and the error estimated from the spread
// of the averages, until it no longer grows (Flyvbjerg and Petersen, J. Chem. Phys. 91, 461, 1989).
// Correlated values make the naive error too small; this one allows for them as long as
// the series is many correlation times long. With fewer than two values the error is NaN.
func Average(x []float64) (mean, err float64) {
	n := len(x)
	for _, v := range x {
		mean += v / float64(n)
	}
	if n < 2 {
		return mean, math.NaN()
	}
	blocks := append([]float64(nil), x...)
	for len(blocks) >= 2 {
		m := float64(len(blocks))
		average, spread := 0.0, 0.0
		for _, v := range blocks {
			average += v / m
		}
		for _, v := range blocks {
			spread += (v - average) * (v - average)
		}
		if e := math.Sqrt(spread / (m * (m - 1))); len(blocks) == n || len(blocks) >= 16 {
			err = max(err, e)
		}
		half := blocks[:len(blocks)/2]
		for i := range half {
			half[i] = (blocks[2*i] + blocks[2*i+1]) / 2
		}
		blocks = half
	}
	return mean, err
}
