package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// transpose turns 8 rows into columns, 8 columns at a time; few: of fewer rows,
// the last one stands for those that are missing.
func transpose(name string, few bool) {
	if few {
		TEXT(name, NOSPLIT, "func(dst *float32, stride int, src *float32, ld int, blocks, rows int)")
		Doc(name + " is transpose256 of 1 to 8 rows; the last one is repeated up to 8.")
	} else {
		TEXT(name, NOSPLIT, "func(dst *float32, stride int, src *float32, ld int, blocks int)")
		Doc(name + " stores 8 rows of 8*blocks entries, ld apart, as columns, stride apart.")
	}
	dst := Load(Param("dst"), GP64())
	stride := Load(Param("stride"), GP64())
	src := Load(Param("src"), GP64())
	ld := Load(Param("ld"), GP64())
	blocks := Load(Param("blocks"), GP64())
	SHLQ(Imm(2), stride)
	SHLQ(Imm(2), ld)
	row, column := GP64(), GP64()
	MOVQ(dst, column)
	var step, count, none Register
	if few {
		step, count, none = GP64(), Load(Param("rows"), GP64()), GP64()
		XORQ(none, none)
	}

	Label("block")
	MOVQ(src, row)
	var r, t, s [8]VecVirtual
	for i := range r {
		r[i] = YMM()
		VMOVUPS(Mem{Base: row}, r[i])
		fetch(Mem{Base: row, Disp: 4 * nextStrip})
		switch {
		case few && i < 7: // stay on the last row
			if i == 0 {
				MOVQ(ld, step)
			}
			CMPQ(count, Imm(uint64(i+2)))
			CMOVQLT(none, step)
			ADDQ(step, row)
		case i < 7:
			ADDQ(ld, row)
		}
	}
	for i := 0; i < 8; i += 2 { // pairs of rows
		t[i], t[i+1] = YMM(), YMM()
		VUNPCKLPS(r[i+1], r[i], t[i])
		VUNPCKHPS(r[i+1], r[i], t[i+1])
	}
	for i := 0; i < 8; i += 4 { // fours of rows
		for h := range 2 {
			s[i+2*h], s[i+2*h+1] = YMM(), YMM()
			VSHUFPS(Imm(0x44), t[i+h+2], t[i+h], s[i+2*h])
			VSHUFPS(Imm(0xee), t[i+h+2], t[i+h], s[i+2*h+1])
		}
	}
	out := YMM()
	for half, imm := range []uint64{0x20, 0x31} { // all eight
		for i := range 4 {
			VPERM2F128(Imm(imm), s[4+i], s[i], out)
			VMOVUPS(out, Mem{Base: column})
			if half < 1 || i < 3 {
				ADDQ(stride, column)
			}
		}
	}
	ADDQ(stride, column)
	ADDQ(Imm(32), src)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// nextStrip is how far behind a block of a matrix lies, in the same rows, what will be rearranged after all rows: columns are taken
// 64 at a time, which is also what a strip has.
const nextStrip = 64
