package nn

import "swapmc/internal/kernel"

// Shape is the size of one image, or of the activations of one: channels,
// height, width. Units without a plane have H = W = 1.
type Shape struct{ C, H, W int }

// Len returns the number of values.
func (s Shape) Len() int { return s.C * s.H * s.W }

func (s Shape) plane() int { return s.H * s.W }

// A layer maps a batch of activations to the next. The slices it returns are
// its own and stay valid until its next call.
type layer interface {
	// forward returns the outputs for batch inputs x, and remembers what backward
	// needs.
	forward(x []float32, batch int, mode mode) []float32
	// backward takes the gradient with respect to the outputs of the last
	// forward, fills the gradients of the layer's parameters, and returns the
	// gradient with respect to the inputs, or nil where no layer before needs it.
	backward(dy []float32, batch int) []float32
}

// mode says what a forward pass is for.
type mode int

const (
	training  mode = iota // batch statistics, which move the running ones
	probing               // batch statistics, nothing moves
	inference             // running statistics
)

// engine is what the layers of a network share: threads and their scratch.
type engine struct {
	pool *kernel.Pool
	work []kernel.Workspace // one a thread
}

func newEngine(threads int) *engine {
	p := kernel.NewPool(threads)
	return &engine{pool: p, work: make([]kernel.Workspace, p.Threads())}
}

// part returns the bounds of part i of n of a range.
func part(i, n, length int) (lo, hi int) { return i * length / n, (i + 1) * length / n }
