package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// pairs512 computes eight neighbours at a time, before and after the move.
func pairs512() {
	one := GLOBL("pairsOne", RODATA|NOPTR)
	DATA(0, U64(0x3ff0000000000000))
	half := GLOBL("pairsHalf", RODATA|NOPTR)
	DATA(0, U64(0x3fe0000000000000))
	positive := GLOBL("pairsPositive", RODATA|NOPTR)
	DATA(0, U64(0x7fffffffffffffff))

	TEXT("pairs512", NOSPLIT, "func(p *float64, particles *int64, list *uint64, n int, reach float32, self, x *int64, a float64, except int32) (before, after float64)")
	Doc("pairs512 is Pairs.Change.")
	p := Load(Param("p"), GP64())
	spread := func(m Mem) VecVirtual {
		r := ZMM()
		VBROADCASTSD(m, r)
		return r
	}
	field := func(i int) VecVirtual { return spread(Mem{Base: p, Disp: 8 * i}) }
	cut, epsilon, c0, c2, c4, unit := field(0), field(1), field(2), field(3), field(4), field(5)
	ones, halves, abs := spread(one), spread(half), spread(positive)
	VMULPD(halves, epsilon, epsilon)

	type state struct {
		x   [3]VecVirtual
		s   VecVirtual
		sum VecVirtual
	}
	at := func(place Register) (v [3]VecVirtual) {
		for k := range v {
			v[k] = ZMM()
			VPBROADCASTQ(Mem{Base: place, Disp: 8 * k}, v[k])
		}
		return v
	}
	address := func(name string) Mem {
		r, err := Param(name).Resolve()
		if err != nil {
			panic(err)
		}
		return r.Addr
	}
	self := Load(Param("self"), GP64())
	before := state{x: at(self), s: spread(Mem{Base: self, Disp: 24}), sum: ZMM()}
	after := state{x: at(Load(Param("x"), GP64())), s: spread(address("a")), sum: ZMM()}
	VPXORQ(before.sum, before.sum, before.sum)
	VPXORQ(after.sum, after.sum, after.sum)
	reach, except := YMM(), YMM()
	VBROADCASTSS(address("reach"), reach)
	VPBROADCASTD(Load(Param("except"), GP32()), except)
	particles, list, n := Load(Param("particles"), GP64()), Load(Param("list"), GP64()), Load(Param("n"), GP64())
	bits, eight := GP64(), GP64()
	MOVQ(U32(8), eight)
	valid, near, inside := K(), K(), K()

	Label("block")
	MOVQ(n, bits)
	CMPQ(n, eight)
	CMOVQGT(eight, bits)
	full := GP32()
	MOVL(U32(0xff), full)
	BZHIL(bits.As32(), full, full)
	KMOVW(full, valid)
	{
		entries, d, k := ZMM(), YMM(), YMM()
		VMOVDQU64(Mem{Base: list}, entries)
		VPMOVQD(entries, k)
		VPSRLQ(Imm(32), entries, entries)
		VPMOVQD(entries, d)
		VCMPPS(Imm(2), reach, d, valid, near) // d <= reach
		KTESTB(near, near)
		JZ(LabelRef("done"))
		VPCMPD(Imm(4), except, k, near, near) // k != except
	}
	// Eight particles, turned from (x, y, z, s) into X, Y, Z, S.
	load := func(low, high int) VecVirtual {
		r := ZMM()
		a, b := GP64(), GP64()
		MOVLQSX(Mem{Base: list, Disp: 8 * low}, a)
		MOVLQSX(Mem{Base: list, Disp: 8 * high}, b)
		SHLQ(Imm(5), a)
		SHLQ(Imm(5), b)
		VMOVDQU64(Mem{Base: particles, Index: a, Scale: 1}, r.AsY())
		VINSERTI64X4(Imm(1), Mem{Base: particles, Index: b, Scale: 1}, r, r)
		return r
	}
	A, B, C, D := load(0, 2), load(1, 3), load(4, 6), load(5, 7)
	xz0, ys0, xz1, ys1 := ZMM(), ZMM(), ZMM(), ZMM()
	VPUNPCKLQDQ(B, A, xz0)
	VPUNPCKHQDQ(B, A, ys0)
	VPUNPCKLQDQ(D, C, xz1)
	VPUNPCKHQDQ(D, C, ys1)
	var place [3]VecVirtual
	for k := range place {
		place[k] = ZMM()
	}
	size := ZMM()
	VSHUFI64X2(Imm(0x88), xz1, xz0, place[0])
	VSHUFI64X2(Imm(0xdd), xz1, xz0, place[2])
	VSHUFI64X2(Imm(0x88), ys1, ys0, place[1])
	VSHUFI64X2(Imm(0xdd), ys1, ys0, size)

	for n, st := range []state{before, after} {
		r, t := ZMM(), ZMM()
		for k := range 3 {
			d := t
			if k == 0 {
				d = r
			}
			VPSUBQ(place[k], st.x[k], d)
			VCVTQQ2PD(d, d)
			if k == 0 {
				VMULPD(d, d, r)
			} else {
				VFMADD231PD(d, d, r)
			}
		}
		VMULPD(unit, r, r)
		s, e := ZMM(), ZMM()
		VSUBPD(size, st.s, e)
		VANDPD(abs, e, e)
		VADDPD(size, st.s, s)
		VFNMADD213PD(halves, epsilon, e) // 1/2 - epsilon/2 |a-b|
		VMULPD(e, s, s)
		VMULPD(s, s, s)
		VMULPD(cut, s, e)
		VCMPPD(Imm(1), e, r, near, inside)
		skip := []string{"after", "next"}[n]
		KTESTB(inside, inside)
		JZ(LabelRef(skip))
		// 1/(r s) serves for both q = r r/(r s) and 1/q = s s/(r s).
		VMULPD(s, r, e)
		VDIVPD(e, ones, e)
		q, u := r, s
		VMULPD(r, r, q)
		VMULPD(e, q, q)
		VMULPD(s, s, u)
		VMULPD(e, u, u)
		VMULPD(u, u, e)
		VMULPD(u, e, u) // q^-3
		v := ZMM()
		VMOVAPD(c2, v)
		VFMADD231PD(c4, q, v)
		VFMADD213PD(c0, q, v)
		VFMADD231PD(u, u, v)
		VADDPD(v, st.sum, inside, st.sum)
		Label(skip)

	}
	ADDQ(Imm(64), list)
	SUBQ(eight, n)
	JG(LabelRef("block"))
	Label("done")
	for _, st := range []struct {
		state
		name string
	}{{before, "before"}, {after, "after"}} {
		high, pair := YMM(), XMM()
		VEXTRACTF64X4(Imm(1), st.sum, high)
		VADDPD(high, st.sum.AsY(), high)
		VEXTRACTF64X2(Imm(1), high, pair)
		VADDPD(pair, high.AsX(), pair)
		other := XMM()
		VPERMILPD(Imm(1), pair, other)
		VADDSD(other, pair, pair)
		Store(pair, Return(st.name))
	}
	VZEROUPPER()
	RET()
}

