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
	for _, r := range []rule{plain, averaged, momentum, nesterov} {
		for _, shape := range [][2]int{{1, 1}, {2, 1}, {1, 3}, {2, 3}} {
			descent(r, shape[0], shape[1])
		}
	}
}

// A rule is how an optimiser moves weights along d = g + decay w, g being the gradient.
type rule string

const (
	plain    rule = "plain"    // w -= lr d
	averaged rule = "averaged" // v = mu v + rest g; w -= lr d
	momentum rule = "momentum" // v = mu v + d; w -= lr v
	nesterov rule = "nesterov" // v = mu v + d; w -= lr (d + mu v)
)

// descent generates a tile of some rows on neighbouring panels of 16 columns.
func descent(r rule, rows, panels int) {
	w := width{"256", 2 * panels, 8, rows, false, 0}
	name := fmt.Sprintf("%s256_%dx%d", r, rows, 16*panels)
	TEXT(name, NOSPLIT, "func(blocks, length int, a *float32, lda int, b, w, v *float32, ldw int, lr, mu, rest, decay float32)")
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
			if r != plain {
				PREFETCHT1(row(velocity, i, w.vectors+2*p))
			}
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
	c, t := line, w.vector()
	for h := range w.vectors {
		g, v := make([]VecVirtual, rows), entries
		for i := range rows {
			g[i] = s[i][h]
		}
		// with calls f for each row, with a constant in c.
		with := func(constant string, f func(i int)) {
			VBROADCASTSS(parameter(constant), c)
			for i := range rows {
				f(i)
			}
		}
		decay := func() {
			with("decay", func(i int) {
				VMULPS(row(weights, i, h), c, t)
				VADDPS(t, g[i], g[i])
			})
		}
		slide := func() { with("mu", func(i int) { VMULPS(row(velocity, i, h), c, v[i]) }) }
		switch r {
		case plain:
			decay()
		case averaged:
			slide()
			with("rest", func(i int) {
				VMULPS(c, g[i], t)
				VADDPS(t, v[i], v[i])
			})
			decay()
		case momentum:
			decay()
			slide()
			for i := range rows {
				VADDPS(g[i], v[i], v[i])
				VMOVUPS(v[i], g[i])
			}
		case nesterov:
			decay()
			with("mu", func(i int) {
				VMULPS(row(velocity, i, h), c, v[i])
				VADDPS(g[i], v[i], v[i])
				VMULPS(c, v[i], t)
				VADDPS(t, g[i], g[i])
			})
		}
		with("lr", func(i int) { VMULPS(c, g[i], g[i]) })
		old := []VecVirtual{c, t}
		for i := range rows {
			VMOVUPS(row(weights, i, h), old[i])
		}
		for i := range rows {
			VSUBPS(g[i], old[i], old[i])
			if r != plain {
				VMOVUPS(v[i], row(velocity, i, h))
			}
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
