package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"swapmc/swap"
)

func TestReadKeepsDefaults(t *testing.T) {
	got, err := Read("spec.yaml", []byte(`
name: mine
network: [conv 6 5x5, relu, maxpool 2, linear 10]
optimizer: {lr: 0.1}
eval: {every: 10}
protocols:
  - features:1SA
  - weights:1SS each n=all guide=momentum window=0.01 accept=greedy + biases:1S
seeds: [4, 9]
targets: [1.5, 1]
`), Default())
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Name = "mine"
	want.Network = "conv 6 5x5, relu, maxpool 2, linear 10"
	want.Optimizer.LR = 0.1
	want.Eval.Every = 10
	want.Protocols = []Protocols{
		{{Target: swap.Features, Code: "1SA", N: swap.Count{Value: 1}, P: 1, Every: 1, Accept: swap.Always}},
		{
			{
				Target: swap.Weights, Code: "1SS", Each: true, N: swap.Count{All: true}, P: 1, Every: 1,
				Guide: swap.ByMomentum, Beta: 0.9, Window: swap.Window{Size: 0.01}, Accept: swap.Greedy,
			},
			{Target: swap.Biases, Code: "1S", N: swap.Count{Value: 1}, P: 1, Every: 1, Accept: swap.Always},
		},
	}
	want.Seeds = Seeds{4, 9}
	want.Targets = []float64{1.5, 1}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestSpecRoundTrip(t *testing.T) {
	odd := Default()
	odd.Name = "a name: with #signs"
	odd.Data = Data{Set: "cifar10", Path: "/data/with space", Train: 100, Test: 50}
	odd.Network = "conv 6 5x5, relu, linear 10"
	odd.Seeds = Seeds{7}
	odd.Targets = []float64{0.1 + 0.2, 1e-7, 2}
	odd.Optimizer.LR = 1e-5
	odd.Parallel = 3
	full := Default()
	full.Protocols = DefaultProtocols()
	odd.Name = "a name, with #signs"
	for _, want := range []Spec{Default(), full, odd} {
		text, err := want.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		// The base must not shine through: everything is in the text.
		base := Spec{Network: "mlp", Seeds: Seeds{99}, Targets: []float64{5}, Iterations: 77, Parallel: 9}
		got, err := Read("spec.yaml", text, base)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("(-want +got)\n%s\nin\n%s", d, text)
		}
	}
}

