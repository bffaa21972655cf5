package glass

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Sizes is a distribution of diameters. The zero value gives every particle diameter 1.
//
//	""          all 1
//	power       P(s) proportional to s^-Exponent on [Min, Min/Ratio], the mean 1
//	uniform     uniform on 1 +- sqrt(3) Spread: standard deviation Spread
//	gaussian    normal with mean 1 and standard deviation Spread, cut at 3 of them
//	binary      a fraction of large particles, Ratio = small/large
//	list        Values, as they are, each for as many particles as the others, give or take one
type Sizes struct {
	Kind     string    `yaml:"kind,omitempty" json:"kind,omitempty"`
	Exponent float64   `yaml:"exponent,omitempty" json:"exponent,omitempty"` // power: 3 by default
	Ratio    float64   `yaml:"ratio,omitempty" json:"ratio,omitempty"`       // smallest to largest, in (0, 1]
	Spread   float64   `yaml:"spread,omitempty" json:"spread,omitempty"`     // standard deviation over mean
	Large    float64   `yaml:"large,omitempty" json:"large,omitempty"`       // binary: fraction of large ones, 0.5 by default
	Values   []float64 `yaml:"values,omitempty" json:"values,omitempty"`
}

// Validate reports an unknown kind or a constant out of range.
func (s Sizes) Validate() error {
	switch s.Kind {
	case "":
		return nil
	case "power", "binary":
		if !(s.Ratio > 0 && s.Ratio <= 1) {
			return fmt.Errorf("sizes %s: ratio = %g: want smallest to largest, above 0 and at most 1", s.Kind, s.Ratio)
		}
		if s.Kind == "binary" && !(s.Large >= 0 && s.Large <= 1) {
			return fmt.Errorf("sizes binary: large = %g: want a fraction", s.Large)
		}
	case "uniform", "gaussian":
		if !(s.Spread >= 0 && s.Spread < 1/math.Sqrt(3)) || s.Kind == "gaussian" && s.Spread >= 1./3 {
			return fmt.Errorf("sizes %s: spread = %g: want at least 0 and all diameters positive", s.Kind, s.Spread)
		}
	case "list":
		if len(s.Values) == 0 {
			return fmt.Errorf("sizes list: no values")
		}
		for i, v := range s.Values {
			if !possible(v) {
				return fmt.Errorf("sizes list: value %d is %g: want a diameter above 0", i, v)
			}
		}
	default:
		return fmt.Errorf("sizes %q: want power, uniform, gaussian, binary, list or nothing", s.Kind)
	}
	if lo, hi := s.power(0), s.power(1); s.Kind == "power" && !(possible(lo) && possible(hi)) {
		return fmt.Errorf("sizes power: ratio = %g and exponent = %g make diameters of %g to %g", s.Ratio, s.Exponent, lo, hi)
	}
	if s.Kind == "binary" && !possible(s.Ratio) {
		return fmt.Errorf("sizes binary: ratio = %g: too small", s.Ratio)
	}
	return nil
}

// possible tells whether a diameter is above 0 and finite in single precision.
func possible(d float64) bool { return float32(d) > 0 && !math.IsInf(float64(float32(d)), 0) }

// Draw returns n diameters in random order.
func (s Sizes) Draw(n int, r *rand.Rand) []float64 {
	d := make([]float64, n)
	for i := range d {
		// Quantiles rather than independent draws: every sample has the distribution's
		// moments to 1/n, and samples do not differ from each other by more.
		q := (float64(i) + 0.5) / float64(n)
		switch s.Kind {
		case "":
			d[i] = 1
		case "power":
			d[i] = s.power(q)
		case "uniform":
			d[i] = 1 + math.Sqrt(3)*s.Spread*(2*q-1)
		case "gaussian":
			lo, hi := 0.5*math.Erfc(3/math.Sqrt2), 1-0.5*math.Erfc(3/math.Sqrt2)
			d[i] = 1 - s.Spread*math.Sqrt2*math.Erfcinv(2*(lo+(hi-lo)*q))
		case "binary":
			large := s.Large
			if large == 0 {
				large = 0.5
			}
			d[i] = s.Ratio
			if float64(i) < math.Round(large*float64(n)) {
				d[i] = 1
			}
		case "list":
			k := len(s.Values)
			d[i] = s.Values[i%k]
			if over := n % k; i >= n-over {
				d[i] = s.Values[(i-n+over)*k/over] // from all of a list that may be sorted
			}
		}
	}
	r.Shuffle(n, func(i, j int) { d[i], d[j] = d[j], d[i] })
	return d
}

// power is the quantile of s^-e on [Min, Min/Ratio], with the mean 1.
func (s Sizes) power(q float64) float64 {
	e := s.Exponent
	if e == 0 {
		e = 3
	}
	if s.Ratio == 1 {
		return 1
	}
	// On [1, b] first: moments of x^-e.
	b := 1 / s.Ratio
	moment := func(k float64) float64 {
		if p := k - e + 1; p != 0 {
			return (math.Pow(b, p) - 1) / p
		}
		return math.Log(b)
	}
	mean := moment(1) / moment(0)
	var x float64
	if p := 1 - e; p != 0 {
		x = math.Pow(1+q*(math.Pow(b, p)-1), 1/p)
	} else {
		x = math.Pow(b, q)
	}
	return x / mean
}

// ParseSizes reads a distribution from a text: "power 0.45" (smallest to largest, P(s)
// proportional to s^-3; a second number is another exponent), "uniform 0.1" and "gaussian 0.1" (standard deviation over
// mean), "binary 0.8" (small to large; a second number is the fraction of large ones), "one", or "model".
func ParseSizes(text string) (Sizes, error) {
	fields := strings.Fields(text)
	var numbers []float64
	if len(fields) > 0 {
		for _, f := range fields[1:] {
			x, err := strconv.ParseFloat(f, 64)
			if err != nil {
				return Sizes{}, fmt.Errorf("sizes %q: %q is no number", text, f)
			}
			numbers = append(numbers, x)
		}
	}
	if len(fields) == 0 || len(fields) > 3 {
		return Sizes{}, fmt.Errorf("sizes %q: want for example \"power 0.45\"", text)
	}
	if most, known := map[string]int{"power": 2, "binary": 2, "uniform": 1, "gaussian": 1, "one": 0, "model": 0}[fields[0]]; known && len(numbers) > most {
		return Sizes{}, fmt.Errorf("sizes %q: %d numbers after %s: want at most %d", text, len(numbers), fields[0], most)
	}
	numbers = append(numbers, 0, 0)
	var s Sizes
	switch fields[0] {
	case "model":
		return Sizes{}, nil
	case "one":
		s = Sizes{Kind: "list", Values: []float64{1}}
	case "power":
		s = Sizes{Kind: "power", Ratio: numbers[0], Exponent: numbers[1]}
	case "binary":
		s = Sizes{Kind: "binary", Ratio: numbers[0], Large: numbers[1]}
	case "uniform", "gaussian":
		s = Sizes{Kind: fields[0], Spread: numbers[0]}
	default:
		return Sizes{}, fmt.Errorf("sizes %q: want power, uniform, gaussian, binary, one or model", text)
	}
	return s, s.Validate()
}

// ReadSizes reads a list of diameters, numbers with blanks or line ends between them.
func ReadSizes(text string) (Sizes, error) {
	s := Sizes{Kind: "list"}
	for i, f := range strings.Fields(text) {
		x, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return Sizes{}, fmt.Errorf("sizes: number %d: %q is none", i+1, short(f))
		}
		s.Values = append(s.Values, x)
	}
	return s, s.Validate()
}
