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
		origin := b.line(b.x, 0, c)[0] // any value near the mean keeps the digits
		for i := range b.batch {
			s, q := moments(b.line(b.x, i, c), origin)
			sum += s
			square += q
		}
		mean = float64(origin) + sum/n
		square = max(square-float64(sum*sum)/n, 0)
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
		x := b.line(b.x, i, c)
		y := b.line(b.y, i, c)[:len(x)]
		for p, v := range x {
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
		s, p := slopes(b.line(b.dy, i, c), b.line(b.x, i, c), center)
		sum += s
		product += p
	}
	product *= float64(inverse)
	b.dgamma[c], b.dbeta[c] = float32(product), float32(sum)
	n := float64(b.batch * b.in.plane())
	scale := b.gamma[c] * inverse
	mean, slope := float32(sum/n), inverse*float32(product/n)
	for i := range b.batch {
		dy := b.line(b.dy, i, c)
		dx, x := b.line(b.dx, i, c)[:len(dy)], b.line(b.x, i, c)[:len(dy)]
		for p, g := range dy {
			dx[p] = scale * (g - mean - float32((x[p]-center)*slope))
		}
	}
}
