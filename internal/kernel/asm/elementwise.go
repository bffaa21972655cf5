package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// elementwise generates loops over vectors of 8 for AVX2. Products and sums are
// not fused: the bits are those of the plain Go version, wherever a slice is cut.
func elementwise() {
	zero, one, signBits := number("zero", 0), number("one", 1), repeated("signBits", 1<<31)
	loop("axpy256", "y += alpha x", []string{"x", "y"}, []string{"alpha"}, func(p func(string) Mem, c map[string]VecVirtual) {
		x := YMM()
		VMULPS(p("x"), c["alpha"], x)
		VADDPS(p("y"), x, x)
		VMOVUPS(x, p("y"))
	})
	loop("ema256", "avg = beta avg + rest g", []string{"avg", "grad"}, []string{"beta", "rest"}, func(p func(string) Mem, c map[string]VecVirtual) {
		x, y := YMM(), YMM()
		VMULPS(p("avg"), c["beta"], x)
		VMULPS(p("grad"), c["rest"], y)
		VADDPS(x, y, x)
		VMOVUPS(x, p("avg"))
	})
	loop("shift256", "y = max(y + b, low), NaN where it is", []string{"y"}, []string{"b", "low"}, func(p func(string) Mem, c map[string]VecVirtual) {
		x := YMM()
		VADDPS(p("y"), c["b"], x)
		VMAXPS(x, c["low"], x) // of a NaN and a number, the last source
		VMOVUPS(x, p("y"))
	})
	// gradient with weight decay
	decayed := func(p func(string) Mem, c map[string]VecVirtual) (w, g VecVirtual) {
		w, g = YMM(), YMM()
		VMOVUPS(p("w"), w)
		VMULPS(w, c["decay"], g)
		VADDPS(p("grad"), g, g)
		return w, g
	}
	// sign is the sign of m: 0 of 0, NaN of NaN.
	sign := func(m VecVirtual) VecVirtual {
		s, some := YMM(), YMM()
		VANDPS(signBits, m, s)
		VORPS(one, s, s)
		VCMPPS(Imm(4), zero, m, some) // m != 0
		VANDPS(some, s, s)
		VCMPPS(Imm(3), m, m, some) // NaN
		VORPS(some, s, s)
		return s
	}
	// finish takes lr d off w and then, with a step among the constants, step sign(m).
	finish := func(p func(string) Mem, c map[string]VecVirtual, w, d, m VecVirtual) {
		x := YMM()
		VMULPS(c["lr"], d, x)
		VSUBPS(x, w, w)
		if step, ok := c["step"]; ok {
			s := sign(m)
			VMULPS(step, s, s)
			VSUBPS(s, w, w)
		}
		VMOVUPS(w, p("w"))
	}
	// average moves m towards the gradient.
	average := func(p func(string) Mem, c map[string]VecVirtual) VecVirtual {
		m, t := YMM(), YMM()
		VMULPS(p("m"), c["beta"], m)
		VMULPS(p("grad"), c["rest"], t)
		VADDPS(t, m, m)
		VMOVUPS(m, p("m"))
		return m
	}
	velocity := func(p func(string) Mem, c map[string]VecVirtual, g VecVirtual) VecVirtual {
		v := YMM()
		VMULPS(p("v"), c["mu"], v)
		VADDPS(g, v, v)
		VMOVUPS(v, p("v"))
		return v
	}
	loop("sgd256", "w -= lr (g + decay w)", []string{"w", "grad"}, []string{"lr", "decay"}, func(p func(string) Mem, c map[string]VecVirtual) {
		w, g := decayed(p, c)
		finish(p, c, w, g, nil)
	})
	loop("averaged256", "m = beta m + rest g; w -= lr (g + decay w)", []string{"w", "grad", "m"}, []string{"lr", "decay", "beta", "rest"}, func(p func(string) Mem, c map[string]VecVirtual) {
		w, g := decayed(p, c)
		average(p, c)
		finish(p, c, w, g, nil)
	})
	loop("sgdSign256", "m = beta m + rest g; w -= lr (g + decay w); w -= step sign(m)", []string{"w", "grad", "m"}, []string{"lr", "decay", "beta", "rest", "step"}, func(p func(string) Mem, c map[string]VecVirtual) {
		w, g := decayed(p, c)
		finish(p, c, w, g, average(p, c))
	})
	for _, step := range [][]string{nil, {"step"}} {
		name, doc := "256", ""
		if step != nil {
			name, doc = "Sign256", "; w -= step sign(v)"
		}
		arrays, constants := []string{"w", "grad", "v"}, append([]string{"lr", "mu", "decay"}, step...)
		loop("momentum"+name, "v = mu v + g + decay w; w -= lr v"+doc, arrays, constants, func(p func(string) Mem, c map[string]VecVirtual) {
			w, g := decayed(p, c)
			v := velocity(p, c, g)
			finish(p, c, w, v, v)
		})
		loop("nesterov"+name, "v = mu v + g + decay w; w -= lr (g + decay w + mu v)"+doc, arrays, constants, func(p func(string) Mem, c map[string]VecVirtual) {
			w, g := decayed(p, c)
			v, d := velocity(p, c, g), YMM()
			VMULPS(c["mu"], v, d)
			VADDPS(d, g, d)
			finish(p, c, w, d, v)
		})
	}
	loop("signum256", "m = beta m + rest g; w -= lr (sign(m) + decay w)", []string{"w", "grad", "m"}, []string{"lr", "beta", "rest", "decay"}, func(p func(string) Mem, c map[string]VecVirtual) {
		w, d := YMM(), YMM()
		s := sign(average(p, c))
		VMOVUPS(p("w"), w)
		VMULPS(w, c["decay"], d)
		VADDPS(s, d, d)
		finish(p, c, w, d, nil)
	})
	loop("adam256", "Adam", []string{"w", "grad", "m", "v"}, []string{"coupled", "apart", "beta1", "rest1", "beta2", "rest2", "rate", "root", "epsilon"}, func(p func(string) Mem, c map[string]VecVirtual) {
		w, g, m, v, t := YMM(), YMM(), YMM(), YMM(), YMM()
		VMOVUPS(p("w"), w)
		VMULPS(w, c["coupled"], g)
		VADDPS(p("grad"), g, g)
		VMULPS(w, c["apart"], t)
		VSUBPS(t, w, w)
		VMULPS(p("m"), c["beta1"], m)
		VMULPS(g, c["rest1"], t)
		VADDPS(t, m, m)
		VMOVUPS(m, p("m"))
		VMULPS(g, c["rest2"], t)
		VMULPS(g, t, t)
		VMULPS(p("v"), c["beta2"], v)
		VADDPS(t, v, v)
		VMOVUPS(v, p("v"))
		VSQRTPS(v, v)
		VMULPS(c["root"], v, v)
		VADDPS(c["epsilon"], v, v)
		VMULPS(c["rate"], m, m)
		VDIVPS(v, m, m)
		VSUBPS(m, w, w)
		VMOVUPS(w, p("w"))
	})
	loop("relu256", "dst = max(x, 0), NaN where x is", []string{"dst", "x"}, nil, func(p func(string) Mem, _ map[string]VecVirtual) {
		x := YMM()
		VXORPS(x, x, x)
		VMAXPS(p("x"), x, x)
		VMOVUPS(x, p("dst"))
	})
	loop("reluBackward256", "dx = dy where y > 0, else 0", []string{"dx", "dy", "y"}, nil, func(p func(string) Mem, _ map[string]VecVirtual) {
		zero, mask := YMM(), YMM()
		VXORPS(zero, zero, zero)
		VCMPPS(Imm(1), p("y"), zero, mask) // 0 < y
		VANDPS(p("dy"), mask, mask)
		VMOVUPS(mask, p("dx"))
	})
	activations(one, signBits)
}

