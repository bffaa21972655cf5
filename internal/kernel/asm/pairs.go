package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// pairs is what both estimates share: the constants of the pair energy in registers, and
// a loop over sixteen neighbours at a time.
type pairs struct {
	cut, epsilon, c0, c2, c4, unit VecVirtual
	halves, twos, abs              VecVirtual
	particles, list, n             Register
}

func newPairs(half, two, positive Mem) *pairs {
	p := Load(Param("p"), GP64())
	field := func(i int) VecVirtual { return spread(Mem{Base: p, Disp: 4 * i}) }
	v := &pairs{cut: field(0), epsilon: field(1), c0: field(2), c2: field(3), c4: field(4), unit: field(5),
		halves: spread(half), twos: spread(two), abs: spread(positive),
		particles: Load(Param("particles"), GP64()), list: Load(Param("list"), GP64()), n: Load(Param("n"), GP64())}
	VMULPS(v.halves, v.epsilon, v.epsilon)
	return v
}

func spread(m Op) VecVirtual {
	r := ZMM()
	VBROADCASTSS(m, r)
	return r
}

func address(name string) Mem {
	r, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return r.Addr
}

// place spreads the three coordinates of a place.
func place(at Register) (x [3]VecVirtual) {
	for k := range x {
		x[k] = ZMM()
		VPBROADCASTD(Mem{Base: at, Disp: 4 * k}, x[k])
	}
	return x
}

// each calls body for every sixteen neighbours, with their places and diameters, and
// with near for those that are in the list.
func (v *pairs) each(body func(x [3]VecVirtual, s VecVirtual, near Register)) {
	bits, sixteen, full, near := GP64(), GP64(), GP32(), K()
	MOVQ(U32(16), sixteen)
	MOVL(U32(0xffff), full)
	Label("block")
	MOVQ(v.n, bits)
	CMPQ(v.n, sixteen)
	CMOVQGT(sixteen, bits)
	mask := GP32()
	BZHIL(bits.As32(), full, mask)
	KMOVW(mask, near)
	// Sixteen particles, in each register numbers j, j+4, j+8, j+12; turned from (x, y, z, s)
	// into X, Y, Z, S within groups of four.
	var row [4]VecVirtual
	for j := range row {
		row[j] = ZMM()
		for lane := range 4 {
			k := GP64()
			MOVLQSX(Mem{Base: v.list, Disp: 4 * (j + 4*lane)}, k)
			SHLQ(Imm(4), k)
			from := Mem{Base: v.particles, Index: k, Scale: 1}
			if lane == 0 {
				VMOVDQU32(from, row[j].AsX())
			} else {
				VINSERTI32X4(Imm(uint64(lane)), from, row[j], row[j])
			}
		}
	}
	xy0, zs0, xy1, zs1 := ZMM(), ZMM(), ZMM(), ZMM()
	VPUNPCKLDQ(row[1], row[0], xy0)
	VPUNPCKHDQ(row[1], row[0], zs0)
	VPUNPCKLDQ(row[3], row[2], xy1)
	VPUNPCKHDQ(row[3], row[2], zs1)
	x, y, z, s := ZMM(), ZMM(), ZMM(), ZMM()
	VPUNPCKLQDQ(xy1, xy0, x)
	VPUNPCKHQDQ(xy1, xy0, y)
	VPUNPCKLQDQ(zs1, zs0, z)
	VPUNPCKHQDQ(zs1, zs0, s)
	body([3]VecVirtual{x, y, z}, s, near)
	ADDQ(Imm(64), v.list)
	SUBQ(sixteen, v.n)
	JG(LabelRef("block"))
}

// distance returns the squared distance, in units of the places.
func distance(x, y [3]VecVirtual) VecVirtual {
	r := ZMM()
	for k := range 3 {
		d := r
		if k > 0 {
			d = ZMM()
		}
		VPSUBD(y[k], x[k], d)
		VCVTDQ2PS(d, d)
		if k == 0 {
			VMULPS(d, d, r)
		} else {
			VFMADD231PS(d, d, r)
		}
	}
	return r
}

// inverse returns 1/x, to 23 bits: Newton's step after the processor's guess.
func (v *pairs) inverse(x VecVirtual) VecVirtual {
	y, t := ZMM(), ZMM()
	VRCP14PS(x, y)
	VMOVAPS(v.twos, t)
	VFNMADD231PS(x, y, t)
	VMULPS(t, y, y)
	return y
}

// scale returns 1/s^2 of pairs of diameters a and b, in units of the places.
func (v *pairs) scale(a, b VecVirtual) VecVirtual {
	s, f := ZMM(), ZMM()
	VSUBPS(b, a, f)
	VANDPS(v.abs, f, f)
	VADDPS(b, a, s)
	VFNMADD213PS(v.halves, v.epsilon, f) // 1/2 - epsilon/2 |a-b|
	VMULPS(f, s, s)
	VMULPS(s, s, s)
	s = v.inverse(s)
	VMULPS(v.unit, s, s)
	return s
}

