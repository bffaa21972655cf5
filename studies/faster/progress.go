package main

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"swapmc/internal/lab"
)

// A progress writes a line for each run that ends and estimates the time left.
type progress struct {
	w       io.Writer
	folder  *lab.Folder
	began   time.Time
	mu      sync.Mutex
	seconds map[*problem]float64 // of a run alone
	of      map[string]*problem  // by ID, of runs that have not been counted

	total, done int     // runs
	left        float64 // seconds of runs alone
	worked      float64 // of them, made since began
}

// newProgress measures how long a run of each problem takes.
func newProgress(s *study) (*progress, error) {
	p := &progress{w: s.w, folder: s.folder, seconds: map[*problem]float64{}, of: map[string]*problem{}}
	for _, arms := range s.arms {
		first := arms[0]
		r := first.run(&first.trials[0], fresh[0])
		pace, err := r.Pace(100 * time.Millisecond)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", first.problem.name, err)
		}
		n := float64(first.problem.iterations)
		p.seconds[first.problem] = n*pace.Iteration + (1+n/float64(first.problem.every))*pace.Evaluation
	}
	return p, nil
}

// announce adds to what is to be done.
func (p *progress) announce(of *problem, runs int) {
	p.total += runs
	p.left += float64(runs) * p.seconds[of]
}

// start tells what is to be done, as if nothing had been done before.
func (p *progress) start(parallel int) {
	p.began = time.Now()
	if parallel == 0 {
		parallel = runtime.GOMAXPROCS(0)
	}
	left := time.Duration(p.left / float64(parallel) * float64(time.Second)).Round(time.Minute)
	fmt.Fprintf(p.w, "%d runs, %s if all were as fast as the first way, %d at once\n", p.total, left, parallel)
}

// expect tells of which problem the runs are that come next.
func (p *progress) expect(of *problem, plan []lab.Group) {
	for _, g := range plan {
		for _, r := range g {
			p.of[r.ID] = of
		}
	}
}

// see takes over what the laboratory reports.
func (p *progress) see(e lab.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Kind == lab.Waiting {
		fmt.Fprintf(p.w, "waiting: %s\n", e.Held)
	}
	if e.Kind != lab.Skipped && e.Kind != lab.Ended || p.of[e.Run.ID] == nil {
		return
	}
	of := p.of[e.Run.ID]
	delete(p.of, e.Run.ID)
	seconds := p.seconds[of]
	p.done++
	p.left -= seconds
	if e.Kind == lab.Skipped {
		return
	}
	p.worked += seconds
	left := time.Duration(float64(time.Since(p.began)) / p.worked * p.left).Round(time.Minute)
	fmt.Fprintf(p.w, "%s  %d/%d, %s left  %s: %s\n", time.Now().Format("15:04:05"), p.done, p.total, left, e.Run.Label, p.outcome(of, e))
}

// outcome tells how a run ended.
func (p *progress) outcome(of *problem, e lab.Event) string {
	if e.Record.Status != lab.Done {
		return fmt.Sprintf("%s: %s", e.Record.Status, e.Record.Reason)
	}
	text := fmt.Sprintf("loss %.3f, test accuracy %.1f%%", e.Point.TrainLoss, 100*e.Point.TestAccuracy)
	curve, _, err := read(p.folder, e.Run)
	if err != nil {
		return text // whoever needs the curve reports it
	}
	if t, ok := curve.TimeTo(of.headline, true); ok {
		return text + fmt.Sprintf(", %g after %.0f", of.headline, t)
	}
	return text + fmt.Sprintf(", %g not reached", of.headline)
}
