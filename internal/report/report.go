// Package report turns comparisons into what people look at: the figure, the
// table, CSV and Markdown.
package report

import (
	"gonum.org/v1/gonum/stat"

	"swapmc/speedup"
)

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

// A Band is a mean over the seeds, and one standard error below and above it.
type Band struct{ Mean, Low, High []float64 }

// NewBand averages curves of one length.
func NewBand(curves [][]float64) Band {
	var b Band
	if len(curves) == 0 {
		return b
	}
	column := make([]float64, len(curves))
	for k := range curves[0] {
		for i, c := range curves {
			column[i] = c[k]
		}
		mean, deviation := stat.MeanStdDev(column, nil)
		e := stat.StdErr(deviation, float64(len(column)))
		if len(column) == 1 {
			e = 0
		}
		b.Mean, b.Low, b.High = append(b.Mean, mean), append(b.Low, mean-e), append(b.High, mean+e)
	}
	return b
}
