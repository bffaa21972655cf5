package main

import (
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tinyGlass are the flags of a simulation of milliseconds.
func tinyGlass(out string, more ...string) []string {
	return append([]string{"glass", "--out", out, "--particles", "64", "--temperature", "0.4", "--equilibrate", "20", "--sweeps", "20", "--origins", "2", "--quiet"}, more...)
}

func TestGlassExitCodes(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// xyz are two particles with diameter 1 in a box of side 6, the second at x.
	xyz := func(x string) string {
		return "2\nLattice=\"6 0 0 0 6 0 0 0 6\" Properties=species:S:1:pos:R:3:radius:R:1\nA 1 1 1 0.5\nA " + x + " 1 1 0.5\n"
	}
	out := filepath.Join(dir, "out")
	blocked := filepath.Join(file("blocked", ""), "below")
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{2, "particles: N = 0: need at least one particle", tinyGlass(out, "--particles", "0")},
		{2, "hard particles overlap", tinyGlass(out, "--particles", "2", "--model", "hard-poly", "--start", file("overlap.xyz", xyz("1.9")))},
		{0, "All results", tinyGlass(out, "--particles", "2", "--model", "hard-poly", "--start", file("apart.xyz", xyz("2.1")))},
		{2, "beyond any packing", tinyGlass(out, "--density", "30")},
		{2, "beyond any packing", tinyGlass(out, "--model", "hard-poly", "--packing", "0.93")},
		{2, "found no state without overlaps", tinyGlass(out, "--model", "hard-poly", "--packing", "0.8")},
		{2, "want a packing fraction", tinyGlass(out, "--model", "hard-poly")},
		{2, "smaller than twice the range of the forces", tinyGlass(out, "--particles", "16")},
		{2, "smaller than twice the range of the forces", tinyGlass(out, "--model", "kob-andersen")},
		{2, "line 4: ends after 1 of 2 particles", tinyGlass(out, "--start", file("cut.xyz", strings.TrimSuffix(xyz("3"), "A 3 1 1 0.5\n")))},
		{2, "want a number", tinyGlass(out, "--start", file("text.xyz", xyz("here")))},
		{2, "no configuration", tinyGlass(out, "--start", file("empty.xyz", ""))},
		{2, "cut.xyz: XYZ: line 4: ends after 1 of 2", tinyGlass(out, "--particles", "2", "--start", filepath.Join(dir, "cut.xyz"))},
		{2, "sizes: the particles of start have theirs", tinyGlass(out, "--start", file("two.xyz", xyz("3")), "--sizes", "uniform 0.1")},
		{2, "of model soft-binary, want soft-poly", tinyGlass(out, "--particles", "2", "--start", file("binary.xyz", strings.Replace(xyz("3"), "radius:R:1", "radius:R:1 model=soft-binary", 1)))},
		{2, "deep.xyz: XYZ: a configuration of three dimensions, want 2", tinyGlass(out, "--particles", "2", "--start", file("deep.xyz", strings.Replace(xyz("3"), "A 3 1 1", "A 3 1 2", 1)), "--dimension", "2")},
		{2, "want 1 and 0.88, its two species", tinyGlass(out, "--particles", "2", "--start", file("sizes.xyz", strings.Replace(xyz("3"), "1 0.5\n", "1 0.6\n", 1)), "--model", "kob-andersen")},
		{2, "absent.xyz", tinyGlass(out, "--start", filepath.Join(dir, "absent.xyz"))},
		{2, `model "water": want one of soft-poly`, tinyGlass(out, "--model", "water")},
		{2, "temperature: 0: want above 0", tinyGlass(out, "--temperature", "0")},
		{2, "temperature: -0.1: want above 0", tinyGlass(out, "--temperature", "0.2,-0.1")},
		{2, `--temperature: "warm" is no number`, tinyGlass(out, "--temperature", "warm")},
		{2, "want diameters", tinyGlass(out, "--protocol", "weights:1SS p=0.2")},
		{2, "accept=always would leave equilibrium", tinyGlass(out, "--protocol", "diameters:S p=0.2 accept=always")},
		{2, "want p below 1", tinyGlass(out, "--protocol", "diameters:S")},
		{2, "want 1, S or A", tinyGlass(out, "--protocol", "diameters:Q p=0.2")},
		{2, "non-additive: 2", tinyGlass(out, "--non-additive", "2")},
		{2, "--sizes: ", tinyGlass(out, "--sizes", "power 2")},
		{2, "one or model, or a file: there is no such file", tinyGlass(out, "--sizes", filepath.Join(dir, "absent.txt"))},
		{2, "words.txt: sizes: number 2", tinyGlass(out, "--sizes", file("words.txt", "1 one"))},
		{2, "65 values for N = 64 particles", tinyGlass(out, "--sizes", file("many.txt", strings.Repeat("1\n", 65)))},
		{0, "sizes: a list of 2 for 64 particles", tinyGlass(out, "--sizes", file("few.txt", "1\n1.1\n"))},
		{2, "--equilibrate-with: ", tinyGlass(out, "--equilibrate-with", "diameters:Q")},
		{2, "no spec file", tinyGlass(out, filepath.Join(dir, "absent.yaml"))},
		{2, `unknown key "modle" (did you mean model?)`, tinyGlass(out, file("bad.yaml", "modle: soft-poly"))},
		{2, `domains: "sometimes": want auto, on or off`, tinyGlass(out, "--domains", "sometimes")},
		{2, "want more particles, or domains off", tinyGlass(out, "--domains", "on")},
		{0, "All results", tinyGlass(filepath.Join(dir, "off"), "--domains=off")},
		{2, "sweeps: 0", tinyGlass(out, "--sweeps", "0")},
		{2, "want i/n", tinyGlass(out, "--shard", "3")},
		{0, "shard 2/2 is done", tinyGlass(out, "--shard", "2/2", "--seeds", "2")},
		{0, "All results", tinyGlass(out, "--seeds", "2")},
		{1, "blocked", tinyGlass(blocked)},
		{2, "no file", []string{"show", filepath.Join(dir, "absent.xyz")}},
		{2, "cut.xyz: line 4", []string{"show", filepath.Join(dir, "cut.xyz")}},
		{2, "no final.xyz there", []string{"show", dir}},
		{2, `is .svg or .png, not ".gif"`, []string{"show", filepath.Join(dir, "apart.xyz"), "-o", filepath.Join(dir, "a.gif")}},
		{2, "a comparison is made at one", []string{"compare", file("two.yaml", "system: glass\ntemperature: [0.2, 0.3]")}},
		{2, "no swaps are the baseline", []string{"compare", file("none.yaml", "system: glass\nprotocols: [none]")}},
		{2, `unknown key "paricles" (did you mean particles?)`, []string{"compare", file("key.yaml", "system: glass\nparicles: 3")}},
	} {
		code, stdout, stderr := run(c.args...)
		text := stdout
		if c.code != 0 {
			text = stderr
			if !strings.HasPrefix(stderr, "swapmc: ") || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%q: want one line, swapmc: ...:\n%s", c.args, stderr)
			}
		}
		if code != c.code || !strings.Contains(text, c.want) {
			t.Errorf("%q: exit %d, want %d with %q:\n%s%s", c.args, code, c.code, c.want, stdout, stderr)
		}
	}
}

