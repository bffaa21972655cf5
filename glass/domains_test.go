package glass

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"swapmc/dynamics"
)

// cut divides even a small system into domains, which one worker may do, however near they are; 0 leaves it whole.
func cut(s *System, across int) {
	if across > 0 {
		s.domains = newDomains(s, across, 1)
	}
}

// divided are systems that are divided, though not by themselves.
var divided = []Options{
	{Model: "soft-poly", N: 900, Dim: 2, Temperature: 0.25, Delta: 0.2, Moves: []Weighted{{Move: &Swap{}, P: 0.3}}, Domains: "on", Seed: 2},
	{Model: "hard-poly", N: 400, Dim: 2, Density: 0.5, Delta: 0.3, Moves: []Weighted{{Move: &Swap{Window: 0.5}, P: 0.3}}, Domains: "on", Seed: 3},
	{Model: "soft-poly", N: 13_500, Temperature: 0.5, Delta: 0.15, Moves: []Weighted{{Move: &Swap{}, P: 0.3}}, Domains: "on", Seed: 3},
	{Model: "kob-andersen", N: 2600, Dim: 2, Temperature: 0.8, Moves: []Weighted{{Move: &Swap{}, P: 0.1}}, Domains: "on", Seed: 4},
}

// same reports particles or counts that differ.
func same(t *testing.T, what string, a, b *System) {
	t.Helper()
	for i := range a.particles {
		if a.particles[i] != b.particles[i] || a.laps[i] != b.laps[i] {
			t.Fatalf("%s: %s: particle %d is %v, not %v", a.Model.Name, what, i, b.particles[i], a.particles[i])
		}
	}
	if a.Displacement.Tally != b.Displacement.Tally || a.Moves[0].Tally != b.Moves[0].Tally || a.Sweeps() != b.Sweeps() || a.Delta() != b.Delta() {
		t.Errorf("%s: %s: counts %v and %v, not %v and %v", a.Model.Name, what, b.Displacement.Tally, b.Moves[0].Tally, a.Displacement.Tally, a.Moves[0].Tally)
	}
}

// The number of threads, and a restart, change no bit. In double precision, which the race detector sees, it is the same too.
func TestTrajectoryDependsOnNoThreads(t *testing.T) {
	for _, o := range divided {
		first, sweeps := 10, 40
		if testing.Short() && o.N > 1000 {
			continue
		}
		if o.N > 10_000 {
			first, sweeps = 2, 2
		}
		o.Threads = 1
		a := system(t, o)
		a.Equilibrate(first, 0.4)
		var file bytes.Buffer
		a.Run(sweeps / 2)
		if err := a.Save(&file); err != nil {
			t.Fatal(err)
		}
		a.Run(sweeps / 2)
		if n := a.Displacement.Proposed + a.Moves[0].Proposed; n != int64(sweeps*a.N()) {
			t.Errorf("%s: %d trials in %d sweeps of %d", o.Model, n, sweeps, a.N())
		}
		for _, threads := range []int{2, 3} {
			o.Threads = threads
			b := system(t, o)
			if threads == 3 {
				b.estimates = nil
			}
			b.Equilibrate(first, 0.4)
			b.Run(sweeps)
			same(t, fmt.Sprintf("%d threads", threads), a, b)
		}
		o.Threads, o.Seed = 2, 99
		b := system(t, o)
		if err := b.Load(&file); err != nil {
			t.Fatal(err)
		}
		b.Run(sweeps / 2)
		same(t, "after a restart", a, b)
		if o.N < 10_000 {
			checkLists(t, b)
		}
	}
}

// Where a list is full, its worker waits until no other reads any, and then makes all longer.
func TestListsGrowWhileOthersWork(t *testing.T) {
	o := divided[0]
	o.Threads = 1
	a := system(t, o)
	o.Threads = 3
	b := system(t, o)
	b.estimates = nil
	grown := 0
	for tries := 0; grown < 3 && tries < 40; tries++ {
		// Lists of which the longest is full. They have room for a multiple of 16.
		most := 1
		for skin := 0.6; most%16 != 0 && skin > 0.2; skin -= 0.01 {
			b.relist(skin)
			most = 0
			for i := range b.lists.heads {
				most = max(most, int(b.lists.heads[i].ends[shells-1]))
			}
		}
		b.lists.widen(most)
		stride := b.lists.stride
		a.Run(2)
		b.Run(2)
		if b.lists.stride > stride {
			grown++
		}
	}
	if grown == 0 {
		t.Error("no list was ever full")
	}
	same(t, "with lists that grow", a, b)
}

