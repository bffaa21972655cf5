package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"swapmc/internal/atomicfile"
	"swapmc/internal/lab"
)

// writeTuning writes all trials and which were chosen.
func writeTuning(path string, choices []*choice) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		out := csv.NewWriter(w)
		out.Write(strings.Fields("problem way kind lr x optimizer protocols target runs reached diverged iterations final_loss chosen end_of_range"))
		for _, c := range choices {
			for i, t := range c.trials {
				s := c.scores[i]
				edges := ""
				if i == c.best {
					edges = c.edges()
				}
				out.Write([]string{
					c.problem.name, c.way.name, string(c.way.kind), t.lr, t.x, strings.NewReplacer("{lr}", t.lr, "{x}", t.x).Replace(c.way.optimizer), t.protocols.String(),
					number(c.problem.headline), strconv.Itoa(s.runs), strconv.Itoa(s.reached), strconv.Itoa(s.diverged),
					number(s.iterations), number(s.loss), strconv.FormatBool(i == c.best), edges,
				})
			}
		}
		out.Flush()
		return out.Error()
	})
}

// writeSeeds writes a row for each finished run on a fresh seed and each target: when
// it was reached, and the last losses and accuracy.
func writeSeeds(path string, f *lab.Folder, choices []*choice) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		out := csv.NewWriter(w)
		out.Write(strings.Fields("problem way kind lr x seed run status target iterations final_train_loss final_test_loss final_test_accuracy proposed accepted"))
		for _, c := range choices {
			t := c.trial()
			for _, r := range c.fresh(t) {
				curve, status, err := read(f, r)
				if errors.Is(err, errUnfinished) {
					continue
				}
				if err != nil {
					return err
				}
				points, err := f.Metrics(r)
				if err != nil {
					return err
				}
				if len(points) == 0 {
					return fmt.Errorf("%s: %s without an evaluation", r.Label, status)
				}
				last := points[len(points)-1]
				for _, target := range c.problem.targets {
					reached, ok := curve.TimeTo(target, true)
					if !ok {
						reached = math.NaN()
					}
					out.Write([]string{
						c.problem.name, c.way.name, string(c.way.kind), t.lr, t.x, strconv.FormatUint(r.Config.Seed, 10), r.ID, string(status),
						number(target), number(reached), number(last.TrainLoss), number(last.TestLoss), number(last.TestAccuracy),
						strconv.FormatInt(last.Proposed, 10), strconv.FormatInt(last.Accepted, 10),
					})
				}
			}
		}
		out.Flush()
		return out.Error()
	})
}

// number writes six digits, nothing of what is no number.
func number(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}
