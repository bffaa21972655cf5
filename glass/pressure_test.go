package glass

import (
	"math"
	"testing"
)

// Equal hard spheres have the pressure of Carnahan and Starling, J. Chem. Phys. 51, 635, 1969, hard discs that
// of Henderson, Mol. Phys. 30, 971, 1975, and mixtures of spheres that of Mansoori et al., J. Chem. Phys.
// 54, 1523, 1971: all of them good to a few parts in a thousand at these densities.
func TestHardPressure(t *testing.T) {
	one := Sizes{Kind: "list", Values: []float64{1}}
	spheres := func(y float64) float64 { return (1 + y + y*y - y*y*y) / math.Pow(1-y, 3) }
	discs := func(y float64) float64 { return (1 + y*y/8) / ((1 - y) * (1 - y)) }
	for _, c := range []struct {
		dim     int
		packing float64
		sizes   *Sizes
		want    func([]float64, float64) float64
	}{
		{3, 0.3, &one, func(_ []float64, y float64) float64 { return spheres(y) }},
		{3, 0.45, &one, func(_ []float64, y float64) float64 { return spheres(y) }},
		{2, 0.5, &one, func(_ []float64, y float64) float64 { return discs(y) }},
		{3, 0.45, nil, mixture},
	} {
		s := system(t, Options{Model: "hard-poly", N: 400, Dim: c.dim, Packing: c.packing, Sizes: c.sizes, Moves: []Weighted{{Move: &Swap{}, P: 0.2}}})
		s.Equilibrate(400, 0.4)
		const blocks, sweeps = 20, 250
		var z [blocks]float64
		for b := range z {
			for range sweeps {
				s.Run(1)
				z[b] += s.Pressure() / s.Density() / sweeps
			}
		}
		var sizes []float64
		for i := range s.N() {
			sizes = append(sizes, s.Diameter(i))
		}
		mean, err := meanError(z[:])
		want := c.want(sizes, c.packing)
		t.Logf("%d dimensions, packing %g: P/rho T = %.3f ± %.3f, equation of state %.3f", c.dim, c.packing, mean, err, want)
		if math.Abs(mean-want) > 4*err+0.012*want {
			t.Errorf("%d dimensions, packing %g: P/rho T = %.3f ± %.3f, equation of state %.3f", c.dim, c.packing, mean, err, want)
		}
	}
}

func mixture(sizes []float64, y float64) float64 {
	var m1, m2, m3 float64
	for _, s := range sizes {
		m1 += s / float64(len(sizes))
		m2 += s * s / float64(len(sizes))
		m3 += s * s * s / float64(len(sizes))
	}
	return 1/(1-y) + 3*y/((1-y)*(1-y))*m1*m2/m3 + y*y*(3-y)/math.Pow(1-y, 3)*m2*m2*m2/(m3*m3)
}