// add adds the energies of pairs at squared distance r.
func (v *pairs) add(r, scale, sum VecVirtual, near Register) {
	q, inside := ZMM(), K()
	VMULPS(scale, r, q)
	VCMPPS(Imm(1), v.cut, q, near, inside)
	u := v.inverse(q)
	cube, w := ZMM(), ZMM()
	VMULPS(u, u, cube)
	VMULPS(u, cube, cube)
	VMOVAPS(v.c2, w)
	VFMADD231PS(v.c4, q, w)
	VFMADD213PS(v.c0, q, w)
	VFMADD231PS(cube, cube, w)
	VADDPS(w, sum, inside, sum)
}

func zero() VecVirtual {
	r := ZMM()
	VPXORD(r, r, r)
	return r
}

// total stores the sum of sixteen numbers.
func total(sum VecVirtual, name string) {
	half, quarter, t := YMM(), XMM(), XMM()
	VEXTRACTF64X4(Imm(1), sum, half)
	VADDPS(half, sum.AsY(), half)
	VEXTRACTF32X4(Imm(1), half, quarter)
	VADDPS(quarter, half.AsX(), quarter)
	VMOVHLPS(quarter, quarter, t)
	VADDPS(t, quarter, quarter)
	VMOVSHDUP(quarter, t)
	VADDSS(t, quarter, quarter)
	Store(quarter, Return(name))
}

func estimates512() {
	half, two, positive := eight("pairsHalf", 0x3f000000), eight("pairsTwo", 0x40000000), eight("pairsPositive", 0x7fffffff)

	TEXT("moved512", NOSPLIT, "func(p *float32, particles, list *int32, n int, self, x *int32) (before, after float32)")
	Doc("moved512 is Pairs.Moved.")
	v := newPairs(half, two, positive)
	self := Load(Param("self"), GP64())
	a := spread(Mem{Base: self, Disp: 12})
	from, to := place(self), place(Load(Param("x"), GP64()))
	before, after := zero(), zero()
	v.each(func(x [3]VecVirtual, s VecVirtual, near Register) {
		scale := v.scale(a, s)
		v.add(distance(x, from), scale, before, near)
		v.add(distance(x, to), scale, after, near)
	})
	total(before, "before")
	total(after, "after")
	VZEROUPPER()
	RET()

	TEXT("resized512", NOSPLIT, "func(p *float32, particles, list *int32, n int, self *int32, a float32, except int32) (before, after float32)")
	Doc("resized512 is Pairs.Resized.")
	v = newPairs(half, two, positive)
	self = Load(Param("self"), GP64())
	a = spread(Mem{Base: self, Disp: 12})
	b := spread(address("a"))
	at := place(self)
	except := ZMM()
	VPBROADCASTD(Load(Param("except"), GP32()), except)
	before, after = zero(), zero()
	v.each(func(x [3]VecVirtual, s VecVirtual, near Register) {
		VPCMPD(Imm(4), Mem{Base: v.list}, except, near, near)
		r := distance(x, at)
		v.add(r, v.scale(a, s), before, near)
		v.add(r, v.scale(b, s), after, near)
	})
	total(before, "before")
	total(after, "after")
	VZEROUPPER()
	RET()
}

// eight is a constant of eight lanes.
func eight(name string, bits uint32) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for lane := range 8 {
		DATA(4*lane, U32(bits))
	}
	return m
}

// prefetch touches what a list leads to, and prefetchLines the list itself.
func prefetch() {
	TEXT("prefetch", NOSPLIT, "func(x *byte, size int, list *int32, n int)")
	Doc("prefetch is PrefetchEach.")
	x, size, list, n, k := Load(Param("x"), GP64()), Load(Param("size"), GP64()), Load(Param("list"), GP64()), Load(Param("n"), GP64()), GP64()
	Label("entry")
	MOVLQSX(Mem{Base: list}, k)
	IMULQ(size, k)
	PREFETCHT0(Mem{Base: x, Index: k, Scale: 1})
	ADDQ(Imm(4), list)
	DECQ(n)
	JNZ(LabelRef("entry"))
	RET()

	TEXT("prefetchLines", NOSPLIT, "func(list *int32, lines int)")
	Doc("prefetchLines is PrefetchList.")
	at, lines := Load(Param("list"), GP64()), Load(Param("lines"), GP64())
	Label("line")
	PREFETCHT0(Mem{Base: at})
	ADDQ(Imm(64), at)
	DECQ(lines)
	JNZ(LabelRef("line"))
	RET()

	TEXT("prefetchPlace", NOSPLIT, "func(x *int32)")
	Doc("prefetchPlace is PrefetchPlace.")
	place := Load(Param("x"), GP64())
	PREFETCHT0(Mem{Base: place})
	RET()
}
