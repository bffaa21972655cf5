package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"swapmc/internal/atomicfile"
	"swapmc/internal/safetensors"
	"swapmc/internal/train"
)

// Folder is a results folder.
type Folder struct{ path string }

// OpenFolder opens a results folder, and makes it if it is absent.
func OpenFolder(path string) (*Folder, error) {
	if err := os.MkdirAll(filepath.Join(path, "runs"), 0o755); err != nil {
		return nil, fmt.Errorf("results folder: %w", err)
	}
	return &Folder{path}, nil
}

// Path returns where a file of the folder lies.
func (f *Folder) Path(name ...string) string {
	return filepath.Join(append([]string{f.path}, name...)...)
}

// WriteSpec writes spec.yaml.
func (f *Folder) WriteSpec(s Spec, version string) error {
	s.Version = version
	text, err := s.Marshal()
	if err != nil {
		return err
	}
	head := "# Written by swapmc: all that defines these results.\n"
	return atomicfile.WriteBytes(f.Path("spec.yaml"), append([]byte(head), text...))
}

// Weights returns where the final weights of a run lie.
func (f *Folder) Weights(r *Run) string { return f.runFile(r, "weights.safetensors") }

func (f *Folder) runFile(r *Run, name string) string { return f.Path("runs", r.ID, name) }

// Record returns what is known of a run. Its error wraps fs.ErrNotExist for a
// run that nobody has begun.
func (f *Folder) Record(r *Run) (Record, error) {
	return readRecord(f.runFile(r, "run.json"), r.ID)
}

// Metrics returns the evaluations of a run so far.
func (f *Folder) Metrics(r *Run) ([]train.Point, error) {
	return readMetrics(f.runFile(r, "metrics.csv"))
}

// A State is how far a run has come, as its files say. The zero State is of a run
// that nobody has begun.
type State struct {
	Status    Status  `json:"status"`
	Reason    string  `json:"reason"`
	Iteration int     `json:"iterations"` // as of the last record
	Seconds   float64 `json:"seconds"`
	Host      string  `json:"host"`
	Holder    string  `json:"-"` // who makes a run that is running; "" where nobody does, so that it waits to be continued
}

// States returns the states of runs. It reads no evaluations, and so is quick for
// many; it takes no lock. A damaged record counts as none.
func (f *Folder) States(ids []string) ([]State, error) {
	states := make([]State, len(ids))
	faults := make([]error, min(4*runtime.GOMAXPROCS(0), len(ids))) // more than cores: they wait for the disk
	var wg sync.WaitGroup
	for w := range faults {
		wg.Go(func() {
			for i := w; i < len(ids) && faults[w] == nil; i += len(faults) {
				states[i], faults[w] = f.state(ids[i])
			}
		})
	}
	wg.Wait()
	return states, errors.Join(faults...)
}

func (f *Folder) state(id string) (State, error) {
	text, err := os.ReadFile(f.Path("runs", id, "run.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, err
	}
	var s State
	if json.Unmarshal(text, &s) != nil {
		return State{}, nil
	}
	if s.Status == Running {
		s.Holder = holderOf(f.Path("runs", id, "lock"))
	}
	return s, nil
}

// finished returns the record of a run that need not be made again, with all its
// evaluations there.
func (f *Folder) finished(r *Run) (Record, bool, error) {
	rec, err := f.Record(r)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrDamaged):
		return Record{}, false, nil
	case err != nil:
		return Record{}, false, err
	case !rec.Status.Finished():
		return rec, false, nil
	}
	points, err := f.Metrics(r)
	if err == nil {
		upTo := r.Config.Iterations
		if rec.Status == Diverged {
			upTo = rec.Iteration - 1 // an evaluation that finds it is not recorded
		}
		err = complete(points, &r.Config, upTo)
	}
	if err != nil {
		if errors.Is(err, ErrDamaged) {
			return rec, false, nil
		}
		return Record{}, false, err
	}
	return rec, true, nil
}

// readCheckpoint returns the checkpoint of a run: none where there is no file.
// Its error wraps ErrDamaged where the file cannot be used.
func (f *Folder) readCheckpoint(r *Run) (*safetensors.File, error) {
	path := f.runFile(r, "checkpoint.safetensors")
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	checkpoint, err := safetensors.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %v", path, ErrDamaged, err)
	}
	if id := checkpoint.Metadata["run"]; id != r.ID {
		return nil, fmt.Errorf("%s: %w: it is of run %q", path, ErrDamaged, id)
	}
	return checkpoint, nil
}

// sweep removes the temporary files that a killed process has left in a run's
// folder. Only the holder of the run's lock may call it.
func (f *Folder) sweep(r *Run) {
	entries, err := os.ReadDir(f.Path("runs", r.ID))
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), ".tmp-") {
			os.Remove(f.runFile(r, e.Name()))
		}
	}
}