// An unfinished run whose checkpoint is damaged is not begun again behind the user's back.
func TestGlassDamagedCheckpoint(t *testing.T) {
	out := filepath.Join(t.TempDir(), "mine")
	args := tinyGlass(out)
	if code, _, stderr := run(args...); code != 0 {
		t.Fatal(stderr)
	}
	records, err := filepath.Glob(filepath.Join(out, "runs", "*", "run.json"))
	if err != nil || len(records) != 1 {
		t.Fatalf("%v, %v", records, err)
	}
	text, err := os.ReadFile(records[0])
	if err != nil {
		t.Fatal(err)
	}
	var rec struct {
		Result struct {
			Energy struct{ Mean, Error float64 } `json:"energy_per_particle"`
		}
	}
	if err := json.Unmarshal(text, &rec); err != nil || rec.Result.Energy.Mean <= 0 || rec.Result.Energy.Error <= 0 {
		t.Errorf("%+v, %v in\n%s", rec, err, text)
	}
	if err := os.Remove(records[0]); err != nil {
		t.Fatal(err)
	}
	checkpoint := filepath.Join(filepath.Dir(records[0]), "checkpoint")
	if err := os.WriteFile(checkpoint, []byte("no restart file"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := run(args...)
	if code != exitFailure || !strings.HasPrefix(stderr, "swapmc: "+checkpoint+": damaged") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit %d:\n%s", code, stderr)
	}
}

// What is not said of a run's temperature and equilibration is said in its spec.yaml.
func TestGlassDefaults(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
		not  string
	}{
		{nil, []string{"temperature: 0.2"}, "\n  protocol:"},
		{[]string{"--model", "soft-binary"}, []string{"temperature: 0.35"}, "\n  protocol:"},
		{[]string{"--model", "hard-poly", "--packing", "0.3"}, []string{"temperature: 1.0\n"}, "\n  protocol:"},
		{[]string{"--protocol", "diameters:S p=0.2", "--equilibrate-with", "none"}, []string{"\n  protocol: none", "- diameters:S p=0.2"}, "other"},
	} {
		out := filepath.Join(t.TempDir(), "out")
		args := append([]string{"glass", "--out", out, "--particles", "120", "--equilibrate", "1", "--sweeps", "2", "--origins", "1", "--quiet"}, c.args...)
		if code, _, stderr := run(args...); code != 0 {
			t.Fatal(stderr)
		}
		spec, err := os.ReadFile(filepath.Join(out, "spec.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(string(spec), want) {
				t.Errorf("%q: no %q in\n%s", c.args, want, spec)
			}
		}
		if strings.Contains(string(spec), c.not) {
			t.Errorf("%q: %q in\n%s", c.args, c.not, spec)
		}
		// The folder says all: nothing is made anew.
		if code, _, stderr := run("glass", out, "--quiet"); code != 0 {
			t.Fatal(stderr)
		}
		if runs, _ := filepath.Glob(filepath.Join(out, "runs", "*")); len(runs) != 1 {
			t.Errorf("%q: %d runs after the folder's own spec, want 1", c.args, len(runs))
		}
	}
}

