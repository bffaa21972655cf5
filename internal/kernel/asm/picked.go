package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// picked generates what a convolution and the pooling behind it do together: which of four outputs
// is the largest, and sums over those only.
func picked() {
	for vectors, segments := range []int{0, 6, 6, 4, 3, 3} { // sums that fit the registers
		for s := 1; s <= segments; s++ {
			sumPicked(s, vectors)
		}
	}
	poolPicked()
}

// sumPicked generates the sum of pieces of so many segments and vectors, each of them in one of four places.
func sumPicked(segments, vectors int) {
	name := fmt.Sprintf("sumPicked256_%dx%d", segments, vectors)
	TEXT(name, NOSPLIT, "func(lines, n, stride, line int, weights *float32, which *uint32, places *int, src *float32, step, srcLine, skip int, dst *float32, dstLine, ld int, accumulate bool)")
	Doc(fmt.Sprintf("%s sums lines of n pieces of %d segments of %d vectors of 8, step apart and shifted to their places, all of them or, where dstLine is not 0, each line by itself.", name, segments, vectors))
	sums := make([][]VecVirtual, segments)
	each := func(f func(s, v int)) {
		for s := range segments {
			for v := range vectors {
				f(s, v)
			}
		}
	}
	each(func(s, v int) {
		sums[s] = append(sums[s], YMM())
		VXORPS(sums[s][v], sums[s][v], sums[s][v])
	})
	lines, n, stride := Load(Param("lines"), GP64()), GP64(), bytes("stride")
	weights, which, places := Load(Param("weights"), GP64()), Load(Param("which"), GP64()), Load(Param("places"), GP64())
	src, step := Load(Param("src"), GP64()), bytes("step")
	skip := bytes("skip")
	piece, weight := GP64(), YMM()
	at := segmentsOf(piece, skip, segments)
	Label("line")
	MOVQ(parameter("n"), n)
	Label("entry")
	MOVL(Mem{Base: which}, piece.As32())
	MOVQ(Mem{Base: places, Index: piece, Scale: 8}, piece)
	LEAQ(Mem{Base: src, Index: piece, Scale: 4}, piece)
	VBROADCASTSS(Mem{Base: weights}, weight)
	each(func(s, v int) { VFMADD231PS(at[s].Offset(32*v), weight, sums[s][v]) })
	ADDQ(stride, weights)
	ADDQ(stride, which)
	ADDQ(step, src)
	DECQ(n)
	JNZ(LabelRef("entry"))
	// on to the next line
	toNext := func(distance string, step Register, at ...Register) {
		way, back := bytes(distance), GP64()
		MOVQ(parameter("n"), back)
		IMULQ(step, back)
		SUBQ(back, way)
		for _, a := range at {
			ADDQ(way, a)
		}
	}
	toNext("line", stride, weights, which)
	toNext("srcLine", step, src)
	DECQ(lines)
	JZ(LabelRef("last"))
	CMPQ(parameter("dstLine"), Imm(0))
	JE(LabelRef("line"))
	finish := func(name string) (dst Register) {
		dst, ld := Load(Param("dst"), GP64()), bytes("ld")
		to := segmentsOf(dst, ld, segments)
		CMPB(parameter("accumulate"), Imm(0))
		JE(LabelRef(name))
		each(func(s, v int) { VADDPS(to[s].Offset(32*v), sums[s][v], sums[s][v]) })
		Label(name)
		each(func(s, v int) { VMOVUPS(sums[s][v], to[s].Offset(32*v)) })
		return dst
	}
	dst := finish("store")
	each(func(s, v int) { VXORPS(sums[s][v], sums[s][v], sums[s][v]) })
	ADDQ(bytes("dstLine"), dst)
	MOVQ(dst, parameter("dst"))
	JMP(LabelRef("line"))
	Label("last")
	finish("storeLast")
	VZEROUPPER()
	RET()
}