// sum generates the sums of 16 lanes, two vectors.
func sum() {
	TEXT("sum256", NOSPLIT, "func(lanes, x *float32, n int)")
	Pragma("noescape")
	Doc("sum256 stores in lanes[i], i < 16, the sum of x[i], x[i+16], ... for n a positive multiple of 16.")
	lanes, x, n := Load(Param("lanes"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	lo, hi := YMM(), YMM()
	VXORPS(lo, lo, lo)
	VXORPS(hi, hi, hi)
	Label("vector")
	VADDPS(Mem{Base: x}, lo, lo)
	VADDPS(Mem{Base: x, Disp: 32}, hi, hi)
	ADDQ(Imm(64), x)
	SUBQ(Imm(16), n)
	JNZ(LabelRef("vector"))
	VMOVUPS(lo, Mem{Base: lanes})
	VMOVUPS(hi, Mem{Base: lanes, Disp: 32})
	VZEROUPPER()
	RET()
}

// loop generates a loop over slices of n entries, n a positive multiple of 8.
func loop(name, doc string, slices, constants []string, body func(p func(string) Mem, c map[string]VecVirtual)) {
	signature := "func("
	for _, s := range slices {
		signature += s + " *float32, "
	}
	signature += "n int"
	for _, c := range constants {
		signature += ", " + c + " float32"
	}
	TEXT(name, NOSPLIT, signature+")")
	Doc(fmt.Sprintf("%s computes %s for n a positive multiple of 8.", name, doc))
	pointer := map[string]Register{}
	for _, s := range slices {
		pointer[s] = Load(Param(s), GP64())
	}
	n := Load(Param("n"), GP64())
	constant := map[string]VecVirtual{}
	for _, c := range constants {
		argument, err := Param(c).Resolve()
		if err != nil {
			panic(err)
		}
		constant[c] = YMM()
		VBROADCASTSS(argument.Addr, constant[c])
	}
	offset := GP64()
	XORQ(offset, offset)
	Label("vector")
	body(func(s string) Mem { return Mem{Base: pointer[s], Index: offset, Scale: 4} }, constant)
	ADDQ(Imm(8), offset)
	CMPQ(offset, n)
	JLT(LabelRef("vector"))
	VZEROUPPER()
	RET()
}
