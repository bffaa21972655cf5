// Package export turns a results folder into one long table, one row an evaluation, for
// pandas, R or DuckDB, and into event files for TensorBoard.
//
// It reads runs/*/run.json and the metrics.csv (networks) or samples.csv and curves.csv
// (glasses) beside it, and knows neither networks nor particles: keys and columns that
// a later version adds come through by themselves.
package export

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
)

// Results is a results folder, opened to be exported.
type Results struct {
	dir     string
	table   string   // name of the file of each run's rows; "": that of its system
	runs    []*run   // by protocol, seed and ID
	facts   []column // what is the same in all rows of a run
	metrics []column // what rows measure
	index   map[string]int
}

// A column of the table.
type column struct {
	name string
	kind kind
	key  string // of the facts
}

// A run is a line of facts and a file of rows.
type run struct {
	dir   string
	facts map[string]value
	names []string // of the facts, in their order
}

func (r *run) text(fact string) string {
	v := r.facts[fact]
	return v.text
}

// finished tells whether all rows must be there.
func (r *run) finished() bool {
	s := r.text("status")
	return s == "done" || s == "diverged"
}

// Tables that rows can come from: metrics are the evaluations of networks, samples the
// energies and pressures of glasses, curves their two-time observables.
func Tables() []string { return []string{"metrics", "samples", "curves"} }

// Open reads what the runs of a results folder are; their rows are read later. The table
// is one of [Tables], or "" for metrics of networks and samples of glasses. Its error is
// for people: what is wrong, where, and what to do.
func Open(dir, table string) (*Results, error) {
	if table != "" && !slices.Contains(Tables(), table) {
		return nil, fmt.Errorf("table %q: want metrics, samples or curves", table)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "runs"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, e := os.Stat(dir); e != nil {
			return nil, fmt.Errorf("%s: no such folder: want a results folder, such as results/compare", dir)
		}
		return nil, fmt.Errorf("%s: no folder runs in it: want a results folder, such as results/compare", dir)
	case err != nil:
		return nil, err
	}
	res := &Results{dir: dir, table: table, index: map[string]int{}}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		path := filepath.Join(dir, "runs", entry.Name())
		text, err := os.ReadFile(filepath.Join(path, "run.json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // nobody has begun it
		}
		if err != nil {
			return nil, err
		}
		r, err := readRun(text)
		if err != nil {
			return nil, fmt.Errorf("%s: damaged: %w", filepath.Join(path, "run.json"), err)
		}
		r.dir = path
		res.runs = append(res.runs, r)
	}
	if len(res.runs) == 0 {
		return nil, fmt.Errorf("%s: no run has been begun: nothing to export", dir)
	}
	slices.SortStableFunc(res.runs, compareRuns)
	res.arrange()
	return res, res.headers()
}

// file is where the rows of a run are.
func (res *Results) file(r *run) string {
	table := res.table
	if table == "" {
		if table = "metrics"; r.text("system") == "glass" {
			table = "samples"
		}
	}
	return filepath.Join(r.dir, table+".csv")
}

// headers finds the columns of all tables.
func (res *Results) headers() error {
	buffer := make([]byte, 1<<12)
	for _, r := range res.runs {
		f, err := os.Open(res.file(r))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		n, _ := f.Read(buffer)
		f.Close()
		line, _, ended := bytes.Cut(buffer[:n], []byte("\n"))
		if !ended {
			continue
		}
		for _, name := range bytes.Split(line, []byte(",")) {
			name := string(bytes.TrimSpace(name))
			if _, known := res.index[name]; !known && name != "" {
				res.index[name] = len(res.metrics)
				res.metrics = append(res.metrics, column{name: name, kind: kindOfMetric(name)})
			}
		}
	}
	if len(res.metrics) == 0 {
		return fmt.Errorf("%s: none of %d runs has a %s yet: nothing to export", res.dir, len(res.runs), filepath.Base(res.file(res.runs[0])))
	}
	// What is measured must not be taken for what a run is.
	for i := range res.facts {
		if _, taken := res.index[res.facts[i].name]; taken {
			res.facts[i].name = "run_" + res.facts[i].name
		}
	}
	return nil
}

// Runs is how many there are.
func (res *Results) Runs() int { return len(res.runs) }

// DamagedError says that the rows of a run cannot be used.
type DamagedError struct {
	Path   string
	Line   int // of the fault, 0: of none
	Reason string
}

func (e *DamagedError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: damaged: %s", e.Path, e.Line, e.Reason)
	}
	return fmt.Sprintf("%s: damaged: %s", e.Path, e.Reason)
}

// each reads the rows of all runs, several at once, and hands them on in their order.
// A run whose rows are damaged goes to skip, or, where skip is nil, ends it all.
func (res *Results) each(skip func(error), take func(*run, *rows) error) error {
	type result struct {
		rows *rows
		err  error
	}
	results := make([]chan result, len(res.runs))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	workers := runtime.GOMAXPROCS(0)
	ahead := make(chan int, workers) // runs read and not yet taken
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	next := make(chan int)
	for range workers {
		wg.Go(func() {
			for i := range next {
				rows, err := res.read(res.runs[i])
				results[i] <- result{rows, err}
			}
		})
	}
	wg.Go(func() {
		defer close(next)
		for i := range res.runs {
			select {
			case ahead <- i:
			case <-stop:
				return
			}
			select {
			case next <- i:
			case <-stop:
				return
			}
		}
	})
	for i, r := range res.runs {
		got := <-results[i]
		<-ahead
		var damaged *DamagedError
		switch {
		case errors.As(got.err, &damaged) && skip != nil:
			skip(got.err)
			continue
		case got.err != nil:
			return got.err
		}
		if err := take(r, got.rows); err != nil {
			return err
		}
	}
	return nil
}