// Seeds have a mean, with errors from their scatter, and runs too short for their errors say so.
func TestGlassSpeaksOfItsErrors(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	code, stdout, stderr := run(tinyGlass(out, "--seeds", "3")...)
	if code != 0 {
		t.Fatal(stderr)
	}
	for _, want := range []string{"mean 3 ", "(>", "Note: T = 0.4: F_s is not below 1/e"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if text, err := os.ReadFile(filepath.Join(out, "averages.csv")); err != nil || !strings.Contains(string(text), "0.4,none,3,") {
		t.Errorf("averages.csv: %v\n%s", err, text)
	}
	code, stdout, stderr = run(tinyGlass(filepath.Join(t.TempDir(), "ladder"), "--temperature", "0.05,2", "--tempering", "5")...)
	if code != 0 || !strings.Contains(stdout, "exchanges were accepted: want a temperature between them") || !strings.Contains(stdout, "no configuration went from one end") {
		t.Errorf("a ladder without exchanges, exit %d:\n%s%s", code, stdout, stderr)
	}
}

func TestCompareGlassEndToEnd(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	spec := filepath.Join(dir, "mine.yaml")
	if err := os.WriteFile(spec, []byte(`system: glass
particles: 64
temperature: 1
equilibrate: {sweeps: 30}
sweeps: 400
measure: {origins: 4}
protocols: [diameters:S p=0.2, diameters:S p=0.2 lift=true]
seeds: 3
`), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := run("compare", spec, "--out", out, "--quiet")
	if code != 0 {
		t.Fatal(stderr)
	}
	text, err := os.ReadFile(filepath.Join(out, "compare.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Name, Metric, Baseline string
		Protocols              []struct {
			Text    string
			Targets []struct {
				Target     float64
				Seeds      int
				Iterations struct{ Factor, Low, High *float64 }
			}
		}
	}
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	if c.Name != "mine" || c.Baseline != "none" || len(c.Protocols) != 2 || c.Protocols[1].Text != "diameters:S p=0.2 lift=true" || len(c.Protocols[0].Targets) != 1 {
		t.Fatalf("%s", text)
	}
	if target := c.Protocols[0].Targets[0]; target.Seeds != 3 || fmt.Sprintf("%.3f", target.Target) != "0.368" {
		t.Errorf("%+v", target)
	}
	for _, name := range []string{"compare.csv", "figure.svg", "figure.png", "spec.yaml"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	runs, _ := filepath.Glob(filepath.Join(out, "runs", "*", "final.xyz"))
	if len(runs) != 9 {
		t.Errorf("%d runs, want 9", len(runs))
	}
	// The same again, from the folder, makes nothing anew.
	code, again, stderr := run("compare", out, "--quiet")
	if code != 0 || again != stdout {
		t.Errorf("exit %d:\n%s\n%s", code, again, stderr)
	}
}

// A picture that was written is named, whatever it is of.
func TestShowProtocolNamesItsFile(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "a.svg")
	code, stdout, stderr := run("show", "features:1SA", "-o", picture)
	if code != 0 || stdout != "Figure: "+picture+"\n" {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
}

func TestShowConfigurations(t *testing.T) {
	out := filepath.Join(t.TempDir(), "two*[1]") // of no meaning in a name
	if code, _, stderr := run(tinyGlass(out, "--dimension", "2", "--temperature", "0.4,0.5")...); code != 0 {
		t.Fatal(stderr)
	}
	code, stdout, stderr := run("show", out)
	if code != 0 || strings.Count(stdout, "Figure: ") != 2 {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(stdout, "Figure: "), "\n")
	svg, err := os.ReadFile(first)
	if err != nil || filepath.Base(first) != "final.svg" || !strings.Contains(string(svg), "64 particles of soft-poly in 2 dimensions, density 1, T = 0.") {
		t.Errorf("%s: %v", first, err)
	}
	picture := filepath.Join(t.TempDir(), "a.png")
	if code, _, stderr := run("show", out, "-o", picture); code != exitUsage || !strings.Contains(stderr, "there are 2 runs") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	for _, name := range []string{filepath.Dir(first), filepath.Join(filepath.Dir(first), "final.xyz")} {
		if code, _, stderr := run("show", name, "-o", picture); code != 0 {
			t.Fatal(stderr)
		}
		file, err := os.Open(picture)
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(file)
		file.Close()
		if err != nil || m.Bounds().Dx() != 1680 {
			t.Errorf("%s: %v", name, err)
		}
		os.Remove(picture)
	}
	// A protocol is still one.
	if code, stdout, _ := run("show", "diameters:S"); code != 0 || !strings.Contains(stdout, "after") {
		t.Errorf("exit %d: %s", code, stdout)
	}
}
