package nn

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"swapmc/internal/kernel"
)

// parityRun is one training by PyTorch: see testdata/parity.py.
type parityRun struct {
	Network    string
	Loss       string
	Optimizer  parityOptimizer
	Iterations int
	Losses     []float64
	Evaluation float64 // loss of a batch in inference mode after the last iteration
	Float32    float64 // relative deviation of PyTorch's float32 from its float64
}

type parityOptimizer struct {
	Name         string
	LR, Momentum float64
	Nesterov     bool
	WeightDecay  float64 `json:"weight-decay"`
}

type parityFile struct {
	Torch   string
	Tensors map[string]map[string][]int // state_dict of each network: names and shapes
	Runs    []parityRun
}

func readParity(t *testing.T) parityFile {
	t.Helper()
	text, err := os.ReadFile("testdata/parity.json")
	if err != nil {
		t.Fatal(err)
	}
	var f parityFile
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

const parityBatch = 8

// parityUniform is splitmix64, as parity.py has it: n values in [0, 1).
func parityUniform(seed uint64, n int) []float64 {
	u := make([]float64, n)
	state := seed << 32
	for i := range u {
		state += 0x9E3779B97F4A7C15
		z := state
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		u[i] = float64(z>>40) / (1 << 24)
	}
	return u
}

// parityImages is batch number k.
func parityImages(k int) ([]float32, []uint8) {
	const size = 3 * 32 * 32
	patterns, noise := parityUniform(1, 10*size), parityUniform(uint64(100+k), parityBatch*size)
	x, labels := make([]float32, parityBatch*size), make([]uint8, parityBatch)
	for b := range labels {
		label := (3*b + k) % 10
		labels[b] = uint8(label)
		for p := range size {
			x[b*size+p] = float32(0.5*(2*patterns[label*size+p]-1) + (2*noise[b*size+p] - 1))
		}
	}
	return x, labels
}

func parityInit(n *Network) {
	seed := uint64(10)
	for _, l := range n.parts {
		if l.Norm {
			for i := range l.Weight.Len {
				n.params[l.Weight.Offset+i] = 1
			}
			continue
		}
		bound := 1 / math.Sqrt(float64(l.Cols))
		for _, r := range []Range{l.Weight, l.Bias} {
			if r.Len == 0 {
				continue
			}
			for i, u := range parityUniform(seed, r.Len) {
				n.params[r.Offset+i] = float32((2*u - 1) * bound)
			}
			seed++
		}
	}
}

// From the same weights and batches, training follows PyTorch's in float64: to 1e-5
// at first, then to 1e-3, and for half of the iterations to 1e-5 or, where PyTorch's
// own float32 strays further, as far as that. When rounding puts one unit on the other
// side of a kink, the losses part by 1e-7 to 1e-4 at once, and later more: then they must not
// when each weight is another by its last bit.
func TestParity(t *testing.T) {
	for _, run := range readParity(t).Runs {
		t.Run(fmt.Sprintf("%s/%s/%s/%g", run.Network, run.Loss, run.Optimizer.Name, run.Optimizer.LR), func(t *testing.T) {
			if testing.Short() && (run.Network == "cnn" || run.Network == "resnet20" && run.Iterations > 10) {
				t.Skip("takes seconds")
			}
			if len(run.Losses) != run.Iterations || run.Iterations < 2 {
				t.Fatalf("%d losses of %d iterations", len(run.Losses), run.Iterations)
			}
			err := follow(t, run, func([]float32) {})
			if err != nil {
				t.Log("again, with other last bits: ", err)
				err = follow(t, run, func(params []float32) {
					for i, w := range params { // of all: not every weight moves that unit
						params[i] = math.Nextafter32(w, 1)
					}
				})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// follow trains as PyTorch did, from weights that change may change, and returns where the losses part.
func follow(t *testing.T, run parityRun, change func(params []float32)) error {
	loss, err := ParseLoss(run.Loss)
	if err != nil {
		return err
	}
	n := build(t, run.Network, Options{Input: Shape{3, 32, 32}, Classes: 10, Batch: parityBatch, Threads: 2, Loss: loss})
	parityInit(n)
	change(n.params)
	o := run.Optimizer
	u, err := Optimizer{Name: o.Name, LR: o.LR, Momentum: o.Momentum, Nesterov: o.Nesterov, WeightDecay: o.WeightDecay}.New(len(n.Params()))
	if err != nil {
		return err
	}
	const allowed = 1e-3
	var all []float64
	check := func(what string, got, want, allowed float64) error {
		d := math.Abs(got-want) / math.Abs(want)
		all = append(all, d)
		if !(d <= allowed) {
			return fmt.Errorf("%s: loss %v, PyTorch %v: off by %.2g, allowed %.2g", what, got, want, d, allowed)
		}
		return nil
	}
	slow := run.Network == "cnn" || run.Network == "resnet20"
	for i, want := range run.Losses {
		if slow && kernel.Name() == "go" && i == 10 {
			t.Skip("the first iterations are right; all take a minute without assembly")
		}
		x, labels := parityImages(i)
		got := n.Step(x, labels)
		u.Update(n.Params(), n.Grads(), o.LR, nil)
		limit := allowed
		if i == 0 {
			limit = 1e-5
		}
		if err := check(fmt.Sprintf("iteration %d", i), got, want, limit); err != nil {
			return err
		}
	}
	x, labels := parityImages(999)
	sum, _ := n.Evaluate(x, labels)
	if err := check("inference", sum/parityBatch, run.Evaluation, allowed); err != nil {
		return err
	}
	worst := slices.Max(all)
	slices.Sort(all)
	if half := all[len(all)/2]; half > max(1e-5, run.Float32) {
		return fmt.Errorf("half of the losses are off by more than %.2g", half)
	}
	t.Logf("largest relative deviation %.2g; PyTorch's own float32: %.2g", worst, run.Float32)
	return nil
}

// Tensors have the names and shapes of PyTorch's state_dict, so that either
// loads what the other has saved.
func TestStateDict(t *testing.T) {
	networks := readParity(t).Tensors
	for _, name := range References() {
		want := networks[name]
		if len(want) == 0 {
			t.Fatalf("no state_dict of %s", name)
		}
		n := build(t, name, Options{Input: Shape{3, 32, 32}, Classes: 10, Batch: 1})
		got := map[string]bool{}
		for _, s := range n.Tensors() {
			got[s.Name] = true
			if shape, ok := want[s.Name]; !ok || !slices.Equal(shape, s.Shape) {
				t.Errorf("%s: tensor %q of shape %v: PyTorch has %v", name, s.Name, s.Shape, shape)
			}
		}
		for tensor, shape := range want {
			// A count that PyTorch adds when it is absent.
			if !got[tensor] && len(shape) > 0 {
				t.Errorf("%s: no tensor %q of shape %v", name, tensor, shape)
			}
		}
	}
}
