package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"swapmc/internal/atomicfile"
	"swapmc/internal/report"
	"swapmc/internal/train"
	"swapmc/speedup"
)

// Results are what the runs of a plan have shown.
type Results struct {
	report.Data          // the comparison, and each arm's mean course
	Notes       []string // what a reader should know: runs that diverged, different machines
}

// Compare reads the runs of a plan and compares each protocol with the baseline.
func (f *Folder) Compare(s Spec, plan []Group, version string) (*Results, error) {
	texts := []string{Protocols(nil).String()}
	for _, p := range s.Protocols {
		texts = append(texts, p.String())
	}
	var c collector
	arms := make([]speedup.Arm, len(texts))
	courses := make([][][]train.Point, len(texts))
	for i, text := range texts {
		arms[i].Text = text
	}
	for _, g := range plan {
		for _, r := range g {
			i := slices.Index(texts, r.Protocols().String())
			if i < 0 {
				return nil, fmt.Errorf("a plan of another spec: it has runs of %s", r.Protocols())
			}
			rec, points, err := c.collect(f, r)
			if err != nil {
				return nil, err
			}
			if rec.Status != Failed {
				arms[i].Runs = append(arms[i].Runs, curve(r, rec, points))
			}
			if rec.Status == Done {
				courses[i] = append(courses[i], points)
			}
		}
	}
	res := &Results{Notes: c.notes()}
	res.Comparison = speedup.Compare(arms[0], arms[1:], speedup.Options{Targets: s.Targets})
	res.Comparison.Name, res.Comparison.Version = s.Name, version
	for i, text := range texts {
		res.Arms = append(res.Arms, course(text, courses[i]))
	}
	return res, nil
}

// ErrUnfinished is wrapped where a run must be made, or made again because its
// files are damaged, before it can be compared.
var ErrUnfinished = errors.New("not finished")

// A collector reads runs and remembers what is odd about them.
type collector struct {
	diverged, failed []string
	hosts, kernels   []string
}

// collect returns the record and the evaluations of a run that has ended.
func (c *collector) collect(f *Folder, r *Run) (Record, []train.Point, error) {
	name := fmt.Sprintf("%s, seed %d", r.Protocols(), r.Config.Seed)
	rec, finished, err := f.finished(r)
	switch {
	case err != nil:
		return rec, nil, err
	case rec.Status == Failed:
		c.failed = append(c.failed, name+" ("+rec.Reason+")")
		return rec, nil, nil
	case !finished:
		return rec, nil, fmt.Errorf("%s: the run of %s is %w", f.Path("runs", r.ID), name, ErrUnfinished)
	case rec.Status == Diverged:
		c.diverged = append(c.diverged, name)
	}
	c.hosts = appendNew(c.hosts, fmt.Sprintf("%s (%s, threads %d)", rec.Host, rec.CPU, rec.Threads))
	c.kernels = appendNew(c.kernels, rec.Kernel)
	points, err := f.Metrics(r)
	return rec, points, err
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// Curve returns what is compared of a run that is done or has diverged.
func (f *Folder) Curve(r *Run) (speedup.Run, error) {
	rec, finished, err := f.finished(r)
	if err != nil {
		return speedup.Run{}, err
	}
	if !finished {
		return speedup.Run{}, fmt.Errorf("%s: the run of %s, seed %d is %w", f.Path("runs", r.ID), r.Protocols(), r.Config.Seed, ErrUnfinished)
	}
	points, err := f.Metrics(r)
	return curve(r, rec, points), err
}

// curve turns a record into what is compared. A run that has diverged has never
// reached anything, in all the time that it was given.
func curve(r *Run, rec Record, points []train.Point) speedup.Run {
	run := speedup.Run{Seed: r.Config.Seed}
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

// course averages the runs of one arm for the figure, at the iterations that all
// of them have measured. Runs that diverged have no course; where none is left,
// the arm has none either.
func course(text string, runs [][]train.Point) report.Arm {
	arm := report.Arm{Text: text}
	if len(runs) == 0 {
		return arm
	}
	n := len(runs[0])
	for _, r := range runs {
		n = min(n, len(r))
	}
	for _, p := range runs[0][:n] {
		arm.X = append(arm.X, float64(p.Iteration))
	}
	band := func(value func(*train.Point) float64) report.Band {
		var curves [][]float64
		for _, r := range runs {
			var c []float64
			for k := range r[:n] {
				c = append(c, value(&r[k]))
			}
			curves = append(curves, c)
		}
		return report.NewBand(curves)
	}
	arm.Loss = band(func(p *train.Point) float64 { return p.TrainLoss })
	arm.Accuracy = band(func(p *train.Point) float64 { return p.TestAccuracy })
	return arm
}

// Write writes compare.json, compare.csv and the figure into the folder, and
// returns the paths of the figure.
func (res *Results) Write(f *Folder) (figures []string, err error) {
	if err := res.WriteTables(f.Path()); err != nil {
		return nil, err
	}
	return res.WriteFigure(f.Path())
}

// WriteTables writes compare.json and compare.csv into a folder that exists.
func (res *Results) WriteTables(dir string) error {
	c := &res.Comparison
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("compare.json: %w", err)
	}
	if err := atomicfile.WriteBytes(filepath.Join(dir, "compare.json"), append(text, '\n')); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, "compare.csv"), func(w io.Writer) error { return report.CSV(w, c) })
}

// WriteFigure draws the comparison into a folder that exists and returns the
// paths of the figure.
func (res *Results) WriteFigure(dir string) ([]string, error) {
	figure := filepath.Join(dir, "figure")
	if err := report.Figure(figure, res.Data); err != nil {
		return nil, err
	}
	return []string{figure + ".svg", figure + ".pdf", figure + ".png"}, nil
}
