package sweep

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"swapmc/internal/lab"
	"swapmc/internal/rng"
	"swapmc/internal/spelling"
)

// An Axis is a key and the values that it takes: a list, a range, or one value.
type Axis struct {
	Key    string
	Values any // as YAML has them
}

// Axes are keys with their values, in the order of the file.
type Axes []Axis

// UnmarshalYAML reads keys with values.
func (a *Axes) UnmarshalYAML(unmarshal func(any) error) error {
	var items yaml.MapSlice
	if err := unmarshal(&items); err != nil {
		return errors.New("want keys with lists or ranges of values")
	}
	*a = nil
	for _, item := range items {
		*a = append(*a, Axis{fmt.Sprint(item.Key), item.Value})
	}
	return nil
}

// MarshalYAML writes them as they were read.
func (a Axes) MarshalYAML() (any, error) {
	items := yaml.MapSlice{}
	for _, axis := range a {
		items = append(items, yaml.MapItem{Key: axis.Key, Value: axis.Values})
	}
	return items, nil
}

// A Setting is one value of one key.
type Setting struct {
	Key  string
	Text string // the value as people write it

	value reflect.Value // of the type that the key has
}

func (s Setting) String() string { return s.Key + "=" + s.Text }

// settings decodes the values of an axis into the type that its key has in a spec.
func (a Axis) settings(spec any) ([]Setting, error) {
	field, err := lab.Lookup(spec, a.Key)
	if err != nil {
		return nil, err
	}
	whole := field.CanInt() || field.CanUint()
	list, err := values(a.Values, whole)
	if err != nil {
		return nil, err
	}
	var settings []Setting
	for _, raw := range list {
		s, err := setting(a.Key, raw, field.Type())
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(settings, func(t Setting) bool { return t.Text == s.Text }) {
			return nil, fmt.Errorf("%s is given twice", s.Text)
		}
		settings = append(settings, s)
	}
	return settings, nil
}

// setting decodes a value into a type.
func setting(key string, raw any, t reflect.Type) (Setting, error) {
	text, err := yaml.Marshal(raw)
	if err != nil {
		return Setting{}, err
	}
	v := reflect.New(t)
	if err := yaml.UnmarshalWithOptions(text, v.Interface(), yaml.Strict()); err != nil {
		msg, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
		if _, after, ok := strings.Cut(msg, "] "); ok && strings.HasPrefix(msg, "[") {
			msg = after
		}
		return Setting{}, fmt.Errorf("%s: %s", plain(raw), msg)
	}
	return Setting{Key: key, Text: canonical(v.Elem()), value: v.Elem()}, nil
}

// canonical writes a value so that equal values have equal texts.
func canonical(v reflect.Value) string {
	switch {
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case v.Kind() == reflect.Struct:
		var parts []string
		for field, x := range v.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			if !x.IsZero() {
				parts = append(parts, name+":"+canonical(x))
			}
		}
		return strings.Join(parts, " ")
	}
	return plain(v.Interface())
}

func plain(raw any) string { return strings.TrimSpace(fmt.Sprint(raw)) }

// apply sets values in a spec, those of a whole block before those within it.
func apply(spec any, settings ...[]Setting) {
	all := slices.Concat(settings...)
	slices.SortStableFunc(all, func(a, b Setting) int { return strings.Count(a.Key, ".") - strings.Count(b.Key, ".") })
	for _, s := range all {
		field, err := lab.Lookup(spec, s.Key)
		if err != nil { // compile has looked it up
			panic(err)
		}
		field.Set(s.value)
	}
}

// maxValues keeps a slip of the finger from filling the memory.
const maxValues = 100_000

// values lists what a list, a range or a single value stands for.
func values(raw any, whole bool) ([]any, error) {
	switch v := raw.(type) {
	case nil:
		return nil, errors.New("no values")
	case []any:
		if len(v) == 0 {
			return nil, errors.New("an empty list")
		}
		return v, nil
	case map[string]any:
		if _, is := v["from"]; !is {
			return []any{v}, nil
		}
		numbers, err := expandRange(v, whole)
		if err != nil {
			return nil, err
		}
		list := make([]any, len(numbers))
		for i, x := range numbers {
			list[i] = x
			if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
				list[i] = int64(x)
			}
		}
		return list, nil
	}
	return []any{raw}, nil
}

var rangeKeys = []string{"from", "to", "points", "scale", "step", "factor", "whole"}

