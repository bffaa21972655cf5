package results

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"swapmc/internal/lab"
)

// A Key is something in which runs differ: a part of the configuration, or a number
// in protocols that are otherwise the same.
type Key struct {
	Name     string // "optimizer.lr"; "n of features:1AS n=*"
	Values   []string
	Setting  []int // number of each Setting's value; nil if it is of protocols
	Protocol []int // number of each protocol's value, -1 for one that has none; nil if it is of settings
}

// minor are parts of the configuration that do not count as swept where others do:
// they follow from the others, or say only how closely a run is looked at.
var minor = []string{"eval.every", "eval.train", "eval.test", "data.train", "data.test", "tempering.number"}

// sweep finds what is swept, and names the settings after it.
func (f *Folder) sweep() {
	f.Keys = nil
	var names []string
	for _, s := range f.Settings {
		for name := range s.Config {
			if name != "first" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	for _, name := range names {
		k := Key{Name: name}
		for _, s := range f.Settings {
			v, has := s.Config[name]
			if !has {
				v = "-"
			}
			if !slices.Contains(k.Values, v) {
				k.Values = append(k.Values, v)
			}
		}
		if len(k.Values) < 2 {
			continue
		}
		sortValues(k.Values)
		for _, s := range f.Settings {
			v, has := s.Config[name]
			if !has {
				v = "-"
			}
			k.Setting = append(k.Setting, slices.Index(k.Values, v))
		}
		f.Keys = append(f.Keys, k)
	}
	f.Keys = slices.DeleteFunc(f.Keys, func(k Key) bool {
		if !slices.Contains(minor, k.Name) {
			return false
		}
		return slices.ContainsFunc(f.Keys, func(other Key) bool { return !slices.Contains(minor, other.Name) && follows(k.Setting, other.Setting) })
	})
	for i := range f.Settings {
		var parts []string
		for _, k := range f.Keys {
			parts = append(parts, Short(k.Name)+" "+k.Values[k.Setting[i]])
		}
		f.Settings[i].Label = strings.Join(parts, ", ")
	}
	f.families()
}

// follows tells whether values a are a function of values b.
func follows(a, b []int) bool {
	of := map[int]int{}
	for i := range a {
		if v, seen := of[b[i]]; seen && v != a[i] {
			return false
		}
		of[b[i]] = a[i]
	}
	return true
}

// families finds the numbers in which protocols differ that are otherwise the same.
func (f *Folder) families() {
	type family struct {
		words   []string
		names   []string
		members []int
		values  [][]string // of each member
	}
	byText := map[string]*family{}
	var order []string
	add := func(words, names, values []string, p int) {
		key := strings.Join(words, " ")
		if byText[key] == nil {
			byText[key] = &family{words: words, names: names}
			order = append(order, key)
		}
		byText[key].members = append(byText[key].members, p)
		byText[key].values = append(byText[key].values, values)
	}
	for p, text := range f.Protocols {
		var names, values []string
		words := strings.Fields(text)
		for i, w := range words {
			name, value, ok := strings.Cut(w, "=")
			if _, err := strconv.ParseFloat(strings.TrimSuffix(value, "B"), 64); ok && err == nil {
				names, values = append(names, name), append(values, value)
				words[i] = name + "=*"
			}
		}
		add(words, names, values, p)
	}
	// A protocol that leaves out one of these has a 1 there.
	for _, text := range slices.Clone(order) {
		fam := byText[text]
		for i, name := range fam.names {
			if name != "n" && name != "p" && name != "every" {
				continue
			}
			bare := byText[strings.Join(slices.DeleteFunc(slices.Clone(fam.words), func(w string) bool { return w == name+"=*" }), " ")]
			if bare == nil || slices.Contains(fam.names[:i], name) {
				continue
			}
			for m, p := range bare.members {
				add(fam.words, fam.names, slices.Insert(slices.Clone(bare.values[m]), i, "1"), p)
			}
		}
	}
	for _, text := range order {
		fam := byText[text]
		for i, name := range fam.names {
			k := Key{Name: name + " of " + text}
			for _, v := range fam.values {
				if !slices.Contains(k.Values, v[i]) {
					k.Values = append(k.Values, v[i])
				}
			}
			if len(k.Values) < 2 {
				continue
			}
			sortValues(k.Values)
			k.Protocol = slices.Repeat([]int{-1}, len(f.Protocols))
			for m, p := range fam.members {
				k.Protocol[p] = slices.Index(k.Values, fam.values[m][i])
			}
			f.Keys = append(f.Keys, k)
		}
	}
}

// sortValues sorts as [compareText] does.
func sortValues(values []string) { slices.SortFunc(values, compareText) }

// compareText orders texts, word by word: numbers by value and before other words.
func compareText(a, b string) int {
	split := func(r rune) bool { return r == ' ' || r == '=' }
	return slices.CompareFunc(strings.FieldsFunc(a, split), strings.FieldsFunc(b, split), func(a, b string) int {
		x, errX := strconv.ParseFloat(strings.TrimSuffix(a, "B"), 64)
		y, errY := strconv.ParseFloat(strings.TrimSuffix(b, "B"), 64)
		switch {
		case errX == nil && errY == nil && x != y:
			return cmp.Compare(x, y)
		case errX == nil && errY != nil:
			return -1
		case errX != nil && errY == nil:
			return 1
		}
		return strings.Compare(a, b)
	})
}

// Short is the name of a key without what it belongs to: "lr" for "optimizer.lr".
func Short(name string) string {
	if strings.Contains(name, " of ") || strings.HasSuffix(name, ".name") || strings.HasPrefix(name, "data.") || strings.HasPrefix(name, "eval.") {
		return strings.TrimSuffix(name, ".name")
	}
	return name[strings.LastIndexByte(name, '.')+1:]
}

// readSpec reads spec.yaml, of which only a few keys are of use here.
func (f *Folder) readSpec() {
	file, err := f.root.Open("spec.yaml")
	if err != nil {
		return
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 1<<20))
	if err != nil || string(text) == f.Spec {
		return
	}
	f.Spec = string(text)
	name, targets, protocols := specParts(text)
	if name != "" {
		f.Name = name
	}
	f.targets, f.asked = targets, protocols
}

// specParts returns the name, the targets and the protocols of any spec that has them.
func specParts(text []byte) (name string, targets []float64, protocols []string) {
	defer func() { _ = recover() }() // the YAML package panics on some malformed files
	var s map[string]any
	if yaml.Unmarshal(text, &s) != nil {
		return "", nil, nil
	}
	name, _ = s["name"].(string)
	list, _ := s["targets"].([]any)
	for _, x := range list {
		switch v := x.(type) {
		case float64:
			targets = append(targets, v)
		case uint64:
			targets = append(targets, float64(v))
		}
	}
	return name, targets, texts(s["protocols"])
}

// Planned is the number of runs that the spec asks for, 0 where it does not say.
func (f *Folder) Planned() int {
	s, err := lab.Read("spec.yaml", []byte(f.Spec), lab.Default())
	if err != nil || f.System == "glass" || len(f.Settings) > 1 {
		return 0
	}
	return len(s.Seeds) * (1 + len(s.Protocols))
}
