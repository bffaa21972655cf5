package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A width is how many columns of C a micro-kernel holds: so many vectors of so
// many lanes, the last of which may be valid in part only.
type width struct {
	name           string // of the implementation
	vectors, lanes int
	rows           int // the most of a tile that the registers hold
	avx512         bool
	tall           int // rows that rowwise has room for beyond: it needs no mask while it sums
}

// With 14 rows of two vectors, 28 sums, two vectors of B and one entry of A fill 31
// of the 32 registers of AVX-512; with 6 rows, 15 of the 16 of AVX2.
var widths = []width{
	{"512", 2, 16, 14, true, 0},
	{"512", 1, 16, 14, true, 0},
	{"512", 1, 8, 16, true, 0},
	{"256", 2, 8, 6, false, 0},
	{"256", 1, 8, 12, false, 2},
}

// squareTile is for columnwise alone, which reads one line of the cache of A and one of B for each entry of the sum.
var squareTile = width{name: "512", vectors: 1, lanes: 16, rows: 16, avx512: true}

func (w width) vector() VecVirtual {
	if w.lanes == 16 {
		return ZMM()
	}
	return YMM()
}

func (w width) zero(v VecVirtual) {
	switch {
	case w.lanes == 16:
		VPXORD(v.AsZ(), v.AsZ(), v.AsZ())
	case w.avx512:
		VPXORD(v.AsY(), v.AsY(), v.AsY())
	default:
		VXORPS(v.AsY(), v.AsY(), v.AsY())
	}
}

// A tail is what is valid of the last vector: a mask register of AVX-512 or a
// vector of AVX2.
type tail struct {
	k Register
	v VecVirtual
}

// mask turns the number of valid lanes into a mask.
func (w width) mask(lanes Register) tail {
	if w.avx512 {
		one, k := GP64(), K()
		MOVQ(I32(1), one)
		SHLXQ(lanes, one, one)
		DECQ(one)
		KMOVW(one.As32(), k)
		return tail{k: k}
	}
	table, v := GP64(), YMM()
	LEAQ(lanes256.Offset(32), table)
	SHLQ(Imm(2), lanes)
	SUBQ(lanes, table)
	VMOVUPS(Mem{Base: table}, v)
	return tail{v: v}
}

var lanes256 Mem

// masks fills lanes256 with eight set lanes and eight clear ones: read from n lanes
// before the middle it is a mask of n.
func masks() {
	lanes256 = GLOBL("lanes256", RODATA|NOPTR)
	for i := range 16 {
		value := U32(0)
		if i < 8 {
			value = 0xffffffff
		}
		DATA(4*i, value)
	}
}

func (w width) load(m Mem, v VecVirtual, last bool, t tail) {
	switch {
	case !last:
		VMOVUPS(m, v)
	case w.avx512:
		VMOVUPS_Z(m, t.k, v)
	default:
		VMASKMOVPS(m, t.v, v)
	}
}

func (w width) store(v VecVirtual, m Mem, last bool, t tail) {
	switch {
	case !last:
		VMOVUPS(v, m)
	case w.avx512:
		VMOVUPS(v, t.k, m)
	default:
		VMASKMOVPS(v, t.v, m)
	}
}

// product generates the micro-kernels of one width, for any number of rows.
func product(w width) {
	for rows := 1; rows <= w.rows; rows++ {
		rowwise(w, rows)
		columnwise(w, rows)
	}
	for rows := w.rows + 1; rows <= w.rows+w.tall; rows++ {
		rowwise(w, rows)
	}
}

// sums are the entries of a tile of C, in registers.
type sums [][]VecVirtual

func (w width) sums(rows int) sums {
	s := make(sums, rows)
	for i := range s {
		for range w.vectors {
			s[i] = append(s[i], w.vector())
		}
	}
	return s
}

func (s sums) clear(w width) {
	for _, row := range s {
		for _, v := range row {
			w.zero(v)
		}
	}
}

