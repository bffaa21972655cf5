package glass

import (
	"bytes"
	"compress/gzip"
	"io"
	"math"
	"strings"
	"testing"

	"swapmc/internal/rng"
)

// What Load takes leaves a system that can go on, and what it refuses leaves it as it was. The text is
// what is in the file: its checksum would refuse all that is changed.
func FuzzLoad(f *testing.F) {
	o := Options{Model: "soft-poly", N: 27, Dim: 2, Temperature: 0.5, Moves: []Weighted{{Move: &Swap{}, P: 0.2}, {Move: &Lifted{K: 2}, P: 0.1}}}
	first, err := New(o)
	if err != nil {
		f.Fatal(err)
	}
	first.Run(3)
	var file bytes.Buffer
	if err := first.Save(&file); err != nil {
		f.Fatal(err)
	}
	z, err := gzip.NewReader(&file)
	if err != nil {
		f.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		before := s.Energy()
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(text)
		z.Close()
		if err := s.Load(&b); err != nil {
			if !strings.HasPrefix(err.Error(), "glass: ") {
				t.Errorf("error %v", err)
			}
			if s.Energy() != before {
				t.Errorf("energy %g after %v, %g before", s.Energy(), err, before)
			}
		}
		s.Run(1)
		if math.IsNaN(s.Energy()) {
			t.Error("energy is no number")
		}
	})
}

// Sizes that are read can be drawn.
func FuzzSizes(f *testing.F) {
	for _, text := range []string{"power 0.45", "power 0.5 4", "uniform 0.1", "gaussian 0.2", "binary 0.8 0.3", "one", "model", "1 1.1\n0.9", "power 0.5 NaN", "power 1e-300", "1e-60"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, read := range []func(string) (Sizes, error){ParseSizes, ReadSizes} {
			s, err := read(text)
			if err != nil {
				if !strings.HasPrefix(err.Error(), "sizes") || strings.Contains(err.Error(), "\n") {
					t.Errorf("%q: error %q", text, err)
				}
				continue
			}
			for _, d := range s.Draw(7, rng.New(1, "sizes").Rand) {
				if !possible(d) {
					t.Errorf("%q: %+v draws a diameter of %g", text, s, d)
				}
			}
		}
	})
}

func TestSizesRefuse(t *testing.T) {
	for text, want := range map[string]string{
		"":                "want for example",
		"round 1":         "want power, uniform",
		"power x":         `"x" is no number`,
		"power 0":         "ratio = 0",
		"power 2":         "ratio = 2",
		"power 0.5 NaN":   "exponent = NaN",
		"power 1e-300":    "ratio = 1e-300",
		"uniform 0.6":     "spread = 0.6",
		"gaussian -1":     "spread = -1",
		"gaussian 0.1 2":  "want at most 1",
		"one 2":           "want at most 0",
		"binary 0.5 1.5":  "large = 1.5",
		"binary 1e-60":    "too small",
		"power 0.5 3 1 1": "want for example",
	} {
		if _, err := ParseSizes(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{"": "no values", "1 2 x": `number 3: "x"`, "1 0": "value 1 is 0", "1e-60": "value 0", "inf": "value 0"} {
		if _, err := ReadSizes(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}
