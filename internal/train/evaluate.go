package train

import "swapmc/dataset"

// Evaluate measures the network on the clean subsets. It draws no random number
// and leaves the run as it was.
func (r *Run) Evaluate() Point {
	p := Point{
		Iteration:    r.iteration,
		Seconds:      r.elapsed.Seconds(),
		LearningRate: r.learningRate(),
	}
	p.TrainLoss, p.TrainAccuracy = r.evaluate(&r.data.Train, r.measure.train)
	p.TestLoss, p.TestAccuracy = r.evaluate(&r.data.Test, r.measure.test)
	for _, protocol := range r.protocols {
		p.Proposed += protocol.proposed
		p.Accepted += protocol.accepted
	}
	return p
}

// evaluate returns mean loss and accuracy over the images of that index.
func (r *Run) evaluate(split *dataset.Split, index []int) (loss, accuracy float64) {
	correct := 0
	for start := 0; start < len(index); start += r.cfg.Batch {
		part := index[start:min(start+r.cfg.Batch, len(index))]
		r.data.Batch(r.images, split, part)
		for k, i := range part {
			r.labels[k] = split.Labels[i]
		}
		l, c := r.network.Evaluate(r.images[:len(part)*r.pixels()], r.labels[:len(part)])
		loss += l
		correct += c
	}
	n := float64(len(index))
	return loss / n, float64(correct) / n
}
