//go:build !purego

package kernel

import (
	"math"
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:generate sh -c "cd asm && go run . -products -out ../products_amd64.s -stubs ../products_amd64.go -pkg kernel"
//go:generate sh -c "cd asm && go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg kernel"
//go:generate sh -c "cd asm && go run ./bfloat"

// available lists the assembly kernels that this CPU runs, the fastest first.
func available() []implementation {
	var list []implementation
	avx2 := cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasPOPCNT && cpu.X86.HasBMI2
	if avx2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
		wide := implementation{name: "avx512", packed: mc, widths: widths512, square: &square512, strips: strips512, compare: compare512, lanes: 16, pixels: []pixelLoops{pixels512, pixels256}, vector: true, wide: true, pairs: pairKernels{moved256, resized256, movedLennard256, resizedLennard256, prefetch, prefetchEach, within256}}
		if cpu.X86.HasAVX512BF16 {
			wide.bfloat = bfloatByVectors
		}
		if cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16 && permitTiles() {
			tiles := wide
			tiles.name, tiles.bfloat = "amx", bfloatByTiles
			list = append(list, tiles)
		}
		list = append(list, wide)
	}
	if avx2 {
		list = append(list, implementation{name: "avx2", packed: 96, widths: widths256, strips: strips256, compare: compare256, lanes: 8, pixels: []pixelLoops{pixels256}, vector: true, pairs: pairKernels{moved256, resized256, movedLennard256, resizedLennard256, prefetch, prefetchEach, within256}})
	}
	return list
}

var widths512 = []width{
	{cols: 32, lanes: 16, rows: 14, entries: 1,
		rowwise:    [maxRows + 1]rowwise{nil, rowwise512_1x32, rowwise512_2x32, rowwise512_3x32, rowwise512_4x32, rowwise512_5x32, rowwise512_6x32, rowwise512_7x32, rowwise512_8x32, rowwise512_9x32, rowwise512_10x32, rowwise512_11x32, rowwise512_12x32, rowwise512_13x32, rowwise512_14x32},
		columnwise: [maxRows + 1]columnwise{nil, columnwise512_1x32, columnwise512_2x32, columnwise512_3x32, columnwise512_4x32, columnwise512_5x32, columnwise512_6x32, columnwise512_7x32, columnwise512_8x32, columnwise512_9x32, columnwise512_10x32, columnwise512_11x32, columnwise512_12x32, columnwise512_13x32, columnwise512_14x32},
	},
	{cols: 16, lanes: 16, rows: 14, entries: 1,
		rowwise:    [maxRows + 1]rowwise{nil, rowwise512_1x16, rowwise512_2x16, rowwise512_3x16, rowwise512_4x16, rowwise512_5x16, rowwise512_6x16, rowwise512_7x16, rowwise512_8x16, rowwise512_9x16, rowwise512_10x16, rowwise512_11x16, rowwise512_12x16, rowwise512_13x16, rowwise512_14x16},
		columnwise: [maxRows + 1]columnwise{nil, columnwise512_1x16, columnwise512_2x16, columnwise512_3x16, columnwise512_4x16, columnwise512_5x16, columnwise512_6x16, columnwise512_7x16, columnwise512_8x16, columnwise512_9x16, columnwise512_10x16, columnwise512_11x16, columnwise512_12x16, columnwise512_13x16, columnwise512_14x16},
	},
	{cols: 8, lanes: 8, rows: 16, entries: 1,
		rowwise:    [maxRows + 1]rowwise{nil, rowwise512_1x8, rowwise512_2x8, rowwise512_3x8, rowwise512_4x8, rowwise512_5x8, rowwise512_6x8, rowwise512_7x8, rowwise512_8x8, rowwise512_9x8, rowwise512_10x8, rowwise512_11x8, rowwise512_12x8, rowwise512_13x8, rowwise512_14x8, rowwise512_15x8, rowwise512_16x8},
		columnwise: [maxRows + 1]columnwise{nil, columnwise512_1x8, columnwise512_2x8, columnwise512_3x8, columnwise512_4x8, columnwise512_5x8, columnwise512_6x8, columnwise512_7x8, columnwise512_8x8, columnwise512_9x8, columnwise512_10x8, columnwise512_11x8, columnwise512_12x8, columnwise512_13x8, columnwise512_14x8, columnwise512_15x8, columnwise512_16x8},
	},
}

// square512 is 3 to 9% faster than wider tiles on Zen 4: one line of the cache of A and one of B give 16 multiply-adds of
// vectors.
var square512 = width{cols: 16, lanes: 16, rows: 16, entries: 1, columnwise: [maxRows + 1]columnwise{16: columnwise512_16x16}}

var strips256 = stripKernels{
	sparse: []sparseKernels{
		{64, [rules + 1]sparseKernel{plainSparse256_64, averagedSparse256_64, momentumSparse256_64, nesterovSparse256_64, storedSparse256_64}},
		{16, [rules + 1]sparseKernel{plainSparse256_16, averagedSparse256_16, momentumSparse256_16, nesterovSparse256_16, storedSparse256_16}},
	},
	dense:     [rules + 1]denseKernel{plainDense256_32, averagedDense256_32, momentumDense256_32, nesterovDense256_32, storedDense256_32},
	denseCols: 32,
}

