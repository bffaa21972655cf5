package speedup

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A pairing is the logarithms x and y of the times of pairs, without and with swaps,
// of which some runs ended before they arrived: then the time is known only to be
// beyond the end. Half their sum u = (x+y)/2 and their difference d = x-y are taken
// as independent and normal: both sides scatter equally, and a seed may be slow on
// both. Without such ends the intervals that follow are exactly Student's.
type pairing struct {
	x, y               []float64 // ends where not reached
	xReached, yReached []bool
	nodes, weights     []float64 // of the integral over u, on [0, 1]
}

func newPairing() *pairing {
	const n = 16
	p := &pairing{nodes: make([]float64, n), weights: make([]float64, n)}
	quad.Legendre{}.FixedLocations(p.nodes, p.weights, 0, 1)
	return p
}

func (p *pairing) add(x, y float64, xReached, yReached bool) {
	p.x, p.y = append(p.x, x), append(p.y, y)
	p.xReached, p.yReached = append(p.xReached, xReached), append(p.yReached, yReached)
}

// differences returns those that are known.
func (p *pairing) differences() []float64 {
	var d []float64
	for i, x := range p.x {
		if p.xReached[i] && p.yReached[i] {
			d = append(d, x-p.y[i])
		}
	}
	return d
}

// logLikelihood of the mean mu of d and b, the logarithm of its deviation, and of the
// mean m of u and a, the logarithm of its deviation, up to a constant.
func (p *pairing) logLikelihood(mu, m, a, b float64) float64 {
	// A deviation below e^-9, or above e^5, would be none that a time can have.
	penalty := 0.0
	for _, v := range []*float64{&a, &b} {
		inside := min(max(*v, -9), 5)
		penalty += (*v - inside) * (*v - inside)
		*v = inside
	}
	sa, sb := math.Exp(a), math.Exp(b)
	variance := sa*sa + sb*sb/4 // of x, and of y
	s := math.Sqrt(variance)
	rho := (sa*sa - sb*sb/4) / variance
	rest := sa * sb / s // deviation of one where the other is known, s sqrt(1-rho^2)
	mx, my := m+mu/2, m-mu/2
	sum := -penalty
	one := func(z, other float64) float64 { return logTail(other) - z*z/2 - math.Log(s) }
	for i, x := range p.x {
		y := p.y[i]
		switch {
		case p.xReached[i] && p.yReached[i]:
			u, d := ((x+y)/2-m)/sa, (x-y-mu)/sb
			sum -= (u*u+d*d)/2 + a + b
		case p.xReached[i]:
			sum += one((x-mx)/s, (y-my-rho*(x-mx))/rest)
		case p.yReached[i]:
			sum += one((y-my)/s, (x-mx-rho*(y-my))/rest)
		default:
			sum += math.Log(p.neither(x, y, mu, m, sa, sb))
		}
	}
	return sum
}

// neither is the probability that both sides are beyond their ends: that u is beyond
// half their sum, and d between the differences that then remain.
func (p *pairing) neither(x, y, mu, m, a, b float64) float64 {
	low := max((x+y)/2, m-8*a)
	width := max(0, m-low) + 8*a
	sum := 0.0
	for k, node := range p.nodes {
		u := low + width*node
		z := (u - m) / a
		inside := tail((2*(x-u)-mu)/b) - tail((2*(u-y)-mu)/b)
		sum += p.weights[k] * math.Exp(-z*z/2) * max(0, inside)
	}
	return sum*width/(a*math.Sqrt(2*math.Pi)) + 1e-300
}

// tail is the probability that a standard normal number is above z.
func tail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

func logTail(z float64) float64 {
	if z > 25 { // where erfc is about to vanish
		return -z*z/2 - math.Log(z*math.Sqrt(2*math.Pi))
	}
	return math.Log(tail(z))
}

// maximum returns the largest likelihood and where it is: over mu, m, a, b from a
// guess of these, or, where fixed, over the last three.
func (p *pairing) maximum(guess []float64, fixed bool) (where []float64, l float64) {
	mu, free := guess[0], guess
	if fixed {
		free = guess[1:]
	}
	value := func(v []float64) float64 {
		if fixed {
			return -p.logLikelihood(mu, v[0], v[1], v[2])
		}
		return -p.logLikelihood(v[0], v[1], v[2], v[3])
	}
	settings := &optimize.Settings{Converger: &optimize.FunctionConverge{Absolute: 1e-5, Iterations: 20}}
	res, err := optimize.Minimize(optimize.Problem{Func: value}, free, settings, &optimize.NelderMead{SimplexSize: 0.1})
	if err != nil {
		return guess, math.Inf(-1)
	}
	if fixed {
		return append([]float64{mu}, res.X...), -res.F
	}
	return res.X, -res.F
}

// estimate returns the most likely mean of d, its 95% interval and the two-sided
// probability of data this far from mean zero. The interval is that of the profile
// likelihood. Its ratio is read as Student's t, t^2 = (n-1)(exp(2 dl/n) - 1), which
// it is exactly where all runs arrive; a pair of which one run arrives counts half in
// n. ok is false where fewer than two differences are known, or they do not scatter:
// then there is no likelihood to speak of.
func (p *pairing) estimate() (mean, low, high, prob float64, ok bool) {
	known := p.differences()
	if len(known) < 2 {
		return 0, 0, 0, 0, false
	}
	if mean, deviation := stat.MeanStdDev(known, nil); deviation <= 1e-12*(1+math.Abs(mean)) {
		return 0, 0, 0, 0, false
	}
	var d, u []float64
	n := 0.0
	for i, x := range p.x {
		d, u = append(d, x-p.y[i]), append(u, (x+p.y[i])/2)
		switch {
		case p.xReached[i] && p.yReached[i]:
			n++
		case p.xReached[i] || p.yReached[i]:
			n += 0.5
		}
	}
	mu, b := stat.MeanStdDev(d, nil)
	m, a := stat.MeanStdDev(u, nil)
	best, most := p.maximum([]float64{mu, m, math.Log(a + 1e-4), math.Log(b + 1e-4)}, false)
	if math.IsInf(most, 0) {
		return 0, 0, 0, 0, false
	}
	student := distuv.StudentsT{Sigma: 1, Nu: n - 1}
	limit := student.Quantile(0.975)
	// t grows with the distance from the best mean, on either side.
	t := func(from []float64, mu float64) ([]float64, float64) {
		from = append([]float64{mu}, from[1:]...)
		where, l := p.maximum(from, true)
		return where, math.Sqrt((n - 1) * math.Expm1(2*max(0, most-l)/n))
	}
	side := func(sign float64) float64 {
		in, below := 0.0, -limit
		out := sign * limit * math.Exp(best[3]) / math.Sqrt(n)
		from, at := t(best, best[0]+out)
		above := at - limit
		for k := 0; above < 0; k++ {
			if k == 40 {
				return sign * math.Inf(1)
			}
			in, below = out, above
			out *= 1.6
			from, at = t(from, best[0]+out)
			above = at - limit
		}
		// t is all but a straight line; this is the Illinois method.
		middle := out
		for range 30 {
			middle = (in*above - out*below) / (above - below)
			from, at = t(from, best[0]+middle)
			switch off := at - limit; {
			case math.Abs(off) < 1e-3:
				return best[0] + middle
			case off < 0:
				in, below, above = middle, off, above/2
			default:
				out, above, below = middle, off, below/2
			}
		}
		return best[0] + middle
	}
	_, zero := t(best, 0)
	return best[0], side(-1), side(1), min(1, 2*student.Survival(zero)), true
}
