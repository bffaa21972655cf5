package results

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"swapmc/internal/lab"
	"swapmc/internal/results/resultstest"
	"swapmc/speedup"
)

func open(t *testing.T, dir string) *Folder {
	t.Helper()
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.Refresh(true); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSweptKeys(t *testing.T) {
	dir := t.TempDir()
	arms := []resultstest.Arm{{Protocol: "none", Speed: 1}, {Protocol: "features:1AS n=64", Speed: 1}, {Protocol: "features:1AS n=8", Speed: 2}, {Protocol: "biases:1S", Speed: 1}}
	resultstest.Write(t, dir, resultstest.Plan(arms, []float64{0.1, 0.02}, 3, 40))
	f := open(t, dir)
	if len(f.Runs) != 24 || len(f.Settings) != 2 || len(f.Protocols) != 4 || f.Protocols[0] != "none" {
		t.Fatalf("%d runs, %d settings, protocols %q", len(f.Runs), len(f.Settings), f.Protocols)
	}
	if len(f.Keys) != 2 {
		t.Fatalf("swept: %+v", f.Keys)
	}
	lr, n := f.Keys[0], f.Keys[1]
	if lr.Name != "optimizer.lr" || !slices.Equal(lr.Values, []string{"0.02", "0.1"}) || lr.Values[lr.Setting[0]] != f.Settings[0].Config["optimizer.lr"] {
		t.Errorf("%+v", lr)
	}
	if n.Name != "n of features:1AS n=*" || !slices.Equal(n.Values, []string{"8", "64"}) {
		t.Errorf("%+v", n)
	}
	for p, text := range f.Protocols {
		want := map[string]int{"features:1AS n=8": 0, "features:1AS n=64": 1}
		if i, has := want[text]; has && n.Protocol[p] != i || !has && n.Protocol[p] != -1 {
			t.Errorf("%s: value %d", text, n.Protocol[p])
		}
	}
	if f.Settings[0].Label != "lr 0.02" {
		t.Errorf("label %q", f.Settings[0].Label)
	}
}

// A record that says nothing of precision is of float32, and its command says nothing of it either.
func TestPrecisionIsNamed(t *testing.T) {
	dir := t.TempDir()
	resultstest.Write(t, dir, resultstest.Plan([]resultstest.Arm{{Protocol: "none", Speed: 1}}, []float64{0.1}, 2, 40))
	r := open(t, dir).Runs[0]
	if r.Config["precision"] != "float32" || strings.Contains(r.Command(), "precision") {
		t.Errorf("precision %q, %s", r.Config["precision"], r.Command())
	}
	record := filepath.Join(dir, "runs", r.ID, "run.json")
	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	with := strings.Replace(string(text), `"loss":`, `"precision": "bf16", "loss":`, 1)
	if err := os.WriteFile(record, []byte(with), 0o666); err != nil {
		t.Fatal(err)
	}
	f := open(t, dir)
	for _, r = range f.Runs {
		if bf16 := r.Config["precision"] == "bf16"; strings.Contains(r.Command(), " --precision bf16") != bf16 {
			t.Errorf("%s", r.Command())
		}
	}
	if len(f.Settings) != 2 || len(f.Keys) != 1 || !slices.Equal(f.Keys[0].Values, []string{"bf16", "float32"}) {
		t.Errorf("swept: %+v", f.Keys)
	}
}

// A protocol that leaves out a number belongs to those that say it.
func TestSweptKeysKnowWhatIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	arms := []resultstest.Arm{{Protocol: "none", Speed: 1}, {Protocol: "features:1AS", Speed: 1}, {Protocol: "features:1AS n=4", Speed: 2}, {Protocol: "biases:1S", Speed: 1}}
	resultstest.Write(t, dir, resultstest.Plan(arms, []float64{0.1}, 1, 40))
	f := open(t, dir)
	if len(f.Keys) != 1 || f.Keys[0].Name != "n of features:1AS n=*" || !slices.Equal(f.Keys[0].Values, []string{"1", "4"}) {
		t.Fatalf("swept: %+v", f.Keys)
	}
	for p, text := range f.Protocols {
		want, has := map[string]int{"features:1AS": 0, "features:1AS n=4": 1}[text]
		if i := f.Keys[0].Protocol[p]; has && i != want || !has && i != -1 {
			t.Errorf("%s: value %d", text, i)
		}
	}
}

