package nn

import (
	"math/rand/v2"
	"testing"
)

// The pieces of all threads are the whole matrix, every entry once; a thread's pieces with the same inputs follow one
// another, each has at most so many units and inputs, and starts of inputs are those of strips.
func TestShare(t *testing.T) {
	r := rand.New(rand.NewPCG(43, 1))
	for range 300 {
		threads, units, inputs := 1+r.IntN(20), 1+r.IntN(700), 1+r.IntN(900)
		s := newShare(threads, units, inputs)
		seen := make([]int, units*inputs)
		perThread := s.pieces()
		for id := range threads {
			last, done := -1, map[int]bool{}
			for i := id * perThread; i < (id+1)*perThread; i++ {
				p := s.piece(i)
				if p.hi-p.lo > atATime || p.end-p.first > together || p.first%64 != 0 {
					t.Fatalf("%+v: piece %+v", s, p)
				}
				if p.lo >= p.hi || p.first >= p.end {
					continue
				}
				if p.first != last {
					if done[p.first] {
						t.Fatalf("%+v: thread %d comes back to inputs from %d on", s, id, p.first)
					}
					last, done[p.first] = p.first, true
				}
				for u := p.lo; u < p.hi; u++ {
					for k := p.first; k < p.end; k++ {
						seen[u*inputs+k]++
					}
				}
			}
		}
		for i, n := range seen {
			if n != 1 {
				t.Fatalf("%+v: unit %d, input %d: %d times", s, i/inputs, i%inputs, n)
			}
		}
	}
	for _, at := range []struct{ threads, units, across int }{
		{1, 512, 1}, {2, 512, 2}, {4, 512, 4}, {8, 512, 4}, {3, 512, 3}, {7, 512, 1}, {2, 10, 1}, {2, 256, 2}, {2, 255, 1},
	} {
		if s := newShare(at.threads, at.units, 3072); s.across != at.across {
			t.Errorf("%d units are divided among %d of %d threads, want %d", at.units, s.across, at.threads, at.across)
		}
	}
}
