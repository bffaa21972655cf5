package nn

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// The sum of all groups has the bits of the binary tree over those that have images, whoever makes which of them, in
// whatever order, and a worker that makes all adds all up on its way.
func TestGroupSums(t *testing.T) {
	const n = 150
	r := rand.New(rand.NewPCG(5, 5))
	for _, groups := range []int{8, 32} {
		for _, batch := range []int{1, 3, 5, 8, 13, 31, 32, 200} {
			for _, workers := range []int{1, 2, 3, 8} {
				t.Run(fmt.Sprint(groups, batch, workers), func(t *testing.T) {
					terms := make([][2][]float32, groups) // of up to two spans
					for g := range terms {
						for k := range terms[g] {
							for range n {
								terms[g][k] = append(terms[g][k], float32(r.NormFloat64()))
							}
						}
					}
					add := func(a, b []float32) []float32 {
						c := slices.Clone(a)
						for i, v := range b {
							c[i] += v
						}
						return c
					}
					atOnce := make([]bool, groups)
					for g := range atOnce {
						atOnce[g] = r.IntN(2) == 0
					}
					var tree func(lo, hi int) []float32
					tree = func(lo, hi int) []float32 {
						if hi == lo+1 {
							switch a, b := part(lo, groups, batch); {
							case a == b:
								return nil
							case atOnce[lo]:
								return terms[lo][0]
							}
							return add(terms[lo][0], terms[lo][1])
						}
						a, b := tree(lo, (lo+hi)/2), tree((lo+hi)/2, hi)
						if a == nil || b == nil {
							return append(a, b...)
						}
						return add(a, b)
					}
					want := tree(0, groups)

					s := newGroupSums(groups, n)
					for range 3 { // nothing is left over
						s.begin()
						order := r.Perm(groups)
						if r.IntN(2) == 0 {
							slices.Sort(order)
						}
						for _, g := range order {
							if a, b := part(g, groups, batch); a == b {
								continue
							}
							p := span{group: g, worker: r.IntN(workers), first: true, last: atOnce[g]}
							if r.IntN(2) == 0 {
								p.worker = g * workers / groups
							}
							for k := range 2 {
								if k > 0 && atOnce[g] {
									break
								}
								sums := s.of(p, atOnce[g])
								for i, v := range terms[g][k] {
									sums[i] += v
								}
								s.done(p, batch)
								p.first, p.last = false, true
							}
						}
						if workers == 1 && s.tree[len(s.tree)-1][0].by.Load() != 1 {
							t.Error("one worker leaves something to add up")
						}
						got := slices.Concat(s.total(0, 1), s.total(1, 140), s.total(140, n))
						if !slices.Equal(got, want) {
							t.Fatalf("%v, want %v", got[:3], want[:3])
						}
					}
				})
			}
		}
	}
}