// A sweep allocates nothing, by however many threads.
func TestSweepAllocatesNothing(t *testing.T) {
	for _, threads := range []int{1, 2} {
		o := divided[0]
		o.Threads = threads
		s := system(t, o)
		s.Run(200) // scratch grows
		if n := testing.AllocsPerRun(50, func() { s.Run(1) }); n >= 1 {
			t.Errorf("%d threads: %g allocations in a sweep", threads, n)
		}
	}
}

// Domains are places: each particle is in the domain that it is a member of, and in no other.
func TestDomainsAreAPartition(t *testing.T) {
	for _, o := range divided {
		s := system(t, o)
		s.Run(3)
		d := s.domains
		for range 20 {
			for k := range s.dim {
				d.corner[k] = int32(s.own.random.Uint64())
			}
			d.sort(s)
			in := make([]int, s.N())
			numbers := map[int]bool{}
			for colour := range 1 << s.dim {
				for i := range power(d.across/2, s.dim) {
					n, is := d.domain(s.dim, colour, i)
					numbers[n] = true
					for _, m := range is.members {
						in[m]++
					}
					held := 0
					for m := range s.particles {
						if is.holds(&s.particles[m].X) {
							held++
						}
					}
					if held != len(is.members) {
						t.Fatalf("%s: domain %d has %d members, and holds %d particles", o.Model, n, len(is.members), held)
					}
				}
			}
			if len(numbers) != s.Domains() {
				t.Fatalf("%s: %d domains of all colours, want %d", o.Model, len(numbers), s.Domains())
			}
			for m, times := range in {
				if times != 1 {
					t.Fatalf("%s: particle %d is a member of %d domains", o.Model, m, times)
				}
			}
		}
	}
}

// Particles do not know where the walls were: after a sweep, as before it, they are as often near a wall as elsewhere, and
// so are those that are small. Moves are long here, so that walls are often met. Particles and diameters stay in their domain.
func TestParticlesAreNotDrawnToWalls(t *testing.T) {
	const bins, across = 12, 4
	for _, o := range []Options{
		{Model: "hard-poly", N: 300, Dim: 2, Density: 0.1, Delta: 3},
		{Model: "soft-poly", N: 300, Dim: 2, Density: 0.4, Temperature: 0.5, Delta: 1.5},
		{Model: "soft-poly", N: 600, Density: 0.3, Temperature: 0.5, Delta: 0.8},
	} {
		o.Moves = []Weighted{{Move: &Swap{}, P: 0.3}}
		s := system(t, o)
		cut(s, across)
		s.Run(100)
		var all, small [bins]float64
		sweeps := 400
		for range sweeps {
			before := slices.Clone(s.particles)
			s.Run(1)
			home := slices.Clone(s.domains.home)
			s.domains.sort(s)
			if !slices.Equal(home, s.domains.home) {
				t.Fatalf("%s in %d dimensions: a particle has left its domain", o.Model, s.dim)
			}
			sizes := make([]float64, s.Domains()) // gained by each domain; sums of few single precision numbers are exact
			for i := range s.particles {
				p := &s.particles[i]
				sizes[home[i]] += float64(p.S) - float64(before[i].S)
				for k := range s.dim {
					// How far through its domain.
					x := uint32(p.X[k]-s.domains.corner[k]) * across
					b := int(uint64(x) * bins >> 32)
					all[b]++
					if p.S < 0.8 {
						small[b]++
					}
				}
			}
			for n, gained := range sizes {
				if gained != 0 {
					t.Fatalf("%s in %d dimensions: diameters of %g have come into domain %d", o.Model, s.dim, gained, n)
				}
			}
		}
		for what, count := range map[string][bins]float64{"all": all, "small": small} {
			sum, chi2 := 0.0, 0.0
			for _, n := range count {
				sum += n
			}
			for _, n := range count {
				chi2 += (n - sum/bins) * (n - sum/bins) / (sum / bins)
			}
			t.Logf("%s in %d dimensions, %s: chi2 = %.1f of %.0f, displacements accepted %.2f", o.Model, s.dim, what, chi2, sum, s.Displacement.Rate())
			// Particles repel each other, and so are more evenly spread than if they did not.
			if chi2 > 45 {
				t.Errorf("%s in %d dimensions, %s: chi2 = %.1f over %d degrees of freedom: %.0f", o.Model, s.dim, what, chi2, bins-1, count)
			}
		}
	}
}

