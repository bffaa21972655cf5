package glass

import (
	"math"
	"testing"
)

// After many moves each list names every particle that may come near, once, in the shell where it belongs, and
// behind it there is nobody.
func TestListsAreComplete(t *testing.T) {
	for _, o := range liquids {
		o.Moves = []Weighted{{Move: &Swap{}, P: 0.2}}
		for _, domains := range []int{0, 2} {
			s := system(t, o)
			cut(s, domains)
			s.Run(100)
			checkLists(t, s)
		}
	}
}

func checkLists(t *testing.T, s *System) {
	t.Helper()
	l, model := &s.lists, s.Model.Name
	for i := range s.particles {
		list := l.entries[i*l.stride:][:l.stride]
		in := map[int32]int{}
		at := 0
		for c, end := range l.heads[i].ends {
			for ; at < int(end); at++ {
				if _, again := in[list[at]]; again {
					t.Fatalf("%s in %d dimensions: list %d names %d twice", model, s.dim, i, list[at])
				}
				in[list[at]] = c
			}
		}
		for ; at < l.stride; at++ {
			if list[at] != l.nobody() {
				t.Fatalf("%s in %d dimensions: entry %d of list %d is %d, behind its end", model, s.dim, at, i, list[at])
			}
		}
		near := map[int32]bool{}
		for _, e := range s.near(i, i) {
			near[e] = true
		}
		// So do those to which i may be tried to move.
		h := &l.heads[i]
		for range 20 {
			x := h.origin
			for d := range s.dim {
				x[d] += s.fixed((2*s.own.uniform() - 1) * l.skin)
			}
			far := gap(&x, &h.origin)
			if far > l.reach[h.class] {
				continue
			}
			tried := map[int32]bool{}
			for _, e := range l.read(i, i, l.bin(far)) {
				tried[e] = true
			}
			for k := range s.particles {
				if b := &s.particles[k]; k != i && !tried[int32(k)] && s.pair(&x, &b.X, s.particles[i].S, b.S) != 0 {
					t.Fatalf("%s in %d dimensions: at a distance of %.3g from its origin %d interacts with %d, and reads nothing of it", model, s.dim, math.Sqrt(float64(far))*s.unit, i, k)
				}
			}
		}
		for k := range s.particles {
			want := l.shell(s.apart(&l.heads[i].origin, &l.heads[k].origin))
			if c, ok := in[int32(k)]; k != i && want < shells && c != want || ok && (k == i || want == shells) {
				t.Fatalf("%s in %d dimensions: list %d has %d in shell %d (%t), want %d", model, s.dim, i, k, c, ok, want)
			}
			if a, b := &s.particles[i], &s.particles[k]; k != i && !near[int32(k)] && s.pair(&a.X, &b.X, a.S, b.S) != 0 {
				t.Fatalf("%s in %d dimensions: %d and %d interact, and one is not near the other", model, s.dim, i, k)
			}
		}
	}
}
