// Glass measures what a trial of swap Monte Carlo costs: soft-poly at density 1 and
// T = 0.1, equilibrated, on one core, displacements and swaps each by themselves, in processor time. A system that is so large that
// its sweeps go domain by domain is measured without domains too, and on two threads, there by the clock.
// All systems and kinds of trials take turns in short rounds, so that what else the machine does slows them alike.
//
//	go run ./bench/glass [--json] [--particles 1500,100000] [--seconds 3]
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"swapmc/glass"
)

// A cost is of one number of particles: the median over rounds, a low percentile, which is what the machine does when
// nobody else slows it, and the least.
type cost struct {
	Displacement float64 `json:"displacement_ns"`
	Swap         float64 `json:"swap_ns"`
	DisplaceLow  float64 `json:"displacement_p5_ns"`
	SwapLow      float64 `json:"swap_p5_ns"`
	Displacing   float64 `json:"displacement_least_ns"`
	Swapping     float64 `json:"swap_least_ns"`
	Moved        float64 `json:"displacements_accepted"`
	Swapped      float64 `json:"swaps_accepted"`
	Bytes        float64 `json:"bytes_per_particle"`
	Lists        float64 `json:"neighbour_list_bytes_per_particle"`
	Domains      int     `json:"domains"`
	Whole        *pair   `json:"without_domains,omitempty"`
	TwoThreads   *pair   `json:"two_threads,omitempty"` // by the clock, not in processor time
}

// A pair is the cost of a trial, as in cost.
type pair struct {
	Displacement float64 `json:"displacement_ns"`
	Swap         float64 `json:"swap_ns"`
	DisplaceLow  float64 `json:"displacement_p5_ns"`
	SwapLow      float64 `json:"swap_p5_ns"`
}

// round is how long one measurement takes, or a sweep if that is longer.
const round = 2 * time.Millisecond

var begun = time.Now()

// A subject is a system that is measured.
type subject struct {
	system *glass.System
	clock  func() time.Duration
	cost   cost
	kinds  [2]kind // displacements, swaps
}

type kind struct {
	rounds             []float64 // nanoseconds a trial
	proposed, accepted int64
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("glass: ")
	asJSON := flag.Bool("json", false, "print JSON")
	particles := flag.String("particles", "1500,100000", "numbers of particles")
	seconds := flag.Float64("seconds", 3, "time for each kind of trial and number of particles")
	flag.Parse()
	runtime.LockOSThread()
	var names []string
	var subjects, whole, twice, all []*subject // whole[i] and twice[i] are subjects[i] without domains and on two threads, nil if it has none
	for name := range strings.SplitSeq(*particles, ",") {
		n, err := strconv.Atoi(name)
		if err != nil {
			log.Fatalf("--particles: %q is no number", name)
		}
		s, err := equilibrated(n)
		if err != nil {
			log.Fatal(err)
		}
		names, subjects, all = append(names, name), append(subjects, s), append(all, s)
		whole, twice = append(whole, nil), append(twice, nil)
		if s.cost.Domains = s.system.Domains(); s.cost.Domains > 0 {
			if whole[len(whole)-1], err = s.as(options(n, "off", 1), clock); err != nil {
				log.Fatal(err)
			}
			if twice[len(twice)-1], err = s.as(options(n, "auto", 2), func() time.Duration { return time.Since(begun) }); err != nil {
				log.Fatal(err)
			}
			all = append(all, whole[len(whole)-1], twice[len(twice)-1])
		}
	}
	length := time.Duration(*seconds * float64(time.Second))
	for end := time.Now().Add(2 * length * time.Duration(len(all))); ; {
		for _, s := range all {
			for p := range s.kinds {
				if err := s.measure(p); err != nil {
					log.Fatal(err)
				}
			}
		}
		if time.Now().After(end) {
			break
		}
	}
	costs := map[string]cost{}
	for i, s := range subjects {
		c := s.summary()
		if whole[i] != nil {
			c.Whole, c.TwoThreads = whole[i].summary().pair(), twice[i].summary().pair()
		}
		costs[names[i]] = c
	}
	if *asJSON {
		if err := json.NewEncoder(os.Stdout).Encode(costs); err != nil {
			log.Fatal(err)
		}
		return
	}
	fmt.Println("| N | displacement (ns) | 5% | least | accepted | swap (ns) | 5% | least | accepted | bytes a particle | and its neighbour list |\n|---|---|---|---|---|---|---|---|---|---|---|")
	for _, name := range names {
		c := costs[name]
		fmt.Printf("| %s | %.0f | %.0f | %.0f | %.1f%% | %.0f | %.0f | %.0f | %.1f%% | %.0f | %.0f |\n", name, c.Displacement, c.DisplaceLow, c.Displacing, 100*c.Moved,
			c.Swap, c.SwapLow, c.Swapping, 100*c.Swapped, c.Bytes, c.Lists)
	}
	for _, name := range names {
		if c := costs[name]; c.Domains > 0 {
			fmt.Printf("\n%s particles are in %d domains. Without domains a displacement takes %.0f ns, a swap %.0f (5%%: %.0f, %.0f), on two threads, by the clock, %.0f and %.0f (%.0f, %.0f).\n",
				name, c.Domains, c.Whole.Displacement, c.Whole.Swap, c.Whole.DisplaceLow, c.Whole.SwapLow, c.TwoThreads.Displacement, c.TwoThreads.Swap, c.TwoThreads.DisplaceLow, c.TwoThreads.SwapLow)
		}
	}
	first, last := costs[names[0]], costs[names[len(names)-1]]
	if len(names) > 1 {
		fmt.Printf("\nFrom %s to %s particles a displacement costs %.2f times as much, a swap %.2f times (5%%; medians %.2f and %.2f).\n", names[0], names[len(names)-1],
			last.DisplaceLow/first.DisplaceLow, last.SwapLow/first.SwapLow, last.Displacement/first.Displacement, last.Swap/first.Swap)
	}
}

