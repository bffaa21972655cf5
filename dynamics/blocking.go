package dynamics

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// An Estimate is the mean of a stationary series.
type Estimate struct {
	Mean    float64
	Error   float64 // its standard error; NaN for fewer than two values
	Plateau bool    // whether the error is to be trusted; else it is a lower bound
}

// Average returns the mean of a stationary series and its standard error, by blocking:
// values are averaged in pairs, again and again, and the error is the largest that the
// spread of the averages gives while there are at least 16 of them (Flyvbjerg and
// Petersen, J. Chem. Phys. 91, 461, 1989).
//
// Correlated values make the naive error too small, and this one too, unless the series is
// many correlation times long. Whether it is, is tested as by Jonsson (Phys. Rev. E 98,
// 043304, 2018): there must be a plateau, a level of blocking with at least 32 averages from
// which on neighbouring averages are uncorrelated, by a chi-squared test at 5% of that and
// all later levels together. On autoregressive series a plateau is found nearly always beyond 60
// integrated correlation times, seldom below 15; between them the error may be a quarter too small.
// A series that is constant has a plateau; one with fewer than 32 values has none.
//
// No test can see what moves too slowly to have moved: in a system out of
// equilibrium, or a run shorter than its relaxation time, there may be a plateau and the
// error be of the fast part of the fluctuations alone.
func Average(x []float64) Estimate {
	e := Estimate{Error: math.NaN()}
	n := len(x)
	for _, v := range x {
		e.Mean += v / float64(n)
	}
	if n < 2 {
		return e
	}
	e.Error = 0
	var counts []int           // of averages, at each level
	var correlations []float64 // chi-squared of neighbours with 1 degree of freedom
	blocks := append([]float64(nil), x...)
	for ; len(blocks) >= 4 || len(counts) == 0; blocks = halve(blocks) {
		m := float64(len(blocks))
		mean, spread, neighbours := 0.0, 0.0, 0.0
		for _, v := range blocks {
			mean += v / m
		}
		for i, v := range blocks {
			spread += (v - mean) * (v - mean)
			if i > 0 {
				neighbours += (v - mean) * (blocks[i-1] - mean)
			}
		}
		if spread <= 1e-24*m*mean*mean { // equal but for rounding
			if len(counts) == 0 {
				e.Plateau = true
				return e
			}
			break
		}
		if len(counts) == 0 || m >= 16 {
			e.Error = max(e.Error, math.Sqrt(spread/(m*(m-1))))
		}
		// Uncorrelated, the covariance of neighbours is spread/m^2 below 0, for the mean is taken off.
		r := (neighbours + (m-1)*spread/m/m) / spread
		counts, correlations = append(counts, len(blocks)), append(correlations, m*r*r)
	}
	sum := 0.0
	for level := len(counts) - 1; level >= 0; level-- {
		sum += correlations[level]
		left := distuv.ChiSquared{K: float64(len(counts) - level)}
		if counts[level] >= 32 && sum <= left.Quantile(0.95) {
			e.Plateau = true
		}
	}
	return e
}

// halve averages in pairs, in place. An odd last value is left out.
func halve(x []float64) []float64 {
	half := x[:len(x)/2]
	for i := range half {
		half[i] = (x[2*i] + x[2*i+1]) / 2
	}
	return half
}
