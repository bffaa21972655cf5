package export

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A kind of values.
type kind int

const (
	whole   kind = iota // int64
	natural             // uint64: whole numbers of which some are beyond int64
	real                // float64
	truth
	text
	moment // milliseconds since 1970
)

// A value is a fact of a run.
type value struct {
	kind    kind
	text    string // as it is written
	whole   int64
	natural uint64
	real    float64
	truth   bool
}

// first are the facts before the measurements; the others come after them.
var first = []string{"run", "system", "protocol", "seed", "status"}

// left are the keys that say nothing about a run that its rows or its other facts do not.
var left = map[string]bool{"iterations": true, "seconds": true, "proposed": true, "accepted": true, "sweeps": true, "final": true,
	"notes": true, "config_protocols": true, "config_protocol": true, "config_seed": true}

// asJSON are objects that are kept as JSON, because their keys are texts of users.
var asJSON = map[string]bool{"result_protocols": true}

// readRun reads a run.json.
func readRun(text []byte) (*run, error) {
	r := &run{facts: map[string]value{}}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := r.object(d, ""); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends too early")
		}
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after its end")
	}
	if r.text("run") == "" {
		return nil, errors.New("no id")
	}
	return r, nil
}

// object reads an object and adds what is in it, under names that begin with its own.
func (r *run) object(d *json.Decoder, prefix string) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return errors.New("want an object")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return errors.New("want a key")
		}
		name := prefix + plain(key)
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		if err := r.add(name, raw); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

func (r *run) add(name string, raw json.RawMessage) error {
	switch name {
	case "id":
		name = "run"
	case "protocols", "config_protocol":
		// A network's and a glass's name for the same.
		if raw[0] == '"' {
			if _, known := r.facts["protocol"]; !known {
				r.set("protocol", textOf(raw))
			}
			return nil
		}
	case "config_seed":
		if _, known := r.facts["seed"]; !known {
			name = "seed"
		}
	}
	if left[name] {
		return nil
	}
	switch raw[0] {
	case '{':
		if !asJSON[name] {
			d := json.NewDecoder(bytes.NewReader(raw))
			d.UseNumber()
			return r.object(d, name+"_")
		}
		r.set(name, compact(raw))
	case '[':
		if !strings.HasPrefix(name, "result_") { // curves are tables of their own
			r.set(name, compact(raw))
		}
	case '"':
		v := textOf(raw)
		if name == "started" || name == "ended" {
			if at, err := time.Parse(time.RFC3339Nano, v.text); err == nil {
				v = value{kind: moment, text: at.UTC().Format("2006-01-02T15:04:05.000Z"), whole: at.UnixMilli()}
			}
		}
		r.set(name, v)
	case 't', 'f':
		r.set(name, value{kind: truth, text: string(raw), truth: raw[0] == 't'})
	case 'n':
	default:
		v, err := number(string(raw))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.set(name, v)
	}
	return nil
}

func (r *run) set(name string, v value) {
	if _, known := r.facts[name]; !known {
		r.names = append(r.names, name)
	}
	r.facts[name] = v
}

func textOf(raw json.RawMessage) value {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		s = string(raw)
	}
	return value{kind: text, text: s}
}

func compact(raw json.RawMessage) value {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return value{kind: text, text: string(raw)}
	}
	return value{kind: text, text: b.String()}
}

func number(s string) (value, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		v := value{kind: whole, text: s, whole: n, real: float64(n)}
		if n >= 0 {
			v.natural = uint64(n)
		}
		return v, nil
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return value{}, fmt.Errorf("%s is no number that can be kept", s)
	}
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return value{kind: natural, text: s, natural: n, real: x}, nil
	}
	return value{kind: real, text: s, real: x}, nil
}

// plain makes a name of lower-case letters, digits and _ of a key.
func plain(key string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		case c >= 'A' && c <= 'Z':
			return c - 'A' + 'a'
		}
		return '_'
	}, key)
}

// arrange makes the columns of the facts: each of the kind that holds all its values.
func (res *Results) arrange() {
	at := map[string]int{}
	negative := map[string]bool{}
	for _, name := range first {
		at[name] = len(res.facts)
		res.facts = append(res.facts, column{name: name, kind: -1, key: name})
	}
	for _, r := range res.runs {
		for _, name := range r.names {
			v := r.facts[name]
			i, known := at[name]
			if !known {
				i = len(res.facts)
				at[name] = i
				res.facts = append(res.facts, column{name: name, kind: -1, key: name})
			}
			negative[name] = negative[name] || v.kind == whole && v.whole < 0
			res.facts[i].kind = join(res.facts[i].kind, v.kind)
		}
	}
	for i := range res.facts {
		c := &res.facts[i]
		switch {
		case c.kind == natural && negative[c.name]:
			c.kind = real
		case c.kind < 0:
			c.kind = text
		}
	}
}

// join is the kind that holds the values of two; -1 is that of none.
func join(a, b kind) kind {
	switch {
	case a == b || b < 0:
		return a
	case a < 0:
		return b
	case a <= real && b <= real:
		return max(a, b)
	}
	return text
}

// compareRuns puts the runs without swaps first, and then goes by protocol and seed.
func compareRuns(a, b *run) int {
	p, q := a.text("protocol"), b.text("protocol")
	return cmp.Or(
		cmp.Compare(bit(p != "none"), bit(q != "none")),
		strings.Compare(p, q),
		cmp.Compare(a.facts["seed"].natural, b.facts["seed"].natural),
		strings.Compare(a.text("run"), b.text("run")),
	)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// counted are the measurements that are whole numbers.
var counted = []string{"iteration", "proposed", "accepted", "sweep", "sweeps", "origins"}

func kindOfMetric(name string) kind {
	if slices.Contains(counted, name) {
		return whole
	}
	return real
}

// steps are the measurements that count time, of which a table has one.
var steps = []string{"iteration", "sweep", "sweeps"}

// formatReal writes a number as pandas, R and DuckDB read it.
func formatReal(b []byte, x float64) []byte {
	switch {
	case math.IsNaN(x):
		return append(b, "NaN"...)
	case math.IsInf(x, 1):
		return append(b, "Inf"...)
	case math.IsInf(x, -1):
		return append(b, "-Inf"...)
	}
	return strconv.AppendFloat(b, x, 'g', -1, 64)
}