// finish adds the tile to C or stores it there, and leaves c behind its last row.
func (s sums) finish(w width, c, ldc Register, accumulate, valid Mem, t tail) {
	if w.avx512 {
		halves := w.vectors == 1 && w.lanes == 16
		if halves {
			// Zen 4 stores two halves beside its multiply-adds; whole vectors mostly take time from them.
			CMPQ(valid, Imm(16))
			JNE(LabelRef("partial"))
			s.put(w, c, ldc, accumulate, "halves", func(m Mem, v VecVirtual, _ bool) {
				VMOVUPS(m, v)
			}, func(v VecVirtual, m Mem, _ bool) {
				VMOVUPS(v.AsY(), m)
				VEXTRACTF64X4(Imm(1), v.AsZ(), m.Offset(32))
			})
			JMP(LabelRef("finished"))
			Label("partial")
		}
		s.put(w, c, ldc, accumulate, "store", func(m Mem, v VecVirtual, last bool) {
			w.load(m, v, last, t)
		}, func(v VecVirtual, m Mem, last bool) {
			w.store(v, m, last, t)
		})
		if halves {
			Label("finished")
		}
		return
	}
	// AVX2's masked store is a microprogram on some CPUs, ten times as slow as a plain
	// one: whole vectors go without, and parts in pieces of 4, 2 and 1.
	CMPQ(valid, Imm(8))
	JNE(LabelRef("partial"))
	s.put(w, c, ldc, accumulate, "store", func(m Mem, v VecVirtual, _ bool) {
		VMOVUPS(m, v)
	}, func(v VecVirtual, m Mem, _ bool) {
		VMOVUPS(v, m)
	})
	JMP(LabelRef("finished"))
	Label("partial")
	lanes, at, count := GP64(), GP64(), 0
	MOVQ(valid, lanes)
	if t.v == nil {
		n := GP64()
		MOVQ(lanes, n)
		t = w.mask(n)
	}
	s.put(w, c, ldc, accumulate, "pieces", func(m Mem, v VecVirtual, last bool) {
		w.load(m, v, last, t)
	}, func(v VecVirtual, m Mem, last bool) {
		if !last {
			VMOVUPS(v, m)
			return
		}
		LEAQ(m, at)
		pieces(v, at, lanes, fmt.Sprintf("piece%d", count))
		count++
	})
	Label("finished")
}

// pieces stores the first so many lanes of 8, not all, in pieces of 4, 2 and 1. It moves at
// and uses up v.
func pieces(v VecVirtual, at Register, lanes Op, name string) {
	label := func(n int) string { return fmt.Sprintf("%s_%d", name, n) }
	TESTQ(U32(4), lanes)
	JZ(LabelRef(label(2)))
	VMOVUPS(v.AsX(), Mem{Base: at})
	VEXTRACTF128(Imm(1), v.AsY(), v.AsX())
	ADDQ(Imm(16), at)
	Label(label(2))
	TESTQ(U32(2), lanes)
	JZ(LabelRef(label(1)))
	VMOVLPS(v.AsX(), Mem{Base: at})
	VMOVHLPS(v.AsX(), v.AsX(), v.AsX())
	ADDQ(Imm(8), at)
	Label(label(1))
	TESTQ(U32(1), lanes)
	JZ(LabelRef(label(0)))
	VMOVSS(v.AsX(), Mem{Base: at})
	Label(label(0))
}

// put adds the tile to C or stores it there.
func (s sums) put(w width, c, ldc Register, accumulate Mem, label string, load func(m Mem, v VecVirtual, last bool), store func(v VecVirtual, m Mem, last bool)) {
	CMPB(accumulate, Imm(0))
	JE(LabelRef(label))
	row := GP64()
	MOVQ(c, row)
	old := w.vector()
	for i := range s {
		for h, v := range s[i] {
			load(Mem{Base: row, Disp: 4 * w.lanes * h}, old, h == w.vectors-1)
			VADDPS(old, v, v)
		}
		if i < len(s)-1 {
			ADDQ(ldc, row)
		}
	}
	Label(label)
	for i := range s {
		for h, v := range s[i] {
			store(v, Mem{Base: c, Disp: 4 * w.lanes * h}, h == w.vectors-1)
		}
		ADDQ(ldc, c)
	}
}

// multiply adds to the sums the product of one entry of A in each row, at(i), and a
// row of B.
func (s sums) multiply(w width, at func(i int) Mem, b Mem, lines []VecVirtual, entry VecVirtual, t tail) {
	for h := range lines {
		m := b
		m.Disp = 4 * w.lanes * h
		w.load(m, lines[h], h == w.vectors-1 && (t.k != nil || t.v != nil), t)
	}
	for i := range s {
		if w.avx512 && w.vectors == 1 {
			VFMADD231PS_BCST(at(i), lines[0], s[i][0])
			continue
		}
		VBROADCASTSS(at(i), entry)
		for h := range lines {
			VFMADD231PS(lines[h], entry, s[i][h])
		}
	}
}

