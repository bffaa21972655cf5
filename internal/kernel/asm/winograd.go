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

// A pair computes one or two entries of the transform of a vector: its inputs are the
// values 0 to in-1.
type pair struct {
	entries []int
	compute func(p *program) []value
}

var transforms = []transform{
	{name: "winogradInput", in: 6, out: 6, pairs: []pair{
		{[]int{1, 2}, func(p *program) []value {
			return p.plusMinus(p.muladd(-2, 2, 4), a, p.muladd(-2, 1, 3))
		}},
		{[]int{0, 5}, func(p *program) []value {
			return []value{p.muladd(-2.5, 2, p.sum(0, 4)), p.muladd(-2.5, 3, p.sum(1, 5))}
		}},
		{[]int{3, 4}, func(p *program) []value {
			return p.plusMinus(p.muladd(-0.5, 2, 4), b, p.muladd(-0.5, 1, 3))
		}},
	}},
	{name: "winogradOutput", in: 6, out: 4, pairs: []pair{
		{[]int{0, 2}, func(p *program) []value {
			s, t := p.sum(1, 2), p.sum(3, 4)
			return []value{p.sum(p.sum(s, t), 0), p.muladd(2, t, p.scaled(0.5, s))}
		}},
		{[]int{1, 3}, func(p *program) []value {
			s, t := p.difference(1, 2), p.difference(3, 4)
			return []value{p.muladd(b, t, p.scaled(a, s)), p.muladd(2*b, t, p.muladd(a/2, s, 5))}
		}},
	}},
	{name: "winogradOutputGradient", in: 4, out: 6, pairs: []pair{
		{[]int{1, 2}, func(p *program) []value {
			return p.plusMinus(p.muladd(0.5, 2, 0), a, p.muladd(0.5, 3, 1))
		}},
		{[]int{0, 5}, func(p *program) []value { return []value{0, 3} }},
		{[]int{3, 4}, func(p *program) []value {
			return p.plusMinus(p.muladd(2, 2, 0), b, p.muladd(2, 3, 1))
		}},
	}},
	{name: "winogradInputGradient", in: 6, out: 6, add: true, pairs: []pair{
		{[]int{2, 4}, func(p *program) []value {
			s, t := p.sum(1, 2), p.sum(3, 4)
			return []value{p.muladd(-0.5, t, p.muladd(-2, s, p.scaled(-2.5, 0))), p.sum(p.sum(s, t), 0)}
		}},
		{[]int{0, 5}, func(p *program) []value { return []value{0, 5} }},
		{[]int{1, 3}, func(p *program) []value {
			s, t := p.difference(1, 2), p.difference(3, 4)
			return []value{p.muladd(-b/2, t, p.muladd(-2*a, s, 5)), p.muladd(b, t, p.muladd(a, s, p.scaled(-2.5, 5)))}
		}},
	}},
	{name: "winogradWeights", in: 3, out: 6, pairs: []pair{
		{[]int{1, 2}, func(p *program) []value {
			return p.plusMinus(p.muladd(-1/3., 2, p.scaled(-2/3., 0)), -2*a/3, 1)
		}},
		{[]int{3, 4}, func(p *program) []value {
			return p.plusMinus(p.muladd(1/3., 2, p.scaled(1/6., 0)), b/6, 1)
		}},
		{[]int{0, 5}, func(p *program) []value { return []value{0, 2} }},
	}},
	{name: "winogradWeightsGradient", in: 6, out: 3, add: true, pairs: []pair{
		{[]int{0, 2}, func(p *program) []value {
			s, t := p.sum(1, 2), p.sum(3, 4)
			return []value{p.muladd(1/6., t, p.muladd(-2/3., s, 0)), p.muladd(1/3., t, p.muladd(-1/3., s, 5))}
		}},
		{[]int{1}, func(p *program) []value {
			return []value{p.muladd(b/6, p.difference(3, 4), p.scaled(-2*a/3, p.difference(1, 2)))}
		}},
	}},
}

// A program is the arithmetic of a transform of one vector, an operation for each
// value behind the inputs.
type program struct {
	in   int
	ops  []operation
	uses []int // of each value
}

type value int

// An operation computes x + y, x - y, c x, y + c x or y - c x.
type operation struct {
	kind string
	c    float64
	x, y value
}

