package draw

import (
	"fmt"

	"swapmc/swap"
)

// A block is one example image, layer or system.
type block struct {
	name       string
	rows, cols int
	first      int // number of its first cell
}

// cell returns the number of a cell.
func (b block) cell(row, col int) int { return b.first + row*b.cols + col }

// Sides of the example images, in pixels and channels.
const (
	pixels   = 5
	channels = 3
)

// example returns blocks on which every code of a target can act: where layers
// differ in size, some two agree in rows, some in columns and some in both.
func example(t swap.Target) []block {
	var sizes [][2]int
	name := "layer"
	switch t {
	case swap.Features:
		name = "image"
		sizes = [][2]int{{channels, pixels * pixels}, {channels, pixels * pixels}, {channels, pixels * pixels}}
	case swap.Weights:
		sizes = [][2]int{{5, 3}, {5, 4}, {3, 4}, {5, 4}}
	case swap.Biases:
		sizes = [][2]int{{1, 4}, {1, 6}, {1, 6}, {1, 3}}
	case swap.Params:
		sizes = [][2]int{{1, 10}, {1, 14}, {1, 14}, {1, 8}}
	case swap.Diameters, swap.Lengths:
		name = "system"
		sizes = [][2]int{{1, particleRows * particleCols}}
	}
	var blocks []block
	n := 0
	for i, s := range sizes {
		blocks = append(blocks, block{fmt.Sprintf("%s %d", name, i+1), s[0], s[1], n})
		n += s[0] * s[1]
	}
	return blocks
}

// biasesOf is the number of biases at the end of each example block of params.
var biasesOf = []int{2, 3, 3, 2}

// Particles lie on a lattice of these sides.
const (
	particleRows = 3
	particleCols = 5
)

// scale holds the relative diameters of particles and lengths of spins, all
// different, in the order of the lattice.
var scale = [particleRows * particleCols]float64{
	0.62, 0.95, 0.44, 0.78, 0.55,
	0.88, 0.50, 1.00, 0.38, 0.72,
	0.47, 0.67, 0.83, 0.58, 0.92,
}

// jitter holds displacements of the particles and, times pi, directions of the
// spins: a disordered look that is the same in every picture.
var jitter = [particleRows * particleCols][2]float64{
	{0.31, -0.62}, {-0.80, 0.25}, {0.55, 0.71}, {-0.24, -0.90}, {0.93, 0.12},
	{-0.47, 0.84}, {0.08, -0.33}, {0.76, -0.51}, {-0.95, 0.60}, {0.20, 0.97},
	{0.66, 0.40}, {-0.38, -0.74}, {-0.12, 0.18}, {0.87, -0.85}, {-0.69, 0.05},
}

// icons are the example images: white and black pixels, so that an image is
// recognised wherever its channels go.
var icons = [...][pixels]string{
	{
		".#.#.",
		"#####",
		"#####",
		".###.",
		"..#..",
	}, {
		".###.",
		"#...#",
		"#...#",
		"#...#",
		".###.",
	}, {
		"#...#",
		".#.#.",
		"..#..",
		".#.#.",
		"#...#",
	},
}

// lit tells whether cell k of the example images is part of the icon.
func lit(k int) bool {
	image := k / (channels * pixels * pixels)
	pixel := k % (pixels * pixels)
	return icons[image][pixel/pixels][pixel%pixels] == '#'
}
