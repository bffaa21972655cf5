package swap

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"swapmc/internal/spelling"
)

// A SyntaxError tells where a protocol's text is wrong and what would be right.
type SyntaxError struct {
	Text   string // the protocol as it was given
	Offset int    // bytes before the fault
	Msg    string // what is wrong, and what is wanted
}

func (e *SyntaxError) Error() string {
	head, _, _ := strings.Cut(e.Text, " ")
	return head + ": " + e.Msg
}

// Parse reads one protocol, for example "weights:1SA every=100". Errors are of
// type [*SyntaxError].
func Parse(text string) (Protocol, error) {
	fail := func(offset int, format string, args ...any) (Protocol, error) {
		return Protocol{}, &SyntaxError{Text: text, Offset: offset, Msg: fmt.Sprintf(format, args...)}
	}
	words := fields(text)
	if len(words) == 0 {
		return Protocol{}, &SyntaxError{Text: `""`, Msg: "no protocol: want target:code, for example features:1SA"}
	}
	head := words[0]
	target, code, ok := strings.Cut(head.text, ":")
	p := Protocol{Target: Target(target), Code: code}
	names, known := axes[p.Target]
	if !known {
		return fail(head.offset, "unknown target %q%s: want %s", target, spelling.Hint(target, targetNames()), targetList())
	}
	if !ok || code == "" {
		return fail(head.offset+len(head.text), "no code: want %d letters of 1, S, A after the colon, for %s", len(names), strings.Join(names, ", "))
	}
	if pos, msg := codeFault(code, names); msg != "" {
		return fail(head.offset+len(target)+1+pos, "%s", msg)
	}

	seen := map[string]int{} // the bytes before each option
	for _, w := range words[1:] {
		name, value, hasValue := strings.Cut(w.text, "=")
		set, known := options[name]
		_, twice := seen[name]
		switch {
		case !known:
			return fail(w.offset, "unknown option %q at %d%s: want %s", name, w.offset+1, spelling.Hint(name, optionNames), strings.Join(optionNames, ", "))
		case twice:
			return fail(w.offset, "%q at %d is given twice", name, w.offset+1)
		case !hasValue && !slices.Contains(flags, name):
			return fail(w.offset+len(w.text), "%q at %d has no value: want %s=...", name, w.offset+1, name)
		case !hasValue:
			value = "true"
		}
		seen[name] = w.offset
		if err := set(&p, value); err != nil {
			return fail(w.offset+len(name)+1, "%s at %d: %v", w.text, w.offset+1, err)
		}
	}
	option, msg := p.fault()
	if _, ok := seen["T"]; ok && msg == "" && p.T == 0 {
		option, msg = "T", fmt.Sprintf("T=0 has no meaning with accept=%s: want accept=greedy without T", p.normal().Accept)
	}
	if msg != "" {
		offset, ok := seen[option]
		if !ok {
			return fail(head.offset, "%s", msg)
		}
		return fail(offset, "%s (at character %d)", msg, offset+1)
	}
	return p.normal(), nil
}

