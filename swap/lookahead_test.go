package swap

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func parse(t testing.TB, text string) Protocol {
	t.Helper()
	p, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// bind binds a protocol to blocks of these sizes with random values and gradients,
// some of them equal.
func bind(t testing.TB, text string, seed uint64, sizes ...[2]int) (*Mover, []Block) {
	t.Helper()
	blocks, r := numbered(sizes...), stream(seed)
	for _, b := range blocks {
		for k := range b.Data {
			b.Data[k] = float32(math.Round(8*r.NormFloat64())) / 8
			b.Grad[k] = float32(r.NormFloat64())
		}
	}
	m, err := New(parse(t, text), blocks, r)
	if err != nil {
		t.Fatal(err)
	}
	return m, blocks
}

// entries lists the sets of entries that a code permutes, by hand.
func entries(code string, rows, cols int) (sets [][]int) {
	switch code[len(code)-2:] {
	case "1S":
		for r := range rows {
			var set []int
			for c := range cols {
				set = append(set, r*cols+c)
			}
			sets = append(sets, set)
		}
	case "S1":
		for c := range cols {
			var set []int
			for r := range rows {
				set = append(set, r*cols+c)
			}
			sets = append(sets, set)
		}
	case "SS":
		var set []int
		for k := range rows * cols {
			set = append(set, k)
		}
		sets = append(sets, set)
	}
	return sets
}

// After an event each vector holds its initial values, and an entry's rank among
// them is its rank among what the optimiser left, equal values in order of place.
func TestLookaheadKeepsValuesAndOrder(t *testing.T) {
	for _, text := range []string{
		"weights:11S each n=all guide=lookahead", "weights:1S1 each n=all guide=lookahead", "weights:1SS each n=all guide=lookahead",
		"weights:A1S n=all guide=lookahead", "params:1S each n=all guide=lookahead", "biases:AS n=all guide=lookahead",
	} {
		sizes := [][2]int{{4, 6}, {7, 3}, {2, 300}}
		if parse(t, text).Target != Weights {
			sizes = [][2]int{{1, 9}, {1, 400}}
		}
		m, blocks := bind(t, text, 5, sizes...)
		r := stream(6)
		initial := clone(blocks)
		for event := range 3 {
			total := 0
			for _, b := range blocks {
				for k := range b.Data {
					b.Data[k] += float32(math.Round(8*r.NormFloat64())) / 8
				}
				total += len(b.Data)
			}
			left := clone(blocks)
			if proposed, accepted := m.Step(event, nil); proposed != total || accepted != total {
				t.Errorf("%s: %d of %d moved, want all %d", text, accepted, proposed, total)
			}
			for i, b := range blocks {
				for _, set := range entries(m.protocol.Code, b.Rows, b.Cols) {
					var values []float32
					for _, k := range set {
						values = append(values, initial[i][k])
					}
					slices.Sort(values)
					slices.SortStableFunc(set, func(p, q int) int { return cmp.Compare(left[i][p], left[i][q]) })
					for rank, k := range set {
						if b.Data[k] != values[rank] {
							t.Fatalf("%s: block %d, entry %d of rank %d is %v, want %v", text, i, k, rank, b.Data[k], values[rank])
						}
					}
				}
			}
		}
	}
}

func clone(blocks []Block) (data [][]float32) {
	for _, b := range blocks {
		data = append(data, slices.Clone(b.Data))
	}
	return data
}

func TestRadixSortIsASort(t *testing.T) {
	r := stream(1)
	values := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32, -math.MaxFloat32, 1e-45, -1e-45}
	for _, n := range []int{0, 1, 2, 3, 127, 128, 129, 1000, 5000} {
		keys := make([]uint64, n)
		for k := range keys {
			x := float32(r.NormFloat64())
			switch r.IntN(4) {
			case 0:
				x = values[r.IntN(len(values))]
			case 1:
				x = math.Float32frombits(r.Uint32()&^(1<<23) | 1<<22) // any but NaN and Inf
			}
			keys[k] = uint64(ascending(x))<<32 | uint64(k)
		}
		want := slices.Clone(keys)
		slices.Sort(want)
		got := radixSort(keys, make([]uint64, n))
		if !slices.Equal(got, want) || n > 0 && &got[0] != &keys[0] {
			t.Fatalf("%d keys come out of order", n)
		}
	}
	for range 10_000 { // the keys order floats
		x, y := math.Float32frombits(r.Uint32()), math.Float32frombits(r.Uint32())
		if x < y && ascending(x) >= ascending(y) {
			t.Fatalf("%g < %g, but %#x and %#x", x, y, ascending(x), ascending(y))
		}
	}
}

// BenchmarkLookahead puts a million weights in order, in rows of several lengths.
func BenchmarkLookahead(b *testing.B) {
	for _, cols := range []int{32, 64, 128, 256, 3072} {
		b.Run(fmt.Sprint(cols), func(b *testing.B) {
			rows := 1 << 20 / cols
			m, blocks := bind(b, "weights:11S each n=all guide=lookahead", 1, [2]int{rows, cols})
			r := rand.New(rand.NewPCG(1, 2))
			left := make([]float32, rows*cols)
			for k := range left {
				left[k] = float32(r.NormFloat64())
			}
			for b.Loop() {
				copy(blocks[0].Data, left)
				m.Step(0, nil)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows*cols), "ns/weight")
		})
	}
}
