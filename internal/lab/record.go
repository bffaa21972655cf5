package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"swapmc/internal/atomicfile"
	"swapmc/internal/kernel"
	"swapmc/internal/train"
)

// A Status is how far a run has come.
type Status string

// The states of a run. A run whose process was killed stays Running; it is
// continued by whoever asks for it next.
const (
	Running  Status = "running"
	Done     Status = "done"
	Diverged Status = "diverged" // its loss became NaN or infinite
	Failed   Status = "failed"   // for a reason that the Record gives
)

// Finished tells whether the run will not be made again.
func (s Status) Finished() bool { return s == Done || s == Diverged }

// Record is the run.json of a run: what it is and how it went.
type Record struct {
	ID        string       `json:"id"`
	Status    Status       `json:"status"`
	Reason    string       `json:"reason,omitempty"`
	Protocols Protocols    `json:"protocols"`
	Seed      uint64       `json:"seed"`
	Version   string       `json:"version"`
	Host      string       `json:"host"`
	CPU       string       `json:"cpu"`
	Kernel    string       `json:"kernel"`
	Threads   int          `json:"threads"`
	Started   time.Time    `json:"started"`
	Ended     *time.Time   `json:"ended,omitempty"`
	Resumed   int          `json:"resumed"`    // times the run was continued
	Iteration int          `json:"iterations"` // done, as of this record
	Seconds   float64      `json:"seconds"`    // of training
	Proposed  int64        `json:"proposed"`   // swaps
	Accepted  int64        `json:"accepted"`
	Final     *Losses      `json:"final,omitempty"` // at the last evaluation
	Notes     []string     `json:"notes,omitempty"`
	System    string       `json:"system"`
	Data      Identity     `json:"data"`
	Config    train.Config `json:"config"`
}

// Losses of one evaluation.
type Losses struct {
	Iteration     int      `json:"iteration"`
	TrainLoss     *float64 `json:"train-loss"` // null if not finite
	TrainAccuracy float64  `json:"train-accuracy"`
	TestLoss      *float64 `json:"test-loss"`
	TestAccuracy  float64  `json:"test-accuracy"`
}

func newRecord(r *Run, version string, threads int) Record {
	return Record{
		ID:        r.ID,
		Status:    Running,
		Protocols: r.Protocols(),
		Seed:      r.Config.Seed,
		Version:   version,
		Host:      self().host,
		CPU:       processor(),
		Kernel:    kernel.Name(),
		Threads:   threads,
		Started:   time.Now().Round(time.Millisecond),
		System:    r.System,
		Data:      r.Data,
		Config:    r.Config,
	}
}

// see takes over what an evaluation measured.
func (r *Record) see(p train.Point) {
	finite := func(x float64) *float64 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return &x
	}
	r.Iteration, r.Seconds, r.Proposed, r.Accepted = p.Iteration, p.Seconds, p.Proposed, p.Accepted
	r.Final = &Losses{
		Iteration:     p.Iteration,
		TrainLoss:     finite(p.TrainLoss),
		TrainAccuracy: p.TrainAccuracy,
		TestLoss:      finite(p.TestLoss),
		TestAccuracy:  p.TestAccuracy,
	}
}

func (r *Record) note(format string, args ...any) {
	r.Notes = append(r.Notes, time.Now().Format(time.DateTime)+" "+fmt.Sprintf(format, args...))
}

func (r *Record) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.WriteBytes(path, append(text, '\n'))
}

// readRecord reads a run.json. Its error wraps fs.ErrNotExist where there is
// none, and ErrDamaged where it makes no sense.
func readRecord(path, id string) (Record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Record{}, err
	}
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return Record{}, fmt.Errorf("%s: %w: %v", path, ErrDamaged, err)
	}
	if r.ID != id {
		return Record{}, fmt.Errorf("%s: %w: it is of run %q", path, ErrDamaged, r.ID)
	}
	return r, nil
}

// ErrDamaged is wrapped by errors about files of a run that cannot be used.
var ErrDamaged = errors.New("damaged")

// processor names the CPU.
var processor = sync.OnceValue(func() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
})
