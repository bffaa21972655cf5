package swap

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

func stream(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// numbered returns blocks of the given sizes whose entries are all different.
func numbered(sizes ...[2]int) []Block {
	var blocks []Block
	next := float32(0)
	for i, s := range sizes {
		b := Block{Name: string(rune('a' + i)), Rows: s[0], Cols: s[1], Data: make([]float32, s[0]*s[1]), Grad: make([]float32, s[0]*s[1])}
		for k := range b.Data {
			b.Data[k] = next
			next++
		}
		blocks = append(blocks, b)
	}
	return blocks
}

func sizes(target Target) [][2]int {
	switch target {
	case Features:
		return [][2]int{{3, 16}, {3, 16}, {3, 16}, {3, 16}}
	case Weights:
		return [][2]int{{4, 6}, {4, 6}, {7, 3}, {4, 9}, {5, 6}}
	case Biases, Params:
		return [][2]int{{1, 5}, {1, 8}, {1, 5}}
	}
	return [][2]int{{1, 12}}
}

// cell is where an entry lies.
type cell struct{ item, row, col int }

func (c cell) axis(target Target, k int) int {
	switch len(axes[target]) {
	case 3:
		return [3]int{c.item, c.row, c.col}[k]
	case 2:
		return [2]int{c.item, c.col}[k]
	}
	return c.col
}

// moved returns, for numbered blocks, from which cell to which cell each entry
// that is not at its place has gone.
func moved(blocks []Block) map[cell]cell {
	var home []cell
	for i, b := range blocks {
		for k := range b.Data {
			home = append(home, cell{i, k / b.Cols, k % b.Cols})
		}
	}
	out := map[cell]cell{}
	for i, b := range blocks {
		for k, v := range b.Data {
			if to := (cell{i, k / b.Cols, k % b.Cols}); home[int(v)] != to {
				out[home[int(v)]] = to
			}
		}
	}
	return out
}

// Every code exchanges entries in pairs, keeps all values, and touches only what
// its letters name: on an axis marked 1 one index, the same on both sides; on S
// two; on A all.
func TestSwapTouchesWhatItsCodeNames(t *testing.T) {
	for _, target := range Targets() {
		for _, code := range Codes(target) {
			for seed := range uint64(50) {
				blocks := numbered(sizes(target)...)
				m, err := New(Protocol{Target: target, Code: code, Accept: Always}, blocks, stream(seed))
				if err != nil {
					t.Fatal(err)
				}
				if proposed, accepted := m.Step(0, nil); proposed < 1 || accepted != proposed {
					t.Fatalf("%s:%s: %d proposed, %d accepted", target, code, proposed, accepted)
				}
				checkMove(t, target, code, blocks)
			}
		}
	}
}

func checkMove(t *testing.T, target Target, code string, blocks []Block) {
	t.Helper()
	m := moved(blocks)
	if len(m) == 0 {
		t.Fatalf("%s:%s moved nothing", target, code)
	}
	// Layers draw their own indices where all of them take part.
	shared := target == Features || code[0] != 'A'
	used := make([]map[int]bool, len(code))
	for k := range code {
		used[k] = map[int]bool{}
	}
	for from, to := range m {
		if m[to] != from {
			t.Fatalf("%s:%s: %v went to %v but %v went to %v", target, code, from, to, to, m[to])
		}
		for k, letter := range code {
			a, b := from.axis(target, k), to.axis(target, k)
			if (a != b) != (letter == 'S') {
				t.Fatalf("%s:%s: %v exchanged with %v", target, code, from, to)
			}
			used[k][a] = true
		}
	}
	for k, letter := range code {
		want := map[rune]int{'1': 1, 'S': 2}[letter]
		if letter == 'A' {
			want = len(blocks)
			if k > 0 || len(axes[target]) == 1 {
				continue // sizes differ from layer to layer; the count below covers it
			}
		}
		if shared && len(used[k]) != want {
			t.Fatalf("%s:%s: axis %d has %d indices, want %d", target, code, k+1, len(used[k]), want)
		}
	}
	// As many entries move as the letters say: A counts the whole axis.
	want := 0
	for i, b := range blocks {
		n, touched := 1, false
		for from := range m {
			touched = touched || from.item == i
		}
		if !touched {
			continue
		}
		lengths := map[int][]int{3: {1, b.Rows, b.Cols}, 2: {1, b.Cols}, 1: {b.Cols}}[len(code)]
		within := true
		for k, letter := range code {
			if letter == 'A' {
				n *= lengths[k]
			}
			if k == 0 && letter == 'S' && len(code) > 1 {
				within = false
			}
		}
		if within {
			n *= 2
		}
		want += n
	}
	if len(m) != want {
		t.Fatalf("%s:%s: %d entries moved, want %d", target, code, len(m), want)
	}
}

// Making the same swaps in reverse order restores everything: one draw repeated
// is the identity.
func TestSwapIsAnInvolution(t *testing.T) {
	for _, target := range Targets() {
		for _, code := range Codes(target) {
			blocks := numbered(sizes(target)...)
			for range 2 {
				m, err := New(Protocol{Target: target, Code: code, Accept: Always}, blocks, stream(5))
				if err != nil {
					t.Fatal(err)
				}
				m.Step(0, nil)
			}
			if left := moved(blocks); len(left) > 0 {
				t.Errorf("%s:%s twice leaves %v", target, code, left)
			}
		}
	}
}

func TestManySwapsKeepTheMultiset(t *testing.T) {
	for _, target := range Targets() {
		for _, code := range Codes(target) {
			for _, n := range []Count{{Value: 20}, {All: true}} {
				blocks := numbered(sizes(target)...)
				m, err := New(Protocol{Target: target, Code: code, N: n, Accept: Always}, blocks, stream(1))
				if err != nil {
					t.Fatal(err)
				}
				for it := range 20 {
					m.Step(it, nil)
				}
				var values []float32
				for _, b := range blocks {
					values = append(values, b.Data...)
				}
				slices.Sort(values)
				for k, v := range values {
					if v != float32(k) {
						t.Fatalf("%s:%s n=%s: value %d is now %v", target, code, n, k, v)
					}
				}
			}
		}
	}
}

// n=all is a matching: no entry takes part twice, and each pair is one that the
// code could have drawn.
func TestAllIsAMatching(t *testing.T) {
	for _, target := range Targets() {
		for _, code := range Codes(target) {
			for seed := range uint64(30) {
				blocks := numbered(sizes(target)...)
				m, err := New(Protocol{Target: target, Code: code, N: Count{All: true}, Accept: Always}, blocks, stream(seed))
				if err != nil {
					t.Fatal(err)
				}
				m.Step(0, nil)
				for from, to := range moved(blocks) {
					if back := moved(blocks)[to]; back != from {
						t.Fatalf("%s:%s: %v went to %v, but %v to %v", target, code, from, to, to, back)
					}
					for k, letter := range code {
						if (from.axis(target, k) != to.axis(target, k)) != (letter == 'S') {
							t.Fatalf("%s:%s: %v paired with %v", target, code, from, to)
						}
					}
				}
			}
		}
	}
}

// chi2 returns the probability of counts as uneven as these, or more, if all are
// equally likely.
func chi2(counts map[[2]cell]int, categories int) float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	mean := float64(total) / float64(categories)
	sum := mean * float64(categories-len(counts)) // categories never seen
	for _, c := range counts {
		sum += (float64(c) - mean) * (float64(c) - mean) / mean
	}
	return 1 - distuv.ChiSquared{K: float64(categories - 1)}.CDF(sum)
}

