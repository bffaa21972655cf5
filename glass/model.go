// Package glass simulates glass-forming liquids by Monte Carlo: particles in a
// periodic cube that move a little, or exchange their diameters with another particle
// (swap Monte Carlo: Grigera and Parisi, Phys. Rev. E 63, 045102, 2001; Ninarello,
// Berthier and Coslovich, Phys. Rev. X 7, 021039, 2017). Swaps leave equilibrium as it
// is and reach it many orders of magnitude sooner.
//
// Lengths are in units of the mean diameter (of the large species, where there are two
// and the literature does so), energies in epsilon, k_B = 1. The unit of time is a sweep of N trials.
package glass

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// form is how a pair energy depends on q = (r/s_ij)^2.
type form int

const (
	inverse12 form = iota // q^-6 + c0 + c2 q + c4 q^2
	hard                  // infinite below q = 1
	harmonic              // (cut - q)^2: hard particles before they have found their places
	lennard               // 4 e_ij (q^-6 - q^-3) + c0, e_ij from the sizes
)

// A potential is the pair energy of two particles of diameters s_i and s_j at distance
// r. They interact where r < cut s_ij, with s_ij = (s_i + s_j)/2 (1 - epsilon |s_i - s_j|).
type potential struct {
	form       form
	epsilon    float64 // of non-additivity
	cut        float64 // squared, in s_ij
	c0, c2, c4 float64 // smooth at the cut-off
}

// Model is a glass former: a pair potential with the sizes that belong to it.
type Model struct {
	Name        string
	Density     float64 // N / V at which it is usually studied
	Temperature float64 // of a liquid that is slow, and still easily equilibrated
	Sizes       Sizes
	Hard        bool // hard particles: temperature is but the unit of pressure
	pair        potential
}

// models are the glass formers by name.
var models = []Model{
	// Ninarello, Berthier and Coslovich 2017: v, v' and v'' vanish at 1.25 s_ij.
	{Name: "soft-poly", Density: 1, Temperature: 0.2, Sizes: Sizes{Kind: "power", Ratio: 0.45}, pair: potential{
		epsilon: 0.2, cut: 1.25 * 1.25, c0: -28 / pow(1.25, 12), c2: 48 / pow(1.25, 14), c4: -21 / pow(1.25, 16)}},
	// Bernu, Hansen, Hiwatari and Pastore, Phys. Rev. A 36, 4891, 1987; Grigera and Parisi
	// 2001. Unit of length: the one-fluid effective diameter. Shifted to zero at the cut-off.
	// T = 0.35 is Gamma = 1.3.
	{Name: "soft-binary", Density: 1, Temperature: 0.35, Sizes: oneFluid(1.2), pair: potential{
		cut: math.Sqrt(3) * math.Sqrt(3), c0: -1 / pow(math.Sqrt(3), 12)}},
	// Berthier, Coslovich, Ninarello and Ozawa, Phys. Rev. Lett. 116, 238002, 2016.
	{Name: "hard-poly", Density: 1, Temperature: 1, Sizes: Sizes{Kind: "power", Ratio: 0.45}, Hard: true, pair: potential{form: hard, cut: 1}},
	// Kob and Andersen, Phys. Rev. E 51, 4626, 1995: diameters 1 and 0.88 are its species,
	// and 1.241 makes s_AB = 0.8.
	{Name: "kob-andersen", Density: 1.2, Temperature: 1, Sizes: Sizes{Kind: "binary", Ratio: 0.88, Large: 0.8}, pair: potential{
		form: lennard, epsilon: (1 - 0.8/0.94) / 0.12, cut: 2.5 * 2.5, c0: -4 * (pow(2.5, -12) - pow(2.5, -6))}},
}

func pow(x, y float64) float64 { return math.Pow(x, y) }

// oneFluid is two species, half of each, with mean of s_ij^3 over all pairs 1.
func oneFluid(ratio float64) Sizes {
	mixed := (1 + ratio) / 2
	small := 1 / math.Cbrt((1+pow(ratio, 3)+2*pow(mixed, 3))/4)
	return Sizes{Kind: "list", Values: []float64{small, ratio * small}}
}

// Models lists the names of the models.
func Models() []string {
	var names []string
	for _, m := range models {
		names = append(names, m.Name)
	}
	return names
}

// FindModel returns the model of that name.
func FindModel(name string) (Model, error) {
	if i := slices.IndexFunc(models, func(m Model) bool { return m.Name == name }); i >= 0 {
		return models[i], nil
	}
	return Model{}, fmt.Errorf("glass: model %q: want one of %s", name, strings.Join(Models(), ", "))
}

// size returns s_ij.
func (p *potential) size(a, b float64) float64 {
	return 0.5 * (a + b) * (1 - p.epsilon*math.Abs(a-b))
}

// energy returns the pair energy at squared distance r2, and its virial -r dv/dr.
func (p *potential) energy(r2, a, b float64) (v, virial float64) {
	s := p.size(a, b)
	q := r2 / (s * s)
	if q >= p.cut {
		return 0, 0
	}
	switch p.form {
	case hard:
		return math.Inf(1), 0
	case harmonic:
		return (p.cut - q) * (p.cut - q), 4 * q * (p.cut - q)
	case lennard:
		e := strength(a, b)
		u := 1 / (q * q * q)
		return e * (4*u*(u-1) + p.c0), 24 * e * u * (2*u - 1) // not infinity less infinity at 0
	}
	u := 1 / (q * q * q)
	return u*u + p.c0 + q*(p.c2+p.c4*q), 12*u*u - 2*q*(p.c2+2*p.c4*q)
}

// strengths are Kob and Andersen's e_ij for BB, AB and AA: by the number of large particles, those
// whose diameters are above large.
var strengths = [3]float64{0.5, 1.5, 1}

const large float32 = 0.94

func strength(a, b float64) float64 {
	n := 0
	if a > float64(large) {
		n++
	}
	if b > float64(large) {
		n++
	}
	return strengths[n]
}

// admits reports a diameter that no particle of the model can have.
func (p *potential) admits(d float64) error {
	if p.form == lennard && math.Abs(d-1) > 1e-6 && math.Abs(d-0.88) > 1e-6 {
		return fmt.Errorf("diameter %.6g: want 1 and 0.88, its two species", d)
	}
	return nil
}

// reach returns the largest distance at which a particle of diameter a interacts with
// any of diameter lo to hi.
func (p *potential) reach(a, lo, hi float64) float64 {
	s := max(p.size(a, lo), p.size(a, hi))
	if p.epsilon > 0 {
		// For b > a, s_ij is a parabola in b, (a+b)(1 - epsilon (b-a))/2, with its top at
		if b := 1 / (2 * p.epsilon); b > max(a, lo) && b < hi {
			s = max(s, p.size(a, b))
		}
		// For b < a it grows with b.
		if a > lo && a < hi {
			s = max(s, p.size(a, a))
		}
	}
	return math.Sqrt(p.cut) * s
}

// farthest returns the largest distance at which any two particles of diameters lo to hi interact.
func (p *potential) farthest(lo, hi float64) float64 {
	if p.form == lennard {
		return math.Sqrt(p.cut) * max(p.size(lo, lo), p.size(lo, hi), p.size(hi, hi))
	}
	return math.Sqrt(p.cut) * hi // s_ij is at most the larger one
}
