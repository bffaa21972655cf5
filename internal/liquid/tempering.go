package liquid

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"swapmc/glass"
	"swapmc/internal/lab"
)

// A Rung is a run's place among those that exchange configurations.
type Rung struct {
	Every        int       `json:"every"` // sweeps between exchanges
	Temperatures []float64 `json:"temperatures"`
	Number       int       `json:"number"` // of this run, from 0
}

// An Exchanges tells how a rung's configurations were exchanged.
type Exchanges struct {
	Next       *Rate `json:"next,omitempty"` // with the next temperature; nil for the last
	RoundTrips int64 `json:"round_trips"`    // of all configurations between the ends of the ladder
}

// ladders splits a plan into runs that go together: one by one, or a ladder of temperatures.
func ladders(plan []*Run) [][]*Run {
	var all [][]*Run
	at := map[string]int{}
	for _, r := range plan {
		c := r.Config
		if c.Tempering == nil {
			all = append(all, []*Run{r})
			continue
		}
		key := fmt.Sprint(c.Seed, c.Protocol)
		i, ok := at[key]
		if !ok {
			i = len(all)
			at[key] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], r)
	}
	return all
}

// temper makes the runs of a ladder together, each round of sweeps on all cores: parallel
// tempering. It continues them where they were saved, all at the same sweep, in the folder of the
// first.
func (f *Folder) temper(ctx context.Context, rungs []*Run, version string, report func(Event)) ([]*Record, error) {
	if records, err := f.finished(rungs, report); records != nil || err != nil {
		return records, err
	}
	first := rungs[0]
	if err := os.MkdirAll(filepath.Dir(f.file(first, "run.json")), 0o755); err != nil {
		return nil, err
	}
	lock, err := f.locks.Take(f.file(first, "lock"))
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	// Another process may have finished them before it gave the lock back.
	if records, err := f.finished(rungs, report); records != nil || err != nil {
		return records, err
	}
	l, err := f.beginLadder(rungs, version, report)
	if err != nil {
		return nil, err
	}
	for _, j := range l.jobs {
		j.lock = lock
	}
	defer l.close()
	if err := l.run(ctx); err != nil {
		return nil, err
	}
	var records []*Record
	for _, j := range l.jobs {
		records = append(records, j.record)
		report(Event{Run: j.run_, Record: j.record})
	}
	return records, nil
}

