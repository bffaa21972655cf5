package sweep

import (
	"fmt"
	"time"

	"swapmc/internal/lab"
)

// validate reports the first value that cannot be.
func (s *Slurm) validate() error {
	fail := func(key, format string, args ...any) error {
		return &lab.FieldError{Key: "sweep.slurm." + key, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case s.CPUs < 0:
		return fail("cpus", "%d: want a number of cores, or 0 for one", s.CPUs)
	case s.Tasks < 0:
		return fail("tasks", "%d: want a number of tasks, or 0 for as many as chunk gives", s.Tasks)
	case s.AtOnce < 0:
		return fail("at-once", "%d: want a number of tasks, or 0 for no limit", s.AtOnce)
	}
	if s.Chunk != "" {
		if d, err := time.ParseDuration(s.Chunk); err != nil || d <= 0 {
			return fail("chunk", "%q: want the work of a task, such as 30m or 4h", s.Chunk)
		}
	}
	return nil
}