func TestDrawsAreUniform(t *testing.T) {
	choose2 := func(n int) int { return n * (n - 1) / 2 }
	for _, c := range []struct {
		target Target
		code   string
		n      Count
		sizes  [][2]int
		want   int // equally likely pairs, told apart by the least of their cells
	}{
		{Features, "1SA", Count{Value: 1}, [][2]int{{3, 4}, {3, 4}, {3, 4}}, 3 * choose2(3)},
		{Features, "S11", Count{Value: 1}, [][2]int{{2, 3}, {2, 3}, {2, 3}}, choose2(3) * 2 * 3},
		{Features, "1SS", Count{Value: 1}, [][2]int{{3, 4}, {3, 4}}, 2 * 3 * 4 * 2 * 3 / 2},
		{Features, "SSS", Count{Value: 1}, [][2]int{{3, 4}, {3, 4}}, 3 * 4 * 2 * 3},
		{Weights, "11S", Count{Value: 1}, [][2]int{{3, 5}}, 3 * choose2(5)},
		{Weights, "S1A", Count{Value: 1}, [][2]int{{3, 5}, {3, 5}, {3, 4}}, 3},
		{Params, "SS", Count{Value: 1}, [][2]int{{1, 3}, {1, 5}}, 3*5 - 3},
		{Diameters, "S", Count{Value: 1}, [][2]int{{1, 7}}, choose2(7)},
		{Diameters, "S", Count{All: true}, [][2]int{{1, 7}}, choose2(7)},
		{Diameters, "S", Count{All: true}, [][2]int{{1, 8}}, choose2(8)},
		{Weights, "1SS", Count{All: true}, [][2]int{{3, 5}}, 3 * 5 * 2 * 4 / 2},
		{Weights, "1S1", Count{All: true}, [][2]int{{5, 2}}, choose2(5) * 2},
	} {
		counts := map[[2]cell]int{}
		r := stream(11)
		for range 4000 {
			blocks := numbered(c.sizes...)
			m, err := New(Protocol{Target: c.target, Code: c.code, N: c.n, Accept: Always}, blocks, r)
			if err != nil {
				t.Fatal(err)
			}
			m.Step(0, nil)
			best := [2]cell{{item: math.MaxInt}}
			for from, to := range moved(blocks) {
				if c.n.All {
					if less(from, to) {
						counts[[2]cell{from, to}]++
					}
				} else if less(from, best[0]) {
					best = [2]cell{from, to}
				}
			}
			if !c.n.All {
				counts[best]++
			}
		}
		if len(counts) > c.want {
			t.Errorf("%s:%s n=%s: %d different pairs, want %d", c.target, c.code, c.n, len(counts), c.want)
		}
		if p := chi2(counts, c.want); !(p > 1e-4) {
			t.Errorf("%s:%s n=%s: chi-squared probability %.2g over %d pairs: %v", c.target, c.code, c.n, p, c.want, counts)
		}
	}
}

