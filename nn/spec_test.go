package nn

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"lenet":                        "conv 6 5x5, relu, maxpool 2, conv 16 5x5, relu, maxpool 2, flatten, linear 120, relu, linear 84, relu, linear classes",
		" mlp ":                        "flatten, linear 512, relu, linear 512, relu, linear classes",
		"mlp 256 7":                    "flatten, linear 256, relu, linear 7, relu, linear classes",
		"mlp\t256,  7":                 "flatten, linear 256, relu, linear 7, relu, linear classes",
		"linear 4 nobias":              "linear 4 nobias",
		" conv  8 3x3  pad 1 ,\n relu": "conv 8 3x3 pad 1, relu",
		"conv 8 1x1 stride 2 nobias, block 4 stride 2, block 4, avgpool": "conv 8 1x1 stride 2 nobias, block 4 stride 2, block 4, avgpool",
	} {
		spec, err := Parse(text)
		if err != nil || spec.String() != want {
			t.Errorf("Parse(%q) = %q, %v, want %q", text, spec, err, want)
			continue
		}
		if again, err := Parse(spec.String()); err != nil || !slices.Equal(again, spec) {
			t.Errorf("Parse(%q) = %q, %v", spec, again, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "network: empty: want one of mlp, lenet, cnn, resnet20, or layers",
		"lenett":                            `network "lenett": unknown layer "lenett" (did you mean lenet?)`,
		"mlp 20 x":                          `network: mlp: "x": want a width, a whole number from 1 to 1048576`,
		"mlp 0":                             `mlp: "0": want a width`,
		"relu, , relu":                      `network: layer 1 "": empty`,
		"relu,":                             `network: layer 1 "": empty`,
		"relu, rleu":                        `network: layer 1 "rleu": unknown layer "rleu" (did you mean relu?)`,
		"relu, convolution 3":               `layer 1 "convolution 3": unknown layer "convolution": want one of conv, linear`,
		"relu, conv":                        `layer 1 "conv": "": want channels`,
		"relu, conv 3":                      `layer 1 "conv 3": kernel "": want a square one such as 3x3`,
		"relu, conv 3 3x5":                  `kernel "3x5": want a square one such as 3x3`,
		"relu, conv 3 3":                    `kernel "3": want a square one such as 3x3`,
		"relu, conv 3 3x3 pad -1":           `pad "-1": want a whole number from 0`,
		"relu, conv 3 3x3 pad":              `pad "": want a whole number from 0`,
		"relu, conv 3 3x3 stride 0":         `"0": want a stride`,
		"relu, linear many":                 `"many": want units`,
		"relu, linear 5 pad 1":              `"pad" does not belong to linear`,
		"relu, relu 3":                      `"3" does not belong to relu`,
		"relu, maxpool":                     `"": want a width`,
		"relu, block 4 pad 1":               `"pad" does not belong to block`,
		"linear 99999999999999999999, relu": `layer 0 "linear 99999999999999999999": "99999999999999999999": want units`,
	} {
		if spec, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %q, %v, want %q in the error", text, spec, err, want)
		}
	}
}

// What Parse accepts reads the same when written, and planning it ends in a
// plan or an error.
func FuzzParse(f *testing.F) {
	for _, name := range References() {
		f.Add(name)
	}
	for _, text := range zoo {
		f.Add(text)
	}
	f.Add("conv 1048576 3x3 pad 1024, conv 1048576 900x900 stride 1048576, linear classes")
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(spec.String())
		if err != nil || !slices.Equal(spec, again) {
			t.Fatalf("%q reads as %q, that as %q, %v", text, spec, again, err)
		}
		p, err := newPlan(spec, Options{Input: Shape{3, 32, 32}, Classes: 10, Batch: 8})
		if err != nil {
			return
		}
		end := 0
		for _, l := range p.parts {
			if l.Weight.Offset != end || l.Weight.Len < 1 || l.Weight.Len != l.Rows*l.Cols {
				t.Fatalf("%q: layer %+v does not begin at %d", text, l, end)
			}
			end += l.Weight.Len + l.Bias.Len
			for _, c := range l.Gauge {
				n := p.params
				if c.InBuffers {
					n = p.buffers
				}
				if c.Offset < 0 || c.Outer < 1 || c.Inner < 1 || c.Offset+c.Outer*l.Rows*c.Inner > n {
					t.Fatalf("%q: layer %s: %+v lies outside %d", text, l.Name, c, n)
				}
			}
		}
		if end != p.params {
			t.Fatalf("%q: layers cover %d of %d parameters", text, end, p.params)
		}
	})
}

func TestParseLoss(t *testing.T) {
	for name, want := range map[string]Loss{"": CrossEntropy, "cross-entropy": CrossEntropy, "mean-squared": MeanSquared, "quadratic-hinge": QuadraticHinge} {
		if got, err := ParseLoss(name); got != want || err != nil {
			t.Errorf("ParseLoss(%q) = %v, %v", name, got, err)
		}
	}
	if _, err := ParseLoss("cross-entropie"); err == nil || !strings.Contains(err.Error(), "did you mean cross-entropy?") {
		t.Errorf("error %v", err)
	}
	if s := Loss(9).String(); s != "Loss(9)" {
		t.Error(s)
	}
}