func options(n int, domains string, threads int) glass.Options {
	return glass.Options{Model: "soft-poly", N: n, Temperature: 0.25, Seed: 1, Moves: []glass.Weighted{{Move: &glass.Swap{}, P: 0.2}}, Domains: domains, Threads: threads}
}

// as returns a subject in the same state, with other options.
func (s *subject) as(o glass.Options, clock func() time.Duration) (*subject, error) {
	var state bytes.Buffer
	if err := s.system.Save(&state); err != nil {
		return nil, err
	}
	c, err := glass.New(o)
	if err != nil {
		return nil, err
	}
	return &subject{system: c, clock: clock}, c.Load(&state)
}

func (c cost) pair() *pair { return &pair{c.Displacement, c.Swap, c.DisplaceLow, c.SwapLow} }

// equilibrated makes n particles and equilibrates them with swaps.
func equilibrated(n int) (*subject, error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s, err := glass.New(options(n, "auto", 1))
	if err != nil {
		return nil, err
	}
	for _, t := range []float64{0.25, 0.2, 0.16, 0.13, 0.115, 0.105, 0.1, 0.1, 0.1, 0.1} {
		s.SetTemperature(t)
		s.Equilibrate(1_500_000/n+30, 0.4)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	c := cost{Lists: float64(s.ListBytes()) / float64(n)}
	c.Bytes = float64(after.HeapAlloc-before.HeapAlloc)/float64(n) - c.Lists
	return &subject{system: s, clock: clock, cost: c}, nil
}

// measure times a round of swaps with probability p, else displacements.
func (s *subject) measure(p int) error {
	if err := s.system.SetMoves([]glass.Weighted{{Move: &glass.Swap{}, P: float64(p)}}); err != nil {
		return err
	}
	trials, begin, took := 0, s.clock(), time.Duration(0)
	for took < round {
		s.system.Run(1)
		trials += s.system.N()
		took = s.clock() - begin
	}
	k, tally := &s.kinds[p], s.system.Displacement.Tally
	if p == 1 {
		tally = s.system.Moves[0].Tally
	}
	k.rounds = append(k.rounds, float64(took.Nanoseconds())/float64(trials))
	k.proposed += tally.Proposed
	k.accepted += tally.Accepted
	return nil
}

func (s *subject) summary() cost {
	c := s.cost
	for p := range s.kinds {
		k := &s.kinds[p]
		slices.Sort(k.rounds)
		median, low, least, accepted := k.rounds[len(k.rounds)/2], k.rounds[len(k.rounds)/20], k.rounds[0], float64(k.accepted)/float64(k.proposed)
		if p == 0 {
			c.Displacement, c.DisplaceLow, c.Displacing, c.Moved = median, low, least, accepted
		} else {
			c.Swap, c.SwapLow, c.Swapping, c.Swapped = median, low, least, accepted
		}
	}
	return c
}
