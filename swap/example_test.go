package swap_test

import (
	"fmt"
	"math/rand/v2"

	"swapmc/swap"
)

// A protocol on the weights of one's own trainer: bind it once, and step it
// after each update.
func Example() {
	weights := []float32{0.3, -0.1, 0.2, 0.0, 0.5, -0.4} // a layer of two units with three inputs
	gradient := make([]float32, len(weights))

	p, err := swap.Parse("weights:1SS n=all guide=gradient accept=greedy")
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := swap.New(p, []swap.Block{{Name: "fc", Rows: 2, Cols: 3, Data: weights, Grad: gradient}}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	for iteration := range 20 {
		// ... forward, backward and the optimiser's update go here ...
		copy(gradient, []float32{1, -1, 0, 0.5, -2, 3})
		m.Step(iteration, nil)
	}
	fmt.Println(weights) // -0.1 and 0 have changed places: the loss falls by (0.5 + 1) 0.1
	// Output: [0.3 0 0.2 -0.1 0.5 -0.4]
}

func ExampleParse() {
	_, err := swap.Parse("features:1XA")
	fmt.Println(err)
	// Output: features:1XA: 'X' at 2: want 1, S or A
}

func ExampleDescribe() {
	for _, code := range swap.Codes(swap.Biases) {
		fmt.Printf("biases:%s  %s\n", code, swap.Describe(swap.Biases, code))
	}
	// Output:
	// biases:1S  two units exchanged, in one layer
	// biases:S1  two layers exchanged, in one unit
	// biases:SS  two (layer, unit) pairs exchanged
	// biases:SA  two layers exchanged, in all units
	// biases:AS  two units exchanged, in all layers
}
