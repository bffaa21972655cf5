package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"swapmc/internal/lab"
)

// bars shows, on a terminal, one bar for each run that is being made and one
// below them for all.
type bars struct {
	progress     *mpb.Progress
	ledger       *ledger
	all          *mpb.Bar
	counts, left label
	runs         map[string]*runBar
	most         int // bars of runs at once
}

type runBar struct {
	*mpb.Bar
	loss label
}

// A label is a text beside a bar. The terminal is drawn by a goroutine of its
// own.
type label struct{ text atomic.Pointer[string] }

func (l *label) set(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	l.text.Store(&s)
}

func (l *label) decorator(c ...decor.WC) decor.Decorator {
	return decor.Any(func(decor.Statistics) string {
		if s := l.text.Load(); s != nil {
			return *s
		}
		return ""
	}, c...)
}

func newBars(w io.Writer, l *ledger, most int) *bars {
	b := &bars{
		progress: mpb.New(mpb.WithOutput(w), mpb.WithRefreshRate(150*time.Millisecond), mpb.WithWidth(80)),
		ledger:   l,
		runs:     map[string]*runBar{},
		most:     most,
	}
	b.counts.set("0 of %d runs", l.runs)
	b.all = b.progress.AddBar(max(1, l.total),
		mpb.BarPriority(1<<20), // below the runs
		mpb.PrependDecorators(b.counts.decorator(decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), b.left.decorator()),
	)
	return b
}

func (b *bars) report(e lab.Event) {
	b.ledger.see(e)
	for _, note := range warnings(e) {
		fmt.Fprintln(b.progress, note)
	}
	b.counts.set("%d of %d runs", b.ledger.ended, b.ledger.runs)
	if d := b.ledger.remaining(); d > 0 {
		b.left.set("  %v left", d)
	}
	if e.Kind == lab.Waiting {
		b.left.set("  waiting for another process")
		return
	}
	b.all.SetCurrent(b.ledger.done + b.ledger.left)
	switch e.Kind {
	case lab.Begun:
		b.add(e)
	case lab.Ended:
		if bar := b.runs[e.Run.ID]; bar != nil {
			bar.Abort(true)
			delete(b.runs, e.Run.ID)
		}
		if e.Record.Status != lab.Done {
			fmt.Fprintln(b.progress, outcome(e))
		}
		return
	}
	if bar := b.runs[e.Run.ID]; bar != nil {
		bar.SetCurrent(int64(e.Iteration))
		bar.loss.set("  loss %.4f", e.Point.TrainLoss)
	}
}

// add adds a bar for a run, where the terminal has room.
func (b *bars) add(e lab.Event) {
	if len(b.runs) >= b.most {
		return
	}
	bar := &runBar{}
	bar.Bar = b.progress.AddBar(int64(e.Run.Config.Iterations),
		mpb.PrependDecorators(decor.Name(short(runName(e.Run), 48), decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), bar.loss.decorator()),
	)
	b.runs[e.Run.ID] = bar
}

func (b *bars) close() {
	for _, bar := range b.runs {
		bar.Abort(true)
	}
	b.all.Abort(false) // nothing where it is complete
	b.progress.Wait()
}

// short cuts the middle out of a text that is too long.
func short(text string, width int) string {
	r := []rune(text)
	if len(r) <= width {
		return text
	}
	tail := width / 3
	return string(r[:width-tail-1]) + "…" + string(r[len(r)-tail:])
}
