package main

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"swapmc/internal/lab"
	"swapmc/internal/train"
	"swapmc/nn"
)

// The differences 1, 2 and 3 have mean 2 and standard error 1/sqrt 3: t is 2 sqrt 3 at two degrees of freedom, where the
// distribution is 1/2 + t/(2 sqrt(2 + t^2)).
func TestPaired(t *testing.T) {
	mean, half, p := paired([]float64{1, 2, 3})
	at := 2 * math.Sqrt(3)
	if want := 1 - at/math.Sqrt(2+at*at); mean != 2 || math.Abs(p-want) > 1e-9 {
		t.Errorf("mean %v, p %v: want 2, %v", mean, p, want)
	}
	at = half * math.Sqrt(3)
	if inside := at / math.Sqrt(2+at*at); math.Abs(inside-0.95) > 1e-9 {
		t.Errorf("within %v of the mean lie %v of the probability: want 0.95", half, inside)
	}
}

// made makes runs with these seeds in a folder, without swaps and with.
func made(t *testing.T, path string, lr float64, seeds ...uint64) {
	t.Helper()
	s := lab.Default()
	s.Data.Train, s.Data.Test = 96, 32
	s.Network, s.Batch, s.Iterations, s.Optimizer.LR, s.Seeds = "linear 10", 8, 6, lr, seeds
	s.Eval = train.Eval{Every: 1, Train: 32, Test: 32}
	swaps, err := lab.ParseProtocols("biases:1S")
	if err != nil {
		t.Fatal(err)
	}
	s.Protocols = []lab.Protocols{swaps}
	data, err := lab.Load(s.Data)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := lab.Plan(s, data)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := lab.OpenFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&lab.Lab{Folder: folder, NoWeights: true}).Run(context.Background(), plan); err != nil {
		t.Fatal(err)
	}
}

// Runs are paired by seed, and those without a partner left out.
func TestRead(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	made(t, dir, 0.02, 1, 2, 3)
	made(t, other, 0.03, 2, 3, 4) // to be taken for runs in bfloat16, which not every processor can make
	runs, err := os.ReadDir(filepath.Join(other, "runs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		to := filepath.Join(dir, "runs", r.Name())
		if err := os.Rename(filepath.Join(other, "runs", r.Name()), to); err != nil {
			t.Fatal(err)
		}
		record := filepath.Join(to, "run.json")
		text, err := os.ReadFile(record)
		if err != nil {
			t.Fatal(err)
		}
		with := strings.Replace(string(text), `"loss":`, `"precision": "bf16", "loss":`, 1)
		if with == string(text) {
			t.Fatalf("no loss in the config of %s", text)
		}
		if err := os.WriteFile(record, []byte(with), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	list, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].protocol != "none" || list[1].protocol != "biases:1S" {
		t.Fatalf("%d problems: want none and biases:1S", len(list))
	}
	for _, p := range list {
		if len(p.pairs) != 2 || p.pairs[2] == nil || p.pairs[3] == nil {
			t.Errorf("%s: %d pairs, want seeds 2 and 3", p.protocol, len(p.pairs))
		}
		for seed, q := range p.pairs {
			a, b := q[nn.Float32], q[nn.BF16]
			if len(a) != 7 || len(b) != 7 || a[0].TrainLoss != b[0].TrainLoss || a[6].TrainLoss == b[6].TrainLoss {
				t.Errorf("%s, seed %d: want the same weights at the beginning only", p.protocol, seed)
			}
		}
	}
	out := filepath.Join(t.TempDir(), "table.csv")
	if err := table(out, list); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); len(lines) != 7 || !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "linear 10,biases:1S,2,test_loss,") }) {
		t.Errorf("%s", text)
	}
	made(t, dir, 0.05, 1) // seed 1 in float32, again
	if _, err := read(dir); err == nil || !strings.Contains(err.Error(), "seed 1 and precision float32") {
		t.Errorf("two runs of one kind: %v", err)
	}
}
