package kernel

import "sync"

// A Pool is a set of persistent workers that divide an index range among them.
// The division depends on the range and the number of threads only, never on
// which worker is faster, so that what each index computes is reproducible. The
// zero value, like a pool of one thread, runs everything on the caller.
type Pool struct {
	threads int
	jobs    []chan job
	done    sync.WaitGroup
}

type job struct {
	lo, hi int
	f      func(i, worker int)
}

// NewPool starts threads-1 workers; the caller of Run is the remaining one.
// Fewer than one thread counts as one.
func NewPool(threads int) *Pool {
	p := &Pool{threads: max(1, threads)}
	for w := 1; w < p.threads; w++ {
		jobs := make(chan job)
		p.jobs = append(p.jobs, jobs)
		go func() {
			for j := range jobs {
				for i := j.lo; i < j.hi; i++ {
					j.f(i, w)
				}
				p.done.Done()
			}
		}()
	}
	return p
}

// Close ends the workers. The pool must not be used afterwards.
func (p *Pool) Close() {
	for _, jobs := range p.jobs {
		close(jobs)
	}
	p.jobs, p.threads = nil, 1
}

// Threads returns the number of threads, at least 1.
func (p *Pool) Threads() int { return max(1, p.threads) }

// Run calls f(i, worker) for every i in [0, n) and returns when all are done.
// Each worker takes one contiguous range; worker is in [0, Threads). Only one
// Run may be under way at a time. It allocates nothing if f is a stored value.
func (p *Pool) Run(n int, f func(i, worker int)) {
	threads := min(p.Threads(), n)
	for w := 1; w < threads; w++ {
		p.done.Add(1)
		p.jobs[w-1] <- job{w * n / threads, (w + 1) * n / threads, f}
	}
	if threads == 0 {
		return
	}
	for i := range n / threads {
		f(i, 0)
	}
	p.done.Wait()
}
