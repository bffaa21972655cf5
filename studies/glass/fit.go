package main

import (
	"fmt"
	"io"
	"math"

	"gonum.org/v1/gonum/mat"
)

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
func fits(points []*point) []fit {
	var T, y []float64
	for _, p := range points {
		if tau := p.tau("none"); p.x <= highest && !math.IsNaN(tau) {
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

// extrapolate prints what the laws say of temperatures where swaps still relax and nothing else does.
func extrapolate(w io.Writer, points []*point) {
	fmt.Fprintln(w)
	for _, f := range fits(points) {
		fmt.Fprintf(w, "%s: %s, rms of ln tau %.2f\n", f.name, f.law, f.rms)
		for _, p := range points {
			if s := p.tau("swap"); p.x < 0.1 && !math.IsNaN(s) {
				fmt.Fprintf(w, "  T = %g: tau without swaps %.2g, speed-up %.2g\n", p.x, f.at(p.x), f.at(p.x)/s)
			}
		}
	}
}
