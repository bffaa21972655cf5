// Package resultstest writes results folders whose truth is known, for tests: runs whose
// loss falls as an exponential, the faster the greater the speed of their protocol.
package resultstest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// An Arm is a protocol and how much faster than no swaps it is.
type Arm struct {
	Protocol string
	Speed    float64
}

// Arms are some: no swaps first.
func Arms() []Arm {
	return []Arm{{"none", 1}, {"features:1SA", 1}, {"weights:1SA every=100", 0.7}, {"weights:1SS each n=all guide=momentum window=0.01 accept=greedy", 2}}
}

// A Run is one run to be written.
type Run struct {
	ID     string
	Arm    Arm
	LR     float64
	Seed   int
	Rows   int // of the Length that it will have
	Length int
	Status string
}

// Plan is runs of all arms at each learning rate and seed, of so many rows.
func Plan(arms []Arm, rates []float64, seeds, rows int) []Run {
	var runs []Run
	for _, lr := range rates {
		for _, a := range arms {
			for seed := 1; seed <= seeds; seed++ {
				runs = append(runs, Run{fmt.Sprintf("%012x", len(runs)+1), a, lr, seed, rows, rows, "done"})
			}
		}
	}
	return runs
}

// Write writes runs into a results folder.
func Write(t testing.TB, dir string, runs []Run) {
	t.Helper()
	for _, r := range runs {
		if err := r.write(filepath.Join(dir, "runs", r.ID)); err != nil {
			t.Fatal(err)
		}
	}
}

// every is the number of iterations between two rows.
const every = 10

func (r Run) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	protocols := []string{}
	if r.Arm.Protocol != "none" {
		protocols = append(protocols, r.Arm.Protocol)
	}
	record, err := json.MarshalIndent(map[string]any{
		"id": r.ID, "status": r.Status, "protocols": r.Arm.Protocol, "seed": r.Seed, "version": "test", "host": "host", "cpu": "cpu", "kernel": "go", "threads": 1,
		"started": "2026-01-02T03:04:05Z", "iterations": every * (r.Rows - 1), "seconds": 0.01 * float64(r.Rows), "proposed": 100 * r.Rows, "accepted": 30 * r.Rows, "system": "network",
		"data": map[string]any{"set": "synth", "train": 5000, "test": 1000, "sha256": "0"},
		"config": map[string]any{"network": "lenet", "init": "pytorch", "loss": "cross-entropy", "optimizer": map[string]any{"name": "sgd", "lr": r.LR}, "schedule": map[string]any{"name": "constant"},
			"batch": 32, "iterations": every * (r.Length - 1), "eval": map[string]any{"every": every, "train": 500, "test": 500}, "protocols": protocols, "seed": r.Seed},
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "run.json"), record, 0o644); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "metrics.csv"))
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "iteration,seconds,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,proposed,accepted")
	for k := range r.Rows {
		w.WriteString(r.Row(k))
	}
	return w.Flush()
}

// Row is a row of metrics.csv. The same row has the same noise in every run of a seed.
func (r Run) Row(k int) string {
	noise := rand.New(rand.NewPCG(uint64(r.Seed), uint64(k)))
	x := 4 * r.Arm.Speed * math.Exp(0.02*math.Sin(float64(r.Seed)*7+r.Arm.Speed*3)) * float64(k) / float64(r.Length)
	loss := 0.5 + 1.8*math.Exp(-x) + 0.004*noise.Float64()
	accuracy := 0.1 + 0.6*(1-math.Exp(-x)) + 0.004*noise.Float64()
	return fmt.Sprintf("%d,%.9g,%.17g,%.6g,%.17g,%.6g,%g,%d,%d\n", every*k, 0.01*float64(k), loss, accuracy+0.02, loss+0.05, accuracy, r.LR, 100*k, 30*k)
}
