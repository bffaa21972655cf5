package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"swapmc/internal/kernel"
	"swapmc/internal/train"
	"swapmc/nn"
)

// tiny is a Spec whose runs take milliseconds.
func tiny(t *testing.T, protocols ...string) Spec {
	t.Helper()
	s := Default()
	s.Name = "tiny"
	s.Data.Train, s.Data.Test = 96, 32
	s.Network = "linear 10"
	s.Batch = 8
	s.Iterations = 30
	s.Eval = train.Eval{Every: 10, Train: 32, Test: 32}
	s.Optimizer.LR, s.Optimizer.Momentum = 0.02, 0.5
	s.Checkpoint.Every = 7
	s.Seeds = FirstSeeds(2)
	for _, text := range protocols {
		p, err := ParseProtocols(text)
		if err != nil {
			t.Fatal(err)
		}
		s.Protocols = append(s.Protocols, p)
	}
	return s
}

// planned returns the plan of a Spec.
func planned(t *testing.T, s Spec) []Group {
	t.Helper()
	data, err := Load(s.Data)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Plan(s, data)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func open(t *testing.T, path string) *Folder {
	t.Helper()
	f, err := OpenFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// events collects what a Lab reports.
type events struct {
	mu   sync.Mutex
	list []Event
}

func (e *events) add(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, ev)
}

func (e *events) count(kind EventKind) int {
	n := 0
	for _, ev := range e.list {
		if ev.Kind == kind {
			n++
		}
	}
	return n
}

func TestPlan(t *testing.T) {
	s := tiny(t, "features:1SA", "biases:1S")
	s.Seeds = Seeds{3, 8, 5}
	plan := planned(t, s)
	ids := map[string]bool{}
	first := map[string]bool{}
	for k, g := range plan {
		first[g[0].Protocols().String()] = true
		names := map[string]bool{}
		for _, r := range g {
			names[r.Protocols().String()] = true
			ids[r.ID] = true
			if r.Config.Seed != s.Seeds[k] {
				t.Errorf("group %d has seed %d, want %d", k, r.Config.Seed, s.Seeds[k])
			}
		}
		if want := map[string]bool{"none": true, "features:1SA": true, "biases:1S": true}; !cmp.Equal(names, want) {
			t.Errorf("group %d: %v", k, names)
		}
	}
	if len(plan) != 3 || len(ids) != 9 || len(first) != 3 {
		t.Errorf("%d groups, %d IDs, %d protocols in front; want 3, 9, 3", len(plan), len(ids), len(first))
	}
}

func TestPlanRefusesProtocolWithoutPlace(t *testing.T) {
	s := tiny(t, "biases:1S", "weights:SSA") // one layer: nothing to exchange between layers
	data, err := Load(s.Data)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Plan(s, data)
	var field *FieldError
	if !errors.As(err, &field) || field.Key != "protocols[1]" {
		t.Errorf("got %v, want a FieldError of protocols[1]", err)
	}
}

// TestIDNamesTheResult changes one thing at a time: what a run's result depends
// on must change its ID, all else must not.
func TestIDNamesTheResult(t *testing.T) {
	id := func(change func(*Spec)) string {
		s := tiny(t, "features:1SA")
		change(&s)
		plan := planned(t, s)
		for _, r := range plan[0] {
			if len(r.Protocols()) > 0 {
				return r.ID
			}
		}
		return ""
	}
	base := id(func(*Spec) {})
	for name, change := range map[string]func(*Spec){
		"name":       func(s *Spec) { s.Name = "other" },
		"parallel":   func(s *Spec) { s.Parallel = 7 },
		"targets":    func(s *Spec) { s.Targets = []float64{1} },
		"more seeds": func(s *Spec) { s.Seeds = FirstSeeds(5) },
		"checkpoint": func(s *Spec) { s.Checkpoint.Every = 3 },
		"another protocol": func(s *Spec) {
			p, _ := ParseProtocols("biases:1S")
			s.Protocols = append(s.Protocols, p)
		},
		"path":    func(s *Spec) { s.Data.Path = "elsewhere" },
		"version": func(s *Spec) { s.Version = "v9" },
		"float32": func(s *Spec) { s.Precision = "float32" },
	} {
		if got := id(change); got != base {
			t.Errorf("%s changes the ID", name)
		}
	}
	seen := map[string]string{base: "nothing"}
	if kernel.BFloats() == nil {
		seen[id(func(s *Spec) { s.Precision = "bf16" })] = "bf16"
		if len(seen) == 1 {
			t.Error("bf16 does not change the ID")
		}
	}
	for name, change := range map[string]func(*Spec){
		"network":    func(s *Spec) { s.Network = "linear 12, relu, linear 10" },
		"loss":       func(s *Spec) { s.Loss = "mean-squared" },
		"lr":         func(s *Spec) { s.Optimizer.LR = 0.03 },
		"momentum":   func(s *Spec) { s.Optimizer.Momentum = 0.6 },
		"schedule":   func(s *Spec) { s.Schedule = nn.Schedule{Name: "cosine"} },
		"batch":      func(s *Spec) { s.Batch = 4 },
		"iterations": func(s *Spec) { s.Iterations = 31 },
		"eval":       func(s *Spec) { s.Eval.Every = 5 },
		"seed":       func(s *Spec) { s.Seeds = Seeds{2} },
		"data":       func(s *Spec) { s.Data.Train = 95 },
		"test data":  func(s *Spec) { s.Data.Test = 31 },
		"init":       func(s *Spec) { s.Init = "he" },
		"protocol": func(s *Spec) {
			s.Protocols[0][0].Every = 2
		},
	} {
		got := id(change)
		if other, ok := seen[got]; ok {
			t.Errorf("%s has the ID of %s", name, other)
		}
		seen[got] = name
	}
}

// TestIDIgnoresNewOptions: a later version that adds an option, off by default,
// must find the runs of this one.
func TestIDIgnoresNewOptions(t *testing.T) {
	tree := func(text string) string {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		out, err := json.Marshal(prune(v))
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	old := tree(`{"lr":0.1,"batch":3,"list":["a"]}`)
	if now := tree(`{"batch":3,"new":0,"more":{"x":"","y":false,"z":null,"l":[]},"list":["a"],"lr":0.1}`); now != old {
		t.Errorf("%s, want %s", now, old)
	}
	if now := tree(`{"batch":3,"new":1,"list":["a"],"lr":0.1}`); now == old {
		t.Error("an option that is on does not show")
	}
}

func TestRunsAreMadeOnce(t *testing.T) {
	s := tiny(t, "features:1SA")
	plan := planned(t, s)
	f := open(t, t.TempDir())
	var first, second events
	l := &Lab{Folder: f, Version: "test", Checkpoint: 7, Report: first.add}
	if err := l.Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if begun, ended := first.count(Begun), first.count(Ended); begun != 4 || ended != 4 {
		t.Errorf("%d begun, %d ended, want 4", begun, ended)
	}
	for _, g := range plan {
		for _, r := range g {
			rec, err := f.Record(r)
			if err != nil {
				t.Fatal(err)
			}
			if rec.Status != Done || rec.Iteration != 30 || rec.Final == nil || rec.Final.TrainLoss == nil || rec.Ended == nil || rec.Version != "test" {
				t.Errorf("record %+v", rec)
			}
			if len(r.Protocols()) > 0 && rec.Accepted != 30 {
				t.Errorf("%d swaps accepted, want 30", rec.Accepted)
			}
			points, err := f.Metrics(r)
			if err != nil || len(points) != 4 || points[3].Iteration != 30 {
				t.Errorf("metrics %v, %v", points, err)
			}
			entries, _ := os.ReadDir(f.Path("runs", r.ID))
			var names []string
			for _, e := range entries {
				names = append(names, e.Name())
			}
			if want := []string{"metrics.csv", "run.json", "weights.safetensors"}; !cmp.Equal(names, want) {
				t.Errorf("files %v, want %v", names, want)
			}
		}
	}
	again := &Lab{Folder: f, Report: second.add}
	if err := again.Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if begun, skipped := second.count(Begun), second.count(Skipped); begun != 0 || skipped != 4 {
		t.Errorf("second time: %d begun, %d skipped; want 0, 4", begun, skipped)
	}
	// A larger Spec makes only what is new.
	s.Seeds = FirstSeeds(3)
	larger := planned(t, s)
	var third events
	if err := (&Lab{Folder: f, Report: third.add}).Run(t.Context(), larger); err != nil {
		t.Fatal(err)
	}
	if begun := third.count(Begun); begun != 2 {
		t.Errorf("third time: %d begun, want 2", begun)
	}
}

// uninterrupted makes a plan without interruption and returns what each run left.
func uninterrupted(t *testing.T, plan []Group) map[string][]byte {
	t.Helper()
	f := open(t, t.TempDir())
	if err := (&Lab{Folder: f}).Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	return left(t, f, plan)
}

// left returns the weights and, but for the seconds, the metrics of all runs.
func left(t *testing.T, f *Folder, plan []Group) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, g := range plan {
		for _, r := range g {
			weights, err := os.ReadFile(f.Weights(r))
			if err != nil {
				t.Fatal(err)
			}
			points, err := f.Metrics(r)
			if err != nil {
				t.Fatal(err)
			}
			for i := range points {
				points[i].Seconds = 0
				weights = append(weights, row(&points[i])...)
			}
			files[r.ID] = weights
		}
	}
	return files
}

// protocolsWithState has one of each kind of state: a random stream, an average
// of the gradient, images that stay swapped.
var protocolsWithState = []string{
	"weights:1SS n=5 carry=momentum",
	"weights:1SS each n=all guide=momentum window=0.1 accept=greedy",
	"features:1SA keep=true + weights:1SS n=3 accept=metropolis T=1e-3",
}

func TestStoppedRunsContinueBitForBit(t *testing.T) {
	s := tiny(t, protocolsWithState...)
	plan := planned(t, s)
	want := uninterrupted(t, plan)
	f := open(t, t.TempDir())
	for stops := 0; ; stops++ {
		if stops > 200 {
			t.Fatal("never done")
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("stopped")
		n := 0
		l := &Lab{Folder: f, Checkpoint: 7, Parallel: 2, Report: func(e Event) {
			if e.Kind == Measured {
				if n++; n == 3 {
					cancel(cause)
				}
			}
		}}
		err := l.Run(ctx, plan)
		cancel(nil)
		if err == nil {
			if stops == 0 {
				t.Fatal("was never stopped")
			}
			break
		}
		if !errors.Is(err, cause) {
			t.Fatal(err)
		}
		if locks, _ := filepath.Glob(f.Path("runs", "*", "lock")); len(locks) > 0 {
			t.Fatalf("left locks %v", locks)
		}
	}
	if !cmp.Equal(left(t, f, plan), want) {
		t.Error("runs that were stopped differ from runs that were not")
	}
}

// TestKilledRunsContinueBitForBit does to a folder what a killed process may
// leave: a checkpoint, with rows of metrics past it, the last one torn.
func TestKilledRunsContinueBitForBit(t *testing.T) {
	s := tiny(t, protocolsWithState...)
	s.Seeds = FirstSeeds(1)
	plan := planned(t, s)
	want := uninterrupted(t, plan)
	f := open(t, t.TempDir())
	l := &Lab{Folder: f, Checkpoint: 7}
	l.workers(1)
	for _, r := range plan[0] {
		j, err := l.begin(r)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // to iteration 20; the checkpoint is of 14
			if _, err := j.advance(t.Context(), func() {}); err != nil {
				t.Fatal(err)
			}
		}
		j.metrics.file.WriteString("25,0.1,2.3")
		j.close() // without saving
	}
	resumed := 0
	l.Report = func(e Event) {
		if e.Kind == Begun {
			if e.Iteration != 14 {
				t.Errorf("continues at iteration %d, want 14", e.Iteration)
			}
			resumed++
		}
	}
	if err := l.Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if resumed != 4 {
		t.Errorf("%d runs continued, want 4", resumed)
	}
	if !cmp.Equal(left(t, f, plan), want) {
		t.Error("runs that were killed differ from runs that were not")
	}
}

func TestDamagedFilesBeginAgain(t *testing.T) {
	s := tiny(t, "weights:1SS n=5")
	s.Seeds = FirstSeeds(1)
	plan := planned(t, s)
	want := uninterrupted(t, plan)
	overwrite := func(name string, change func([]byte) []byte) func(*testing.T, *Folder, *Run) {
		return func(t *testing.T, f *Folder, r *Run) {
			path := f.runFile(r, name)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, damage := range map[string]func(*testing.T, *Folder, *Run){
		"checkpoint cut":   overwrite("checkpoint.safetensors", func(b []byte) []byte { return b[:len(b)/2] }),
		"checkpoint empty": overwrite("checkpoint.safetensors", func([]byte) []byte { return nil }),
		"checkpoint noise": overwrite("checkpoint.safetensors", func(b []byte) []byte { return bytes.Repeat([]byte{0xff}, 100) }),
		"metrics missing a row": overwrite("metrics.csv", func(b []byte) []byte {
			lines := bytes.SplitAfter(b, []byte("\n"))
			return bytes.Join(append(lines[:2:2], lines[3:]...), nil)
		}),
		"metrics header": overwrite("metrics.csv", func(b []byte) []byte { return append([]byte("x"), b...) }),
		"metrics noise":  overwrite("metrics.csv", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("0"), []byte("?")) }),
		"metrics gone": func(t *testing.T, f *Folder, r *Run) {
			if err := os.Remove(f.runFile(r, "metrics.csv")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t, t.TempDir())
			l := &Lab{Folder: f, Checkpoint: 7}
			l.workers(1)
			for _, r := range plan[0] {
				j, err := l.begin(r)
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if _, err := j.advance(t.Context(), func() {}); err != nil {
						t.Fatal(err)
					}
				}
				j.close()
				damage(t, f, r)
			}
			if err := l.Run(t.Context(), plan); err != nil {
				t.Fatal(err)
			}
			for _, r := range plan[0] {
				rec, err := f.Record(r)
				if err != nil {
					t.Fatal(err)
				}
				if len(rec.Notes) != 1 || !strings.Contains(rec.Notes[0], "begun again from iteration 0") {
					t.Errorf("notes %q, want one that the run was begun again", rec.Notes)
				}
			}
			if !cmp.Equal(left(t, f, plan), want) {
				t.Error("the result differs")
			}
		})
	}
}

