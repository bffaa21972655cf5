package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The transforms of Winograd's convolution F(4x4, 3x3) with the points 0, +-a, +-b
// and infinity, a = 1/sqrt 2 and b = sqrt 2. Each is a matrix applied to the columns
// and to the rows of a square; a vector holds one entry of the square for several
// channels. Because the points come in pairs, so do the entries: a pair shares its
// even and its odd part.
var (
	a = 1 / math.Sqrt2
	b = math.Sqrt2
)

// A transform maps in x in squares to out x out ones.
type transform struct {
	name    string
	in, out int
	pairs   []pair
	add     bool // to what is there
}

// A pair computes one or two entries of the transform of a vector x.
type pair struct {
	entries []int
	compute func(m machine, x func(i int) VecVirtual) []VecVirtual
}

var transforms = []transform{
	{name: "winogradInput", in: 6, out: 6, pairs: []pair{
		{[]int{1, 2}, func(m machine, x func(int) VecVirtual) []VecVirtual {
			return m.plusMinus(m.muladd(-2, x(2), x(4)), a, m.muladd(-2, x(1), x(3)))
		}},
		{[]int{3, 4}, func(m machine, x func(int) VecVirtual) []VecVirtual {
			return m.plusMinus(m.muladd(-0.5, x(2), x(4)), b, m.muladd(-0.5, x(1), x(3)))
		}},
		{[]int{0, 5}, func(m machine, x func(int) VecVirtual) []VecVirtual {
			return []VecVirtual{m.muladd(-2.5, x(2), m.sum(x(0), x(4))), m.muladd(-2.5, x(3), m.sum(x(1), x(5)))}
		}},
	}},
	{name: "winogradOutput", in: 6, out: 4, pairs: []pair{
		{[]int{0, 2}, func(m machine, x func(int) VecVirtual) []VecVirtual {
			s, t := m.sum(x(1), x(2)), m.sum(x(3), x(4))
			return []VecVirtual{m.sum(m.sum(s, t), x(0)), m.muladd(2, t, m.scaled(0.5, s))}
		}},
		{[]int{1, 3}, func(m machine, x func(int) VecVirtual) []VecVirtual {
			s, t := m.difference(x(1), x(2)), m.difference(x(3), x(4))
			return []VecVirtual{m.muladd(b, t, m.scaled(a, s)), m.muladd(2*b, t, m.muladd(a/2, s, x(5)))}
		}},
	}},
	{name: "winogradOutputGradient", in: 4, out: 6, pairs: []pair{
		{[]int{1, 2}, func(m machine, x func(int) VecVirtual) []VecVirtual {
			return m.plusMinus(m.muladd(0.5, x(2), x(0)), a, m.muladd(0.5, x(3), x(1)))
		}},
		{[]int{3, 4}, func(m machine, x func(int) VecVirtual) []VecVirtual {
			return m.plusMinus(m.muladd(2, x(2), x(0)), b, m.muladd(2, x(3), x(1)))
		}},
		{[]int{0, 5}, func(m machine, x func(int) VecVirtual) []VecVirtual { return []VecVirtual{x(0), x(3)} }},
	}},
	{name: "winogradInputGradient", in: 6, out: 6, add: true, pairs: []pair{
		{[]int{2, 4}, func(m machine, x func(int) VecVirtual) []VecVirtual {
			s, t := m.sum(x(1), x(2)), m.sum(x(3), x(4))
			return []VecVirtual{m.muladd(-0.5, t, m.muladd(-2, s, m.scaled(-2.5, x(0)))), m.sum(m.sum(s, t), x(0))}
		}},
		{[]int{1, 3}, func(m machine, x func(int) VecVirtual) []VecVirtual {
			s, t := m.difference(x(1), x(2)), m.difference(x(3), x(4))
			return []VecVirtual{m.muladd(-b/2, t, m.muladd(-2*a, s, x(5))), m.muladd(b, t, m.muladd(a, s, m.scaled(-2.5, x(5))))}
		}},
		{[]int{0, 5}, func(m machine, x func(int) VecVirtual) []VecVirtual { return []VecVirtual{x(0), x(5)} }},
	}},
	{name: "winogradWeights", in: 3, out: 6, pairs: []pair{
		{[]int{1, 2}, func(m machine, x func(int) VecVirtual) []VecVirtual {
			return m.plusMinus(m.muladd(-1/3., x(2), m.scaled(-2/3., x(0))), -2*a/3, x(1))
		}},
		{[]int{3, 4}, func(m machine, x func(int) VecVirtual) []VecVirtual {
			return m.plusMinus(m.muladd(1/3., x(2), m.scaled(1/6., x(0))), b/6, x(1))
		}},
		{[]int{0, 5}, func(m machine, x func(int) VecVirtual) []VecVirtual { return []VecVirtual{x(0), x(2)} }},
	}},
	{name: "winogradWeightsGradient", in: 6, out: 3, add: true, pairs: []pair{
		{[]int{0, 2}, func(m machine, x func(int) VecVirtual) []VecVirtual {
			s, t := m.sum(x(1), x(2)), m.sum(x(3), x(4))
			return []VecVirtual{m.muladd(1/6., t, m.muladd(-2/3., s, x(0))), m.muladd(1/3., t, m.muladd(-1/3., s, x(5)))}
		}},
		{[]int{1}, func(m machine, x func(int) VecVirtual) []VecVirtual {
			return []VecVirtual{m.muladd(b/6, m.difference(x(3), x(4)), m.scaled(-2*a/3, m.difference(x(1), x(2))))}
		}},
	}},
}

