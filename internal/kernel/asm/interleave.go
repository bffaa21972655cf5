package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// interleave generates pixels of three channels from a line of each: eight of them are three
// vectors, to each of which each channel gives some lanes.
func interleave() {
	TEXT("interleave256", NOSPLIT, "func(dst, x, y, z *float32, vectors int)")
	Doc("interleave256 stores so many times 8 entries of three lines by turns.")
	dst, vectors := Load(Param("dst"), GP64()), GP64()
	lines := []Register{Load(Param("x"), GP64()), Load(Param("y"), GP64()), Load(Param("z"), GP64())}
	Load(Param("vectors"), vectors)
	var from [3]VecVirtual // where the lanes of a vector find their entry of its channel,
	var lanes [3][3]uint64 // and which of them are of which channel
	for v := range 3 {
		index := GLOBL(fmt.Sprintf("interleave%d", v), RODATA|NOPTR)
		for lane := range 8 {
			at := 8*v + lane
			DATA(4*lane, U32(uint32(at/3)))
			lanes[v][at%3] |= 1 << lane
		}
		from[v] = YMM()
		VMOVUPS(index, from[v])
	}
	Label("vector")
	for v := range 3 {
		all, one := YMM(), YMM()
		VPERMPS(Mem{Base: lines[0]}, from[v], all)
		for c := 1; c < 3; c++ {
			VPERMPS(Mem{Base: lines[c]}, from[v], one)
			VBLENDPS(Imm(lanes[v][c]), one, all, all)
		}
		VMOVUPS(all, Mem{Base: dst, Disp: 32 * v})
	}
	for _, l := range lines {
		ADDQ(Imm(32), l)
	}
	ADDQ(Imm(96), dst)
	DECQ(vectors)
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()
}
