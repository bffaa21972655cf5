package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"sync"
	"syscall"
	"time"

	"swapmc/internal/train"
)

// Lab makes runs.
type Lab struct {
	Folder     *Folder
	Version    string      // of the program, for the records
	Checkpoint int         // iterations between checkpoints; 0: only when stopped
	Parallel   int         // runs at once; 0: as many as cores suffice for
	Threads    int         // of each run; 0: the cores shared among the runs at once
	NoWeights  bool        // do not keep the final weights
	Report     func(Event) // told what happens, by one goroutine at a time; may be nil

	threads int
	locks   Locks
	mu      sync.Mutex // of Report
}

// An EventKind says what an Event is about.
type EventKind int

// The kinds of events.
const (
	Skipped  EventKind = iota // the run was finished before
	Begun                     // the run starts, or continues at Iteration
	Advanced                  // the run has come to Iteration; about ten times a second
	Measured                  // the run was evaluated: see Point
	Ended                     // the run has ended: see Record
	Waiting                   // all that remains to be done is being done by other processes
)

// An Event tells what happens to a run.
type Event struct {
	Kind      EventKind
	Run       *Run // nil in Waiting
	Iteration int
	Point     train.Point // the last evaluation
	Record    Record      // of Skipped, Begun and Ended
	Held      string      // who makes what remains, in Waiting
}

// pause is how often a run that another process makes is looked at again.
const pause = time.Second

// Run makes all runs of a plan that are not finished. Those of one group advance
// in turn, so that they see the same load of the machine. When ctx is done the
// unfinished runs are saved and the cause is returned; a later call continues
// them. A run that diverges, fails or cannot even begin is recorded and does not
// stop the others; a file that cannot be written does.
func (l *Lab) Run(ctx context.Context, plan []Group) error {
	workers := l.workers(count(plan))
	for first := true; ; first = false {
		todo, err := l.unfinished(plan, first)
		if err != nil || len(todo) == 0 {
			return err
		}
		held, err := l.round(ctx, todo, min(workers, count(todo)))
		if err != nil {
			return err
		}
		if held == nil {
			return nil
		}
		plan = todo // the others are finished, and stay so
		l.report(Event{Kind: Waiting, Held: held.Error()})
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// workers returns the number of runs at once and sets the threads of each. Both
// follow from the whole plan, whatever of it is left to do: all runs of a
// comparison have the same number of threads.
func (l *Lab) workers(runs int) int {
	cores := runtime.GOMAXPROCS(0)
	workers := l.Parallel
	if workers == 0 {
		workers = cores / max(1, l.Threads)
	}
	workers = max(1, min(workers, runs))
	l.threads = l.Threads
	if l.threads == 0 {
		l.threads = max(1, cores/workers)
	}
	return workers
}

func count(plan []Group) int {
	n := 0
	for _, g := range plan {
		n += len(g)
	}
	return n
}

// unfinished returns what is left of a plan.
func (l *Lab) unfinished(plan []Group, report bool) ([]Group, error) {
	var todo []Group
	for _, g := range plan {
		var left Group
		for _, r := range g {
			rec, finished, err := l.Folder.finished(r)
			if err != nil {
				return nil, err
			}
			// A failed run is tried once by each call.
			if !finished && (report || rec.Status != Failed) {
				left = append(left, r)
				continue
			}
			if report {
				l.report(Event{Kind: Skipped, Run: r, Iteration: rec.Iteration, Record: rec})
			}
		}
		if len(left) > 0 {
			todo = append(todo, left)
		}
	}
	return todo, nil
}

// round makes the runs that no other process is making, and returns an error
// that tells who makes one of the others.
func (l *Lab) round(ctx context.Context, groups []Group, workers int) (held, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	q := &queue{groups: groups}
	q.changed.L = &q.mu
	// A job that nobody advances must learn of the end as well.
	defer context.AfterFunc(ctx, q.stop)()

	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for t := q.next(); t != nil; t = q.next() {
				again, err := l.work(ctx, t)
				switch {
				case errors.Is(err, ErrLocked):
					q.hold(err)
				case err != nil && !errors.Is(err, context.Cause(ctx)):
					q.fail(err)
					cancel(err)
				}
				q.done(t, again)
			}
		})
	}
	wg.Wait()
	if q.err != nil {
		return nil, q.err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return q.held, nil
}

