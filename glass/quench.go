package glass

import (
	"fmt"
	"math"
	"slices"

	"swapmc/internal/rng"
)

// A Minimum tells how a quench ended.
type Minimum struct {
	Energy float64 // of all pairs
	Force  float64 // the largest on a particle that is left
	Steps  int
}

// Quench returns the system's inherent structure: a copy that went downhill in energy, diameters fixed, until
// no force is larger than given, for at most so many steps. It is FIRE, molecular dynamics that
// stops whenever it goes uphill: Bitzek, Koskinen, Gähler, Moseler and Gumbsch, Phys.
// Rev. Lett. 97, 170201, 2006, with the half step back of Guénolé et al., Comput. Mater. Sci.
// 175, 109584, 2020. Where the pair force has a step at its cut-off (soft-binary), a minimum may lie on
// the step; then the force that is left says so. Where pairs attract each other up to a step (kob-andersen), a configuration with
// a pair just beyond it has no force either, and is no minimum but for less than that: such pairs are
// pulled in as long as that lowers the energy. The forces are those before places are rounded to whole numbers,
// which leaves some 1e-6 in the copy. Hard particles have no energy, which is an error.
func (s *System) Quench(force float64, steps int) (*System, Minimum, error) {
	if s.Model.Hard {
		return nil, Minimum{}, fmt.Errorf("glass: quench: %s has no energy to go down in", s.Model.Name)
	}
	if !(force > 0) {
		return nil, Minimum{}, fmt.Errorf("glass: quench: force = %g: want above 0", force)
	}
	c := s.clone()
	const (
		start, most, least = 0.005, 0.1, 1e-8 // time step
		patience           = 20               // steps before it grows
		mixing             = 0.25
	)
	n := len(c.particles)
	x := make([][3]float64, n) // displacements from where the lists were made
	v := make([][3]float64, n)
	f := make([][3]float64, n)
	energy, largest := c.forces(x, f)
	dt, alpha, downhill := start, mixing, 0
	m := Minimum{Energy: energy, Force: largest}
	for m.Steps < steps && dt > least {
		if m.Force <= force {
			if energy, largest = c.pullIn(x, v, f, m.Energy); energy == m.Energy {
				break
			}
			m.Energy, m.Force = energy, largest
			dt, alpha, downhill = start, mixing, 0
			clear(v)
		}
		m.Steps++
		var power, vv, ff float64
		for i := range v {
			for k := range v[i] {
				power += f[i][k] * v[i][k]
			}
		}
		if power > 0 {
			if downhill++; downhill > patience {
				dt, alpha = min(1.1*dt, most), 0.99*alpha
			}
		} else {
			for i := range x {
				for k := range x[i] {
					x[i][k] -= dt / 2 * v[i][k]
				}
			}
			dt, alpha, downhill = dt/2, mixing, 0
			clear(v)
		}
		for i := range v {
			for k := range v[i] {
				v[i][k] += dt * f[i][k]
				vv += v[i][k] * v[i][k]
				ff += f[i][k] * f[i][k]
			}
		}
		if ff == 0 {
			break
		}
		turn := alpha * math.Sqrt(vv/ff)
		far := 0.0
		for i := range v {
			for k := range v[i] {
				v[i][k] = (1-alpha)*v[i][k] + turn*f[i][k]
				x[i][k] += dt * v[i][k]
				far = max(far, math.Abs(x[i][k]))
			}
		}
		if far > c.lists.skin/4 { // on an axis: less than half the skin in all
			c.displace(x)
		}
		m.Energy, m.Force = c.forces(x, f)
	}
	c.displace(x)
	return c, m, nil
}

// pullIn moves particles, at a place without force, along the pull of pairs that are just beyond a step of the force, by as
// much as lowers the energy, if any does. It leaves the new forces in f, and needs room in g.
func (s *System) pullIn(x, g, f [][3]float64, energy float64) (lower, largest float64) {
	p := &s.Model.pair
	if p.form != lennard {
		return energy, 0
	}
	for _, further := range []float64{1e-6, 1e-5, 1e-4, 1e-3} {
		cut := p.cut
		p.cut *= 1 + further
		s.forces(x, g)
		p.cut = cut
		for _, step := range []float64{1e-2, 1e-3, 1e-4, 1e-5} { // the inverse of a stiffness
			add(x, step, g)
			if lower, largest = s.forces(x, f); lower < energy-1e-12*math.Abs(energy) {
				return lower, largest
			}
			add(x, -step, g)
		}
	}
	return energy, 0
}

// add adds a times y to x.
func add(x [][3]float64, a float64, y [][3]float64) {
	for i := range x {
		for k := range x[i] {
			x[i][k] += a * y[i][k]
		}
	}
}

// clone copies what a configuration is; it has no moves but displacements.
func (s *System) clone() *System {
	c := *s
	c.particles, c.laps = crowd(s.particles), slices.Clone(s.laps)
	c.Moves, c.rank, c.ranked = nil, nil, nil
	c.Displacement = Weighted{Move: &Displacement{Delta: s.Delta()}, P: 1}
	c.own = worker{random: rng.New(0, "quenched")}
	c.lists, c.domains = neighbours{}, nil
	c.relist(defaultSkin)
	return &c
}

// displace moves all particles, and makes new lists.
func (s *System) displace(by [][3]float64) {
	for i := range by {
		x := s.particles[i].X
		for k := range s.dim {
			x[k] += int32(math.Round(by[i][k] / s.unit))
		}
		s.place(&s.own, i, &x)
	}
	clear(by)
	s.relist(defaultSkin)
}

// forces returns the energy with particles displaced by x, and the largest force.
func (s *System) forces(x, f [][3]float64) (energy, largest float64) {
	clear(f)
	for i := range s.particles {
		p := &s.particles[i]
		for _, e := range s.lists.of(i) {
			if int(e) > i {
				continue
			}
			o := &s.particles[e]
			var d [3]float64
			r2 := 0.0
			for k := range s.dim {
				d[k] = float64(p.X[k]-o.X[k])*s.unit + x[i][k] - x[e][k]
				r2 += d[k] * d[k]
			}
			v, w := s.Model.pair.energy(r2, float64(p.S), float64(o.S))
			energy += v
			for k := range s.dim {
				g := w / r2 * d[k]
				f[i][k] += g
				f[e][k] -= g
			}
		}
	}
	for i := range f {
		largest = max(largest, math.Sqrt(f[i][0]*f[i][0]+f[i][1]*f[i][1]+f[i][2]*f[i][2]))
	}
	return energy, largest
}
