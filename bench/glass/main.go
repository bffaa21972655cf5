// Glass measures what a trial of swap Monte Carlo costs: soft-poly at density 1 and
// T = 0.1, equilibrated, on one core, displacements and swaps each by themselves.
//
//	go run ./bench/glass [--json] [--particles 1500,100000] [--seconds 3]
package main

import (
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

// A cost is of one number of particles.
type cost struct {
	Displacement float64 `json:"displacement_ns"`
	Swap         float64 `json:"swap_ns"`
	Displacing   float64 `json:"displacement_least_ns"`
	Swapping     float64 `json:"swap_least_ns"`
	Moved        float64 `json:"displacements_accepted"`
	Swapped      float64 `json:"swaps_accepted"`
	Bytes        float64 `json:"bytes_per_particle"`
	Lists        float64 `json:"neighbour_list_bytes_per_particle"`
}

// round is how long one measurement takes.
const round = 2 * time.Millisecond

func main() {
	log.SetFlags(0)
	log.SetPrefix("glass: ")
	asJSON := flag.Bool("json", false, "print JSON")
	particles := flag.String("particles", "1500,100000", "numbers of particles")
	length := flag.Float64("seconds", 3, "time for each kind of trial")
	flag.Parse()
	costs := map[string]cost{}
	var names []string
	for name := range strings.SplitSeq(*particles, ",") {
		n, err := strconv.Atoi(name)
		if err != nil {
			log.Fatalf("--particles: %q is no number", name)
		}
		c, err := measure(n, time.Duration(*length*float64(time.Second)))
		if err != nil {
			log.Fatal(err)
		}
		costs[name] = c
		names = append(names, name)
	}
	if *asJSON {
		if err := json.NewEncoder(os.Stdout).Encode(costs); err != nil {
			log.Fatal(err)
		}
		return
	}
	fmt.Println("| N | displacement (ns) | least | accepted | swap (ns) | least | accepted | bytes a particle | and its neighbour list |\n|---|---|---|---|---|---|---|---|---|")
	for _, name := range names {
		c := costs[name]
		fmt.Printf("| %s | %.0f | %.0f | %.1f%% | %.0f | %.0f | %.1f%% | %.0f | %.0f |\n", name, c.Displacement, c.Displacing, 100*c.Moved, c.Swap, c.Swapping, 100*c.Swapped, c.Bytes, c.Lists)
	}
}

// measure equilibrates n particles with swaps, and times sweeps of one kind of trial in short rounds: the
// median, and the least, which is what a machine does that nobody else slows.
func measure(n int, length time.Duration) (cost, error) {
	swaps := []glass.Weighted{{Move: &glass.Swap{}, P: 0.2}}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s, err := glass.New(glass.Options{Model: "soft-poly", N: n, Temperature: 0.25, Moves: swaps, Seed: 1})
	if err != nil {
		return cost{}, err
	}
	for _, t := range []float64{0.25, 0.2, 0.16, 0.13, 0.115, 0.105, 0.1, 0.1, 0.1, 0.1} {
		s.SetTemperature(t)
		s.Equilibrate(1_500_000/n+30, 0.4)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	c := cost{Lists: float64(s.ListBytes()) / float64(n)}
	c.Bytes = float64(after.HeapAlloc-before.HeapAlloc)/float64(n) - c.Lists
	times := func(p float64) (ns, least, accepted float64, err error) {
		moves := slices.Clone(swaps)
		moves[0].P = p
		if err := s.SetMoves(moves); err != nil {
			return 0, 0, 0, err
		}
		var rounds []float64
		for end := time.Now().Add(length); len(rounds) == 0 || time.Now().Before(end); {
			trials := 0
			begin := time.Now()
			for time.Since(begin) < round {
				s.Run(1)
				trials += n
			}
			rounds = append(rounds, float64(time.Since(begin).Nanoseconds())/float64(trials))
		}
		slices.Sort(rounds)
		accepted = s.Displacement.Rate()
		if p == 1 {
			accepted = s.Moves[0].Rate()
		}
		return rounds[len(rounds)/2], rounds[0], accepted, nil
	}
	if c.Displacement, c.Displacing, c.Moved, err = times(0); err == nil {
		c.Swap, c.Swapping, c.Swapped, err = times(1)
	}
	return c, err
}