// work advances a task to its next evaluation and tells whether there is more
// to do.
func (l *Lab) work(ctx context.Context, t *task) (again bool, err error) {
	if t.job == nil {
		if ctx.Err() != nil {
			return false, nil
		}
		if t.job, err = l.begin(t.run); err != nil {
			return false, advise(err)
		}
		if t.job == nil {
			rec, err := l.Folder.Record(t.run)
			l.report(Event{Kind: Skipped, Run: t.run, Iteration: rec.Iteration, Record: rec})
			return false, err
		}
		l.report(Event{Kind: Begun, Run: t.run, Iteration: t.job.record.Iteration, Point: t.job.last, Record: t.job.record})
	}
	j := t.job
	if j.record.Status == Failed { // it could not begin
		l.report(Event{Kind: Ended, Run: t.run, Record: j.record})
		j.close()
		return false, nil
	}
	ended, err := j.advance(ctx, func() {
		if now := time.Now(); now.Sub(t.shown) > 100*time.Millisecond {
			t.shown = now
			l.report(Event{Kind: Advanced, Run: t.run, Iteration: j.training.Iteration(), Point: j.last})
		}
	})
	switch {
	case err != nil:
		j.close()
		if !errors.Is(err, context.Cause(ctx)) {
			err = fmt.Errorf("run %s (%s, seed %d): %w", t.run.ID, t.run.Protocols(), t.run.Config.Seed, advise(err))
		}
		return false, err
	case ended:
		rec := j.record
		l.report(Event{Kind: Ended, Run: t.run, Iteration: rec.Iteration, Point: j.last, Record: rec})
		j.close()
		return false, nil
	}
	l.report(Event{Kind: Measured, Run: t.run, Iteration: j.training.Iteration(), Point: j.last})
	return true, nil
}

// advise adds to an error of the disk what to do about it.
func advise(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: nothing finished is lost: make room, and the same command continues", err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: the results folder cannot be written: make it writable, or choose another", err)
	}
	return err
}

func (l *Lab) report(e Event) {
	if l.Report == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Report(e)
}

// A task is a run that waits for its turn, begun or not.
type task struct {
	run   *Run
	job   *job
	shown time.Time // when its progress was last reported
}

// A queue hands out tasks in turn. The next group enters when none of the last
// waits any more, so that about one group at a time is in memory.
type queue struct {
	mu      sync.Mutex
	changed sync.Cond
	waiting []*task
	busy    int
	groups  []Group
	stopped bool
	held    error // names the holder of a run that another process makes
	err     error
}

// next returns the task whose turn it is, nil when there is nothing left to do.
func (q *queue) next() *task {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if len(q.waiting) == 0 && len(q.groups) > 0 && !q.stopped {
			for _, r := range q.groups[0] {
				q.waiting = append(q.waiting, &task{run: r})
			}
			q.groups = q.groups[1:]
		}
		if len(q.waiting) > 0 {
			t := q.waiting[0]
			q.waiting = q.waiting[1:]
			q.busy++
			return t
		}
		if q.busy == 0 {
			q.changed.Broadcast()
			return nil
		}
		q.changed.Wait()
	}
}

// done gives a task back, to wait for its next turn if there is more to do.
func (q *queue) done(t *task, again bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy--
	if again {
		q.waiting = append(q.waiting, t)
	}
	q.changed.Broadcast()
}

func (q *queue) hold(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held = err
}

func (q *queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil { // a full disk fails all runs alike
		q.err = err
	}
}

// stop lets no further group in.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	q.changed.Broadcast()
}