// prefetch touches what a list leads to, and prefetchLines the list itself.
func prefetch() {
	TEXT("prefetch", NOSPLIT, "func(particles *int64, list *uint64, n int)")
	Doc("prefetch is Prefetch.")
	particles, list, n, k := Load(Param("particles"), GP64()), Load(Param("list"), GP64()), Load(Param("n"), GP64()), GP64()
	Label("entry")
	MOVLQSX(Mem{Base: list}, k)
	SHLQ(Imm(5), k)
	PREFETCHT0(Mem{Base: particles, Index: k, Scale: 1})
	ADDQ(Imm(8), list)
	DECQ(n)
	JNZ(LabelRef("entry"))
	RET()

	TEXT("prefetchLines", NOSPLIT, "func(list *uint64, lines int)")
	Doc("prefetchLines is PrefetchList.")
	at, lines := Load(Param("list"), GP64()), Load(Param("lines"), GP64())
	Label("line")
	PREFETCHT0(Mem{Base: at})
	ADDQ(Imm(64), at)
	DECQ(lines)
	JNZ(LabelRef("line"))
	RET()

	TEXT("prefetchPlace", NOSPLIT, "func(x *int64)")
	Doc("prefetchPlace is PrefetchPlace.")
	x := Load(Param("x"), GP64())
	PREFETCHT0(Mem{Base: x})
	RET()
}
