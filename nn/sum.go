package nn

// The sums of a channel are taken in float64 and in four lanes: the order is
// fixed, and no addition waits for the one before.

// total returns the sum of x.
func total(x []float32) float64 {
	var s0, s1, s2, s3 float64
	for ; len(x) >= 4; x = x[4:] {
		s0 += float64(x[0])
		s1 += float64(x[1])
		s2 += float64(x[2])
		s3 += float64(x[3])
	}
	for _, v := range x {
		s0 += float64(v)
	}
	return s0 + s1 + s2 + s3
}

// moments returns the sums of x - origin and of its square.
func moments(x []float32, origin float32) (sum, square float64) {
	var s0, s1, s2, s3, q0, q1, q2, q3 float64
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d := float64(x[0]-origin), float64(x[1]-origin), float64(x[2]-origin), float64(x[3]-origin)
		s0 += a
		s1 += b
		s2 += c
		s3 += d
		q0 += float64(a * a)
		q1 += float64(b * b)
		q2 += float64(c * c)
		q3 += float64(d * d)
	}
	for _, v := range x {
		a := float64(v - origin)
		s0 += a
		q0 += float64(a * a)
	}
	return s0 + s1 + s2 + s3, q0 + q1 + q2 + q3
}

// slopes returns the sums of g and of g (x - center).
func slopes(g, x []float32, center float32) (sum, product float64) {
	x = x[:len(g)]
	var s0, s1, s2, s3, p0, p1, p2, p3 float64
	for ; len(g) >= 4 && len(x) >= 4; g, x = g[4:], x[4:] {
		a, b, c, d := float64(g[0]), float64(g[1]), float64(g[2]), float64(g[3])
		s0 += a
		s1 += b
		s2 += c
		s3 += d
		p0 += float64(a * float64(x[0]-center))
		p1 += float64(b * float64(x[1]-center))
		p2 += float64(c * float64(x[2]-center))
		p3 += float64(d * float64(x[3]-center))
	}
	for i, v := range g {
		s0 += float64(v)
		p0 += float64(float64(v) * float64(x[i]-center))
	}
	return s0 + s1 + s2 + s3, p0 + p1 + p2 + p3
}
