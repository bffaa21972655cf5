package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"swapmc/internal/lab"
	"swapmc/speedup"
)

// A progress writes a line for each run that ends and estimates the time left.
type progress struct {
	w       io.Writer
	folder  *lab.Folder
	began   time.Time
	mu      sync.Mutex
	targets map[string]float64 // headline, by network
	seconds map[string]float64 // of a run alone, by network
	seen    map[string]bool    // runs that have been counted

	total, done int     // runs
	left        float64 // seconds of runs alone
	worked      float64 // of them, made since began
}

// newProgress measures how long a run of each problem takes.
func newProgress(w io.Writer, s *study) (*progress, error) {
	p := &progress{w: w, folder: s.folder, targets: map[string]float64{}, seconds: map[string]float64{}, seen: map[string]bool{}}
	for _, arms := range s.arms {
		first := arms[0]
		r := first.run(&first.trials[0], fresh[0])
		pace, err := r.Pace(100 * time.Millisecond)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", first.problem.name, err)
		}
		network, n := first.problem.network, float64(first.problem.iterations)
		p.targets[network] = first.problem.headline
		p.seconds[network] = n*pace.Iteration + (1+n/float64(first.problem.every))*pace.Evaluation
	}
	p.began = time.Now()
	return p, nil
}

// plan adds to what is to be done.
func (p *progress) plan(of *problem, runs int) {
	p.total += runs
	p.left += float64(runs) * p.seconds[of.network]
}

// see takes over what the laboratory reports.
func (p *progress) see(e lab.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Kind == lab.Waiting {
		fmt.Fprintf(p.w, "waiting: %s\n", e.Held)
	}
	if e.Kind != lab.Skipped && e.Kind != lab.Ended || p.seen[e.Run.ID] {
		return
	}
	p.seen[e.Run.ID] = true
	seconds := p.seconds[e.Run.Config.Network]
	p.done++
	p.left -= seconds
	if e.Kind == lab.Skipped {
		return
	}
	p.worked += seconds
	left := time.Duration(float64(time.Since(p.began)) / p.worked * p.left).Round(time.Minute)
	fmt.Fprintf(p.w, "%s  %d/%d, %s left  %s: %s\n", time.Now().Format("15:04:05"), p.done, p.total, left, e.Run.Label, p.outcome(e))
}

// outcome tells how a run ended.
func (p *progress) outcome(e lab.Event) string {
	if e.Record.Status != lab.Done {
		return fmt.Sprintf("%s: %s", e.Record.Status, e.Record.Reason)
	}
	text := fmt.Sprintf("loss %.3f, test accuracy %.1f%%", e.Point.TrainLoss, 100*e.Point.TestAccuracy)
	points, err := p.folder.Metrics(e.Run)
	if err != nil {
		return text // the reader of all runs reports it
	}
	var curve speedup.Series
	for _, x := range points {
		curve.X, curve.Y = append(curve.X, float64(x.Iteration)), append(curve.Y, x.TrainLoss)
	}
	target := p.targets[e.Run.Config.Network]
	if t, ok := curve.TimeTo(target, true); ok {
		return text + fmt.Sprintf(", %g after %.0f", target, t)
	}
	return text + fmt.Sprintf(", %g not reached", target)
}
