package sweep

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"swapmc/internal/lab"
	"swapmc/speedup"
)

// made makes all runs of a plan in a folder of its own.
func made(t *testing.T, p *Plan) *lab.Folder {
	t.Helper()
	f, err := lab.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Save(f, "test"); err != nil {
		t.Fatal(err)
	}
	l := &lab.Lab{Folder: f, NoWeights: !p.Spec.Block.Weights}
	if err := l.Run(t.Context(), p.Shard(1, 1)); err != nil {
		t.Fatal(err)
	}
	return f
}

func rows(t *testing.T, path string) []map[string]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	all, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]string
	for _, row := range all[1:] {
		m := map[string]string{}
		for i, key := range all[0] {
			m[key] = row[i]
		}
		list = append(list, m)
	}
	return list
}

func TestCollectCells(t *testing.T) {
	p := plan(t, block("product: {batch: [4, 8]}", "protocols: [{template: 'weights:{code}', values: {code: [SSA, 1SA]}}]", "weights: false"))
	f := made(t, p)
	res, err := p.Collect(f, "test")
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Compared) != 2 || len(res.Pending) != 0 {
		t.Errorf("%d compared, pending %v; want 2 and none", len(res.Compared), res.Pending)
	}
	for _, cell := range []string{"batch=4", "batch=8"} {
		for _, name := range []string{"compare.json", "compare.csv", "figure.svg", "figure.png"} {
			if _, err := os.Stat(f.Path("cells", cell, name)); err != nil {
				t.Error(err)
			}
		}
	}
	table := rows(t, f.Path("sweep.csv"))
	if len(table) != 6 {
		t.Errorf("sweep.csv has %d rows, want 2 cells x 3 protocols", len(table))
	}
	// What a comparison of the same runs says, the sweep must say.
	c := p.Cells[1]
	direct, err := f.Compare(c.Spec, []lab.Group{slices.Concat(c.Trials[0].Arms...)}, "test")
	if err != nil {
		t.Fatal(err)
	}
	target := direct.Comparison.HeadlineTarget()
	for _, q := range direct.Comparison.Protocols {
		k := slices.IndexFunc(table, func(row map[string]string) bool { return row["batch"] == "8" && row["protocol"] == q.Text })
		if k < 0 {
			t.Errorf("no row of %s", q.Text)
			continue
		}
		if r := q.At(target); r != nil && table[k]["verdict"] != string(r.Verdict) {
			t.Errorf("%s: verdict %q, want %q", q.Text, table[k]["verdict"], r.Verdict)
		}
	}
	for _, r := range p.Runs {
		if _, err := os.Stat(f.Weights(r)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("weights: false, and there are weights of %s: %v", r.ID, err)
		}
	}

	status, err := p.Status(f)
	if err != nil {
		t.Fatal(err)
	}
	// One layer: nothing to exchange between layers.
	if status.Done != 12 || status.Failed != 4 || status.Total() != 16 || len(status.Reasons) != 1 || !strings.Contains(status.Reasons[0].Text, "weights:SSA") {
		t.Errorf("%+v: want 12 done, and 4 failed for one reason", status)
	}
	list, err := ReadList(f.Path())
	if err != nil || len(list) != 16 {
		t.Fatal(len(list), err)
	}
	fromFile, err := ReadStatus(f, list)
	if err != nil || fromFile.Done != 12 || fromFile.Failed != 4 {
		t.Errorf("from plan.csv: %+v, %v", fromFile, err)
	}

	// Metrics that were cut short: that cell waits, the other stands, and only that
	// run is made again.
	victim := p.Cells[0].Trials[0].Arms[0][0]
	path := f.Path("runs", victim.ID, "metrics.csv")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text[:len(text)*2/3], 0o644); err != nil {
		t.Fatal(err)
	}
	res, err = p.Collect(f, "test")
	if err != nil || len(res.Compared) != 1 || len(res.Pending) != 1 || !strings.Contains(res.Pending[0], victim.ID) {
		t.Errorf("metrics cut short: %d compared, pending %v, %v; want 1, and the run named", len(res.Compared), res.Pending, err)
	}
	var again []string
	l := &lab.Lab{Folder: f, NoWeights: true, Report: func(e lab.Event) {
		if e.Kind == lab.Ended && e.Record.Status == lab.Done {
			again = append(again, e.Run.ID)
		}
	}}
	if err := l.Run(t.Context(), p.Shard(1, 1)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again, []string{victim.ID}) {
		t.Errorf("made again: %v, want %s", again, victim.ID)
	}
	if res, err = p.Collect(f, "test"); err != nil || len(res.Compared) != 2 {
		t.Errorf("after making it again: %d compared, %v", len(res.Compared), err)
	}
}

