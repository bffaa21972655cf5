package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A pixelLoop goes over the pixels of some lines, whose channels are the entries that
// follow each other: for each two vectors of channels over all pixels, with parameters and
// sums of the channels in registers. Sums are of single precision over these lines, and
// added to those of double precision in memory.
type pixelLoop struct {
	name, doc string
	lines     []string // of pixels, all as wide, in several fields
	near      string   // that of the lines which is a buffer in the cache
	params    []string // one value a channel
	sums      []string // one double a channel
	body      func(l func(string) Mem, p, s map[string]VecVirtual)
}

func channels() {
	for _, m := range machines {
		m.pixelLoops()
	}
	poolForward()
	poolBackward()
}

func (m machine) pixelLoops() {
	for _, rectify := range []bool{false, true} {
		for _, residual := range []bool{false, true} {
			pixelLoop{normalizeName(rectify, residual), "y = x scale + shift (+ r), rectified or not", append([]string{"y", "x"}, only(residual, "r")...), "", []string{"scale", "shift"}, nil,
				func(l func(string) Mem, p, _ map[string]VecVirtual) {
					y := m.vector()
					VMOVAPS(p["shift"], y)
					VFMADD231PS(l("x"), p["scale"], y)
					if residual {
						VADDPS(l("r"), y, y)
					}
					if rectify {
						m.rectify(y)
					}
					VMOVUPS(y, l("y"))
				}}.generate(m)
		}
	}
	pixelLoop{"biasRelu", "y = max(y + bias, 0), NaN where it is", []string{"y"}, "", []string{"bias"}, nil,
		func(l func(string) Mem, p, _ map[string]VecVirtual) {
			y := m.vector()
			VADDPS(l("y"), p["bias"], y)
			m.rectify(y)
			VMOVUPS(y, l("y"))
		}}.generate(m)
	pixelLoop{"moments", "the sums of x - origin and its square", []string{"x"}, "", []string{"origin"}, []string{"sum", "square"},
		func(l func(string) Mem, p, s map[string]VecVirtual) {
			x := m.vector()
			VMOVUPS(l("x"), x)
			VSUBPS(p["origin"], x, x)
			VADDPS(x, s["sum"], s["sum"])
			VFMADD231PS(x, x, s["square"])
		}}.generate(m)
	for _, rectify := range []bool{false, true} {
		for _, norm := range []bool{false, true} {
			pixelLoop{slopesName(rectify, norm), "the sums of dy and dy (x - center); where y is given, dy = 0 where y <= 0 before", append(append([]string{"dy"}, only(rectify, "y")...), only(norm, "x")...), "", only(norm, "center"), append([]string{"sum"}, only(norm, "product")...),
				func(l func(string) Mem, p, s map[string]VecVirtual) {
					g := m.vector()
					if rectify {
						m.wherePositive(l("y"), l("dy"), g)
						VMOVUPS(g, l("dy"))
					} else {
						VMOVUPS(l("dy"), g)
					}
					VADDPS(g, s["sum"], s["sum"])
					if norm {
						x := m.vector()
						VMOVUPS(l("x"), x)
						VSUBPS(p["center"], x, x)
						VFMADD231PS(g, x, s["product"])
					}
				}}.generate(m)
		}
	}
	pixelLoop{"slopesNormalized", "the sums of dy and dy (x - center); dy = 0 where x scale + shift <= 0 before", []string{"dy", "x"}, "", []string{"scale", "shift", "center"}, []string{"sum", "product"},
		func(l func(string) Mem, p, s map[string]VecVirtual) {
			x, y, g := m.vector(), m.vector(), m.vector()
			VMOVUPS(l("x"), x)
			VMOVAPS(p["shift"], y)
			VFMADD231PS(x, p["scale"], y) // the bits of normalizeRelu
			m.wherePositive(y, l("dy"), g)
			VMOVUPS(g, l("dy"))
			VADDPS(g, s["sum"], s["sum"])
			VSUBPS(p["center"], x, x)
			VFMADD231PS(g, x, s["product"])
		}}.generate(m)
	pixelLoop{"combine", "dx = a dy + b x + c", []string{"dx", "dy", "x"}, "dx", []string{"a", "b", "c"}, nil,
		func(l func(string) Mem, p, _ map[string]VecVirtual) {
			x := m.vector()
			VMOVAPS(p["c"], x)
			VFMADD231PS(l("x"), p["b"], x)
			VFMADD231PS(l("dy"), p["a"], x)
			VMOVUPS(x, l("dx"))
		}}.generate(m)
}

