// Package sweep makes studies: it multiplies the spec of one comparison over lists
// and ranges of any of its keys, plans the runs, spreads them over processes and
// machines, and compares each protocol with its baseline in every corner.
//
//	Spec     a comparison's spec and a block that says what is varied
//	Plan     the runs, by cell: one cell for each combination of values
//	Shard    the part of a plan that one of several processes makes
//	Status   how far the runs have come
//	Collect  comparisons, tables and figures of what is finished
//
// A sweep's folder is that of a comparison: runs lie under runs/ID, where the ID is
// a hash of what the run is, and are made by package lab with all its promises.
// A run that a comparison and a sweep share has the same ID in both.
package sweep

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"swapmc/internal/lab"
)

// A Spec is a sweep: what a comparison asks, and what of it is varied.
type Spec struct {
	Base  lab.Spec
	Block Block

	cells  [][]Setting     // one entry for each combination of values
	trials [][]Setting     // values of what is tuned; one empty entry where nothing is
	arms   []lab.Protocols // the baseline first
}

// A Block is the key sweep of a sweep's YAML file.
type Block struct {
	Product   Axes       `yaml:"product,omitempty"`   // every combination of these
	Zip       []Axes     `yaml:"zip,omitempty"`       // the keys of one entry go together, value by value
	Protocols []Template `yaml:"protocols,omitempty"` // compared besides those of the base
	Exclude   []Match    `yaml:"exclude,omitempty"`   // combinations that are not run
	Tune      Tune       `yaml:"tune,omitempty"`
	Budget    Budget     `yaml:"budget,omitempty"`
	Weights   bool       `yaml:"weights"` // keep the final weights of each run
	Slurm     Slurm      `yaml:"slurm,omitempty"`
}

// Tune says which keys are tuned, for the baseline as for every protocol: all have
// the same trials, so that none wins against an untuned opponent (Dahl et al.,
// "Benchmarking neural network training algorithms", 2023).
type Tune struct {
	Over   Axes      `yaml:"over,omitempty"`   // every combination of these is a trial
	Trials int       `yaml:"trials,omitempty"` // draw so many of them; 0: all
	Seeds  lab.Seeds `yaml:"seeds,omitempty"`  // of the runs by which a trial is chosen; a number stands for the next after those of the base
}

// Budget bounds a sweep.
type Budget struct {
	Runs int  `yaml:"runs,omitempty"` // at most; 0: any number
	Draw bool `yaml:"draw,omitempty"` // draw as many cells as fit, instead of refusing what does not
}

// Slurm says how a sweep is sent to a cluster. Flags override it.
type Slurm struct {
	Partition string   `yaml:"partition,omitempty"`
	Account   string   `yaml:"account,omitempty"`
	Time      string   `yaml:"time,omitempty"`    // limit of a task, in Slurm's form
	Memory    string   `yaml:"memory,omitempty"`  // of a task, in Slurm's form
	CPUs      int      `yaml:"cpus,omitempty"`    // of a task; it makes as many runs at once
	Tasks     int      `yaml:"tasks,omitempty"`   // number of tasks; 0: from chunk
	Chunk     string   `yaml:"chunk,omitempty"`   // work of a task, such as 30m
	AtOnce    int      `yaml:"at-once,omitempty"` // tasks running at a time; 0: no limit
	Options   []string `yaml:"options,omitempty"` // further options of sbatch
}

// ReadFile reads a sweep from a YAML file. Keys of the comparison that are absent
// keep their value in base.
func ReadFile(path string, base lab.Spec) (*Spec, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Read(path, text, base)
}

// Read reads a sweep from YAML. Errors begin with the file's name and, where one
// is to blame, the line.
func Read(file string, text []byte, base lab.Spec) (*Spec, error) {
	comparison, block := lab.Section(text, "sweep")
	s := &Spec{}
	var err error
	if s.Base, err = lab.Read(file, comparison, base); err != nil {
		if strings.Contains(err.Error(), `unknown key "sweep"`) {
			err = fmt.Errorf("%w: want sweep: at the start of a line", err)
		}
		return nil, err
	}
	var outer struct {
		Sweep Block `yaml:"sweep"`
	}
	outer.Sweep.Weights = true
	compile := func() error {
		s.Block = outer.Sweep
		return s.compile()
	}
	if err := lab.Decode(file, block, &outer, compile); err != nil {
		return nil, err
	}
	return s, nil
}

// Marshal writes the sweep as YAML that [Read] reads back as an equal one.
func (s *Spec) Marshal() ([]byte, error) {
	base, err := s.Base.Marshal()
	if err != nil {
		return nil, err
	}
	block, err := yaml.MarshalWithOptions(struct {
		Sweep Block `yaml:"sweep"`
	}{s.Block}, yaml.IndentSequence(true))
	return append(base, block...), err
}

// fixed are the keys that cannot be varied, and what to write instead.
var fixed = map[string]string{
	"name":       "it names the folder of all",
	"version":    "it is the program's",
	"system":     "a sweep has one",
	"protocols":  "all of them are run in every cell: list them under protocols",
	"seeds":      "all of them are run in every cell: list them under seeds",
	"targets":    "they change no run",
	"checkpoint": "it changes no run",
	"parallel":   "it changes no run",
	"data.path":  "it changes no run",
}

