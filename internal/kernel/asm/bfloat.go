package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// rounding generates the ways from float32 to bfloat16: to the nearest, of two equally near to the even one. It adds half of
// the last place, or one less, to the bits; a NaN stays one.
func rounding() {
	// constants are vectors of half of the last place less one, of the last place, and of what makes a NaN quiet.
	constants := func() (half, one, quiet VecVirtual) {
		set := func(c uint64) VecVirtual {
			r, v := GP32(), ZMM()
			MOVL(U32(c), r)
			VPBROADCASTD(r, v)
			return v
		}
		return set(0x7fff), set(1), set(0x400000)
	}
	// rounded loads a vector, whose upper halves are then right.
	rounded := func(from Op, half, one, quiet VecVirtual) VecVirtual {
		x, bits, nan := ZMM(), ZMM(), K()
		VMOVUPS(from, x)
		VPSRLD(Imm(16), x, bits)
		VPANDD(one, bits, bits)
		VPADDD(half, bits, bits)
		VPADDD(x, bits, bits)
		VCMPPS(Imm(3), x, x, nan) // unordered
		VPORD(quiet, x, nan, bits)
		return bits
	}

	TEXT("round512", NOSPLIT, "func(dst *uint16, src *float32, vectors int)")
	Doc("round512 rounds so many vectors of 16.")
	half, one, quiet := constants()
	dst, src, vectors := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("vectors"), GP64())
	Label("vector")
	x := rounded(Mem{Base: src}, half, one, quiet)
	VPSRLD(Imm(16), x, x)
	VPMOVDW(x, Mem{Base: dst})
	ADDQ(Imm(64), src)
	ADDQ(Imm(32), dst)
	DECQ(vectors)
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()

	TEXT("pair512", NOSPLIT, "func(dst *uint16, src *float32, lead, pairs int)")
	Doc("pair512 rounds so many pairs of vectors of 16, lead bytes apart, and stores the entries of the two by turns.")
	half, one, quiet = constants()
	dst, src = Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	lead, pairs, upper, high := Load(Param("lead"), GP64()), Load(Param("pairs"), GP64()), GP32(), ZMM()
	MOVL(U32(0xffff0000), upper)
	VPBROADCASTD(upper, high)
	Label("pair")
	a := rounded(Mem{Base: src}, half, one, quiet)
	b := rounded(Mem{Base: src, Index: lead, Scale: 1}, half, one, quiet)
	VPSRLD(Imm(16), a, a)
	VPANDD(high, b, b)
	VPORD(a, b, b)
	VMOVUPS(b, Mem{Base: dst})
	ADDQ(Imm(64), dst)
	LEAQ(Mem{Base: src, Index: lead, Scale: 2}, src)
	DECQ(pairs)
	JNZ(LabelRef("pair"))
	VZEROUPPER()
	RET()
}