func less(a, b cell) bool {
	switch {
	case a.item != b.item:
		return a.item < b.item
	case a.row != b.row:
		return a.row < b.row
	}
	return a.col < b.col
}

// Metropolis swaps visit the arrangements of four values with Boltzmann's
// probabilities, for one swap at a time, for a window that cuts some pairs, and
// for matchings.
func TestMetropolisSamplesBoltzmann(t *testing.T) {
	const T = 0.7
	for _, c := range []struct {
		n      Count
		window float64
	}{{Count{Value: 1}, 0}, {Count{Value: 1}, 1.3}, {Count{Value: 3}, 0}, {Count{All: true}, 0}} {
		blocks := []Block{{Name: "system", Rows: 1, Cols: 4, Data: []float32{0, 1, 2, 3}}}
		x := blocks[0].Data
		energy := func() float64 {
			return float64(0.3*x[0]*x[1]+0.5*x[1]*x[2]-0.2*x[2]*x[3]) + 0.1*float64(x[0])
		}
		m, err := New(Protocol{Target: Diameters, Code: "S", N: c.n, Window: Window{Size: c.window}, Accept: Metropolis, T: T}, blocks, stream(3))
		if err != nil {
			t.Fatal(err)
		}
		// Exact: enumerate the 24 arrangements.
		weight := map[[4]float32]float64{}
		z := 0.0
		permutations(x, func() {
			w := math.Exp(-energy() / T)
			weight[[4]float32(x)] = w
			z += w
		})
		const sweeps, blocksOf = 200_000, 50
		seen := map[[4]float32][]float64{}
		for k := range weight {
			seen[k] = make([]float64, blocksOf)
		}
		for s := range sweeps {
			m.Step(s, energy)
			seen[[4]float32(x)][s*blocksOf/sweeps]++
		}
		for k, w := range weight {
			// The error comes from the scatter between long blocks.
			var mean, square float64
			for _, n := range seen[k] {
				f := n / (sweeps / blocksOf)
				mean += f / blocksOf
				square += f * f / blocksOf
			}
			sigma := math.Sqrt((square - mean*mean) / (blocksOf - 1))
			if want := w / z; math.Abs(mean-want) > 4.5*sigma+1e-5 {
				t.Errorf("n=%s window=%g: arrangement %v has probability %.5f +- %.5f, want %.5f", c.n, c.window, k, mean, sigma, want)
			}
		}
	}
}

