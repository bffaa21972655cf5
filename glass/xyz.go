package glass

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// WriteXYZ appends one configuration in extended XYZ, which OVITO and ASE read: the box,
// then a line a particle with its place, inside the box, and half its diameter. All
// numbers read back as they are.
func (s *System) WriteXYZ(w io.Writer) error {
	b := bufio.NewWriter(w)
	depth := s.side
	if s.dim == 2 {
		depth = s.largest // a flat box, for programs that know three dimensions only
	}
	g := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	fmt.Fprintf(b, "%d\n", len(s.particles))
	pbc := "T T T"
	if s.dim == 2 {
		pbc = "T T F"
	}
	fmt.Fprintf(b, "Lattice=\"%s 0 0 0 %s 0 0 0 %s\" Properties=species:S:1:pos:R:3:radius:R:1 pbc=\"%s\" model=%s dimension=%d temperature=%s sweep=%d energy=%s\n",
		g(s.side), g(s.side), g(depth), pbc, s.Model.Name, s.dim, g(s.temperature), s.sweeps, g(s.Energy()))
	var line []byte
	for i := range s.particles {
		line = append(line[:0], "A"...)
		x := s.Inside(i)
		for k := range 3 {
			line = append(line, ' ')
			line = strconv.AppendFloat(line, x[k], 'g', -1, 64)
		}
		line = append(line, ' ')
		line = strconv.AppendFloat(line, float64(s.particles[i].S/2), 'g', -1, 32)
		b.Write(append(line, '\n'))
	}
	return b.Flush()
}

// Inside returns the place of particle i in the box, each coordinate in [0, Side).
func (s *System) Inside(i int) [3]float64 {
	var x [3]float64
	for k := range s.dim {
		x[k] = (math.Ldexp(float64(s.particles[i].X[k]), -32) + 0.5) * s.side
	}
	return x
}

// ReadXYZ makes a system from the last configuration of an extended XYZ file: the box, places, and
// diameters, from a column radius or diameter. Of the Options it takes all else; N, Density and Packing
// must be 0 or agree with the file, so must Model where the file says model=, and Dim is 3 unless it says 2.
func ReadXYZ(r io.Reader, o Options) (*System, error) {
	frame, err := lastFrame(r)
	if err != nil {
		return nil, fmt.Errorf("glass: XYZ: %w", err)
	}
	if o.N != 0 && o.N != len(frame.sizes) {
		return nil, fmt.Errorf("glass: XYZ: %d particles, want N = %d", len(frame.sizes), o.N)
	}
	o.N = len(frame.sizes)
	if o.Dim == 0 {
		o.Dim = 3
	}
	if m, ok := frame.header["model"]; ok && m != o.Model {
		return nil, fmt.Errorf("glass: XYZ: a configuration of model %s, want %s", short(m), o.Model)
	}
	switch {
	case o.Dim == 3 && frame.flat():
		return nil, fmt.Errorf("glass: XYZ: a configuration of two dimensions, want 3")
	case o.Dim == 2 && frame.deep():
		return nil, fmt.Errorf("glass: XYZ: a configuration of three dimensions, want 2")
	case o.Dim == 3 && frame.depth != frame.side:
		return nil, fmt.Errorf("glass: XYZ: a box of %g by %g by %g: want a cube", frame.side, frame.side, frame.depth)
	}
	density := float64(o.N) / math.Pow(frame.side, float64(o.Dim))
	if o.Density != 0 && math.Abs(o.Density-density) > 1e-6*density {
		return nil, fmt.Errorf("glass: XYZ: density %.6g, want %.6g", density, o.Density)
	}
	if packing := volume(frame.sizes, o.Dim) * density / float64(o.N); o.Packing != 0 && math.Abs(o.Packing-packing) > 1e-6*packing {
		return nil, fmt.Errorf("glass: XYZ: packing fraction %.6g, want %.6g", packing, o.Packing)
	}
	o.Density, o.Packing = density, 0
	o.Sizes = &Sizes{Kind: "list", Values: frame.sizes}
	s, _, err := blank(o)
	if err != nil {
		return nil, fmt.Errorf("glass: XYZ: %w", err)
	}
	s.box(frame.side)
	for i, x := range frame.places {
		for k := range s.dim {
			s.particles[i].X[k] = s.fixed(x[k] - s.side/2)
		}
		s.particles[i].S = float32(frame.sizes[i])
	}
	if err := s.start(); err != nil {
		return nil, err
	}
	if s.Model.Hard && math.IsInf(s.Energy(), 1) {
		return nil, fmt.Errorf("glass: XYZ: hard particles overlap: want places and diameters without overlaps")
	}
	return s, nil
}

type frame struct {
	side, depth float64 // of the box
	places      [][3]float64
	sizes       []float64
	header      map[string]string
}

// flat tells whether the file says that it is of two dimensions.
func (f *frame) flat() bool {
	if d, ok := f.header["dimension"]; ok {
		return d == "2"
	}
	pbc := strings.Fields(f.header["pbc"])
	return len(pbc) == 3 && pbc[0] == "T" && pbc[1] == "T" && pbc[2] == "F"
}

// deep tells whether the file is of three dimensions: it says so, or else the particles lie in no plane.
func (f *frame) deep() bool {
	if d, ok := f.header["dimension"]; ok {
		return d == "3"
	}
	return !f.flat() && slices.ContainsFunc(f.places, func(x [3]float64) bool { return x[2] != f.places[0][2] })
}