// Large systems are divided by themselves, small ones and those of lifted swaps are not; what is not possible is refused.
func TestWhatIsDivided(t *testing.T) {
	swap, lifted := []Weighted{{Move: &Swap{}, P: 0.2}}, []Weighted{{Move: &Lifted{K: 3}, P: 0.2}}
	for _, c := range []struct {
		o    Options
		want int
	}{
		{Options{N: 1500, Temperature: 1}, 0},
		{Options{N: 60_000, Temperature: 1}, 0},
		{Options{N: 100_000, Temperature: 1, Moves: swap}, 64},
		{Options{N: 100_000, Temperature: 1, Moves: lifted}, 0},
		{Options{N: 100_000, Temperature: 1, Domains: "off"}, 0},
		{Options{N: 40_000, Dim: 2, Temperature: 1}, 36},
		{Options{N: 14_000, Temperature: 1, Domains: "on"}, 64},
	} {
		c.o.Model = "soft-poly"
		s := system(t, c.o)
		if got := s.Domains(); got != c.want {
			t.Errorf("%d particles in %d dimensions, domains %q: %d domains, want %d", s.N(), s.Dim(), c.o.Domains, got, c.want)
		}
	}
	for want, o := range map[string]Options{
		"has no room for 4":         {N: 2000, Temperature: 1, Domains: "on"},
		"ranks of the whole system": {N: 900, Dim: 2, Temperature: 1, Domains: "on", Moves: lifted},
		`"maybe": want auto, on or`: {N: 900, Dim: 2, Temperature: 1, Domains: "maybe"},
		"threads = -1":              {N: 900, Temperature: 1, Threads: -1},
	} {
		o.Model = "soft-poly"
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", o, err, want)
		}
	}
	s := system(t, divided[0])
	if err := s.SetMoves(lifted); err == nil {
		t.Error("lifted swaps where domains are on: no error")
	}
}

// What domains change is small: displacements over a wall are refused, and the rest is as fast as ever.
func TestDomainsLeaveDynamicsAlone(t *testing.T) {
	o := Options{Model: "soft-poly", N: 2500, Dim: 2, Temperature: 0.4, Delta: 0.25, Seed: 5, Moves: []Weighted{{Move: &Swap{}, P: 0.2}}}
	measure := func(domains string, seed uint64) (msd, fs, accepted []float64) {
		o.Domains, o.Seed = domains, seed
		s := system(t, o)
		s.Run(300)
		for range 30 {
			r := dynamics.Recorder{K: 6, A: 0.3, Every: 1000, Times: []int{0, 20}}
			s.Restart()
			r.Record(s, 0)
			s.Run(20)
			r.Record(s, 20)
			c := r.Curves(s.N(), s.Dim())
			last := len(c.MSD) - 1
			msd, fs = append(msd, c.MSD[last]), append(fs, c.Fs[last])
			accepted = append(accepted, s.Displacement.Rate())
		}
		return msd, fs, accepted
	}
	m0, f0, a0 := measure("off", 5)
	m1, f1, a1 := measure("on", 6)
	// A displacement crosses one of a grid's walls of an axis with the probability delta/2 over their distance, which is
	// side/across.
	for _, c := range []struct {
		what   string
		x, y   []float64
		within float64 // besides the errors, of the value
	}{{"mean-square displacement", m0, m1, 0.04}, {"F_s", f0, f1, 0.03}, {"acceptance", a0, a1, 0.03}} {
		one, two := dynamics.Average(c.x), dynamics.Average(c.y)
		a, errA, b, errB := one.Mean, one.Error, two.Mean, two.Error
		t.Logf("%s: %.4f ± %.4f without, %.4f ± %.4f with domains", c.what, a, errA, b, errB)
		if math.Abs(a-b) > 4*math.Hypot(errA, errB)+c.within*a {
			t.Errorf("%s: %.4f ± %.4f without, %.4f ± %.4f with domains", c.what, a, errA, b, errB)
		}
	}
}
