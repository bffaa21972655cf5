package glass

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever is put in and taken out, what lies within a distance is found, and nothing else, also where
// all crowd into a few cubes and these need more room.
func TestCellsFindWhatIsWithin(t *testing.T) {
	const n, reach, side = 400, 1.7, 10.0
	unit := math.Ldexp(side, -32)
	squared := func(a, b *[3]int32) float64 {
		sum := 0.0
		for k := range a {
			d := float64(a[k]-b[k]) * unit // wraps around as the box does
			sum += d * d
		}
		return sum
	}
	for dim := 2; dim <= 3; dim++ {
		r := rand.New(rand.NewPCG(3, uint64(dim)))
		c := newCells(n, dim, side, reach)
		if c.across < 3 {
			t.Fatalf("%d cubes along an axis: nothing is tested", c.across)
		}
		room, w := c.room, &worker{}
		var places [n][3]int32
		put := func(i int, crowded bool) {
			places[i] = [3]int32{}
			for k := range dim {
				places[i][k] = int32(r.Uint32())
				if crowded {
					places[i][k] >>= 4
				}
			}
			c.insert(w, i, &places[i])
		}
		for i := range n {
			put(i, i%2 == 0)
		}
		var found []int32
		for turn := range 3000 {
			i := r.IntN(n)
			c.remove(i)
			put(i, turn > 1500)
			of, butOf := &places[r.IntN(n)], &places[r.IntN(n)]
			in, out := reach*reach, -1.0
			if turn%2 == 0 {
				out = in
			}
			found = c.within(of, butOf, in/(unit*unit), out/(unit*unit), found[:0])
			slices.Sort(found)
			if len(slices.Compact(slices.Clone(found))) != len(found) {
				t.Fatalf("turn %d: some are found twice: %v", turn, found)
			}
			for k := range n {
				a, b := squared(&places[k], of), squared(&places[k], butOf)
				_, is := slices.BinarySearch(found, int32(k))
				if clear := math.Abs(a/in-1) > 1e-4 && math.Abs(b/in-1) > 1e-4; clear && is != (a < in && b >= out) {
					t.Fatalf("turn %d: %d, at squared distances of %.4f and %.4f: found %v, limits %.4f and %.4f", turn, k, a, b, is, in, out)
				}
			}
		}
		if c.room == room {
			t.Errorf("%d dimensions: room for %d in a cube from first to last: no growth is tested", dim, room)
		}
		sum := int32(0)
		for _, k := range c.count {
			sum += k
		}
		if sum != n {
			t.Errorf("%d dimensions: %d places; want %d", dim, sum, n)
		}
	}
}
