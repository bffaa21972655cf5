package swap

import (
	"math"
	"slices"
	"testing"
)

func TestWindowText(t *testing.T) {
	for text, want := range map[string]Window{
		"0.01":         {Size: 0.01},
		"0.1std":       {Size: 0.1, Unit: Spread},
		"2lr":          {Size: 2, Unit: LearningRate},
		"0.1std..0std": {Size: 0.1, Unit: Spread, Anneal: true},
		"0.1..0.001":   {Size: 0.1, Anneal: true, End: 0.001},
		"3lr..1lr":     {Size: 3, Unit: LearningRate, Anneal: true, End: 1},
	} {
		got, err := parseWindow(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %+v (%s), %v, want %+v", text, got, got, err, want)
		}
	}
	if w, err := parseWindow("0.1std..0"); err != nil || w.String() != "0.1std..0std" {
		t.Errorf("0.1std..0: %s, %v", w, err)
	}
	for _, text := range []string{"0", "-1", "std", "0.1sd", "0.1std..2lr", "0.1..", "0.1..-1", "NaN"} {
		if w, err := parseWindow(text); err == nil {
			t.Errorf("%s is taken for %+v", text, w)
		}
	}
	for _, text := range []string{
		"weights:1SS window=0.1..0.01",                           // no ramp
		"weights:1SS window=0.1..0.01 ramp=linear",               // no end
		"weights:1SS window=0.1..0.01 p=1..0.1 ramp=exp until=9", // two ramps
		"features:1SS window=2lr", "features:1SS window=2std",    // no layers
		"diameters:S window=0.2..0.1 ramp=linear until=9",      // no end of time
		"weights:1SA window=0.1std", "lengths:S window=0.1std", //
		"weights:1SS window=0.1 ramp=linear until=9 n=1..9 p=1..1", //
	} {
		if p, err := Parse(text); err == nil {
			t.Errorf("%s is taken for %s", text, p)
		}
	}
}

// Two layers of spreads 1 and 10, whose values lie evenly: no exchange moves a value
// by more than its layer's window, some move it by nearly as much.
func TestWindowUnits(t *testing.T) {
	const n = 400
	blocks := func() []Block {
		var list []Block
		for _, scale := range []float32{1, 10} {
			b := Block{Name: "a", Rows: 1, Cols: n, Data: make([]float32, n), Grad: make([]float32, n)}
			for i := range b.Data {
				b.Data[i] = scale * (float32(i)/n - 0.5) * float32(math.Sqrt(12)) // standard deviation scale
			}
			stream(4).Shuffle(n, func(i, j int) { b.Data[i], b.Data[j] = b.Data[j], b.Data[i] })
			for i := range b.Grad {
				b.Grad[i] = stream(uint64(i)).Float32()
			}
			list = append(list, b)
		}
		return list
	}
	for _, c := range []struct {
		window string
		t      int
		rate   float64
		want   [2]float64
	}{
		{"0.5", 0, 0, [2]float64{0.5, 0.5}},
		{"0.2std", 0, 0, [2]float64{0.2, 2}},
		{"10lr", 0, 0.03, [2]float64{0.3, 0.3}},
		{"10lr", 0, 0, [2]float64{0, 0}},
		{"0.4std..0std ramp=linear until=100", 75, 0, [2]float64{0.1, 1}},
		{"1..0.5 ramp=linear until=100", 0, 0, [2]float64{1, 1}},
		{"1..0.5 ramp=linear until=100", 100, 0, [2]float64{0, 0}}, // over
	} {
		for _, how := range []string{"weights:11S each n=all guide=gradient accept=greedy", "weights:11S each n=500 accept=always"} {
			p, err := Parse(how + " window=" + c.window)
			if err != nil {
				t.Fatal(err)
			}
			list := blocks()
			m, err := New(p, list, stream(7))
			if err != nil {
				t.Fatal(err)
			}
			m.SetLearningRate(c.rate)
			before := [2][]float32{slices.Clone(list[0].Data), slices.Clone(list[1].Data)}
			m.Step(c.t, nil)
			for k, b := range list {
				if p.Accept == Always { // a value may move many times: look at one swap
					break
				}
				largest := 0.0
				for i, x := range b.Data {
					largest = max(largest, math.Abs(float64(x-before[k][i])))
				}
				if largest > c.want[k]*1.001 || largest < c.want[k]/2 {
					t.Errorf("%s at %d: layer %d: a value moved by %g, want up to %g", p, c.t, k, largest, c.want[k])
				}
			}
			for k := range list {
				if same := slices.Equal(list[k].Data, before[k]); p.Accept == Always && same != (c.want[k] == 0) {
					t.Errorf("%s at %d: layer %d unchanged: %v, want %v", p, c.t, k, same, c.want[k] == 0)
				}
			}
		}
	}
}

// The swaps are the same on any number of threads, here made in any order.
func TestRunnerDoesNotChangeTheSwaps(t *testing.T) {
	for _, text := range []string{
		"weights:1SS each n=all guide=momentum accept=greedy",
		"weights:11S each n=all guide=momentum window=0.2 accept=greedy",
		"weights:SSS n=all guide=gradient accept=greedy",
		"weights:1S1 n=all guide=momentum accept=greedy",
	} {
		p, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var want [][]float32
		for _, run := range []Runner{nil, func(n int, f func(k, worker int)) {
			for _, k := range stream(9).Perm(n) {
				f(k, 0)
			}
		}} {
			r := stream(3)
			var blocks []Block
			for _, size := range [][2]int{{7, 300}, {90, 120}, {1, 5}} {
				b := Block{Name: "b", Rows: size[0], Cols: size[1], Data: make([]float32, size[0]*size[1]), Grad: make([]float32, size[0]*size[1])}
				for i := range b.Data {
					b.Data[i], b.Grad[i] = r.Float32(), r.Float32()-0.5
				}
				blocks = append(blocks, b)
			}
			m, err := New(p, blocks, r)
			if err != nil {
				t.Fatal(err)
			}
			if run != nil {
				m.SetRunner(run)
			}
			total := 0
			for step := range 5 {
				_, accepted := m.Step(step, nil)
				total += accepted
			}
			got := [][]float32{{float32(total)}, m.Average(), blocks[0].Data, blocks[1].Data, blocks[2].Data}
			if want == nil {
				want = got
				if total == 0 {
					t.Errorf("%s: no swap", p)
				}
				continue
			}
			for k := range got {
				if !slices.Equal(got[k], want[k]) {
					t.Errorf("%s: slice %d differs", p, k)
				}
			}
		}
	}
}