// ParseList reads protocols that act together, joined by " + ". The text "none"
// and the empty text are no protocols at all.
func ParseList(text string) ([]Protocol, error) {
	if t := strings.TrimSpace(text); t == "" || t == "none" {
		return nil, nil
	}
	var list []Protocol
	for part := range strings.SplitSeq(text, " + ") {
		p, err := Parse(part)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// FormatList is the inverse of [ParseList].
func FormatList(list []Protocol) string {
	if len(list) == 0 {
		return "none"
	}
	var parts []string
	for _, p := range list {
		parts = append(parts, p.String())
	}
	return strings.Join(parts, " + ")
}

// A word is a part of the text between spaces.
type word struct {
	text   string
	offset int
}

func fields(text string) []word {
	var words []word
	start := -1
	for i := 0; i <= len(text); i++ {
		space := i == len(text) || text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r'
		switch {
		case !space && start < 0:
			start = i
		case space && start >= 0:
			words = append(words, word{text[start:i], start})
			start = -1
		}
	}
	return words
}

// optionNames is the order in which options are listed to users.
var optionNames = []string{"n", "each", "p", "every", "from", "until", "ramp", "layers", "window", "accept", "T", "guide", "beta", "cycles", "subset", "propose", "pairs", "carry", "gauge", "keep", "lift"}

// flags are the options that need no value.
var flags = []string{"each", "cycles", "gauge", "keep", "lift"}

// options maps a name to what sets the option from its value.
var options = map[string]func(*Protocol, string) error{
	"n": func(p *Protocol, v string) (err error) {
		from, to, isRange := strings.Cut(v, "..")
		if p.N, err = count(from); err == nil && isRange {
			p.NTo, err = count(to)
		}
		return err
	},
	"each": func(p *Protocol, v string) error { return boolean(&p.Each, v) },
	"p": func(p *Protocol, v string) error {
		from, to, isRange := strings.Cut(v, "..")
		if err := decimal(&p.P, from); err != nil {
			return err
		}
		if !isRange {
			if !(p.P > 0 && p.P <= 1) {
				return errors.New("want a probability above 0, at most 1")
			}
			return nil
		}
		if err := decimal(&p.PTo, to); err != nil {
			return err
		}
		if !(p.P >= 0 && p.P <= 1 && p.PTo >= 0 && p.PTo <= 1 && p.P+p.PTo > 0) {
			return errors.New("want two probabilities in [0, 1], not both 0")
		}
		return nil
	},
	"every": func(p *Protocol, v string) error { return integer(&p.Every, v, 1) },
	"from":  func(p *Protocol, v string) error { return integer(&p.From, v, 0) },
	"until": func(p *Protocol, v string) error {
		if fraction, ok := strings.CutSuffix(v, "L"); ok {
			if err := decimal(&p.UntilLoss, fraction); err != nil || !(p.UntilLoss > 0 && p.UntilLoss < 1) {
				return errors.New("want a fraction of the first loss above 0 and below 1, such as 0.9L")
			}
			return nil
		}
		if err := integer(&p.Until, v, 1); err != nil {
			return errors.New("want a whole number of at least 1, or a fraction of the first loss such as 0.9L")
		}
		return nil
	},
	"ramp": func(p *Protocol, v string) error {
		return oneOf(&p.Ramp, v, Linear, Cosine, Exp)
	},
	"layers": func(p *Protocol, v string) error {
		for name := range strings.SplitSeq(v, ",") {
			if name == "" {
				return errors.New("want names of layers, separated by commas")
			}
			p.Layer = append(p.Layer, name)
		}
		return nil
	},
	"window": func(p *Protocol, v string) (err error) {
		p.Window, err = parseWindow(v)
		return err
	},
	"accept": func(p *Protocol, v string) error { return oneOf(&p.Accept, v, Always, Metropolis, Greedy) },
	"T":      func(p *Protocol, v string) error { return decimal(&p.T, v) },
	"guide":  func(p *Protocol, v string) error { return oneOf(&p.Guide, v, ByGradient, ByMomentum, ByLookahead) },
	"beta": func(p *Protocol, v string) error {
		if err := decimal(&p.Beta, v); err != nil {
			return err
		}
		if !(p.Beta > 0 && p.Beta < 1) {
			return errors.New("want a number above 0 and below 1 (guide=gradient is beta = 0)")
		}
		return nil
	},
	"cycles":  func(p *Protocol, v string) error { return boolean(&p.Cycles, v) },
	"subset":  func(p *Protocol, v string) error { return integer(&p.Subset, v, 2) },
	"propose": func(p *Protocol, v string) error { return oneOf(&p.Propose, v, ProposeByGradient) },
	"pairs":   func(p *Protocol, v string) error { return integer(&p.Pairs, v, 2) },
	"carry": func(p *Protocol, v string) error {
		if v != "momentum" {
			return errors.New("want carry=momentum")
		}
		p.Carry = true
		return nil
	},
	"gauge": func(p *Protocol, v string) error { return boolean(&p.Gauge, v) },
	"lift":  func(p *Protocol, v string) error { return boolean(&p.Lift, v) },
	"keep":  func(p *Protocol, v string) error { return boolean(&p.Keep, v) },
}

func count(v string) (Count, error) {
	if v == "all" {
		return Count{All: true}, nil
	}
	fraction, batch := strings.CutSuffix(v, "B")
	x, err := strconv.ParseFloat(fraction, 64)
	switch {
	case err != nil || !(x > 0) || x > 1<<31:
		return Count{}, errors.New("want a whole number of at least 1, a fraction of the batch such as 0.1B, or all")
	case !batch && x != float64(int(x)):
		return Count{}, fmt.Errorf("want a whole number, a fraction of the batch (%sB) or all", v)
	}
	return Count{Value: x, Batch: batch}, nil
}

func decimal(dst *float64, v string) error {
	x, err := strconv.ParseFloat(v, 64)
	if err != nil || x-x != 0 { // x-x is NaN for NaN and Inf
		return fmt.Errorf("%q is no number", v)
	}
	*dst = x
	return nil
}

func integer(dst *int, v string, least int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < least {
		return fmt.Errorf("want a whole number of at least %d", least)
	}
	*dst = n
	return nil
}

func boolean(dst *bool, v string) error {
	switch v {
	case "true":
		*dst = true
	case "false":
		*dst = false
	default:
		return errors.New("want true or false")
	}
	return nil
}

func oneOf[S ~string](dst *S, v string, allowed ...S) error {
	var names []string
	for _, a := range allowed {
		if v == string(a) {
			*dst = a
			return nil
		}
		names = append(names, string(a))
	}
	return fmt.Errorf("want %s", alternatives(names))
}

// alternatives joins names as in "a, b or c".
func alternatives(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func targetNames() []string {
	var names []string
	for _, t := range Targets() {
		names = append(names, string(t))
	}
	return names
}