var strips512 = stripKernels{
	sparse: []sparseKernels{
		{64, [rules + 1]sparseKernel{plainSparse512_64, averagedSparse512_64, momentumSparse512_64, nesterovSparse512_64, storedSparse512_64}},
		{16, [rules + 1]sparseKernel{plainSparse512_16, averagedSparse512_16, momentumSparse512_16, nesterovSparse512_16, storedSparse512_16}},
	},
	dense:     [rules + 1]denseKernel{plainDense512_64, averagedDense512_64, momentumDense512_64, nesterovDense512_64, storedDense512_64},
	denseCols: 64,
}

var widths256 = []width{
	{cols: 16, lanes: 8, rows: 6, entries: 2,
		rowwise:    [maxRows + 1]rowwise{nil, rowwise256_1x16, rowwise256_2x16, rowwise256_3x16, rowwise256_4x16, rowwise256_5x16, rowwise256_6x16},
		columnwise: [maxRows + 1]columnwise{nil, columnwise256_1x16, columnwise256_2x16, columnwise256_3x16, columnwise256_4x16, columnwise256_5x16, columnwise256_6x16},
	},
	{cols: 8, lanes: 8, rows: 12, tall: 14, entries: 2,
		rowwise:    [maxRows + 1]rowwise{nil, rowwise256_1x8, rowwise256_2x8, rowwise256_3x8, rowwise256_4x8, rowwise256_5x8, rowwise256_6x8, rowwise256_7x8, rowwise256_8x8, rowwise256_9x8, rowwise256_10x8, rowwise256_11x8, rowwise256_12x8, rowwise256_13x8, rowwise256_14x8},
		columnwise: [maxRows + 1]columnwise{nil, columnwise256_1x8, columnwise256_2x8, columnwise256_3x8, columnwise256_4x8, columnwise256_5x8, columnwise256_6x8, columnwise256_7x8, columnwise256_8x8, columnwise256_9x8, columnwise256_10x8, columnwise256_11x8, columnwise256_12x8},
	},
}

var pixels512 = pixelLoops{16, biasRelu512, moments512, normalize512, normalizeRelu512, normalizeAdd512, normalizeAddRelu512, slopes512, slopesRelu512, slopesNorm512, slopesReluNorm512, slopesNormalized512, combine512}

var pixels256 = pixelLoops{8, biasRelu256, moments256, normalize256, normalizeRelu256, normalizeAdd256, normalizeAddRelu256, slopes256, slopesRelu256, slopesNorm256, slopesReluNorm256, slopesNormalized256, combine256}

// lineTiles is the most tiles that the assembly of a line of them takes at a time.
const lineTiles = 8

// transform returns the assembly of a Winograd transform for so many channels, and how many
// tiles it takes at most.
func (k *implementation) transform(t *Transform, channels int, dst *float32, to, from Square) (f transformKernel, lanes, tiles int) {
	if !k.vector || channels%8 != 0 {
		return nil, 0, 0
	}
	wide := k.wide && channels%16 == 0
	pick := func(f512, f256 transformKernel) (transformKernel, int, int) {
		if wide {
			return f512, 16, math.MaxInt
		}
		return f256, 8, math.MaxInt
	}
	switch t {
	case &WinogradInput:
		if from.Tile == 4*from.Col {
			f, lanes, _ := pick(winogradInputLine512, winogradInputLine256)
			return f, lanes, lineTiles
		}
		return pick(winogradInput512, winogradInput256)
	case &WinogradOutput:
		return pick(winogradOutput512, winogradOutput256)
	case &WinogradWeights:
		// They are many, and read only when all are there. Lines of memory that are stored whole need not be read for it.
		if wide && uintptr(unsafe.Pointer(dst))%64 == 0 && to.Row%16 == 0 && to.Col%16 == 0 && to.Tile%16 == 0 {
			return winogradWeightsPast512, 16, math.MaxInt
		}
		return pick(winogradWeights512, winogradWeights256)
	case &WinogradInputGradient:
		if to.Tile == 4*to.Col {
			f, lanes, _ := pick(winogradInputGradientLine512, winogradInputGradientLine256)
			return f, lanes, lineTiles
		}
		return pick(winogradInputGradient512, winogradInputGradient256)
	case &WinogradOutputGradient:
		return pick(winogradOutputGradient512, winogradOutputGradient256)
	default:
		return pick(winogradWeightsGradient512, winogradWeightsGradient256)
	}
}

// fresh returns the assembly of WinogradInputGradientFresh, if there is one, and its lanes.
func (k *implementation) fresh(tiles, channels int) (f transformKernel, lanes int) {
	switch {
	case !k.vector || channels%8 != 0 || tiles > lineTiles:
		return nil, 0
	case k.wide && channels%16 == 0:
		return winogradInputGradientFresh512, 16
	}
	return winogradInputGradientFresh256, 8
}

// sumsPicked are the kernels of SumPicked for so many vectors and segments.
var sumsPicked = [][]sumPicked{
	{},
	{nil, sumPicked256_1x1, sumPicked256_2x1, sumPicked256_3x1, sumPicked256_4x1, sumPicked256_5x1, sumPicked256_6x1},
	{nil, sumPicked256_1x2, sumPicked256_2x2, sumPicked256_3x2, sumPicked256_4x2, sumPicked256_5x2, sumPicked256_6x2},
	{nil, sumPicked256_1x3, sumPicked256_2x3, sumPicked256_3x3, sumPicked256_4x3},
	{nil, sumPicked256_1x4, sumPicked256_2x4, sumPicked256_3x4},
	{nil, sumPicked256_1x5, sumPicked256_2x5, sumPicked256_3x5},
}
