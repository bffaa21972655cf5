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

// fold generates the sum over the windows that hold a pixel, of at most 8 channels: for seven pixels
// at a time, whose sums do not wait for each other, and then for single ones. Vectors reach into the next
// pixel, which is loaded before and stored later; of the last only its own channels are stored.
func fold() {
	TEXT("fold256", NOSPLIT, "func(dst, src *float32, ld, pixels, taps, channels int)")
	Doc("fold256 adds to each of so many pixels entry l of row taps-1-l of src, for all l < taps, and goes on by a row with the next pixel.")
	const together = 7
	dst, src, ld := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), bytes("ld")
	pixels, channel := Load(Param("pixels"), GP64()), bytes("channels")
	step, taps := GP64(), GP64()
	MOVQ(parameter("taps"), taps)
	DECQ(taps)
	IMULQ(ld, taps)
	ADDQ(taps, src) // the first entry of the first pixel
	MOVQ(channel, step)
	SUBQ(ld, step)
	// Every third pixel has a pointer; the two behind it are one and two distances further.
	spread := func(first, distance Register) []Register {
		at := []Register{GP64(), GP64(), GP64()}
		MOVQ(first, at[0])
		for i := range 2 {
			LEAQ(Mem{Base: at[i], Index: distance, Scale: 2}, at[i+1])
			ADDQ(distance, at[i+1])
		}
		return at
	}
	entry := func(at []Register, distance Register, i int) Mem {
		m := Mem{Base: at[i/3]}
		if i%3 > 0 {
			m.Index, m.Scale = distance, uint8(i%3)
		}
		return m
	}
	store := func(sum VecVirtual, name string) { // the last pixel
		CMPQ(parameter("channels"), Imm(8))
		JNE(LabelRef(name + "part"))
		VMOVUPS(sum, Mem{Base: dst})
		JMP(LabelRef("done"))
		Label(name + "part")
		pieces(sum, dst, parameter("channels"), name)
		JMP(LabelRef("done"))
	}
	next := YMM()
	VMOVUPS(Mem{Base: dst}, next)

	Label("several")
	CMPQ(pixels, Imm(together))
	JL(LabelRef("pixel"))
	sums := []VecVirtual{next}
	to := spread(dst, channel)
	for i := 1; i < together; i++ {
		sums = append(sums, YMM())
		VMOVUPS(entry(to, channel, i), sums[i])
	}
	from := spread(src, ld)
	MOVQ(parameter("taps"), taps)
	Label("tap")
	for i, sum := range sums {
		VADDPS(entry(from, ld, i), sum, sum)
	}
	for _, r := range from {
		ADDQ(step, r)
	}
	DECQ(taps)
	JNZ(LabelRef("tap"))
	for i, sum := range sums[:together-1] {
		VMOVUPS(sum, entry(to, channel, i))
	}
	MOVQ(to[2], dst)
	SUBQ(Imm(together), pixels)
	JZ(LabelRef("last"))
	VMOVUPS(Mem{Base: dst, Index: channel, Scale: 1}, next)
	VMOVUPS(sums[together-1], Mem{Base: dst})
	ADDQ(channel, dst)
	IMUL3Q(Imm(together), ld, taps)
	ADDQ(taps, src)
	JMP(LabelRef("several"))
	Label("last")
	store(sums[together-1], "last")

	Label("pixel")
	sum, at := YMM(), GP64()
	VMOVAPS(next, sum)
	MOVQ(src, at)
	MOVQ(parameter("taps"), taps)
	Label("single")
	VADDPS(Mem{Base: at}, sum, sum)
	ADDQ(step, at)
	DECQ(taps)
	JNZ(LabelRef("single"))
	ADDQ(ld, src)
	DECQ(pixels)
	JZ(LabelRef("end"))
	VMOVUPS(Mem{Base: dst, Index: channel, Scale: 1}, next)
	VMOVUPS(sum, Mem{Base: dst})
	ADDQ(channel, dst)
	JMP(LabelRef("pixel"))
	Label("end")
	store(sum, "end")
	Label("done")
	VZEROUPPER()
	RET()
}
