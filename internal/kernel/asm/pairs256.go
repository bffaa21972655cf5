package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// pairs256 is pairs for AVX2, eight neighbours at a time. Sixteen registers are few: most
// constants lie on the stack, spread over eight lanes, where instructions read them.
type pairs256 struct {
	stack                    Register // aligned
	used                     int
	cut, epsilon, c0, c2, c4 Mem
	half, positive           Mem
	unit, one                VecVirtual
	particles, list, n       Register
	left                     VecVirtual // n, in all lanes
	numbers, eight           Mem
}

func newPairs256() *pairs256 {
	v := &pairs256{stack: GP64()}
	const places = 16
	LEAQ(AllocLocal(32*places+24), v.stack)
	ADDQ(Imm(31), v.stack)
	ANDQ(I8(-32), v.stack)
	p := Load(Param("p"), GP64())
	field := func(i int) Mem { return v.keep(Mem{Base: p, Disp: 4 * i}) }
	v.cut, v.epsilon, v.c0, v.c2, v.c4 = field(0), field(1), field(2), field(3), field(4)
	v.half, v.positive = NewDataAddr(Symbol{Name: "pairsHalf", Static: true}, 0), NewDataAddr(Symbol{Name: "pairsPositive", Static: true}, 0)
	v.numbers, v.eight = NewDataAddr(Symbol{Name: "pairsNumbers", Static: true}, 0), NewDataAddr(Symbol{Name: "pairsEight", Static: true}, 0)
	v.unit, v.one = YMM(), YMM()
	VBROADCASTSS(Mem{Base: p, Disp: 20}, v.unit)
	VMOVUPS(NewDataAddr(Symbol{Name: "pairsOne", Static: true}, 0), v.one)
	// Half of epsilon, since s is (1/2 - epsilon/2 |a-b|) (a+b).
	e := YMM()
	VMOVAPS(v.epsilon, e)
	VMULPS(v.half, e, e)
	VMOVAPS(e, v.epsilon)
	v.particles, v.list, v.n = Load(Param("particles"), GP64()), Load(Param("list"), GP64()), Load(Param("n"), GP64())
	v.left = YMM()
	VMOVD(v.n.(GPVirtual).As32(), v.left.AsX())
	VPBROADCASTD(v.left.AsX(), v.left)
	return v
}

// keep spreads a number on the stack.
func (v *pairs256) keep(m Mem) Mem {
	r, at := YMM(), Mem{Base: v.stack, Disp: 32 * v.used}
	v.used++
	VBROADCASTSS(m, r)
	VMOVAPS(r, at)
	return at
}

// place spreads the three coordinates of a place.
func (v *pairs256) place(at Register) (x [3]Mem) {
	for k := range x {
		x[k] = v.keep(Mem{Base: at, Disp: 4 * k})
	}
	return x
}

// each calls body for every eight neighbours, with their places and diameters, and near:
// all bits set for those that are in the list.
func (v *pairs256) each(body func(x [3]VecVirtual, s, near VecVirtual)) {
	Label("block")
	// Eight particles, in each register numbers j and j+4; turned from (x, y, z, s) into
	// X, Y, Z, S within groups of four.
	var row [4]VecVirtual
	for j := range row {
		row[j] = YMM()
		for lane := range 2 {
			k := GP64()
			MOVL(Mem{Base: v.list, Disp: 4 * (j + 4*lane)}, k.As32())
			SHLQ(Imm(4), k)
			from := Mem{Base: v.particles, Index: k, Scale: 1}
			if lane == 0 {
				VBROADCASTI128(from, row[j]) // all of the register, as avo must know that what it held is done with
			} else {
				VINSERTI128(Imm(1), from, row[j], row[j])
			}
		}
	}
	low, high := YMM(), YMM()
	VPUNPCKLDQ(row[1], row[0], low)
	VPUNPCKHDQ(row[1], row[0], row[0])
	VPUNPCKLDQ(row[3], row[2], high)
	VPUNPCKHDQ(row[3], row[2], row[2])
	x, y, z, s := YMM(), low, YMM(), row[0]
	VPUNPCKLQDQ(high, low, x)
	VPUNPCKHQDQ(high, low, y)
	VPUNPCKLQDQ(row[2], row[0], z)
	VPUNPCKHQDQ(row[2], row[0], s)
	near := YMM()
	VPCMPGTD(v.numbers, v.left, near)
	body([3]VecVirtual{x, y, z}, s, near)
	VPSUBD(v.eight, v.left, v.left)
	ADDQ(Imm(32), v.list)
	SUBQ(Imm(8), v.n)
	JG(LabelRef("block"))
}

