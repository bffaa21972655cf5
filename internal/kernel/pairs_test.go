package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// crowd is particles of random places and diameters, with a list of all others for
// the first.
func crowd(r *rand.Rand, n int) ([]Particle, []int32) {
	particles := make([]Particle, n)
	list := make([]int32, (n+15)&^15) // what lies behind a list is of no account
	for i := range particles {
		for k := range 3 {
			particles[i].X[k] = int32(r.Uint32())
		}
		particles[i].S = 0.7 + r.Float32()
		if i > 0 {
			list[i-1] = int32(i)
		}
	}
	return particles, list[:n-1]
}

// exact is the energy of a pair in double precision.
func (p *Pairs) exact(x, y *[3]int32, a, b float32) float64 {
	r := 0.0
	for k := range x {
		d := float64(x[k] - y[k])
		r += d * d
	}
	s := 0.5 * float64(a+b) * (1 - float64(p.Epsilon)*math.Abs(float64(a-b)))
	q := r * float64(p.Unit2) / (s * s)
	if q >= float64(p.Cut) {
		return 0
	}
	return math.Pow(q, -6) + float64(p.C0) + q*(float64(p.C2)+float64(p.C4)*q)
}

func TestEstimatesAreWithinDoubt(t *testing.T) {
	if !HavePairs() {
		t.Skip("no assembly for pairs on", active.name)
	}
	r := rand.New(rand.NewPCG(5, 1))
	const x = 1.25
	worst, stopped := 0.0, 0
	check := func(before, after float32, b, a float64, n int) {
		t.Helper()
		// Each by itself: their difference is then good to twice that at most.
		for _, c := range [][2]float64{{float64(before), b}, {float64(after), a}} {
			doubt := Doubt(float32(c[1]), 0, n)
			worst = max(worst, math.Abs(c[0]-c[1])/doubt)
		}
		if doubt := Doubt(before, after, n); math.Abs(float64(after-before)-(a-b)) > doubt {
			t.Fatalf("%d neighbours: %g to %g; want %g to %g, within %g", n, before, after, b, a, doubt)
		}
	}
	for trial := range 20000 {
		n := 2 + trial%70
		particles, list := crowd(r, n)
		side := math.Cbrt(float64(n)) * (0.9 + 0.3*r.Float64())
		unit := math.Ldexp(side, -32)
		p := &Pairs{Cut: x * x, Epsilon: 0.2, C0: float32(-28 / math.Pow(x, 12)), C2: float32(48 / math.Pow(x, 14)), C4: float32(-21 / math.Pow(x, 16)), Unit2: float32(unit * unit)}
		self := &particles[0]
		to := self.X
		to[trial%3] += int32(r.Uint32() >> 5)
		size := 0.7 + r.Float32()
		except := r.IntN(n+1) - 1
		var b, a, b2, a2 float64
		for _, k := range list {
			o := &particles[k]
			b += p.exact(&self.X, &o.X, self.S, o.S)
			a += p.exact(&to, &o.X, self.S, o.S)
			if int(k) != except {
				b2 += p.exact(&self.X, &o.X, self.S, o.S)
				a2 += p.exact(&self.X, &o.X, size, o.S)
			}
		}
		before, after := p.Moved(particles, list, 0, &to)
		check(before, after, b, a, n-1)
		before, after = p.Resized(particles, list, 0, size, except, float32(math.Inf(1)))
		check(before, after, b2, a2, n-1)
		if size < self.S {
			continue
		}
		// With enough seen of a particle that grows, what is left out only adds to it.
		enough := float32((a2 - b2) * r.Float64() * 1.5)
		before, after = p.Resized(particles, list, 0, size, except, enough)
		if doubt := Doubt(before, after, n-1); float64(after-before) > a2-b2+doubt {
			t.Fatalf("%d neighbours: grows by %g of %g", n, after-before, a2-b2)
		} else if math.Abs(float64(after-before)-(a2-b2)) > doubt && after-before < enough {
			t.Fatalf("%d neighbours: stopped at %g of %g, before %g", n, after-before, a2-b2, enough)
		} else if after-before > enough && math.Abs(float64(after-before)-(a2-b2)) > doubt {
			stopped++
		}
	}
	t.Logf("the worst of all: %.2f of what is allowed; %d stopped early", worst, stopped)
	if stopped == 0 && active.name == "avx2" {
		t.Error("none stopped early")
	}
}

func TestPairsAtOnePlaceCannotBeTold(t *testing.T) {
	if !HavePairs() {
		t.Skip("no assembly for pairs on", active.name)
	}
	particles := []Particle{{S: 1}, {S: 1}}
	p := &Pairs{Cut: 1, Unit2: 1}
	list := make([]int32, 16)
	list[0] = 1
	to := [3]int32{0: 1 << 30}
	before, after := p.Moved(particles, list[:1], 0, &to)
	if d := math.Abs(float64(after - before)); d > Doubt(before, after, 1) {
		t.Errorf("%g to %g: want a difference that is too close to call", before, after)
	}
}
