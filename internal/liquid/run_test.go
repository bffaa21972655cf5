package liquid

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"swapmc/glass"
	"swapmc/internal/lab"
)

// planned returns a folder and the runs of a small spec.
func planned(t *testing.T, text string) (*Folder, []*Run) {
	t.Helper()
	base := Default()
	base.Particles, base.Temperature, base.Equilibrate.Sweeps, base.Sweeps, base.Measure.Origins = 64, Temperatures{0.3}, 40, 60, 3
	s, err := Read("spec.yaml", []byte(text), base)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Plan(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return f, plan
}

// A countdown is a context that is done when it has been asked so often.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// results returns what a run has left, less the times it took.
func results(t *testing.T, f *Folder, r *Run) map[string]string {
	t.Helper()
	rec, err := f.Record(r)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Status != lab.Done {
		t.Fatalf("status %s", rec.Status)
	}
	rec.Result.SecondsPerSweep = 0
	text, err := json.MarshalIndent(rec.Result, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"result": string(text)}
	entries, err := os.ReadDir(filepath.Join(f.Path, "runs", r.ID))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "run.json" {
			continue
		}
		text, err := os.ReadFile(f.file(r, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}

func TestRunReports(t *testing.T) {
	f, plan := planned(t, "temperature: [0.3, 0.4]\nprotocols: [none, diameters:S p=0.2]\ntrajectory: {times: linear, frames: 3}\n")
	events := 0
	records, err := f.Run(context.Background(), plan, 2, "v1", func(Event) { events++ })
	if err != nil || len(records) != 4 {
		t.Fatalf("%d records: %v", len(records), err)
	}
	for i, rec := range records {
		r := plan[i]
		if rec.ID != r.ID || rec.Status != lab.Done || rec.Sweeps != 60 || rec.Ended == nil || rec.Version != "v1" {
			t.Errorf("%+v", rec)
		}
		text, err := os.ReadFile(f.file(r, "run.json"))
		if err != nil {
			t.Fatal(err)
		}
		var raw struct {
			Result struct {
				Energy struct{ Mean, Error *float64 } `json:"energy_per_particle"`
			}
		}
		if err := json.Unmarshal(text, &raw); err != nil || raw.Result.Energy.Mean == nil || raw.Result.Energy.Error == nil || !(*raw.Result.Energy.Error > 0) {
			t.Errorf("energy %v, %v in\n%s", raw, err, text)
		}
		// The last sample is the energy of the configuration that is kept.
		file, err := os.Open(f.file(r, "final.xyz"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := glass.ReadXYZ(file, glass.Options{Model: "soft-poly", Temperature: 1})
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		samples := strings.Split(strings.TrimSpace(results(t, f, r)["samples.csv"]), "\n")
		var last float64
		if err := json.Unmarshal([]byte(strings.Split(samples[len(samples)-1], ",")[1]), &last); err != nil {
			t.Fatal(err)
		}
		if e := s.Energy() / 64; e-last > 1e-6 || last-e > 1e-6 {
			t.Errorf("energy a particle of final.xyz %g, last sample %g", e, last)
		}
		if n := strings.Count(results(t, f, r)["trajectory.xyz"], "Lattice="); n != 4 {
			t.Errorf("%d configurations in the trajectory, want those at 0, 20, 40 and 60", n)
		}
		if got := len(rec.Result.Protocols); got != len(r.Config.Protocol) {
			t.Errorf("%d protocols in run.json, want %d", got, len(r.Config.Protocol))
		}
		c := &rec.Result.Curves
		if c.Time[len(c.Time)-1] != 60 || math.Abs(c.Fs[0]-1) > 1e-12 || c.MSD[0] != 0 {
			t.Errorf("curves %+v", c)
		}
	}
	if events < 4 {
		t.Errorf("%d events", events)
	}
	// What is finished is not made again.
	again, err := f.Run(context.Background(), plan, 1, "v2", nil)
	if err != nil || again[2].Version != "v1" || !again[2].Started.Equal(records[2].Started) {
		t.Errorf("made again: %v", err)
	}
}

// The structure factor is that of the configurations at the waiting times, if it is asked for.
func TestStructureFactorIsReported(t *testing.T) {
	f, plan := planned(t, "sweeps: 20\nmeasure: {origins: 1, structure: 5}\ntrajectory: {times: linear, frames: 1}\n")
	records, err := f.Run(context.Background(), plan, 1, "v1", nil)
	if err != nil {
		t.Fatal(err)
	}
	frames := strings.SplitAfterN(results(t, f, plan[0])["trajectory.xyz"], "\n64\n", 2)
	if len(frames) != 2 {
		t.Fatalf("%d configurations, want those at 0 and 20", len(frames))
	}
	var want [5]float64
	for _, frame := range []string{strings.TrimSuffix(frames[0], "64\n"), "64\n" + frames[1]} {
		s, err := glass.ReadXYZ(strings.NewReader(frame), glass.Options{Model: "soft-poly", Temperature: 1})
		if err != nil {
			t.Fatal(err)
		}
		for n := range want {
			_, value := s.StructureFactor(n + 1)
			want[n] += value / 2
		}
	}
	got := records[0].Result.S
	if got == nil || len(got.S) != 5 {
		t.Fatalf("structure factor %v, want 5 values", got)
	}
	for n := range want {
		if k := 2 * math.Pi * float64(n+1) / records[0].Result.Side; math.Abs(got.K[n]-k) > 1e-12*k || math.Abs(got.S[n]-want[n]) > 1e-6*(1+want[n]) {
			t.Errorf("S(%g) = %g, want S(%g) = %g", got.K[n], got.S[n], k, want[n])
		}
	}
}

// Runs that are stopped, wherever, and continued, leave what they would have left.
func TestStoppedRunsContinueBitForBit(t *testing.T) {
	for _, text := range []string{
		"protocols: [diameters:S p=0.2 lift=true]\nequilibrate: {protocol: diameters:S p=0.3}\ntrajectory: {times: log, frames: 4}\n",
		"model: hard-poly\ndimension: 2\npacking: 0.5\nprotocols: [diameters:S p=0.2 window=0.2]\ntrajectory: {times: linear, frames: 7}\n",
		"model: soft-binary\nmeasure: {structure: 3}\n",
		"dimension: 2\nparticles: 600\ndomains: on\nprotocols: [diameters:S p=0.2]\n",
	} {
		alone, plan := planned(t, text)
		r := plan[0]
		r.threads = 1
		if _, err := alone.Do(context.Background(), r, "", nil); err != nil {
			t.Fatal(err)
		}
		want := results(t, alone, r)
		if rec, err := alone.Record(r); err != nil || (rec.Result.Domains == 16) != (r.Config.Domains == "on") {
			t.Errorf("%s: run.json has %d domains, %v", text, rec.Result.Domains, err)
		}
		r.threads = 2 // of no account
		for _, after := range [][]int{{1}, {3}, {7}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}} {
			f, err := OpenFolder(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range after {
				_, err := f.Do(&countdown{context.Background(), n}, r, "", nil)
				if err == nil { // had finished before
					break
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				if rec, err := f.Record(r); err != nil || rec.Status == lab.Done {
					t.Fatalf("%v, %v after a stop", rec, err)
				}
			}
			if _, err := f.Do(context.Background(), r, "", nil); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, results(t, f, r), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s stopped after %v (-alone +stopped)\n%.2000s", r.Config.Model, after, d)
			}
		}
	}
}

// A damaged checkpoint is refused, and left as it is.
func TestDamagedCheckpoint(t *testing.T) {
	f, plan := planned(t, "temperature: [0.3, 0.4]\n")
	r := plan[0]
	stop := func(r *Run) {
		t.Helper()
		if _, err := f.Do(&countdown{context.Background(), 6}, r, "", nil); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	stop(r)
	path := f.file(r, "checkpoint")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string][]byte{"nothing": nil, "text": []byte("energy\n1\n")}
	for _, n := range []int{5, 100, len(whole) / 2, len(whole) - 1} {
		damaged["cut at "+string(rune('0'+len(damaged)))] = whole[:n]
	}
	for _, at := range []int{len(whole) / 3, len(whole) / 2, len(whole) - 6} {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 0x10
		damaged["flipped at "+string(rune('0'+len(damaged)))] = flipped
	}
	stop(plan[1])
	if damaged["other"], err = os.ReadFile(f.file(plan[1], "checkpoint")); err != nil {
		t.Fatal(err)
	}
	for name, text := range damaged {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := f.Do(context.Background(), r, "", nil)
		want := "damaged"
		if name == "other" {
			want = "of another run"
		}
		if err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), want) || !strings.HasSuffix(err.Error(), "remove it to begin this run again") {
			t.Errorf("%s: error %v", name, err)
		}
		if left, _ := os.ReadFile(path); !bytes.Equal(left, text) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Do(context.Background(), r, "", nil); err != nil {
		t.Errorf("begun again: %v", err)
	}
	if err := os.WriteFile(f.file(r, "run.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Do(context.Background(), r, "", nil); err == nil || !strings.Contains(err.Error(), "run.json: damaged") || !strings.Contains(err.Error(), "made again if not") {
		t.Errorf("a damaged run.json: %v", err)
	}
	if err := os.Remove(f.file(r, "run.json")); err != nil {
		t.Fatal(err)
	}
	if rec, err := f.Do(context.Background(), r, "", nil); err != nil || rec.Status != lab.Done {
		t.Errorf("removed, as the error says: %v", err)
	}
}

// Two that make one run would write into each other's files.
func TestRunIsHeldByOne(t *testing.T) {
	f, plan := planned(t, "seeds: 3")
	r := plan[0]
	if err := os.MkdirAll(filepath.Dir(f.file(r, "lock")), 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := new(lab.Locks).Take(f.file(r, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	var held error
	records, err := f.Run(context.Background(), plan, 1, "", func(e Event) {
		if e.Held == nil {
			return
		}
		held = e.Held
		if _, err := f.Record(r); err == nil {
			t.Error("a run that another holds was begun")
		}
		for _, other := range plan[1:] {
			if rec, err := f.Record(other); err != nil || rec.Status != lab.Done {
				t.Errorf("a run that nobody holds was not made first: %v", err)
			}
		}
		lock.Release()
	})
	if err != nil || records[0] == nil {
		t.Errorf("after the other gave it back: %v", err)
	}
	if held == nil || !strings.Contains(held.Error(), "held by another process: process ") {
		t.Errorf("waited for %v", held)
	}
	if _, err := os.Stat(f.file(r, "lock")); err == nil {
		t.Error("the lock stays")
	}
}

// Processes that share a folder make each run once, and all get all records.
func TestFolderIsShared(t *testing.T) {
	f, plan := planned(t, "seeds: 4")
	var mu sync.Mutex
	makers := map[string]map[*Folder]bool{}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			_, plan := planned(t, "seeds: 4")
			f := &Folder{Path: f.Path}
			records, err := f.Run(context.Background(), plan, 1, "", func(e Event) {
				if e.Held != nil || e.Record != nil {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if makers[e.Run.ID] == nil {
					makers[e.Run.ID] = map[*Folder]bool{}
				}
				makers[e.Run.ID][f] = true
			})
			if err != nil {
				t.Error(err)
			}
			for i, r := range records {
				if r == nil || r.ID != plan[i].ID || r.Status != lab.Done {
					t.Errorf("record %d: %v", i, r)
				}
			}
		})
	}
	all.Wait()
	for _, r := range plan {
		if n := len(makers[r.ID]); n != 1 {
			t.Errorf("run %s was made by %d", r.ID, n)
		}
	}
}

// The parts of a plan are the plan, and no ladder of temperatures is cut.
func TestShards(t *testing.T) {
	for _, text := range []string{"seeds: 5\ntemperature: [0.3, 0.4]", "seeds: 3\ntemperature: [0.3, 0.4]\ntempering: 5"} {
		_, plan := planned(t, text)
		for _, n := range []int{1, 2, 3, 20} {
			part := map[*Run]int{}
			for i := 1; i <= n; i++ {
				for _, r := range Shard(plan, i, n) {
					if part[r] != 0 {
						t.Errorf("%d parts: a run is in two", n)
					}
					part[r] = i
				}
			}
			if len(part) != len(plan) {
				t.Errorf("%d parts have %d runs of %d", n, len(part), len(plan))
			}
			for _, together := range ladders(plan) {
				for _, r := range together {
					if part[r] != part[together[0]] {
						t.Errorf("%d parts: a ladder is cut", n)
					}
				}
			}
		}
	}
}

// A run from a file is named by its content.
func TestRunFromFile(t *testing.T) {
	var file bytes.Buffer
	s, err := glass.New(glass.Options{Model: "soft-poly", N: 64, Temperature: 0.3, Seed: 8})
	if err != nil {
		t.Fatal(err)
	}
	s.Run(20)
	if err := s.WriteXYZ(&file); err != nil {
		t.Fatal(err)
	}
	spec, err := Read("spec.yaml", []byte("particles: 64\nstart: a.xyz\nequilibrate: {sweeps: 0}\nsweeps: 1"), Default())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Plan(spec, file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	lattice, err := Plan(spec, nil)
	if err != nil || lattice[0].ID == plan[0].ID {
		t.Errorf("the same run from a lattice and from a file: %v", err)
	}
	f, err := OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Do(context.Background(), plan[0], "", nil); err != nil {
		t.Fatal(err)
	}
	first := strings.Split(results(t, f, plan[0])["samples.csv"], "\n")[1]
	var e float64
	if err := json.Unmarshal([]byte(strings.Split(first, ",")[1]), &e); err != nil || e-s.Energy()/64 > 1e-6 || s.Energy()/64-e > 1e-6 {
		t.Errorf("begins with energy %g a particle, the file has %g: %v", e, s.Energy()/64, err)
	}
	if _, err := Plan(spec, file.Bytes()[:file.Len()/2]); err == nil || !strings.Contains(err.Error(), "XYZ: line ") {
		t.Errorf("a file cut short: %v", err)
	}
}
