package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const microSignature = "func(k int, a, b *float32, ldb int, c *float32, ldc int, accumulate bool)"

// micro512 is a tile of rows x 32: two vectors of sums a row. With 14 rows, 28
// sums, two vectors of B and one broadcast entry of A fill 31 of 32 registers.
func micro512(rows int) {
	TEXT(fmt.Sprintf("gemm512x%d", rows), NOSPLIT, microSignature)
	Doc(fmt.Sprintf("gemm512x%d multiplies a tile of %d x 32.", rows, rows))
	micro(rows, 64, ZMM, func(v Register) { VPXORD(v.(VecVirtual).AsZ(), v.(VecVirtual).AsZ(), v.(VecVirtual).AsZ()) })
}

// micro256 is a tile of rows x 16, for AVX2 with FMA.
func micro256(rows int) {
	TEXT(fmt.Sprintf("gemm256x%d", rows), NOSPLIT, microSignature)
	Doc(fmt.Sprintf("gemm256x%d multiplies a tile of %d x 16.", rows, rows))
	micro(rows, 32, YMM, func(v Register) { VXORPS(v.(VecVirtual).AsY(), v.(VecVirtual).AsY(), v.(VecVirtual).AsY()) })
}

func micro[V VecVirtual](rows, width int, vector func() V, zero func(Register)) {
	k := Load(Param("k"), GP64())
	a := Load(Param("a"), GP64())
	b := Load(Param("b"), GP64())
	ldb := Load(Param("ldb"), GP64())
	c := Load(Param("c"), GP64())
	ldc := Load(Param("ldc"), GP64())
	accumulate := Load(Param("accumulate"), GP8())
	SHLQ(Imm(2), ldb)
	SHLQ(Imm(2), ldc)

	sums := make([][2]V, rows)
	for i := range sums {
		for h := range 2 {
			sums[i][h] = vector()
			zero(sums[i][h])
		}
	}
	b0, b1, entry := vector(), vector(), vector()
	Label("depth")
	VMOVUPS(Mem{Base: b}, b0)
	VMOVUPS(Mem{Base: b, Disp: width}, b1)
	for i := range sums {
		VBROADCASTSS(Mem{Base: a, Disp: 4 * i}, entry)
		VFMADD231PS(b0, entry, sums[i][0])
		VFMADD231PS(b1, entry, sums[i][1])
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
		VADDPS(Mem{Base: row}, sums[i][0], sums[i][0])
		VADDPS(Mem{Base: row, Disp: width}, sums[i][1], sums[i][1])
		if i < rows-1 {
			ADDQ(ldc, row)
		}
	}
	Label("store")
	for i := range sums {
		VMOVUPS(sums[i][0], Mem{Base: c})
		VMOVUPS(sums[i][1], Mem{Base: c, Disp: width})
		if i < rows-1 {
			ADDQ(ldc, c)
		}
	}
	VZEROUPPER()
	RET()
}

// transpose8 turns 8 rows into columns, 8 columns at a time.
func transpose8() {
	TEXT("transpose8", NOSPLIT, "func(dst *float32, stride int, src *float32, ld int, blocks int)")
	Doc("transpose8 stores 8 rows of 8*blocks entries, ld apart, as columns, stride apart.")
	dst := Load(Param("dst"), GP64())
	stride := Load(Param("stride"), GP64())
	src := Load(Param("src"), GP64())
	ld := Load(Param("ld"), GP64())
	blocks := Load(Param("blocks"), GP64())
	SHLQ(Imm(2), stride)
	SHLQ(Imm(2), ld)
	row, column := GP64(), GP64()
	MOVQ(dst, column)

	Label("block")
	MOVQ(src, row)
	var r, t, s [8]VecVirtual
	for i := range r {
		r[i] = YMM()
		VMOVUPS(Mem{Base: row}, r[i])
		ADDQ(ld, row)
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