// segmentsOf returns where up to six segments begin that lie distance apart.
func segmentsOf(first, distance Register, n int) []Mem {
	at := []Mem{{Base: first}, {Base: first, Index: distance, Scale: 1}, {Base: first, Index: distance, Scale: 2}, {}, {Base: first, Index: distance, Scale: 4}, {}}
	for _, s := range []int{3, 5} {
		if s < n {
			times := GP64()
			LEAQ(Mem{Base: distance, Index: distance, Scale: uint8(s - 1)}, times)
			at[s] = Mem{Base: first, Index: times, Scale: 1}
		}
	}
	return at[:n]
}

// poolPicked generates the maximum over windows of 2 x 2 of a line, plus a bias, and which it was.
func poolPicked() {
	TEXT("maxPoolPicked256", NOSPLIT, "func(pixels, vectors, width int, y *float32, which *uint32, top, bottom, bias *float32, least float32, tail int)")
	Doc("maxPoolPicked256 stores the maxima of 2 x 2 pixels of width channels plus a bias, at least so large, in so many vectors of 8, and which of the four they were.")
	y, which := Load(Param("y"), GP64()), Load(Param("which"), GP64())
	top, bottom, bias := Load(Param("top"), GP64()), Load(Param("bottom"), GP64()), Load(Param("bias"), GP64())
	width := bytes("width")
	pixels, vectors, offset, right := Load(Param("pixels"), GP64()), GP64(), GP64(), GP64()
	least := YMM()
	VBROADCASTSS(parameter("least"), least)
	var places [4]VecVirtual
	for i := 1; i < 4; i++ {
		places[i] = YMM()
		VMOVUPS(repeated(fmt.Sprint("place", i), uint32(i)), places[i])
	}
	Label("pixel")
	XORQ(offset, offset)
	MOVQ(parameter("vectors"), vectors)
	Label("vector")
	best, at := YMM(), YMM()
	MOVQ(offset, right)
	ADDQ(width, right)
	shift := YMM()
	VMOVUPS(Mem{Base: bias, Index: offset, Scale: 1}, shift)
	VADDPS(Mem{Base: top, Index: offset, Scale: 1}, shift, best)
	VXORPS(at, at, at)
	for i, m := range []Mem{{Base: top, Index: right, Scale: 1}, {Base: bottom, Index: offset, Scale: 1}, {Base: bottom, Index: right, Scale: 1}} {
		other, larger, nan := YMM(), YMM(), YMM()
		VADDPS(m, shift, other)
		VCMPPS(Imm(1), other, best, larger) // best < other
		VCMPPS(Imm(3), other, other, nan)
		VORPS(nan, larger, larger)
		VBLENDVPS(larger, other, best, best)
		VBLENDVPS(larger, places[i+1], at, at)
	}
	VMAXPS(best, least, best) // of a NaN and a number, the last source
	VMOVUPS(at, Mem{Base: which, Index: offset, Scale: 1})
	CMPQ(parameter("tail"), Imm(8))
	JGE(LabelRef("whole"))
	CMPQ(pixels, Imm(1))
	JNE(LabelRef("whole"))
	CMPQ(vectors, Imm(1))
	JNE(LabelRef("whole"))
	LEAQ(Mem{Base: y, Index: offset, Scale: 1}, right)
	pieces(best, right, parameter("tail"), "piece")
	JMP(LabelRef("done"))
	Label("whole")
	VMOVUPS(best, Mem{Base: y, Index: offset, Scale: 1})
	Label("done")
	ADDQ(Imm(32), offset)
	DECQ(vectors)
	JNZ(LabelRef("vector"))
	ADDQ(width, y)
	ADDQ(width, which)
	LEAQ(Mem{Base: top, Index: width, Scale: 2}, top)
	LEAQ(Mem{Base: bottom, Index: width, Scale: 2}, bottom)
	DECQ(pixels)
	JNZ(LabelRef("pixel"))
	VZEROUPPER()
	RET()
}
