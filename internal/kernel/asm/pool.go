package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// maxPool2 pools two lines by two, 8 positions at a time.
func maxPool2() {
	TEXT("maxPool256", NOSPLIT, "func(y *float32, arg *int32, top, bottom *float32, n int, index, width int32)")
	Doc("maxPool256 is maxPool2 for n a positive multiple of 8.")
	y, arg := Load(Param("y"), GP64()), Load(Param("arg"), GP64())
	top, bottom := Load(Param("top"), GP64()), Load(Param("bottom"), GP64())
	n := Load(Param("n"), GP64())

	even := GLOBL("evenLanes", RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(2*i))
	}
	broadcast := func(r Register) VecVirtual {
		v := YMM()
		VMOVD(r, v.AsX())
		VPBROADCASTD(v.AsX(), v)
		return v
	}
	constant := func(value uint32) VecVirtual {
		r := GP32()
		MOVL(U32(value), r)
		return broadcast(r)
	}
	one, step := constant(1), constant(16)
	below := broadcast(Load(Param("width"), GP32())) // from an index to the one below
	first := broadcast(Load(Param("index"), GP32())) // indices of the top left entries
	VPADDD(even, first, first)

	// split loads 16 entries of a line and parts the even from the odd ones.
	split := func(line Register) (l, r VecVirtual) {
		lo, hi := YMM(), YMM()
		l, r = YMM(), YMM()
		VMOVUPS(Mem{Base: line}, lo)
		VMOVUPS(Mem{Base: line, Disp: 32}, hi)
		VSHUFPS(Imm(0x88), hi, lo, l)
		VSHUFPS(Imm(0xdd), hi, lo, r)
		VPERMPD(Imm(0xd8), l, l)
		VPERMPD(Imm(0xd8), r, r)
		return l, r
	}
	// larger moves to a, and its index to i, where b > a or b is NaN.
	larger := func(a, i, b, j VecVirtual) {
		mask, nan := YMM(), YMM()
		VCMPPS(Imm(1), b, a, mask) // a < b
		VCMPPS(Imm(3), b, b, nan)  // unordered
		VORPS(nan, mask, mask)
		VBLENDVPS(mask, b, a, a)
		VBLENDVPS(mask, j, i, i)
	}

	Label("vector")
	a, b := split(top)
	c, d := split(bottom)
	i, j, k, l := YMM(), YMM(), YMM(), YMM()
	VMOVDQU(first, i)
	VPADDD(one, i, j)
	VPADDD(below, i, k)
	VPADDD(below, j, l)
	larger(a, i, b, j)
	larger(c, k, d, l)
	larger(a, i, c, k)
	VMOVUPS(a, Mem{Base: y})
	VMOVUPS(i, Mem{Base: arg})
	VPADDD(step, first, first)
	ADDQ(Imm(64), top)
	ADDQ(Imm(64), bottom)
	ADDQ(Imm(32), y)
	ADDQ(Imm(32), arg)
	SUBQ(Imm(8), n)
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()
}
