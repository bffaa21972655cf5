package kernel

import (
	"fmt"
	"os"
	"strings"
)

// implementation is one set of kernels.
type implementation struct {
	name    string
	widths  []width                                                  // of the micro-kernels, the widest first
	square  *width                                                   // or nil: of a tile as high as wide, for products of columns that it divides
	packed  int                                                      // rows of A that Gemm packs at a time, whole tiles: what L2 has room for
	strips  stripKernels                                             // none: products with all zeros
	compare func(wa, ga, wb, gb *float32, n int, window float32) int // nil: Go
	lanes   int                                                      // of compare
	pixels  []pixelLoops                                             // of the most lanes first
	vector  bool                                                     // the other loops in AVX2
	pairs   pairKernels
	wide    bool                                                                                                              // transforms in AVX-512
	bfloat  func(blocks Blocks, n int, a []BFloat, w Windows, b []BFloat, bs RowPairs, c []float32, ldc int, accumulate bool) // nil: Go
}

var goKernels = implementation{name: "go", packed: mc, widths: []width{goWidth()}}

// active is chosen once, when the program starts: the widest that the CPU has, or
// what the environment variable SWAPMC_KERNEL names.
var active, activeErr = choose(os.Getenv("SWAPMC_KERNEL"))

func choose(name string) (implementation, error) {
	have := append(available(), goKernels)
	if name == "" {
		return have[0], nil
	}
	var names []string
	for _, k := range have {
		if k.name == name {
			return k, nil
		}
		names = append(names, k.name)
	}
	return have[0], fmt.Errorf("SWAPMC_KERNEL=%s: this machine has %s", name, strings.Join(names, ", "))
}

// Name returns the kernels in use: go, avx2, avx512, amx (AVX-512, with tiles for [MulBFloat]) or neon.
func Name() string { return active.name }

// Check reports a value of SWAPMC_KERNEL that this machine cannot honour.
func Check() error { return activeErr }
