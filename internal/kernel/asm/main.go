// Asm generates the assembly of package kernel for amd64. It is a module of its
// own, so that avo is needed only by those who change the kernels:
//
//	cd internal/kernel/asm && go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg kernel
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!purego")
	masks()
	for _, w := range widths {
		product(w)
	}
	columnwise(squareTile, squareTile.rows)
	bare()
	rounding()
	strips()
	winograd()
	transpose("transpose256", false)
	transpose("transposeFew256", true)
	interleave()
	rows(8, YMM)
	rows(4, XMM)
	fold()
	picked()
	channels()
	compare512()
	compare256()
	estimates()
	prefetch()
	within256()
	elementwise()
	sum()
	Generate()
}
