package kernel

import "math"

// Sigmoid sets y = 1/(1 + exp(-x)) to within 2.5 units in the last place, and to 0
// where that is below about 1e-38; NaN stays NaN. y may be x.
func Sigmoid(y, x []float32) {
	y = y[:len(x)]
	n := whole(len(x))
	if n > 0 {
		sigmoid256(&y[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		// exp(-|x|) does not overflow, and exp(x)/(1 + exp(x)) keeps its digits for x < 0.
		e := decay(magnitude(x[i]))
		if x[i] < 0 {
			y[i] = e / (1 + e)
		} else {
			y[i] = 1 / (1 + e)
		}
	}
}

// SigmoidBackward sets dx = dy y (1 - y). dx may be dy.
func SigmoidBackward(dx, dy, y []float32) {
	dx, y = dx[:len(dy)], y[:len(dy)]
	n := whole(len(dy))
	if n > 0 {
		sigmoidBackward256(&dx[0], &dy[0], &y[0], n)
	}
	for i := n; i < len(dy); i++ {
		dx[i] = float32(dy[i]*y[i]) * (1 - y[i])
	}
}

// Tanh sets y = tanh x to within 1.5 units in the last place; -0 stays -0 and NaN stays
// NaN. y may be x.
func Tanh(y, x []float32) {
	y = y[:len(x)]
	n := whole(len(x))
	if n > 0 {
		tanh256(&y[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		a := magnitude(x[i])
		var t float32
		if a < 0.625 { // 1 - 2/(1 + exp 2a) would lose digits
			z := float32(a * a)
			p := float32(-5.70498872745e-3*z) + 2.06390887954e-2
			p = float32(p*z) - 5.37397155531e-2
			p = float32(p*z) + 1.33314422036e-1
			p = float32(p*z) - 3.33332819422e-1
			t = float32(float32(p*z)*a) + a
		} else {
			e := decay(a + a)
			t = 1 - float32(2*e)/(1+e)
		}
		y[i] = float32(math.Copysign(float64(t), float64(x[i])))
	}
}

// TanhBackward sets dx = dy (1 - y y). dx may be dy.
func TanhBackward(dx, dy, y []float32) {
	dx, y = dx[:len(dy)], y[:len(dy)]
	n := whole(len(dy))
	if n > 0 {
		tanhBackward256(&dx[0], &dy[0], &y[0], n)
	}
	for i := n; i < len(dy); i++ {
		dx[i] = dy[i] * (1 - float32(y[i]*y[i]))
	}
}

func magnitude(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// decay returns exp(-x) for x >= 0, 0 where that is below about 1e-38: 2^n exp r, n whole
// and |r| <= ln(2)/2, and the polynomial of Cephes' expf for exp r.
func decay(x float32) float32 {
	if x > 88 {
		x = 88 // n = -127, and 2^n comes out as 0
	}
	x = -x
	const ties = 3 << 22 // added and taken away again it rounds to a whole number
	k := float32(x*math.Log2E) + ties
	n := k - ties
	power := math.Float32frombits(math.Float32bits(k)<<23 + 127<<23)
	r := x - float32(n*0.693359375) // exact: ln 2 in two parts, the first of 9 bits
	r -= float32(n * -2.12194440e-4)
	p := float32(1.9875691500e-4*r) + 1.3981999507e-3
	p = float32(p*r) + 8.3334519073e-3
	p = float32(p*r) + 4.1665795894e-2
	p = float32(p*r) + 1.6666665459e-1
	p = float32(p*r) + 5.0000001201e-1
	p = float32(p*float32(r*r)) + r + 1
	return float32(p * power)
}
