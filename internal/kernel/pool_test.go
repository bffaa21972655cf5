package kernel

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// Every index runs once, on one of the workers.
func TestPool(t *testing.T) {
	for _, threads := range []int{-1, 0, 1, 2, 3, 8} {
		p := NewPool(threads)
		want := max(1, threads)
		if p.Threads() != want {
			t.Errorf("NewPool(%d) has %d threads, want %d", threads, p.Threads(), want)
		}
		for _, n := range []int{0, 1, 2, 5, 8, 100} {
			for k := range 40 {
				back := k%2 == 1
				runs, by := make([]int, n), make([]int, n)
				run := p.Run
				if back {
					run = p.RunBack
				}
				run(n, func(i, worker int) {
					runs[i]++
					by[i] = worker
				})
				for i := range n {
					if runs[i] != 1 {
						t.Errorf("%d threads: index %d of %d ran %d times", threads, i, n, runs[i])
					}
					if by[i] < 0 || by[i] >= want {
						t.Errorf("%d threads: index %d of %d ran on worker %d", threads, i, n, by[i])
					}
				}
			}
		}
		p.Close()
	}
}

// RunBack goes through the same parts as Run, the other way round.
func TestPoolOrder(t *testing.T) {
	for _, threads := range []int{1, 2} {
		p := NewPool(threads)
		n := 4 * threads
		for _, back := range []bool{false, true} {
			run := p.Run
			if back {
				run = p.RunBack
			}
			var begun atomic.Int32
			firsts := make([]int, threads)
			for i := range firsts {
				firsts[i] = -1
			}
			run(n, func(i, worker int) {
				if firsts[worker] >= 0 {
					return
				}
				firsts[worker] = i
				begun.Add(1)
				for begin := time.Now(); begun.Load() < int32(threads); runtime.Gosched() {
					if time.Since(begin) > 10*time.Second {
						t.Errorf("%d threads: only %d have begun", threads, begun.Load())
						return
					}
				}
			})
			for worker, first := range firsts {
				want := 4 * worker
				if back {
					want += 3
				}
				if first != want {
					t.Errorf("%d threads, back %v: worker %d begins with %d, want %d", threads, back, worker, first, want)
				}
			}
		}
		p.Close()
	}
}

// What a worker that is held up in its first index has not begun is done by others.
func TestPoolHeldUp(t *testing.T) {
	for _, threads := range []int{2, 3} {
		p := NewPool(threads)
		const n = 12
		for slow := range threads {
			var others atomic.Int32
			first := slow * n / threads
			p.Run(n, func(i, _ int) {
				if i != first {
					others.Add(1)
					return
				}
				for begin := time.Now(); others.Load() < n-1; runtime.Gosched() {
					if time.Since(begin) > 10*time.Second {
						t.Errorf("%d threads: %d of %d others are done while index %d waits for all", threads, others.Load(), n-1, i)
						return
					}
				}
			})
		}
		p.Close()
	}
}

func TestPoolZeroValue(t *testing.T) {
	var p Pool
	sum := 0
	p.Run(4, func(i, worker int) { sum += i + worker })
	if p.Threads() != 1 || sum != 6 {
		t.Errorf("%d threads, sum %d; want 1 and 6", p.Threads(), sum)
	}
	p.Close()
}

func TestNoAllocation(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	ws := make([]Workspace, 2)
	a, b, c := make([]float32, 40*300), make([]float32, 300*50), make([]float32, 2*40*50)
	f := func(i, worker int) {
		Gemm(true, true, 40, 50, 300, a, 40, b, 300, 0, c[i*40*50:], 50, &ws[worker])
	}
	p.Run(2, f)
	if n := testing.AllocsPerRun(20, func() { p.Run(2, f) }); n != 0 {
		t.Errorf("%v allocations a run, want none", n)
	}
}
