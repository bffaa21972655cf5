package nn

import (
	"slices"

	"swapmc/internal/kernel"
)

// Shape is the size of one image, or of the activations of one: channels,
// height, width. Units without a plane have H = W = 1.
type Shape struct{ C, H, W int }

// Len returns the number of values.
func (s Shape) Len() int { return s.C * s.H * s.W }

func (s Shape) plane() int { return s.H * s.W }

// A field holds the activations of a batch and their gradient, channels last: image,
// line, pixel, channel. Around each image is a border of zeros, as wide as what reads
// it pads, so that a window is read where it lies.
// The border of the gradient holds rubbish.
type field struct {
	Shape
	border     int
	data, grad []float32
}

// spare entries lie behind the last image: vectors may read beyond it.
const spare = 16

func newField(s Shape, border, batch int) *field {
	f := &field{Shape: s, border: border}
	f.data = kernel.Make(batch*f.size() + spare)
	f.grad = kernel.Make(batch*f.size() + spare)
	return f
}

// row is the distance from a line to the next, size that from an image to the next.
func (f *field) row() int  { return (f.W + 2*f.border) * f.C }
func (f *field) size() int { return (f.H + 2*f.border) * f.row() }

// from returns x, the data or the gradient, from pixel (y, 0) of an image on; y and
// the pixel to the left of it may lie in the border.
func (f *field) from(x []float32, image, y int) []float32 {
	return x[image*f.size()+(y+f.border)*f.row()+f.border*f.C:]
}

// line returns the W x C entries of a line.
func (f *field) line(x []float32, image, y int) []float32 {
	return f.from(x, image, y)[:f.W*f.C]
}

// lines returns the lines of an image from y on.
func (f *field) lines(x []float32, image, y int) kernel.Lines {
	return kernel.Lines{X: f.from(x, image, y), Pitch: f.row()}
}

// summed is how many lines are summed at a time in single precision, before such sums are added up in double: 256 pixels, or
// a line.
func (f *field) summed() int { return max(1, 256/f.W) }

// whole returns an image with its border.
func (f *field) whole(x []float32, image int) []float32 { return x[image*f.size():][:f.size()] }

// groupsOf is the number of groups into which a batch is divided among threads: of four images
// at least, but 8 groups at least and 32 at most. Each sums its own gradients of shared parameters, which are
// then added in order. Since it depends on nothing but the batch that a network is built for, neither do the sums; more
// threads than this do not help a convolution.
func groupsOf(batch int) int {
	n := 8
	for n < 32 && batch >= 8*n {
		n *= 2
	}
	return n
}

// A span is some images of one group, on the thread that works on it. Sums over the
// group begin with its first span, and are complete behind the last.
type span struct {
	group, lo, hi, worker int
	first, last           bool
}

// A layer works on each image by itself.
type layer interface {
	// forward fills the layer's outputs for the images of a span.
	forward(s span)
	// backward turns the gradient of the outputs into that of the inputs, where that
	// is wanted, and sums the gradients of parameters over the span.
	backward(s span)
}

// A stage is a part of the forward and of the backward pass that needs the whole batch.
type stage interface {
	forward()
	backward()
}

// A chain is layers that need nothing from other images: a few images at a time go
// through all of them while their activations are in the cache. Every other chain begins with the images
// that the one before ended with, of which some are in the cache too.
type chain struct {
	*engine
	layers  []layer
	images  int  // at a time
	odd     bool // of the chains: forward it goes from the last images to the first, backward as they come
	ahead   func(group, worker int)
	reverse func(group, worker int)

	fields, fieldsBack []data // that the layers go through, forward and backward
	before, behind     *chain // nil: none
}

// data are the activations of a field or their gradient, so many entries an image.
type data struct {
	x    []float32
	size int
}

// A passer is a layer that says which data it goes through, forward or backward, in that order, so that they
// can be fetched ahead.
type passer interface {
	passes(backward bool, through func(x []float32, f *field))
}

// resident is how many activations a few images may have at most in any one field: what
// reads and writes them finds them in L2.
const resident = 64 << 10

// newChain makes the chain behind another one, or the first; the largest of its fields has so many entries an image.
func newChain(e *engine, layers []layer, largest int, before *chain) *chain {
	c := &chain{engine: e, layers: layers, images: max(1, resident/max(1, largest)), before: before}
	if before != nil {
		before.behind, c.odd = c, !before.odd
	}
	for i, l := range layers {
		c.fields = passed(c.fields, l, false)
		c.fieldsBack = passed(c.fieldsBack, layers[len(layers)-1-i], true)
	}
	c.ahead = func(group, worker int) {
		for s, ok := c.span(group, worker, c.odd); ok; s, ok = c.next(s, c.odd) {
			var then []data
			if c.behind != nil {
				then = c.behind.fields
			}
			c.fetch(s, c.odd, c.fields, then)
			for _, l := range c.layers {
				l.forward(s)
			}
		}
	}
	c.reverse = func(group, worker int) {
		for s, ok := c.span(group, worker, !c.odd); ok; s, ok = c.next(s, !c.odd) {
			var then []data
			if c.before != nil {
				then = c.before.fieldsBack
			}
			c.fetch(s, !c.odd, c.fieldsBack, then)
			for i := len(c.layers) - 1; i >= 0; i-- {
				c.layers[i].backward(s)
			}
		}
	}
	return c
}