func only(yes bool, name string) []string {
	if yes {
		return []string{name}
	}
	return nil
}

func normalizeName(rectify, residual bool) string {
	name := "normalize"
	if residual {
		name += "Add"
	}
	if rectify {
		name += "Relu"
	}
	return name
}

func slopesName(rectify, norm bool) string {
	name := "slopes"
	if rectify {
		name += "Relu"
	}
	if norm {
		name += "Norm"
	}
	return name
}

// rectify sets x to max(x, 0), and NaN to NaN.
func (m machine) rectify(x VecVirtual) {
	VMAXPS(x, m.zero(), x) // of a NaN and a number, the last source
}

// wherePositive sets g to dy where 0 < y, and to zero elsewhere.
func (m machine) wherePositive(y, dy Op, g VecVirtual) {
	if m.lanes == 16 {
		k := K()
		VCMPPS(Imm(1), y, m.zero(), k)
		VMOVUPS_Z(dy, k, g)
		return
	}
	VCMPPS(Imm(1), y, m.zero(), g)
	VANDPS(dy, g, g)
}

func (m machine) zero() VecVirtual {
	v := m.vector()
	width{lanes: m.lanes}.zero(v)
	return v
}

func (k pixelLoop) generate(m machine) {
	signature := "func(lines, pixels, vectors, width int"
	for _, l := range k.lines {
		signature += ", " + l + " *float32, " + l + "Pitch int"
	}
	for _, p := range k.params {
		signature += ", " + p + " *float32"
	}
	for _, s := range k.sums {
		signature += ", " + s + " *float64"
	}
	name := k.name + m.name()
	TEXT(name, NOSPLIT, signature+")")
	Doc(fmt.Sprintf("%s computes %s, for each of so many lines of so many pixels, width entries apart, and vectors of %d channels.", name, k.doc, m.lanes))
	at := map[string]Register{}
	for _, l := range k.lines {
		at[l] = GP64()
		SHLQ(Imm(2), parameter(l+"Pitch"))
	}
	width, channel, offset, count, left, table := bytes("width"), GP64(), GP64(), GP64(), GP64(), GP64()
	size := 4 * m.lanes
	XORQ(channel, channel)
	// Four lines ahead, if a pixel of border is at either end: the next line of Winograd's tiles. The CPU itself stops
	// at the end of each page.
	ahead, far := GP64(), GP64()
	MOVQ(parameter("pixels"), ahead)
	ADDQ(Imm(2), ahead)
	SHLQ(Imm(2), ahead)
	IMULQ(width, ahead)
	// together takes so many vectors of channels at a time: with two, sums of one need not
	// wait for each other, and a line of the cache is read at once.
	together := func(n int, label string) {
		params, sums := make([]map[string]VecVirtual, n), make([]map[string]VecVirtual, n)
		for i := range n {
			params[i], sums[i] = map[string]VecVirtual{}, map[string]VecVirtual{}
		}
		for _, p := range k.params {
			MOVQ(parameter(p), table)
			for i := range n {
				params[i][p] = m.vector()
				VMOVUPS(Mem{Base: table, Index: channel, Scale: 1, Disp: size * i}, params[i][p])
			}
		}
		for _, s := range k.sums {
			for i := range n {
				sums[i][s] = m.zero()
			}
		}
		for _, l := range k.lines {
			MOVQ(parameter(l), at[l])
		}
		MOVQ(parameter("lines"), left)
		Label(label + "_line")
		MOVQ(channel, offset)
		LEAQ(Mem{Base: channel, Index: ahead, Scale: 1}, far)
		MOVQ(parameter("pixels"), count)
		Label(label)
		for _, l := range k.lines {
			for line := 0; line < n*size/64 && l != k.near; line++ {
				fetch(Mem{Base: at[l], Index: far, Scale: 1, Disp: 64 * line})
			}
		}
		for i := range n {
			k.body(func(l string) Mem { return Mem{Base: at[l], Index: offset, Scale: 1, Disp: size * i} }, params[i], sums[i])
		}
		ADDQ(width, offset)
		ADDQ(width, far)
		DECQ(count)
		JNZ(LabelRef(label))
		for _, l := range k.lines {
			ADDQ(parameter(l+"Pitch"), at[l])
		}
		DECQ(left)
		JNZ(LabelRef(label + "_line"))
		for _, s := range k.sums {
			MOVQ(parameter(s), table)
			for i := range n {
				for h := range m.lanes / 4 {
					quarter, double := XMM(), YMM()
					if m.lanes == 16 {
						VEXTRACTF32X4(Imm(uint64(h)), sums[i][s], quarter)
					} else {
						VEXTRACTF128(Imm(uint64(h)), sums[i][s], quarter)
					}
					VCVTPS2PD(quarter, double)
					to := Mem{Base: table, Index: channel, Scale: 2, Disp: 2*size*i + 32*h}
					VADDPD(to, double, double)
					VMOVUPD(double, to)
				}
			}
		}
		ADDQ(Imm(uint64(size*n)), channel)
	}
	SUBQ(Imm(2), parameter("vectors"))
	JB(LabelRef("single"))
	Label("pair")
	together(2, "pixels")
	SUBQ(Imm(2), parameter("vectors"))
	JAE(LabelRef("pair"))
	Label("single")
	ADDQ(Imm(2), parameter("vectors"))
	JZ(LabelRef("done"))
	together(1, "pixel")
	Label("done")
	VZEROUPPER()
	RET()
}

