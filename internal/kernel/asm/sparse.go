package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A rule is what becomes of a row of a product, which is the gradient g of a row of weights:
// it is stored, or an optimiser moves the weights along d = g + decay w.
type rule string

const (
	stored   rule = "stored"   // w = g
	plain    rule = "plain"    // w -= lr d
	averaged rule = "averaged" // v = mu v + rest g; w -= lr d
	momentum rule = "momentum" // v = mu v + d; w -= lr v
	nesterov rule = "nesterov" // v = mu v + d; w -= lr (d + mu v)
)

// sparse generates the products of a sparse matrix with some columns of a strip, a row at a time. Every
// multiply-add reads its vector of the strip, which L1 delivers as fast as they are done; so little is lost by
// taking one row, and rows may differ in their entries.
func sparse() {
	for _, lanes := range []int{8, 16} {
		for _, r := range []rule{stored, plain, averaged, momentum, nesterov} {
			for _, cols := range []int{64, 16} {
				sparseRows(r, width{fmt.Sprint(32 * lanes), cols / lanes, lanes, 1, lanes == 16, 0})
			}
		}
	}
}

// sparseRows generates the products of rows with some columns of a strip.
func sparseRows(r rule, w width) {
	cols := w.vectors * w.lanes
	name := fmt.Sprintf("%sSparse%s_%d", r, w.name, cols)
	TEXT(name, NOSPLIT, "func(rows int, counts *int, entries *uint32, room int, strip, w, v *float32, ldw int, lr, mu, rest, decay float32)")
	Doc(fmt.Sprintf("%s multiplies sparse rows with %d columns of a strip: %s.", name, cols, r))
	rows, counts := Load(Param("rows"), GP64()), Load(Param("counts"), GP64())
	first, room := Load(Param("entries"), GP64()), Load(Param("room"), GP64())
	SHLQ(Imm(3), room)
	strip := Load(Param("strip"), GP64())
	weights, velocity, ldw := Load(Param("w"), GP64()), Load(Param("v"), GP64()), bytes("ldw")
	s, value := w.sums(1), w.vector()
	n, e, at := GP64(), GP64(), GP64()
	size := 4 * w.lanes
	vector := func(base Register, h int) Mem { return Mem{Base: base, Disp: size * h} }

	Label("row")
	// What is behind these columns is next, when all rows are through.
	for line := 0; line < 4*cols; line += 64 {
		PREFETCHT1(Mem{Base: weights, Disp: 4*cols + line})
		if r != plain && r != stored {
			PREFETCHT1(Mem{Base: velocity, Disp: 4*cols + line})
		}
	}
	s.clear(w)
	MOVQ(Mem{Base: counts}, n)
	MOVQ(first, e)
	TESTQ(n, n)
	JZ(LabelRef("sum"))
	Label("entry")
	MOVL(Mem{Base: e}, at.As32())
	VBROADCASTSS(Mem{Base: e, Disp: 4}, value)
	for h, sum := range s[0] {
		VFMADD231PS(Mem{Base: strip, Index: at, Scale: 1, Disp: size * h}, value, sum)
	}
	ADDQ(Imm(8), e)
	DECQ(n)
	JNZ(LabelRef("entry"))
	Label("sum")
	// AVX2 has no room to keep the constants.
	constant := func(name string) VecVirtual {
		c := w.vector()
		VBROADCASTSS(parameter(name), c)
		return c
	}
	for h, g := range s[0] {
		x := w.vector()
		decay := func() {
			VMULPS(vector(weights, h), constant("decay"), x)
			VADDPS(x, g, g)
		}
		slide := func() VecVirtual {
			v := w.vector()
			VMULPS(vector(velocity, h), constant("mu"), v)
			return v
		}
		switch r {
		case stored:
			VMOVUPS(g, vector(weights, h))
			continue
		case plain:
			decay()
		case averaged:
			v := slide()
			VMULPS(constant("rest"), g, x)
			VADDPS(x, v, v)
			VMOVUPS(v, vector(velocity, h))
			decay()
		case momentum:
			decay()
			VADDPS(slide(), g, g)
			VMOVUPS(g, vector(velocity, h))
		case nesterov:
			decay()
			v := slide()
			VADDPS(g, v, v)
			VMOVUPS(v, vector(velocity, h))
			VMULPS(constant("mu"), v, v)
			VADDPS(v, g, g)
		}
		VMULPS(constant("lr"), g, g)
		VMOVUPS(vector(weights, h), x)
		VSUBPS(g, x, x)
		VMOVUPS(x, vector(weights, h))
	}
	ADDQ(room, first)
	ADDQ(Imm(8), counts)
	ADDQ(ldw, weights)
	if r != plain && r != stored {
		ADDQ(ldw, velocity)
	}
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}
