package glass

import (
	"errors"
	"fmt"
	"math"

	"swapmc/internal/rng"
)

// Tempering runs systems of the same particles at a ladder of temperatures, and
// now and then exchanges the configurations of two that are neighbours on it:
//
//	T_1    T_2    T_3    T_4        accepted with probability
//	 |------|      |------|         min(1, exp((1/T_i - 1/T_k) (E_i - E_k)))
//	        |------|                pairs in turn: 1-2, 3-4, ...; then 2-3, 4-5, ...
//
// so that each configuration visits high temperatures, where it relaxes, and each temperature
// keeps its Boltzmann distribution (parallel tempering: Hukushima and Nemoto, J. Phys. Soc.
// Jpn. 65, 1604, 1996).
type Tempering struct {
	Systems []*System // by temperature, ascending or descending
	Every   int       // sweeps between exchanges
	Tallies []Tally   // of exchanges of Systems[i] and [i+1]
	Walkers []Walker  // the configuration that is at each of Systems
	random  *rng.Stream
	rounds  int64
}

// A Walker is a configuration on its way along the ladder.
type Walker struct {
	Number int
	Last   int   // end of the ladder where it last was: -1 the first system, 1 the last, 0 neither yet
	Trips  int64 // from the first to the last and back, or the other way
	Half   bool
}

// NewTempering couples systems. It reports systems that differ in their particles or their box,
// and hard ones.
func NewTempering(systems []*System, every int, seed uint64) (*Tempering, error) {
	if len(systems) < 2 || every < 1 {
		return nil, errors.New("glass: tempering: want at least two temperatures, and exchanges every 1 or more sweeps")
	}
	first := systems[0]
	for i, s := range systems {
		switch {
		case s.Model.Hard:
			return nil, fmt.Errorf("glass: tempering: temperature does not matter to %s", s.Model.Name)
		case s.Model.Name != first.Model.Name || s.Model.pair != first.Model.pair || s.dim != first.dim || s.side != first.side || len(s.particles) != len(first.particles):
			return nil, fmt.Errorf("glass: tempering: system %d has other particles or another box than the first", i)
		}
	}
	t := &Tempering{Systems: systems, Every: every, Tallies: make([]Tally, len(systems)-1), random: rng.New(seed, "tempering")}
	for i := range systems {
		t.Walkers = append(t.Walkers, Walker{Number: i})
	}
	t.note()
	return t, nil
}

// Exchange tries one round of exchanges.
func (t *Tempering) Exchange() {
	for i := int(t.rounds % 2); i+1 < len(t.Systems); i += 2 {
		a, b := t.Systems[i], t.Systems[i+1]
		gain := (1/a.temperature - 1/b.temperature) * (a.Energy() - b.Energy())
		t.Tallies[i].Proposed++
		if gain >= -t.random.ExpFloat64() {
			t.Tallies[i].Accepted++
			a.trade(b)
			t.Walkers[i], t.Walkers[i+1] = t.Walkers[i+1], t.Walkers[i]
		}
	}
	t.rounds++
	t.note()
}

// note counts round trips.
func (t *Tempering) note() {
	for _, end := range []struct{ at, is int }{{0, -1}, {len(t.Systems) - 1, 1}} {
		w := &t.Walkers[end.at]
		if w.Last == -end.is {
			if w.Half {
				w.Trips++
			}
			w.Half = !w.Half
		}
		w.Last = end.is
	}
}

// trade exchanges configurations: all but temperature, moves, their counts, and random numbers.
func (s *System) trade(o *System) {
	s.particles, o.particles = o.particles, s.particles
	s.laps, o.laps = o.laps, s.laps
	s.lists, o.lists = o.lists, s.lists
	s.rank, o.rank = o.rank, s.rank
	s.ranked, o.ranked = o.ranked, s.ranked
	s.active, o.active = o.active, s.active
}

// A TemperingState is a Tempering without its systems, for restart files.
type TemperingState struct {
	Tallies []Tally
	Walkers []Walker
	Rounds  int64
	Random  []byte
}

// State returns what [Tempering.SetState] takes.
func (t *Tempering) State() (TemperingState, error) {
	random, err := t.random.MarshalBinary()
	return TemperingState{t.Tallies, t.Walkers, t.rounds, random}, err
}

// SetState continues from a State of as many systems.
func (t *Tempering) SetState(s TemperingState) error {
	if len(s.Tallies) != len(t.Tallies) || len(s.Walkers) != len(t.Walkers) || s.Rounds < 0 {
		return fmt.Errorf("glass: tempering: a state of %d temperatures: want %d", len(s.Walkers), len(t.Walkers))
	}
	if err := t.random.UnmarshalBinary(s.Random); err != nil {
		return fmt.Errorf("glass: tempering: %w", err)
	}
	t.Tallies, t.Walkers, t.rounds = s.Tallies, s.Walkers, s.Rounds
	return nil
}

// RoundTrips returns how often configurations went from one end of the ladder to the
// other and back.
func (t *Tempering) RoundTrips() int64 {
	sum := int64(0)
	for _, w := range t.Walkers {
		sum += w.Trips
	}
	return sum
}

// Rate is the smallest rate of exchanges between neighbours: where the ladder is too wide.
func (t *Tempering) Rate() float64 {
	rate := 1.0
	for _, x := range t.Tallies {
		rate = math.Min(rate, x.Rate())
	}
	return rate
}