// poolForward generates the maximum over windows of 2 x 2 of one line of outputs. The
// vectors of a pixel may reach into the next, which is written later; of the last one
// of the line only tail lanes are written.
func poolForward() {
	TEXT("maxPool256", NOSPLIT, "func(pixels, vectors, width int, y, top, bottom *float32, tail int)")
	Doc("maxPool256 stores the maxima of 2 x 2 pixels of width channels, read and written in so many vectors of 8.")
	y, top, bottom := Load(Param("y"), GP64()), Load(Param("top"), GP64()), Load(Param("bottom"), GP64())
	width := bytes("width")
	pixels, vectors, offset := Load(Param("pixels"), GP64()), GP64(), GP64()
	Label("pixel")
	XORQ(offset, offset)
	MOVQ(parameter("vectors"), vectors)
	Label("vector")
	best, right := YMM(), GP64()
	at := func(base Register) Mem { return Mem{Base: base, Index: offset, Scale: 1} }
	MOVQ(offset, right)
	ADDQ(width, right)
	VMOVUPS(at(top), best)
	for _, m := range []Mem{{Base: top, Index: right, Scale: 1}, at(bottom), {Base: bottom, Index: right, Scale: 1}} {
		// The larger, or a NaN of either: the sum of both is NaN then.
		other, sum, nan := YMM(), YMM(), YMM()
		VMOVUPS(m, other)
		VADDPS(best, other, sum)
		VCMPPS(Imm(3), best, other, nan) // unordered
		VMAXPS(other, best, best)
		VBLENDVPS(nan, sum, best, best)
	}
	CMPQ(parameter("tail"), Imm(8))
	JGE(LabelRef("whole"))
	CMPQ(pixels, Imm(1))
	JNE(LabelRef("whole"))
	CMPQ(vectors, Imm(1))
	JNE(LabelRef("whole"))
	LEAQ(at(y), right)
	pieces(best, right, parameter("tail"), "piece")
	JMP(LabelRef("done"))
	Label("whole")
	VMOVUPS(best, at(y))
	Label("done")
	ADDQ(Imm(32), offset)
	DECQ(vectors)
	JNZ(LabelRef("vector"))
	ADDQ(width, y)
	LEAQ(Mem{Base: top, Index: width, Scale: 2}, top)
	LEAQ(Mem{Base: bottom, Index: width, Scale: 2}, bottom)
	DECQ(pixels)
	JNZ(LabelRef("pixel"))
	VZEROUPPER()
	RET()
}

