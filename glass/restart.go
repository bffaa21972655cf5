package glass

import (
	"compress/gzip"
	"encoding/gob"
	"fmt"
	"io"
	"math"

	"swapmc/internal/kernel"
	"swapmc/internal/rng"
)

// A state is what a restart file holds: all that Options and the random numbers
// already drawn have made of a System.
type state struct {
	Format      string // and its version
	Model       string
	Dim         int
	Side        float64
	Temperature float64
	Particles   []kernel.Particle
	Laps        [][3]int32
	Ranked      []int32
	Active      int
	Random      []byte
	Sweeps      int64
	Delta       float64
	Tallies     []Tally // of displacements, then of the other moves
}

const format = "swapmc glass 3"

// Save writes a restart file. A System that [System.Load] reads from it goes on as this
// one would, bit for bit. The file is compressed and has a checksum.
func (s *System) Save(w io.Writer) error {
	random, err := s.own.random.MarshalBinary()
	if err != nil {
		return fmt.Errorf("glass: %w", err)
	}
	st := state{
		Format: format, Model: s.Model.Name, Dim: s.dim, Side: s.side, Temperature: s.temperature,
		Particles: s.particles, Laps: s.laps, Ranked: s.ranked,
		Active: s.active, Random: random, Sweeps: s.sweeps,
		Delta: s.Displacement.Move.(*Displacement).Delta, Tallies: []Tally{s.Displacement.Tally},
	}
	for _, m := range s.Moves {
		st.Tallies = append(st.Tallies, m.Tally)
	}
	z := gzip.NewWriter(w)
	if err := gob.NewEncoder(z).Encode(st); err != nil {
		return fmt.Errorf("glass: restart: %w", err)
	}
	return z.Close()
}

// Load reads what Save wrote into a System of the same Options. It reports a file that
// is damaged or of another system, and then leaves the System as it was.
func (s *System) Load(r io.Reader) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("glass: restart file: "+format, args...)
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return fail("%w: want a file that this program wrote", err)
	}
	var st state
	if err := gob.NewDecoder(z).Decode(&st); err != nil {
		return fail("damaged: %w", err)
	}
	if _, err := io.Copy(io.Discard, z); err != nil { // to the checksum
		return fail("damaged: %w", err)
	}
	n := len(s.particles)
	switch {
	case st.Format != format:
		return fail("format %q: want %q", st.Format, format)
	case st.Model != s.Model.Name || st.Dim != s.dim || len(st.Particles) != n:
		return fail("%d particles of %s in %d dimensions: want %d of %s in %d", len(st.Particles), st.Model, st.Dim, n, s.Model.Name, s.dim)
	case len(st.Laps) != n || len(st.Ranked) != 0 && len(st.Ranked) != n || len(st.Tallies) == 0:
		return fail("damaged: arrays of different length")
	case !(st.Side > 0) || !(st.Temperature > 0) || !(st.Delta > 0) || math.IsInf(st.Side+st.Temperature+st.Delta, 0):
		return fail("damaged: side %g, temperature %g, delta %g", st.Side, st.Temperature, st.Delta)
	case st.Active < 0 || st.Active >= n:
		return fail("damaged: a particle number out of range")
	}
	seen := make([]bool, n)
	for _, i := range st.Ranked {
		if i < 0 || int(i) >= n || seen[i] {
			return fail("damaged: ranks are no permutation")
		}
		seen[i] = true
	}
	for i, p := range st.Particles {
		if !(p.S > 0) {
			return fail("damaged: particle %d has diameter %g", i, p.S)
		}
		if s.dim == 2 && p.X[2] != 0 {
			return fail("damaged: particle %d is not in the plane", i)
		}
	}
	random := rng.New(0, "glass")
	if err := random.UnmarshalBinary(st.Random); err != nil {
		return fail("damaged: random numbers: %w", err)
	}
	old := *s
	s.box(st.Side)
	s.temperature = st.Temperature
	s.particles, s.laps = crowd(st.Particles), st.Laps
	s.ranked, s.rank = nil, nil
	if err := s.start(); err != nil {
		*s = old
		return err
	}
	if len(st.Ranked) == n {
		s.ranked, s.rank = st.Ranked, make([]int32, n)
		for r, i := range s.ranked {
			s.rank[i] = int32(r)
		}
	}
	s.own.random = random
	s.active, s.sweeps = st.Active, st.Sweeps
	s.Displacement.Move.(*Displacement).Delta = st.Delta
	s.Displacement.Tally = st.Tallies[0]
	for i := range s.Moves {
		if len(st.Tallies) == len(s.Moves)+1 {
			s.Moves[i].Tally = st.Tallies[i+1]
		}
	}
	return nil
}
