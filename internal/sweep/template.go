package sweep

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"swapmc/internal/lab"
	"swapmc/internal/spelling"
)

// A Template stands for protocols: a text with {names}, and the values of each.
type Template struct {
	Template string `yaml:"template"`
	Values   Axes   `yaml:"values,omitempty"`
	Zip      bool   `yaml:"zip,omitempty"` // value by value, instead of every combination
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// expand lists the protocols that a template stands for.
func (t Template) expand() ([]lab.Protocols, error) {
	if t.Template == "" {
		return nil, errors.New("no template: want for example features:1AS n={n}")
	}
	var names []string
	var axes [][]Setting
	for _, axis := range t.Values {
		if !strings.Contains(t.Template, "{"+axis.Key+"}") {
			return nil, fmt.Errorf("%s: no {%s} in it", t.Template, axis.Key)
		}
		list, err := values(axis.Values, false)
		if err != nil {
			return nil, fmt.Errorf("values of %s: %w", axis.Key, err)
		}
		var settings []Setting
		for _, raw := range list {
			text := plain(raw)
			if x, ok := raw.(float64); ok {
				text = strconv.FormatFloat(x, 'g', -1, 64)
			}
			settings = append(settings, Setting{Key: axis.Key, Text: text})
		}
		names = append(names, axis.Key)
		axes = append(axes, settings)
	}
	for _, p := range placeholder.FindAllString(t.Template, -1) {
		if name := p[1 : len(p)-1]; !slices.Contains(names, name) {
			return nil, fmt.Errorf("%s: no values for %s%s", t.Template, p, spelling.Hint(name, names))
		}
	}
	rows := product(axes)
	if t.Zip {
		var err error
		if rows, err = zip(axes); err != nil {
			return nil, err
		}
	}
	if len(rows) > maxValues {
		return nil, fmt.Errorf("%s: %d protocols: want at most %d", t.Template, len(rows), maxValues)
	}
	var list []lab.Protocols
	for _, row := range rows {
		text := t.Template
		for _, s := range row {
			text = strings.ReplaceAll(text, "{"+s.Key+"}", s.Text)
		}
		p, err := lab.ParseProtocols(text)
		if err != nil {
			return nil, err
		}
		if len(p) == 0 {
			return nil, fmt.Errorf("%s: no swaps are the baseline, which is always run: want it away", text)
		}
		list = append(list, p)
	}
	return list, nil
}

// A Match names runs by the values of varied keys, the protocol and the seed. All
// keys must agree; a key with a list agrees with any of it. A protocol may hold *,
// which stands for any text.
type Match = Axes

// special are the keys of a Match that are not varied keys.
var special = []string{"protocol", "seed"}

// check reports a key that is not varied, or a value that it never takes.
func (a Axes) check(s *Spec, varied map[string]bool) error {
	names := slices.Clone(special)
	for key := range varied {
		names = append(names, key)
	}
	slices.Sort(names)
	if len(a) == 0 {
		return errors.New("no keys: want for example {network: mlp, batch: 64}")
	}
	for _, axis := range a {
		if !slices.Contains(names, axis.Key) {
			hint := spelling.Hint(axis.Key, names)
			if hint == "" {
				hint = ": want one of " + strings.Join(names, ", ")
			}
			return fmt.Errorf("%s is not varied%s", axis.Key, hint)
		}
		if _, err := a.texts(s, axis); err != nil {
			return err
		}
	}
	return nil
}

// texts returns the values of a key of a Match, as a Setting has them.
func (a Axes) texts(s *Spec, axis Axis) ([]string, error) {
	list, err := values(axis.Values, false)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", axis.Key, err)
	}
	var texts []string
	for _, raw := range list {
		text := plain(raw)
		switch axis.Key {
		case "seed":
			if _, err := strconv.ParseUint(text, 10, 64); err != nil {
				return nil, fmt.Errorf("seed: %s: want a seed", text)
			}
		case "protocol":
			if strings.Contains(text, "*") {
				if _, err := path.Match(text, ""); err != nil {
					return nil, fmt.Errorf("protocol: %s: %w", text, err)
				}
				break
			}
			p, err := lab.ParseProtocols(text)
			if err != nil {
				return nil, fmt.Errorf("protocol: %w", err)
			}
			text = p.String()
		default:
			field, err := lab.Lookup(&s.Base, axis.Key)
			if err != nil {
				return nil, err
			}
			v, err := setting(axis.Key, raw, field.Type())
			if err != nil {
				return nil, fmt.Errorf("%s: %w", axis.Key, err)
			}
			text = v.Text
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// A filter is a Match made ready: the texts of each key.
type filter map[string][]string

func (s *Spec) filters() ([]filter, error) {
	var list []filter
	for _, m := range s.Block.Exclude {
		f := filter{}
		for _, axis := range m {
			var err error
			if f[axis.Key], err = m.texts(s, axis); err != nil {
				return nil, err
			}
		}
		list = append(list, f)
	}
	return list, nil
}

// matches tells whether a filter names a run.
func (f filter) matches(settings []Setting, protocol string, seed uint64) bool {
	for key, texts := range f {
		ok := false
		switch key {
		case "seed":
			ok = slices.Contains(texts, strconv.FormatUint(seed, 10))
		case "protocol":
			ok = slices.ContainsFunc(texts, func(t string) bool {
				if !strings.Contains(t, "*") {
					return t == protocol
				}
				m, err := path.Match(t, protocol)
				return m && err == nil
			})
		default:
			ok = slices.ContainsFunc(settings, func(s Setting) bool { return s.Key == key && slices.Contains(texts, s.Text) })
		}
		if !ok {
			return false
		}
	}
	return true
}
