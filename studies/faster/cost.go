package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"swapmc/internal/train"
)

// slice is about how long one way is timed before the next has its turn.
const slice = 40 * time.Millisecond

// costHeader is the first row of cost.csv. Seconds are medians over the rounds; the
// quartiles say how quiet the machine was.
var costHeader = []string{"problem", "way", "lr", "x", "threads", "rounds", "seconds", "lower_quartile", "upper_quartile"}

// cost measures the time of an iteration of every way, at the setting that was chosen,
// on an otherwise idle machine: a slice of each in turn, many rounds. It writes cost.csv,
// where it replaces the rows of the problems that it measures.
func (s *study) cost(ctx context.Context, rounds int) error {
	path := s.folder.Path("cost.csv")
	rows, err := readCost(path)
	if err != nil {
		return err
	}
	for _, arms := range s.arms {
		name := arms[0].problem.name
		measured, err := s.costOf(ctx, arms, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		rows = append(slices.DeleteFunc(rows, func(row []string) bool { return row[0] == name }), measured...)
		if err := writeCSV(path, append([][]string{costHeader}, rows...)); err != nil {
			return err
		}
	}
	return nil
}

// readCost returns the rows of a cost.csv, none where there is no file.
func readCost(path string) ([][]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = len(costHeader)
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], costHeader) {
		return nil, fmt.Errorf("%s: no table of costs: remove it", path)
	}
	return rows[1:], nil
}

// secondsOf returns the seconds of an iteration at the setting that was chosen, NaN where
// they have not been measured.
func (c *choice) secondsOf(rows [][]string) (float64, error) {
	for _, row := range rows {
		if row[0] == c.problem.name && row[1] == c.way.name && row[2] == c.trial().lr && row[3] == c.trial().x {
			seconds, err := strconv.ParseFloat(row[6], 64)
			if err != nil || !(seconds > 0) {
				return 0, fmt.Errorf("cost of %s, %s: %q: want seconds", row[0], row[1], row[6])
			}
			return seconds, nil
		}
	}
	return math.NaN(), nil
}

// A stopwatch times the iterations of one arm.
type stopwatch struct {
	*arm
	trial    *trial
	training *train.Run
	n        int       // iterations in a slice
	seconds  []float64 // of an iteration, by round
}

// costOf measures the arms of one problem in turn and returns their rows of cost.csv.
func (s *study) costOf(ctx context.Context, arms []*arm, rounds int) ([][]string, error) {
	threads := runtime.GOMAXPROCS(0)
	var watches []*stopwatch
	defer func() {
		for _, w := range watches {
			w.training.Close()
		}
	}()
	for _, a := range arms {
		w := &stopwatch{arm: a, trial: &a.trials[0]}
		c, err := choose(s.folder, a)
		switch {
		case err == nil:
			w.trial = c.trial()
		case !errors.Is(err, errUnfinished):
			return nil, err
		default:
			fmt.Fprintf(s.w, "%s, %s: not tuned: measured at %s\n", a.problem.name, a.way.name, w.trial)
		}
		if err := w.begin(threads); err != nil {
			return nil, err
		}
		watches = append(watches, w)
	}
	for range rounds {
		for _, w := range watches {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err := w.round(threads); err != nil {
				return nil, err
			}
		}
	}
	var rows [][]string
	for _, w := range watches {
		slices.Sort(w.seconds)
		at := func(share float64) string {
			return strconv.FormatFloat(w.seconds[int(share*float64(len(w.seconds)-1))], 'g', 5, 64)
		}
		row := []string{w.problem.name, w.way.name, w.trial.lr, w.trial.x, strconv.Itoa(threads), strconv.Itoa(rounds), at(0.5), at(0.25), at(0.75)}
		fmt.Fprintln(s.w, row)
		rows = append(rows, row)
	}
	return rows, nil
}

// begin builds the network, lets it touch all its memory, and sets how many iterations
// fill a slice.
func (w *stopwatch) begin(threads int) (err error) {
	if w.training != nil {
		w.training.Close()
	}
	if w.training, err = train.New(w.run(w.trial, fresh[0]).Config, w.source.Set, threads); err != nil {
		return err
	}
	if err := w.training.Step(); err != nil {
		return err
	}
	if w.n > 0 {
		return nil
	}
	began := time.Now()
	for range 2 {
		if err := w.training.Step(); err != nil {
			return err
		}
	}
	w.n = max(1, int(math.Round(2*slice.Seconds()/time.Since(began).Seconds())))
	return nil
}

// round times a slice, from the start again where the run would end or diverge.
func (w *stopwatch) round(threads int) error {
	if w.training.Iteration()+w.n+1 > w.problem.iterations {
		if err := w.begin(threads); err != nil {
			return err
		}
	}
	// The others have had the caches since.
	if err := w.training.Step(); err != nil {
		return w.begin(threads)
	}
	began := time.Now()
	for range w.n {
		if err := w.training.Step(); err != nil {
			return err
		}
	}
	w.seconds = append(w.seconds, time.Since(began).Seconds()/float64(w.n))
	return nil
}
