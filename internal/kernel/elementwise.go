package kernel

import "math"

// The element-wise loops round after every operation, in assembly as in Go (the
// conversions float32(...) forbid fusing), so that a result does not depend on
// where a slice is cut or which kernel is in use.

// whole returns how many of n entries the vector loops take.
func whole(n int) int {
	if active.vector {
		return n &^ 7
	}
	return 0
}

// Axpy adds alpha x to y, entry by entry. y is as long as x.
func Axpy(alpha float32, x, y []float32) {
	y = y[:len(x)]
	n := whole(len(x))
	if n > 0 {
		axpy256(&x[0], &y[0], n, alpha)
	}
	for i := n; i < len(x); i++ {
		y[i] += float32(alpha * x[i])
	}
}

// EMA moves an exponential average towards g: avg <- beta avg + (1-beta) g.
func EMA(avg, g []float32, beta float32) {
	g = g[:len(avg)]
	rest := 1 - beta
	n := whole(len(avg))
	if n > 0 {
		ema256(&avg[0], &g[0], n, beta, rest)
	}
	for i := n; i < len(avg); i++ {
		avg[i] = float32(beta*avg[i]) + float32(rest*g[i])
	}
}

// SGD updates w <- w - lr (g + decay w).
func SGD(w, g []float32, lr, decay float32) {
	g = g[:len(w)]
	n := whole(len(w))
	if n > 0 {
		sgd256(&w[0], &g[0], n, lr, decay)
	}
	for i := n; i < len(w); i++ {
		w[i] -= float32(lr * (g[i] + float32(decay*w[i])))
	}
}

// SGDAverage updates m <- beta m + (1-beta) g beside [SGD].
func SGDAverage(w, g, m []float32, lr, decay, beta float32) {
	g, m = g[:len(w)], m[:len(w)]
	rest := 1 - beta
	n := whole(len(w))
	if n > 0 {
		averaged256(&w[0], &g[0], &m[0], n, lr, decay, beta, rest)
	}
	for i := n; i < len(w); i++ {
		m[i] = float32(beta*m[i]) + float32(rest*g[i])
		w[i] -= float32(lr * (g[i] + float32(decay*w[i])))
	}
}

// Momentum updates v <- mu v + g + decay w and then w <- w - lr v, or with
// nesterov w <- w - lr (g + decay w + mu v), as PyTorch does.
func Momentum(w, g, v []float32, lr, mu, decay float32, nesterov bool) {
	g, v = g[:len(w)], v[:len(w)]
	n := whole(len(w))
	switch {
	case n > 0 && nesterov:
		nesterov256(&w[0], &g[0], &v[0], n, lr, mu, decay)
	case n > 0:
		momentum256(&w[0], &g[0], &v[0], n, lr, mu, decay)
	}
	for i := n; i < len(w); i++ {
		d := g[i] + float32(decay*w[i])
		v[i] = float32(mu*v[i]) + d
		if nesterov {
			w[i] -= float32(lr * (d + float32(mu*v[i])))
		} else {
			w[i] -= float32(lr * v[i])
		}
	}
}

// Signum updates m <- beta m + (1-beta) g and then w <- w - lr (sign(m) + decay w).
// The sign of 0 is 0, that of NaN is NaN.
func Signum(w, g, m []float32, lr, beta, decay float32) {
	g, m = g[:len(w)], m[:len(w)]
	rest := 1 - beta
	n := whole(len(w))
	if n > 0 {
		signum256(&w[0], &g[0], &m[0], n, lr, beta, rest, decay)
	}
	for i := n; i < len(w); i++ {
		m[i] = float32(beta*m[i]) + float32(rest*g[i])
		w[i] -= float32(lr * (sign(m[i]) + float32(decay*w[i])))
	}
}

// SGDSign is SGD plus a sign step: m <- beta m + (1-beta) g, then [SGD], and then
// w <- w - step sign(m), with sign as in [Signum].
func SGDSign(w, g, m []float32, lr, decay, beta, step float32) {
	g, m = g[:len(w)], m[:len(w)]
	rest := 1 - beta
	n := whole(len(w))
	if n > 0 {
		sgdSign256(&w[0], &g[0], &m[0], n, lr, decay, beta, rest, step)
	}
	for i := n; i < len(w); i++ {
		m[i] = float32(beta*m[i]) + float32(rest*g[i])
		w[i] -= float32(lr * (g[i] + float32(decay*w[i])))
		w[i] -= float32(step * sign(m[i]))
	}
}

