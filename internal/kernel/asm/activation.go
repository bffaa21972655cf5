package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// repeated is a vector of 8 times this word.
func repeated(name string, word uint32) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(word))
	}
	return m
}

func number(name string, x float32) Mem { return repeated(name, math.Float32bits(x)) }

// activations generates sigmoid and tanh, operation by operation as the plain Go
// versions; see there.
func activations(one, sign Mem) {
	var (
		two  = number("two", 2)
		most = number("expMost", 88)
		log2 = number("expLog2e", math.Log2E)
		ties = number("expTies", 3<<22)
		high = number("expLn2High", 0.693359375)
		low  = number("expLn2Low", -2.12194440e-4)
		exp  = numbers("exp", 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
		near = number("tanhNear", 0.625)
		tanh = numbers("tanh", -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)
	)
	polynomial := func(x VecVirtual, coefficients []Mem) VecVirtual {
		p := YMM()
		VMULPS(coefficients[0], x, p)
		VADDPS(coefficients[1], p, p)
		for _, c := range coefficients[2:] {
			VMULPS(x, p, p)
			VADDPS(c, p, p)
		}
		return p
	}
	// decay returns exp(-x) for x >= 0, which it overwrites.
	decay := func(x VecVirtual) VecVirtual {
		k, n, t := YMM(), YMM(), YMM()
		VMOVUPS(most, t)
		VMINPS(x, t, x) // NaN stays
		VXORPS(sign, x, x)
		VMULPS(log2, x, k)
		VADDPS(ties, k, k)
		VSUBPS(ties, k, n)
		VPSLLD(Imm(23), k, k)
		VPADDD(one, k, k) // 2^n
		VMULPS(high, n, t)
		VSUBPS(t, x, x)
		VMULPS(low, n, t)
		VSUBPS(t, x, x)
		p := polynomial(x, exp)
		VMULPS(x, x, t)
		VMULPS(t, p, p)
		VADDPS(x, p, p)
		VADDPS(one, p, p)
		VMULPS(k, p, p)
		return p
	}

	loop("sigmoid256", "y = 1/(1 + exp(-x))", []string{"y", "x"}, nil, func(p func(string) Mem, _ map[string]VecVirtual) {
		x, a, d := YMM(), YMM(), YMM()
		VMOVUPS(p("x"), x)
		VMOVUPS(sign, a)
		VANDNPS(x, a, a)
		e := decay(a)
		VADDPS(one, e, d)
		VMOVUPS(one, a)
		VBLENDVPS(x, e, a, e)
		VDIVPS(d, e, e)
		VMOVUPS(e, p("y"))
	})
	loop("tanh256", "y = tanh x", []string{"y", "x"}, nil, func(p func(string) Mem, _ map[string]VecVirtual) {
		x, a, z, d, small := YMM(), YMM(), YMM(), YMM(), YMM()
		VMOVUPS(p("x"), x)
		VMOVUPS(sign, a)
		VANDNPS(x, a, a)
		VMULPS(a, a, z)
		q := polynomial(z, tanh)
		VMULPS(z, q, q)
		VMULPS(a, q, q)
		VADDPS(a, q, q)
		VCMPPS(Imm(1), near, a, small) // a < near
		VANDPS(sign, x, x)
		VADDPS(a, a, a)
		e := decay(a)
		VADDPS(one, e, d)
		VMULPS(two, e, e)
		VDIVPS(d, e, e)
		VMOVUPS(one, d)
		VSUBPS(e, d, e)
		VBLENDVPS(small, q, e, e)
		VORPS(x, e, e)
		VMOVUPS(e, p("y"))
	})
	loop("sigmoidBackward256", "dx = dy y (1 - y)", []string{"dx", "dy", "y"}, nil, func(p func(string) Mem, _ map[string]VecVirtual) {
		y, rest := YMM(), YMM()
		VMOVUPS(p("y"), y)
		VMOVUPS(one, rest)
		VSUBPS(y, rest, rest)
		VMULPS(p("dy"), y, y)
		VMULPS(rest, y, y)
		VMOVUPS(y, p("dx"))
	})
	loop("tanhBackward256", "dx = dy (1 - y y)", []string{"dx", "dy", "y"}, nil, func(p func(string) Mem, _ map[string]VecVirtual) {
		y, rest := YMM(), YMM()
		VMOVUPS(p("y"), y)
		VMULPS(y, y, y)
		VMOVUPS(one, rest)
		VSUBPS(y, rest, rest)
		VMULPS(p("dy"), rest, rest)
		VMOVUPS(rest, p("dx"))
	})
}

func numbers(name string, list ...float32) []Mem {
	var vectors []Mem
	for i, x := range list {
		vectors = append(vectors, number(fmt.Sprint(name, i), x))
	}
	return vectors
}
