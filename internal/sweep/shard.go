package sweep

import (
	"fmt"
	"strconv"
	"strings"
)

// A Part names one of several processes that share a sweep: number I of N, counted
// from 1.
type Part struct {
	I, N   int
	Source string // what said so
}

func (p Part) String() string { return fmt.Sprintf("%d/%d (%s)", p.I, p.N, p.Source) }

// schedulers are the variables by which schedulers tell a task of an array its
// number. Where they tell how many tasks there are, last is the largest number, or
// count their number; first is the smallest.
var schedulers = []struct {
	name, number, first, last, count string
	zero                             bool // counted from 0
}{
	{name: "Slurm", number: "SLURM_ARRAY_TASK_ID", first: "SLURM_ARRAY_TASK_MIN", last: "SLURM_ARRAY_TASK_MAX", count: "SLURM_ARRAY_TASK_COUNT"},
	{name: "Grid Engine", number: "SGE_TASK_ID", first: "SGE_TASK_FIRST", last: "SGE_TASK_LAST"},
	{name: "LSF", number: "LSB_JOBINDEX", last: "LSB_JOBINDEX_END"},
	{name: "PBS", number: "PBS_ARRAY_INDEX"},
	{name: "Torque", number: "PBS_ARRAYID"},
	{name: "OAR", number: "OAR_ARRAY_INDEX"},
	{name: "Kubernetes", number: "JOB_COMPLETION_INDEX", zero: true},
}

// ParsePart reads "i/n", or "/n", where a scheduler's variable says which of the n.
// An empty text takes both from the scheduler's variables; where there are none
// either, the process makes all, and ok is false.
func ParsePart(text string, env func(string) string) (p Part, ok bool, err error) {
	if text == "" {
		return partFromEnv(env, 0)
	}
	i, n, cut := strings.Cut(text, "/")
	p.N, err = strconv.Atoi(n)
	if !cut || err != nil || p.N < 1 {
		return Part{}, false, fmt.Errorf("shard %q: want i/n with i from 1 to n, such as 3/10", text)
	}
	if i == "" {
		p, ok, err := partFromEnv(env, p.N)
		if err == nil && !ok {
			err = fmt.Errorf("shard %q: no variable of a scheduler says which: want i/n, such as 3/10", text)
		}
		return p, ok, err
	}
	if p.I, err = strconv.Atoi(i); err != nil || p.I < 1 || p.I > p.N {
		return Part{}, false, fmt.Errorf("shard %q: want i/n with i from 1 to n, such as 3/10", text)
	}
	p.Source = "--shard"
	return p, true, nil
}

// partFromEnv reads a scheduler's variables; n is the number of tasks where the
// user has said it, else 0.
func partFromEnv(env func(string) string, n int) (Part, bool, error) {
	for _, s := range schedulers {
		text := env(s.number)
		if text == "" || text == "undefined" || s.name == "LSF" && text == "0" { // no task of an array
			continue
		}
		read := func(name string, otherwise int) (int, error) {
			value := env(name)
			if name == "" || value == "" {
				return otherwise, nil
			}
			x, err := strconv.Atoi(value)
			if err != nil {
				return 0, fmt.Errorf("%s=%q: want a number", name, value)
			}
			return x, nil
		}
		i, err := read(s.number, 0)
		if err != nil {
			return Part{}, false, err
		}
		first := 1
		if s.zero {
			first = 0
		}
		if first, err = read(s.first, first); err != nil {
			return Part{}, false, err
		}
		last, err := read(s.last, 0)
		if err != nil {
			return Part{}, false, err
		}
		count, err := read(s.count, 0)
		if err != nil {
			return Part{}, false, err
		}
		switch {
		case n == 0 && s.last == "" || n == 0 && last == 0:
			return Part{}, false, fmt.Errorf("%s=%d, but %s does not say of how many: want --shard /n with the number of tasks", s.number, i, s.name)
		case n == 0 && count > 0 && count != last-first+1:
			return Part{}, false, fmt.Errorf("%s: an array of %d tasks from %d to %d has gaps: want --shard i/n", s.number, count, first, last)
		case n == 0:
			n = last - first + 1
		}
		p := Part{I: i - first + 1, N: n, Source: s.number}
		if p.I < 1 || p.I > p.N {
			return Part{}, false, fmt.Errorf("%s=%d: not one of %d tasks from %d", s.number, i, p.N, first)
		}
		return p, true, nil
	}
	return Part{}, false, nil
}