func TestDamagedRecordOfFinishedRun(t *testing.T) {
	s := tiny(t)
	s.Seeds = FirstSeeds(1)
	plan := planned(t, s)
	f := open(t, t.TempDir())
	l := &Lab{Folder: f}
	for _, name := range []string{"", "run.json", "metrics.csv"} {
		if name != "" {
			if err := os.WriteFile(f.runFile(plan[0][0], name), []byte("{"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		var e events
		l.Report = e.add
		if err := l.Run(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		if e.count(Ended) != 1 {
			t.Errorf("after damage of %q: %d runs made, want 1", name, e.count(Ended))
		}
	}
}

func TestDivergedRun(t *testing.T) {
	// What finds it is the evaluation, where there is one after each step, or else the next step.
	for every, reason := range map[int]string{1: "clean loss", 50: ": loss"} {
		s := tiny(t)
		s.Loss = "mean-squared"
		s.Optimizer.LR = 1e30
		s.Seeds = FirstSeeds(1)
		s.Eval.Every = every
		plan := planned(t, s)
		f := open(t, t.TempDir())
		l := &Lab{Folder: f}
		if err := l.Run(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		rec, err := f.Record(plan[0][0])
		if err != nil || rec.Status != Diverged || !strings.Contains(rec.Reason, reason) {
			t.Errorf("record %+v, %v; want diverged with a %s", rec, err, reason)
		}
		var e events
		l.Report = e.add
		if err := l.Run(t.Context(), plan); err != nil || e.count(Skipped) != 1 {
			t.Errorf("%s, second time: %v, %d skipped, want 1", rec.Reason, err, e.count(Skipped))
		}
		if _, err := f.Curve(plan[0][0]); err != nil {
			t.Errorf("%s: %v", rec.Reason, err)
		}
	}
}

func TestUnwritableFolder(t *testing.T) {
	s := tiny(t)
	plan := planned(t, s)
	dir := t.TempDir()
	f := open(t, dir)
	// A file where a run's folder should be: fails for root, too.
	path := f.Path("runs", plan[0][0].ID)
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	err := (&Lab{Folder: f}).Run(t.Context(), plan)
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that names %s", err, path)
	}
	if _, err := OpenFolder(filepath.Join(path, "below")); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that names %s", err, path)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	w := &Locks{}
	acquire := w.Take
	// long passes, on the clock by which this process watches others.
	long := func() {
		for path, s := range w.seen {
			s.since = s.since.Add(-2 * silence)
			w.seen[path] = s
		}
	}
	if err := w.acquireExclusive(path, self().text()); err != nil {
		t.Fatal("exclusive:", err)
	}
	if err := w.acquireExclusive(path, self().text()); !errors.Is(err, ErrLocked) {
		t.Errorf("exclusive: taken twice: %v", err)
	}
	long()
	if err := w.acquireExclusive(path, self().text()); err != nil {
		t.Errorf("exclusive: a holder that was silent for long: %v", err)
	}
	os.Remove(path)

	l, err := acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := acquire(path); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), self().String()) {
		t.Errorf("taken twice: %v; want the holder named", err)
	}
	l.Release()
	l.Release()
	if l, err = acquire(path); err != nil {
		t.Fatal("after release:", err)
	}
	l.Release()

	// What another host's process has signed counts until it falls silent, whatever
	// the clocks of the two say: hours apart, or set back meanwhile.
	for _, skew := range []time.Duration{0, -5 * time.Hour, 5 * time.Hour} {
		if err := os.WriteFile(path, []byte("1 another-host\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		beat := func(n int) {
			at := time.Now().Add(skew - time.Duration(n)*time.Minute)
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 3 { // each time it was renewed since we last looked
			beat(n)
			if _, err := acquire(path); !errors.Is(err, ErrLocked) {
				t.Errorf("clock off by %v: signed by another host: %v", skew, err)
			}
			long()
		}
		if l, err = acquire(path); err != nil {
			t.Fatalf("clock off by %v: silent for long: %v", skew, err)
		}
		l.Release()
	}
	// A dead process of this host holds nothing.
	if err := os.WriteFile(path, []byte("999999999 "+self().host+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if l, err = acquire(path); err != nil {
		t.Fatal("dead process:", err)
	}
	l.Release()
}

// TestLostLock suspends a process for so long that another takes its run: when it
// wakes up it must write nothing any more, nor free the other's lock.
func TestLostLock(t *testing.T) {
	s := tiny(t)
	plan := planned(t, s)
	r := plan[0][0]
	f := open(t, t.TempDir())
	l := &Lab{Folder: f, Checkpoint: 7}
	j, err := l.begin(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.advance(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	before, err := f.Metrics(r)
	if err != nil {
		t.Fatal(err)
	}
	theirs := []byte("1 another-host\n")
	if err := os.WriteFile(j.lock.path, theirs, 0o644); err != nil {
		t.Fatal(err)
	}
	for ended := false; !ended && err == nil; {
		ended, err = j.advance(t.Context(), func() {})
	}
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "process 1 on another-host") {
		t.Errorf("got %v, want an error that names the new holder", err)
	}
	j.close()
	if after, err := f.Metrics(r); err != nil || !cmp.Equal(after, before) {
		t.Error("it has written to a run that it does not hold")
	}
	if text, err := os.ReadFile(j.lock.path); err != nil || !bytes.Equal(text, theirs) {
		t.Errorf("the other's lock: %q, %v", text, err)
	}
}

// TestImpossibleRun has a run that cannot begin: it is recorded as failed, with
// the reason, and the others are made.
func TestImpossibleRun(t *testing.T) {
	s := tiny(t)
	source := NewSource(planned(t, s)[0][0].set)
	p, err := ParseProtocols("weights:SSA") // one layer: nothing to exchange between layers
	if err != nil {
		t.Fatal(err)
	}
	bad, good := NewRun(&s, p, 1, source), NewRun(&s, nil, 1, source)
	f := open(t, t.TempDir())
	var e events
	if err := (&Lab{Folder: f, Report: e.add}).Run(t.Context(), []Group{{bad, good}}); err != nil {
		t.Fatal(err)
	}
	rec, err := f.Record(bad)
	if err != nil || rec.Status != Failed || !strings.Contains(rec.Reason, "weights:SSA") || rec.Ended == nil {
		t.Errorf("%+v, %v: want failed, naming the protocol", rec, err)
	}
	if rec, err := f.Record(good); err != nil || rec.Status != Done {
		t.Errorf("%+v, %v: want done", rec, err)
	}
	if e.count(Begun) != 2 || e.count(Ended) != 2 {
		t.Errorf("%d begun, %d ended: want 2 of each", e.count(Begun), e.count(Ended))
	}
}

// TestLockIsHeldByOne lets many contend for one lock, again and again.
func TestLockIsHeldByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	acquire := new(Locks).Take
	var held, total int // guarded by the lock, if it is one: the race detector checks
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for taken := 0; taken < 50; {
				l, err := acquire(path)
				if errors.Is(err, ErrLocked) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				held++
				if held != 1 {
					t.Errorf("%d hold the lock", held)
				}
				mu.Unlock()
				mu.Lock()
				held--
				total++
				mu.Unlock()
				l.Release()
				taken++
			}
		})
	}
	wg.Wait()
	if total != 400 {
		t.Errorf("taken %d times, want 400", total)
	}
}

// TestProcessesShareAFolder runs this test's binary several times at once on one
// folder: together they must make each run exactly once.
func TestProcessesShareAFolder(t *testing.T) {
	s := tiny(t, "features:1SA", "biases:1S")
	s.Iterations = 100
	if dir := os.Getenv("SWAPMC_TEST_FOLDER"); dir != "" {
		plan := planned(t, s)
		l := &Lab{Folder: open(t, dir), Checkpoint: 7, Report: func(e Event) {
			if e.Kind == Ended {
				os.Stdout.WriteString("made " + e.Run.ID + "\n")
			}
		}}
		if err := l.Run(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		return
	}
	plan := planned(t, s)
	dir := t.TempDir()
	var outputs [3]bytes.Buffer
	var processes []*exec.Cmd
	for i := range outputs {
		cmd := exec.Command(os.Args[0], "-test.run=^TestProcessesShareAFolder$", "-test.v")
		cmd.Env = append(os.Environ(), "SWAPMC_TEST_FOLDER="+dir)
		cmd.Stdout, cmd.Stderr = &outputs[i], &outputs[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		processes = append(processes, cmd)
	}
	made := map[string]int{}
	for i, cmd := range processes {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v:\n%s", err, &outputs[i])
		}
		for line := range strings.Lines(outputs[i].String()) {
			if id, ok := strings.CutPrefix(line, "made "); ok {
				made[strings.TrimSpace(id)]++
			}
		}
	}
	if len(made) != 6 {
		t.Errorf("%d runs made, want 6", len(made))
	}
	for id, n := range made {
		if n != 1 {
			t.Errorf("run %s was made %d times", id, n)
		}
	}
	if !cmp.Equal(left(t, open(t, dir), plan), uninterrupted(t, plan)) {
		t.Error("the results differ from those of one process")
	}
}

// Runs at once and the threads of each fill the cores and no more, unless both are asked for.
func TestRunsShareTheCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	for _, c := range []struct{ parallel, threads, runs, workers, each int }{
		{0, 0, 20, 8, 1},
		{0, 0, 2, 2, 4},
		{0, 3, 20, 2, 3},
		{0, 16, 20, 1, 16},
		{4, 0, 20, 4, 2},
		{4, 4, 20, 4, 4},
	} {
		l := Lab{Parallel: c.parallel, Threads: c.threads}
		if workers := l.workers(c.runs); workers != c.workers || l.threads != c.each {
			t.Errorf("parallel %d, threads %d, %d runs: %d at once of %d threads, want %d of %d", c.parallel, c.threads, c.runs, workers, l.threads, c.workers, c.each)
		}
	}
}

// The kernels amx and avx512 differ in products of bfloat16 only.
func TestSameBits(t *testing.T) {
	for _, c := range []struct {
		a, b, precision string
		same            bool
	}{{"avx2", "avx2", "bf16", true}, {"amx", "avx512", "", true}, {"avx512", "amx", "", true}, {"amx", "avx512", "bf16", false}, {"amx", "avx2", "", false}, {"go", "avx512", "", false}} {
		if got := sameBits(c.a, c.b, c.precision); got != c.same {
			t.Errorf("%s and %s with precision %q: %v", c.a, c.b, c.precision, got)
		}
	}
}
