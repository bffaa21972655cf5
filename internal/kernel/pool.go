package kernel

import (
	"runtime"
	"sync/atomic"
)

// A Pool is a set of persistent workers that divide an index range among them. Each
// begins with a part that depends on the range and the number of threads only, so that
// it finds in its cache what it has left there, and takes what others have not begun
// when it is through: a processor that is busy with something else for a while holds up
// the rest less. What an index computes must not depend on the worker. The zero value, like
// a pool of one thread, runs everything on the caller.
//
// A training iteration calls Run some hundred times, microseconds apart. A worker
// therefore looks for the next call for a while before it goes to sleep: to be woken takes as long
// as a small layer.
type Pool struct {
	workers []*worker
	parts   []part // one a thread
	threads int    // at work
	back    bool   // from the high end of each part to the low one
	f       func(i, worker int)
	looks   int // of a worker before it sleeps, and of the caller before it lets others run
}

// A part of a range is what is left of it, from the low half to before the high half.
type part struct {
	left atomic.Uint64
	_    [120]byte // the next one has cache lines of its own
}

func (p *part) set(lo, hi int) { p.left.Store(uint64(hi)<<32 | uint64(lo)) }

// take takes the last index that is left, or the first.
func (p *part) take(last bool) (i int, ok bool) {
	for {
		left := p.left.Load()
		lo, hi := left&(1<<32-1), left>>32
		if lo >= hi {
			return 0, false
		}
		next, i := left+1, lo
		if last {
			next, i = left-1<<32, hi-1
		}
		if p.left.CompareAndSwap(left, next) {
			return int(i), true
		}
	}
}

// A worker is all threads but the caller's.
type worker struct {
	id    int
	state atomic.Uint32
	wake  chan struct{}
	_     [64]byte // the next worker's state has a cache line of its own
}

// The states of a worker. The caller sets busy and closed, the worker the others.
const (
	idle   = iota // looking for work
	asleep        // waiting for wake
	busy
	closed
)

const (
	patience = 1 << 18 // looks: some 150 microseconds
	hurry    = 1 << 10 // where threads outnumber processors, and to look may keep from work what is looked for
)

// NewPool starts threads-1 workers; the caller of Run is the remaining one.
// Fewer than one thread counts as one.
func NewPool(threads int) *Pool {
	p := &Pool{parts: make([]part, max(1, threads)), looks: patience}
	if threads > runtime.GOMAXPROCS(0) {
		p.looks = hurry
	}
	for id := 1; id < threads; id++ {
		w := &worker{id: id, wake: make(chan struct{}, 1)}
		p.workers = append(p.workers, w)
		go w.loop(p)
	}
	return p
}

func (w *worker) loop(p *Pool) {
	for {
		for n := 1; w.state.Load() == idle; n++ {
			if n == p.looks && w.state.CompareAndSwap(idle, asleep) {
				<-w.wake
			}
		}
		if w.state.Load() == closed {
			return
		}
		p.work(w.id)
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

// Run calls f(i, worker) for every i in [0, n) and returns when all are done; worker
// is in [0, Threads). Only one Run may be under way at a time. It allocates nothing if f
// is a stored value.
func (p *Pool) Run(n int, f func(i, worker int)) { p.run(n, f, false) }

// RunBack is Run with each worker's part from its end to its beginning. After a Run over the same data it
// begins with what has been used last, and may still be in a cache.
func (p *Pool) RunBack(n int, f func(i, worker int)) { p.run(n, f, true) }

func (p *Pool) run(n int, f func(i, worker int), back bool) {
	p.threads = min(p.Threads(), n)
	if p.threads <= 1 {
		for i := range n {
			if back {
				i = n - 1 - i
			}
			f(i, 0)
		}
		return
	}
	p.f, p.back = f, back
	for id := range p.threads {
		p.parts[id].set(id*n/p.threads, (id+1)*n/p.threads)
	}
	for _, w := range p.workers[:p.threads-1] {
		w.start(busy)
	}
	p.work(0)
	for _, w := range p.workers[:p.threads-1] {
		for n := 1; w.state.Load() == busy; n++ {
			if n%p.looks == 0 {
				runtime.Gosched() // it may wait for this processor
			}
		}
	}
}

// work does a thread's part of a range, and then from the other end what is left of others.
func (p *Pool) work(id int) {
	for k := range p.threads {
		from, last := &p.parts[(id+k)%p.threads], (k > 0) != p.back
		for i, ok := from.take(last); ok; i, ok = from.take(last) {
			p.f(i, id)
		}
	}
}
