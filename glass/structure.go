package glass

import "math"

// RadialDistribution adds the pairs of the present configuration to a histogram of
// distances up to half the box, in bins of equal width, and returns how many pairs an
// ideal gas would have put in each bin.
func (s *System) RadialDistribution(histogram []float64) (ideal []float64) {
	n := len(s.particles)
	width := s.side / 2 / float64(len(histogram))
	for i := range n {
		for k := range i {
			if bin := int(math.Sqrt(s.apart(&s.particles[i].X, &s.particles[k].X)) / width); bin < len(histogram) {
				histogram[bin]++
			}
		}
	}
	pairs := float64(n) * float64(n-1) / 2 / math.Pow(s.side, float64(s.dim))
	ideal = make([]float64, len(histogram))
	for b := range ideal {
		in, out := 2*width*float64(b), 2*width*float64(b+1) // diameters of spheres
		ideal[b] = pairs * ball(s.dim) * (math.Pow(out, float64(s.dim)) - math.Pow(in, float64(s.dim)))
	}
	return ideal
}

// StructureFactor returns |sum exp(i k.r)|^2 / N averaged over the wave vectors of the box along
// each axis with n waves.
func (s *System) StructureFactor(n int) (k, value float64) {
	k = 2 * math.Pi * float64(n) / s.side
	for axis := range s.dim {
		var c, d float64
		for i := range s.particles {
			sin, cos := math.Sincos(2 * math.Pi * float64(n) * math.Ldexp(float64(s.particles[i].X[axis]), -32))
			c += cos
			d += sin
		}
		value += (c*c + d*d) / float64(len(s.particles)) / float64(s.dim)
	}
	return k, value
}