// MomentumSign is [Momentum] plus a sign step: w <- w - step sign(v) follows, with sign
// as in [Signum].
func MomentumSign(w, g, v []float32, lr, mu, decay, step float32, nesterov bool) {
	g, v = g[:len(w)], v[:len(w)]
	n := whole(len(w))
	switch {
	case n > 0 && nesterov:
		nesterovSign256(&w[0], &g[0], &v[0], n, lr, mu, decay, step)
	case n > 0:
		momentumSign256(&w[0], &g[0], &v[0], n, lr, mu, decay, step)
	}
	Momentum(w[n:], g[n:], v[n:], lr, mu, decay, nesterov) // in Go: less than a vector, or all
	for i := n; i < len(w); i++ {
		w[i] -= float32(step * sign(v[i]))
	}
}

func sign(x float32) float32 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	case x == 0:
		return 0
	}
	return x
}

// An AdamStep holds the constants of one update by [Adam].
type AdamStep struct {
	Beta1, Rest1   float32 // beta1 and 1-beta1, each rounded once: 1-Beta2 would keep four digits
	Beta2, Rest2   float32
	Rate           float32 // learning rate / (1-beta1^t)
	Root           float32 // 1 / sqrt(1-beta2^t)
	Epsilon        float32
	Coupled, Apart float32 // weight decay added to the gradient; times the learning rate, taken off the weight
}

// Adam updates
//
//	w <- w - apart w, with g + coupled w of the w before for g in what follows
//	m <- beta1 m + rest1 g
//	v <- beta2 v + rest2 g g
//	w <- w - rate m / (root sqrt(v) + epsilon)
func Adam(w, g, m, v []float32, s AdamStep) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	n := whole(len(w))
	if n > 0 {
		adam256(&w[0], &g[0], &m[0], &v[0], n, s.Coupled, s.Apart, s.Beta1, s.Rest1, s.Beta2, s.Rest2, s.Rate, s.Root, s.Epsilon)
	}
	for i := n; i < len(w); i++ {
		d := g[i] + float32(s.Coupled*w[i])
		w[i] -= float32(s.Apart * w[i])
		m[i] = float32(s.Beta1*m[i]) + float32(s.Rest1*d)
		v[i] = float32(s.Beta2*v[i]) + float32(float32(s.Rest2*d)*d)
		w[i] -= float32(s.Rate*m[i]) / (float32(float32(math.Sqrt(float64(v[i])))*s.Root) + s.Epsilon)
	}
}

// Relu sets dst = max(x, 0); NaN stays NaN. dst may be x.
func Relu(dst, x []float32) {
	dst = dst[:len(x)]
	n := whole(len(x))
	if n > 0 {
		relu256(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		v := x[i]
		if v < 0 {
			v = 0
		}
		dst[i] = v
	}
}

// Shift adds b to y, entry by entry, and rectifies the sums or does not; NaN stays NaN.
func Shift(y []float32, b float32, relu bool) {
	low := float32(math.Inf(-1))
	if relu {
		low = 0
	}
	n := whole(len(y))
	if n > 0 {
		shift256(&y[0], n, b, low)
	}
	for i := n; i < len(y); i++ {
		y[i] += b
		if y[i] < low {
			y[i] = low
		}
	}
}

// ReluBackward sets dx = dy where y > 0, else 0. dx may be dy.
func ReluBackward(dx, dy, y []float32) {
	dx, y = dx[:len(dy)], y[:len(dy)]
	n := whole(len(dy))
	if n > 0 {
		reluBackward256(&dx[0], &dy[0], &y[0], n)
	}
	for i := n; i < len(dy); i++ {
		g := dy[i]
		if !(y[i] > 0) {
			g = 0
		}
		dx[i] = g
	}
}

// Sum returns the sum of x in a fixed order: 16 lanes, lane i of x[i], x[i+16]
// and so on, which are then folded in halves.
func Sum(x []float32) float32 {
	var lanes [16]float32
	if n := len(x) &^ 15; n > 0 && active.vector {
		sum256(&lanes[0], &x[0], n)
		x = x[n:]
	}
	for ; len(x) >= 16; x = x[16:] {
		for i, v := range x[:16] {
			lanes[i] += v
		}
	}
	for i, v := range x {
		lanes[i] += v
	}
	for half := 8; half > 0; half /= 2 {
		for i := range half {
			lanes[i] += lanes[i+half]
		}
	}
	return lanes[0]
}
