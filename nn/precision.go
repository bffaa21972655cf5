package nn

import (
	"fmt"

	"swapmc/internal/spelling"
)

// Precision says in which numbers the products of a network are made. Weights, activations, gradients, sums and the optimiser are
// float32 in either.
type Precision int

// With BF16, a convolution rounds its inputs, its weights and the gradient of its outputs to bfloat16, which has 8 bits
// of precision, where they are multiplied, and sums the products in float32 (Kalamkar et al., arXiv:1905.12322), if its numbers
// of channels are multiples of 16 and a line of its outputs has an even number of pixels. Other layers stay with float32.
const (
	Float32 Precision = iota
	BF16
)

var precisionNames = []string{"float32", "bf16"}

func (p Precision) String() string {
	if p < 0 || int(p) >= len(precisionNames) {
		return fmt.Sprintf("Precision(%d)", int(p))
	}
	return precisionNames[p]
}

// ParsePrecision reads float32 (also "") or bf16.
func ParsePrecision(name string) (Precision, error) {
	if name == "" {
		return Float32, nil
	}
	for i, n := range precisionNames {
		if n == name {
			return Precision(i), nil
		}
	}
	return 0, fmt.Errorf("precision %q%s: want float32 or bf16", name, spelling.Hint(name, precisionNames))
}
