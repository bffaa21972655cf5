package nn

import "math"

const (
	normEpsilon  = 1e-5 // PyTorch's
	normMomentum = 0.1  // of the running statistics
)

// batchNorm gives each channel mean beta and standard deviation gamma over batch
// and plane (Ioffe and Szegedy 2015). The running variance is the unbiased one,
// as in PyTorch.
type batchNorm struct {
	*engine
	in             Shape
	gamma, beta    []float32
	dgamma, dbeta  []float32
	mean, variance []float32 // running
	y, dx          []float32

	center, inverse       []float32 // of the last forward: mean, 1/sqrt(variance + epsilon)
	x, dy                 []float32
	batch                 int
	mode                  mode
	channel, channelAgain func(c, worker int)
}

func newBatchNorm(e *engine, in Shape, batch int, gamma, beta, dgamma, dbeta, mean, variance []float32) *batchNorm {
	n := batch * in.Len()
	b := &batchNorm{engine: e, in: in, gamma: gamma, beta: beta, dgamma: dgamma, dbeta: dbeta, mean: mean, variance: variance,
		y: make([]float32, n), dx: make([]float32, n), center: make([]float32, in.C), inverse: make([]float32, in.C)}
	b.channel, b.channelAgain = b.forwardChannel, b.backwardChannel
	return b
}

func (b *batchNorm) forward(x []float32, batch int, mode mode) []float32 {
	b.x, b.batch, b.mode = x, batch, mode
	b.pool.Run(b.in.C, b.channel)
	return b.y[:batch*b.in.Len()]
}

// line returns the plane of one image and channel.
func (b *batchNorm) line(x []float32, image, c int) []float32 {
	n := b.in.plane()
	return x[(image*b.in.C+c)*n:][:n]
}

func (b *batchNorm) forwardChannel(c, _ int) {
	mean, variance := float64(b.mean[c]), float64(b.variance[c])
	if b.mode != inference {
		n := float64(b.batch * b.in.plane())
		var sum, square float64
		for i := range b.batch {
			sum += total(b.line(b.x, i, c))
		}
		mean = sum / n
		for i := range b.batch {
			square += spread(b.line(b.x, i, c), float32(mean))
		}
		variance = square / n
		if b.mode == training {
			b.mean[c] += normMomentum * (float32(mean) - b.mean[c])
			b.variance[c] += normMomentum * (float32(square/max(n-1, 1)) - b.variance[c])
		}
	}
	b.center[c], b.inverse[c] = float32(mean), float32(1/math.Sqrt(variance+normEpsilon))
	scale := b.gamma[c] * b.inverse[c]
	shift, center := b.beta[c], b.center[c]
	for i := range b.batch {
		y := b.line(b.y, i, c)
		for p, v := range b.line(b.x, i, c) {
			y[p] = float32((v-center)*scale) + shift
		}
	}
}

func (b *batchNorm) backward(dy []float32, batch int) []float32 {
	b.dy, b.batch = dy, batch
	b.pool.Run(b.in.C, b.channelAgain)
	return b.dx[:batch*b.in.Len()]
}

// backwardChannel: with xhat = (x - mean)/sigma and n values in the channel,
//
//	dx = gamma/sigma (dy - sum(dy)/n - xhat sum(dy xhat)/n).
func (b *batchNorm) backwardChannel(c, _ int) {
	center, inverse := b.center[c], b.inverse[c]
	var sum, product float64
	for i := range b.batch {
		dy := b.line(b.dy, i, c)
		sum += total(dy)
		product += dot(dy, b.line(b.x, i, c), center)
	}
	product *= float64(inverse)
	b.dgamma[c], b.dbeta[c] = float32(product), float32(sum)
	n := float64(b.batch * b.in.plane())
	scale := b.gamma[c] * inverse
	mean, slope := float32(sum/n), inverse*float32(product/n)
	for i := range b.batch {
		dx, x := b.line(b.dx, i, c), b.line(b.x, i, c)
		for p, g := range b.line(b.dy, i, c) {
			dx[p] = scale * (g - mean - float32((x[p]-center)*slope))
		}
	}
}

// The sums below run in four lanes: the order is fixed, and no addition waits
// for the one before.

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

func spread(x []float32, center float32) float64 {
	var s0, s1, s2, s3 float64
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d := float64(x[0]-center), float64(x[1]-center), float64(x[2]-center), float64(x[3]-center)
		s0 += float64(a * a)
		s1 += float64(b * b)
		s2 += float64(c * c)
		s3 += float64(d * d)
	}
	for _, v := range x {
		a := float64(v - center)
		s0 += float64(a * a)
	}
	return s0 + s1 + s2 + s3
}

func dot(g, x []float32, center float32) float64 {
	x = x[:len(g)]
	var s0, s1, s2, s3 float64
	for ; len(g) >= 4 && len(x) >= 4; g, x = g[4:], x[4:] {
		s0 += float64(float64(g[0]) * float64(x[0]-center))
		s1 += float64(float64(g[1]) * float64(x[1]-center))
		s2 += float64(float64(g[2]) * float64(x[2]-center))
		s3 += float64(float64(g[3]) * float64(x[3]-center))
	}
	for i, v := range g {
		s0 += float64(float64(v) * float64(x[i]-center))
	}
	return s0 + s1 + s2 + s3
}
