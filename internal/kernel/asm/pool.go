package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// maxPool pools two lines by two, so many positions at a time: 8, or 4 for short
// lines.
func maxPool[V VecVirtual](lanes int, vector func() V) {
	name := fmt.Sprintf("maxPool%d", 32*lanes)
	TEXT(name, NOSPLIT, "func(y *float32, arg *int32, top, bottom *float32, n int, index, width int32)")
	Doc(fmt.Sprintf("%s is maxPool2 for n >= %d.", name, lanes))
	y, arg := Load(Param("y"), GP64()), Load(Param("arg"), GP64())
	top, bottom := Load(Param("top"), GP64()), Load(Param("bottom"), GP64())
	last := Load(Param("n"), GP64())
	SUBQ(Imm(uint64(lanes)), last)

	even := GLOBL(fmt.Sprintf("even%d", lanes), RODATA|NOPTR)
	for i := range lanes {
		DATA(4*i, U32(2*i))
	}
	broadcast := func(r Register) V {
		v := vector()
		VMOVD(r, v.AsX())
		VPBROADCASTD(v.AsX(), v)
		return v
	}
	unit := GP32()
	MOVL(U32(1), unit)
	one := broadcast(unit)
	below := broadcast(Load(Param("width"), GP32())) // from an index to the one below
	first := broadcast(Load(Param("index"), GP32())) // indices of the first top left entries
	VPADDD(even, first, first)

	// split loads two vectors of a line and parts the even from the odd entries.
	x := GP64()
	split := func(line Register) (l, r V) {
		lo, hi := vector(), vector()
		l, r = vector(), vector()
		VMOVUPS(Mem{Base: line, Index: x, Scale: 8}, lo)
		VMOVUPS(Mem{Base: line, Index: x, Scale: 8, Disp: 4 * lanes}, hi)
		VSHUFPS(Imm(0x88), hi, lo, l)
		VSHUFPS(Imm(0xdd), hi, lo, r)
		if lanes == 8 { // VSHUFPS works on each half
			VPERMPD(Imm(0xd8), l, l)
			VPERMPD(Imm(0xd8), r, r)
		}
		return l, r
	}
	// larger moves b to a, and its index to i, where b > a or b is NaN.
	larger := func(a, i, b, j V) {
		mask, nan := vector(), vector()
		VCMPPS(Imm(1), b, a, mask) // a < b
		VCMPPS(Imm(3), b, b, nan)  // unordered
		VORPS(nan, mask, mask)
		VBLENDVPS(mask, b, a, a)
		VBLENDVPS(mask, j, i, i)
	}

	XORQ(x, x)
	Label("vector")
	a, b := split(top)
	c, d := split(bottom)
	twice := GP32()
	LEAL(Mem{Base: x, Index: x, Scale: 1}, twice)
	i, j, k, l := broadcast(twice), vector(), vector(), vector()
	VPADDD(first, i, i)
	VPADDD(one, i, j)
	VPADDD(below, i, k)
	VPADDD(below, j, l)
	larger(a, i, b, j)
	larger(c, k, d, l)
	larger(a, i, c, k)
	VMOVUPS(a, Mem{Base: y, Index: x, Scale: 4})
	VMOVUPS(i, Mem{Base: arg, Index: x, Scale: 4})
	CMPQ(x, last)
	JE(LabelRef("done"))
	ADDQ(Imm(uint64(lanes)), x)
	CMPQ(x, last)
	CMOVQGT(last, x) // the last vector may overlap the one before
	JMP(LabelRef("vector"))
	Label("done")
	VZEROUPPER()
	RET()
}
