package glass

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"swapmc/internal/kernel"
	"swapmc/internal/rng"
)

// Options describes a system. Zero values: three dimensions, the model's own density
// and diameters, displacements only.
type Options struct {
	Model       string
	N           int     // particles
	Dim         int     // 2 or 3
	Density     float64 // N / V
	Packing     float64 // instead of Density: the fraction of the volume inside the particles
	Temperature float64 // not needed for hard particles
	Sizes       *Sizes
	NonAdditive *float64   // epsilon of s_ij = (s_i+s_j)/2 (1 - epsilon |s_i-s_j|) of soft-poly and hard-poly, instead of 0.2 and 0
	Moves       []Weighted // besides displacements, which are all other trials
	Delta       float64    // half the side of the cube of displacements at the start; 0.1 by default
	Seed        uint64
	Domains     string // whether sweeps go domain by domain: "on", "off", or "auto" and "", where the system is so large that it pays
	Threads     int    // that work at domains; 0: as many as Go has. Trajectories do not depend on it
}

// System is particles in a periodic box in the canonical ensemble.
type System struct {
	Model        Model
	Displacement Weighted   // all trials that are no other move
	Moves        []Weighted // other moves

	temperature       float64
	dim               int
	side              float64 // of the box
	unit              float64 // side / 2^32
	particles         []kernel.Particle
	laps              [][3]int32 // how often a particle went through the walls
	smallest, largest float64
	lists             neighbours
	rank, ranked      []int32 // for Lifted
	active            int
	estimates         *kernel.Pairs // of pair energies, by vectors, where there are any
	own               worker
	wanted            string // Options.Domains
	threads           int
	domains           *domains // nil: none
	sweeps            int64
}