func TestStatusOfUnfinished(t *testing.T) {
	p := plan(t, block("product: {batch: [4, 8]}"))
	f, err := lab.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	put := func(k int, name, text string) {
		t.Helper()
		dir := f.Path("runs", p.Runs[k].ID)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	running := `{"status": "running", "iterations": 7}`
	put(0, "run.json", running) // nobody holds it
	put(1, "run.json", running)
	put(1, "lock", fmt.Sprintf("%d %s 1\n", os.Getpid(), host))
	put(2, "run.json", running)
	put(2, "lock", "999999999 "+host+" 1\n") // a dead process
	put(3, "run.json", running)
	put(3, "lock", "1 another-host 1\n")
	put(4, "run.json", running)
	put(4, "lock", "1 another-host 1\n")
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(f.Path("runs", p.Runs[4].ID, "lock"), old, old); err != nil {
		t.Fatal(err)
	}
	put(5, "run.json", `{"status": "run`) // cut short
	s, err := p.Status(f)
	if err != nil {
		t.Fatal(err)
	}
	if s.Running != 2 || s.Interrupted != 3 || s.Planned != 3 || len(s.Remaining) != 8 {
		t.Errorf("%+v: want 2 running, 3 interrupted, 3 planned", s)
	}
	res, err := p.Collect(f, "test")
	if err != nil || len(res.Compared) != 0 || len(res.Pending) != 2 {
		t.Errorf("%+v, %v: want two cells pending", res, err)
	}
}

// TestTunedComparison tunes over a learning rate that learns nothing and one that
// does: each arm must take the second, in both comparisons.
func TestTunedComparison(t *testing.T) {
	p := plan(t, block("tune: {over: {optimizer.lr: [1.0e-9, 0.002, 1.0e-8]}, seeds: 2}"))
	f := made(t, p)
	res, err := p.Collect(f, "test")
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Compared) != 2 || res.Compared[0].Tuning != Own || res.Compared[1].Tuning != Shared {
		t.Fatalf("%+v: want a comparison at each arm's best and one at the baseline's", res)
	}
	for _, r := range res.Compared {
		for i, chosen := range r.Chosen {
			if text := chosen.Values[0].Text; text != "0.002" {
				t.Errorf("%s: arm %d at %s, want 0.002", r.Tuning, i, text)
			}
		}
	}
	for _, path := range []string{"compare.json", "at-baseline/compare.json", "tuning.csv"} {
		if _, err := os.Stat(f.Path(path)); err != nil {
			t.Error(err)
		}
	}
	chosen := 0
	table := rows(t, f.Path("tuning.csv"))
	for _, row := range table {
		if row["chosen"] == "true" {
			chosen++
		}
		if row["runs"] != "2" {
			t.Errorf("%v: want 2 tuning runs", row)
		}
	}
	if len(table) != 6 || chosen != 2 {
		t.Errorf("tuning.csv: %d rows, %d chosen; want 2 arms x 3 trials, one chosen for each", len(table), chosen)
	}
	if len(res.Notes) != 0 {
		t.Errorf("notes %v: the best lies within", res.Notes)
	}
	edge := plan(t, block("tune: {over: {optimizer.lr: [1.0e-9, 1.0e-8, 0.002]}, seeds: 2}"))
	l := &lab.Lab{Folder: f}
	if err := l.Run(t.Context(), edge.Shard(1, 1)); err != nil {
		t.Fatal(err)
	}
	if res, err = edge.Collect(f, "test"); err != nil || len(res.Notes) != 1 || !strings.Contains(res.Notes[0], "end of what was tried") {
		t.Errorf("notes %v, %v: want a warning that the best lies at the end", res.Notes, err)
	}
}

// TestRate scores curves whose times are known.
func TestRate(t *testing.T) {
	line := func(times ...float64) []speedup.Run { // falls from 2 and is at 1 after that time
		var runs []speedup.Run
		for _, x := range times {
			runs = append(runs, speedup.Run{Iterations: []float64{0, x, 2 * x}, Loss: []float64{2, 1, 0.5}})
		}
		return runs
	}
	s := rate(line(100, 400), 1)
	if s.arrived != 2 || math.Abs(s.time-200) > 1e-9 || s.loss != 0.5 {
		t.Errorf("%+v: want the geometric mean 200", s)
	}
	never := rate(append(line(10), speedup.Run{Iterations: []float64{0, 10}, Loss: []float64{2, math.NaN()}}), 1)
	if never.arrived != 1 || !math.IsInf(never.loss, 1) || never.better(s) || !s.better(never) {
		t.Errorf("%+v: one diverged", never)
	}
	if fast := rate(line(100, 300), 1); !fast.better(s) || s.better(fast) {
		t.Error("the faster one is not better")
	}
	none := rate(line(100), 0.1)
	lower := rate([]speedup.Run{{Iterations: []float64{0, 100}, Loss: []float64{2, 0.3}}}, 0.1)
	if none.arrived != 0 || !lower.better(none) {
		t.Error("where none arrives the lower loss is better")
	}
}

// BenchmarkStatus10k reads the state of 10,000 runs.
func BenchmarkStatus10k(b *testing.B) {
	f, err := lab.OpenFolder(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	p := plan(b, block("weights: true"))
	l := &lab.Lab{Folder: f}
	if err := l.Run(b.Context(), p.Shard(1, 1)); err != nil {
		b.Fatal(err)
	}
	record, err := os.ReadFile(f.Path("runs", p.Runs[0].ID, "run.json"))
	if err != nil {
		b.Fatal(err)
	}
	var csv strings.Builder
	csv.WriteString(strings.Join(listed, ",") + "\n")
	for i := range 10000 {
		id := fmt.Sprintf("%012x", i)
		if err := os.MkdirAll(f.Path("runs", id), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(f.Path("runs", id, "run.json"), record, 0o644); err != nil {
			b.Fatal(err)
		}
		fmt.Fprintf(&csv, "%s,compare,none,%d,30\n", id, i)
	}
	if err := os.WriteFile(f.Path("plan.csv"), []byte(csv.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		list, err := ReadList(f.Path())
		if err != nil {
			b.Fatal(err)
		}
		s, err := ReadStatus(f, list)
		if err != nil || s.Done != 10000 {
			b.Fatal(s, err)
		}
	}
}
