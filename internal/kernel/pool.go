package kernel

import (
	"runtime"
	"sync/atomic"
)

// A Pool is a set of persistent workers that divide an index range among them.
// The division depends on the range and the number of threads only, never on
// which worker is faster, so that what each index computes is reproducible. The
// zero value, like a pool of one thread, runs everything on the caller.
//
// A training iteration calls Run some hundred times, microseconds apart. A worker
// therefore looks for the next call for a while before it goes to sleep.
type Pool struct {
	workers []*worker
}

// A worker waits for its part of a range.
type worker struct {
	lo, hi, id int
	f          func(i, worker int)
	state      atomic.Uint32
	wake       chan struct{}
	_          [64]byte // the next worker's state has a cache line of its own
}

// The states of a worker. The caller sets busy and closed, the worker the others.
const (
	idle   = iota // looking for work
	asleep        // waiting for wake
	busy
	closed
)

// patience is how many times a worker looks before it sleeps: some 50 microseconds.
const patience = 1 << 14

// NewPool starts threads-1 workers; the caller of Run is the remaining one.
// Fewer than one thread counts as one.
func NewPool(threads int) *Pool {
	p := &Pool{}
	for id := 1; id < threads; id++ {
		w := &worker{id: id, wake: make(chan struct{}, 1)}
		p.workers = append(p.workers, w)
		go w.loop()
	}
	return p
}

func (w *worker) loop() {
	for {
		for n := 0; w.state.Load() == idle; n++ {
			if n == patience && w.state.CompareAndSwap(idle, asleep) {
				<-w.wake
			}
		}
		if w.state.Load() == closed {
			return
		}
		for i := w.lo; i < w.hi; i++ {
			w.f(i, w.id)
		}
		w.state.Store(idle)
	}
}

// start hands over a new state.
func (w *worker) start(state uint32) {
	if w.state.Swap(state) == asleep {
		w.wake <- struct{}{}
	}
}

// Close ends the workers. The pool must not be used afterwards.
func (p *Pool) Close() {
	for _, w := range p.workers {
		w.start(closed)
	}
	p.workers = nil
}

// Threads returns the number of threads, at least 1.
func (p *Pool) Threads() int { return 1 + len(p.workers) }

// Run calls f(i, worker) for every i in [0, n) and returns when all are done.
// Each worker takes one contiguous range; worker is in [0, Threads). Only one
// Run may be under way at a time. It allocates nothing if f is a stored value.
func (p *Pool) Run(n int, f func(i, worker int)) {
	threads := min(p.Threads(), n)
	if threads == 0 {
		return
	}
	for _, w := range p.workers[:threads-1] {
		w.lo, w.hi, w.f = w.id*n/threads, (w.id+1)*n/threads, f
		w.start(busy)
	}
	for i := range n / threads {
		f(i, 0)
	}
	for _, w := range p.workers[:threads-1] {
		for n := 1; w.state.Load() == busy; n++ {
			if n%patience == 0 {
				runtime.Gosched() // it may wait for this processor
			}
		}
	}
}
