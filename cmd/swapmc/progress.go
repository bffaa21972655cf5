package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"swapmc/internal/lab"
)

// A display shows what a lab reports.
type display interface {
	report(lab.Event)
	close()
}

// newDisplay chooses how runs are shown: bars on a terminal, lines elsewhere,
// nothing but faults where quiet.
func newDisplay(w io.Writer, plan []lab.Group, quiet bool) display {
	l := newLedger(plan)
	if quiet {
		return &quietDisplay{w}
	}
	if height, ok := terminalHeight(w); ok {
		return newBars(w, l, max(1, height-4))
	}
	return &lines{w: w, ledger: l, shown: time.Now()}
}

// terminalHeight tells whether w is a terminal, and its height.
func terminalHeight(w io.Writer) (int, bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return 0, false
	}
	_, height, err := term.GetSize(int(f.Fd()))
	return height, err == nil
}

// A ledger adds up iterations over all runs.
type ledger struct {
	runs, ended  int
	total, done  int64
	at           map[string]int // iteration of each run
	began        time.Time
	before, left int64 // iterations that were done before; that will not be needed
}

func newLedger(plan []lab.Group) *ledger {
	l := &ledger{at: map[string]int{}, began: time.Now()}
	for _, g := range plan {
		for _, r := range g {
			l.runs++
			l.total += int64(r.Config.Iterations)
		}
	}
	return l
}

// see takes over an event, and keeps done at what all runs have come to.
func (l *ledger) see(e lab.Event) {
	if e.Run == nil {
		return
	}
	step := int64(e.Iteration - l.at[e.Run.ID])
	l.at[e.Run.ID] = e.Iteration
	l.done += step
	switch e.Kind {
	case lab.Skipped, lab.Begun:
		l.before += step
	}
	if e.Kind == lab.Skipped || e.Kind == lab.Ended { // one that diverged needs no more
		l.ended++
		l.left += int64(e.Run.Config.Iterations - e.Iteration)
	}
}

// remaining estimates the time left; 0 where nothing is known.
func (l *ledger) remaining() time.Duration {
	worked := l.done - l.before
	if worked <= 0 {
		return 0
	}
	todo := l.total - l.done - l.left
	return time.Duration(float64(time.Since(l.began)) / float64(worked) * float64(todo)).Round(time.Second)
}

// runName names a run for people.
func runName(r *lab.Run) string {
	name := fmt.Sprintf("%s, seed %d", r.Protocols(), r.Config.Seed)
	if r.Label != "" {
		name += ", " + r.Label
	}
	return name
}

// outcome tells in one line how a run ended.
func outcome(e lab.Event) string {
	rec := e.Record
	text := fmt.Sprintf("%s: ", runName(e.Run))
	switch rec.Status {
	case lab.Done:
		text += fmt.Sprintf("%d iterations in %s", rec.Iteration, seconds(rec.Seconds))
	default:
		text += fmt.Sprintf("%s: %s", rec.Status, rec.Reason)
	}
	if f := rec.Final; f != nil && f.TrainLoss != nil && rec.Status == lab.Done {
		text += fmt.Sprintf(", training loss %.4f, test accuracy %.1f%%", *f.TrainLoss, 100*f.TestAccuracy)
	}
	return text
}

func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d < time.Minute {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// warnings are the notes of a record that were just made.
func warnings(e lab.Event) []string {
	if e.Kind != lab.Begun {
		return nil
	}
	var list []string
	for _, note := range e.Record.Notes {
		list = append(list, fmt.Sprintf("note: %s: %s", runName(e.Run), note))
	}
	return list
}

// quietDisplay shows only what went wrong.
type quietDisplay struct{ w io.Writer }

func (d *quietDisplay) report(e lab.Event) {
	for _, note := range warnings(e) {
		fmt.Fprintln(d.w, note)
	}
	if e.Kind == lab.Ended && e.Record.Status != lab.Done {
		fmt.Fprintln(d.w, outcome(e))
	}
}

func (d *quietDisplay) close() {}

// lines shows one line for each run that ends, and now and then one for all.
type lines struct {
	w       io.Writer
	ledger  *ledger
	shown   time.Time
	skipped int
}

func (d *lines) report(e lab.Event) {
	d.ledger.see(e)
	for _, note := range warnings(e) {
		fmt.Fprintln(d.w, note)
	}
	switch e.Kind {
	case lab.Skipped:
		d.skipped++
		return
	case lab.Waiting:
		fmt.Fprintf(d.w, "waiting for another process: %s\n", e.Held)
		return
	}
	if d.skipped > 0 {
		fmt.Fprintf(d.w, "%d of %d runs are there already\n", d.skipped, d.ledger.runs)
		d.skipped = 0
	}
	switch {
	case e.Kind == lab.Ended:
		fmt.Fprintf(d.w, "[%d/%d] %s\n", d.ledger.ended, d.ledger.runs, outcome(e))
		d.shown = time.Now()
	case time.Since(d.shown) > 20*time.Second:
		d.shown = time.Now()
		fmt.Fprintf(d.w, "%.0f%%, about %v left\n", 100*float64(d.ledger.done+d.ledger.left)/float64(d.ledger.total), d.ledger.remaining())
	}
}

func (d *lines) close() {
	if d.skipped > 0 {
		fmt.Fprintf(d.w, "all %d runs are there already\n", d.skipped)
	}
}
