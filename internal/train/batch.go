package train

import (
	"strconv"

	"swapmc/internal/rng"
)

// nextBatch sets index to the images of this iteration. Each epoch has its own
// random order, a function of seed and epoch alone; the images left over at the
// end of an epoch, fewer than a batch, are skipped.
func (r *Run) nextBatch() {
	batches := len(r.order) / r.cfg.Batch
	if epoch := r.iteration / batches; epoch != r.epoch {
		r.epoch = epoch
		shuffle(r.order, rng.New(r.cfg.Seed, "order/"+strconv.Itoa(epoch)))
	}
	copy(r.index, r.order[r.iteration%batches*r.cfg.Batch:])
}

// load makes the images of that index the batch.
func (r *Run) load(index []int) {
	r.data.Batch(r.images, &r.data.Train, index)
	for k, i := range index {
		r.labels[k] = r.data.Train.Labels[i]
	}
	if r.kept != nil {
		r.kept.load(index, r.images)
	}
}

// subset returns n of total indices, all if n is 0 or too large, the same
// whatever the run's seed.
func subset(name string, total, n int) []int {
	order := make([]int, total)
	shuffle(order, rng.New(0, name))
	if n > 0 && n < total {
		order = order[:n]
	}
	return order
}

// shuffle fills order with a random permutation.
func shuffle(order []int, stream *rng.Stream) {
	for i := range order {
		order[i] = i
	}
	stream.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
}

// kept holds the training images that protocols with keep=true have changed.
type kept struct {
	pixels  int
	images  []float32 // as large as the training set; meaningful where changed
	changed []bool
}

func newKept(n, pixels int) *kept {
	return &kept{pixels: pixels, images: make([]float32, n*pixels), changed: make([]bool, n)}
}

func (k *kept) at(i int) []float32 { return k.images[i*k.pixels:][:k.pixels] }

// store puts the images of a batch back into the data set.
func (k *kept) store(index []int, batch []float32) {
	for b, i := range index {
		copy(k.at(i), batch[b*k.pixels:][:k.pixels])
		k.changed[i] = true
	}
}

// load replaces those images of a batch that have been changed.
func (k *kept) load(index []int, batch []float32) {
	for b, i := range index {
		if k.changed[i] {
			copy(batch[b*k.pixels:][:k.pixels], k.at(i))
		}
	}
}