// passed adds to a list what a layer goes through and is not there yet.
func passed(list []data, l layer, backward bool) []data {
	if l, ok := l.(passer); ok {
		l.passes(backward, func(x []float32, f *field) {
			if len(x) > 0 && !slices.ContainsFunc(list, func(d data) bool { return &d.x[0] == &x[0] }) {
				list = append(list, data{x, f.size()})
			}
		})
	}
	return list
}

// fetch lets the products for a span fetch what the next one will read and write in these fields; if it is the last, what the
// same images will in those of the chain that then follows.
func (c *chain) fetch(s span, back bool, fields, then []data) {
	a := &c.work[s.worker].ahead
	a.Begin()
	s, more := c.upcoming(s, back)
	if !more {
		fields = then
	}
	for _, d := range fields {
		a.Add(d.x[s.lo*d.size : s.hi*d.size])
	}
}

// upcoming returns the span behind s, or before it, in the thread's own part, or else s.
func (c *chain) upcoming(s span, back bool) (_ span, more bool) {
	if next, ok := c.next(s, back); ok {
		return next, true
	}
	step := 1
	if back {
		step = -1
	}
	threads := min(c.groups, c.pool.Threads())
	for g := s.group + step; g >= s.worker*c.groups/threads && g < (s.worker+1)*c.groups/threads; g += step {
		if next, ok := c.span(g, s.worker, back); ok {
			return next, true
		}
	}
	return s, false
}

// span returns the first span of a group, or the last, if the group has images.
func (c *chain) span(group, worker int, last bool) (span, bool) {
	lo, hi := part(group, c.groups, c.batch)
	n := hi - lo
	size := c.size(n)
	if last {
		return span{group, hi - size, hi, worker, true, size == n}, n > 0
	}
	return span{group, lo, lo + size, worker, true, size == n}, n > 0
}

// next returns the span of the group behind s, or before it.
func (c *chain) next(s span, before bool) (span, bool) {
	lo, hi := part(s.group, c.groups, c.batch)
	size := c.size(hi - lo)
	if before {
		return span{s.group, max(lo, s.lo-size), s.lo, s.worker, false, s.lo-size <= lo}, s.lo > lo
	}
	return span{s.group, s.hi, min(hi, s.hi+size), s.worker, false, s.hi+size >= hi}, s.hi < hi
}

// size divides n images into spans of about equal size.
func (c *chain) size(n int) int {
	parts := (n + c.images - 1) / c.images
	return (n + parts - 1) / max(1, parts)
}

func (c *chain) forward()  { c.run(c.ahead, c.odd) }
func (c *chain) backward() { c.run(c.reverse, !c.odd) }

func (c *chain) run(f func(group, worker int), back bool) {
	if back {
		c.pool.RunBack(c.groups, f)
		return
	}
	c.pool.Run(c.groups, f)
}

// mode says what a forward pass is for.
type mode int

const (
	training  mode = iota // batch statistics, which move the running ones
	probing               // batch statistics, nothing moves
	deriving              // probing, and the way back follows
	inference             // running statistics
)

// engine is what the layers of a network share: threads, their scratch, and the batch
// under way.
type engine struct {
	pool      *kernel.Pool
	groups    int // of images
	parts     int // of what is done for all weights
	capacity  int // the largest batch
	precision Precision
	work      []scratch // one a thread
	need      struct{ strips, lines, product, tiles, outputs, weights, turned, rounded, columns, pairs int }
	mode      mode
	batch     int
	image     []float32 // the batch, as the user gave it

	params  []float32
	updater *Updater // at work on them; nil in a step without update
}

// update lets the optimiser change the parameters that have these gradients.
func (e *engine) update(grads []float32, offset int) {
	if e.updater != nil {
		e.updater.apply(e.params, grads, offset)
	}
}

// scratch is one thread's memory for intermediate values.
type scratch struct {
	ahead   kernel.Ahead
	strips  []float32 // of the inputs of a linear layer,
	held    int       // from this one on
	lines   []float32 // of gradients
	product []float32 // of a line of gradients with the weights; gradients of some units
	tiles   []float32 // Winograd transforms of the inputs or their gradients,
	outputs []float32 // of the outputs or their gradients,
	weights []float32 // and of the gradient of the weights; weights while they are packed

	turned                  []float32       // a gradient as channels x pixels,
	rounded, columns, pairs []kernel.BFloat // rounded: an image, gradients as channels x pixels, and pairs of pixels
	_                       [128]byte       // the next thread's has cache lines of its own
}

// newEngine makes one for so many threads, and a batch of that many images at most.
func newEngine(threads, batch int) *engine {
	p := kernel.NewPool(threads)
	return &engine{pool: p, groups: groupsOf(batch), parts: max(8, 2*p.Threads()), capacity: batch, work: make([]scratch, p.Threads())}
}

// allocate makes the scratch that the layers have asked for.
func (e *engine) allocate() {
	for i := range e.work {
		w := &e.work[i]
		w.strips = kernel.Make(e.need.strips)
		w.lines = make([]float32, e.need.lines)
		w.product = make([]float32, e.need.product)
		w.tiles = make([]float32, e.need.tiles)
		w.outputs = make([]float32, e.need.outputs)
		w.weights = make([]float32, e.need.weights)
		w.turned = make([]float32, e.need.turned)
		w.rounded = make([]kernel.BFloat, e.need.rounded)
		w.columns = make([]kernel.BFloat, e.need.columns)
		w.pairs = make([]kernel.BFloat, e.need.pairs)
	}
}

// part returns the bounds of part i of n of a range.
func part(i, n, length int) (lo, hi int) { return i * length / n, (i + 1) * length / n }