// expandRange lists the numbers of a range:
//
//	{from: 16, to: 64, step: 16}                       16 32 48 64
//	{from: 1, to: 256, factor: 4}                      1 4 16 64 256
//	{from: 0, to: 1, points: 5}                        0 0.25 0.5 0.75 1
//	{from: 0.01, to: 1, points: 5, scale: log}         0.01 0.0316 0.1 0.316 1
//
// Both ends are in it, where step or factor meet them. Numbers on a logarithmic
// scale are rounded to three digits, or to whole numbers where the key wants them
// or whole: true says so; what is then there twice is there once.
func expandRange(m map[string]any, whole bool) ([]float64, error) {
	number := map[string]float64{}
	scale := "linear"
	for key, raw := range m {
		switch {
		case !slices.Contains(rangeKeys, key):
			hint := spelling.Hint(key, rangeKeys)
			if hint == "" {
				hint = ": want one of " + strings.Join(rangeKeys, ", ")
			}
			return nil, fmt.Errorf("unknown key %q in a range%s", key, hint)
		case key == "scale":
			scale = fmt.Sprint(raw)
			if scale != "linear" && scale != "log" {
				return nil, fmt.Errorf("scale: %q: want linear or log", scale)
			}
		case key == "whole":
			b, ok := raw.(bool)
			if !ok {
				return nil, fmt.Errorf("whole: %v: want true or false", raw)
			}
			whole = whole || b
		default:
			x, err := strconv.ParseFloat(fmt.Sprint(raw), 64)
			if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
				return nil, fmt.Errorf("%s: %v: want a number", key, raw)
			}
			number[key] = x
		}
	}
	how := 0
	for _, key := range []string{"points", "step", "factor"} {
		if _, ok := number[key]; ok {
			how++
		}
	}
	from, to, step, factor, points := number["from"], number["to"], number["step"], number["factor"], number["points"]
	_, bounded := number["to"]
	switch {
	case !bounded:
		return nil, errors.New("a range without to")
	case to < from:
		return nil, fmt.Errorf("from %v to %v: want from below to", from, to)
	case how != 1:
		return nil, errors.New("want one of points, step, factor")
	case scale == "log" && points == 0:
		return nil, errors.New("scale: log wants points (or write factor alone)")
	case (scale == "log" || factor != 0) && !(from > 0):
		return nil, fmt.Errorf("from: %v: want above 0 on a logarithmic scale", from)
	}
	var at func(k int) float64
	n := 0.0
	switch {
	case number["step"] != 0:
		if step < 0 {
			return nil, fmt.Errorf("step: %v: want above 0", step)
		}
		n = math.Floor((to-from)/step*(1+1e-12)) + 1
		at = func(k int) float64 { return digits(from+float64(k)*step, 12) }
	case number["factor"] != 0:
		if factor <= 1 {
			return nil, fmt.Errorf("factor: %v: want above 1", factor)
		}
		n = math.Floor(math.Log(to/from)/math.Log(factor)+1e-9) + 1
		at = func(k int) float64 { return digits(from*math.Pow(factor, float64(k)), 12) }
	default:
		if points < 2 || points != math.Trunc(points) {
			return nil, fmt.Errorf("points: %v: want a whole number of at least 2", points)
		}
		n = points
		at = func(k int) float64 {
			share := float64(k) / (points - 1)
			switch {
			case k == 0:
				return from
			case float64(k) == points-1:
				return to
			case scale == "linear":
				return digits(from+share*(to-from), 12)
			case whole:
				return from * math.Pow(to/from, share)
			}
			return digits(from*math.Pow(to/from, share), 3)
		}
	}
	if !(n <= maxValues) {
		return nil, fmt.Errorf("%.0f values: want at most %d", n, maxValues)
	}
	var list []float64
	for k := range int(n) {
		x := at(k)
		if whole {
			x = math.Round(x)
		}
		if len(list) == 0 || x > list[len(list)-1] {
			list = append(list, x)
		}
	}
	return list, nil
}

// digits rounds to so many significant decimal digits.
func digits(x float64, n int) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', n-1, 64), 64)
	if err != nil { // it has just been written
		panic(err)
	}
	return y
}

// product returns every combination of one setting of each axis, the last axis
// varying fastest; without axes, one empty combination.
func product(axes [][]Setting) [][]Setting {
	all := [][]Setting{nil}
	for _, axis := range axes {
		var column [][]Setting
		for _, s := range axis {
			column = append(column, []Setting{s})
		}
		all = cross(all, column)
	}
	return all
}

// cross joins every row of one table with every row of another.
func cross(a, b [][]Setting) [][]Setting {
	if len(a)*len(b) > maxCells { // reported by compile
		return make([][]Setting, len(a)*len(b))
	}
	var all [][]Setting
	for _, x := range a {
		for _, y := range b {
			all = append(all, slices.Concat(x, y))
		}
	}
	return all
}

// zip returns the first settings of all axes, then the second, and so on.
func zip(axes [][]Setting) ([][]Setting, error) {
	if len(axes) == 0 {
		return nil, errors.New("no keys")
	}
	rows := make([][]Setting, len(axes[0]))
	for _, axis := range axes {
		if len(axis) != len(rows) {
			return nil, fmt.Errorf("%s has %d values, %s has %d: want as many",
				axes[0][0].Key, len(rows), axis[0].Key, len(axis))
		}
		for i, s := range axis {
			rows[i] = append(rows[i], s)
		}
	}
	return rows, nil
}

// drawn returns n entries of a list in their order, always the same ones.
func drawn[T any](list []T, n int, stream string) []T {
	index := rng.New(0, "sweep/"+stream).Perm(len(list))[:n]
	slices.Sort(index)
	var some []T
	for _, i := range index {
		some = append(some, list[i])
	}
	return some
}
