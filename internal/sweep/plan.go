package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"swapmc/internal/lab"
	"swapmc/internal/rng"
)

// A Plan is the runs of a sweep.
type Plan struct {
	Spec  *Spec
	Cells []*Cell
	Runs  []*lab.Run // each once, in the order in which they are best made

	groups []lab.Group // the same runs: those of one cell, trial and seed together
}

// A Cell is one combination of values of the varied keys: a comparison.
type Cell struct {
	Values []Setting
	Spec   lab.Spec // the base with these values, and all arms that the cell has
	Trials []*Trial
}

// A Trial is a cell with one combination of values of what is tuned.
type Trial struct {
	Values []Setting
	Arms   [][]*lab.Run // by arm of the sweep, the baseline first, those of the base's seeds; none where excluded
	Tuning [][]*lab.Run // the same, of the seeds by which a trial is chosen
}

// Name tells a cell from the others, "" where there is one only.
func (c *Cell) Name() string { return join(c.Values) }

func join(settings []Setting) string {
	var parts []string
	for _, s := range settings {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, ", ")
}

// Slug is the cell's Name as the name of a folder.
func (c *Cell) Slug() string {
	var b strings.Builder
	for _, s := range c.Values {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(s.Key + "=")
		for _, r := range s.Text {
			if r == '.' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				b.WriteRune(r)
			} else {
				b.WriteByte('_')
			}
		}
	}
	slug := b.String()
	if sum := sha256.Sum256([]byte(c.Name())); len(slug) > 100 || strings.Contains(slug, "_") {
		slug = slug[:min(len(slug), 100)] + "-" + hex.EncodeToString(sum[:3]) // two texts may look alike
	}
	return slug
}

// together is the most runs of a group: so many networks are in memory at once.
const together = 16

// NewPlan returns the runs of a sweep. It loads the data sets that they name. Its
// error is a [*lab.FieldError] where the sweep asks for what cannot be.
func NewPlan(s *Spec) (*Plan, error) {
	p := &Plan{Spec: s}
	filters, err := s.filters()
	if err != nil {
		return nil, err
	}
	for _, values := range s.cells {
		c := &Cell{Values: values, Spec: s.Base}
		apply(&c.Spec, values)
		p.Cells = append(p.Cells, c)
	}
	sources, err := load(p.Cells, s.trials)
	if err != nil {
		return nil, err
	}
	faults := make([]error, len(p.Cells))
	inParallel(len(p.Cells), func(i int) { faults[i] = p.Cells[i].plan(s, filters, sources) })
	for _, err := range faults {
		if err != nil {
			return nil, err
		}
	}
	p.Cells = slices.DeleteFunc(p.Cells, func(c *Cell) bool { return len(c.Trials) == 0 })
	if err := p.fit(); err != nil {
		return nil, err
	}
	p.order()
	if len(p.Runs) == 0 {
		return nil, &lab.FieldError{Key: "sweep.exclude", Err: fmt.Errorf("nothing is left to run")}
	}
	return p, nil
}

// inParallel calls do for 0 to n-1 on all cores.
func inParallel(n int, do func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				do(i)
			}
		})
	}
	wg.Wait()
}

// load reads each data set that the cells name once.
func load(cells []*Cell, trials [][]Setting) (map[lab.Data]*lab.Source, error) {
	sources := map[lab.Data]*lab.Source{}
	for _, c := range cells {
		for _, t := range trials {
			spec := c.Spec
			apply(&spec, t)
			if sources[spec.Data] != nil {
				continue
			}
			if err := spec.Validate(); err != nil {
				return nil, impossible(c, t, err)
			}
			set, err := lab.Load(spec.Data)
			if err != nil {
				return nil, err
			}
			sources[spec.Data] = lab.NewSource(set)
		}
	}
	return sources, nil
}

// impossible says which values do not go together.
func impossible(c *Cell, trial []Setting, err error) error {
	where := join(slices.Concat(c.Values, trial))
	if where == "" {
		return err
	}
	return &lab.FieldError{Key: "sweep", Err: fmt.Errorf("%s: %w (sweep.exclude leaves out what cannot be)", where, err)}
}

// plan makes the runs of a cell.
func (c *Cell) plan(s *Spec, filters []filter, sources map[lab.Data]*lab.Source) error {
	present := make([]bool, len(s.arms))
	texts := make([]string, len(s.arms))
	for i, arm := range s.arms {
		texts[i] = arm.String()
	}
	for _, values := range s.trials {
		spec := c.Spec
		apply(&spec, values)
		settings := slices.Concat(c.Values, values)
		source := sources[spec.Data]
		t := &Trial{Values: values, Arms: make([][]*lab.Run, len(s.arms)), Tuning: make([][]*lab.Run, len(s.arms))}
		some := false
		for i, arm := range s.arms {
			runs := func(seeds lab.Seeds) (list []*lab.Run) {
				for _, seed := range seeds {
					out := func(f filter) bool { return f.matches(settings, texts[i], seed) }
					if !slices.ContainsFunc(filters, out) {
						r := lab.NewRun(&spec, arm, seed, source)
						r.Label = join(settings)
						list = append(list, r)
					}
				}
				return list
			}
			t.Arms[i] = runs(s.Base.Seeds)
			if s.Tuned() {
				t.Tuning[i] = runs(s.Block.Tune.Seeds)
			}
			if len(t.Arms[i])+len(t.Tuning[i]) > 0 {
				some, present[i] = true, true
			}
		}
		if !some {
			continue
		}
		if err := spec.Validate(); err != nil {
			return impossible(c, values, err)
		}
		c.Trials = append(c.Trials, t)
	}
	c.Spec.Protocols = nil
	for i := 1; i < len(s.arms); i++ {
		if present[i] {
			c.Spec.Protocols = append(c.Spec.Protocols, s.arms[i])
		}
	}
	return nil
}