// newProgram records what some pairs compute; out are the values of their entries.
func newProgram(in int, pairs []pair) (p *program, out map[value][]int) {
	p = &program{in: in, uses: make([]int, in)}
	out = map[value][]int{}
	for _, q := range pairs {
		for e, v := range q.compute(p) {
			out[v] = append(out[v], q.entries[e])
			p.uses[v]++
		}
	}
	return p, out
}

func (p *program) record(o operation) value {
	p.uses[o.x]++
	if o.kind != "scaled" {
		p.uses[o.y]++
	}
	p.ops = append(p.ops, o)
	p.uses = append(p.uses, 0)
	return value(p.in + len(p.ops) - 1)
}

func (p *program) sum(x, y value) value        { return p.record(operation{"sum", 0, x, y}) }
func (p *program) difference(x, y value) value { return p.record(operation{"difference", 0, x, y}) }
func (p *program) scaled(c float64, x value) value {
	return p.record(operation{"scaled", c, x, 0})
}

// muladd returns c x + y.
func (p *program) muladd(c float64, x, y value) value {
	return p.record(operation{"muladd", c, x, y})
}

// plusMinus returns x + c y and x - c y.
func (p *program) plusMinus(x value, c float64, y value) []value {
	minus := p.record(operation{"mulsub", c, y, x})
	return []value{p.muladd(c, y, x), minus}
}

// A machine computes on vectors of so many lanes.
type machine struct {
	lanes    int
	vector   func() VecVirtual
	constant func(c float64) Op // in memory or in a register
}

// machines are AVX-512 and AVX2.
var machines = []machine{
	{16, func() VecVirtual { return ZMM() }, constant},
	{8, func() VecVirtual { return YMM() }, constant},
}

// name of its kernels.
func (m machine) name() string { return fmt.Sprint(32 * m.lanes) }

// run emits a program. Inputs come when they are first used; done is told the value of
// each entry as soon as it is there. A register whose value is used up takes the next, that
// of an input only if spend.
func (m machine) run(p *program, out map[value][]int, spend bool, input func(i int) VecVirtual, done func(entry int, v VecVirtual)) {
	left := append([]int(nil), p.uses...)
	if !spend {
		for i := range p.in {
			left[i]++
		}
	}
	registers := make([]VecVirtual, len(left))
	set := func(v value, r VecVirtual) {
		registers[v] = r
		for _, e := range out[v] {
			left[v]--
			done(e, r)
		}
	}
	use := func(v value) VecVirtual {
		if registers[v] == nil {
			set(v, input(int(v)))
		}
		left[v]--
		return registers[v]
	}
	for i, o := range p.ops {
		v, x := value(p.in+i), use(o.x)
		if o.kind == "scaled" {
			r := m.vector()
			VMULPS(m.constant(o.c), x, r)
			set(v, r)
			continue
		}
		y := use(o.y)
		switch {
		case o.kind == "sum":
			r := m.vector()
			VADDPS(x, y, r)
			set(v, r)
		case o.kind == "difference":
			r := m.vector()
			VSUBPS(y, x, r)
			set(v, r)
		case o.kind == "muladd" && left[o.x] == 0 && left[o.y] > 0:
			VFMADD132PS(m.constant(o.c), y, x)
			set(v, x)
		default:
			if left[o.y] > 0 {
				r := m.vector()
				VMOVAPS(y, r)
				y = r
			}
			if o.kind == "muladd" {
				VFMADD231PS(m.constant(o.c), x, y)
			} else {
				VFNMADD231PS(m.constant(o.c), x, y)
			}
			set(v, y)
		}
	}
	for v := range value(p.in) {
		if registers[v] == nil && len(out[v]) > 0 { // only passed on
			set(v, input(int(v)))
		}
	}
}

// constants are vectors of 16 equal values in memory, made on their first use.
var constants = map[float32]Mem{}

func constant(c float64) Op {
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
		for _, m := range machines {
			t.generate(m, false)
			switch t.name {
			case "winogradWeights":
				if m.lanes == 16 {
					t.generate(m, true)
				}
			case "winogradInput":
				if m.lanes == 16 {
					t.gather(m)
					continue
				}
				t.line(m, "Line", true, false)
			case "winogradInputGradient":
				t.line(m, "Line", false, false)
				t.line(m, "Fresh", false, true)
			}
		}
	}
}

