package nn

import (
	"fmt"
	"slices"
	"testing"
)

// The spans of a chain are all images, and what a thread fetches is what comes next in its own part.
func TestSpans(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8, 11} {
		for _, batch := range []int{1, 7, 8, 32, 33, 130} {
			for _, back := range []bool{false, true} {
				t.Run(fmt.Sprint(threads, batch, back), func(t *testing.T) {
					e := newEngine(threads, batch)
					e.batch = batch
					defer e.pool.Close()
					c := &chain{engine: e, images: 3}
					var images []int
					for worker, n := 0, min(e.groups, threads); worker < n; worker++ {
						var own []span
						parts := make([]int, 0, e.groups)
						for g := worker * e.groups / n; g < (worker+1)*e.groups/n; g++ {
							parts = append(parts, g)
						}
						if back {
							slices.Reverse(parts)
						}
						for _, g := range parts {
							for s, ok := c.span(g, worker, back); ok; s, ok = c.next(s, back) {
								own = append(own, s)
								if _, more := c.next(s, back); s.last == more {
									t.Errorf("%v: last is %v, and there are more: %v", s, s.last, more)
								}
								if s.hi-s.lo > c.images {
									t.Errorf("%v has more than %d images", s, c.images)
								}
								for k := s.lo; k < s.hi; k++ {
									images = append(images, k)
								}
							}
						}
						for i, s := range own {
							next, more := c.upcoming(s, back)
							if i == len(own)-1 {
								if more || next != s {
									t.Errorf("after the last span, %v, comes %v", s, next)
								}
							} else if !more || next != own[i+1] {
								t.Errorf("after %v comes %v, %v: want %v", s, next, more, own[i+1])
							}
						}
					}
					slices.Sort(images)
					for i, k := range images {
						if k != i || len(images) != batch {
							t.Fatalf("images %v: want each of %d once", images, batch)
						}
					}
				})
			}
		}
	}
}

// Each group has four images or more, if that makes eight groups; 32 are enough.
func TestGroups(t *testing.T) {
	for batch, want := range map[int]int{1: 8, 32: 8, 63: 8, 64: 16, 127: 16, 128: 32, 1000: 32} {
		if got := groupsOf(batch); got != want {
			t.Errorf("%d images are %d groups: want %d", batch, got, want)
		}
		in := Shape{1, 8, 8}
		for text, threads := range map[string]int{"conv 2 3x3, linear classes": min(20, want), "linear 3, linear classes": 20} {
			n := build(t, text, Options{Input: in, Classes: 2, Batch: batch, Threads: 20})
			if got := n.engine.pool.Threads(); got != threads {
				t.Errorf("%s, %d images: %d threads of 20, want %d", text, batch, got, threads)
			}
		}
	}
}
