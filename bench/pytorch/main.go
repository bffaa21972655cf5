//go:build linux

// Pytorch compares training in swapmc and in PyTorch on this machine: the programs of
// bench/training run in turn, several rounds, and what is printed is the median of the
// rounds' ratios with their smallest and largest, as Markdown. Then the gain from a
// second thread, the peak of resident memory, and the time from start to the end of
// the first iteration.
//
//	python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy
//	go run ./bench/pytorch --python /tmp/torch/bin/python [--rounds 5]
//
// Linux only: it reads the children's resource usage.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

var (
	networks = []string{"mlp", "lenet", "cnn", "resnet20"}
	batches  = []int{32, 128}
)

// A side is one of the two programs.
type side struct {
	name    string
	command []string
}

func main() {
	log.SetFlags(0)
	python := flag.String("python", "python3", "an interpreter that has torch and numpy")
	rounds := flag.Int("rounds", 5, "rounds")
	flag.Parse()
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	ours := filepath.Join(folder, "training")
	if out, err := exec.Command("go", "build", "-o", ours, "./bench/training").CombinedOutput(); err != nil {
		log.Fatalf("go build ./bench/training: %v\n%s(run it in the folder of go.mod)", err, out)
	}
	a, b := side{"swapmc", []string{ours}}, side{"PyTorch", []string{*python, "bench/training/train_torch.py"}}
	if err := compare(a, b, *rounds); err != nil {
		log.Fatal(err)
	}
}

func compare(a, b side, rounds int) error {
	type key struct {
		side    string
		threads int
	}
	rates := map[key][]map[string]float64{}
	for round := range rounds {
		for _, threads := range []int{2, 1} {
			for _, s := range []side{a, b} {
				fmt.Fprintf(os.Stderr, "round %d of %d: %s, threads: %d\n", round+1, rounds, s.name, threads)
				r, err := s.rates(threads)
				if err != nil {
					return err
				}
				k := key{s.name, threads}
				rates[k] = append(rates[k], r)
			}
		}
	}
	of := func(s side, threads int, name string) (x []float64) {
		for _, r := range rates[key{s.name, threads}] {
			x = append(x, r[name])
		}
		return x
	}
	for _, threads := range []int{2, 1} {
		fmt.Printf("\nImages per second, threads: %d\n\n| network | batch | %s | %s | ratio |\n|---|---|---|---|---|\n", threads, a.name, b.name)
		for _, n := range networks {
			for _, batch := range batches {
				name := fmt.Sprintf("%s/B%d", n, batch)
				x, y := of(a, threads, name), of(b, threads, name)
				fmt.Printf("| %s | %d | %.0f | %.0f | %s |\n", n, batch, median(x), median(y), spread(ratios(x, y)))
			}
		}
	}
	fmt.Printf("\nGain from the second thread\n\n| network | batch | %s | %s |\n|---|---|---|---|\n", a.name, b.name)
	for _, n := range networks {
		for _, batch := range batches {
			name := fmt.Sprintf("%s/B%d", n, batch)
			fmt.Printf("| %s | %d | %s | %s |\n", n, batch, spread(ratios(of(a, 2, name), of(a, 1, name))), spread(ratios(of(b, 2, name), of(b, 1, name))))
		}
	}
	fmt.Printf("\nPeak of resident memory after 20 iterations (MiB), and seconds from the start of the program to the end of the first iteration\n\n| network | batch | memory: %s | %s | start: %s | %s |\n|---|---|---|---|---|---|\n", a.name, b.name, a.name, b.name)
	for _, n := range networks {
		for _, batch := range batches {
			fmt.Printf("| %s | %d", n, batch)
			for _, what := range []func(side, string) (string, error){side.memory, side.start} {
				for _, s := range []side{a, b} {
					text, err := what(s, fmt.Sprintf("%s/B%d", n, batch))
					if err != nil {
						return err
					}
					fmt.Printf(" | %s", text)
				}
			}
			fmt.Println(" |")
		}
	}
	return nil
}

// rates runs the program and returns images per second.
func (s side) rates(threads int) (map[string]float64, error) {
	out, err := s.run("--json", "--threads", strconv.Itoa(threads)).Output()
	if err != nil {
		return nil, failure(s, err)
	}
	var all map[string]any
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("%s printed %q: %w", s.name, out, err)
	}
	rates := map[string]float64{}
	for k, v := range all {
		if x, ok := v.(float64); ok {
			rates[k] = x
		}
	}
	return rates, nil
}

// memory returns the peak of resident memory in MiB.
func (s side) memory(key string) (string, error) {
	c := s.run("--steps", "20", key)
	if err := c.Run(); err != nil {
		return "", failure(s, err)
	}
	usage := c.ProcessState.SysUsage().(*syscall.Rusage)
	return fmt.Sprintf("%.0f", float64(usage.Maxrss)/1024), nil
}

// start returns the time to the end of the first iteration, the median of three.
func (s side) start(key string) (string, error) {
	var seconds []float64
	for range 3 {
		begin := time.Now()
		if err := s.run("--steps", "1", key).Run(); err != nil {
			return "", failure(s, err)
		}
		seconds = append(seconds, time.Since(begin).Seconds())
	}
	return fmt.Sprintf("%.3f", median(seconds)), nil
}

func (s side) run(arguments ...string) *exec.Cmd {
	return exec.Command(s.command[0], append(slices.Clone(s.command[1:]), arguments...)...)
}

func failure(s side, err error) error {
	if e, ok := err.(*exec.ExitError); ok {
		return fmt.Errorf("%s: %w: %s", s.name, err, e.Stderr)
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

func ratios(x, y []float64) []float64 {
	r := make([]float64, len(x))
	for i := range x {
		r[i] = x[i] / y[i]
	}
	return r
}

// spread prints a median with the smallest and the largest.
func spread(x []float64) string {
	return fmt.Sprintf("%.2f (%.2f to %.2f)", median(x), slices.Min(x), slices.Max(x))
}
