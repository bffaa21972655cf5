package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"swapmc/internal/atomicfile"
	"swapmc/internal/train"
)

// A column of metrics.csv.
type column struct {
	name  string
	write func(*train.Point) string
	read  func(*train.Point, string) error
}

// real is a column of a number, written so that reading gives back every bit.
func real(name string, at func(*train.Point) *float64) column {
	return column{
		name:  name,
		write: func(p *train.Point) string { return strconv.FormatFloat(*at(p), 'g', -1, 64) },
		read: func(p *train.Point, s string) (err error) {
			*at(p), err = strconv.ParseFloat(s, 64)
			return err
		},
	}
}

// whole is a column of a whole number.
func whole[T int | int64](name string, at func(*train.Point) *T) column {
	return column{
		name:  name,
		write: func(p *train.Point) string { return strconv.FormatInt(int64(*at(p)), 10) },
		read: func(p *train.Point, s string) error {
			n, err := strconv.ParseInt(s, 10, 64)
			*at(p) = T(n)
			return err
		},
	}
}

var columns = []column{
	whole("iteration", func(p *train.Point) *int { return &p.Iteration }),
	real("seconds", func(p *train.Point) *float64 { return &p.Seconds }),
	real("train_loss", func(p *train.Point) *float64 { return &p.TrainLoss }),
	real("train_accuracy", func(p *train.Point) *float64 { return &p.TrainAccuracy }),
	real("test_loss", func(p *train.Point) *float64 { return &p.TestLoss }),
	real("test_accuracy", func(p *train.Point) *float64 { return &p.TestAccuracy }),
	real("learning_rate", func(p *train.Point) *float64 { return &p.LearningRate }),
	whole("proposed", func(p *train.Point) *int64 { return &p.Proposed }),
	whole("accepted", func(p *train.Point) *int64 { return &p.Accepted }),
}

func header() string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return strings.Join(names, ",") + "\n"
}

func row(p *train.Point) string {
	var values []string
	for _, c := range columns {
		values = append(values, c.write(p))
	}
	return strings.Join(values, ",") + "\n"
}

// parseMetrics reads the rows of a metrics.csv. A last line without its end is
// what a killed process leaves, and is no error: it is left out. At any other
// fault the rows before it are returned with an error that wraps ErrDamaged.
func parseMetrics(path string, text []byte) (points []train.Point, err error) {
	lines := strings.SplitAfter(string(text), "\n")
	lines = lines[:len(lines)-1] // what follows the last line end
	if len(lines) == 0 {
		return nil, nil
	}
	fail := func(n int, format string, args ...any) ([]train.Point, error) {
		return points, fmt.Errorf("%s:%d: %w: %s", path, n+1, ErrDamaged, fmt.Sprintf(format, args...))
	}
	if lines[0] != header() {
		return fail(0, "want the columns %s", strings.TrimSpace(header()))
	}
	last := -1
	for n, line := range lines[1:] {
		values := strings.Split(strings.TrimSuffix(line, "\n"), ",")
		if len(values) != len(columns) {
			return fail(n+1, "%d values: want %d", len(values), len(columns))
		}
		var p train.Point
		for k, c := range columns {
			if err := c.read(&p, values[k]); err != nil {
				return fail(n+1, "%s = %q is no number", c.name, values[k])
			}
		}
		if p.Iteration <= last {
			return fail(n+1, "iteration %d after %d", p.Iteration, last)
		}
		last = p.Iteration
		points = append(points, p)
	}
	return points, nil
}

// readMetrics reads a metrics.csv; one that is absent has no rows.
func readMetrics(path string) ([]train.Point, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseMetrics(path, text)
}

// complete reports an evaluation missing from the rows up to an iteration.
func complete(points []train.Point, cfg *train.Config, upTo int) error {
	k := 0
	for t := 0; t <= upTo; t = nextEvaluation(cfg, t) {
		if k >= len(points) || points[k].Iteration != t {
			return fmt.Errorf("%w: no evaluation of iteration %d", ErrDamaged, t)
		}
		k++
	}
	return nil
}

// nextEvaluation returns the iteration at which a run measured at t is measured
// next; after the last one, any that never comes.
func nextEvaluation(cfg *train.Config, t int) int {
	next := t + cfg.Eval.Every - t%cfg.Eval.Every
	if t < cfg.Iterations {
		next = min(next, cfg.Iterations)
	}
	return next
}

// evaluated tells whether a run is measured at that iteration.
func evaluated(cfg *train.Config, iteration int) bool {
	return iteration%cfg.Eval.Every == 0 || iteration == cfg.Iterations
}

// metrics appends to a metrics.csv.
type metrics struct{ file *os.File }

// openMetrics opens the file for appending, after replacing it by these rows.
func openMetrics(path string, points []train.Point) (*metrics, error) {
	var b bytes.Buffer
	b.WriteString(header())
	for i := range points {
		b.WriteString(row(&points[i]))
	}
	if old, err := os.ReadFile(path); err != nil || !bytes.Equal(old, b.Bytes()) {
		if err := atomicfile.WriteBytes(path, b.Bytes()); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &metrics{f}, nil
}

// add appends one row in one write.
func (m *metrics) add(p train.Point) error {
	_, err := m.file.WriteString(row(&p))
	return err
}

// sync makes the rows survive a power cut; a checkpoint must not be ahead of
// them.
func (m *metrics) sync() error { return m.file.Sync() }

func (m *metrics) close() error { return m.file.Close() }
