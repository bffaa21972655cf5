package liquid

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"swapmc/glass"
	"swapmc/internal/lab"
)

// all is a Spec in which nothing is as in Default.
const all = `name: mine
model: hard-poly
particles: 300
dimension: 2
packing: 0.7
temperature: [1, 2.5]
sizes: {kind: power, ratio: 0.5, exponent: 4}
non-additive: 0.1
protocols:
  - none
  - diameters:S p=0.2
  - diameters:S p=0.1 window=0.1 + diameters:S p=0.1 lift=true
equilibrate: {sweeps: 7, protocol: diameters:S p=0.3}
sweeps: 90
acceptance: 0.3
measure: {k: 6.1, overlap: 0.25, origins: 4, structure: 12}
trajectory: {times: log, frames: 3}
seeds: [3, 9]
parallel: 2
domains: off
`

func TestSpecReadsBack(t *testing.T) {
	for _, text := range []string{"", "system: glass", "start: first.xyz", "equilibrate: {protocol: none}\nprotocols: [diameters:S p=0.2]", all} {
		s, err := Read("spec.yaml", []byte(text), Default())
		if err != nil {
			t.Fatal(err)
		}
		if text == all {
			for _, same := range []bool{s.Particles == 300, s.Packing == 0.7, cmp.Equal(s.Temperature, Temperatures{1, 2.5}), s.Sizes.Exponent == 4,
				*s.NonAdditive == 0.1, len(s.Protocols) == 3 && len(s.Protocols[0]) == 0 && len(s.Protocols[2]) == 2, s.Equilibrate.Sweeps == 7,
				len(*s.Equilibrate.Protocol) == 1, s.Measure == Measure{6.1, 0.25, 4, 0, 12}, s.Trajectory == Trajectory{"log", 3}, cmp.Equal(s.Seeds, lab.Seeds{3, 9}), s.Domains == "off"} {
				if !same {
					t.Errorf("read %+v", s)
				}
			}
		}
		s.Version = "v1"
		again, err := s.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Read("spec.yaml", again, Spec{}) // with nothing to fall back on
		if err != nil {
			t.Fatalf("%v in\n%s", err, again)
		}
		if d := cmp.Diff(s, back, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	}
}

func TestReadFaults(t *testing.T) {
	for _, c := range [][2]string{
		{"modle: soft-poly", `spec.yaml:1: unknown key "modle" (did you mean model?)`},
		{"particles: 100\nmeasure: {orgins: 3}", `spec.yaml:2: unknown key "orgins" in measure (did you mean origins?)`},
		{"sizes: {rato: 3}", `spec.yaml:1: unknown key "rato" in sizes (did you mean ratio?)`},
		{"temperature: [1, warm]", "spec.yaml:1: temperature: want a number or a list of numbers"},
		{"particles: many", "spec.yaml:1: "},
		{"\nname: a/b", "spec.yaml:2: name: "},
		{"system: network", "spec.yaml:1: system: "},
		{"model: water", "spec.yaml:1: model: model \"water\": want one of soft-poly"},
		{"particles: 0", "spec.yaml:1: particles: N = 0"},
		{"dimension: 4", "spec.yaml:1: dimension: 4: want 2 or 3"},
		{"density: -1", "spec.yaml:1: density: -1"},
		{"density: .inf", "spec.yaml:1: density: "},
		{"packing: -0.1", "spec.yaml:1: packing: -0.1"},
		{"packing: .nan", "spec.yaml:1: packing: NaN"},
		{"density: 1\npacking: 0.5", "spec.yaml:2: packing: density is given too"},
		{"temperature: 0", "spec.yaml:1: temperature: 0: want above 0"},
		{"temperature: [0.2, -1]", "spec.yaml:1: temperature: -1: want above 0"},
		{"temperature: .nan", "spec.yaml:1: temperature: NaN"},
		{"temperature: []", "spec.yaml:1: temperature: want a number"},
		{"temperature: [0.2, 0.3, 0.2]", "spec.yaml:1: temperature: 0.2 is given twice"},
		{"sizes: {kind: round}", "spec.yaml:1: sizes: "},
		{"sizes: {kind: power, ratio: 2}", "spec.yaml:1: sizes: sizes power: ratio = 2"},
		{"sizes: {kind: power, ratio: 0.5, exponent: .nan}", "spec.yaml:1: sizes: "},
		{"sizes: {kind: power, ratio: 1e-200}", "spec.yaml:1: sizes: "},
		{"sizes: {kind: gaussian, spread: 0.5}", "spec.yaml:1: sizes: "},
		{"sizes: {kind: binary, ratio: 0.5, large: 2}", "spec.yaml:1: sizes: "},
		{"sizes: {kind: list}", "spec.yaml:1: sizes: "},
		{"start: a.xyz\nsizes: {kind: uniform, spread: 0.1}", "spec.yaml:2: sizes: the particles of start have theirs"},
		{"sizes: {kind: list, values: [1, 0]}", "spec.yaml:1: sizes: "},
		{"non-additive: 5", "spec.yaml:1: non-additive: 5: want 0 to 0.3"},
		{"protocols: [weights:1SS]", "spec.yaml:1: protocols[0]: "},
		{"protocols: [diameters:S p=0.2, diameters:S p=0.2]", "spec.yaml:1: protocols[1]: diameters:S p=0.2 is given twice"},
		{"protocols: [diameters:X]", "spec.yaml:1: protocols[0]: "},
		{"equilibrate:\n  sweeps: -1", "spec.yaml:2: equilibrate.sweeps: -1"},
		{"equilibrate:\n  protocol: lengths:S p=0.2", "spec.yaml:2: equilibrate.protocol: "},
		{"sweeps: 0", "spec.yaml:1: sweeps: 0"},
		{"acceptance: 1", "spec.yaml:1: acceptance: 1"},
		{"measure: {k: 0}", "spec.yaml:1: measure.k: 0"},
		{"measure: {overlap: -1}", "spec.yaml:1: measure.overlap: -1"},
		{"measure: {origins: 0}", "spec.yaml:1: measure.origins: 0"},
		{"measure: {structure: -1}", "spec.yaml:1: measure.structure: -1"},
		{"trajectory: {times: often}", `spec.yaml:1: trajectory.times: "often"`},
		{"trajectory: {frames: 0}", "spec.yaml:1: trajectory.frames: 0"},
		{"trajectory: {times: log, frames: 1000000000}", "spec.yaml:1: trajectory.frames: 1000000000"},
		{"seeds: []", "spec.yaml:1: seeds: "},
		{"seeds: [1, 2, 1]", "spec.yaml:1: seeds: 1 is given twice"},
		{"parallel: -1", "spec.yaml:1: parallel: -1"},
		{"domains: many", `spec.yaml:1: domains: "many": want auto, on or off`},
	} {
		_, err := Read("spec.yaml", []byte(c[0]), Default())
		if err == nil || !strings.HasPrefix(err.Error(), c[1]) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v, want one line beginning %q", c[0], err, c[1])
		}
	}
}