// The speed-ups of runs that are made with known speeds.
func TestCompareFindsTheSpeeds(t *testing.T) {
	dir := t.TempDir()
	resultstest.Write(t, dir, resultstest.Plan(resultstest.Arms(), []float64{0.1}, 3, 400))
	f := open(t, dir)
	full, ok := f.Compare(0, true)
	brief, also := f.Compare(0, false)
	if !ok || !also {
		t.Fatal("nothing compared")
	}
	if full.HeadlineTarget() != brief.HeadlineTarget() {
		t.Errorf("headline %v, brief %v", full.HeadlineTarget(), brief.HeadlineTarget())
	}
	for _, arm := range resultstest.Arms()[1:] {
		i := slices.IndexFunc(full.Protocols, func(p speedup.Protocol) bool { return p.Text == arm.Protocol })
		p := &full.Protocols[i]
		e := p.At(full.HeadlineTarget()).Iterations
		if math.Abs(e.Speedup/arm.Speed-1) > 0.06 || arm.Speed == 2 && p.Verdict != speedup.Faster {
			t.Errorf("%s: speed-up %v, want %v; %s", arm.Protocol, e.Speedup, arm.Speed, p.Verdict)
		}
		if b := brief.Protocols[i].At(full.HeadlineTarget()); b == nil || !cmp.Equal(b.Iterations, e, cmpopts.EquateNaNs()) {
			t.Errorf("%s: brief %+v, full %+v", arm.Protocol, b, e)
		}
		targets, s := f.Curve(0, arm.Protocol)
		for k, target := range targets {
			if want := p.At(target).Iterations; want.AtMost == 0 && math.Abs(s[k]/want.Speedup-1) > 1e-12 {
				t.Errorf("%s at %v: curve %v, comparison %v", arm.Protocol, target, s[k], want.Speedup)
			}
		}
	}
}

// A run that grows, is rewound and ends is followed, whatever the moment of a look.
func TestRefreshFollows(t *testing.T) {
	dir := t.TempDir()
	r := resultstest.Plan(resultstest.Arms(), []float64{0.1}, 1, 50)[0]
	r.Rows, r.Status = 10, "running"
	resultstest.Write(t, dir, []resultstest.Run{r})
	f := open(t, dir)
	run := f.Runs[0]
	if run.Metrics.Rows() != 10 || run.Status != lab.Running || math.Abs(run.Progress()-9./49) > 1e-9 {
		t.Fatalf("%d rows, %s, progress %v", run.Metrics.Rows(), run.Status, run.Progress())
	}
	if changed, err := f.Refresh(true); changed || err != nil {
		t.Errorf("nothing new: %v, %v", changed, err)
	}
	path := filepath.Join(dir, "runs", r.ID, "metrics.csv")
	add := func(text string) {
		t.Helper()
		file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if changed, err := f.Refresh(false); !changed || err != nil {
			t.Fatalf("not seen: %v, %v", changed, err)
		}
	}
	whole := r.Row(10) + r.Row(11)
	add(whole[:len(r.Row(10))+20]) // a row and a part of one
	if n := run.Metrics.Rows(); n != 11 {
		t.Errorf("%d rows, want 11", n)
	}
	add(whole[len(r.Row(10))+20:])
	if c := run.Metrics.Column("iteration"); len(c) != 12 || c[11] != 110 {
		t.Errorf("iterations %v", c)
	}
	add("120,broken\n")
	if run.Fault != "metrics.csv: line 14: seconds = \"broken\" is no number" || run.Metrics.Rows() != 12 {
		t.Errorf("fault %q, %d rows", run.Fault, run.Metrics.Rows())
	}
	r.Rows, r.Status = 8, "running" // continued from an older checkpoint
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	resultstest.Write(t, dir, []resultstest.Run{r})
	f.Refresh(false)
	if run.Metrics.Rows() != 8 || run.Fault != "" || run.Rewound == 0 {
		t.Errorf("%d rows, fault %q, rewound %d", run.Metrics.Rows(), run.Fault, run.Rewound)
	}
}

