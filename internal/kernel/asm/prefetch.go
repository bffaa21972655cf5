package main

import (
	"strconv"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// fetch brings a place of a field that comes later to L2, whether it will be read or written there. Fetching it
// to L1 took longer.
func fetch(m Mem) { PREFETCHT1(m) }

func prefetch() {
	TEXT("prefetch", NOSPLIT, "func(at0, at1, at2, at3, at4, at5 *int32)")
	Doc("prefetch is Prefetch.")
	for i := range 6 {
		PREFETCHT0(Mem{Base: Load(Param("at"+strconv.Itoa(i)), GP64())})
	}
	RET()

	TEXT("prefetchEach", NOSPLIT, "func(x *byte, size int, list *int32, n int)")
	Doc("prefetchEach is PrefetchEach.")
	x, size, list, n, k := Load(Param("x"), GP64()), Load(Param("size"), GP64()), Load(Param("list"), GP64()), Load(Param("n"), GP64()), GP64()
	Label("entry")
	MOVLQSX(Mem{Base: list}, k)
	IMULQ(size, k)
	PREFETCHT0(Mem{Base: x, Index: k, Scale: 1})
	ADDQ(Imm(4), list)
	DECQ(n)
	JNZ(LabelRef("entry"))
	RET()
}
