// Asm generates the assembly of package kernel for amd64. It is a module of its
// own, so that avo is needed only by those who change the kernels. Matrix products, half of
// it, have a file for themselves:
//
//	go generate ./internal/kernel
package main

import (
	"flag"

	. "github.com/mmcloughlin/avo/build"
)

var products = flag.Bool("products", false, "generate the matrix products, instead of all else")

func main() {
	flag.Parse()
	ConstraintExpr("!purego")
	if *products {
		masks()
		for _, w := range widths {
			product(w)
		}
		columnwise(squareTile, squareTile.rows)
		bare()
		Generate()
		return
	}
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
