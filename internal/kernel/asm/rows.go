package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// rows generates the loops over a block of short rows: copying it, and adding it
// to another. A row is cut into vectors of so many lanes, of which the last ends
// with the row and may overlap the one before.
func rows[V VecVirtual](lanes int, vector func() V) {
	const signature = "func(dst *float32, dstLd int, src *float32, srcLd int, rows, cols int)"
	for _, add := range []bool{false, true} {
		verb, name := "copies", fmt.Sprintf("copyRows%d", 32*lanes)
		if add {
			verb, name = "adds to dst", fmt.Sprintf("addRows%d", 32*lanes)
		}
		TEXT(name, NOSPLIT, signature)
		Doc(fmt.Sprintf("%s %s rows of cols >= %d entries, the leading dimensions apart.", name, verb, lanes))
		dst, dstLd := Load(Param("dst"), GP64()), Load(Param("dstLd"), GP64())
		src, srcLd := Load(Param("src"), GP64()), Load(Param("srcLd"), GP64())
		left, last := Load(Param("rows"), GP64()), Load(Param("cols"), GP64())
		SHLQ(Imm(2), dstLd)
		SHLQ(Imm(2), srcLd)
		SUBQ(Imm(uint64(lanes)), last)
		x, v, end := GP64(), vector(), vector()
		at := func(base, index Register) Mem { return Mem{Base: base, Index: index, Scale: 4} }

		Label("row")
		VMOVUPS(at(src, last), end)
		if add { // before the vector that it may overlap is stored
			VADDPS(at(dst, last), end, end)
		}
		XORQ(x, x)
		JMP(LabelRef("test"))
		Label("vector")
		VMOVUPS(at(src, x), v)
		if add {
			VADDPS(at(dst, x), v, v)
			fetch(Mem{Base: src, Index: x, Scale: 4, Disp: 512})
		}
		VMOVUPS(v, at(dst, x))
		if !add {
			fetch(Mem{Base: src, Index: x, Scale: 4, Disp: 4 * nextStrip})
		}
		ADDQ(Imm(uint64(lanes)), x)
		Label("test")
		CMPQ(x, last)
		JLT(LabelRef("vector"))
		VMOVUPS(end, at(dst, last))
		ADDQ(dstLd, dst)
		ADDQ(srcLd, src)
		DECQ(left)
		JNZ(LabelRef("row"))
		VZEROUPPER()
		RET()
	}
}
