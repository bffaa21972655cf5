package nn

import (
	"math"

	"swapmc/internal/kernel"
)

const (
	normEpsilon  = 1e-5 // PyTorch's
	normMomentum = 0.1  // of the running statistics
)

// batchNorm gives each channel mean beta and standard deviation gamma over batch
// and plane (Ioffe and Szegedy 2015). The running variance is the unbiased one,
// as in PyTorch. It may add another field, as a residual block does, and rectify.
//
// It is two layers, observe and apply, with a meeting of all threads between them in
// which settle turns the sums of all groups into what the other half needs.
type batchNorm struct {
	*engine
	x, y           *field
	residual       *field // nil: none
	relu           bool
	passed         bool // the convolution before calls moments and combine
	read           bool // the convolution behind calls outputs, which are not stored
	gamma, beta    []float32
	dgamma, dbeta  []float32
	mean, variance []float32 // running

	sum, product [][]float64  // of each group: of x and x^2, then of dy and dy x
	center       []float32    // of the last forward: mean
	inverse      []float64    // and 1/sqrt(variance + epsilon)
	scale, shift []float32    // y = scale x + shift
	slope        [3][]float32 // dx = slope[0] dy + slope[1] x + slope[2]
}

func newBatchNorm(b batchNorm) *batchNorm {
	n := b.x.C
	for range b.groups {
		b.sum, b.product = append(b.sum, make([]float64, n)), append(b.product, make([]float64, n))
	}
	b.center, b.inverse = make([]float32, n), make([]float64, n)
	b.scale, b.shift = make([]float32, n), make([]float32, n)
	for i := range b.slope {
		b.slope[i] = make([]float32, n)
	}
	return &b
}

// observe is the layer before the meeting.
type observe struct{ *batchNorm }

func (b observe) forward(s span) {
	if b.passed {
		return
	}
	for i := s.lo; i < s.hi; i++ {
		b.moments(s, i, 0, b.x.H)
	}
}

func (b observe) backward(s span) {
	if b.passed {
		return
	}
	for i := s.lo; i < s.hi; i++ {
		b.combine(b.x.lines(b.x.grad, i, 0), i, 0, b.x.H)
	}
}

// moments adds those of n lines of the inputs. All lines of a span come in order.
func (b *batchNorm) moments(s span, image, row, n int) {
	if b.mode == inference {
		return
	}
	if image == s.lo && row == 0 {
		b.begin(s)
	}
	for end, most := row+n, b.x.summed(); row < end; row += most {
		kernel.Moments(b.sum[s.group], b.product[s.group], b.x.lines(b.x.data, image, row), min(most, end-row), b.x.W, b.mean) // the running mean is near this one
	}
}

// combine sets n lines of the gradient of the inputs: with xhat = (x - mean)/sigma and n
// values in the channel,
//
//	dx = gamma/sigma (dy - sum(dy)/n - xhat sum(dy xhat)/n).
func (b *batchNorm) combine(dx kernel.Lines, image, row, n int) {
	kernel.Combine(dx, b.y.lines(b.y.grad, image, row), b.x.lines(b.x.data, image, row), n, b.x.W, b.slope[0], b.slope[1], b.slope[2])
}

// begin clears the sums of a group.
func (b *batchNorm) begin(s span) {
	if s.first {
		clear(b.sum[s.group])
		clear(b.product[s.group])
	}
}

// apply is the layer behind the meeting.
type apply struct{ *batchNorm }

func (b apply) forward(s span) {
	if b.read {
		return
	}
	for i := s.lo; i < s.hi; i++ {
		b.outputs(b.y.lines(b.y.data, i, 0), i, 0, b.x.H)
	}
}

func (b apply) backward(s span) {
	b.begin(s)
	for i := s.lo; i < s.hi; i++ {
		for row, most := 0, b.x.summed(); row < b.x.H; row += most {
			n := min(most, b.x.H-row)
			dy, x := b.y.lines(b.y.grad, i, row), b.x.lines(b.x.data, i, row)
			if b.read {
				kernel.SlopesNormalized(b.sum[s.group], b.product[s.group], dy, x, n, b.x.W, b.scale, b.shift, b.center)
				continue
			}
			var y kernel.Lines
			if b.relu {
				y = b.y.lines(b.y.data, i, row)
			}
			kernel.Slopes(b.sum[s.group], b.product[s.group], dy, y, x, n, b.x.W, b.center)
		}
	}
}

func (b apply) passes(backward bool, through func([]float32, *field)) {
	if b.read {
		return // the convolution does, if its products fetch
	}
	through(b.x.data, b.x)
	if backward {
		through(b.y.grad, b.y)
		through(b.y.data, b.y)
		return
	}
	if b.residual != nil {
		through(b.residual.data, b.residual)
	}
	through(b.y.data, b.y)
}

// outputs sets y to n lines of the outputs.
func (b *batchNorm) outputs(y kernel.Lines, image, row, n int) {
	var r kernel.Lines
	if b.residual != nil {
		r = b.residual.lines(b.residual.data, image, row)
	}
	kernel.Normalize(y, b.x.lines(b.x.data, image, row), r, n, b.x.W, b.scale, b.shift, b.relu)
}

// totals adds up a channel's sums of all groups.
func (b *batchNorm) totals(c int) (sum, product float64) {
	for g := range b.groups {
		if lo, hi := part(g, b.groups, b.batch); lo < hi {
			sum += b.sum[g][c]
			product += b.product[g][c]
		}
	}
	return sum, product
}

func (b *batchNorm) settle() {
	n := float64(b.batch * b.x.plane())
	for c := range b.scale {
		mean, variance := float64(b.mean[c]), float64(b.variance[c])
		if b.mode != inference {
			sum, square := b.totals(c)
			mean = float64(b.mean[c]) + sum/n
			square = max(square-float64(sum*sum)/n, 0)
			variance = square / n
			if b.mode == training {
				b.mean[c] += normMomentum * (float32(mean) - b.mean[c])
				b.variance[c] += normMomentum * (float32(square/max(n-1, 1)) - b.variance[c])
			}
		}
		b.inverse[c] = 1 / math.Sqrt(variance+normEpsilon)
		b.center[c] = float32(mean)
		scale := float64(b.gamma[c]) * b.inverse[c]
		b.scale[c], b.shift[c] = float32(scale), float32(float64(b.beta[c])-mean*scale)
	}
}

func (b *batchNorm) settleGradient() {
	n := float64(b.batch * b.x.plane())
	for c := range b.scale {
		sum, product := b.totals(c)
		inverse := b.inverse[c]
		product *= inverse
		b.dgamma[c], b.dbeta[c] = float32(product), float32(sum)
		scale := float64(b.gamma[c]) * inverse
		slope := scale * inverse * product / n
		b.slope[0][c], b.slope[1][c] = float32(scale), float32(-slope)
		b.slope[2][c] = float32(slope*float64(b.center[c]) - scale*sum/n)
	}
}

// meeting is the stage between the two halves of batch normalisations.
type meeting []*batchNorm

func (m meeting) forward() {
	for _, b := range m {
		b.settle()
	}
}

func (m meeting) backward() {
	for _, b := range m {
		b.settleGradient()
	}
}
