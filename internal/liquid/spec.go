// Package liquid makes runs of package glass: from a spec to a results folder with
// averages, two-time observables and trajectories, and comparisons of relaxation times.
package liquid

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"swapmc/glass"
	"swapmc/internal/lab"
	"swapmc/swap"
)

// A Spec says what is simulated. Its YAML form is the file that users write and the
// spec.yaml of a results folder.
type Spec struct {
	Name        string          `yaml:"name"`
	Version     string          `yaml:"version,omitempty"` // of the program that wrote it
	System      string          `yaml:"system"`            // "glass"
	Model       string          `yaml:"model"`
	Particles   int             `yaml:"particles"`
	Dimension   int             `yaml:"dimension"`
	Density     float64         `yaml:"density"`               // 0: the model's own
	Packing     float64         `yaml:"packing"`               // instead of density
	Temperature Temperatures    `yaml:"temperature,omitempty"` // a run at each; absent: the model's own
	Tempering   int             `yaml:"tempering"`             // sweeps between exchanges of configurations of neighbouring temperatures; 0: none
	Sizes       glass.Sizes     `yaml:"sizes"`                 // kind "": the model's own
	NonAdditive *float64        `yaml:"non-additive,omitempty"`
	Protocols   []lab.Protocols `yaml:"protocols"` // a run of each, with no swaps where there is none
	Equilibrate Equilibrate     `yaml:"equilibrate"`
	Sweeps      int             `yaml:"sweeps"`     // measured
	Acceptance  float64         `yaml:"acceptance"` // of displacements, to which their step is tuned while equilibrating
	Measure     Measure         `yaml:"measure"`
	Trajectory  Trajectory      `yaml:"trajectory"`
	Start       string          `yaml:"start"` // an XYZ file; "": a lattice
	Seeds       lab.Seeds       `yaml:"seeds"`
	Parallel    int             `yaml:"parallel"` // runs at once; 0: one for each core
	Domains     string          `yaml:"domains"`  // whether sweeps go domain by domain: auto, on, off
}

// Equilibrate says how a run begins.
type Equilibrate struct {
	Sweeps   int            `yaml:"sweeps"`
	Protocol *lab.Protocols `yaml:"protocol,omitempty"` // of this part; absent: that of the run
}

// Measure says what is measured.
type Measure struct {
	K        float64 `yaml:"k" json:"k"`                         // wave number of F_s
	Overlap  float64 `yaml:"overlap" json:"overlap"`             // radius of the overlap
	Origins  int     `yaml:"origins" json:"origins"`             // waiting times
	Inherent int     `yaml:"inherent" json:"inherent,omitempty"` // configurations that are quenched to their inherent structures
	// Static structure factor at 1 to so many waves along each axis of the box.
	Structure int `yaml:"structure" json:"structure,omitempty"`
}

// Trajectory says which configurations are kept.
type Trajectory struct {
	Times  string `yaml:"times" json:"times"`   // none, linear, log
	Frames int    `yaml:"frames" json:"frames"` // linear: how many; log: in each decade
}

// Temperatures is a number or a list.
type Temperatures []float64

// MarshalYAML writes a number where there is one.
func (t Temperatures) MarshalYAML() (any, error) {
	if len(t) == 1 {
		return t[0], nil
	}
	return []float64(t), nil
}

// UnmarshalYAML reads a number or a list of numbers.
func (t *Temperatures) UnmarshalYAML(unmarshal func(any) error) error {
	var one float64
	if unmarshal(&one) == nil {
		*t = Temperatures{one}
		return nil
	}
	var list []float64
	if unmarshal(&list) != nil {
		return errors.New("want a number or a list of numbers")
	}
	*t = list
	return nil
}

// Default is the Spec of which a user's file or flags change parts.
func Default() Spec {
	return Spec{
		Name: "glass", System: "glass", Model: "soft-poly", Particles: 1000, Dimension: 3,
		Equilibrate: Equilibrate{Sweeps: 20000}, Sweeps: 10000, Acceptance: 0.4,
		Measure:    Measure{K: 7, Overlap: 0.3, Origins: 20},
		Trajectory: Trajectory{Times: "none", Frames: 20},
		Seeds:      lab.FirstSeeds(1),
		Domains:    "auto",
	}
}

// Read reads a Spec from YAML. Keys that are absent keep their value in base.
func Read(file string, text []byte, base Spec) (Spec, error) {
	s := base
	err := lab.Decode(file, text, &s, s.Validate)
	return s, err
}

// Marshal writes the Spec as YAML that [Read] reads back as an equal Spec.
func (s Spec) Marshal() ([]byte, error) {
	return yaml.MarshalWithOptions(s, yaml.IndentSequence(true))
}

