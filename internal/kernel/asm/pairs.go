package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// pairs is what the estimates share on AVX2: a loop over eight neighbours at a time. Its
// constants are in memory, eight lanes each, where instructions read them: sixteen
// registers are few.
//
// A pair energy is a long chain of instructions, each of which waits for the one before. So while
// the divisions of one block are under way, the places of the next are gathered.
type pairs struct {
	cut, epsilon, half, sign Mem
	c                        [4]Mem // of the pair energy
	one                      VecVirtual
	particles, list, left    Register
	stack                    Register
	used                     int
	x                        [3]VecVirtual // the present block
	s                        VecVirtual
}

// spreads is the room for numbers of one call.
const spreads = 14

func newPairs() *pairs {
	v := &pairs{stack: GP64(), one: YMM()}
	LEAQ(AllocLocal(32*spreads+24), v.stack)
	ADDQ(Imm(31), v.stack)
	ANDQ(I8(-32), v.stack)
	p := Load(Param("p"), GP64())
	field := func(i int) Mem { return Mem{Base: p, Disp: 32 * i} }
	v.cut, v.epsilon, v.half = field(0), field(1), field(2)
	for i := range v.c {
		v.c[i] = field(3 + i)
	}
	v.sign = NewDataAddr(Symbol{Name: "pairsPositive", Static: true}, 0)
	VMOVUPS(field(7), v.one)
	v.particles, v.list, v.left = Load(Param("particles"), GP64()), Load(Param("list"), GP64()), Load(Param("n"), GP64())
	v.s = YMM()
	for k := range v.x {
		v.x[k] = YMM()
	}
	return v
}

// keep spreads a number on the stack.
func (v *pairs) keep(m Mem) Mem {
	r, at := YMM(), v.room()
	VBROADCASTSS(m, r)
	VMOVAPS(r, at)
	return at
}

// room returns a place on the stack.
func (v *pairs) room() Mem {
	if v.used == spreads {
		panic("pairs: no room")
	}
	v.used++
	return Mem{Base: v.stack, Disp: 32 * (v.used - 1)}
}

// place spreads the three coordinates of a place.
func (v *pairs) place(at Register) (x [3]Mem) {
	for k := range x {
		x[k] = v.keep(Mem{Base: at, Disp: 4 * k})
	}
	return x
}