// distance returns the squared distance, in units of the places.
func (v *pairs256) distance(x [3]VecVirtual, y [3]Mem) VecVirtual {
	r := YMM()
	for k := range 3 {
		d := r
		if k > 0 {
			d = YMM()
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

// scale returns 1/s^2 of pairs of diameters a and b, in units of the places.
func (v *pairs256) scale(a Mem, b VecVirtual) VecVirtual {
	s, f := YMM(), YMM()
	VSUBPS(a, b, f)
	VADDPS(a, b, s)
	VANDPS(v.positive, f, f)
	VMULPS(v.epsilon, f, f)
	e := YMM()
	VMOVUPS(v.half, e)
	VSUBPS(f, e, f) // 1/2 - epsilon/2 |a-b|
	VMULPS(f, s, s)
	VMULPS(s, s, s)
	VDIVPS(s, v.unit, s)
	return s
}

// add adds the energies of pairs at squared distance r.
func (v *pairs256) add(r, scale, sum, near VecVirtual) {
	q, inside, u, w := YMM(), YMM(), YMM(), YMM()
	VMULPS(scale, r, q)
	VDIVPS(q, v.one, u)
	VCMPPS(Imm(1), v.cut, q, inside)
	VANDPS(near, inside, inside)
	VMOVAPS(v.c4, w)
	VFMADD213PS(v.c2, q, w)
	VFMADD213PS(v.c0, q, w)
	cube := q
	VMULPS(u, u, cube)
	VMULPS(u, cube, cube)
	VFMADD231PS(cube, cube, w)
	VANDPS(inside, w, w)
	VADDPS(w, sum, sum)
}

// total256 stores the sum of eight numbers.
func total256(sum VecVirtual, name string) {
	half, t := XMM(), XMM()
	VEXTRACTF128(Imm(1), sum, half)
	VADDPS(half, sum.AsX(), half)
	VMOVHLPS(half, half, t)
	VADDPS(t, half, half)
	VMOVSHDUP(half, t)
	VADDSS(t, half, half)
	Store(half, Return(name))
}

func estimates256() {
	GLOBL("pairsNumbers", RODATA|NOPTR)
	for lane := range 8 {
		DATA(4*lane, U32(lane))
	}
	eight("pairsEight", 8)
	eight("pairsOne", 0x3f800000)

	empty := func() VecVirtual {
		r := YMM()
		VXORPS(r, r, r)
		return r
	}

	TEXT("moved256", NOSPLIT, "func(p *float32, particles, list *int32, n int, self, x *int32) (before, after float32)")
	Doc("moved256 is Pairs.Moved.")
	v := newPairs256()
	self := Load(Param("self"), GP64())
	a := v.keep(Mem{Base: self, Disp: 12})
	from, to := v.place(self), v.place(Load(Param("x"), GP64()))
	before, after := empty(), empty()
	v.each(func(x [3]VecVirtual, s, near VecVirtual) {
		scale := v.scale(a, s)
		v.add(v.distance(x, from), scale, before, near)
		v.add(v.distance(x, to), scale, after, near)
	})
	total256(before, "before")
	total256(after, "after")
	VZEROUPPER()
	RET()

	TEXT("resized256", NOSPLIT, "func(p *float32, particles, list *int32, n int, self *int32, a float32, except int32, enough float32) (before, after float32)")
	Doc("resized256 is Pairs.Resized.")
	v = newPairs256()
	self = Load(Param("self"), GP64())
	a = v.keep(Mem{Base: self, Disp: 12})
	b, except, enough := v.keep(address("a")), v.keep(address("except")), v.keep(address("enough"))
	at := v.place(self)
	before, after = empty(), empty()
	v.each(func(x [3]VecVirtual, s, near VecVirtual) {
		same := YMM()
		VMOVDQU(except, same)
		VPCMPEQD(Mem{Base: v.list}, same, same)
		VPANDN(near, same, near)
		r := v.distance(x, at)
		v.add(r, v.scale(a, s), before, near)
		v.add(r, v.scale(b, s), after, near)
		more, bits := YMM(), GP32()
		VSUBPS(before, after, more)
		VCMPPS(Imm(14), enough, more, more) // more > enough
		VMOVMSKPS(more, bits)
		TESTL(bits, bits)
		JNZ(LabelRef("end"))
	})
	Label("end")
	total256(before, "before")
	total256(after, "after")
	VZEROUPPER()
	RET()
}