// along generates the loop over the sum: two entries at a time for AVX2, whose narrow
// tiles leave few instructions to spare.
func (w width) along(length Register, body func(entries int)) {
	MOVQ(parameter("length"), length)
	if w.avx512 {
		Label("entry")
		body(1)
		DECQ(length)
		JNZ(LabelRef("entry"))
		return
	}
	SHRQ(Imm(1), length)
	JZ(LabelRef("odd"))
	Label("entry")
	body(2)
	DECQ(length)
	JNZ(LabelRef("entry"))
	Label("odd")
	TESTQ(U32(1), parameter("length"))
	JZ(LabelRef("even"))
	body(1)
	Label("even")
}

// advance moves a pointer on by one or two rows.
func advance(p, row Register, rows int) {
	if rows == 1 {
		ADDQ(row, p)
		return
	}
	LEAQ(Mem{Base: p, Index: row, Scale: 2}, p)
}

func parameter(name string) Mem {
	c, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return c.Addr
}

func bytes(name string) Register {
	r := Load(Param(name), GP64())
	SHLQ(Imm(2), r)
	return r
}

// copyTo copies eight bytes.
func copyTo(to, from Mem) {
	r := GP64()
	MOVQ(from, r)
	MOVQ(r, to)
}

// next goes on to the next product, if there is one.
func next() {
	DECQ(parameter("products"))
	JZ(LabelRef("end"))
	for _, m := range []string{"a", "b", "c"} {
		step := GP64()
		MOVQ(parameter("next"+strings.ToUpper(m)), step)
		SHLQ(Imm(2), step)
		ADDQ(step, parameter(m))
	}
	JMP(LabelRef("product"))
	Label("end")
}

// rowwise sums along the rows of A: the windows of an image, or plain rows.
func rowwise(w width, rows int) {
	name := fmt.Sprintf("rowwise%s_%dx%d", w.name, rows, w.vectors*w.lanes)
	TEXT(name, NOSPLIT, "func(products, blocks, segments, length int, a *float32, lda, sa, nextA int, b *float32, ldb, nextB int, c *float32, ldc, nextC, tail int, accumulate bool, ahead *float32, pace int)")
	Doc(fmt.Sprintf("%s multiplies blocks of %d rows of windows with %d columns.", name, rows, w.vectors*w.lanes))
	var t tail
	if w.avx512 {
		t = w.mask(Load(Param("tail"), GP64()))
	}
	lda, ldb := bytes("lda"), bytes("ldb")
	c, ldc := GP64(), bytes("ldc")
	ahead, pace := Load(Param("ahead"), GP64()), Load(Param("pace"), GP64())
	left, rest := AllocLocal(8), AllocLocal(8) // blocks, and the rows of A from the next one on
	s, lines, entry := w.sums(rows), make([]VecVirtual, w.vectors), w.vector()
	for h := range lines {
		lines[h] = w.vector()
	}
	var at []Register // every third row; the two behind it are one and two times lda further
	for i := 0; i < rows; i += 3 {
		at = append(at, GP64())
	}
	b, step, length, segments := GP64(), GP64(), GP64(), GP64()

	Label("product")
	copyTo(left, parameter("blocks"))
	copyTo(rest, parameter("a"))
	MOVQ(parameter("c"), c)
	Label("block")
	s.clear(w)
	MOVQ(parameter("b"), b)
	MOVQ(parameter("segments"), segments)
	MOVQ(rest, at[0])
	for i := 1; i < len(at); i++ {
		LEAQ(Mem{Base: at[i-1], Index: lda, Scale: 2}, at[i])
		ADDQ(lda, at[i])
	}
	Label("segment")
	w.along(length, func(entries int) {
		fetch(Mem{Base: ahead})
		ADDQ(pace, ahead)
		for e := range entries {
			m := Mem{Base: b}
			if e > 0 {
				m.Index, m.Scale = ldb, 1
			}
			s.multiply(w, func(i int) Mem {
				m := Mem{Base: at[i/3], Disp: 4 * e}
				if i%3 > 0 {
					m.Index, m.Scale = lda, uint8(i%3)
				}
				return m
			}, m, lines, entry, tail{})
		}
		for _, r := range at {
			ADDQ(Imm(uint64(4*entries)), r)
		}
		advance(b, ldb, entries)
	})
	DECQ(segments)
	JZ(LabelRef("sum"))
	// To the next segment of every row.
	MOVQ(parameter("sa"), step)
	SUBQ(parameter("length"), step)
	SHLQ(Imm(2), step)
	for _, r := range at {
		ADDQ(step, r)
	}
	JMP(LabelRef("segment"))
	Label("sum")
	s.finish(w, c, ldc, parameter("accumulate"), parameter("tail"), t)
	IMUL3Q(Imm(uint64(rows)), lda, step)
	ADDQ(step, rest)
	DECQ(left)
	JNZ(LabelRef("block"))
	next()
	VZEROUPPER()
	RET()
}

