package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const compareSignature = "func(wa, ga, wb, gb *float32, n int, window float32) (exchanged int)"

// reversed are the lanes of a vector in reverse order, for VPERMPS.
func reversed(name string, lanes int) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range lanes {
		DATA(4*i, U32(lanes-1-i))
	}
	return m
}

// comparison holds the registers that both widths of the comparator use.
type comparison struct {
	wa, ga, wb, gb, n, count Register
}

// begin loads the arguments; wb and gb then point behind their last entry.
func begin() comparison {
	c := comparison{
		wa: Load(Param("wa"), GP64()), ga: Load(Param("ga"), GP64()),
		wb: Load(Param("wb"), GP64()), gb: Load(Param("gb"), GP64()),
		n: Load(Param("n"), GP64()), count: GP64(),
	}
	XORQ(c.count, c.count)
	LEAQ(Mem{Base: c.wb, Index: c.n, Scale: 4}, c.wb)
	LEAQ(Mem{Base: c.gb, Index: c.n, Scale: 4}, c.gb)
	return c
}

// tally counts the lanes that change places, and goes on to the next vector where there
// are none: with a window most vectors stay as they are, and need not be written.
func (c comparison) tally(lanes Register) {
	TESTL(lanes, lanes)
	JZ(LabelRef("next"))
	POPCNTL(lanes, lanes)
	ADDQ(lanes.(GPVirtual).As64(), c.count)
}

// next moves on by so many bytes and repeats while vectors are left.
func (c comparison) next(bytes uint64) {
	Label("next")
	ADDQ(Imm(bytes), c.wa)
	ADDQ(Imm(bytes), c.ga)
	SUBQ(Imm(bytes/4), c.n)
	JNZ(LabelRef("vector"))
	Store(c.count, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

func compare512() {
	index := reversed("reverse16", 16)
	TEXT("compare512", NOSPLIT, compareSignature)
	Doc("compare512 is Compare for n a positive multiple of 16.")
	window, below, zero, order := ZMM(), ZMM(), ZMM(), ZMM()
	argument, err := Param("window").Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(argument.Addr, window)
	VPXORD(zero, zero, zero)
	VSUBPS(window, zero, below)
	VMOVUPS(index, order)
	c := begin()
	a, b, g, h, d := ZMM(), ZMM(), ZMM(), ZMM(), ZMM()
	near, far, down := K(), K(), K()
	bits := GP32()

	Label("vector")
	SUBQ(Imm(64), c.wb)
	SUBQ(Imm(64), c.gb)
	VMOVUPS(Mem{Base: c.wa}, a)
	VMOVUPS(Mem{Base: c.ga}, g)
	VPERMPS(Mem{Base: c.wb}, order, b)
	VPERMPS(Mem{Base: c.gb}, order, h)
	VSUBPS(a, b, d) // wb - wa
	VSUBPS(h, g, g) // ga - gb
	VMULPS(d, g, g)
	VCMPPS(Imm(2), window, d, near) // d <= window
	VCMPPS(Imm(2), d, below, far)   // -window <= d
	VCMPPS(Imm(1), zero, g, down)   // dL1 < 0
	KANDW(near, far, near)
	KANDW(near, down, down)
	KMOVW(down, bits)
	c.tally(bits)
	VMOVUPS(b, down, Mem{Base: c.wa})
	VBLENDMPS(a, b, down, b)
	VPERMPS(b, order, b)
	VMOVUPS(b, Mem{Base: c.wb})
	c.next(64)
}

func compare256() {
	index := reversed("reverse8", 8)
	TEXT("compare256", NOSPLIT, compareSignature)
	Doc("compare256 is Compare for n a positive multiple of 8.")
	window, below, zero, order := YMM(), YMM(), YMM(), YMM()
	argument, err := Param("window").Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(argument.Addr, window)
	VXORPS(zero, zero, zero)
	VSUBPS(window, zero, below)
	VMOVUPS(index, order)
	c := begin()
	a, b, g, h, d := YMM(), YMM(), YMM(), YMM(), YMM()
	near, far, down := YMM(), YMM(), YMM()
	bits := GP32()

	Label("vector")
	SUBQ(Imm(32), c.wb)
	SUBQ(Imm(32), c.gb)
	VMOVUPS(Mem{Base: c.wa}, a)
	VMOVUPS(Mem{Base: c.ga}, g)
	VPERMPS(Mem{Base: c.wb}, order, b)
	VPERMPS(Mem{Base: c.gb}, order, h)
	VSUBPS(a, b, d)
	VSUBPS(h, g, g)
	VMULPS(d, g, g)
	VCMPPS(Imm(2), window, d, near)
	VCMPPS(Imm(2), d, below, far)
	VCMPPS(Imm(1), zero, g, down)
	VANDPS(near, far, near)
	VANDPS(near, down, down)
	VMOVMSKPS(down, bits)
	c.tally(bits)
	VBLENDVPS(down, b, a, d)
	VMOVUPS(d, Mem{Base: c.wa})
	VBLENDVPS(down, a, b, b)
	VPERMPS(b, order, b)
	VMOVUPS(b, Mem{Base: c.wb})
	c.next(32)
}
