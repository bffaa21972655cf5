package nn

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkStep is one training iteration, forward, backward and update, as
// PyTorch's throughput is usually given.
func BenchmarkStep(b *testing.B) {
	for _, name := range References() {
		for _, batch := range []int{32, 128} {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/B%d/T%d", name, batch, threads), func(b *testing.B) {
					spec, err := Parse(name)
					if err != nil {
						b.Fatal(err)
					}
					n, err := New(spec, Options{Input: Shape{3, 32, 32}, Classes: 10, Batch: batch, Threads: threads})
					if err != nil {
						b.Fatal(err)
					}
					defer n.Close()
					r := rand.New(rand.NewPCG(1, 2))
					if err := n.Init("", r); err != nil {
						b.Fatal(err)
					}
					opt, err := Optimizer{Name: "sgd", LR: 0.01, Momentum: 0.9}.New(len(n.Params()))
					if err != nil {
						b.Fatal(err)
					}
					x, labels := make([]float32, batch*3*32*32), make([]uint8, batch)
					for i := range x {
						x[i] = float32(r.NormFloat64())
					}
					for i := range labels {
						labels[i] = uint8(r.IntN(10))
					}
					for b.Loop() {
						n.Train(x, labels, opt, 0.01, nil)
					}
					b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "images/s")
				})
			}
		}
	}
}
