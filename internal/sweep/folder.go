package sweep

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"swapmc/internal/atomicfile"
	"swapmc/internal/lab"
)

// Save writes spec.yaml and plan.csv, the list of all runs, into a results folder.
func (p *Plan) Save(f *lab.Folder, version string) error {
	s := *p.Spec
	s.Base.Version = version
	text, err := s.Marshal()
	if err != nil {
		return err
	}
	head := "# Written by swapmc: all that defines these results.\n"
	if err := atomicfile.WriteBytes(f.Path("spec.yaml"), append([]byte(head), text...)); err != nil {
		return err
	}
	return atomicfile.Write(f.Path("plan.csv"), p.writeList)
}

// listed are the columns of plan.csv before those of the varied keys.
var listed = []string{"id", "part", "protocols", "seed", "iterations"}

func (p *Plan) writeList(w io.Writer) error {
	out := csv.NewWriter(w)
	var keys []string
	for _, c := range p.Cells {
		for _, s := range slices.Concat(c.Values, c.Trials[0].Values) {
			if !slices.Contains(keys, s.Key) {
				keys = append(keys, s.Key)
			}
		}
	}
	out.Write(slices.Concat(listed, keys))
	seen := map[string]bool{}
	for _, c := range p.Cells {
		for _, t := range c.Trials {
			for k, table := range [][][]*lab.Run{t.Tuning, t.Arms} {
				part := []string{"tune", "compare"}[k]
				for _, r := range slices.Concat(table...) {
					if seen[r.ID] {
						continue
					}
					seen[r.ID] = true
					row := []string{r.ID, part, r.Protocols().String(), strconv.FormatUint(r.Config.Seed, 10), strconv.Itoa(r.Config.Iterations)}
					for _, key := range keys {
						text := ""
						for _, s := range slices.Concat(c.Values, t.Values) {
							if s.Key == key {
								text = s.Text
							}
						}
						row = append(row, text)
					}
					out.Write(row)
				}
			}
		}
	}
	out.Flush()
	return out.Error()
}

// A Listed is one run of plan.csv.
type Listed struct {
	ID         string
	Name       string // what the run is, for people
	Iterations int
}

// ReadList reads the plan.csv of a results folder.
func ReadList(dir string) ([]Listed, error) {
	path := filepath.Join(dir, "plan.csv")
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no plan.csv in it: it is no sweep's folder, or the sweep was never run: swapmc sweep run %s", dir, dir)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parseList(path, file)
}

func parseList(path string, r io.Reader) ([]Listed, error) {
	in := csv.NewReader(r)
	rows, err := in.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: damaged: %w: swapmc sweep run writes it anew", path, err)
	}
	if len(rows) == 0 || len(rows[0]) < len(listed) || !slices.Equal(rows[0][:len(listed)], listed) {
		return nil, fmt.Errorf("%s: damaged: want the columns %v: swapmc sweep run writes it anew", path, listed)
	}
	var list []Listed
	for i, row := range rows[1:] {
		n, err := strconv.Atoi(row[4])
		if err != nil || row[0] == "" || row[0] != filepath.Base(row[0]) || row[0] == ".." || row[0] == "." {
			return nil, fmt.Errorf("%s:%d: damaged: %q: swapmc sweep run writes it anew", path, i+2, row)
		}
		name := row[2] + ", seed " + row[3]
		for k, value := range row[len(listed):] {
			if value != "" {
				name += ", " + rows[0][len(listed)+k] + "=" + value
			}
		}
		list = append(list, Listed{row[0], name, n})
	}
	return list, nil
}

// A Status is how far the runs of a sweep have come.
type Status struct {
	Planned, Running, Interrupted int
	Done, Diverged, Failed        int
	Seconds                       float64 // of training in all of them
	Now                           []RunStatus
	Reasons                       []Reason // of those that failed, the most frequent first
	Remaining                     []Listed // neither done, diverged nor failed
}

// Total returns the number of runs.
func (s *Status) Total() int {
	return s.Planned + s.Running + s.Interrupted + s.Done + s.Diverged + s.Failed
}

// A RunStatus is a run that is being made.
type RunStatus struct {
	Listed
	lab.State
}

// A Reason is why some runs failed.
type Reason struct {
	Text string
	Runs []Listed
}

// Status looks how far the runs of a plan have come.
func (p *Plan) Status(f *lab.Folder) (*Status, error) {
	list := make([]Listed, len(p.Runs))
	for i, r := range p.Runs {
		list[i] = Listed{ID: r.ID, Iterations: r.Config.Iterations}
	}
	return ReadStatus(f, list)
}

// ReadStatus looks how far the runs have come.
func ReadStatus(f *lab.Folder, list []Listed) (*Status, error) {
	ids := make([]string, len(list))
	for i, l := range list {
		ids[i] = l.ID
	}
	states, err := f.States(ids)
	if err != nil {
		return nil, err
	}
	s := &Status{}
	at := map[string]int{}
	for i, state := range states {
		s.Seconds += state.Seconds
		switch {
		case state.Status == lab.Done:
			s.Done++
		case state.Status == lab.Diverged:
			s.Diverged++
		case state.Status == lab.Failed:
			s.Failed++
			k, ok := at[state.Reason]
			if !ok {
				k = len(s.Reasons)
				at[state.Reason] = k
				s.Reasons = append(s.Reasons, Reason{Text: state.Reason})
			}
			s.Reasons[k].Runs = append(s.Reasons[k].Runs, list[i])
		default:
			s.Remaining = append(s.Remaining, list[i])
			switch {
			case state.Status == "":
				s.Planned++
			case state.Holder == "":
				s.Interrupted++
			default:
				s.Running++
				s.Now = append(s.Now, RunStatus{list[i], state})
			}
		}
	}
	slices.SortStableFunc(s.Reasons, func(a, b Reason) int { return len(b.Runs) - len(a.Runs) })
	return s, nil
}