// compile checks the block and works out what it multiplies.
func (s *Spec) compile() error {
	b := &s.Block
	fail := func(key, format string, args ...any) error {
		return &lab.FieldError{Key: "sweep" + key, Err: fmt.Errorf(format, args...)}
	}
	used := map[string]bool{}
	expand := func(at string, axes Axes) ([][]Setting, error) {
		var all [][]Setting
		for _, axis := range axes {
			where := at + "." + axis.Key
			for _, key := range []string{axis.Key, strings.SplitN(axis.Key, ".", 2)[0]} {
				if why := fixed[key]; why != "" {
					return nil, fail(where, "%s cannot be varied: %s", axis.Key, why)
				}
			}
			if used[axis.Key] {
				return nil, fail(where, "%s is varied twice", axis.Key)
			}
			used[axis.Key] = true
			settings, err := axis.settings(&s.Base)
			if err != nil {
				return nil, fail(where, "%w", err)
			}
			all = append(all, settings)
		}
		return all, nil
	}
	axes, err := expand(".product", b.Product)
	if err != nil {
		return err
	}
	s.cells = product(axes)
	for i, z := range b.Zip {
		at := fmt.Sprintf(".zip[%d]", i)
		axes, err := expand(at, z)
		if err != nil {
			return err
		}
		rows, err := zip(axes)
		if err != nil {
			return fail(at, "%w", err)
		}
		s.cells = cross(s.cells, rows)
	}
	if len(s.cells) > maxCells {
		return fail(".product", "%d combinations: want at most %d", len(s.cells), maxCells)
	}
	axes, err = expand(".tune.over", b.Tune.Over)
	if err != nil {
		return err
	}
	s.trials = product(axes)
	switch {
	case len(b.Tune.Over) == 0 && (b.Tune.Trials != 0 || len(b.Tune.Seeds) > 0):
		return fail(".tune", "nothing to tune: want keys and values under tune.over, for example optimizer.lr: [0.01, 0.1]")
	case b.Tune.Trials < 0:
		return fail(".tune.trials", "%d: want a number of trials, or 0 for all", b.Tune.Trials)
	case b.Tune.Trials > len(s.trials):
		return fail(".tune.trials", "%d: tune.over has %d combinations: want no more", b.Tune.Trials, len(s.trials))
	case b.Budget.Runs < 0:
		return fail(".budget.runs", "%d: want a number of runs, or 0 for any", b.Budget.Runs)
	case b.Budget.Draw && b.Budget.Runs == 0:
		return fail(".budget.draw", "to what number? want budget.runs")
	}
	if b.Tune.Trials > 0 {
		s.trials = drawn(s.trials, b.Tune.Trials, "trials")
	}
	if len(b.Tune.Over) > 0 {
		b.Tune.Seeds = s.tuningSeeds()
		for _, seed := range b.Tune.Seeds {
			if slices.Contains(s.Base.Seeds, seed) {
				return fail(".tune.seeds", "%d is a seed of the comparison too: a trial that is chosen on a seed must not be judged on it", seed)
			}
		}
	}
	s.arms = append([]lab.Protocols{nil}, s.Base.Protocols...)
	for i, t := range b.Protocols {
		at := fmt.Sprintf(".protocols[%d]", i)
		list, err := t.expand()
		if err != nil {
			return fail(at, "%w", err)
		}
		for _, p := range list {
			same := func(q lab.Protocols) bool { return q.String() == p.String() }
			if slices.ContainsFunc(s.arms, same) {
				return fail(at, "%s is given twice", p)
			}
			s.arms = append(s.arms, p)
		}
	}
	with := s.Base
	with.Protocols = s.arms[1:]
	if err := with.Validate(); err != nil {
		return fail(".protocols", "%w", err)
	}
	for i, m := range b.Exclude {
		if err := m.check(s, used); err != nil {
			return fail(fmt.Sprintf(".exclude[%d]", i), "%w", err)
		}
	}
	if err := b.Slurm.validate(); err != nil {
		return err
	}
	return nil
}

// maxCells keeps a slip of the finger from filling the memory.
const maxCells = 1 << 20

// tuningSeeds returns the seeds of the runs by which trials are chosen. A number n
// in the file, which reads as 1 to n, stands for the n after the largest of the
// base; without one there are two.
func (s *Spec) tuningSeeds() lab.Seeds {
	seeds := s.Block.Tune.Seeds
	if len(seeds) == 0 {
		seeds = lab.FirstSeeds(2)
	}
	if !lab.IsFirstSeeds(seeds) {
		return seeds
	}
	next := slices.Max(s.Base.Seeds)
	shifted := make(lab.Seeds, len(seeds))
	for i, seed := range seeds {
		shifted[i] = next + seed
	}
	return shifted
}

// Tuned tells whether anything is tuned.
func (s *Spec) Tuned() bool { return len(s.Block.Tune.Over) > 0 }

// Arms returns the ways of training that every cell compares, the baseline first.
func (s *Spec) Arms() []lab.Protocols { return s.arms }