// columnwise sums over the rows of A and B: packed panels, or gradients of weights.
func columnwise(w width, rows int) {
	name := fmt.Sprintf("columnwise%s_%dx%d", w.name, rows, w.vectors*w.lanes)
	TEXT(name, NOSPLIT, "func(products, blocks, segments, length int, a *float32, lda, sa, nextA int, b *float32, ldb, sb, nextB int, c *float32, ldc, nextC, tail int, accumulate bool, ahead *float32, pace int)")
	Doc(fmt.Sprintf("%s multiplies blocks of %d columns of A with %d of B.", name, rows, w.vectors*w.lanes))
	t := w.mask(Load(Param("tail"), GP64()))
	lda, ldb := bytes("lda"), bytes("ldb")
	c, ldc := GP64(), bytes("ldc")
	left, rest := AllocLocal(8), AllocLocal(8) // blocks, and the columns of A from the next one on
	startA, startB, segments := GP64(), GP64(), GP64()
	ahead, pace := Load(Param("ahead"), GP64()), Load(Param("pace"), GP64())
	sa, sb := bytes("sa"), bytes("sb")
	s, lines, entry := w.sums(rows), make([]VecVirtual, w.vectors), w.vector()
	for h := range lines {
		lines[h] = w.vector()
	}
	Label("product")
	copyTo(left, parameter("blocks"))
	copyTo(rest, parameter("a"))
	MOVQ(parameter("c"), c)
	Label("block")
	MOVQ(rest, startA)
	MOVQ(parameter("b"), startB)
	MOVQ(parameter("segments"), segments)
	if !w.avx512 {
		// Where C comes from far it is there when the sums are.
		row := GP64()
		MOVQ(c, row)
		for i := range rows {
			PREFETCHT0(Mem{Base: row})
			if i < rows-1 {
				ADDQ(ldc, row)
			}
		}
	}
	s.clear(w)
	a, b, length := GP64(), GP64(), GP64()
	Label("segment")
	MOVQ(startA, a)
	MOVQ(startB, b)
	w.along(length, func(entries int) {
		fetch(Mem{Base: ahead})
		ADDQ(pace, ahead)
		for e := range entries {
			first, m := Mem{Base: a}, Mem{Base: b}
			if e > 0 {
				first.Index, first.Scale, m.Index, m.Scale = lda, 1, ldb, 1
			}
			s.multiply(w, func(i int) Mem { return first.Offset(4 * i) }, m, lines, entry, t)
		}
		advance(a, lda, entries)
		advance(b, ldb, entries)
	})
	ADDQ(sa, startA)
	ADDQ(sb, startB)
	DECQ(segments)
	JNZ(LabelRef("segment"))
	s.finish(w, c, ldc, parameter("accumulate"), parameter("tail"), t)
	ADDQ(Imm(uint64(4*rows)), rest)
	DECQ(left)
	JNZ(LabelRef("block"))
	next()
	VZEROUPPER()
	RET()
}

// bare generates what products are measured against: multiply-adds of registers.
func bare() {
	for _, w := range []width{{"256", 2, 8, 6, false, 0}, {"512", 2, 16, 6, false, 0}} {
		TEXT("bare"+w.name, NOSPLIT, "func(n int)")
		Doc(fmt.Sprintf("bare%s does n times twelve multiply-adds of vectors of %d that do not wait for each other.", w.name, w.lanes))
		s, x := w.sums(w.rows), w.vector()
		s.clear(w)
		w.zero(x)
		n := Load(Param("n"), GP64())
		Label("again")
		for _, row := range s {
			for _, v := range row {
				VFMADD231PS(x, x, v)
			}
		}
		DECQ(n)
		JNZ(LabelRef("again"))
		VZEROUPPER()
		RET()
	}
}
