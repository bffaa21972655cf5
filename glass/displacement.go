package glass

// Displacement moves a particle, drawn at random, by a vector drawn from a cube.
type Displacement struct {
	Delta float64 // half the side of the cube
}

func (m *Displacement) local() bool { return true }

func (m *Displacement) draw(s *System, w *worker, t *trial) {
	t.i = w.pick(s)
	t.k = t.i
	t.limit = w.limit(s)
	w.step(s, &t.step, m.Delta)
}

func (m *Displacement) try(s *System, w *worker, t *trial) bool {
	x := &s.particles[t.i].X
	w.to = [3]int32{x[0] + t.step[0], x[1] + t.step[1], x[2] + t.step[2]}
	if w.members != nil && !w.holds(&w.to) {
		return false
	}
	change := s.shift(w, t.i, &w.to)
	if change.unclear(t.limit) {
		change.by = s.movedExactly(t.i, &w.to)
	}
	if change.by > t.limit {
		return false
	}
	s.place(w, t.i, &w.to)
	return true
}

// step draws a vector from a cube. Places are whole numbers, so that a
// move and its reverse are equally likely to the last bit.
func (w *worker) step(s *System, x *[3]int32, delta float64) {
	const bits = 21 // for each axis, symmetric about 0: division rounds towards it
	most, r := int64(delta/s.unit), w.random.Uint64()
	for k := range s.dim {
		x[k] = int32(most * (2*int64(r&(1<<bits-1)) + 1 - 1<<bits) / (1 << bits))
		r >>= bits
	}
}

// shift returns the change of energy if particle i were at x.
func (s *System) shift(w *worker, i int, x *[3]int32) change {
	l := &s.lists
	h := &l.heads[i]
	reach := l.reach[h.class%classes]
	far := gap(x, &h.origin)
	if far > reach {
		// Its list does not reach there.
		s.follow(w, i, x)
		if far = gap(x, &h.origin); far > reach {
			return change{by: s.elsewhere(w, i, x)}
		}
	}
	if s.estimates == nil {
		return change{by: s.movedExactly(i, x)}
	}
	// As read has it; a call takes longer.
	list := l.entries[i*l.stride:][:h.ends[l.last[h.class%classes][max(l.bin(far), h.strayed)%bins]]]
	if len(list) == 0 {
		return change{}
	}
	by, doubt := s.estimates.Moved(s.particles, list, i, x)
	return change{by, doubt}
}

// elsewhere returns the change of energy if particle i were at x, which may be far from where it is.
func (s *System) elsewhere(w *worker, i int, x *[3]int32) float64 {
	p := &s.particles[i]
	energy := func(at *[3]int32) float64 {
		w.near = s.lists.cells.within(at, at, s.places(s.lists.farthest()), -1, w.near[:0])
		if s.Model.pair.form == hard {
			return s.overlap(w.near, at, p.S, i)
		}
		sum := int64(0)
		for _, k := range w.near {
			if int(k) != i {
				sum += s.pair(at, &s.particles[k].X, p.S, s.particles[k].S)
			}
		}
		return float64(sum) * quantum
	}
	return energy(x) - energy(&p.X)
}

// place moves a particle.
func (s *System) place(w *worker, i int, x *[3]int32) {
	p := &s.particles[i]
	for k := range s.dim {
		// A wall is where the sum overflows, at the ends of int32.
		if (x[k] < 0) != (p.X[k] < 0) && uint32(p.X[k]+1<<30) >= 1<<31 {
			if x[k] < 0 {
				s.laps[i][k]++
			} else {
				s.laps[i][k]--
			}
		}
		p.X[k] = x[k]
	}
	h := &s.lists.heads[i]
	if far := gap(&p.X, &h.origin); far > s.lists.leash {
		s.follow(w, i, &p.X)
	} else {
		h.strayed = s.lists.bin(far)
	}
}
