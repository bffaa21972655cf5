package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// descents generates the products that are gradients of weights and are used up by the
// optimiser in registers. The weights and velocities of the columns behind those of the
// tile, which are next, are fetched meanwhile.
//
// Tiles are wide rather than high. Rows of weights often lie a multiple of 4 KiB apart,
// as those of 1024 or 3072 inputs do: a load from one then waits for the store to the
// one above, which looks like the same place, and more than eight of them do not stay in
// L1 together. Six rows at a time took half as long again.
func descents() {
	for _, shape := range [][2]int{{1, 1}, {2, 1}, {1, 3}, {2, 3}} {
		descent(shape[0], shape[1])
	}
}

// descent generates a tile of some rows on neighbouring panels of 16 columns.
func descent(rows, panels int) {
	w := width{"256", 2 * panels, 8, rows, false, 0}
	name := fmt.Sprintf("descent256_%dx%d", rows, 16*panels)
	TEXT(name, NOSPLIT, "func(blocks, length int, a *float32, lda int, b, w, v *float32, ldw int, lr, mu, decay float32)")
	Doc(fmt.Sprintf("%s updates blocks of %d rows of weights along the product of rows of A with %d columns.", name, rows, 16*panels))
	lda, ldw := bytes("lda"), bytes("ldw")
	start := Load(Param("a"), GP64())
	blocks := Load(Param("blocks"), GP64())
	weights, velocity := Load(Param("w"), GP64()), Load(Param("v"), GP64())
	s, line, entries := w.sums(rows), w.vector(), make([]VecVirtual, rows)
	for i := range entries {
		entries[i] = w.vector()
	}
	a, b, length := GP64(), GP64(), GP64()
	size := GP64() // of a panel
	MOVQ(parameter("length"), size)
	SHLQ(Imm(6), size)
	row := func(base Register, i, h int) Mem {
		m := Mem{Base: base, Disp: 32 * h}
		if i > 0 {
			m.Index, m.Scale = ldw, 1
		}
		return m
	}

	Label("block")
	s.clear(w)
	MOVQ(parameter("b"), b)
	MOVQ(start, a)
	for i := range rows {
		for p := range panels {
			PREFETCHT1(row(weights, i, w.vectors+2*p))
			PREFETCHT1(row(velocity, i, w.vectors+2*p))
		}
	}
	MOVQ(parameter("length"), length)
	Label("entry")
	for i, e := range entries {
		m := Mem{Base: a}
		if i > 0 {
			m.Index, m.Scale = lda, uint8(i)
		}
		VBROADCASTSS(m, e)
	}
	for h := range w.vectors {
		m := Mem{Base: b, Disp: 32 * (h % 2)}
		if h >= 2 {
			m.Index, m.Scale = size, uint8(h/2)
		}
		VMOVUPS(m, line)
		for i, e := range entries {
			VFMADD231PS(line, e, s[i][h])
		}
	}
	ADDQ(Imm(4), a)
	ADDQ(Imm(64), b)
	DECQ(length)
	JNZ(LabelRef("entry"))

	// Of each column, what both rows need is loaded before either is stored.
	mu, decay, t := entries[0], line, w.vector()
	VBROADCASTSS(parameter("decay"), decay)
	VBROADCASTSS(parameter("mu"), mu)
	for i := range s {
		for h, g := range s[i] {
			VMULPS(row(weights, i, h), decay, t)
			VADDPS(t, g, g)
			VMULPS(row(velocity, i, h), mu, t)
			VADDPS(t, g, g)
		}
	}
	lr, old := decay, []VecVirtual{mu, t}
	VBROADCASTSS(parameter("lr"), lr)
	for h := range w.vectors {
		for i := range s {
			VMOVUPS(row(weights, i, h), old[i])
		}
		for i := range s {
			VMOVUPS(s[i][h], row(velocity, i, h))
			VMULPS(lr, s[i][h], s[i][h])
			VSUBPS(s[i][h], old[i], old[i])
			VMOVUPS(old[i], row(weights, i, h))
		}
	}
	for range rows {
		ADDQ(ldw, weights)
		ADDQ(ldw, velocity)
	}
	IMUL3Q(Imm(uint64(rows)), lda, length)
	ADDQ(length, start)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}
