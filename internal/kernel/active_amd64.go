//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

//go:generate sh -c "cd asm && go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg kernel"

// available lists the assembly kernels that this CPU runs, the fastest first.
func available() []implementation {
	var list []implementation
	avx2 := cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasPOPCNT
	if avx2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
		list = append(list, implementation{name: "avx512", tile: &tile512, compare: compare512, lanes: 16, vector: true})
	}
	if avx2 {
		list = append(list, implementation{name: "avx2", tile: &tile256, compare: compare256, lanes: 8, vector: true})
	}
	return list
}

var tile512 = tile{mr: 14, nr: 32, narrow: 16,
	kernel: [maxRows + 1]micro{nil,
		gemm512_1x32, gemm512_2x32, gemm512_3x32, gemm512_4x32, gemm512_5x32, gemm512_6x32, gemm512_7x32,
		gemm512_8x32, gemm512_9x32, gemm512_10x32, gemm512_11x32, gemm512_12x32, gemm512_13x32, gemm512_14x32},
	narrowKernel: [maxRows + 1]micro{nil,
		gemm512_1x16, gemm512_2x16, gemm512_3x16, gemm512_4x16, gemm512_5x16, gemm512_6x16, gemm512_7x16,
		gemm512_8x16, gemm512_9x16, gemm512_10x16, gemm512_11x16, gemm512_12x16, gemm512_13x16, gemm512_14x16}}

var tile256 = tile{mr: 6, nr: 16, narrow: 8,
	kernel: [maxRows + 1]micro{nil,
		gemm256_1x16, gemm256_2x16, gemm256_3x16, gemm256_4x16, gemm256_5x16, gemm256_6x16},
	narrowKernel: [maxRows + 1]micro{nil,
		gemm256_1x8, gemm256_2x8, gemm256_3x8, gemm256_4x8, gemm256_5x8, gemm256_6x8}}
