package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// within256 looks at eight places at a time.
func within256() {
	TEXT("within256", NOSPLIT, "func(columns *int32, room, n int, of, butOf *int32, in, out float32, found *int32) (count int)")
	Doc("within256 is Within.")
	var column [4]Register
	column[0] = Load(Param("columns"), GP64())
	room, left := Load(Param("room"), GP64()), Load(Param("n"), GP64())
	SHLQ(Imm(2), room)
	for k := 1; k < 4; k++ {
		column[k] = GP64()
		LEAQ(Mem{Base: column[k-1], Index: room, Scale: 1}, column[k])
	}
	var at [2][3]VecVirtual
	for i, name := range []string{"of", "butOf"} {
		place := Load(Param(name), GP64())
		for k := range at[i] {
			at[i][k] = YMM()
			VPBROADCASTD(Mem{Base: place, Disp: 4 * k}, at[i][k])
		}
	}
	in, out := YMM(), YMM()
	VBROADCASTSS(address("in"), in)
	VBROADCASTSS(address("out"), out)
	found := Load(Param("found"), GP64())
	begin, j := GP64(), GP64()
	MOVQ(found, begin)
	XORQ(j, j)
	Label("block")
	here := func(k int) Mem { return Mem{Base: column[k], Index: j, Scale: 4} }
	var r [2]VecVirtual
	for i := range r {
		for k := range 3 {
			d := YMM()
			VMOVDQU(here(k), d)
			VPSUBD(at[i][k], d, d)
			VCVTDQ2PS(d, d)
			if k == 0 {
				r[i] = YMM()
				VMULPS(d, d, r[i])
			} else {
				VFMADD231PS(d, d, r[i])
			}
		}
	}
	VCMPPS(Imm(1), in, r[0], r[0])  // r < in
	VCMPPS(Imm(5), out, r[1], r[1]) // not r < out
	VANDPS(r[1], r[0], r[0])
	bits := GP32()
	VMOVMSKPS(r[0], bits)
	there := GP64()
	MOVQ(U32(8), there)
	CMPQ(left, Imm(8))
	CMOVQLT(left, there)
	BZHIL(there.As32(), bits, bits)
	TESTL(bits, bits)
	JZ(LabelRef("next"))
	Label("one")
	lane, rest := GP32(), GP32()
	BSFL(bits, lane)
	LEAL(Mem{Base: bits.As64(), Disp: -1}, rest)
	ADDL(j.As32(), lane)
	number := GP32()
	MOVL(Mem{Base: column[3], Index: lane.As64(), Scale: 4}, number)
	MOVL(number, Mem{Base: found})
	ADDQ(Imm(4), found)
	ANDL(rest, bits)
	JNZ(LabelRef("one"))
	Label("next")
	ADDQ(Imm(8), j)
	SUBQ(Imm(8), left)
	JG(LabelRef("block"))
	SUBQ(begin, found)
	SHRQ(Imm(2), found)
	Store(found, ReturnIndex(0))
	VZEROUPPER()
	RET()
}
