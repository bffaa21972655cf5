package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestWithin(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	none, some := 0, 0
	for n := range 300 {
		room := (n + 7) &^ 7
		columns := make([]int32, 4*room)
		for i := range columns {
			columns[i] = int32(r.Uint32()) // also where there are no places
		}
		var of, butOf [3]int32
		for k := range of {
			of[k], butOf[k] = int32(r.Uint32()), int32(r.Uint32())
		}
		squared := func(k int, of *[3]int32) float64 {
			sum := 0.0
			for c := range of {
				d := float64(columns[c*room+k] - of[c]) // wraps around as the box does
				sum += d * d
			}
			return sum
		}
		in, out := float32(math.Ldexp(0.3+r.Float64(), 62)), float32(math.Ldexp(0.3+r.Float64(), 62))
		if n%5 == 0 {
			out = -1
		}
		found := make([]int32, 2, 2+r.IntN(n+1))
		found[0], found[1] = -5, -6
		if n%3 == 0 {
			found = slices.Grow(found, n+4)
		}
		guard := found[:cap(found)]
		for i := 2; i < len(guard); i++ {
			guard[i] = 99
		}
		got := Within(columns, n, &of, &butOf, in, out, found)
		if got[0] != -5 || got[1] != -6 {
			t.Fatalf("n = %d: what was there is %v", n, got[:2])
		}
		if &got[0] == &guard[0] {
			for i := 2 + n; i < len(guard); i++ {
				if guard[i] != 99 {
					t.Fatalf("n = %d: wrote number %d behind", n, i-n-1)
				}
			}
		}
		got = got[2:]
		for k := range n {
			a, b := squared(k, &of), squared(k, &butOf)
			if math.Abs(a/float64(in)-1) < 1e-6 || math.Abs(b/float64(out)-1) < 1e-6 {
				continue // either is right
			}
			number := columns[3*room+k]
			want := a < float64(in) && !(b < float64(out))
			if slices.Contains(got, number) != want {
				t.Fatalf("n = %d, place %d: %v, want %v", n, k, !want, want)
			}
			if want {
				some++
			} else {
				none++
			}
		}
		if len(got) > n {
			t.Fatalf("n = %d: %d found", n, len(got))
		}
	}
	if some < 1000 || none < 1000 {
		t.Errorf("%d within, %d not: want many of both", some, none)
	}
}
