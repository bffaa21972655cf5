// Package swap is the language of swap Monte Carlo: it says what is exchanged,
// how many times, when, and whether an exchange is kept, and does it.
//
// Swap Monte Carlo of glasses exchanges the diameters of two particles
// (Grigera and Parisi, Phys. Rev. E 63, 045102, 2001; Ninarello, Berthier and
// Coslovich, Phys. Rev. X 7, 021039, 2017). The same move is defined here on any
// set of numbers that can be laid out as a list of matrices, the [Block]s:
//
//	          target     a block is           rows            columns
//	features  an image   of the batch         channels        pixels
//	weights   a layer    of a network         output units    inputs
//	biases    a layer                                         units
//	params    a layer    weights and biases                   entries
//	diameters a system   of particles                         particles
//	lengths   a system   of spins                             spins
//
// A [Protocol] is written as a target, a code and options:
//
//	features:1SA                                one image, two channels, all pixels
//	weights:1SS n=10 accept=metropolis T=1e-4   one layer, ten pairs of weights
//
// The code has one letter for each axis of the target. 1 is one index drawn at
// random, S two different indices that are exchanged, A all indices:
//
//	1SA on (image, channel, pixel)        before         after
//	                              a:  ■ ■ ■ ■ ■ ■   □ □ □ □ □ □
//	  image 3, channels a and b       · · · · · ·   · · · · · ·
//	                              b:  □ □ □ □ □ □   ■ ■ ■ ■ ■ ■
//
// With several S the two corner blocks change places: 1SS exchanges the pixel
// (channel a, pixel p) with the pixel (channel b, pixel q).
//
// [Parse] reads a protocol, [New] binds it to blocks and a random stream, and
// [Mover.Step] makes the swaps of one iteration:
//
//	p, err := swap.Parse("weights:1SS each n=all guide=momentum window=0.01 accept=greedy")
//	m, err := swap.New(p, blocks, rand.New(rand.NewPCG(1, 2)))
//	m.Step(iteration, nil) // after each update of the optimiser
package swap
