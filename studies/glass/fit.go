package main

import (
	"fmt"
	"io"
	"math"

	"gonum.org/v1/gonum/mat"
)

// highest temperature that the fits are made to: about the onset.
const highest = 0.165

// A fit is a law for the relaxation time without swaps.
type fit struct {
	name string
	law  string
	at   func(T float64) float64
	rms  float64 // of ln tau
}

// fits returns the parabolic law, ln tau = a + b/T + c/T^2 (Elmatad, Chandler and Garrahan, J. Phys. Chem. B
// 113, 5563, 2009), and that of Vogel, Fulcher and Tammann, ln tau = a + B/(T - T0), each fitted to the
// relaxation times without swaps from the onset down.
func fits(points []*point, time func(*point) float64) []fit {
	var T, y []float64
	for _, p := range points {
		if tau := time(p); p.x <= highest && !math.IsNaN(tau) {
			T, y = append(T, p.x), append(y, math.Log(tau))
		}
	}
	if len(T) < 4 {
		return nil
	}
	c, rms := linear(T, y, func(t float64) []float64 { return []float64{1, 1 / t, 1 / (t * t)} })
	all := []fit{{name: "parabolic", law: fmt.Sprintf("ln tau = %.4g + %.4g/T + %.4g/T^2", c[0], c[1], c[2]), rms: rms,
		at: func(t float64) float64 { return math.Exp(c[0] + c[1]/t + c[2]/(t*t)) }}}
	best, least := 0.0, math.Inf(1)
	for t0 := 0.02; t0 < T[0]-0.005; t0 += 1e-4 {
		if _, rms := linear(T, y, func(t float64) []float64 { return []float64{1, 1 / (t - t0)} }); rms < least {
			best, least = t0, rms
		}
	}
	v, rms := linear(T, y, func(t float64) []float64 { return []float64{1, 1 / (t - best)} })
	return append(all, fit{name: "Vogel-Fulcher-Tammann", law: fmt.Sprintf("ln tau = %.4g + %.4g/(T - %.4f)", v[0], v[1], best), rms: rms,
		at: func(t float64) float64 { return math.Exp(v[0] + v[1]/(t-best)) }})
}

// linear fits y by least squares to a sum of functions of x, and returns their weights and
// the root mean square of what is left.
func linear(x, y []float64, basis func(float64) []float64) (c []float64, rms float64) {
	width := len(basis(x[0]))
	a := mat.NewDense(len(x), width, nil)
	for i := range x {
		a.SetRow(i, basis(x[i]))
	}
	var w mat.VecDense
	if err := w.SolveVec(a, mat.NewVecDense(len(y), y)); err != nil {
		return make([]float64, width), math.Inf(1)
	}
	c = w.RawVector().Data
	for i := range x {
		r := y[i]
		for k, b := range basis(x[i]) {
			r -= c[k] * b
		}
		rms += r * r / float64(len(x))
	}
	return c, math.Sqrt(rms)
}

// mean is the relaxation time without swaps over all seeds.
func mean(p *point) float64 { return p.measured("none") }

// of returns the relaxation time without swaps of one seed, NaN where it was not measured.
func of(seed uint64) func(*point) float64 {
	return func(p *point) float64 {
		for _, r := range p.arms["none"] {
			if r.Config.Seed == seed && r.Result.Tau.Reached {
				return r.Result.Tau.Value
			}
		}
		return math.NaN()
	}
}

// extrapolate prints what the laws say of temperatures where swaps still relax and nothing else does, and what they
// would say if one seed were all there is.
func extrapolate(w io.Writer, points []*point) {
	seeds := map[uint64]bool{}
	for _, p := range points {
		for _, r := range p.arms["none"] {
			seeds[r.Config.Seed] = true
		}
	}
	fmt.Fprintln(w)
	for n, f := range fits(points, mean) {
		fmt.Fprintf(w, "%s: %s, rms of ln tau %.2f\n", f.name, f.law, f.rms)
		for _, p := range points {
			swap := p.measured("swap")
			if p.x >= 0.1 || math.IsNaN(swap) {
				continue
			}
			low, high := math.Inf(1), 0.0
			for seed := range seeds {
				if one := fits(points, of(seed)); one != nil {
					low, high = min(low, one[n].at(p.x)), max(high, one[n].at(p.x))
				}
			}
			fmt.Fprintf(w, "  T = %g: tau without swaps %.2g, speed-up %.2g; by single seeds %.2g to %.2g\n", p.x, f.at(p.x), f.at(p.x)/swap, low/swap, high/swap)
		}
	}
}
