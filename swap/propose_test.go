package swap

import (
	"math"
	"slices"
	"testing"
)

// quartic is a loss of four values that no first order gives, and its gradient.
type quartic struct{ block Block }

func newQuartic() quartic {
	return quartic{Block{Name: "a", Rows: 1, Cols: 4, Data: []float32{-0.9, -0.1, 0.4, 1.1}, Grad: make([]float32, 4)}}
}

func (q quartic) loss() (loss float64) {
	for k, x := range q.block.Data {
		d := float64(x) - 0.3*float64(k)
		next := float64(q.block.Data[(k+1)%4])
		loss += 0.5*d*d*d*d + 0.6*float64(x)*next*next*float64(1+k)/4
	}
	return loss
}

func (q quartic) gradient() float64 {
	x := q.block.Data
	for k := range x {
		d, next, last := float64(x[k])-0.3*float64(k), float64(x[(k+1)%4]), float64(x[(k+3)%4])
		q.block.Grad[k] = float32(2*d*d*d + 0.6*next*next*float64(1+k)/4 + 1.2*last*float64(x[k])*float64(1+(k+3)%4)/4)
	}
	return q.loss()
}

func TestQuarticGradient(t *testing.T) {
	q := newQuartic()
	q.gradient()
	for k := range q.block.Data {
		const h = 1.0 / 256
		x := q.block.Data[k]
		q.block.Data[k] = x + h
		up := q.loss()
		q.block.Data[k] = x - h
		down := q.loss()
		q.block.Data[k] = x
		if slope := (up - down) / (2 * h); math.Abs(slope-float64(q.block.Grad[k])) > 1e-4 {
			t.Errorf("slope %d is %g, want %g", k, q.block.Grad[k], slope)
		}
	}
}

// Proposals by gradient visit the arrangements with Boltzmann's probabilities,
// and the test would notice without the correction of Metropolis and Hastings:
// the exact stationary distribution of the uncorrected chain is far away.
func TestProposalsByGradientSampleBoltzmann(t *testing.T) {
	const T = 0.25
	q := newQuartic()
	values := slices.Clone(q.block.Data)
	var states [][4]float32
	var boltzmann []float64
	z := 0.0
	permutations(q.block.Data, func() {
		w := math.Exp(-q.loss() / T)
		states, boltzmann = append(states, [4]float32(q.block.Data)), append(boltzmann, w)
		z += w
	})
	for k := range boltzmann {
		boltzmann[k] /= z
	}
	if d := difference(stationary(q, states, T, true), boltzmann); d > 1e-9 {
		t.Errorf("the exact chain is off by %g", d)
	}
	// In a set of two pairs and more.
	uncorrected := difference(stationary(q, states, T, false), boltzmann)

	for _, text := range []string{
		"params:1S propose=gradient pairs=2 accept=metropolis T=0.25",
		"params:1S each n=3 propose=gradient pairs=5 accept=metropolis T=0.25",
		"params:1S propose=gradient window=1 accept=metropolis T=0.25", // without a window, wrong promises keep so large a set from moving
		"params:1S n=2 propose=gradient pairs=3 window=1.5 accept=metropolis T=0.25",
		"params:1S propose=gradient pairs=3 accept=metropolis T=0.25 carry=momentum",
	} {
		copy(q.block.Data, values)
		state := slices.Clone(values)
		b := q.block
		b.Carry = [][]float32{state}
		m, err := New(parse(t, text), []Block{b}, stream(4))
		if err != nil {
			t.Fatal(err)
		}
		const sweeps, parts = 100_000, 50
		seen := map[[4]float32]*[parts]float64{}
		for _, s := range states {
			seen[s] = new([parts]float64)
		}
		total := 0
		for s := range sweeps {
			_, accepted := m.Step(s, q.gradient)
			total += accepted
			seen[[4]float32(q.block.Data)][s*parts/sweeps] += float64(parts) / sweeps
		}
		if total == 0 {
			t.Fatalf("%s: nothing was accepted", text)
		}
		if m.protocol.Carry && !slices.Equal(state, q.block.Data) {
			t.Errorf("%s: state %v, values %v", text, state, q.block.Data)
		}
		largest := 0.0
		for k, s := range states {
			var mean, square float64
			for _, f := range seen[s] {
				mean += f / parts
				square += f * f / parts
			}
			sigma := math.Sqrt((square - mean*mean) / (parts - 1))
			largest = max(largest, sigma)
			if math.Abs(mean-boltzmann[k]) > 4.5*sigma+2e-5 {
				t.Errorf("%s: arrangement %v has probability %.5f +- %.5f, want %.5f", text, s, mean, sigma, boltzmann[k])
			}
		}
		if uncorrected < 10*largest {
			t.Errorf("%s: errors of %.5f would not tell a bias of %.5f", text, largest, uncorrected)
		}
	}
}

