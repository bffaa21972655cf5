package swap

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Protocol{
		"features:1SA":                           {Target: Features, Code: "1SA"},
		"features:ASA p=0.5":                     {Target: Features, Code: "ASA", P: 0.5},
		"features:1AS n=64":                      {Target: Features, Code: "1AS", N: Count{Value: 64}},
		"features:1AS n=0.1B":                    {Target: Features, Code: "1AS", N: Count{Value: 0.1, Batch: true}},
		"features:1AS each n=64":                 {Target: Features, Code: "1AS", N: Count{Value: 64}, Each: true},
		"features:AAS n=256 from=10 until=900":   {Target: Features, Code: "AAS", N: Count{Value: 256}, From: 10, Until: 900},
		"features:AAS p=0.5 until=9 ramp=cosine": {Target: Features, Code: "AAS", P: 0.5, Until: 9, Ramp: Cosine},
		"features:AAS n=64..1 until=9 ramp=exp":  {Target: Features, Code: "AAS", N: Count{Value: 64}, NTo: Count{Value: 1}, Until: 9, Ramp: Exp},
		"features:AAS p=0..1 until=9 ramp=exp":   {Target: Features, Code: "AAS", PTo: 1, Until: 9, Ramp: Exp},
		"features:SAA keep=true":                 {Target: Features, Code: "SAA", Keep: true},
		"weights:1SA every=100":                  {Target: Weights, Code: "1SA", Every: 100},
		"weights:1SA gauge=true carry=momentum":  {Target: Weights, Code: "1SA", Gauge: true, Carry: true},
		"weights:1SS layers=0,3.c1":              {Target: Weights, Code: "1SS", Layer: []string{"0", "3.c1"}},
		"weights:1SS n=10 accept=metropolis T=1e-4": {Target: Weights, Code: "1SS", N: Count{Value: 10},
			Accept: Metropolis, T: 1e-4},
		"weights:1SS each n=all guide=momentum window=0.01 accept=greedy": {Target: Weights, Code: "1SS",
			N: Count{All: true}, Each: true, Guide: ByMomentum, Window: Window{Size: 0.01}, Accept: Greedy},
		"params:SS guide=gradient accept=metropolis T=0.1": {Target: Params, Code: "SS", Guide: ByGradient, Accept: Metropolis, T: 0.1},
		"biases:1S until=2000":                             {Target: Biases, Code: "1S", Until: 2000},
		"diameters:S p=0.2 accept=metropolis":              {Target: Diameters, Code: "S", P: 0.2, Accept: Metropolis},
		"diameters:S p=0.2 window=0.1 lift=true":           {Target: Diameters, Code: "S", P: 0.2, Window: Window{Size: 0.1}, Lift: true},
		"lengths:S window=0.2":                             {Target: Lengths, Code: "S", Window: Window{Size: 0.2}},
		"weights:11S each n=all every=20 guide=lookahead": {Target: Weights, Code: "11S", N: Count{All: true}, Each: true, Every: 20,
			Guide: ByLookahead},
		"weights:11S each n=all guide=momentum cycles window=0.05 accept=greedy": {Target: Weights, Code: "11S", N: Count{All: true}, Each: true,
			Guide: ByMomentum, Cycles: true, Window: Window{Size: 0.05}, Accept: Greedy},
		"params:AS n=all guide=gradient cycles=true subset=30 accept=greedy": {Target: Params, Code: "AS", N: Count{All: true},
			Guide: ByGradient, Cycles: true, Subset: 30, Accept: Greedy},
		"weights:1SS n=5 propose=gradient accept=metropolis T=1e-4": {Target: Weights, Code: "1SS", N: Count{Value: 5},
			Propose: ProposeByGradient, Accept: Metropolis, T: 1e-4},
		"weights:SSS propose=gradient pairs=9 accept=metropolis T=1e-4": {Target: Weights, Code: "SSS", Propose: ProposeByGradient, Pairs: 9,
			Accept: Metropolis, T: 1e-4},
		"features:1SA from=10 until=0.9L": {Target: Features, Code: "1SA", From: 10, UntilLoss: 0.9},
	} {
		got, err := Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		if diff := cmp.Diff(want.normal(), got); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", text, diff)
		}
		again, err := Parse(got.String())
		if err != nil || !cmp.Equal(got, again) {
			t.Errorf("Parse(%q) printed as %q, which reads as %+v, %v", text, got, again, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		text   string
		offset int
		want   string
	}{
		{"features:1XA", 10, "features:1XA: 'X' at 2: want 1, S or A"},
		{"features:1S", 11, "2 letters: want 3, for image, channel, pixel"},
		{"features:11A", 12, "no S"},
		{"feature:1SA", 0, `unknown target "feature" (did you mean features?)`},
		{"features", 8, "no code"},
		{"", 0, "no protocol"},
		{"features:1SA q=3", 13, `unknown option "q" at 14`},
		{"features:1SA evry=3", 13, "did you mean every?"},
		{"features:1SA n=0", 15, "n=0 at 14: want a whole number"},
		{"features:1SA n=1.5", 15, "fraction of the batch (1.5B)"},
		{"features:1SA n", 14, "has no value"},
		{"features:1SA p=2", 15, "probability"},
		{"features:1SA p=NaN", 15, "no number"},
		{"features:1SA n=2 n=3", 17, "given twice"},
		{"features:1SA T=0.1", 13, "want accept=metropolis (at character 14)"},
		{"features:1SA p=0.5 T=0", 19, "T=0 has no meaning with accept=always: want accept=greedy without T (at character 20)"},
		{"features:1SA accept=metropolis T=-1", 31, "T=-1: want a temperature above 0"},
		{"diameters:S T=-0.1", 12, "T=-0.1: want a temperature above 0"},
		{"diameters:S T=0", 12, "want accept=greedy without T"},
		{"features:1SA accept=metropolis", 13, "needs a temperature"},
		{"features:1SA accept=sometimes", 20, "want always, metropolis or greedy"},
		{"features:SAA each", 13, "want 1, not S, on the first axis"},
		{"features:1SA guide=momentum accept=greedy", 13, "needs a gradient"},
		{"weights:1SS guide=momentum", 12, "want accept=greedy"},
		{"weights:1SS n=2 beta=0.5", 16, "guide=momentum"},
		{"weights:1SS n=0.1B", 12, "is for features"},
		{"weights:1SA window=0.1", 12, "in place of A"},
		{"weights:1AS gauge=true", 12, "want weights:1SA"},
		{"weights:1SA keep=true", 12, "is for features"},
		{"features:1SA carry=momentum", 13, "is for weights"},
		{"features:1SA layers=0", 13, "is for weights"},
		{"features:1SA ramp=linear", 13, "needs until="},
		{"features:1SA from=5 until=5", 20, "want more than from=5"},
		{"features:1SA n=4..2", 13, "needs ramp="},
		{"features:1SA every=2 p=0.1..0.2", 21, "needs ramp="},
		{"weights:1SA n=all gauge", 18, "want a whole number for n"},
		{"weights:1SA gauge guide=gradient accept=greedy", 12, "no guide can steer it"},
		{"biases:1SA", 10, "3 letters: want 2, for layer, unit"},
		{"diameters:S each", 12, "first axis"},
		{"weights:1SS lift=true", 12, "lift=true is for diameters and lengths"},
		{"weights:11S guide=momentums", 18, "want gradient, momentum or lookahead"},
		{"weights:11S n=all guide=lookahead accept=greedy", 34, "refuses nothing"},
		{"weights:11S n=all guide=lookahead window=0.1", 34, "near or far"},
		{"weights:11S n=all guide=lookahead beta=0.5", 34, "guide=momentum"},
		{"weights:11S n=5 guide=lookahead", 12, "want n=all"},
		{"weights:11S n=all guide=lookahead carry=momentum", 34, "want carry= away"},
		{"weights:1SA n=all guide=lookahead", 18, "not blocks"},
		{"weights:SSS n=all guide=lookahead", 18, "want 1 or A on the first axis"},
		{"features:11S n=all guide=lookahead", 19, "not features"},
		{"weights:11S n=all cycles accept=greedy", 18, "want guide=momentum"},
		{"weights:11S n=all cycles guide=lookahead", 18, "want guide=momentum"},
		{"weights:11S n=all cycles guide=gradient accept=metropolis T=1", 40, "want accept=greedy"},
		{"weights:11S cycles guide=gradient accept=greedy", 0, "want n=all"},
		{"weights:1SA n=all guide=gradient accept=greedy cycles", 47, "not blocks"},
		{"weights:SSS n=all guide=gradient accept=greedy cycles", 47, "want 1 or A on the first axis"},
		{"weights:11S n=all guide=gradient accept=greedy subset=20", 47, "want cycles"},
		{"weights:11S n=all guide=gradient accept=greedy cycles subset=1", 61, "want a whole number of at least 2"},
		{"weights:11S n=all guide=gradient accept=greedy cycles=yes", 54, "want true or false"},
		{"weights:1SS propose=loss", 20, "propose=loss at 13: want gradient"},
		{"weights:1SS propose=gradient", 12, "want accept=metropolis T="},
		{"weights:1SS propose=gradient accept=greedy", 12, "want accept=metropolis T="},
		{"weights:1SS propose=gradient n=all accept=metropolis T=1", 29, "want a whole number for n"},
		{"weights:1SA propose=gradient accept=metropolis T=1", 12, "two single values"},
		{"weights:ASS propose=gradient accept=metropolis T=1", 12, "two single values"},
		{"weights:1SS guide=gradient propose=gradient accept=metropolis T=1", 27, "want one of them"},
		{"features:1SS propose=gradient accept=metropolis T=1", 13, "not features"},
		{"weights:1SS pairs=5", 12, "want propose=gradient"},
		{"weights:1SS pairs=1", 18, "want a whole number of at least 2"},
		{"features:1SA until=1.5L", 19, "such as 0.9L"},
		{"features:1SA until=L", 19, "such as 0.9L"},
		{"features:1SA until=0", 19, "or a fraction of the first loss"},
		{"features:1SA until=0.9L ramp=linear", 24, "at which iteration it ends"},
		{"diameters:S p=0.2 until=0.9L", 18, "learnt away"},
	} {
		_, err := Parse(c.text)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("Parse(%q): error %v, want a SyntaxError", c.text, err)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("Parse(%q): %q, want it to contain %q", c.text, err, c.want)
		}
		if syntax.Offset != c.offset {
			t.Errorf("Parse(%q): fault at byte %d, want %d", c.text, syntax.Offset, c.offset)
		}
	}
}