// gather fills x and s with eight particles: first in each register numbers j and j+4, then turned from
// (x, y, z, s) into X, Y, Z, S within groups of four.
func (v *pairs) gather(list Register) {
	var row [4]VecVirtual
	for j := range row {
		row[j] = YMM()
		for lane := range 2 {
			k := GP64()
			MOVL(Mem{Base: list, Disp: 4 * (j + 4*lane)}, k.As32())
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
	VPUNPCKLQDQ(high, low, v.x[0])
	VPUNPCKHQDQ(high, low, v.x[1])
	VPUNPCKLQDQ(row[2], row[0], v.x[2])
	VPUNPCKHQDQ(row[2], row[0], v.s)
}

// each runs first and then last for every eight neighbours. In between, x and s pass on to the next eight, if there are any.
func (v *pairs) each(first, last func()) {
	v.gather(v.list)
	Label("block")
	first()
	SUBQ(Imm(8), v.left)
	JLE(LabelRef("rest"))
	ADDQ(Imm(32), v.list)
	v.gather(v.list)
	last()
	JMP(LabelRef("block"))
	Label("rest")
	last()
}

// distance returns the squared distance to y, in units of the places.
func (v *pairs) distance(y [3]Mem) VecVirtual {
	r := YMM()
	for k := range 3 {
		d := r
		if k > 0 {
			d = YMM()
		}
		VPSUBD(y[k], v.x[k], d)
		VCVTDQ2PS(d, d)
		if k == 0 {
			VMULPS(d, d, r)
		} else {
			VFMADD231PS(d, d, r)
		}
	}
	return r
}

// size returns s_ij^2 of diameter a and those of the block, in units of the places.
func (v *pairs) size(a Mem) VecVirtual {
	s, f, e := YMM(), YMM(), YMM()
	VSUBPS(a, v.s, f)
	VANDPS(v.sign, f, f)
	VADDPS(a, v.s, s)
	VMOVUPS(v.epsilon, e)
	VFNMADD213PS(v.half, e, f) // 1/2 - epsilon/2 |a-b|
	VMULPS(f, s, s)
	VMULPS(s, s, s)
	return s
}

// leave makes the distance to the particle of that number no number, so that it is within no cut-off.
func (v *pairs) leave(except Mem, r VecVirtual) {
	same := YMM()
	VMOVUPS(except, same)
	VPCMPEQD(Mem{Base: v.list}, same, same)
	VORPS(same, r, r)
}

// inverse returns 1/x.
func (v *pairs) inverse(x VecVirtual) VecVirtual {
	y := YMM()
	VDIVPS(x, v.one, y)
	return y
}

// repulsive adds the energies of pairs of q = r/s and u = 1/q.
func (v *pairs) repulsive(q, u, sum VecVirtual) {
	inside, w := YMM(), YMM()
	VCMPPS(Imm(1), v.cut, q, inside)
	VMOVUPS(v.c[2], w)
	VFMADD213PS(v.c[1], q, w)
	VFMADD213PS(v.c[0], q, w)
	VMULPS(u, u, q)
	VMULPS(u, q, q)
	VFMADD231PS(q, q, w)
	VANDPS(inside, w, w)
	VADDPS(w, sum, sum)
}

// attractive adds the energies of pairs of q = r/s and u = 1/q, whose strengths are e, and to most the sum of
// their two terms' sizes.
func (v *pairs) attractive(q, u, e, sum, most VecVirtual) {
	inside, w := YMM(), YMM()
	VCMPPS(Imm(1), v.cut, q, inside)
	VMULPS(u, u, q)
	VMULPS(u, q, q)
	VMOVAPS(q, w)
	VFMSUB213PS(q, q, w)
	VFMADD213PS(q, q, q)
	VADDPS(v.c[0], w, w)
	VMULPS(e, w, w)
	VMULPS(e, q, q)
	VANDPS(inside, w, w)
	VANDPS(inside, q, q)
	VADDPS(w, sum, sum)
	VADDPS(q, most, most)
}

// strength returns e_ij of the block, for what is in large and small.
func (v *pairs) strength(large, small Mem) VecVirtual {
	e, is := YMM(), YMM()
	VCMPPS(Imm(14), v.c[1], v.s, is) // s > bound
	VMOVUPS(small, e)
	VBLENDVPS(is, large, e, e)
	return e
}

// times returns x y in x.
func times(y, x VecVirtual) VecVirtual {
	VMULPS(y, x, x)
	return x
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

func empty256() VecVirtual {
	r := YMM()
	VXORPS(r, r, r)
	return r
}

func estimates() {
	eight("pairsPositive", 0x7fffffff)
	moved256()
	resized256()
	movedLennard256()
	resizedLennard256()
}

func moved256() {
	TEXT("moved256", NOSPLIT, "func(p *float32, particles, list *int32, n int, self, x *int32) (before, after float32)")
	Doc("moved256 is Pairs.Moved.")
	v := newPairs()
	self := Load(Param("self"), GP64())
	a := v.keep(Mem{Base: self, Disp: 12})
	from, to := v.place(self), v.place(Load(Param("x"), GP64()))
	before, after := empty256(), empty256()
	var r [2]VecVirtual
	var s VecVirtual
	var inverse [3]VecVirtual
	v.each(func() {
		s = v.size(a)
		r = [2]VecVirtual{v.distance(from), v.distance(to)}
		inverse = [3]VecVirtual{v.inverse(s), v.inverse(r[0]), v.inverse(r[1])}
	}, func() {
		v.repulsive(times(inverse[0], r[0]), times(s, inverse[1]), before)
		v.repulsive(times(inverse[0], r[1]), times(s, inverse[2]), after)
	})
	total256(before, "before")
	total256(after, "after")
	VZEROUPPER()
	RET()
}

func resized256() {
	TEXT("resized256", NOSPLIT, "func(p *float32, particles, list *int32, n int, self *int32, a float32, except int32, enough float32) (before, after float32)")
	Doc("resized256 is Pairs.Resized.")
	v := newPairs()
	self := Load(Param("self"), GP64())
	a := v.keep(Mem{Base: self, Disp: 12})
	b, except, enough := v.keep(address("a")), v.keep(address("except")), v.keep(address("enough"))
	at := v.place(self)
	before, after := empty256(), empty256()
	var r VecVirtual
	var s [2]VecVirtual
	var inverse [3]VecVirtual
	v.each(func() {
		r = v.distance(at)
		s = [2]VecVirtual{v.size(a), v.size(b)}
		v.leave(except, r)
		inverse = [3]VecVirtual{v.inverse(r), v.inverse(s[0]), v.inverse(s[1])}
	}, func() {
		v.repulsive(times(r, inverse[1]), times(inverse[0], s[0]), before)
		v.repulsive(times(r, inverse[2]), times(inverse[0], s[1]), after)
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

func movedLennard256() {
	TEXT("movedLennard256", NOSPLIT, "func(p *float32, particles, list *int32, n int, self, x *int32) (before, after, most float32)")
	Doc("movedLennard256 is Pairs.Moved for Lennard and Jones's energy.")
	v := newPairs()
	self := Load(Param("self"), GP64())
	a := v.keep(Mem{Base: self, Disp: 12})
	from, to := v.place(self), v.place(Load(Param("x"), GP64()))
	strength := v.room()
	before, after, most := empty256(), empty256(), empty256()
	var r [2]VecVirtual
	var s VecVirtual
	var inverse [3]VecVirtual
	v.each(func() {
		VMOVAPS(v.strength(v.c[2], v.c[3]), strength)
		s = v.size(a)
		r = [2]VecVirtual{v.distance(from), v.distance(to)}
		inverse = [3]VecVirtual{v.inverse(s), v.inverse(r[0]), v.inverse(r[1])}
	}, func() {
		e := YMM()
		VMOVAPS(strength, e)
		v.attractive(times(inverse[0], r[0]), times(s, inverse[1]), e, before, most)
		v.attractive(times(inverse[0], r[1]), times(s, inverse[2]), e, after, most)
	})
	total256(before, "before")
	total256(after, "after")
	total256(most, "most")
	VZEROUPPER()
	RET()
}

func resizedLennard256() {
	TEXT("resizedLennard256", NOSPLIT, "func(p, q *float32, particles, list *int32, n int, self *int32, a float32, except int32) (before, after, most float32)")
	Doc("resizedLennard256 is Pairs.Resized for Lennard and Jones's energy, p with the present diameter's strengths, q with the other's.")
	v := newPairs()
	q := Load(Param("q"), GP64())
	self := Load(Param("self"), GP64())
	a := v.keep(Mem{Base: self, Disp: 12})
	b, except := v.keep(address("a")), v.keep(address("except"))
	at := v.place(self)
	old, new := v.room(), v.room()
	before, after, most := empty256(), empty256(), empty256()
	var r VecVirtual
	var s [2]VecVirtual
	var inverse [3]VecVirtual
	v.each(func() {
		VMOVAPS(v.strength(v.c[2], v.c[3]), old)
		VMOVAPS(v.strength(Mem{Base: q, Disp: v.c[2].Disp}, Mem{Base: q, Disp: v.c[3].Disp}), new)
		r = v.distance(at)
		s = [2]VecVirtual{v.size(a), v.size(b)}
		v.leave(except, r)
		inverse = [3]VecVirtual{v.inverse(r), v.inverse(s[0]), v.inverse(s[1])}
	}, func() {
		e := YMM()
		VMOVAPS(old, e)
		v.attractive(times(r, inverse[1]), times(inverse[0], s[0]), e, before, most)
		e = YMM()
		VMOVAPS(new, e)
		v.attractive(times(r, inverse[2]), times(inverse[0], s[1]), e, after, most)
	})
	total256(before, "before")
	total256(after, "after")
	total256(most, "most")
	VZEROUPPER()
	RET()
}

func address(name string) Mem {
	r, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return r.Addr
}

// eight is a constant of eight lanes.
func eight(name string, bits uint32) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for lane := range 8 {
		DATA(4*lane, U32(bits))
	}
	return m
}
