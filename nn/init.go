package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"swapmc/internal/spelling"
)

// initialise draws the weights and biases of one layer.
func initialise(scheme string, w, b []float32, l Layer, r *rand.Rand) error {
	fanIn := float64(l.Cols)
	fanOut := float64(l.Rows)
	if len(l.shape) == 4 {
		fanOut *= float64(l.shape[2] * l.shape[3])
	}
	uniform := func(x []float32, bound float64) {
		for i := range x {
			x[i] = float32((2*r.Float64() - 1) * bound)
		}
	}
	switch scheme {
	case "", "pytorch":
		uniform(w, 1/math.Sqrt(fanIn))
		uniform(b, 1/math.Sqrt(fanIn))
	case "he":
		for i := range w {
			w[i] = float32(r.NormFloat64() * math.Sqrt(2/fanIn))
		}
		clear(b)
	case "xavier":
		uniform(w, math.Sqrt(6/(fanIn+fanOut)))
		clear(b)
	default:
		return fmt.Errorf("init %q%s: want pytorch, he or xavier", scheme, spelling.Hint(scheme, []string{"pytorch", "he", "xavier"}))
	}
	return nil
}