// New places the particles on a lattice, diameters in random order. It reports an
// unknown model or a number out of range.
func New(o Options) (*System, error) {
	s, sizes, err := blank(o)
	if err != nil {
		return nil, fmt.Errorf("glass: %w", err)
	}
	across := int(math.Ceil(math.Pow(float64(o.N), 1/float64(s.dim)) - 1e-9))
	sites := lattice(across, s.dim)
	for i, d := range sizes {
		p := &s.particles[i]
		p.S = float32(d)
		at := sites[i*len(sites)/o.N] // vacancies are spread
		for k := range s.dim {
			p.X[k] = s.fixed((float64(at[k]) + 0.5) / float64(across) * s.side)
		}
	}
	if err := s.start(); err != nil {
		return nil, err
	}
	if s.Model.Hard {
		if err := s.settle(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// lattice returns the sites of a cubic lattice along a curve on which neighbours are
// mostly near to each other, so that they are in memory too (Morton's order).
func lattice(across, dim int) [][3]uint16 {
	sites := make([][3]uint16, power(across, dim))
	for i := range sites {
		at := i
		for k := range dim {
			sites[i][k] = uint16(at % across)
			at /= across
		}
	}
	slices.SortFunc(sites, func(a, b [3]uint16) int { return cmp.Compare(interleaved(a), interleaved(b)) })
	return sites
}

// interleaved returns a number whose bits are those of the coordinates in turn.
func interleaved(at [3]uint16) uint64 {
	code := uint64(0)
	for bit := range 16 {
		for k, x := range at {
			code |= uint64(x>>bit&1) << (3*bit + k)
		}
	}
	return code
}

// blank makes a system whose particles have yet to be placed, and draws their diameters.
func blank(o Options) (*System, []float64, error) {
	m, err := FindModel(o.Model)
	if err != nil {
		return nil, nil, err
	}
	if e := o.NonAdditive; e != nil {
		switch {
		case m.Name != "soft-poly" && m.Name != "hard-poly":
			return nil, nil, fmt.Errorf("non-additivity: is for soft-poly and hard-poly, not %s", m.Name)
		case !(*e >= 0 && *e <= 0.3):
			return nil, nil, fmt.Errorf("non-additivity = %g: want 0 to 0.3", *e)
		}
		m.pair.epsilon = *e
	}
	if o.Sizes == nil {
		o.Sizes = &m.Sizes
	} else if n := len(o.Sizes.Values); o.Sizes.Kind == "list" && n > o.N {
		return nil, nil, fmt.Errorf("sizes list: %d values for N = %d particles: want at most N", n, o.N)
	}
	if o.Dim == 0 {
		o.Dim = 3
	}
	if o.Delta == 0 {
		o.Delta = 0.1
	}
	if m.Hard && o.Temperature == 0 {
		o.Temperature = 1
	}
	switch {
	case o.N < 1 || o.N > math.MaxInt32:
		return nil, nil, fmt.Errorf("N = %d: need at least one particle, and at most 2^31", o.N)
	case o.Dim != 2 && o.Dim != 3:
		return nil, nil, fmt.Errorf("dimension = %d: want 2 or 3", o.Dim)
	case !(o.Temperature > 0) || math.IsInf(o.Temperature, 0):
		return nil, nil, fmt.Errorf("temperature = %g: want above 0", o.Temperature)
	case !(o.Density >= 0) || !(o.Packing >= 0) || o.Density > 0 && o.Packing > 0 || math.IsInf(o.Density+o.Packing, 0):
		return nil, nil, fmt.Errorf("density = %g, packing = %g: want one of them above 0", o.Density, o.Packing)
	case m.Hard && o.Density == 0 && o.Packing == 0:
		return nil, nil, fmt.Errorf("%s: want a packing fraction or a density", m.Name)
	case o.Domains != "" && o.Domains != "auto" && o.Domains != "on" && o.Domains != "off":
		return nil, nil, fmt.Errorf("domains %q: want auto, on or off", o.Domains)
	case o.Threads < 0:
		return nil, nil, fmt.Errorf("threads = %d: want at least 1, or 0 for all", o.Threads)
	case !(o.Delta > 0):
		return nil, nil, fmt.Errorf("delta = %g: want above 0", o.Delta)
	}
	if err := o.Sizes.Validate(); err != nil {
		return nil, nil, err
	}
	if err := checkMoves(o.Moves); err != nil {
		return nil, nil, err
	}
	s := &System{Model: m, temperature: o.Temperature, dim: o.Dim, own: worker{random: rng.New(o.Seed, "glass")},
		particles: crowd(make([]kernel.Particle, o.N)), laps: make([][3]int32, o.N), Moves: slices.Clone(o.Moves), wanted: o.Domains, threads: o.Threads}
	s.Displacement = Weighted{Move: &Displacement{Delta: o.Delta}, P: 1}
	for _, w := range s.Moves {
		s.Displacement.P -= w.P
	}
	sizes := o.Sizes.Draw(o.N, rng.New(o.Seed, "sizes").Rand)
	density := o.Density
	switch {
	case o.Packing > 0:
		density = o.Packing * float64(o.N) / volume(sizes, o.Dim)
	case density == 0:
		density = m.Density
	}
	if most := 2.0; density*volume(sizes, o.Dim)/float64(o.N) > most && !m.Hard || m.Hard && density*volume(sizes, o.Dim)/float64(o.N) > 0.92 {
		return nil, nil, fmt.Errorf("density = %.4g: the particles would fill %.3g of the volume, beyond any packing", density, density*volume(sizes, o.Dim)/float64(o.N))
	}
	s.box(math.Pow(float64(o.N)/density, 1/float64(o.Dim)))
	s.active = rng.New(o.Seed, "active").IntN(o.N)
	return s, sizes, nil
}

func (s *System) box(side float64) {
	s.side = side
	s.unit = math.Ldexp(side, -32)
	p := &s.Model.pair
	switch p.form {
	case inverse12:
		s.estimates = kernel.NewRepulsion(p.cut, p.epsilon, p.c0, p.c2, p.c4, s.unit)
	case lennard:
		s.estimates = kernel.NewLennardJones(p.cut, p.epsilon, p.c0, strengths, float64(large), s.unit)
	}
}

// crowd copies particles, and hides another behind the last that fills the lists of neighbours up.
func crowd(p []kernel.Particle) []kernel.Particle {
	q := inLargePages[kernel.Particle](len(p) + 1)
	copy(q, p)
	q[len(p)] = kernel.Nowhere()
	return q[:len(p)]
}

// volume inside particles.
func volume(sizes []float64, dim int) float64 {
	v := 0.0
	for _, d := range sizes {
		v += ball(dim) * math.Pow(d, float64(dim))
	}
	return v
}

// ball is the volume of a sphere of diameter 1.
func ball(dim int) float64 {
	if dim == 2 {
		return math.Pi / 4
	}
	return math.Pi / 6
}

// start makes what follows from places and diameters. It reports a diameter that the model has not,
// and a box too small for the forces.
func (s *System) start() error {
	s.smallest, s.largest = math.Inf(1), 0
	for i := range s.particles {
		d := float64(s.particles[i].S)
		s.smallest, s.largest = min(s.smallest, d), max(s.largest, d)
		if err := s.Model.pair.admits(d); err != nil {
			return fmt.Errorf("glass: %s: %w", s.Model.Name, err)
		}
	}
	if far := s.Model.pair.farthest(s.smallest, s.largest); s.side < 2*far {
		return fmt.Errorf("glass: a box of side %.4g is smaller than twice the range of the forces, %.4g: want more particles or a lower density", s.side, far)
	}
	s.relist(defaultSkin)
	for _, w := range s.Moves {
		if _, ok := w.Move.(*Lifted); ok && s.rank == nil {
			s.rankDiameters()
		}
	}
	if err := s.divide(); err != nil {
		return fmt.Errorf("glass: %w", err)
	}
	return nil
}

// fixed turns a length into fractions of the box, wrapped around.
func (s *System) fixed(x float64) int32 {
	x /= s.side
	x -= math.Round(x) // in [-1/2, 1/2]
	return int32(max(math.MinInt32, min(math.MaxInt32, math.Round(math.Ldexp(x, 32)))))
}

// apart returns the squared distance of two places.
func (s *System) apart(a, b *[3]int32) float64 {
	x, y, z := float64(a[0]-b[0]), float64(a[1]-b[1]), float64(a[2]-b[2])
	return (x*x + y*y + z*z) * (s.unit * s.unit)
}

// places returns a squared length in the unit of places.
func (s *System) places(squared float64) float64 { return squared / (s.unit * s.unit) }

// gap returns the squared distance of two places in the unit of places.
func gap(a, b *[3]int32) uint64 {
	x, y, z := int64(a[0]-b[0]), int64(a[1]-b[1]), int64(a[2]-b[2])
	return uint64(x*x) + uint64(y*y) + uint64(z*z)
}

// N returns the number of particles.
func (s *System) N() int { return len(s.particles) }

// Dim returns the number of dimensions, 2 or 3.
func (s *System) Dim() int { return s.dim }

// Side returns the side of the box.
func (s *System) Side() float64 { return s.side }

// Temperature returns the temperature.
func (s *System) Temperature() float64 { return s.temperature }

// SetTemperature changes the temperature; it panics unless t is positive.
func (s *System) SetTemperature(t float64) {
	if !(t > 0) {
		panic(fmt.Sprintf("glass: temperature %g", t))
	}
	s.temperature = t
}

// Sweeps returns the time: N trials are one sweep.
func (s *System) Sweeps() int64 { return s.sweeps }

// Density returns N / V.
func (s *System) Density() float64 {
	return float64(len(s.particles)) / math.Pow(s.side, float64(s.dim))
}

// Packing returns the fraction of the volume inside the particles.
func (s *System) Packing() float64 {
	v := 0.0
	for i := range s.particles {
		v += ball(s.dim) * math.Pow(float64(s.particles[i].S), float64(s.dim))
	}
	return v / math.Pow(s.side, float64(s.dim))
}

// Position returns where particle i is, in units of length, followed through the walls
// of the box: the difference of two times is its displacement.
func (s *System) Position(i int) [3]float64 {
	var x [3]float64
	for k := range s.dim {
		x[k] = float64(s.particles[i].X[k])*s.unit + (float64(s.laps[i][k])+0.5)*s.side
	}
	return x
}

// Diameter returns the diameter of particle i.
func (s *System) Diameter(i int) float64 { return float64(s.particles[i].S) }

// Energy returns the energy of all pairs; infinite where hard particles overlap.
func (s *System) Energy() float64 { e, _ := s.pairs(); return e }

// Pressure returns the virial pressure, rho T + sum of -r v'(r) over pairs / (d V), and
// for hard particles what collisions make of it: [System.contacts].
func (s *System) Pressure() float64 {
	_, pressure := s.Virial()
	return pressure
}

// Virial returns the energy and, from the virial, the pressure, at the cost of one of them.
func (s *System) Virial() (energy, pressure float64) {
	energy, virial := s.pairs()
	if s.Model.Hard {
		virial = s.temperature * s.contacts()
	}
	return energy, s.Density()*s.temperature + virial/(float64(s.dim)*math.Pow(s.side, float64(s.dim)))
}

// Restart sets the time to 0 and all counts of trials, and forgets how often particles
// went through the walls.
func (s *System) Restart() {
	s.sweeps = 0
	s.unwrap()
	s.ResetTallies()
}

// Run does so many sweeps of N trials each.
func (s *System) Run(sweeps int) {
	for range sweeps {
		if s.Domains() > 0 {
			s.domains.sweep(s)
		} else {
			s.trials(len(s.particles))
		}
		s.sweeps++
	}
}

// Equilibrate does so many sweeps and tunes the step of displacements to the stated
// acceptance. It stays as it is afterwards: a step that follows the state would break
// detailed balance. Then it sets all tallies to zero.
func (s *System) Equilibrate(sweeps int, acceptance float64) {
	const every = 10
	m := s.Displacement.Move.(*Displacement)
	for done := 0; done < sweeps; done += every {
		s.Displacement.Tally = Tally{}
		s.Run(min(every, sweeps-done))
		if s.Displacement.Proposed > 0 {
			m.Delta = min(max(m.Delta*math.Exp(s.Displacement.Rate()-acceptance), 1e-5), s.side/4)
		}
	}
	s.ResetTallies()
}

// ResetTallies sets all counts of trials to zero.
func (s *System) ResetTallies() {
	s.Displacement.Tally = Tally{}
	for i := range s.Moves {
		s.Moves[i].Tally = Tally{}
	}
}

// Delta returns half the side of the cube in which displacements are drawn.
func (s *System) Delta() float64 { return s.Displacement.Move.(*Displacement).Delta }
