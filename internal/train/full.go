package train

// fullGradient takes the gradient of the loss over the whole training set, as
// the mean over parts of the size of a batch, and returns that loss. The energy
// of a swap of parameters is the loss over the whole set, too.
func (r *Run) fullGradient() float64 {
	r.swap(r.free, r.losses.all)
	return r.sumGradient(func() float64 {
		r.swapFeatures()
		return r.network.Step(r.images, r.labels)
	})
}

// sumGradient takes the mean of the losses and gradients that step gives for each
// part of the training set.
func (r *Run) sumGradient(step func() float64) float64 {
	clear(r.sum)
	grads := r.network.Grads()
	var loss float64
	r.parts(func(share float64) {
		loss += share * step()
		for k, g := range grads {
			r.sum[k] += float32(share) * g
		}
	})
	copy(grads, r.sum)
	return loss
}

// fullLoss returns the loss over the whole training set.
func (r *Run) fullLoss() float64 {
	var loss float64
	r.parts(func(share float64) { loss += share * r.network.Loss(r.images, r.labels) })
	return loss
}

// parts goes through the training set in its own order, loads each part in turn
// and calls f with the part's share of the whole. Images left over, fewer than a
// batch, are skipped.
func (r *Run) parts(f func(share float64)) {
	n := r.data.Train.Len() / r.cfg.Batch
	for part := range n {
		for k := range r.index {
			r.index[k] = part*r.cfg.Batch + k
		}
		r.load(r.index)
		f(1 / float64(n))
	}
}