// A machine computes on vectors of so many lanes.
type machine struct {
	lanes  int
	vector func() VecVirtual
}

func (m machine) copied(x VecVirtual) VecVirtual {
	v := m.vector()
	VMOVAPS(x, v)
	return v
}

func (m machine) sum(x, y VecVirtual) VecVirtual {
	v := m.vector()
	VADDPS(x, y, v)
	return v
}

func (m machine) difference(x, y VecVirtual) VecVirtual {
	v := m.vector()
	VSUBPS(y, x, v)
	return v
}

func (m machine) scaled(c float64, x VecVirtual) VecVirtual {
	v := m.vector()
	VMULPS(constant(c), x, v)
	return v
}

// muladd returns c x + y.
func (m machine) muladd(c float64, x, y VecVirtual) VecVirtual {
	v := m.copied(y)
	VFMADD231PS(constant(c), x, v)
	return v
}

// plusMinus returns x + c y and x - c y.
func (m machine) plusMinus(x VecVirtual, c float64, y VecVirtual) []VecVirtual {
	minus := m.copied(x)
	VFNMADD231PS(constant(c), y, minus)
	return []VecVirtual{m.muladd(c, y, x), minus}
}

// constants are vectors of 16 equal values in memory, made on their first use.
var constants = map[float32]Mem{}

func constant(c float64) Mem {
	key := float32(c)
	if _, ok := constants[key]; !ok {
		panic(fmt.Sprintf("constant %v is not declared", c))
	}
	return constants[key]
}

func declareConstants() {
	for i, c := range []float64{0.5, -0.5, 2, -2, -2.5, a, b, a / 2, 2 * b, -b / 2, -2 * a, -1 / 3., 1 / 3., -2 / 3., 1 / 6., -2 * a / 3, b / 6} {
		if _, ok := constants[float32(c)]; ok {
			continue
		}
		m := GLOBL(fmt.Sprintf("winograd%d", i), RODATA|NOPTR)
		for lane := range 16 {
			DATA(4*lane, U32(math.Float32bits(float32(c)))) // F32(2) would be the integer
		}
		constants[float32(c)] = m
	}
}

func winograd() {
	declareConstants()
	for _, t := range transforms {
		t.generate("512", machine{16, func() VecVirtual { return ZMM() }})
		t.generate("256", machine{8, func() VecVirtual { return YMM() }})
	}
}

// A square lies in memory with its rows and columns so far apart.
type square struct{ at, third, row, col Register }

// point sets the pointers of a square to an address.
func (s square) point(at Register) {
	MOVQ(at, s.at)
	LEAQ(Mem{Base: at, Index: s.row, Scale: 2}, s.third)
	ADDQ(s.row, s.third)
}

// down is the entry i rows below.
func (s square) down(i int) Mem {
	m := Mem{Base: s.at}
	if i >= 3 {
		m.Base, i = s.third, i-3
	}
	if i > 0 {
		m.Index, m.Scale = s.row, uint8(i)
	}
	return m
}

func (t transform) generate(name string, m machine) {
	name = t.name + name
	TEXT(name, NOSPLIT, "func(tiles, vectors int, dst *float32, dstRow, dstCol, dstTile int, src *float32, srcRow, srcCol, srcTile int)")
	Doc(fmt.Sprintf("%s transforms squares of %d x %d to %d x %d, for so many tiles and vectors of channels.", name, t.in, t.in, t.out, t.out))
	from := square{GP64(), GP64(), bytes("srcRow"), bytes("srcCol")}
	to := square{GP64(), GP64(), bytes("dstCol"), bytes("dstRow")} // written row after row
	src, dst := Load(Param("src"), GP64()), Load(Param("dst"), GP64())
	vectors, line, step := GP64(), GP64(), GP64()

	Label("tile")
	MOVQ(parameter("vectors"), vectors)
	Label("vector")
	for _, p := range t.pairs {
		half := make([][]VecVirtual, len(p.entries)) // this pair of entries of each column
		from.point(src)
		for j := range t.in {
			loaded := map[int]VecVirtual{}
			for k, v := range p.compute(m, func(i int) VecVirtual {
				if loaded[i] == nil {
					loaded[i] = m.vector()
					VMOVUPS(from.down(i), loaded[i])
				}
				return loaded[i]
			}) {
				half[k] = append(half[k], v)
			}
			if j < t.in-1 {
				ADDQ(from.col, from.at)
				ADDQ(from.col, from.third)
			}
		}
		for k, row := range p.entries {
			IMUL3Q(Imm(uint64(row)), to.col, line)
			ADDQ(dst, line)
			to.point(line)
			for _, q := range t.pairs {
				for e, v := range q.compute(m, func(i int) VecVirtual { return half[k][i] }) {
					out := to.down(q.entries[e])
					if t.add {
						v = m.copied(v)
						VADDPS(out, v, v)
					}
					VMOVUPS(v, out)
				}
			}
		}
	}
	ADDQ(Imm(uint64(4*m.lanes)), src)
	ADDQ(Imm(uint64(4*m.lanes)), dst)
	DECQ(vectors)
	JNZ(LabelRef("vector"))
	// Back over the channels, on to the next tile.
	MOVQ(parameter("vectors"), step)
	IMUL3Q(Imm(uint64(4*m.lanes)), step, step)
	SUBQ(step, src)
	SUBQ(step, dst)
	for _, next := range []struct {
		name string
		at   Register
	}{{"srcTile", src}, {"dstTile", dst}} {
		MOVQ(parameter(next.name), step)
		SHLQ(Imm(2), step)
		ADDQ(step, next.at)
	}
	DECQ(parameter("tiles"))
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}