// runs calls do with every run of a cell, in groups that should advance together.
func (c *Cell) runs(do func(lab.Group)) {
	for _, t := range c.Trials {
		for _, table := range [][][]*lab.Run{t.Tuning, t.Arms} {
			bySeed := map[uint64]lab.Group{}
			var seeds []uint64
			for _, arm := range table {
				for _, r := range arm {
					if bySeed[r.Config.Seed] == nil {
						seeds = append(seeds, r.Config.Seed)
					}
					bySeed[r.Config.Seed] = append(bySeed[r.Config.Seed], r)
				}
			}
			for k, seed := range seeds {
				g := bySeed[seed]
				k %= len(g) // so that none is always first
				do(slices.Concat(g[k:], g[:k]))
			}
		}
	}
}

func (c *Cell) count() int {
	n := 0
	c.runs(func(g lab.Group) { n += len(g) })
	return n
}

// fit keeps the plan within its budget.
func (p *Plan) fit() error {
	budget := p.Spec.Block.Budget
	total := 0
	for _, c := range p.Cells {
		total += c.count()
	}
	if budget.Runs == 0 || total <= budget.Runs {
		return nil
	}
	if !budget.Draw {
		return &lab.FieldError{Key: "sweep.budget.runs", Err: fmt.Errorf("%d runs are planned and %d allowed: want fewer values, or draw: true for as many cells at random as fit", total, budget.Runs)}
	}
	var chosen []int
	left := budget.Runs
	for _, i := range rng.New(0, "sweep/budget").Perm(len(p.Cells)) {
		if n := p.Cells[i].count(); n <= left {
			left -= n
			chosen = append(chosen, i)
		}
	}
	if len(chosen) == 0 {
		return &lab.FieldError{Key: "sweep.budget.runs", Err: fmt.Errorf("%d: not even one cell fits, which has %d runs", budget.Runs, p.Cells[0].count())}
	}
	slices.Sort(chosen)
	var cells []*Cell
	for _, i := range chosen {
		cells = append(cells, p.Cells[i])
	}
	p.Cells = cells
	return nil
}

// order lists each run once.
func (p *Plan) order() {
	seen := map[string]*lab.Run{}
	for _, c := range p.Cells {
		c.runs(func(g lab.Group) {
			var fresh lab.Group
			for _, r := range g {
				if seen[r.ID] == nil {
					seen[r.ID] = r
					fresh = append(fresh, r)
				}
			}
			p.Runs = append(p.Runs, fresh...)
			for part := range slices.Chunk(fresh, together) {
				p.groups = append(p.groups, part)
			}
		})
	}
}

// Shard returns the part of the plan that process i of n makes, both counted from
// 1. Groups are dealt out like cards, so that long and short runs are spread; where
// there are fewer groups than processes, single runs are. The parts of all
// processes are the whole plan.
func (p *Plan) Shard(i, n int) []lab.Group {
	groups := p.groups
	if len(groups) < n {
		groups = nil
		for _, r := range p.Runs {
			groups = append(groups, lab.Group{r})
		}
	}
	var part []lab.Group
	for k := i - 1; k < len(groups); k += n {
		part = append(part, groups[k])
	}
	return part
}

// A Survey is what building each network of a plan once has shown.
type Survey struct {
	Impossible map[string][]*lab.Run // runs that cannot begin, by the reason
	Parameters map[string]int        // by network
}

// Survey builds each network once and finds the runs that cannot begin: protocols
// that find nothing to swap in their network, networks that do not fit the images.
func (p *Plan) Survey() Survey {
	type class struct {
		runs  map[string][]*lab.Run // by protocols
		texts []string
	}
	classes := map[string]*class{}
	var order []*class
	for _, r := range p.Runs {
		key := networkKey(r) + fmt.Sprint(r.Config.Init, r.Config.Optimizer.Nesterov, r.Config.Schedule, r.Config.Optimizer.Momentum > 0, r.Config.Optimizer.Sign > 0)
		c := classes[key]
		if c == nil {
			c = &class{runs: map[string][]*lab.Run{}}
			classes[key] = c
			order = append(order, c)
		}
		text := r.Protocols().String()
		if c.runs[text] == nil {
			c.texts = append(c.texts, text)
		}
		c.runs[text] = append(c.runs[text], r)
	}
	reasons := make([][]error, len(order))
	sizes := make([]int, len(order))
	inParallel(len(order), func(i int) {
		c := order[i]
		var lists []lab.Protocols
		for _, text := range c.texts {
			lists = append(lists, c.runs[text][0].Protocols())
		}
		sizes[i], reasons[i] = c.runs[c.texts[0]][0].Try(lists)
	})
	misfits := map[string][]*lab.Run{}
	parameters := map[string]int{}
	for i, c := range order {
		network := c.runs[c.texts[0]][0].Config.Network
		parameters[network] = max(parameters[network], sizes[i])
		for k, err := range reasons[i] {
			if err != nil {
				misfits[err.Error()] = append(misfits[err.Error()], c.runs[c.texts[k]]...)
			}
		}
	}
	return Survey{misfits, parameters}
}

// networkKey tells apart what takes different time in one iteration, swaps aside.
func networkKey(r *lab.Run) string {
	c := &r.Config
	return fmt.Sprintf("%s, %s, batch %d, %s, %s, %s %d", c.Network, c.Precision, c.Batch, c.Loss, c.Optimizer.Name, r.Data.Set, r.Data.Train)
}
