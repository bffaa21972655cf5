package main

import (
	"fmt"
	"strconv"
	"strings"

	"swapmc/internal/lab"
	"swapmc/nn"
)

// An arm is a way of training on a problem.
type arm struct {
	problem *problem
	way     *way
	trials  []trial
	source  *lab.Source
}

// A trial is one setting of what is tuned.
type trial struct {
	lr, x     string // "" where the way has none
	optimizer nn.Optimizer
	protocols lab.Protocols
}

func (t *trial) String() string {
	var parts []string
	if t.lr != "" {
		parts = append(parts, "lr "+t.lr)
	}
	if t.x != "" {
		parts = append(parts, "x "+t.x)
	}
	return strings.Join(parts, " ")
}

// newArm reads the texts of a way. It reports an optimiser or a protocol that does
// not exist, or that has nothing to act on in the network.
func newArm(p *problem, w *way, source *lab.Source) (*arm, error) {
	a := &arm{problem: p, way: w, source: source}
	for _, lr := range values(p.rates(w.rates)) {
		for _, x := range values(w.xs) {
			fill := strings.NewReplacer("{lr}", lr, "{x}", x, "{end}", strconv.Itoa(p.iterations))
			t := trial{lr: lr, x: x}
			if err := lab.Decode("optimizer", []byte(fill.Replace(w.optimizer)), &t.optimizer, func() error { return t.optimizer.Validate() }); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", p.name, w.name, err)
			}
			var err error
			if t.protocols, err = lab.ParseProtocols(fill.Replace(w.protocol)); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", p.name, w.name, err)
			}
			a.trials = append(a.trials, t)
		}
	}
	if len(a.trials) != trials {
		return nil, fmt.Errorf("%s: %d trials: want %d, as many as every way", w.name, len(a.trials), trials)
	}
	return a, a.try()
}

// values writes numbers; of none, one that is empty.
func values(list []float64) []string {
	if len(list) == 0 {
		return []string{""}
	}
	var texts []string
	for _, x := range list {
		texts = append(texts, strconv.FormatFloat(x, 'f', -1, 64))
	}
	return texts
}

// try reports what cannot be run.
func (a *arm) try() error {
	s := a.problem.spec(a.trials[0].optimizer, a.way.schedule)
	s.Seeds = lab.Seeds(fresh)
	if err := s.Validate(); err != nil {
		return fmt.Errorf("%s, %s: %w", a.problem.name, a.way.name, err)
	}
	var protocols []lab.Protocols
	for _, t := range a.trials {
		protocols = append(protocols, t.protocols)
	}
	_, faults := lab.NewRun(&s, nil, fresh[0], a.source).Try(protocols)
	for _, err := range faults {
		if err != nil {
			return fmt.Errorf("%s, %s: %w", a.problem.name, a.way.name, err)
		}
	}
	return nil
}

// run returns the run of a trial with that seed.
func (a *arm) run(t *trial, seed uint64) *lab.Run {
	s := a.problem.spec(t.optimizer, a.way.schedule)
	r := lab.NewRun(&s, t.protocols, seed, a.source)
	r.Label = fmt.Sprintf("%s, %s, %s, seed %d", a.problem.name, a.way.name, t, seed)
	return r
}

// tuning returns the runs of all trials, of which one is chosen, those of each seed
// together.
func (a *arm) tuning() []*lab.Run {
	var runs []*lab.Run
	for _, seed := range a.problem.tuning {
		for i := range a.trials {
			runs = append(runs, a.run(&a.trials[i], seed))
		}
	}
	return runs
}

// finals returns the runs of the finalists on further seeds; none where the problem has no
// such seeds. Its error wraps errUnfinished where the first have not all been made.
func (a *arm) finals(f *lab.Folder) ([]*lab.Run, error) {
	order, err := (&choice{arm: a}).rank(f)
	if err != nil {
		return nil, err
	}
	var runs []*lab.Run
	for _, seed := range a.problem.finals {
		for _, i := range order[:finalists] {
			runs = append(runs, a.run(&a.trials[i], seed))
		}
	}
	return runs, nil
}

// fresh returns the runs of a trial that are compared.
func (a *arm) fresh(t *trial) []*lab.Run {
	var runs []*lab.Run
	for _, seed := range fresh {
		runs = append(runs, a.run(t, seed))
	}
	return runs
}