// finished returns the records of the rungs if all of them are done, and nil if not.
func (f *Folder) finished(rungs []*Run, report func(Event)) ([]*Record, error) {
	var records []*Record
	for _, r := range rungs {
		rec, err := f.Record(r)
		if errors.Is(err, os.ErrNotExist) || err == nil && rec.Status != lab.Done {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		records = append(records, rec)
	}
	for i, r := range rungs {
		report(Event{Run: r, Record: records[i]})
	}
	return records, nil
}

// A ladder is a tempering that goes on.
type ladder struct {
	folder *Folder
	jobs   []*job
	glass.Tempering
}

// A climb is what a ladder's checkpoint holds.
type climb struct {
	Rungs  []progress
	Ladder glass.TemperingState
}

func (f *Folder) beginLadder(rungs []*Run, version string, report func(Event)) (*ladder, error) {
	l := &ladder{folder: f}
	var saved climb
	path := f.file(rungs[0], "checkpoint")
	text, err := os.ReadFile(path)
	resumed := err == nil
	if resumed {
		if err = load(text, &saved); err == nil && len(saved.Rungs) != len(rungs) {
			err = errors.New("damaged: of another ladder")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w: remove it to begin these runs again", path, err)
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var systems []*glass.System
	for i, r := range rungs {
		if err := os.MkdirAll(filepath.Dir(f.file(r, "run.json")), 0o755); err != nil {
			return nil, err
		}
		var p *progress
		if resumed {
			p = &saved.Rungs[i]
		}
		j, err := f.prepare(r, version, p)
		if err != nil {
			return nil, err
		}
		j.report = report
		l.jobs = append(l.jobs, j)
		systems = append(systems, j.system)
	}
	c := &rungs[0].Config
	t, err := glass.NewTempering(systems, c.Tempering.Every, c.Seed)
	if err != nil {
		return nil, err
	}
	if resumed {
		if err := t.SetState(saved.Ladder); err != nil {
			return nil, fmt.Errorf("%s: %w: remove it to begin these runs again", path, err)
		}
	}
	l.Tempering = *t
	return l, nil
}

func (l *ladder) close() {
	for _, j := range l.jobs {
		if j.frames != nil {
			j.frames.Close()
		}
	}
}

// each calls f for all rungs, on all cores, and returns the first error.
func (l *ladder) each(f func(*job) error) error {
	errs := make([]error, len(l.jobs))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(l.jobs)) {
		workers.Go(func() {
			for i := range next {
				errs[i] = f(l.jobs[i])
			}
		})
	}
	for i := range l.jobs {
		next <- i
	}
	close(next)
	workers.Wait()
	return errors.Join(errs...)
}

// run goes on from where the ladder is to its end.
func (l *ladder) run(ctx context.Context) error {
	c := &l.jobs[0].run_.Config
	saved, told := time.Now(), time.Time{}
	for _, j := range l.jobs {
		j.began = time.Now()
		if err := j.write(lab.Running); err != nil {
			return err
		}
	}
	for {
		j := l.jobs[0]
		equilibrating := j.Equilibrate < c.Equilibrate
		if !equilibrating && j.system.Sweeps() >= int64(c.Sweeps) {
			break
		}
		err := l.each(func(j *job) error {
			if equilibrating {
				return j.equilibrate(c.Tempering.Every)
			}
			for range min(int64(c.Tempering.Every), int64(c.Sweeps)-j.system.Sweeps()) {
				if err := j.measure(j.system.Sweeps()); err != nil {
					return err
				}
				j.system.Run(1)
			}
			return nil
		})
		if err != nil {
			return err
		}
		l.Exchange()
		if equilibrating && j.Equilibrate == c.Equilibrate {
			clear(l.Tallies)
		}
		now := time.Now()
		for _, j := range l.jobs {
			j.clock(now)
		}
		if now.Sub(told) > 200*time.Millisecond {
			told = now
			for _, j := range l.jobs {
				j.tell()
			}
		}
		stop := context.Cause(ctx)
		if stop != nil || now.Sub(saved) > checkpointEvery {
			saved = now
			if err := l.save(); err != nil {
				return err
			}
		}
		if stop != nil {
			return stop
		}
	}
	err := l.each(func(j *job) error { return j.measure(j.system.Sweeps()) })
	if err != nil {
		return err
	}
	if err := l.jobs[0].lock.Held(); err != nil {
		return err
	}
	// The first rung, which has the checkpoint, is the last to be done.
	for i, j := range slices.Backward(l.jobs) {
		j.exchanges = &Exchanges{RoundTrips: l.RoundTrips()}
		if i < len(l.Tallies) {
			r := newRate(l.Tallies[i])
			j.exchanges.Next = &r
		}
		if err := j.finish(); err != nil {
			return err
		}
	}
	return nil
}

// save writes the ladder's checkpoint.
func (l *ladder) save() error {
	if err := l.jobs[0].lock.Held(); err != nil {
		return err
	}
	var c climb
	var err error
	for _, j := range l.jobs {
		if err := j.pack(); err != nil {
			return err
		}
		c.Rungs = append(c.Rungs, j.progress)
	}
	if c.Ladder, err = l.State(); err != nil {
		return err
	}
	if err := writeGob(l.folder.file(l.jobs[0].run_, "checkpoint"), &c); err != nil {
		return err
	}
	for _, j := range l.jobs {
		if err := j.write(lab.Running); err != nil {
			return err
		}
	}
	return nil
}

// seed of a run: the rungs of a ladder draw different random numbers.
func (c *Config) seed() uint64 {
	if c.Tempering == nil {
		return c.Seed
	}
	return c.Seed + uint64(c.Tempering.Number)<<48
}

// checkLadder reports temperatures that are no ladder.
func (s *Spec) checkLadder() error {
	fail := func(format string, args ...any) error {
		return &lab.FieldError{Key: "tempering", Err: fmt.Errorf(format, args...)}
	}
	switch {
	case s.Tempering < 0:
		return fail("%d: want sweeps between exchanges, or 0 for none", s.Tempering)
	case s.Tempering == 0:
		return nil
	case len(s.Temperature) < 2:
		return fail("configurations are exchanged between temperatures: want at least two")
	case !slices.IsSorted(s.Temperature) && !slices.IsSortedFunc(s.Temperature, func(a, b float64) int { return int(math.Copysign(1, b-a)) }):
		return fail("temperatures %v: want them in order", []float64(s.Temperature))
	}
	return nil
}
