// Training measures training throughput, in images per second, of the four
// reference networks: one iteration is forward, cross entropy, backward and SGD with
// momentum 0.9, on random images already in memory.
//
//	go run ./bench/training [--threads 2] [--precision float32] [--json] [NETWORK/BATCH...]     (lenet/B32, ...)
//
// Of several blocks it gives the median, under the keys of train_torch.py beside it,
// which does the same in PyTorch; bench/pytorch runs both in turn.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"swapmc/internal/kernel"
	"swapmc/nn"
)

var keys = []string{"mlp/B32", "mlp/B128", "lenet/B32", "lenet/B128", "cnn/B32", "cnn/B128", "resnet20/B32", "resnet20/B128"}

func main() {
	log.SetFlags(0)
	threads := flag.Int("threads", 2, "threads")
	asJSON := flag.Bool("json", false, "print JSON")
	seconds := flag.Float64("seconds", 2, "time for each network and batch")
	blocks := flag.Int("blocks", 5, "blocks of which the median is taken")
	numbers := flag.String("precision", "", "of products: float32 or bf16")
	steps := flag.Int("steps", 0, "only so many iterations of each, without timing")
	flag.Parse()
	if err := kernel.Check(); err != nil {
		log.Fatal(err)
	}
	precision, err := nn.ParsePrecision(*numbers)
	if err != nil {
		log.Fatal(err)
	}
	if flag.NArg() > 0 {
		keys = flag.Args()
	}
	rates := map[string]any{"swapmc": kernel.Name(), "threads": *threads, "precision": precision.String()}
	for _, key := range keys {
		rate, err := throughput(key, precision, *threads, *blocks, *seconds, *steps)
		if err != nil {
			log.Fatal(err)
		}
		if *steps > 0 {
			continue
		}
		rates[key] = int(rate + 0.5)
		if !*asJSON {
			fmt.Printf("%-14s %.0f\n", key, rate)
		}
	}
	if *asJSON {
		json.NewEncoder(os.Stdout).Encode(rates)
	}
}

// throughput returns images per second of a key such as lenet/B32, or only does so
// many steps.
func throughput(key string, precision nn.Precision, threads, blocks int, seconds float64, steps int) (float64, error) {
	name, size, ok := strings.Cut(key, "/B")
	batch, err := strconv.Atoi(size)
	if !ok || err != nil || batch < 1 {
		return 0, fmt.Errorf("%s: want a network and a batch such as lenet/B32", key)
	}
	step, done, err := iteration(name, precision, batch, threads)
	if err != nil {
		return 0, err
	}
	defer done()
	for range steps {
		step()
	}
	if steps > 0 {
		return 0, nil
	}
	for range 3 {
		step()
	}
	var rates []float64
	for range blocks {
		n, start := 0, time.Now()
		for time.Since(start).Seconds() < seconds/float64(blocks) || n < 2 {
			step()
			n++
		}
		rates = append(rates, float64(n*batch)/time.Since(start).Seconds())
	}
	slices.Sort(rates)
	return rates[len(rates)/2], nil
}

// iteration prepares a network; step trains it on one batch.
func iteration(name string, precision nn.Precision, batch, threads int) (step, done func(), err error) {
	spec, err := nn.Parse(name)
	if err != nil {
		return nil, nil, err
	}
	n, err := nn.New(spec, nn.Options{Input: nn.Shape{C: 3, H: 32, W: 32}, Classes: 10, Batch: batch, Threads: threads, Precision: precision})
	if err != nil {
		return nil, nil, err
	}
	r := rand.New(rand.NewPCG(1, 2))
	if err := n.Init("", r); err != nil {
		return nil, nil, err
	}
	u, err := nn.Optimizer{Name: "sgd", LR: 0.01, Momentum: 0.9}.New(len(n.Params()))
	if err != nil {
		return nil, nil, err
	}
	images, labels := make([]float32, batch*3*32*32), make([]uint8, batch)
	for i := range images {
		images[i] = float32(r.NormFloat64())
	}
	for i := range labels {
		labels[i] = uint8(r.IntN(10))
	}
	return func() {
		n.Train(images, labels, u, 0.01, nil)
	}, n.Close, nil
}