// What only shows when the system is made is refused before anything is run.
func TestPlanRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"domains: on": "has no room for 4",
		"particles: 900\ndimension: 2\ndomains: on\nprotocols: [diameters:S p=0.2 lift=true]": "ranks of the whole system",
		"particles: 20": "smaller than twice the range",
		"density: 100":  "beyond any packing",
		"model: hard-poly\npacking: 0.95\nparticles: 100":                       "beyond any packing",
		"model: hard-poly\nparticles: 100":                                      "packing fraction or a density",
		"model: kob-andersen\nsizes: {kind: uniform, spread: 0.1}":              "want 1 and 0.88, its two species",
		"particles: 100\nsizes: {kind: list, values: [1, 2]}\ndensity: 1.5":     "beyond any packing",
		"model: kob-andersen\nnon-additive: 0.1":                                "soft-poly and hard-poly",
		"protocols: [diameters:S p=0.2 accept=always]":                          "accept=always would leave equilibrium",
		"protocols: [diameters:S]":                                              "p below 1",
		"protocols: [diameters:S p=0.2 every=7]":                                "no n, every",
		"protocols: [diameters:S p=0.7 + diameters:S p=0.7 lift=true]":          "probabilities of 1.4",
		"protocols: [none]\nequilibrate: {protocol: diameters:S accept=greedy}": "accept=greedy would leave equilibrium",
	} {
		s, err := Read("spec.yaml", []byte(text), Default())
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if _, err := Plan(s, nil); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v, want one line with %q", text, err, want)
		}
	}
}