func TestDamagedFilesAreNamed(t *testing.T) {
	dir := t.TempDir()
	runs := resultstest.Plan(resultstest.Arms(), []float64{0.1}, 2, 20)
	resultstest.Write(t, dir, runs)
	write := func(id, name, text string) {
		if err := os.WriteFile(filepath.Join(dir, "runs", id, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(runs[0].ID, "run.json", "{")
	write(runs[1].ID, "metrics.csv", "a,a\n1,2\n")
	os.Mkdir(filepath.Join(dir, "runs", "empty"), 0o755)
	f := open(t, dir)
	if len(f.Runs) != len(runs)-1 {
		t.Errorf("%d runs", len(f.Runs))
	}
	for _, r := range f.Runs {
		if want := r.ID == runs[1].ID; want != strings.HasPrefix(r.Fault, "metrics.csv: ") {
			t.Errorf("%s: fault %q", r.ID, r.Fault)
		}
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no results folder") {
		t.Errorf("%v", err)
	}
}

// Links that lead out of the folder are not followed.
func TestLinksOut(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	runs := resultstest.Plan(resultstest.Arms(), []float64{0.1}, 1, 20)
	resultstest.Write(t, outside, runs[:1])
	resultstest.Write(t, dir, runs[1:3])
	if err := os.Symlink(filepath.Join(outside, "runs", runs[0].ID), filepath.Join(dir, "runs", runs[0].ID)); err != nil {
		t.Skip(err)
	}
	victim := filepath.Join(dir, "runs", runs[1].ID, "metrics.csv")
	os.Remove(victim)
	os.Symlink(filepath.Join(outside, "runs", runs[0].ID, "metrics.csv"), victim)
	f := open(t, dir)
	if len(f.Runs) != 2 {
		t.Errorf("%d runs: a folder outside was read", len(f.Runs))
	}
	for _, r := range f.Runs {
		if r.ID == runs[1].ID && (r.Metrics.Rows() != 0 || r.Fault == "") {
			t.Errorf("%d rows from outside, fault %q", r.Metrics.Rows(), r.Fault)
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add("iteration,seconds\n0,0\n10,0.5\n20,", 12)
	f.Add("a\nNaN\n+Inf\n-1e-300\n", 3)
	f.Add("a,b\r\n1,2\r\n3\n", 5)
	f.Add("\n\n,,\n", 1)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		var whole, parts Table
		n, err := whole.parse(text)
		if n < 0 || n > len(text) || err == nil && n != strings.LastIndexByte(text, '\n')+1 {
			t.Fatalf("read %d of %d: %v", n, len(text), err)
		}
		for _, c := range whole.Columns {
			if len(c) != whole.Rows() {
				t.Fatal("columns of different lengths")
			}
		}
		// Reading in two parts gives the same.
		cut = max(0, min(cut, len(text)))
		k, err1 := parts.parse(text[:cut])
		if err1 == nil {
			m, err2 := parts.parse(text[k:])
			if k+m != n || (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
				t.Fatalf("in parts: read %d+%d, %v; whole: %d, %v", k, m, err2, n, err)
			}
		}
		if parts.Rows() != whole.Rows() || !slices.Equal(parts.Names, whole.Names) {
			t.Fatalf("in parts %d rows, whole %d", parts.Rows(), whole.Rows())
		}
		for i := range whole.Columns {
			for j, x := range whole.Columns[i] {
				if y := parts.Columns[i][j]; x != y && (x == x || y == y) {
					t.Fatalf("row %d: %v and %v", j, x, y)
				}
			}
		}
	})
}
