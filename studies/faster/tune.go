package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"swapmc/internal/lab"
	"swapmc/speedup"
)

// A score is how the tuning runs of a trial did.
type score struct {
	runs, reached, diverged int
	iterations              float64 // to the headline, geometric mean of those that reached it; +Inf of none
	loss                    float64 // at the end, mean; +Inf where a run diverged or failed
}

// better tells whether a trial is to be preferred: more runs reach the headline,
// they reach it earlier, they end lower.
func (s score) better(than score) bool {
	switch {
	case s.reached != than.reached:
		return s.reached > than.reached
	case s.iterations != than.iterations:
		return s.iterations < than.iterations
	}
	return s.loss < than.loss
}

// A choice is what the tuning of an arm came to.
type choice struct {
	*arm
	scores []score // by trial
	best   int
}

// errUnfinished tells that not all runs have been made.
var errUnfinished = errors.New("not all tuning runs are finished")

// finalists is how many trials of an arm, those that did best, run on the further seeds
// of a problem that has some.
const finalists = 3

// choose takes the best trial of an arm, from its tuning runs alone: of the finalists,
// where the problem has further seeds for them. Its error wraps errUnfinished where the
// runs have not all been made.
func choose(f *lab.Folder, a *arm) (*choice, error) {
	c := &choice{arm: a}
	order, err := c.rank(f)
	if err != nil {
		return nil, err
	}
	c.best = order[0]
	if len(a.problem.finals) == 0 {
		return c, nil
	}
	seeds := slices.Concat(a.problem.tuning, a.problem.finals)
	for _, i := range order[:finalists] {
		if c.scores[i], err = a.score(f, i, seeds); err != nil {
			return nil, err
		}
	}
	for _, i := range order[1:finalists] {
		if c.scores[i].better(c.scores[c.best]) {
			c.best = i
		}
	}
	return c, nil
}

// rank scores all trials on the seeds that all of them run on, and returns them in order,
// the best first.
func (c *choice) rank(f *lab.Folder) ([]int, error) {
	var order []int
	for i := range c.trials {
		s, err := c.arm.score(f, i, c.problem.tuning)
		if err != nil {
			return nil, err
		}
		c.scores, order = append(c.scores, s), append(order, i)
	}
	slices.SortStableFunc(order, func(i, k int) int {
		switch {
		case c.scores[i].better(c.scores[k]):
			return -1
		case c.scores[k].better(c.scores[i]):
			return 1
		}
		return 0
	})
	return order, nil
}

// score tells how trial i did with these seeds.
func (a *arm) score(f *lab.Folder, i int, seeds []uint64) (score, error) {
	s := score{iterations: math.Inf(1)}
	var logs float64
	for _, seed := range seeds {
		curve, status, err := read(f, a.run(&a.trials[i], seed))
		if err != nil {
			return s, err
		}
		s.runs++
		if t, ok := curve.TimeTo(a.problem.headline, true); ok {
			s.reached++
			logs += math.Log(max(t, 1))
		}
		if status != lab.Done {
			s.diverged++
			s.loss = math.Inf(1)
			continue
		}
		s.loss += curve.Y[len(curve.Y)-1] / float64(len(seeds))
	}
	if s.reached > 0 {
		s.iterations = math.Exp(logs / float64(s.reached))
	}
	return s, nil
}

// read returns the training loss of a run over its iterations.
func read(f *lab.Folder, r *lab.Run) (speedup.Series, lab.Status, error) {
	record, err := f.Record(r)
	if errors.Is(err, fs.ErrNotExist) || err == nil && record.Status == lab.Running {
		return speedup.Series{}, "", fmt.Errorf("%s: %w", r.Label, errUnfinished)
	}
	if err != nil {
		return speedup.Series{}, "", err
	}
	points, err := f.Metrics(r)
	if err != nil {
		return speedup.Series{}, "", err
	}
	var curve speedup.Series
	for _, p := range points {
		curve.X, curve.Y = append(curve.X, float64(p.Iteration)), append(curve.Y, p.TrainLoss)
	}
	return curve, record.Status, nil
}

// trial returns the one that was chosen.
func (c *choice) trial() *trial { return &c.trials[c.best] }

// score is how its tuning runs did.
func (c *choice) score() score { return c.scores[c.best] }

// edges names the values chosen that lie at the end of what was tried, beyond which a
// better one may lie: "lr low", "x high".
func (c *choice) edges() string {
	var ends []string
	end := func(name, value string, list []string) {
		if len(list) < 3 { // one of two is always at an end
			return
		}
		switch slices.Index(list, value) {
		case 0:
			ends = append(ends, name+" low")
		case len(list) - 1:
			ends = append(ends, name+" high")
		}
	}
	end("lr", c.trial().lr, values(c.problem.rates(c.way.rates)))
	end("x", c.trial().x, values(c.way.xs))
	return strings.Join(ends, ", ")
}

func (c *choice) String() string {
	s := c.scores[c.best]
	text := fmt.Sprintf("%s, %s: %s: %d of %d runs reach %g", c.problem.name, c.way.name, c.trial(), s.reached, s.runs, c.problem.headline)
	if s.reached > 0 {
		text += fmt.Sprintf(" after %.0f iterations", s.iterations)
	}
	text += fmt.Sprintf(", they end at %.3f", s.loss)
	if e := c.edges(); e != "" {
		text += ", at the end of the range: " + e
	}
	return text
}