// holding is the machine with the constants of a transform in registers.
func (m machine) holding(t transform) machine {
	held := map[float32]VecVirtual{}
	p, _ := newProgram(t.in, t.pairs)
	for _, o := range p.ops {
		if key := float32(o.c); key != 0 && held[key] == nil {
			held[key] = m.vector()
			VMOVUPS(constant(o.c), held[key])
		}
	}
	m.constant = func(c float64) Op { return held[float32(c)] }
	return m
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

// fetch fetches column by column what the tiles below will read or write beyond the lines that they share: from
// the sixth line on. It uses up a register.
func (s square) fetch(at Register) {
	LEAQ(Mem{Base: s.third, Index: s.row, Scale: 4}, at)
	for i := range 3 {
		m := Mem{Base: at}
		if i > 0 {
			m.Index, m.Scale = s.row, uint8(i)
		}
		fetch(m)
	}
	SUBQ(s.row, at)
	fetch(Mem{Base: at})
}

// lineTiles is the most tiles of a line in one call: what the stack has room for.
const lineTiles = 8

// line transforms tiles of 6 x 6 that lie on one line, 4 columns apart, so that two columns
// belong to both of two neighbours. Where they are read (gather), each column is transformed once,
// and then the rows of each tile; where they are written, the rows of each tile are, which leaves sums of
// columns, and then each of these columns. In between they lie on the stack. If fresh, only the first two rows are
// added to what is there; the others are stored.
func (t transform) line(m machine, name string, gather, fresh bool) {
	size := 4 * m.lanes // bytes of a vector
	column := 6 * size  // and of a column on the stack
	name = t.name + name + m.name()
	TEXT(name, 0, "func(tiles, vectors int, dst *float32, dstRow, dstCol, dstTile int, src *float32, srcRow, srcCol, srcTile int)")
	text := fmt.Sprintf("%s is %s%s for up to %d tiles that overlap by two columns", name, t.name, m.name(), lineTiles)
	if fresh {
		text += ", but for storing what are not the first two rows"
	}
	Doc(text + ".")
	pixels, entries := "src", "dst" // where the tiles overlap, and where each has entries of its own
	if !gather {
		pixels, entries = entries, pixels
	}
	image := square{GP64(), GP64(), bytes(pixels + "Row"), bytes(pixels + "Col")}
	planes := square{GP64(), GP64(), bytes(entries + "Col"), bytes(entries + "Row")} // row after row
	apart := bytes(entries + "Tile")
	stack, at, count, next := GP64(), GP64(), GP64(), GP64()
	LEAQ(AllocLocal(column*(4*lineTiles+2)+size).Offset(size-1), stack)
	ANDQ(I32(int32(-size)), stack)
	m = m.holding(t)
	p, out := newProgram(t.in, t.pairs)
	load := func(from Mem) VecVirtual {
		v := m.vector()
		VMOVUPS(from, v)
		return v
	}
	add := func(v VecVirtual, to Mem) {
		sum := m.vector()
		VADDPS(to, v, sum)
		VMOVUPS(sum, to)
	}
	entry := func(i, j int) Mem { return Mem{Base: at, Disp: column*j + size*i} }
	columns := func() {
		MOVQ(parameter(pixels), count)
		image.point(count)
		MOVQ(stack, at)
		MOVQ(parameter("tiles"), count)
		SHLQ(Imm(2), count)
		ADDQ(Imm(2), count)
		Label("column")
		image.fetch(next)
		if gather {
			m.run(p, out, true, func(i int) VecVirtual { return load(image.down(i)) }, func(i int, v VecVirtual) { VMOVAPS(v, entry(i, 0)) })
		} else {
			m.run(p, out, true, func(i int) VecVirtual { return load(entry(i, 0)) }, func(i int, v VecVirtual) {
				if fresh && i >= 2 {
					VMOVUPS(v, image.down(i))
					return
				}
				add(v, image.down(i))
			})
		}
		ADDQ(image.col, image.at)
		ADDQ(image.col, image.third)
		ADDQ(U32(uint32(column)), at)
		DECQ(count)
		JNZ(LabelRef("column"))
	}
	tiles := func() {
		MOVQ(parameter(entries), next)
		MOVQ(stack, at)
		MOVQ(parameter("tiles"), count)
		Label("tile")
		planes.point(next)
		for i := range 6 {
			if gather {
				m.run(p, out, true, func(j int) VecVirtual { return load(entry(i, j)) }, func(j int, v VecVirtual) { VMOVUPS(v, planes.down(j)) })
			} else {
				m.run(p, out, true, func(j int) VecVirtual { return load(planes.down(j)) }, func(j int, v VecVirtual) {
					if j < 2 { // the last tile has left something here
						add(v, entry(i, j))
						return
					}
					VMOVAPS(v, entry(i, j))
				})
			}
			if i < 5 {
				ADDQ(planes.col, planes.at)
				ADDQ(planes.col, planes.third)
			}
		}
		ADDQ(U32(uint32(4*column)), at)
		ADDQ(apart, next)
		DECQ(count)
		JNZ(LabelRef("tile"))
	}
	Label("vector")
	if gather {
		columns()
		tiles()
	} else {
		zero := m.vector()
		width{lanes: m.lanes}.zero(zero)
		for i := range 12 {
			VMOVAPS(zero, Mem{Base: stack, Disp: size * i})
		}
		tiles()
		columns()
	}
	ADDQ(Imm(uint64(size)), parameter("src"))
	ADDQ(Imm(uint64(size)), parameter("dst"))
	DECQ(parameter("vectors"))
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()
}

// gather is line for tiles that are read, with 32 registers: pair by pair of entries, of which the columns of a tile
// stay in them. What L1 can store is the limit, and nothing goes to the stack.
func (t transform) gather(m machine) {
	size := 4 * m.lanes
	name := t.name + "Line" + m.name()
	TEXT(name, NOSPLIT, "func(tiles, vectors int, dst *float32, dstRow, dstCol, dstTile int, src *float32, srcRow, srcCol, srcTile int)")
	Doc(fmt.Sprintf("%s is %s%s for up to %d tiles that overlap by two columns.", name, t.name, m.name(), lineTiles))
	image := square{GP64(), GP64(), bytes("srcRow"), bytes("srcCol")}
	planes := square{GP64(), GP64(), bytes("dstCol"), bytes("dstRow")} // row after row
	apart := bytes("dstTile")
	count, next, at := GP64(), GP64(), GP64()
	m = m.holding(t)
	all, outAll := newProgram(t.in, t.pairs)

	Label("vector")
	for pass, q := range t.pairs {
		p, out := newProgram(t.in, []pair{q})
		// column sets the entries of the next column.
		column := func(entries map[int]VecVirtual) {
			if pass == 0 {
				image.fetch(at)
			}
			m.run(p, out, true, func(i int) VecVirtual {
				v := m.vector()
				VMOVUPS(image.down(i), v)
				return v
			}, func(entry int, v VecVirtual) { VMOVAPS(v, entries[entry]) })
			ADDQ(image.col, image.at)
			ADDQ(image.col, image.third)
		}
		var columns [6]map[int]VecVirtual
		for j := range columns {
			columns[j] = map[int]VecVirtual{}
			for _, e := range q.entries {
				columns[j][e] = m.vector()
			}
		}
		MOVQ(parameter("src"), at)
		image.point(at)
		MOVQ(parameter("dst"), next)
		MOVQ(parameter("tiles"), count)
		column(columns[0])
		column(columns[1])
		label := fmt.Sprintf("tile%d", pass)
		Label(label)
		for j := 2; j < 6; j++ {
			column(columns[j])
		}
		for _, row := range q.entries {
			IMUL3Q(Imm(uint64(row)), planes.col, at)
			ADDQ(next, at)
			planes.point(at)
			m.run(all, outAll, false, func(j int) VecVirtual { return columns[j][row] }, func(j int, v VecVirtual) { VMOVUPS(v, planes.down(j)) })
		}
		for _, e := range q.entries { // two columns belong to the next tile too
			VMOVAPS(columns[4][e], columns[0][e])
			VMOVAPS(columns[5][e], columns[1][e])
		}
		ADDQ(apart, next)
		DECQ(count)
		JNZ(LabelRef(label))
	}
	ADDQ(Imm(uint64(size)), parameter("src"))
	ADDQ(Imm(uint64(size)), parameter("dst"))
	DECQ(parameter("vectors"))
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()
}

// generate has two ways to go from the columns to the rows of a square. With 32 registers
// a pair of rows stays in them. With 16 all rows pass through the stack, and there is
// room for the constants. If past, what is stored goes past the caches.
func (t transform) generate(m machine, past bool) {
	const size = 32 // bytes of a vector on the stack
	stacked := m.lanes == 8
	name := t.name + m.name()
	if past {
		name = t.name + "Past" + m.name()
	}
	attributes := NOSPLIT
	if stacked {
		attributes = 0 // the frame is too large for that
	}
	TEXT(name, attributes, "func(tiles, vectors int, dst *float32, dstRow, dstCol, dstTile int, src *float32, srcRow, srcCol, srcTile int)")
	text := fmt.Sprintf("%s transforms squares of %d x %d to %d x %d, for so many tiles and vectors of channels", name, t.in, t.in, t.out, t.out)
	if past {
		text += ", and stores whole lines of memory past the caches"
	}
	Doc(text + ".")
	from := square{GP64(), GP64(), bytes("srcRow"), bytes("srcCol")}
	to := square{GP64(), GP64(), bytes("dstCol"), bytes("dstRow")} // written row after row
	src, dst := Load(Param("src"), GP64()), Load(Param("dst"), GP64())
	vectors, line, below, step := GP64(), GP64(), GP64(), GP64()
	var half Mem // rows of t.out x t.in entries
	if stacked {
		at := GP64()
		LEAQ(AllocLocal(size*t.out*t.in+size).Offset(size-1), at)
		ANDQ(I32(-size), at)
		half = Mem{Base: at}
		m = m.holding(t)
	}
	store := func(entry int, v VecVirtual) {
		out := to.down(entry)
		if t.add {
			sum := m.vector()
			VADDPS(out, v, sum)
			v = sum
		}
		if past {
			VMOVNTPS(v, out)
			return
		}
		VMOVUPS(v, out)
	}
	// fetchBelow fetches where the tile below will have the row that is next, if rows are lines of a field.
	fetchBelow := func() {
		if t.name != "winogradOutput" {
			return
		}
		LEAQ(Mem{Base: to.at, Index: to.col, Scale: 4}, below)
		for j := range t.out {
			fetch(Mem{Base: below})
			if j < t.out-1 {
				ADDQ(to.row, below)
			}
		}
	}
	// columns transforms each column of the source.
	columns := func(p *program, out map[value][]int, done func(entry, column int, v VecVirtual)) {
		from.point(src)
		for j := range t.in {
			m.run(p, out, true, func(i int) VecVirtual {
				v := m.vector()
				VMOVUPS(from.down(i), v)
				return v
			}, func(entry int, v VecVirtual) { done(entry, j, v) })
			if j < t.in-1 {
				ADDQ(from.col, from.at)
				ADDQ(from.col, from.third)
			}
		}
	}

	Label("tile")
	MOVQ(parameter("vectors"), vectors)
	Label("vector")
	all, outAll := newProgram(t.in, t.pairs)
	if stacked {
		columns(all, outAll, func(entry, column int, v VecVirtual) {
			VMOVAPS(v, half.Offset(size*(entry*t.in+column)))
		})
		to.point(dst)
		for i := range t.out {
			fetchBelow()
			m.run(all, outAll, true, func(j int) VecVirtual {
				v := m.vector()
				VMOVAPS(half.Offset(size*(i*t.in+j)), v)
				return v
			}, store)
			if i < t.out-1 {
				ADDQ(to.col, to.at)
				ADDQ(to.col, to.third)
			}
		}
	} else {
		for _, q := range t.pairs {
			kept := map[int][]VecVirtual{} // of each column
			p, out := newProgram(t.in, []pair{q})
			columns(p, out, func(entry, _ int, v VecVirtual) { kept[entry] = append(kept[entry], v) })
			for _, row := range q.entries {
				IMUL3Q(Imm(uint64(row)), to.col, line)
				ADDQ(dst, line)
				to.point(line)
				fetchBelow()
				m.run(all, outAll, false, func(j int) VecVirtual { return kept[row][j] }, store)
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
	if past {
		SFENCE()
	}
	VZEROUPPER()
	RET()
}