func TestParseList(t *testing.T) {
	list, err := ParseList("features:1SA p=0.5 + weights:1SS n=2")
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	if got, want := FormatList(list), "features:1SA p=0.5 + weights:1SS n=2"; got != want {
		t.Errorf("printed as %q, want %q", got, want)
	}
	for _, none := range []string{"", "none", " none "} {
		if list, err := ParseList(none); err != nil || len(list) != 0 {
			t.Errorf("ParseList(%q) = %v, %v", none, list, err)
		}
	}
	if FormatList(nil) != "none" {
		t.Error("no protocols should print as none")
	}
}

func TestJSON(t *testing.T) {
	in := []Protocol{{Target: Features, Code: "1SA"}}
	text, err := json.Marshal(in)
	if err != nil || string(text) != `["features:1SA"]` {
		t.Fatalf("%s, %v", text, err)
	}
	var out []Protocol
	if err := json.Unmarshal(text, &out); err != nil || out[0].Code != "1SA" {
		t.Errorf("%v, %v", out, err)
	}
}

func TestCodes(t *testing.T) {
	for target, want := range map[Target]int{Features: 19, Weights: 19, Biases: 5, Params: 5, Diameters: 1, Lengths: 1, "x": 0} {
		codes := Codes(target)
		if len(codes) != want {
			t.Errorf("%s has %d codes, want %d: %v", target, len(codes), want, codes)
		}
		for _, c := range codes {
			if _, err := Parse(string(target) + ":" + c); err != nil {
				t.Error(err)
			}
			if Describe(target, c) == "" {
				t.Errorf("%s:%s has no description", target, c)
			}
		}
	}
	if got, want := Describe(Features, "1SA"), "two channels exchanged, in one image, in all pixels"; got != want {
		t.Errorf("features:1SA is %q, want %q", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"features:1SA", "weights:1SS each n=all guide=momentum window=0.01 accept=greedy",
		"features:AAS n=64..1 until=9 ramp=exp", "diameters:S p=0.2 lift=true", "weights:1SS layers=0,3.c1", "biases:S1 n=0.1B",
		"weights:11S each n=all every=20 guide=lookahead", "weights:11S n=all guide=gradient cycles subset=20 accept=greedy",
		"weights:1SS propose=gradient pairs=9 accept=metropolis T=1e-4", "features:1SA until=0.9L"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(s) {
				t.Fatalf("Parse(%q): error %#v", s, err)
			}
			return
		}
		again, err := Parse(p.String())
		if err != nil || !cmp.Equal(p, again) {
			t.Fatalf("Parse(%q) = %+v prints as %q, which reads as %+v, %v", s, p, p, again, err)
		}
	})
}