func permutations(x []float32, visit func()) {
	var rec func(int)
	rec = func(k int) {
		if k == len(x) {
			visit()
			return
		}
		for i := k; i < len(x); i++ {
			x[k], x[i] = x[i], x[k]
			rec(k + 1)
			x[k], x[i] = x[i], x[k]
		}
	}
	rec(0)
}

func TestGreedyNeverGoesUp(t *testing.T) {
	blocks := numbered([2]int{1, 20})
	r := stream(9)
	field := make([]float64, 20)
	for k := range field {
		field[k] = r.NormFloat64()
	}
	energy := func() (e float64) {
		for k, v := range blocks[0].Data {
			e += field[k] * float64(v)
		}
		return e
	}
	m, err := New(Protocol{Target: Lengths, Code: "S", Accept: Greedy}, blocks, r)
	if err != nil {
		t.Fatal(err)
	}
	last := energy()
	for s := range 5000 {
		m.Step(s, energy)
		if e := energy(); e > last+1e-9 {
			t.Fatalf("step %d: energy rose from %g to %g", s, last, e)
		} else {
			last = e
		}
	}
	// The ground state puts the largest value where the field is lowest.
	want := 0.0
	slices.Sort(field)
	for k, h := range field {
		want += h * float64(19-k)
	}
	if math.Abs(last-want) > 1e-4 {
		t.Errorf("energy %g, ground state %g", last, want)
	}
}

// For a loss that is linear in the weights the first-order change is exact:
// guided greedy swaps lower it and end with weights sorted against the gradient.
func TestGuidedSwapsSortAgainstTheGradient(t *testing.T) {
	for _, text := range []string{
		"weights:1SS each n=all guide=gradient accept=greedy",
		"weights:1SS each n=all guide=momentum beta=0.5 accept=greedy",
		"weights:1SS each n=200 guide=gradient accept=greedy",
		"params:1S each n=all guide=gradient accept=greedy",
		"params:1S each n=all guide=gradient accept=greedy carry=momentum",
	} {
		p, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		size := [2]int{9, 14}
		if p.Target == Params {
			size = [2]int{1, 126}
		}
		blocks := numbered(size)
		r := stream(2)
		for k := range blocks[0].Grad {
			blocks[0].Grad[k] = float32(r.NormFloat64())
		}
		r.Shuffle(len(blocks[0].Data), func(i, j int) {
			d := blocks[0].Data
			d[i], d[j] = d[j], d[i]
		})
		m, err := New(p, blocks, r)
		if err != nil {
			t.Fatal(err)
		}
		loss := func() (l float64) {
			for k, g := range blocks[0].Grad {
				l += float64(g) * float64(blocks[0].Data[k])
			}
			return l
		}
		last := loss()
		for s := range 3000 {
			m.Step(s, nil)
			l := loss()
			if l > last+1e-3 {
				t.Fatalf("%s: step %d raised the loss from %g to %g", text, s, last, l)
			}
			last = l
		}
		order := make([]int, len(blocks[0].Grad))
		for k := range order {
			order[k] = k
		}
		slices.SortFunc(order, func(a, b int) int {
			if blocks[0].Grad[a] < blocks[0].Grad[b] {
				return -1
			}
			return 1
		})
		want := 0.0
		for rank, k := range order {
			want += float64(blocks[0].Grad[k]) * float64(len(order)-1-rank)
		}
		if math.Abs(last-want) > 1e-3*math.Abs(want) {
			t.Errorf("%s: loss %g, sorted %g", text, last, want)
		}
	}
}

