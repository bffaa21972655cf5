// Swaps measures what a protocol adds to the time of a training iteration: lenet at
// batch 128, one thread, plain SGD, if nothing else is asked for. The runs with and without swaps take turns,
// a few iterations each, so that both see the same machine and find in the caches what they left there.
//
//	go run ./bench/swaps [--json] [--rounds 400] [--batch 128] [--network lenet]
//	    [--optimizer "{name: adam, lr: 0.001}"] [--threads 1] [PROTOCOL...]
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"time"

	"swapmc/dataset"
	"swapmc/internal/lab"
	"swapmc/internal/train"
	"swapmc/nn"
	"swapmc/swap"
)

var protocols = []string{
	"none", // against itself: the error of the measurement
	"features:1SA",
	"features:ASA p=0.5",
	"features:1AS n=64",
	"weights:1SA",
	"weights:1SS each n=all guide=momentum accept=greedy",
	"weights:1SS each n=all guide=momentum window=0.01 accept=greedy",
}

// A cost is what a protocol adds to an iteration, in percent of one without.
type cost struct {
	Protocol string  `json:"protocol"`
	Median   float64 `json:"added_percent"`
	Low      float64 `json:"added_percent_low"` // quartiles over blocks of 20 rounds
	High     float64 `json:"added_percent_high"`
	Base     float64 `json:"iteration_ms"`
}

func main() {
	log.SetFlags(0)
	asJSON := flag.Bool("json", false, "print JSON")
	rounds := flag.Int("rounds", 400, "iterations of each side")
	batch := flag.Int("batch", 128, "images in a batch")
	network := flag.String("network", "lenet", "network")
	optimizer := flag.String("optimizer", "{name: sgd, lr: 0.01}", "optimiser, as in a spec")
	threads := flag.Int("threads", 1, "threads of a run")
	flag.Parse()
	if flag.NArg() > 0 {
		protocols = flag.Args()
	}
	var opt nn.Optimizer
	if err := lab.Decode("--optimizer", []byte(*optimizer), &opt, func() error { return opt.Validate() }); err != nil {
		log.Fatal(err)
	}
	data := dataset.Synth(dataset.SynthOptions{Train: 2000, Test: 10})
	var costs []cost
	for _, text := range protocols {
		c, err := measure(data, *network, opt, *batch, *threads, text, *rounds)
		if err != nil {
			log.Fatal(err)
		}
		costs = append(costs, c)
		if !*asJSON {
			fmt.Printf("%-66s adds %5.2f%% [%.2f, %.2f] to %.2f ms\n", text, c.Median, c.Low, c.High, c.Base)
		}
	}
	if *asJSON {
		if err := json.NewEncoder(os.Stdout).Encode(costs); err != nil {
			log.Fatal(err)
		}
	}
}

func measure(data *dataset.Set, network string, opt nn.Optimizer, batch, threads int, text string, rounds int) (cost, error) {
	list, err := swap.ParseList(text)
	if err != nil {
		return cost{}, err
	}
	var sides [2]*train.Run
	for i := range sides {
		cfg := train.Config{Network: network, Optimizer: opt, Batch: batch,
			Iterations: 1 << 30, Eval: train.Eval{Every: 1, Test: 10}, Seed: 1}
		if i == 1 {
			cfg.Protocols = list
		}
		if sides[i], err = train.New(cfg, data, threads); err != nil {
			return cost{}, err
		}
		defer sides[i].Close()
	}
	const block, burst = 20, 2
	var ratios, bases []float64
	for round := 0; round < rounds; round += block {
		var times [2][]float64
		for k := range block / burst {
			for turn := range sides {
				i := (turn + k) % 2 // neither side is always first
				for n := range 1 + burst {
					start := time.Now()
					if err := sides[i].Step(); err != nil {
						return cost{}, err
					}
					if n > 0 { // before the first, the other had the caches
						times[i] = append(times[i], time.Since(start).Seconds())
					}
				}
			}
		}
		base, with := median(times[0]), median(times[1])
		if round == 0 {
			continue // warm-up
		}
		ratios, bases = append(ratios, 100*(with/base-1)), append(bases, 1000*base)
	}
	slices.Sort(ratios)
	return cost{text, median(ratios), ratios[len(ratios)/4], ratios[3*len(ratios)/4], median(bases)}, nil
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
