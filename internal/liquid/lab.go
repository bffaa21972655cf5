package liquid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"swapmc/internal/atomicfile"
	"swapmc/internal/lab"
	"swapmc/internal/report"
	"swapmc/speedup"
)

// OpenFolder opens a results folder, and makes it if it is absent.
func OpenFolder(path string) (*Folder, error) {
	if err := os.MkdirAll(filepath.Join(path, "runs"), 0o755); err != nil {
		return nil, fmt.Errorf("results folder: %w", err)
	}
	return &Folder{Path: path}, nil
}

// WriteSpec writes spec.yaml.
func (f *Folder) WriteSpec(s Spec, version string) error {
	s.Version = version
	text, err := s.Marshal()
	if err != nil {
		return err
	}
	head := "# Written by swapmc: all that defines these results.\n"
	return atomicfile.WriteBytes(filepath.Join(f.Path, "spec.yaml"), append([]byte(head), text...))
}

// Shard returns the part of a plan that process i of n makes, both counted from 1. Runs, and whole
// ladders of temperatures, are dealt out like cards; the parts of all processes are the plan.
func Shard(plan []*Run, i, n int) []*Run {
	var part []*Run
	for k, together := range ladders(plan) {
		if k%n == i-1 {
			part = append(part, together...)
		}
	}
	return part
}

// Run makes all runs of a plan that are not finished, so many at once (0: one for each core), and returns their records in the order of the
// plan. Runs that other processes make are waited for. When ctx is done the unfinished are saved and the cause is returned.
func (f *Folder) Run(ctx context.Context, plan []*Run, parallel int, version string, report func(Event)) ([]*Record, error) {
	if parallel == 0 {
		parallel = runtime.GOMAXPROCS(0)
	}
	if len(plan) > 0 && plan[0].Config.Tempering != nil {
		parallel = 1 // a ladder uses all cores
	}
	var mu sync.Mutex
	tell := func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		if report != nil {
			report(e)
		}
	}
	done := map[*Run]*Record{}
	for todo := ladders(plan); len(todo) > 0; {
		held, err := f.round(ctx, todo, parallel, version, tell, func(r *Run, rec *Record) {
			mu.Lock()
			defer mu.Unlock()
			done[r] = rec
		})
		if err != nil {
			return nil, err
		}
		todo = slices.DeleteFunc(todo, func(runs []*Run) bool { return done[runs[0]] != nil })
		if held == nil {
			break
		}
		tell(Event{Held: held})
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	records := make([]*Record, len(plan))
	for i, r := range plan {
		records[i] = done[r]
	}
	return records, nil
}

// pause is how often a run that another process makes is looked at again.
const pause = time.Second

// round makes the runs that no other process is making, and returns an error
// that tells who makes one of the others.
func (f *Folder) round(ctx context.Context, todo [][]*Run, parallel int, version string, tell func(Event), done func(*Run, *Record)) (held, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan []*Run)
	var mu sync.Mutex // of held
	var workers sync.WaitGroup
	for _, runs := range todo {
		for _, r := range runs {
			r.threads = max(1, runtime.GOMAXPROCS(0)/max(min(parallel, len(todo)), len(runs))) // runs share the cores, and so do rungs
		}
	}
	for range min(parallel, len(todo)) {
		workers.Go(func() {
			for runs := range next {
				records, err := f.make(ctx, runs, version, tell)
				switch {
				case errors.Is(err, lab.ErrLocked):
					mu.Lock()
					held = err
					mu.Unlock()
				case err != nil:
					cancel(err)
				}
				for i, rec := range records {
					done(runs[i], rec)
				}
			}
		})
	}
	for _, runs := range todo {
		next <- runs
	}
	close(next)
	workers.Wait()
	return held, context.Cause(ctx)
}

// make makes a run, or a ladder of them, and returns their records.
func (f *Folder) make(ctx context.Context, runs []*Run, version string, tell func(Event)) ([]*Record, error) {
	if runs[0].Config.Tempering != nil {
		return f.temper(ctx, runs, version, tell)
	}
	rec, err := f.Do(ctx, runs[0], version, tell)
	if err != nil {
		return nil, err
	}
	return []*Record{rec}, nil
}

// Compare compares the relaxation of F_s under each protocol with that without swaps:
// S = tau(no swaps)/tau(protocol), runs of one seed being a pair. The records are those
// of one temperature.
func Compare(s Spec, records []*Record, version string) speedup.Comparison {
	texts := []string{lab.Protocols(nil).String()}
	for _, p := range s.Protocols {
		if text := p.String(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	arms := make([]speedup.Arm, len(texts))
	for i, text := range texts {
		arms[i].Text = text
	}
	for _, rec := range records {
		arm := &arms[slices.Index(texts, rec.Config.Protocol.String())]
		run := speedup.Run{Seed: rec.Config.Seed}
		c := &rec.Result.Curves
		for i, t := range c.Time {
			run.Iterations = append(run.Iterations, float64(t))
			run.Seconds = append(run.Seconds, float64(t)*rec.Result.SecondsPerSweep)
			run.Loss = append(run.Loss, c.Fs[i])
		}
		arm.Runs = append(arm.Runs, run)
	}
	c := speedup.Compare(arms[0], arms[1:], speedup.Options{Targets: []float64{1 / math.E}})
	c.Name, c.Version, c.Metric = s.Name, version, report.Correlation
	return c
}

// WriteComparison writes compare.json and compare.csv.
func (f *Folder) WriteComparison(c *speedup.Comparison) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("compare.json: %w", err)
	}
	if err := atomicfile.WriteBytes(filepath.Join(f.Path, "compare.json"), append(text, '\n')); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(f.Path, "compare.csv"), func(w io.Writer) error { return report.CSV(w, c) })
}
