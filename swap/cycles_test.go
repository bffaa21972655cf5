package swap

import (
	"math"
	"slices"
	"testing"
)

// By hand: from the entry of the largest gradient, nearest values first.
func TestCyclesByHand(t *testing.T) {
	for _, c := range []struct {
		window            string
		grad, values, end []float32
		moved             int
	}{
		// 0 -> 1 -> 2, and from 2 down past 1, which has been looked at, to 0.
		{"2", []float32{-3, -1, 2}, []float32{0, 1, 2}, []float32{1, 2, 0}, 3},
		// 2 does not reach 0, and 0 wants up: 1 and 2 are left, a swap.
		{"1", []float32{-3, -1, 2}, []float32{0, 1, 2}, []float32{0, 2, 1}, 2},
		// All want up.
		{"9", []float32{-3, -1, -2}, []float32{0, 1, 2}, []float32{0, 1, 2}, 0},
		// Equal values are no step up or down, and no gradient is no wish.
		{"9", []float32{-1, 1, 0, 0}, []float32{1, 1, 0, 3}, []float32{1, 1, 0, 3}, 0},
		// Two swaps; the places are in no order of value.
		{"1", []float32{4, -1, -3, 2}, []float32{1, 5, 0, 6}, []float32{0, 6, 1, 5}, 4},
	} {
		for seed := range uint64(10) {
			b := Block{Name: "a", Rows: 1, Cols: len(c.values), Data: slices.Clone(c.values), Grad: c.grad}
			state := slices.Clone(c.values)
			b.Carry = [][]float32{state}
			p := parse(t, "weights:11S n=all guide=gradient cycles accept=greedy carry=momentum window="+c.window)
			m, err := New(p, []Block{b}, stream(seed))
			if err != nil {
				t.Fatal(err)
			}
			proposed, accepted := m.Step(0, nil)
			if !slices.Equal(b.Data, c.end) || proposed != len(c.values) || accepted != c.moved {
				t.Errorf("window %s: %v under %v became %v, %d of %d moved; want %v, %d", c.window, c.values, c.grad, b.Data, accepted, proposed, c.end, c.moved)
			}
			if !slices.Equal(state, b.Data) {
				t.Errorf("the optimiser's state %v did not go with the values %v", state, b.Data)
			}
		}
	}
}

// Every entry moves the way it wants to, at most by the window, or stays; values
// stay within their vector.
func TestCyclesFollowTheGradient(t *testing.T) {
	for _, text := range []string{
		"weights:11S each n=all guide=gradient cycles window=0.5 accept=greedy",
		"weights:1S1 each n=all guide=gradient cycles accept=greedy subset=4",
		"weights:A1S n=all guide=gradient cycles window=1 accept=greedy subset=300",
		"weights:1SS each n=all guide=momentum beta=0.5 cycles window=0.25 accept=greedy",
	} {
		m, blocks := bind(t, text, 3, [2]int{4, 60}, [2]int{31, 3})
		for step := range 20 {
			before := clone(blocks)
			_, accepted := m.Step(step, nil)
			moved := 0
			for i, b := range blocks {
				for k, x := range b.Data {
					d := x - before[i][k]
					if d == 0 {
						continue
					}
					moved++
					if d*b.Grad[k] >= 0 {
						t.Fatalf("%s: a value with gradient %g moved by %g", text, b.Grad[k], d)
					}
					if w := float32(m.protocol.Window.Size); w > 0 && max(d, -d) > w {
						t.Fatalf("%s: a value moved by %g", text, d)
					}
				}
				for _, set := range entries(m.protocol.Code, b.Rows, b.Cols) {
					var was, is []float32
					for _, k := range set {
						was, is = append(was, before[i][k]), append(is, b.Data[k])
					}
					slices.Sort(was)
					slices.Sort(is)
					if !slices.Equal(was, is) {
						t.Fatalf("%s: the values of a vector changed", text)
					}
				}
			}
			if moved != accepted {
				t.Fatalf("%s: %d moved, %d counted", text, moved, accepted)
			}
			if step == 0 && moved == 0 {
				t.Errorf("%s: nothing moved", text)
			}
		}
	}
}

// Where a vector is one subset, no cycle is left among the entries that stayed:
// checked by transitive closure.
func TestNoCycleIsLeft(t *testing.T) {
	left := 0
	for seed := range uint64(200) {
		m, blocks := bind(t, "params:1S n=all guide=gradient cycles window=0.4 accept=greedy subset=12", seed, [2]int{1, 12})
		b, before := blocks[0], clone(blocks)[0]
		m.Step(0, nil)
		var reach [12][12]bool
		for i := range reach {
			for j := range reach {
				d := before[j] - before[i]
				reach[i][j] = b.Data[i] == before[i] && b.Data[j] == before[j] && d*b.Grad[i] < 0 && max(d, -d) <= 0.4
				if reach[i][j] {
					left++
				}
			}
		}
		for k := range reach {
			for i := range reach {
				for j := range reach {
					reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
				}
			}
		}
		for i := range reach {
			if reach[i][i] {
				t.Fatalf("seed %d: a cycle through entry %d is left: %v under %v became %v", seed, i, before, b.Grad, b.Data)
			}
		}
	}
	if left == 0 {
		t.Error("no entry that stayed had another to go to: nothing was tested")
	}
}

// Subsets are drawn anew each time, hold at least as many entries as asked, and
// hold each entry once; two entries meet as often as chance has it.
func TestSubsetsAreRandomPartitions(t *testing.T) {
	m, blocks := bind(t, "params:1S n=all guide=gradient cycles accept=greedy subset=10", 1, [2]int{1, 57})
	clear(blocks[0].Grad)
	sizes := []int{11, 11, 12, 11, 12} // 57/5 each, rounded
	want := 0.0
	for _, n := range sizes {
		want += float64(n*(n-1)) / (57 * 56)
	}
	const steps = 20_000
	meet := 0
	for step := range steps {
		if proposed, accepted := m.Step(step, nil); proposed != 57 || accepted != 0 {
			t.Fatalf("%d entries, %d moved without a gradient", proposed, accepted)
		}
		order := slices.Clone(m.cycles.order)
		rest := order
		for _, n := range sizes {
			part := rest[:n]
			if slices.Contains(part, 8) && slices.Contains(part, 43) {
				meet++
			}
			rest = rest[n:]
		}
		slices.Sort(order)
		for k, at := range order {
			if at != k {
				t.Fatalf("entry %d comes twice or not at all", k)
			}
		}
	}
	if got := float64(meet) / steps; math.Abs(got-want) > 5*math.Sqrt(want*(1-want)/steps) {
		t.Errorf("two entries meet with probability %.4f, want %.4f", got, want)
	}
}