// The bulk comparison makes the decisions of the plain rule, pair by pair.
func TestBulkComparisonIsThePlainRule(t *testing.T) {
	for _, code := range []string{"11S", "1SS", "S1S", "SSS", "ASS"} {
		p := Protocol{Target: Weights, Code: code, N: Count{All: true}, Guide: ByGradient, Accept: Greedy, Window: Window{Size: 0.8}}
		fast, slow := numbered(sizes(Weights)...), numbered(sizes(Weights)...)
		r := stream(8)
		for i := range fast {
			for k := range fast[i].Data {
				fast[i].Data[k], fast[i].Grad[k] = float32(r.NormFloat64()), float32(r.NormFloat64())
			}
			copy(slow[i].Data, fast[i].Data)
			copy(slow[i].Grad, fast[i].Grad)
		}
		a, err := New(p, fast, stream(4))
		if err != nil {
			t.Fatal(err)
		}
		p.Carry = true // optimiser state cannot be carried in bulk; here there is none
		b, err := New(p, slow, stream(4))
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for s := range 50 {
			p1, a1 := a.Step(s, nil)
			p2, a2 := b.Step(s, nil)
			if p1 != p2 || a1 != a2 {
				t.Fatalf("%s: step %d: %d/%d in bulk, %d/%d one by one", code, s, a1, p1, a2, p2)
			}
			total += a1
			for i := range fast {
				if !slices.Equal(fast[i].Data, slow[i].Data) {
					t.Fatalf("%s: step %d: block %d differs", code, s, i)
				}
			}
		}
		if total == 0 {
			t.Errorf("%s: no swap was accepted", code)
		}
	}
}

// A guided Metropolis swap is kept with probability exp(-dL1/T).
func TestGuidedMetropolisRate(t *testing.T) {
	blocks := []Block{{Name: "w", Rows: 1, Cols: 2, Data: []float32{1, 2}, Grad: []float32{1, 0}}}
	m, err := New(Protocol{Target: Params, Code: "1S", Guide: ByGradient, Accept: Metropolis, T: 2}, blocks, stream(1))
	if err != nil {
		t.Fatal(err)
	}
	const n = 40_000
	kept := 0
	for s := range n {
		copy(blocks[0].Data, []float32{1, 2}) // dL1 = (1-0)(2-1) = 1
		_, accepted := m.Step(s, nil)
		kept += accepted
	}
	want := math.Exp(-0.5)
	if got := float64(kept) / n; math.Abs(got-want) > 5*math.Sqrt(want*(1-want)/n) {
		t.Errorf("kept %.4f, want %.4f", got, want)
	}
}

func TestWindowRefusesDistantPairs(t *testing.T) {
	blocks := numbered([2]int{1, 30})
	m, err := New(Protocol{Target: Diameters, Code: "S", N: Count{Value: 50}, Window: Window{Size: 3}, Accept: Always}, blocks, stream(1))
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(blocks[0].Data)
	m.protocol.N.Value = 1
	refused := 0
	for s := range 2000 {
		copy(before, blocks[0].Data)
		proposed, accepted := m.Step(s, nil)
		refused += proposed - accepted
		for k, v := range blocks[0].Data {
			if v != before[k] && math.Abs(float64(v-before[k])) > 3 {
				t.Fatalf("exchanged %v and %v", v, before[k])
			}
		}
	}
	if refused == 0 || refused == 2000 {
		t.Errorf("%d of 2000 refused", refused)
	}
}

func TestCarryAndGauge(t *testing.T) {
	b := numbered([2]int{3, 4})[0]
	state := slices.Clone(b.Data)
	b.Carry = [][]float32{state}
	bias, biasState := []float32{0, 1, 2}, []float32{0, 1, 2}
	next := numbered([2]int{2, 3 * 5})[0].Data // two units that read three channels of five pixels
	b.Gauge = []Coupled{{Data: bias, Outer: 1, Inner: 1, Carry: [][]float32{biasState}}, {Data: next, Outer: 2, Inner: 5}}
	m, err := New(Protocol{Target: Weights, Code: "1SA", Gauge: true, Carry: true}, []Block{b}, stream(6))
	if err != nil {
		t.Fatal(err)
	}
	for s := range 20 {
		m.Step(s, nil)
		for u := range 3 {
			unit := bias[u] // who sits here now
			if got := b.Data[u*4]; got != unit*4 {
				t.Fatalf("row %d holds %v, its bias says unit %v", u, got, unit)
			}
			if state[u*4] != unit*4 || biasState[u] != unit {
				t.Fatalf("row %d: optimiser state stayed behind", u)
			}
			for o := range 2 {
				for i := range 5 {
					if got, want := next[(o*3+u)*5+i], (float32(o)*3+unit)*5+float32(i); got != want {
						t.Fatalf("column (%d,%d,%d) is %v, want %v", o, u, i, got, want)
					}
				}
			}
		}
	}
}

