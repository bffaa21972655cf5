package nn

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"swapmc/internal/kernel"
)

// BenchmarkStep is one training iteration, forward, backward and update, as
// PyTorch's throughput is usually given.
func BenchmarkStep(b *testing.B) {
	for _, name := range References() {
		for _, batch := range []int{32, 128} {
			for i := range 4 {
				threads, precision := 1+i%2, Precision(i/2)
				b.Run(fmt.Sprintf("%s/B%d/T%d/%v", name, batch, threads, precision), func(b *testing.B) {
					if err := kernel.BFloats(); precision == BF16 && err != nil {
						b.Skip(err)
					}
					spec, err := Parse(name)
					if err != nil {
						b.Fatal(err)
					}
					n, err := New(spec, Options{Input: Shape{3, 32, 32}, Classes: 10, Batch: batch, Threads: threads, Precision: precision})
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

// BenchmarkUpdate is the update of all parameters of lenet, which stay in L2, and of cnn,
// which do not.
func BenchmarkUpdate(b *testing.B) {
	for _, o := range []Optimizer{{Name: "sgd"}, {Name: "sgd", Momentum: 0.9}, {Name: "sgd", Sign: 1e-4}, {Name: "sgd", Momentum: 0.9, Sign: 1e-4}, {Name: "signum"}, {Name: "adam"}, {Name: "adamw"}} {
		for _, n := range []int{62006, 2168362} {
			o.LR = 1e-3
			name := o.Name
			if o.Momentum > 0 {
				name += "+momentum"
			}
			if o.Sign > 0 {
				name += "+sign"
			}
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				u, err := o.New(n)
				if err != nil {
					b.Fatal(err)
				}
				r := rand.New(rand.NewPCG(1, 2))
				w, g := kernel.Make(n), kernel.Make(n) // as a network has them
				for i := range w {
					w[i], g[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
				}
				b.SetBytes(4 * int64(n))
				for b.Loop() {
					u.Update(w, g, o.LR, nil)
				}
			})
		}
	}
}

// BenchmarkActivation is a pass forward and back through 512 units on a batch of 32.
func BenchmarkActivation(b *testing.B) {
	for _, kind := range []string{"relu", "sigmoid", "tanh"} {
		b.Run(kind, func(b *testing.B) {
			x := newField(Shape{512, 1, 1}, 0, 32)
			y := newField(Shape{512, 1, 1}, 0, 32)
			r := rand.New(rand.NewPCG(1, 2))
			for i := range x.data {
				x.data[i], y.grad[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
			}
			a := newActivation(kind, x, y)
			b.SetBytes(4 * 512 * 32)
			for b.Loop() {
				a.forward(span{hi: 32})
				a.backward(span{hi: 32})
			}
		})
	}
}
