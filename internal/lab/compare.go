package lab

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"swapmc/internal/atomicfile"
	"swapmc/internal/train"
	"swapmc/speedup"
)

// Results are what the runs of a plan have shown.
type Results struct {
	Comparison speedup.Comparison
	Baseline   speedup.Arm
	Protocols  []speedup.Arm
	Notes      []string // what a reader should know: runs that diverged, different machines
}

// Compare reads the runs of a plan and compares each protocol with the baseline.
func (f *Folder) Compare(s Spec, plan []Group, version string) (*Results, error) {
	var c collector
	arms := make([]speedup.Arm, 1+len(s.Protocols))
	arms[0].Text = Protocols(nil).String()
	for i, p := range s.Protocols {
		arms[i+1].Text = p.String()
	}
	for _, g := range plan {
		for _, r := range g {
			i := slices.IndexFunc(arms, func(a speedup.Arm) bool { return a.Text == r.Protocols().String() })
			run, err := c.collect(f, r)
			if err != nil {
				return nil, err
			}
			if i >= 0 && run != nil {
				arms[i].Runs = append(arms[i].Runs, *run)
			}
		}
	}
	res := &Results{Baseline: arms[0], Protocols: arms[1:], Notes: c.notes()}
	res.Comparison = speedup.Compare(res.Baseline, res.Protocols, speedup.Options{Targets: s.Targets})
	res.Comparison.Name, res.Comparison.Version = s.Name, version
	return res, nil
}

// A collector reads runs and remembers what is odd about them.
type collector struct {
	diverged, failed []string
	hosts, kernels   []string
}

// collect returns a run's curve, nil for a run that failed.
func (c *collector) collect(f *Folder, r *Run) (*speedup.Run, error) {
	rec, finished, err := f.finished(r)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s, seed %d", r.Protocols(), r.Config.Seed)
	if rec.Status == Failed {
		c.failed = append(c.failed, name+" ("+rec.Reason+")")
		return nil, nil
	}
	if !finished {
		return nil, fmt.Errorf("%s: the run of %s is not finished", f.Path("runs", r.ID), name)
	}
	points, err := f.Metrics(r)
	if err != nil {
		return nil, err
	}
	if rec.Status == Diverged {
		c.diverged = append(c.diverged, name)
	}
	c.hosts = appendNew(c.hosts, rec.Host+", "+rec.CPU+", threads "+strconv.Itoa(rec.Threads))
	c.kernels = appendNew(c.kernels, rec.Kernel)
	return curve(r, rec, points), nil
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// curve turns a record into what is compared. A run that has diverged has never
// reached anything, in all the time that it was given.
func curve(r *Run, rec Record, points []train.Point) *speedup.Run {
	run := &speedup.Run{Seed: r.Config.Seed}
	add := func(iterations, seconds, loss float64) {
		run.Iterations = append(run.Iterations, iterations)
		run.Seconds = append(run.Seconds, seconds)
		run.Loss = append(run.Loss, loss)
	}
	for _, p := range points {
		loss := p.TrainLoss
		if rec.Status == Diverged {
			loss = math.NaN()
		}
		add(float64(p.Iteration), p.Seconds, loss)
	}
	if rec.Status == Diverged && len(points) > 0 {
		last := points[len(points)-1]
		full := last.Seconds
		if last.Iteration > 0 {
			full *= float64(r.Config.Iterations) / float64(last.Iteration)
		}
		add(float64(r.Config.Iterations), full, math.NaN())
	}
	return run
}

func (c *collector) notes() []string {
	var notes []string
	if len(c.diverged) > 0 {
		notes = append(notes, "diverged, and so never arrived: "+strings.Join(c.diverged, "; "))
	}
	if len(c.failed) > 0 {
		notes = append(notes, "failed, and so left out: "+strings.Join(c.failed, "; "))
	}
	if len(c.hosts) > 1 {
		notes = append(notes, "the runs were made on different machines, so that their seconds may not compare: "+strings.Join(c.hosts, "; "))
	}
	if len(c.kernels) > 1 {
		notes = append(notes, "the runs were made with different kernels, so that pairs differ in the last digits too: "+strings.Join(c.kernels, ", "))
	}
	return notes
}

// Write writes compare.json and compare.csv.
func (res *Results) Write(f *Folder) error {
	text, err := json.MarshalIndent(&res.Comparison, "", "  ")
	if err != nil {
		return fmt.Errorf("compare.json: %w", err)
	}
	if err := atomicfile.WriteBytes(f.Path("compare.json"), append(text, '\n')); err != nil {
		return err
	}
	return atomicfile.Write(f.Path("compare.csv"), res.writeCSV)
}

// writeCSV writes one row a protocol and target. What is not a number is empty.
func (res *Results) writeCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{
		"protocol", "target", "seeds", "reached", "reached_baseline", "median_iterations", "median_iterations_baseline",
		"speedup_iterations", "low_iterations", "high_iterations", "p_iterations", "verdict_iterations",
		"speedup_time", "low_time", "high_time", "p_time", "verdict_time",
	}); err != nil {
		return err
	}
	real := func(x float64) string {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return ""
		}
		return strconv.FormatFloat(x, 'g', 6, 64)
	}
	for _, p := range res.Comparison.Protocols {
		for _, t := range p.Targets {
			row := []string{
				p.Text, real(t.Target), strconv.Itoa(t.Seeds), strconv.Itoa(t.Reached), strconv.Itoa(t.ReachedBaseline),
				real(float64(t.Median)), real(float64(t.MedianBaseline)),
			}
			for _, e := range []struct {
				speedup.Estimate
				verdict speedup.Verdict
			}{{t.Iterations, t.Verdict}, {t.Time, t.VerdictTime}} {
				row = append(row, real(e.Speedup), real(e.Low), real(e.High), real(e.P), string(e.verdict))
			}
			if err := c.Write(row); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}