// Runs that differ in what their result depends on have different names, and no others.
func TestPlanNamesRuns(t *testing.T) {
	ids := map[string]string{}
	for _, text := range []string{"", "density: 0.9", "temperature: 0.3", "model: soft-binary", "seeds: [2]", "sweeps: 11", "particles: 400", "equilibrate: {sweeps: 3}",
		"sizes: {kind: uniform, spread: 0.1}", "non-additive: 0.1", "protocols: [diameters:S p=0.2]", "equilibrate: {protocol: diameters:S p=0.2}", "protocols: [diameters:S p=0.2]\nequilibrate: {protocol: none}", "measure: {k: 6}", "domains: off"} {
		s, err := Read("spec.yaml", []byte(text), Default())
		if err != nil {
			t.Fatal(err)
		}
		plan, err := Plan(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := ids[plan[0].ID]; ok {
			t.Errorf("%q and %q are one run, %s", other, text, plan[0].ID)
		}
		ids[plan[0].ID] = text
		s.Name, s.Parallel, s.Version = "other", 3, "v9"
		if again, err := Plan(s, nil); err != nil || again[0].ID != plan[0].ID {
			t.Errorf("%q: the name of the results changes the run", text)
		}
	}
	s, err := Read("spec.yaml", []byte("temperature: [0.2, 0.3]\nseeds: 3\nprotocols: [none, diameters:S p=0.2]"), Default())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Plan(s, nil)
	if err != nil || len(plan) != 12 {
		t.Fatalf("%d runs, want 12: %v", len(plan), err)
	}
	seen := map[string]bool{}
	for _, r := range plan {
		seen[fmt.Sprint(r.Config.Temperature, r.Config.Seed, r.Config.Protocol)] = true
	}
	if len(seen) != 12 {
		t.Errorf("%v", seen)
	}
}

// What the spec leaves open is the model's own, and no protocol of the equilibration is that of the run.
func TestPlanCompletes(t *testing.T) {
	for _, c := range []struct {
		text        string
		temperature float64
		first       string
	}{
		{"", 0.2, "none"},
		{"model: soft-binary", 0.35, "none"},
		{"model: kob-andersen", 1, "none"},
		{"model: hard-poly\npacking: 0.3", 1, "none"},
		{"model: kob-andersen\ntemperature: 0.5", 0.5, "none"},
		{"protocols: [diameters:S p=0.2]", 0.2, "diameters:S p=0.2"},
		{"protocols: [diameters:S p=0.2]\nequilibrate: {protocol: none}", 0.2, "none"},
		{"protocols: [diameters:S p=0.2]\nequilibrate: {sweeps: 3}", 0.2, "diameters:S p=0.2"},
		{"equilibrate: {protocol: diameters:S p=0.3}", 0.2, "diameters:S p=0.3"},
	} {
		s, err := Read("spec.yaml", []byte(c.text), Default())
		if err != nil {
			t.Fatal(err)
		}
		s.Complete()
		text, err := s.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Read("spec.yaml", text, Default())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []Spec{s, back} {
			plan, err := Plan(s, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := plan[0].Config; got.Temperature != c.temperature || got.First.String() != c.first {
				t.Errorf("%q: T = %g, equilibrated with %s, want %g and %s", c.text, got.Temperature, got.First, c.temperature, c.first)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	text, _ := Default().Marshal()
	f.Add(text)
	f.Add([]byte(all))
	f.Add([]byte("temperature: [0.1,0.2]\nsizes: {kind: list, values: [1, 1.2]}\nstart: a.xyz"))
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
		// Empty lists are equal to none; NaN is refused but in constants that the kind of sizes does not use.
		if d := cmp.Diff(s, back, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		if _, err := glass.FindModel(s.Model); err != nil {
			t.Error(err)
		}
	})
}