func TestEachRunsOverEveryIndex(t *testing.T) {
	p := Protocol{Target: Features, Code: "1SA", Each: true}
	blocks := numbered(sizes(Features)...)
	m, err := New(p, blocks, stream(1))
	if err != nil {
		t.Fatal(err)
	}
	if proposed, _ := m.Step(0, nil); proposed != 4 {
		t.Errorf("%d swaps, want one for each of 4 images", proposed)
	}
	p.P = 0.25
	if m, err = New(p, blocks, stream(1)); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for s := range 5000 {
		proposed, _ := m.Step(s, nil)
		sum += proposed
	}
	// 20,000 draws of probability 1/4.
	if math.Abs(float64(sum)-5000) > 5*math.Sqrt(20000*0.25*0.75) {
		t.Errorf("%d of 20000, want about 5000", sum)
	}
}

func TestSchedule(t *testing.T) {
	parse := func(s string) Protocol {
		p, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, c := range []struct {
		text string
		at   int
		p    float64
		n    int
	}{
		{"features:1SA", 0, 1, 1},
		{"features:1SA every=10", 9, 0, 1},
		{"features:1SA every=10", 20, 1, 1},
		{"features:1SA every=10 from=5", 15, 1, 1},
		{"features:1SA from=5 until=8", 4, 0, 1},
		{"features:1SA from=5 until=8", 7, 1, 1},
		{"features:1SA from=5 until=8", 8, 0, 1},
		{"features:1SA p=0.8 until=100 ramp=linear", 50, 0.4, 1},
		{"features:1SA p=0..0.8 until=100 ramp=linear", 25, 0.2, 1},
		{"features:1SA p=0.8 until=100 ramp=cosine", 50, 0.4, 1},
		{"features:1SA n=100..20 until=100 ramp=linear", 50, 1, 60},
		{"features:1SA n=0.1B", 0, 1, 3},
		{"features:1SA n=0.001B", 0, 1, 1},
		{"features:1SA p=1 until=100 ramp=exp", 20, 1 - (1-math.Exp(-1))/(1-math.Exp(-5)), 1},
	} {
		p := parse(c.text)
		if got := p.Probability(c.at); math.Abs(got-c.p) > 1e-12 {
			t.Errorf("%s at %d: probability %g, want %g", c.text, c.at, got, c.p)
		}
		if got := p.Swaps(c.at, 32); got != c.n {
			t.Errorf("%s at %d: %d swaps, want %d", c.text, c.at, got, c.n)
		}
	}
}

func TestNewRefusesWhatCannotBe(t *testing.T) {
	layers := numbered([2]int{6, 75}, [2]int{16, 150}, [2]int{1, 1})
	for text, want := range map[string]string{
		"weights:SAA":               "weights:SAA: no two layers agree in size on the axes marked A: a (6 x 75), b (16 x 150), c (1 x 1)",
		"weights:1SA layers=0":      `no layer "0": want some of [a b c]`,
		"weights:1SA layers=c":      "no block has two indices on every axis marked S: c (1 x 1)",
		"weights:S11 layers=a":      "want at least two layers: a (6 x 75)",
		"weights:1SA gauge=true":    "no block",
		"biases:1S":                 "block a has 6 rows: want 1",
		"weights:1SA accept=greedy": "",
	} {
		p, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = New(p, layers, stream(1))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
	short := numbered([2]int{2, 2})
	short[0].Grad = nil
	p, _ := Parse("weights:1SS guide=gradient accept=greedy")
	if _, err := New(p, short, stream(1)); err == nil || !strings.Contains(err.Error(), "gradient of length 0: want 4") {
		t.Errorf("missing gradient: %v", err)
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	for _, text := range []string{"features:1SA", "features:ASA", "features:SSS n=5", "weights:1SS each n=all guide=momentum accept=greedy",
		"weights:11S each n=all guide=lookahead", "weights:1S1 each n=all guide=gradient cycles accept=greedy",
		"weights:1SS n=4 propose=gradient accept=metropolis T=1", "weights:SSS propose=gradient accept=metropolis T=1", "weights:SSS n=all", "weights:1SA", "params:SS n=3", "weights:1SS n=4 accept=metropolis T=1"} {
		p, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		m, err := New(p, numbered(sizes(p.Target)...), stream(1))
		if err != nil {
			t.Fatal(err)
		}
		energy := func() float64 { return 0 }
		if n := testing.AllocsPerRun(20, func() { m.Step(0, energy) }); n != 0 {
			t.Errorf("%s: %v allocations a step", text, n)
		}
	}
}
