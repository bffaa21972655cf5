package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// crowd is particles of random places and diameters, with a sorted list of all others
// for the first.
func crowd(r *rand.Rand, n int) ([]Particle, []Neighbour) {
	particles := make([]Particle, n)
	list := make([]Neighbour, 0, n+8)
	for i := range particles {
		for k := range 3 {
			particles[i].X[k] = int64(r.Uint64())
		}
		particles[i].S = 0.7 + r.Float64()
		if i > 0 {
			list = append(list, Near(i, r.Float32()))
		}
	}
	slices.Sort(list)
	// What lies behind a list is of no account.
	for i := range cap(list) - len(list) {
		list[:cap(list)][len(list)+i] = 0
	}
	return particles, list
}

func TestPairsMatchGo(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	if active.pairs == nil {
		t.Skip("no assembly for pairs on", active.name)
	}
	const x = 1.25
	for trial := range 3000 {
		n := 2 + trial%70
		particles, list := crowd(r, n)
		side := math.Cbrt(float64(n))
		unit := math.Ldexp(side, -64)
		p := &Pairs{Cut: x * x, Epsilon: 0.2, C0: -28 / math.Pow(x, 12), C2: 48 / math.Pow(x, 14), C4: -21 / math.Pow(x, 16), Unit2: unit * unit}
		to := particles[0].X
		to[trial%3] += int64(r.Uint64() >> 5)
		reach := float32(r.Float64() * 1.1)
		except := r.IntN(n+1) - 1
		before, after := p.Change(particles, list, reach, 0, &to, 1.1, except)
		b, a := p.change(particles, list, reach, 0, &to, 1.1, except)
		if math.Abs(before-b) > 1e-13*math.Abs(b)+1e-12 || math.Abs(after-a) > 1e-13*math.Abs(a)+1e-12 {
			t.Fatalf("%d neighbours, reach %g, except %d: %g, %g; want %g, %g", n-1, reach, except, before, after, b, a)
		}
	}
}

func TestPairsAtOnePlaceAreInfinite(t *testing.T) {
	particles := []Particle{{S: 1}, {S: 1}}
	p := &Pairs{Cut: 1, Unit2: 1}
	list := append(make([]Neighbour, 0, 16), Near(1, 0))
	to := [3]int64{0: 1 << 62}
	before, after := p.Change(particles, list, 1, 0, &to, 1, -1)
	if !(math.IsInf(before, 1) || math.IsNaN(before)) || after != 0 {
		t.Errorf("%g, %g: want infinity or NaN, and 0", before, after)
	}
}