func difference(a, b []float64) (d float64) {
	for k := range a {
		d = max(d, math.Abs(a[k]-b[k]))
	}
	return d
}

// stationary returns the distribution in which the chain stays that chooses
// between all sets of two different pairs of four, with the correction or not,
// from its exact matrix.
func stationary(q quartic, states [][4]float32, T float64, corrected bool) []float64 {
	data := q.block.Data
	number := map[[4]float32]int{}
	for k, s := range states {
		number[s] = k
	}
	pairs := [][2]int{{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}}
	weight := func(p [2]int) float64 {
		g := q.block.Grad
		return math.Exp(-float64(g[p[0]]-g[p[1]]) * float64(data[p[1]]-data[p[0]]) / (2 * T))
	}
	matrix := make([][]float64, len(states))
	for from, s := range states {
		matrix[from] = make([]float64, len(states))
		stay := 1.0
		for _, one := range pairs {
			for _, other := range pairs {
				if one == other {
					continue
				}
				// The set {one, other}, and one chosen of it.
				copy(data, s[:])
				loss := q.gradient()
				forward := weight(one) / (weight(one) + weight(other))
				data[one[0]], data[one[1]] = data[one[1]], data[one[0]]
				ratio := math.Exp(-(q.gradient() - loss) / T)
				if corrected {
					ratio *= weight(one) / (weight(one) + weight(other)) / forward
				}
				p := forward * min(1, ratio) / 15 // 15 sets
				matrix[from][number[[4]float32(data)]] += p
				stay -= p
			}
		}
		matrix[from][from] += stay
	}
	p := make([]float64, len(states))
	p[0] = 1
	for range 5000 {
		next := make([]float64, len(states))
		for from, row := range matrix {
			for to, x := range row {
				next[to] += p[from] * x
			}
		}
		p = next
	}
	return p
}

// The window forbids the same pairs there and back, and a set of which it forbids
// all is a refusal.
func TestProposalsByGradientWithinTheWindow(t *testing.T) {
	q := newQuartic()
	m, err := New(parse(t, "params:1S n=10 propose=gradient pairs=4 window=0.6 accept=metropolis T=100"), []Block{q.block}, stream(1))
	if err != nil {
		t.Fatal(err)
	}
	total, previous := 0, slices.Clone(q.block.Data)
	m.protocol.N.Value = 1
	for s := range 1000 {
		_, accepted := m.Step(s, q.gradient)
		total += accepted
		for k, x := range q.block.Data {
			if d := math.Abs(float64(x - previous[k])); d > 0.6 {
				t.Fatalf("a value moved by %g", d)
			}
		}
		copy(previous, q.block.Data)
	}
	if total == 0 || total == 1000 {
		t.Errorf("%d of 1000 accepted", total)
	}
	// Values lie further apart than the window.
	m.protocol.Window = Window{Size: 0.01}
	if proposed, accepted := m.Step(0, q.gradient); proposed != 1 || accepted != 0 {
		t.Errorf("%d proposed, %d accepted, want 1 and 0", proposed, accepted)
	}
}

// At a low temperature nearly all proposals go down, where uniform ones rarely do.
func TestProposalsByGradientPreferToGoDown(t *testing.T) {
	accepted := map[string]int{}
	for _, text := range []string{"weights:1SS accept=metropolis T=0.5", "weights:1SS propose=gradient accept=metropolis T=0.5", "weights:SSS propose=gradient accept=metropolis T=0.5"} {
		m, blocks := bind(t, text, 2, [2]int{20, 20}, [2]int{10, 10})
		field := clone(blocks)
		r := stream(7)
		for i := range field {
			for k := range field[i] {
				field[i][k] = float32(r.NormFloat64())
			}
		}
		energy := func() (e float64) {
			for i, b := range blocks {
				copy(b.Grad, field[i])
				for k, x := range b.Data {
					e += float64(field[i][k] * x)
				}
			}
			return e
		}
		for s := range 2000 {
			m.Step(s, energy)
		}
		last := energy()
		accepted[text] = int(-last)
	}
	plain, informed, across := accepted["weights:1SS accept=metropolis T=0.5"], accepted["weights:1SS propose=gradient accept=metropolis T=0.5"], accepted["weights:SSS propose=gradient accept=metropolis T=0.5"]
	if informed < plain+20 || across < plain+20 {
		t.Errorf("after 2000 proposals the energy is -%d uniform, -%d by gradient, -%d across layers", plain, informed, across)
	}
}
