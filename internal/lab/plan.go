package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"swapmc/dataset"
	"swapmc/internal/train"
)

// Run is one training of a plan.
type Run struct {
	ID     string
	System string
	Data   Identity
	Config train.Config
	Label  string // what tells it from others of the same protocols and seed, for people; no part of the ID

	set *dataset.Set
}

// Protocols returns those that act in the run; none in a baseline.
func (r *Run) Protocols() Protocols { return Protocols(r.Config.Protocols) }

// Identity is what a run's result depends on of the data: its contents, not
// where they lie.
type Identity struct {
	Set    string `json:"set"`
	Train  int    `json:"train"` // number of images
	Test   int    `json:"test"`
	SHA256 string `json:"sha256"` // of shape, number of classes, normalisation, images and labels
}

// Identify returns the identity of a data set.
func Identify(set *dataset.Set) Identity {
	h := sha256.New()
	fmt.Fprintln(h, set.Shape.C, set.Shape.H, set.Shape.W, len(set.Classes), set.Train.Len(), set.Test.Len(), set.Mean, set.Std)
	for _, split := range []*dataset.Split{&set.Train, &set.Test} {
		h.Write(split.Images)
		h.Write(split.Labels)
	}
	return Identity{
		Set:    set.Name,
		Train:  set.Train.Len(),
		Test:   set.Test.Len(),
		SHA256: hex.EncodeToString(h.Sum(nil)),
	}
}

// A Source is a data set in memory, with its identity.
type Source struct {
	Set      *dataset.Set
	Identity Identity
}

// NewSource identifies a data set.
func NewSource(set *dataset.Set) *Source { return &Source{set, Identify(set)} }

// A Group is the runs of one seed: the baseline and each protocol, in an order
// that rotates from seed to seed, so that none is always first.
type Group []*Run

// Plan returns the runs of a Spec on its data, by seed. It reports what cannot
// be run, such as a protocol that finds nothing to swap in this network.
func Plan(s Spec, data *dataset.Set) ([]Group, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	source := NewSource(data)
	columns := append([]Protocols{nil}, s.Protocols...)
	for i, p := range columns {
		if err := train.Check(s.config(p, s.Seeds[0]), data); err != nil {
			if i == 0 {
				return nil, err
			}
			return nil, &FieldError{Key: fmt.Sprintf("protocols[%d]", i-1), Err: err}
		}
	}
	var plan []Group
	for k, seed := range s.Seeds {
		var g Group
		for i := range columns {
			p := columns[(i+k)%len(columns)]
			g = append(g, NewRun(&s, p, seed, source))
		}
		plan = append(plan, g)
	}
	return plan, nil
}

// One returns the single run in which all protocols of a Spec act together, with
// its first seed.
func One(s Spec, data *dataset.Set) (*Run, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	var together Protocols
	for _, p := range s.Protocols {
		together = append(together, p...)
	}
	cfg := s.config(together, s.Seeds[0])
	if err := train.Check(cfg, data); err != nil {
		return nil, err
	}
	return NewRun(&s, together, s.Seeds[0], NewSource(data)), nil
}

// NewRun returns the run of a Spec on its data in which these protocols act, with
// that seed. Whether it can be made is left to be seen.
func NewRun(s *Spec, p Protocols, seed uint64, source *Source) *Run {
	r := &Run{System: s.System, Data: source.Identity, Config: s.config(p, seed), set: source.Set}
	r.ID = r.hash()
	return r
}

// Try builds the run's network and returns its number of parameters and, for each
// list of protocols, why they could not act in it; nil where they can.
func (r *Run) Try(lists []Protocols) (parameters int, faults []error) {
	cfg := r.Config
	cfg.Protocols = nil
	faults = make([]error, len(lists))
	training, err := train.New(cfg, r.set, 1)
	if err != nil {
		for i := range faults {
			faults[i] = err
		}
		return 0, faults
	}
	defer training.Close()
	for i, p := range lists {
		faults[i] = training.Fits(p)
	}
	return len(training.Network().Params()), faults
}

// A Pace is how long parts of a run take on one thread, in seconds.
type Pace struct {
	Iteration  float64
	Evaluation float64
}

// Pace measures how fast the run goes: real iterations, for about that time.
func (r *Run) Pace(budget time.Duration) (Pace, error) {
	training, err := train.New(r.Config, r.set, 1)
	if err != nil {
		return Pace{}, err
	}
	defer training.Close()
	if err := training.Step(); err != nil { // the first one touches all memory
		return Pace{}, err
	}
	began, n := time.Now(), 0
	for n == 0 || time.Since(began) < budget && !training.Done() {
		if err := training.Step(); err != nil {
			if n == 0 {
				return Pace{}, err
			}
			break // diverged: what was measured will do
		}
		n++
	}
	p := Pace{Iteration: time.Since(began).Seconds() / float64(n)}
	began = time.Now()
	training.Evaluate()
	p.Evaluation = time.Since(began).Seconds()
	return p, nil
}

// hash names a run by what its result depends on. Zero values are left out, so
// that an option added to a later version does not rename the runs without it.
func (r *Run) hash() string {
	text, err := json.Marshal(struct {
		System string
		Data   Identity
		Config train.Config
	}{r.System, r.Data, r.Config})
	if err == nil {
		var tree any
		if err = json.Unmarshal(text, &tree); err == nil {
			text, err = json.Marshal(prune(tree))
		}
	}
	if err != nil { // only numbers that are not finite cannot be written; Validate refuses them
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// prune removes the zero values from a JSON tree.
func prune(tree any) any {
	object, ok := tree.(map[string]any)
	if !ok {
		return tree
	}
	for key, value := range object {
		value = prune(value)
		object[key] = value
		empty := value == nil || reflect.ValueOf(value).IsZero()
		switch v := value.(type) {
		case map[string]any:
			empty = len(v) == 0
		case []any:
			empty = len(v) == 0
		}
		if empty {
			delete(object, key)
		}
	}
	return object
}