// poolBackward generates the gradient: dy goes to the first of the four that has the
// maximum, where that is positive or everywhere.
func poolBackward() {
	TEXT("maxPoolBackward256", NOSPLIT, "func(pixels, vectors, width int, dTop, dBottom, dy, y, top, bottom *float32, tail int)")
	Doc("maxPoolBackward256 stores the gradient of maxPool256 with respect to its inputs.")
	dTop, dBottom, dy := Load(Param("dTop"), GP64()), Load(Param("dBottom"), GP64()), Load(Param("dy"), GP64())
	y, top, bottom := Load(Param("y"), GP64()), Load(Param("top"), GP64()), Load(Param("bottom"), GP64())
	width := bytes("width")
	pixels, vectors, offset, right := Load(Param("pixels"), GP64()), GP64(), GP64(), GP64()
	Label("pixel")
	XORQ(offset, offset)
	MOVQ(parameter("vectors"), vectors)
	Label("vector")
	MOVQ(offset, right)
	ADDQ(width, right)
	best, g := YMM(), YMM()
	VMOVUPS(Mem{Base: y, Index: offset, Scale: 1}, best)
	VMOVUPS(Mem{Base: dy, Index: offset, Scale: 1}, g)
	var parts [4]VecVirtual
	for i, m := range []Mem{{Base: top, Index: offset, Scale: 1}, {Base: top, Index: right, Scale: 1}, {Base: bottom, Index: offset, Scale: 1}, {Base: bottom, Index: right, Scale: 1}} {
		has := YMM()
		parts[i] = YMM()
		VCMPPS(Imm(0), m, best, has)
		VANDPS(has, g, parts[i])
		VANDNPS(g, has, g) // what is left for the next
	}
	to := []Mem{{Base: dTop, Index: offset, Scale: 1}, {Base: dTop, Index: right, Scale: 1}, {Base: dBottom, Index: offset, Scale: 1}, {Base: dBottom, Index: right, Scale: 1}}
	CMPQ(parameter("tail"), Imm(8))
	JGE(LabelRef("whole"))
	CMPQ(vectors, Imm(1))
	JNE(LabelRef("whole"))
	// The last vector of a pixel reaches into the next one's first. Where that is also
	// its last, it is written later; only that of the line's end is cut.
	CMPQ(parameter("vectors"), Imm(1))
	JNE(LabelRef("cut"))
	CMPQ(pixels, Imm(1))
	JNE(LabelRef("whole"))
	Label("cut")
	for i := range to {
		at := GP64()
		LEAQ(to[i], at)
		pieces(parts[i], at, parameter("tail"), fmt.Sprintf("piece%d", i))
	}
	JMP(LabelRef("done"))
	Label("whole")
	for i := range to {
		VMOVUPS(parts[i], to[i])
	}
	Label("done")
	ADDQ(Imm(32), offset)
	DECQ(vectors)
	JNZ(LabelRef("vector"))
	ADDQ(width, y)
	ADDQ(width, dy)
	for _, r := range []Register{top, bottom, dTop, dBottom} {
		LEAQ(Mem{Base: r, Index: width, Scale: 2}, r)
	}
	DECQ(pixels)
	JNZ(LabelRef("pixel"))
	VZEROUPPER()
	RET()
}
