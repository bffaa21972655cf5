package speedup

import "math"

// A Series is a measured curve: Y at times X, which do not decrease.
type Series struct{ X, Y []float64 }

// TimeTo returns the first time at which the curve is at or below the target (at
// or above it, if not falling), interpolated linearly between measurements, and
// whether there is one. Points whose Y is NaN or infinite are passed over, and so
// is what is longer of X and Y.
func (s Series) TimeTo(target float64, falling bool) (t float64, reached bool) {
	last := -1
	for i, y := range s.Y[:min(len(s.X), len(s.Y))] {
		if math.IsNaN(y) || math.IsInf(y, 0) {
			continue
		}
		if falling && y <= target || !falling && y >= target {
			if last < 0 || s.Y[last] == y {
				return s.X[i], true
			}
			share := (s.Y[last] - target) / (s.Y[last] - y)
			return s.X[last] + share*(s.X[i]-s.X[last]), true
		}
		last = i
	}
	return 0, false
}

// end returns the last time of the curve, 0 if there is none.
func (s Series) end() float64 {
	if len(s.X) == 0 {
		return 0
	}
	return s.X[len(s.X)-1]
}