// A Configuration is particles in a box, as an extended XYZ file has them.
type Configuration struct {
	Dim         int // 2 where the file says dimension=2 or else pbc="T T F", 3 elsewhere
	Side        float64
	Places      [][3]float64 // as they are in the file, maybe outside the box; it begins at 0
	Diameters   []float64
	Model       string  // "" where the file does not say
	Temperature float64 // 0 where the file does not say
}

// ReadConfiguration reads the last configuration of an extended XYZ file, for which
// [ReadXYZ] wants a model.
func ReadConfiguration(r io.Reader) (Configuration, error) {
	f, err := lastFrame(r)
	if err != nil {
		return Configuration{}, fmt.Errorf("glass: XYZ: %w", err)
	}
	c := Configuration{Dim: 3, Side: f.side, Places: f.places, Diameters: f.sizes, Model: short(f.header["model"])}
	if f.flat() {
		c.Dim = 2
	} else if f.depth != f.side {
		return Configuration{}, fmt.Errorf("glass: XYZ: a box of %g by %g by %g: want a cube, or dimension=2", f.side, f.side, f.depth)
	}
	if t, err := strconv.ParseFloat(f.header["temperature"], 64); err == nil && t > 0 && !math.IsInf(t, 0) {
		c.Temperature = t
	}
	return c, nil
}

// lastFrame reads all configurations and returns the last.
func lastFrame(r io.Reader) (last frame, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	number := 0
	next := func() (string, bool) {
		number++
		ok := lines.Scan()
		return lines.Text(), ok
	}
	for {
		text, ok := next()
		if !ok || strings.TrimSpace(text) == "" {
			if err := lines.Err(); err != nil {
				return last, fmt.Errorf("line %d: %w", number, err)
			}
			if last.sizes == nil {
				return last, errors.New("no configuration: want a line with the number of particles")
			}
			return last, nil
		}
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 {
			return last, fmt.Errorf("line %d: %q: want the number of particles", number, short(text))
		}
		comment, ok := next()
		if !ok {
			return last, fmt.Errorf("line %d: ends before the line that describes the columns", number)
		}
		f := frame{}
		place, size, scale, columns, err := f.describe(comment)
		if err != nil {
			return last, fmt.Errorf("line %d: %w", number, err)
		}
		for range n {
			text, ok := next()
			if !ok {
				return last, fmt.Errorf("line %d: ends after %d of %d particles", number, len(f.sizes), n)
			}
			fields := strings.Fields(text)
			if len(fields) != columns {
				return last, fmt.Errorf("line %d: %d columns, want %d", number, len(fields), columns)
			}
			var x [4]float64
			for k, column := range []int{place, place + 1, place + 2, size} {
				x[k], err = strconv.ParseFloat(fields[column], 64)
				if err != nil || math.IsNaN(x[k]) || math.IsInf(x[k], 0) {
					return last, fmt.Errorf("line %d: %q: want a number", number, short(fields[column]))
				}
			}
			if x[3] *= scale; !possible(x[3]) {
				return last, fmt.Errorf("line %d: diameter %g: want above 0", number, x[3])
			}
			f.places = append(f.places, [3]float64{x[0], x[1], x[2]})
			f.sizes = append(f.sizes, x[3])
		}
		last = f
	}
}

// describe reads the comment line: the box, and in which columns place and size are.
func (f *frame) describe(comment string) (place, size int, scale float64, columns int, err error) {
	values := map[string]string{}
	for rest := comment; ; {
		rest = strings.TrimLeft(rest, " \t")
		key, after, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		if strings.HasPrefix(after, `"`) {
			value, tail, ok := strings.Cut(after[1:], `"`)
			if !ok {
				return 0, 0, 0, 0, fmt.Errorf("%s: no closing quote", short(key))
			}
			values[key], rest = value, tail
			continue
		}
		value, tail, _ := strings.Cut(after, " ")
		values[key], rest = value, tail
	}
	var box []float64
	for _, text := range strings.Fields(values["Lattice"]) {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, 0, 0, 0, fmt.Errorf("in the header, Lattice: %q: want a number", short(text))
		}
		box = append(box, x)
	}
	if len(box) != 9 || box[0] != box[4] || !(box[0] > 0 && box[8] > 0) || math.IsInf(box[0]+box[8], 0) || slices.ContainsFunc([]int{1, 2, 3, 5, 6, 7}, func(i int) bool { return box[i] != 0 }) {
		return 0, 0, 0, 0, fmt.Errorf("in the header, Lattice=%q: want a cubic box, \"L 0 0 0 L 0 0 0 L\"", short(values["Lattice"]))
	}
	f.side, f.depth, f.header = box[0], box[8], values
	place, size = -1, -1
	fields := strings.Split(values["Properties"], ":")
	for i := 0; i+2 < len(fields); i += 3 {
		count, err := strconv.Atoi(fields[i+2])
		if err != nil || count < 1 || count > 100 {
			return 0, 0, 0, 0, fmt.Errorf("in the header, Properties: %q: want a number of columns", short(fields[i+2]))
		}
		switch name := strings.ToLower(fields[i]); {
		case name == "pos" && count == 3:
			place = columns
		case name == "radius" && count == 1:
			size, scale = columns, 2
		case name == "diameter" && count == 1:
			size, scale = columns, 1
		}
		columns += count
	}
	if place < 0 || size < 0 {
		return 0, 0, 0, 0, fmt.Errorf("in the header, Properties=%s: want pos:R:3 and radius:R:1 (or diameter:R:1)", short(values["Properties"]))
	}
	return place, size, scale, columns, nil
}

func short(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
