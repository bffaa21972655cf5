//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

//go:generate sh -c "cd asm && go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg kernel"

// available lists the assembly kernels that this CPU runs, the fastest first.
func available() []implementation {
	var list []implementation
	avx2 := cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasPOPCNT
	if avx2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
		list = append(list, implementation{name: "avx512", tile: &tile512, transpose8: transpose8, compare: compare512, lanes: 16, vector: true})
	}
	if avx2 {
		list = append(list, implementation{name: "avx2", tile: &tile256, transpose8: transpose8, compare: compare256, lanes: 8, vector: true})
	}
	return list
}

type micro = func(k int, a, b *float32, ldb int, c *float32, ldc int, accumulate bool)

var tile512 = tile{mr: 14, nr: 32, kernel: [maxRows + 1]micro{nil,
	gemm512x1, gemm512x2, gemm512x3, gemm512x4, gemm512x5, gemm512x6, gemm512x7,
	gemm512x8, gemm512x9, gemm512x10, gemm512x11, gemm512x12, gemm512x13, gemm512x14}}

var tile256 = tile{mr: 6, nr: 16, kernel: [maxRows + 1]micro{nil,
	gemm256x1, gemm256x2, gemm256x3, gemm256x4, gemm256x5, gemm256x6}}
