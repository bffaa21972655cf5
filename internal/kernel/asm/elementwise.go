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
	// gradient with weight decay
	decayed := func(p func(string) Mem, c map[string]VecVirtual) (w, g VecVirtual) {
		w, g = YMM(), YMM()
		VMOVUPS(p("w"), w)
		VMULPS(w, c["decay"], g)
		VADDPS(p("grad"), g, g)
		return w, g
	}
	loop("sgd256", "w -= lr (g + decay w)", []string{"w", "grad"}, []string{"lr", "decay"}, func(p func(string) Mem, c map[string]VecVirtual) {
		w, g := decayed(p, c)
		VMULPS(c["lr"], g, g)
		VSUBPS(g, w, w)
		VMOVUPS(w, p("w"))
	})
	loop("momentum256", "v = mu v + g + decay w; w -= lr v", []string{"w", "grad", "v"}, []string{"lr", "mu", "decay"}, func(p func(string) Mem, c map[string]VecVirtual) {
		w, g := decayed(p, c)
		v := YMM()
		VMULPS(p("v"), c["mu"], v)
		VADDPS(g, v, v)
		VMOVUPS(v, p("v"))
		VMULPS(c["lr"], v, v)
		VSUBPS(v, w, w)
		VMOVUPS(w, p("w"))
	})
	loop("nesterov256", "v = mu v + g + decay w; w -= lr (g + decay w + mu v)", []string{"w", "grad", "v"}, []string{"lr", "mu", "decay"}, func(p func(string) Mem, c map[string]VecVirtual) {
		w, g := decayed(p, c)
		v := YMM()
		VMULPS(p("v"), c["mu"], v)
		VADDPS(g, v, v)
		VMOVUPS(v, p("v"))
		VMULPS(c["mu"], v, v)
		VADDPS(v, g, g)
		VMULPS(c["lr"], g, g)
		VSUBPS(g, w, w)
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
}

// sum generates the sums of 16 lanes, two vectors.
func sum() {
	TEXT("sum256", NOSPLIT, "func(lanes, x *float32, n int)")
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
