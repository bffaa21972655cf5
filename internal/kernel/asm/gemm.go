package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const microSignature = "func(k int, a, b *float32, ldb int, c *float32, ldc int, accumulate bool)"

// micro512 is a tile of rows x 32, two vectors of sums a row, or of rows x 16.
// With 14 rows, 28 sums, two vectors of B and one broadcast entry of A fill 31 of
// the 32 registers.
func micro512(rows, vectors int) {
	micro("gemm512", rows, vectors, 16, ZMM, func(v VecVirtual) { VPXORD(v.AsZ(), v.AsZ(), v.AsZ()) })
}

// micro256 is a tile of rows x 16 or rows x 8, for AVX2 with FMA. With 6 rows, 12
// sums, two vectors of B and one entry of A fill 15 of the 16 registers.
func micro256(rows, vectors int) {
	micro("gemm256", rows, vectors, 8, YMM, func(v VecVirtual) { VXORPS(v.AsY(), v.AsY(), v.AsY()) })
}

func micro(name string, rows, vectors, lanes int, vector func() VecVirtual, zero func(VecVirtual)) {
	name = fmt.Sprintf("%s_%dx%d", name, rows, vectors*lanes)
	TEXT(name, NOSPLIT, microSignature)
	Doc(fmt.Sprintf("%s multiplies a tile of %d x %d.", name, rows, vectors*lanes))
	k := Load(Param("k"), GP64())
	a := Load(Param("a"), GP64())
	b := Load(Param("b"), GP64())
	ldb := Load(Param("ldb"), GP64())
	c := Load(Param("c"), GP64())
	ldc := Load(Param("ldc"), GP64())
	accumulate := Load(Param("accumulate"), GP8())
	SHLQ(Imm(2), ldb)
	SHLQ(Imm(2), ldc)

	sums, line, entry := make([][]VecVirtual, rows), make([]VecVirtual, vectors), vector()
	for h := range line {
		line[h] = vector()
		for i := range sums {
			sums[i] = append(sums[i], vector())
			zero(sums[i][h])
		}
	}
	at := func(base Register, h int) Mem { return Mem{Base: base, Disp: 4 * lanes * h} }
	Label("depth")
	for h := range line {
		VMOVUPS(at(b, h), line[h])
	}
	for i := range sums {
		VBROADCASTSS(Mem{Base: a, Disp: 4 * i}, entry)
		for h := range line {
			VFMADD231PS(line[h], entry, sums[i][h])
		}
	}
	ADDQ(Imm(uint64(4*rows)), a)
	ADDQ(ldb, b)
	DECQ(k)
	JNZ(LabelRef("depth"))

	CMPB(accumulate, Imm(0))
	JE(LabelRef("store"))
	row := GP64()
	MOVQ(c, row)
	for i := range sums {
		for h := range line {
			VADDPS(at(row, h), sums[i][h], sums[i][h])
		}
		if i < rows-1 {
			ADDQ(ldc, row)
		}
	}
	Label("store")
	for i := range sums {
		for h := range line {
			VMOVUPS(sums[i][h], at(c, h))
		}
		if i < rows-1 {
			ADDQ(ldc, c)
		}
	}
	VZEROUPPER()
	RET()
}

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