func TestReadFaults(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"netwrok: lenet", `spec.yaml:1: unknown key "netwrok" (did you mean network?)`},
		{"name: x\noptimizer:\n  name: sgd\n  learning: 3", `spec.yaml:4: unknown key "learning" in optimizer: want one of name, lr`},
		{"eval: {evry: 3}", `spec.yaml:1: unknown key "evry" in eval (did you mean every?)`},
		{"batch: many", "spec.yaml:1: batch: want a whole number"},
		{"batch: 1.5", "spec.yaml:1: batch: want a whole number"},
		{"batch: [1]", "spec.yaml:1: batch: want a whole number"},
		{"optimizer: {name: sgd, lr: fast}", "spec.yaml:1: optimizer.lr: want a number"},
		{"optimizer:\n  nesterov: 3", "spec.yaml:2: optimizer.nesterov: want true or false"},
		{"name: [a]", "spec.yaml:1: name: want a text"},
		{"targets: 1.5", "spec.yaml:1: targets: want a list"},
		{"targets: [low]", "spec.yaml:1: targets[0]: want a number"},
		{"name: x\nbatch: 0", "spec.yaml:2: batch: 0: want at least one image"},
		{"batch: -1", "spec.yaml:1: batch"},
		{"iterations: 0", "spec.yaml:1: iterations"},
		{"eval:\n  every: 0", "spec.yaml:2: eval.every"},
		{"name: ../up", "spec.yaml:1: name"},
		{"name: ''", "spec.yaml:1: name"},
		{"system: glass", "spec.yaml:1: system"},
		{"data: {set: cifar}", `spec.yaml:1: data.set: unknown data set "cifar" (did you mean cifar10?)`},
		{"data: synth", "spec.yaml:1: data: want keys with values: set, path"},
		{"init: kaimin", "spec.yaml:1: init"},
		{"precision: fp16", "spec.yaml:1: precision: precision \"fp16\""},
		{"protocols:\n  - features:1SA\n  - features:1XA", "spec.yaml:3: protocols[1]: features:1XA: 'X' at 2: want 1, S or A"},
		{"protocols: features:1SA", "spec.yaml:1: protocols: want a list"},
		{"protocols:\n  - none", "spec.yaml:2: protocols[0]: no swaps are the baseline"},
		{"protocols: [features:1SA, features:1SA n=1]", "spec.yaml:1: protocols[1]: features:1SA is given twice"},
		{"protocols: [diameters:S]", "spec.yaml:1: protocols[0]: diameters:S: a network has no diameters"},
		{"protocols: [3]", "spec.yaml:1: protocols[0]: want a text"},
		{"seeds: 0", "spec.yaml:1: seeds: want a number of seeds from 1"},
		{"seeds:", "spec.yaml:1: seeds: no value"},
		{"optimizer:\nbatch: 3", "spec.yaml:1: optimizer: no value"},
		{"network: 3.5", "spec.yaml:1: "},
		{"seeds: -2", "spec.yaml:1: "},
		{"seeds: []", "spec.yaml:1: seeds"},
		{"seeds: [1, 2, 1]", "spec.yaml:1: seeds: 1 is given twice"},
		{"seeds: 1e9", "spec.yaml:1: "},
		{"targets: [-1]", "spec.yaml:1: targets[0]"},
		{"targets: [.nan]", "spec.yaml:1: targets[0]"},
		{"parallel: -1", "spec.yaml:1: parallel"},
		{"checkpoint: {every: -1}", "spec.yaml:1: checkpoint.every"},
		{"loss: cross", "spec.yaml:1: loss"},
		{"batch: 3\nbatch: 4", "spec.yaml:2: "},
		{"- a\n- b", "spec.yaml:1: want keys with values"},
		{"just text", "spec.yaml:1: want keys with values"},
		{"a: [1", "spec.yaml:1: "},
		{"batch: 3\nseeds: !0000\n000", "spec.yaml:2: a YAML tag"},
		{"eval: &a {every: 3}", "spec.yaml:1: a YAML anchor"},
		{"a: 1\n---\nb: 2", "spec.yaml: 2 documents"},
	} {
		_, err := Read("spec.yaml", []byte(test.text), Default())
		switch {
		case err == nil:
			t.Errorf("%q: no error, want %s", test.text, test.want)
		case !strings.HasPrefix(err.Error(), test.want):
			t.Errorf("%q:\n got %s\nwant %s", test.text, err, test.want)
		case strings.Contains(err.Error(), "\n"):
			t.Errorf("%q: more than one line: %s", test.text, err)
		}
	}
}

func TestReadEmpty(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "\n"} {
		got, err := Read("spec.yaml", []byte(text), Default())
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if d := cmp.Diff(Default(), got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%q: (-want +got)\n%s", text, d)
		}
	}
}

func FuzzRead(f *testing.F) {
	text, _ := Default().Marshal()
	f.Add(text)
	f.Add([]byte("network: [conv 6 5x5, relu]\nseeds: [1,2]\nprotocols: [features:1SA + biases:1S]"))
	f.Add([]byte("data: {set: synth}\neval: &a {every: 3}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Read("spec.yaml", text, Default())
		if err != nil {
			return
		}
		again, err := s.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Read("spec.yaml", again, Spec{})
		if err != nil {
			t.Fatalf("%v in\n%s", err, again)
		}
		if d := cmp.Diff(s, back, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	})
}

func TestParseSeeds(t *testing.T) {
	for text, want := range map[string]Seeds{"3": {1, 2, 3}, "5,": {5}, "4, 7": {4, 7}, "18446744073709551615,": {1<<64 - 1}} {
		got, err := ParseSeeds(text)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "x", "1,,2", ",", "-1", "1e9", "99999999"} {
		if got, err := ParseSeeds(text); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}

func TestExamplesAreValid(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.yaml")
	studies, _ := filepath.Glob("../../studies/*/*.yaml")
	files = append(files, studies...)
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if System(text) == "glass" { // package liquid reads these
			continue
		}
		text, _ = Section(text, "sweep") // which package sweep reads
		if _, err := Read(file, text, Default()); err != nil {
			t.Error(err)
		}
	}
}
