package glass

// Displacement moves a particle, drawn at random, by a vector drawn from a cube.
type Displacement struct {
	Delta float64 // half the side of the cube
}

func (m *Displacement) try(s *System) bool {
	// Places are whole numbers, so that a move and its reverse are equally likely to the
	// last bit; 21 bits for each axis, symmetric about 0.
	const bits = 21
	i := s.pick()
	p := &s.particles[i]
	step := int64(m.Delta / s.unit / (1 << bits))
	s.to = p.X
	x, r := &s.to, s.random.Uint64()
	for k := range s.dim {
		x[k] += step * (2*int64(r&(1<<bits-1)) + 1 - 1<<bits)
		r >>= bits
	}
	before, after := s.shift(i, x)
	if !s.accept(after - before) {
		return false
	}
	s.place(i, x)
	return true
}

// shift returns the energy of particle i, and what it would be at x.
func (s *System) shift(i int, x *[3]int64) (before, after float64) {
	p := &s.particles[i]
	if s.apart(x, &s.lists.origin[i]) > s.leash {
		// Its list does not reach there.
		if s.follow(i); s.apart(x, &s.lists.origin[i]) > s.leash {
			before, _ = s.change(i, &p.X, p.S, -1)
			return before, s.elsewhere(i, x)
		}
	}
	return s.change(i, x, p.S, -1)
}

// elsewhere returns the energy of particle i at x, which may be far from where it is.
func (s *System) elsewhere(i int, x *[3]int64) float64 {
	p := &s.particles[i]
	energy := 0.0
	s.lists.near = s.lists.cells.around(x, s.lists.near[:0])
	for _, k := range s.lists.near {
		if int(k) != i {
			v, _ := s.Model.pair.energy(s.apart(x, &s.particles[k].X), p.S, s.particles[k].S)
			energy += v
		}
	}
	return energy
}

// place moves a particle.
func (s *System) place(i int, x *[3]int64) {
	p := &s.particles[i]
	for k := range s.dim {
		// A wall is where the sum overflows, at the ends of int64.
		if (x[k] < 0) != (p.X[k] < 0) && uint64(p.X[k]+1<<62) >= 1<<63 {
			if x[k] < 0 {
				s.laps[i][k]++
			} else {
				s.laps[i][k]--
			}
		}
		p.X[k] = x[k]
	}
	if s.apart(&p.X, &s.lists.origin[i]) > s.leash {
		s.follow(i)
	}
}
