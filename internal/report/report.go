// Package report turns comparisons into what people look at: the figure, the
// table, CSV and Markdown.
package report

import "swapmc/speedup"

// Data is what a report shows.
type Data struct {
	speedup.Comparison
	Arms []Arm // the baseline first, then one for each protocol, in the Comparison's order
}

// An Arm is the mean course of the runs of one protocol over its seeds, at the
// iterations X that all of them have measured.
type Arm struct {
	Text     string
	X        []float64
	Loss     Band // clean training loss
	Accuracy Band // on the test set, in [0, 1]
}

// A Band is a mean with the range over the seeds.
type Band struct{ Mean, Low, High []float64 }

// NewBand averages curves of one length.
func NewBand(curves [][]float64) Band {
	var b Band
	if len(curves) == 0 {
		return b
	}
	for k := range curves[0] {
		low, high, sum := curves[0][k], curves[0][k], 0.0
		for _, c := range curves {
			low, high, sum = min(low, c[k]), max(high, c[k]), sum+c[k]
		}
		b.Mean, b.Low, b.High = append(b.Mean, sum/float64(len(curves))), append(b.Low, low), append(b.High, high)
	}
	return b
}