// Complete gives what was left open its value: the model's own temperature.
func (s *Spec) Complete() {
	if m, err := glass.FindModel(s.Model); err == nil && s.Temperature == nil {
		s.Temperature = Temperatures{m.Temperature}
	}
}

// Validate reports the first value that cannot be, as a [*lab.FieldError].
func (s *Spec) Validate() error {
	fail := func(key, format string, args ...any) error {
		return &lab.FieldError{Key: key, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case s.Name == "" || s.Name != strings.TrimSpace(s.Name) || strings.ContainsAny(s.Name, `/\:*?"<>|`) || strings.HasPrefix(s.Name, "."):
		return fail("name", "%q: want a folder name, without / and not starting with a dot", s.Name)
	case s.System != "glass":
		return fail("system", "%q: want glass", s.System)
	case s.Particles < 1:
		return fail("particles", "N = %d: need at least one particle", s.Particles)
	case s.Dimension != 2 && s.Dimension != 3:
		return fail("dimension", "%d: want 2 or 3", s.Dimension)
	case !(s.Density >= 0) || math.IsInf(s.Density, 0):
		return fail("density", "%g: want above 0, or 0 for the model's own", s.Density)
	case !(s.Packing >= 0 && s.Packing < 3):
		return fail("packing", "%g: want above 0, or 0 for that of the density", s.Packing)
	case s.Density > 0 && s.Packing > 0:
		return fail("packing", "density is given too: want one of them")
	case s.Equilibrate.Sweeps < 0:
		return fail("equilibrate.sweeps", "%d: want at least 0", s.Equilibrate.Sweeps)
	case s.Sweeps < 1:
		return fail("sweeps", "%d: want at least 1", s.Sweeps)
	case !(s.Acceptance > 0 && s.Acceptance < 1):
		return fail("acceptance", "%g: want above 0 and below 1", s.Acceptance)
	case !(s.Measure.K > 0) || math.IsInf(s.Measure.K, 0):
		return fail("measure.k", "%g: want a wave number above 0", s.Measure.K)
	case !(s.Measure.Overlap > 0) || math.IsInf(s.Measure.Overlap, 0):
		return fail("measure.overlap", "%g: want a radius above 0", s.Measure.Overlap)
	case s.Measure.Origins < 1 || s.Measure.Origins > 1000:
		return fail("measure.origins", "%d: want 1 to 1000", s.Measure.Origins)
	case s.Measure.Structure < 0 || s.Measure.Structure > 10_000:
		return fail("measure.structure", "%d: want a number of wave vectors along each axis, 0 to 10000", s.Measure.Structure)
	case s.Measure.Inherent < 0 || s.Measure.Inherent > s.Sweeps:
		return fail("measure.inherent", "%d: want a number of configurations, at most one for each sweep", s.Measure.Inherent)
	case s.Trajectory.Times != "none" && s.Trajectory.Times != "linear" && s.Trajectory.Times != "log":
		return fail("trajectory.times", "%q: want none, linear or log", s.Trajectory.Times)
	case s.Trajectory.Frames < 1 || s.Trajectory.Frames > 1e5:
		return fail("trajectory.frames", "%d: want 1 to 100000", s.Trajectory.Frames)
	case s.Start != "" && s.Sizes.Kind != "":
		return fail("sizes", "the particles of start have theirs: want one of them")
	case len(s.Seeds) == 0:
		return fail("seeds", "want a number of at least 1, or a list of seeds")
	case s.Parallel < 0:
		return fail("parallel", "%d: want a number of runs at once, or 0 for one on each core", s.Parallel)
	case s.Domains != "auto" && s.Domains != "on" && s.Domains != "off":
		return fail("domains", "%q: want auto, on or off", s.Domains)
	case s.NonAdditive != nil && !(*s.NonAdditive >= 0 && *s.NonAdditive <= 0.3):
		return fail("non-additive", "%g: want 0 to 0.3", *s.NonAdditive)
	case s.Temperature != nil && len(s.Temperature) == 0:
		return fail("temperature", "want a number or a list of numbers")
	}
	if _, err := glass.FindModel(s.Model); err != nil {
		return fail("model", "%s", strings.TrimPrefix(err.Error(), "glass: "))
	}
	for i, t := range s.Temperature {
		if !(t > 0) || math.IsInf(t, 0) {
			return fail("temperature", "%g: want above 0", t)
		}
		if slices.Contains(s.Temperature[:i], t) {
			return fail("temperature", "%g is given twice", t)
		}
	}
	for i, x := range s.Seeds {
		if slices.Contains(s.Seeds[:i], x) {
			return fail("seeds", "%d is given twice", x)
		}
	}
	if m, _ := glass.FindModel(s.Model); m.Hard && (s.Measure.Inherent > 0 || s.Tempering > 0) {
		return fail("model", "%s has no energy: want measure.inherent = 0 and tempering = 0", s.Model)
	}
	if err := s.checkLadder(); err != nil {
		return err
	}
	if err := s.Sizes.Validate(); err != nil {
		return &lab.FieldError{Key: "sizes", Err: err}
	}
	seen := map[string]bool{}
	for i, p := range s.Protocols {
		key := fmt.Sprintf("protocols[%d]", i)
		if seen[p.String()] {
			return fail(key, "%s is given twice", p)
		}
		seen[p.String()] = true
		if err := s.Temperature.check(p); err != nil {
			return &lab.FieldError{Key: key, Err: err}
		}
	}
	if s.Equilibrate.Protocol != nil {
		if err := s.Temperature.check(*s.Equilibrate.Protocol); err != nil {
			return &lab.FieldError{Key: "equilibrate.protocol", Err: err}
		}
	}
	return nil
}

// check reports a protocol that particles cannot have, or not at all of the temperatures.
func (t Temperatures) check(list lab.Protocols) error {
	for _, p := range list {
		if p.Target != swap.Diameters {
			return fmt.Errorf("%s: particles have no %s: want diameters", p, p.Target)
		}
		for _, x := range t {
			if p.T != 0 && p.T != x {
				return fmt.Errorf("%s: T=%g, the system is at %g: want T= away", p, p.T, x)
			}
		}
	}
	return nil
}

// A Config is what the result of one run depends on.
type Config struct {
	Model       string        `json:"model"`
	Particles   int           `json:"particles"`
	Dimension   int           `json:"dimension"`
	Density     float64       `json:"density,omitempty"`
	Packing     float64       `json:"packing,omitempty"`
	Temperature float64       `json:"temperature"`
	Sizes       glass.Sizes   `json:"sizes"`
	NonAdditive *float64      `json:"non_additive,omitempty"`
	Protocol    lab.Protocols `json:"protocol"`
	Equilibrate int           `json:"equilibrate"` // sweeps
	First       lab.Protocols `json:"first"`       // the protocol of these
	Sweeps      int           `json:"sweeps"`
	Acceptance  float64       `json:"acceptance"`
	Measure     Measure       `json:"measure"`
	Trajectory  Trajectory    `json:"trajectory"`
	Start       string        `json:"start,omitempty"` // SHA-256 of the XYZ file
	Tempering   *Rung         `json:"tempering,omitempty"`
	Domains     string        `json:"domains,omitempty"` // on or off; absent: auto
	Seed        uint64        `json:"seed"`
}

// A Run is one simulation.
type Run struct {
	ID     string
	Config Config
	start  []byte // the XYZ file
	// threads work at the domains of a large system; 0: as many as Go has. The result does not depend on it.
	threads int
}

// Plan returns the runs of a Spec: each temperature, seed and protocol. It reports what
// cannot be simulated.
func Plan(s Spec, start []byte) ([]*Run, error) {
	s.Complete()
	protocols := s.Protocols
	if len(protocols) == 0 {
		protocols = []lab.Protocols{nil}
	}
	var plan []*Run
	for rung, t := range s.Temperature {
		for _, seed := range s.Seeds {
			for _, p := range protocols {
				c := Config{Model: s.Model, Particles: s.Particles, Dimension: s.Dimension, Density: s.Density, Packing: s.Packing,
					Temperature: t, Sizes: s.Sizes, NonAdditive: s.NonAdditive, Protocol: p, Equilibrate: s.Equilibrate.Sweeps,
					First: p, Sweeps: s.Sweeps, Acceptance: s.Acceptance, Measure: s.Measure, Trajectory: s.Trajectory, Seed: seed}
				if s.Equilibrate.Protocol != nil {
					c.First = *s.Equilibrate.Protocol
				}
				if start != nil {
					sum := sha256.Sum256(start)
					c.Start = hex.EncodeToString(sum[:])
				}
				if s.Domains != "auto" {
					c.Domains = s.Domains
				}
				if s.Tempering > 0 {
					c.Tempering = &Rung{s.Tempering, s.Temperature, rung}
				}
				r := &Run{Config: c, start: start}
				text, err := json.Marshal(c)
				if err != nil {
					return nil, err
				}
				sum := sha256.Sum256(text)
				r.ID = hex.EncodeToString(sum[:6])
				plan = append(plan, r)
			}
		}
	}
	if _, _, err := plan[0].system(); err != nil {
		if start != nil {
			err = fmt.Errorf("%s: %s", s.Start, strings.TrimPrefix(err.Error(), "glass: "))
		}
		return nil, err
	}
	if s.Equilibrate.Protocol != nil {
		protocols = append(slices.Clone(protocols), *s.Equilibrate.Protocol)
	}
	for _, p := range protocols {
		if err := plan[0].check(p); err != nil {
			return nil, err
		}
	}
	return plan, nil
}
