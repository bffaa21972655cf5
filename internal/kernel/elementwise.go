package kernel

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
