package glass

import (
	"fmt"
	"math"
	"testing"
)

// permutations calls f with each order of x.
func permutations(x []int, f func([]int)) {
	if len(x) == 0 {
		f(nil)
	}
	for i := range x {
		rest := append(append([]int{}, x[:i]...), x[i+1:]...)
		permutations(rest, func(p []int) { f(append([]int{x[i]}, p...)) })
	}
}

// cluster is four particles, all distances different, all pairs interacting, that only exchange diameters.
func cluster(t *testing.T, temperature float64, move Move) *System {
	sizes := Sizes{Kind: "list", Values: []float64{0.8, 0.95, 1.1, 1.3}}
	s := system(t, Options{Model: "soft-poly", N: 4, Density: 0.05, Sizes: &sizes, Temperature: temperature, Seed: 3, Moves: []Weighted{{Move: move, P: 1}}})
	for i, x := range [][3]float64{{0, 0, 0}, {1.02, 0, 0}, {0.3, 1.08, 0}, {0.45, 0.35, 1.13}} {
		for k := range x {
			s.particles[i].X[k] = s.fixed(x[k])
		}
	}
	s.relist(defaultSkin)
	return s
}

// order tells which particle has which diameter.
func order(s *System) string {
	var d []float32
	for i := range s.particles {
		d = append(d, s.particles[i].S)
	}
	return fmt.Sprint(d)
}

// weights returns the Boltzmann probability of each order.
func weights(s *System) map[string]float64 {
	n := len(s.particles)
	first, numbers := make([]float32, n), make([]int, n)
	for i := range first {
		first[i], numbers[i] = s.particles[i].S, i
	}
	weight, sum := map[string]float64{}, 0.0
	permutations(numbers, func(p []int) {
		for i := range p {
			s.particles[i].S = first[p[i]]
		}
		e, _ := bruteForce(s)
		w := math.Exp(-e / s.temperature)
		weight[order(s)] = w
		sum += w
	})
	for i := range first {
		s.particles[i].S = first[i]
	}
	for p := range weight {
		weight[p] /= sum
	}
	return weight
}

// Moves of diameters on particles that stay where they are visit each of the n! ways to
// hand out the diameters as often as Boltzmann says.
func TestSwapsSampleBoltzmannWeights(t *testing.T) {
	for name, move := range map[string]Move{
		"swap": &Swap{}, "window": &Swap{Window: 0.25}, "lifted 1": &Lifted{K: 1}, "lifted 3": &Lifted{K: 3}, "domains": &Swap{},
	} {
		s := cluster(t, 0.7, move)
		weight := weights(s)
		if name == "domains" {
			cut(s, 2)
		}
		const samples, between = 200_000, 10
		count := map[string]float64{}
		for range samples {
			if s.Domains() > 0 {
				s.Run(2 * between / s.N())
			} else {
				s.trials(between)
			}
			count[order(s)]++
		}
		chi2 := 0.0
		for p, w := range weight {
			want := samples * w
			chi2 += (count[p] - want) * (count[p] - want) / want
		}
		t.Logf("%s: chi2 = %.1f", name, chi2)
		// 23 degrees of freedom; samples are not quite independent, so that the bound is generous:
		// a move that is wrong is out by thousands.
		if chi2 > 150 {
			t.Errorf("%s: chi2 = %.1f over 23 degrees of freedom", name, chi2)
		}
	}
}

// Three particles in two dimensions: averages are those of a sum over a grid of
// all places.
func TestThreeParticlesAgainstQuadrature(t *testing.T) {
	sizes := Sizes{Kind: "list", Values: []float64{0.8, 1, 1.25}}
	for _, c := range []struct {
		model string
		T     float64
		grid  int
	}{{"soft-poly", 0.3, 56}, {"hard-poly", 1, 72}} {
		o := Options{Model: c.model, N: 3, Dim: 2, Density: 3 / 10.3, Sizes: &sizes, Temperature: c.T}
		s := system(t, o)
		m := c.grid
		// Particle 0 at the origin; each function of the others.
		var z, energy, close float64
		step := s.side / float64(m)
		for _, p := range []([3]float64){{0.8, 1, 1.25}, {1, 1.25, 0.8}, {1.25, 0.8, 1}} {
			pair := func(x, y float64, a, b float64) float64 {
				x -= s.side * math.Round(x/s.side)
				y -= s.side * math.Round(y/s.side)
				v, _ := s.Model.pair.energy(x*x+y*y, a, b)
				return v
			}
			one := make([]float64, m*m)
			two := make([]float64, m*m)
			both := make([]float64, m*m)
			for i := range one {
				x, y := float64(i%m)*step, float64(i/m)*step
				one[i], two[i], both[i] = pair(x, y, p[0], p[1]), pair(x, y, p[0], p[2]), pair(x, y, p[1], p[2])
			}
			for i := range one {
				if math.IsInf(one[i], 1) {
					continue
				}
				for k := range two {
					e := one[i] + two[k] + both[(i%m-k%m+m)%m+(i/m-k/m+m)%m*m]
					if w := math.Exp(-e / c.T); w > 0 {
						z += w
						energy += w * e
						if p[0] == 0.8 { // which diameter particle 0 has, and whether 1 is near
							x, y := float64(i%m)*step, float64(i/m)*step
							x -= s.side * math.Round(x/s.side)
							y -= s.side * math.Round(y/s.side)
							if x*x+y*y < 1.3*1.3 {
								close += w
							}
						}
					}
				}
			}
		}
		energy /= z
		close /= z
		for name, moves := range map[string][]Weighted{"swap": {{Move: &Swap{}, P: 0.3}}, "lifted": {{Move: &Lifted{K: 2}, P: 0.3}}, "domains": {{Move: &Swap{}, P: 0.3}}} {
			o.Moves, o.Delta, o.Seed = moves, 0.7, 11
			s := system(t, o)
			if name == "domains" {
				cut(s, 2)
			}
			s.Run(1000)
			const blocks, sweeps = 40, 6000
			var e, n [blocks]float64
			for b := range blocks {
				for range sweeps {
					s.Run(1)
					e[b] += s.Energy() / sweeps
					if s.particles[0].S == 0.8 && s.particles[1].S == 1 && s.apart(&s.particles[0].X, &s.particles[1].X) < 1.3*1.3 {
						n[b] += 2. / sweeps // the grid has one of the two ways to hand out the rest
					}
				}
			}
			for what, v := range map[string]struct {
				got  []float64
				want float64
			}{"energy": {e[:], energy}, "pairs": {n[:], close}} {
				mean, err := meanError(v.got)
				t.Logf("%s, %s: %s %.5f ± %.5f, quadrature %.5f", c.model, name, what, mean, err, v.want)
				if math.Abs(mean-v.want) > 4.5*err+0.004*v.want {
					t.Errorf("%s, %s: %s %.5f ± %.5f, quadrature %.5f", c.model, name, what, mean, err, v.want)
				}
			}
		}
	}
}

func meanError(x []float64) (mean, err float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		err += (v - mean) * (v - mean) / (n * (n - 1))
	}
	return mean, math.Sqrt(err)
}
