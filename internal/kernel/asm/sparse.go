package main

import (
	"fmt"
	"math"
	"math/bits"

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

// moving tells whether there are velocities.
func (r rule) moving() bool { return r != stored && r != plain }

// strips generates the products with strips of columns that are gradients of weights, and what becomes of them.
func strips() {
	for _, lanes := range []int{8, 16} {
		w := width{name: fmt.Sprint(32 * lanes), lanes: lanes, avx512: lanes == 16}
		for _, r := range []rule{stored, plain, averaged, momentum, nesterov} {
			for _, cols := range []int{64, 16} {
				w.vectors = cols / lanes
				sparseRows(r, w)
			}
			w.vectors = 4 // a half of a strip, or the whole
			densePairs(r, w)
		}
	}
	list()
}

// list generates the search for the values of a row that are not zero. Those of a vector are moved to its low lanes, and
// stored by turns with their places; what is too much of it is written over by the next, and ends before
// the values that have not been searched.
func list() {
	order := GLOBL("nonzero", RODATA|NOPTR) // the lanes of each set of 8, the others behind them
	for set := range 256 {
		var lanes uint64
		in, out := 0, bits.OnesCount(uint(set))
		for lane := range 8 {
			at := &out
			if set>>lane&1 == 1 {
				at = &in
			}
			lanes |= uint64(lane) << (8 * *at)
			*at++
		}
		DATA(8*set, U64(lanes))
	}
	TEXT("list256", NOSPLIT, "func(found *float32, places *uint16, values *float32, vectors int) (n int)")
	Doc("list256 finds which of the values of so many vectors of 8 are not zero, and their places.")
	found, places := Load(Param("found"), GP64()), Load(Param("places"), GP64())
	values, vectors := Load(Param("values"), GP64()), Load(Param("vectors"), GP64())
	n, table, set := GP64(), GP64(), GP64()
	XORQ(n, n)
	LEAQ(order, table)
	first, step, zero := XMM(), XMM(), YMM()
	VPXOR(first, first, first)
	MOVL(U32(8*4*stripWidth), set.As32())
	VMOVD(set.As32(), step)
	VPBROADCASTW(step, step)
	VXORPS(zero, zero, zero)
	value, lanes, at := YMM(), YMM(), XMM()

	Label("vector")
	VMOVUPS(Mem{Base: values}, value)
	VCMPPS(Imm(4), zero, value, lanes) // not equal: NaN is not zero
	VMOVMSKPS(lanes, set.As32())
	VPMOVZXBD(Mem{Base: table, Index: set, Scale: 8}, lanes)
	VPERMPS(value, lanes, value)
	VMOVUPS(value, Mem{Base: found, Index: n, Scale: 4})
	VPMOVZXBW(Mem{Base: table, Index: set, Scale: 8}, at)
	VPSLLW(Imm(uint64(math.Ilogb(4*stripWidth))), at, at)
	VPADDW(first, at, at)
	VMOVDQU(at, Mem{Base: places, Index: n, Scale: 2})
	POPCNTL(set.As32(), set.As32())
	ADDQ(set, n)
	VPADDW(step, first, first)
	ADDQ(Imm(32), values)
	DECQ(vectors)
	JNZ(LabelRef("vector"))
	Store(n, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// sparseRows generates the products of sparse rows with some columns of a strip, a row at a time. Every
// multiply-add reads its vector of the strip, which L1 delivers as fast as they are done; so little is lost by
// taking one row, and rows may differ in their entries.
func sparseRows(r rule, w width) {
	cols := w.vectors * w.lanes
	name := fmt.Sprintf("%sSparse%s_%d", r, w.name, cols)
	TEXT(name, NOSPLIT, "func(rows int, counts *int, values *float32, places *uint16, room int, strip, start, w, v *float32, ldw, next int, lr, mu, rest, decay float32)")
	Doc(fmt.Sprintf("%s multiplies sparse rows with %d columns of a strip, and adds that to start, if not nil: %s.", name, cols, r))
	rows, counts := Load(Param("rows"), GP64()), Load(Param("counts"), GP64())
	values, places, room := Load(Param("values"), GP64()), Load(Param("places"), GP64()), Load(Param("room"), GP64())
	strip := Load(Param("strip"), GP64())
	to := r.matrices(w, 1)
	s, value, four := w.sums(1), w.vector(), w.vector()
	n, left, from, at := GP64(), GP64(), GP64(), GP64()
	// add adds the product of a value and the row whose place is in the low bits.
	add := func() {
		MOVWLZX(at.As16(), from.As32())
		for h, sum := range s[0] {
			VFMADD231PS(Mem{Base: strip, Index: from, Scale: 1, Disp: 4 * w.lanes * h}, value, sum)
		}
	}

	Label("row")
	to.fetch()
	s.begin(w)
	MOVQ(Mem{Base: counts}, left)
	XORQ(n, n)
	SUBQ(Imm(4), left)
	JL(LabelRef("few"))
	Label("four") // values and their places, with two loads: rows keep L1 busy
	MOVQ(Mem{Base: places, Index: n, Scale: 2}, at)
	if w.lanes == 16 {
		VBROADCASTF32X4(Mem{Base: values, Index: n, Scale: 4}, four)
	} else {
		VBROADCASTF128(Mem{Base: values, Index: n, Scale: 4}, four)
	}
	for i := range 4 {
		VPERMILPS(Imm(uint64(0x55*i)), four, value)
		add()
		if i < 3 {
			SHRQ(Imm(16), at)
		}
	}
	ADDQ(Imm(4), n)
	SUBQ(Imm(4), left)
	JGE(LabelRef("four"))
	Label("few")
	ADDQ(Imm(4), left)
	JZ(LabelRef("sum"))
	Label("one")
	MOVWLZX(Mem{Base: places, Index: n, Scale: 2}, at.As32())
	VBROADCASTSS(Mem{Base: values, Index: n, Scale: 4}, value)
	add()
	INCQ(n)
	DECQ(left)
	JNZ(LabelRef("one"))
	Label("sum")
	to.use(s)
	LEAQ(Mem{Base: values, Index: room, Scale: 4}, values)
	LEAQ(Mem{Base: places, Index: room, Scale: 2}, places)
	ADDQ(Imm(8), counts)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// densePairs generates the products of pairs of rows without zeros with some columns of a strip. Tiles are wide rather
// than high: rows of weights often lie a multiple of 4 KiB apart, as those of 1024 or 3072 inputs do, and more than eight
// of them do not stay in L1 together. Six rows at a time took half as long again.
func densePairs(r rule, w width) {
	cols := w.vectors * w.lanes
	name := fmt.Sprintf("%sDense%s_%d", r, w.name, cols)
	TEXT(name, NOSPLIT, "func(pairs int, values *float32, pitch, length int, strip, start, w, v *float32, ldw, next int, lr, mu, rest, decay float32)")
	Doc(fmt.Sprintf("%s multiplies pairs of rows of so many values, pitch apart, with %d columns of a strip, and adds that to start, if not nil: %s.", name, cols, r))
	pairs, start, row := Load(Param("pairs"), GP64()), Load(Param("values"), GP64()), bytes("pitch")
	to := r.matrices(w, 2)
	s, line, entries := w.sums(2), w.vector(), []VecVirtual{w.vector(), w.vector()}
	n, a, b := GP64(), GP64(), GP64()

	Label("pair")
	to.fetch()
	s.begin(w)
	MOVQ(parameter("length"), n)
	MOVQ(parameter("strip"), b)
	MOVQ(start, a)
	Label("entry")
	VBROADCASTSS(Mem{Base: a}, entries[0])
	VBROADCASTSS(Mem{Base: a, Index: row, Scale: 1}, entries[1])
	for h := range w.vectors {
		VMOVUPS(Mem{Base: b, Disp: 4 * w.lanes * h}, line)
		for i, e := range entries {
			VFMADD231PS(line, e, s[i][h])
		}
	}
	ADDQ(Imm(4), a)
	ADDQ(U32(4*stripWidth), b)
	DECQ(n)
	JNZ(LabelRef("entry"))
	to.use(s)
	LEAQ(Mem{Base: start, Index: row, Scale: 2}, start)
	DECQ(pairs)
	JNZ(LabelRef("pair"))
	VZEROUPPER()
	RET()
}

// begin sets the sums to zero or, where there is a start, to its next rows, which lie one behind the other.
func (s sums) begin(w width) {
	start := GP64()
	MOVQ(parameter("start"), start)
	TESTQ(start, start)
	JZ(LabelRef("zero"))
	at := Mem{Base: start}
	for _, row := range s {
		for _, v := range row {
			VMOVUPS(at, v)
			at = at.Offset(4 * w.lanes)
		}
	}
	ADDQ(U32(uint32(at.Disp)), parameter("start"))
	JMP(LabelRef("begun"))
	Label("zero")
	s.clear(w)
	Label("begun")
}

// stripWidth is the columns of a strip.
const stripWidth = 64

// matrices are the weights and velocities of a few rows at a time.
type matrices struct {
	rule              rule
	width             width
	rows              int
	weights, velocity Register
	ld                Register
}

func (r rule) matrices(w width, rows int) matrices {
	return matrices{r, w, rows, Load(Param("w"), GP64()), Load(Param("v"), GP64()), bytes("ldw")}
}

// at is vector h of row i of the weights or the velocities.
func (m matrices) at(base Register, i, h int) Mem {
	to := Mem{Base: base, Disp: 4 * m.width.lanes * h}
	if i > 0 {
		to.Index, to.Scale = m.ld, 1
	}
	return to
}

// fetch brings what comes next, when all rows are through.
func (m matrices) fetch() {
	weights, velocity := GP64(), GP64()
	next := bytes("next")
	LEAQ(Mem{Base: m.weights, Index: next, Scale: 1}, weights)
	if m.rule.moving() {
		LEAQ(Mem{Base: m.velocity, Index: next, Scale: 1}, velocity)
	}
	for i := range m.rows {
		for line := 0; line < m.width.vectors*m.width.lanes; line += 16 {
			PREFETCHT1(m.at(weights, i, line/m.width.lanes))
			if m.rule.moving() {
				PREFETCHT1(m.at(velocity, i, line/m.width.lanes))
			}
		}
	}
}

// use applies the rule to sums, and goes on to the next rows. Of each column, what all rows need is loaded before any is
// stored: a load waits for a store to a place that ends alike.
func (m matrices) use(s sums) {
	w := m.width
	c, t := w.vector(), w.vector()
	v, old := make([]VecVirtual, m.rows), make([]VecVirtual, m.rows)
	for i := range m.rows {
		v[i], old[i] = w.vector(), w.vector()
	}
	for h := range w.vectors {
		g := make([]VecVirtual, m.rows)
		for i := range m.rows {
			g[i] = s[i][h]
		}
		// with calls f for each row, with a constant in c: AVX2 has no room to keep them.
		with := func(constant string, f func(i int)) {
			VBROADCASTSS(parameter(constant), c)
			for i := range m.rows {
				f(i)
			}
		}
		decay := func() {
			with("decay", func(i int) {
				VMULPS(m.at(m.weights, i, h), c, t)
				VADDPS(t, g[i], g[i])
			})
		}
		slide := func() { with("mu", func(i int) { VMULPS(m.at(m.velocity, i, h), c, v[i]) }) }
		switch m.rule {
		case stored:
			for i := range m.rows {
				VMOVUPS(g[i], m.at(m.weights, i, h))
			}
			continue
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
			for i := range m.rows {
				VADDPS(g[i], v[i], v[i])
				VMOVUPS(v[i], g[i])
			}
		case nesterov:
			decay()
			with("mu", func(i int) {
				VMULPS(m.at(m.velocity, i, h), c, v[i])
				VADDPS(g[i], v[i], v[i])
				VMULPS(c, v[i], t)
				VADDPS(t, g[i], g[i])
			})
		}
		with("lr", func(i int) { VMULPS(c, g[i], g[i]) })
		for i := range m.rows {
			VMOVUPS(m.at(m.weights, i, h), old[i])
		}
		for i := range m.rows {
			VSUBPS(g[i], old[i], old[i])
			if m.rule.moving() {
				VMOVUPS(v[i], m.at(m.velocity, i, h))
			}
			VMOVUPS(old[i], m.at(m.weights, i, h))
		}
	}
	for range m.rows {
		ADDQ(m.ld, m.weights)
		if m.rule.moving() {
			ADDQ(m.ld, m.velocity)
		}
	}
}
