package swap

import (
	"fmt"
	"strings"
)

// Codes lists all codes of a target: 3^d - 2^d for d axes, since at least one
// letter is S. It returns nil for an unknown target.
func Codes(t Target) []string {
	codes := []string{""}
	for range axes[t] {
		var longer []string
		for _, c := range codes {
			for _, letter := range "1SA" {
				longer = append(longer, c+string(letter))
			}
		}
		codes = longer
	}
	var valid []string
	for _, c := range codes {
		if strings.Contains(c, "S") {
			valid = append(valid, c)
		}
	}
	return valid
}

// codeFault returns the offset of the first fault in a code, and what is wrong;
// an empty message means none.
func codeFault(code string, axes []string) (pos int, msg string) {
	for i, c := range code {
		if !strings.ContainsRune("1SA", c) {
			return i, fmt.Sprintf("%q at %d: want 1, S or A", c, i+1)
		}
	}
	switch {
	case len(code) != len(axes):
		return len(code), fmt.Sprintf("%d letters: want %d, for %s", len(code), len(axes), strings.Join(axes, ", "))
	case !strings.Contains(code, "S"):
		return len(code), "no S: want at least one axis on which two indices are exchanged"
	}
	return 0, ""
}

// Describe says in words what a code exchanges, e.g. "one image, two channels
// exchanged in all pixels". It returns "" for an invalid code.
func Describe(t Target, code string) string {
	names := axes[t]
	if _, msg := codeFault(code, names); msg != "" || len(names) == 0 {
		return ""
	}
	var swapped, one, all []string
	for i, name := range names {
		switch code[i] {
		case 'S':
			swapped = append(swapped, name)
		case '1':
			one = append(one, name)
		case 'A':
			all = append(all, name)
		}
	}
	var b strings.Builder
	if len(swapped) == 1 {
		fmt.Fprintf(&b, "two %s exchanged", plural(swapped[0]))
	} else {
		fmt.Fprintf(&b, "two (%s) pairs exchanged", strings.Join(swapped, ", "))
		if len(swapped) == 3 {
			b.Reset()
			fmt.Fprintf(&b, "two (%s) entries exchanged", strings.Join(swapped, ", "))
		}
	}
	for _, name := range one {
		fmt.Fprintf(&b, ", in one %s", name)
	}
	for _, name := range all {
		fmt.Fprintf(&b, ", in all %s", plural(name))
	}
	if t == Features && strings.HasPrefix(code, "SAA") {
		b.WriteString(" (whole images under their old labels: label noise)")
	}
	return b.String()
}

func plural(name string) string {
	if name == "entry" {
		return "entries"
	}
	return name + "s"
}
