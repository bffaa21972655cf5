package main

import (
	"context"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"swapmc/dataset"
	"swapmc/internal/lab"
)

// small is a problem of a second and two ways of it.
var (
	small     = []problem{{name: "small", network: "linear 8, relu, linear classes", batch: 8, iterations: 40, every: 10, targets: []float64{2.2, 1.5}, headline: 2.2, tuning: []uint64{101, 102}, finals: []uint64{103}}}
	smallWays = []way{
		{name: "sgd", kind: baseline, optimizer: optimizers["sgd"], rates: rates{of: "sgd"}},
		on("guided", swaps, "sgd", "weights:1SS each n=all guide=momentum window={x} until={end} accept=greedy", []float64{0.001, 0.01}),
	}
)

func source(t *testing.T) *lab.Source {
	t.Helper()
	return lab.NewSource(dataset.Synth(dataset.SynthOptions{Train: 200, Test: 50}))
}

func folder(t *testing.T) *lab.Folder {
	t.Helper()
	f, err := lab.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Every way and problem of the study can be run, at the same number of trials.
func TestEveryArm(t *testing.T) {
	s, err := newStudy(folder(t), source(t), problems, ways, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, arms := range s.arms {
		for _, a := range arms {
			seen := map[string]bool{}
			for _, r := range a.tuning() {
				seen[r.ID] = true
			}
			if want := trials * len(a.problem.tuning); len(seen) != want {
				t.Errorf("%s, %s: %d different runs: want %d", a.problem.name, a.way.name, len(seen), want)
			}
			for _, seed := range a.problem.finals {
				if slices.Contains(a.problem.tuning, seed) {
					t.Errorf("%s has tuning seed %d twice", a.problem.name, seed)
				}
			}
			for _, seed := range slices.Concat(a.problem.tuning, a.problem.finals) {
				if slices.Contains(fresh, seed) {
					t.Errorf("%s is tuned on seed %d, which is compared", a.problem.name, seed)
				}
			}
		}
	}
}

func TestFaultsAreTold(t *testing.T) {
	bad := []way{
		{name: "typo", optimizer: "{name: sdg, lr: {lr}}", rates: rates{of: "sgd"}},
		{name: "key", optimizer: "{name: sgd, lr: {lr}, momentums: 0.9}", rates: rates{of: "sgd"}},
		{name: "few", optimizer: "{name: sgd, lr: {lr}}", rates: rates{of: "sgd", half: true}},
		on("protocol", swaps, "sgd", "weights:1SQ n={x}", []float64{1, 2}),
		on("nothing", swaps, "sgd", "weights:SSA n={x} layers=absent", []float64{1, 2}),
	}
	_, err := newStudy(folder(t), source(t), small, bad, nil, nil)
	if err == nil {
		t.Fatal("no fault found")
	}
	for _, w := range bad {
		if !strings.Contains(err.Error(), w.name) {
			t.Errorf("nothing about %q in: %v", w.name, err)
		}
	}
	for _, names := range [][2][]string{{{"smal"}, nil}, {nil, {"sdg"}}} {
		if _, err := newStudy(folder(t), source(t), small, smallWays, names[0], names[1]); err == nil {
			t.Errorf("problems %q, ways %q: no fault found", names[0], names[1])
		}
	}
}

// A study that is stopped goes on, and arrives at what one that is not stopped finds.
func TestStoppedStudyGoesOn(t *testing.T) {
	measured := func(stop bool) (tuning, seeds string) {
		f := folder(t)
		s, err := newStudy(f, source(t), small, smallWays, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.w = t.Output()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		if stop {
			cancel()
			if err := s.run(ctx, 1, true, true); !errors.Is(err, context.Canceled) {
				t.Fatalf("stopped at once: %v", err)
			}
			if err := s.run(context.Background(), 1, true, false); err != nil {
				t.Fatal(err)
			}
			if err := s.report(f.Path()); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.run(context.Background(), 2, true, true); err != nil {
			t.Fatal(err)
		}
		if err := s.report(f.Path()); err != nil {
			t.Fatal(err)
		}
		read := func(name string) string {
			text, err := os.ReadFile(f.Path(name))
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		return read("tuning.csv"), read("seeds.csv")
	}
	tuning, seeds := measured(false)
	if got, want := strings.Count(tuning, "\n"), 1+2*trials; got != want {
		t.Errorf("tuning.csv has %d rows: want %d", got, want)
	}
	if got, want := strings.Count(tuning, ",true,"), 2; got != want {
		t.Errorf("%d trials are chosen: want %d\n%s", got, want, tuning)
	}
	if got, want := strings.Count(seeds, "\n"), 1+2*len(fresh)*2; got != want {
		t.Errorf("seeds.csv has %d rows: want %d", got, want)
	}
	tuning2, seeds2 := measured(true)
	if tuning2 != tuning || seeds2 != seeds {
		t.Error("a stopped study found something else")
	}
}

// The trials that do best on the first seeds run on the further ones, and the best on all
// of these is chosen.
func TestFinalists(t *testing.T) {
	f := folder(t)
	s, err := newStudy(f, source(t), small, smallWays, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.w = t.Output()
	a := s.arms[0][0]
	if _, err := a.finals(f); !errors.Is(err, errUnfinished) {
		t.Fatalf("finals before the first runs: %v", err)
	}
	if err := s.run(context.Background(), 2, true, false); err != nil {
		t.Fatal(err)
	}
	c, err := choose(f, a)
	if err != nil {
		t.Fatal(err)
	}
	first := *a.problem
	first.finals = nil
	before := *a
	before.problem = &first
	round := choice{arm: &before}
	order, err := round.rank(f)
	if err != nil {
		t.Fatal(err)
	}
	for place, i := range order {
		if place > 0 && round.scores[i].better(round.scores[order[place-1]]) {
			t.Errorf("%s comes after %s, and is better", &c.trials[i], &c.trials[order[place-1]])
		}
		want := len(first.tuning)
		if place < finalists {
			want++
			if c.scores[i].better(c.score()) {
				t.Errorf("%s is better than the chosen %s", &c.trials[i], c.trial())
			}
		}
		if got := c.scores[i].runs; got != want {
			t.Errorf("%s, number %d of the first seeds, has %d runs: want %d", &c.trials[i], place+1, got, want)
		}
	}
	if at := slices.Index(order, c.best); at >= finalists {
		t.Errorf("number %d of the first seeds is chosen", at+1)
	}
}

func TestBetter(t *testing.T) {
	inf := math.Inf(1)
	order := []score{ // best first
		{reached: 2, iterations: 100, loss: 2},
		{reached: 2, iterations: 200, loss: 1},
		{reached: 1, iterations: 50, loss: 1},
		{reached: 0, iterations: inf, loss: 1},
		{reached: 0, iterations: inf, loss: 2},
		{reached: 0, iterations: inf, loss: inf},
	}
	for i, s := range order {
		for k, than := range order {
			if got := s.better(than); got != (i < k) {
				t.Errorf("%d better than %d: %v", i, k, got)
			}
		}
	}
}
