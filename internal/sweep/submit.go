package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strconv"
	"time"

	"swapmc/internal/atomicfile"
	"swapmc/internal/lab"
	"swapmc/internal/slurm"
)

// A Submission is one sending of a sweep to Slurm. It is an entry of slurm/jobs.json.
type Submission struct {
	Time    time.Time `json:"time"`
	Array   int       `json:"array"`   // number of the array job
	Collect int       `json:"collect"` // of the job that collects after it
	Tasks   int       `json:"tasks"`
	Script  string    `json:"script"`
}

// Submissions returns what was sent to Slurm from a results folder, the oldest first.
func Submissions(f *lab.Folder) ([]Submission, error) {
	path := f.Path("slurm", "jobs.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Submission
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("%s: damaged: %w: remove it; the jobs themselves are in squeue", path, err)
	}
	return list, nil
}

// defaultChunk is the work of a task where nothing is said.
const defaultChunk = 30 * time.Minute

// grace is how long before the time limit a task is told to save.
const grace = 120

// taskCount returns the number of tasks for so many seconds of work on one core.
func (s *Slurm) taskCount(seconds float64, runs, most int) int {
	n := s.Tasks
	if n == 0 {
		chunk := defaultChunk
		if s.Chunk != "" {
			chunk, _ = time.ParseDuration(s.Chunk) // compile has read it
		}
		n = runs
		if seconds > 0 {
			n = int(math.Ceil(min(seconds/(chunk.Seconds()*float64(max(1, s.CPUs))), 1e9)))
		}
	}
	return max(1, min(n, runs, most))
}

// Submit writes the scripts of an array job that makes what remains of the plan,
// and of one that collects afterwards, into the folder slurm, and sends them.
// Seconds is the work that remains on one core, 0 where it is not known. Program
// is the path of swapmc and folder that of the results, both absolute.
func (p *Plan) Submit(ctx context.Context, f *lab.Folder, o Slurm, program, folder string, seconds float64, remaining int) (Submission, error) {
	if err := o.validate(); err != nil {
		return Submission{}, err
	}
	most, err := slurm.MaxTasks(ctx)
	if err != nil {
		return Submission{}, err
	}
	list, err := Submissions(f)
	if err != nil {
		return Submission{}, err
	}
	if err := os.MkdirAll(f.Path("slurm", "logs"), 0o755); err != nil {
		return Submission{}, err
	}
	n := o.taskCount(seconds, remaining, most)
	request := slurm.Request{Partition: o.Partition, Account: o.Account, Time: o.Time, Memory: o.Memory, Options: o.Options}
	array := slurm.Array{
		Name: p.Spec.Base.Name, Tasks: n, AtOnce: o.AtOnce, CPUs: o.CPUs, Request: request, Grace: grace,
		Log:     folder + "/slurm/logs/%A_%a.txt",
		Command: []string{program, "sweep", "run", folder, "--shard", slurm.Task + "/" + strconv.Itoa(n)},
	}
	number := len(list) + 1
	script := f.Path("slurm", fmt.Sprintf("array-%d.sh", number))
	if err := atomicfile.Write(script, array.Script); err != nil {
		return Submission{}, err
	}
	collect := f.Path("slurm", fmt.Sprintf("collect-%d.sh", number))
	request.Time = ""
	err = atomicfile.Write(collect, func(w io.Writer) error {
		return slurm.After(w, p.Spec.Base.Name+"-collect", folder+"/slurm/logs/%j_collect.txt", request,
			[]string{program, "sweep", "collect", folder})
	})
	if err != nil {
		return Submission{}, err
	}
	sent := Submission{Time: time.Now().Round(time.Second), Tasks: n, Script: script}
	if sent.Array, err = slurm.Submit(ctx, script, 0); err != nil {
		return Submission{}, err
	}
	// It is in the queue: that must be on record, whatever becomes of the other.
	var fault error
	sent.Collect, fault = slurm.Submit(ctx, collect, sent.Array)
	text, err := json.MarshalIndent(append(list, sent), "", "  ")
	if err != nil {
		return sent, err
	}
	if err := atomicfile.WriteBytes(f.Path("slurm", "jobs.json"), append(text, '\n')); err != nil {
		return sent, fmt.Errorf("job %d is in the queue, but cannot be put on record: %w", sent.Array, err)
	}
	if fault != nil {
		return sent, fmt.Errorf("job %d is in the queue, but not the one that collects: %w", sent.Array, fault)
	}
	return sent, nil
}

// Cancel takes the jobs of a results folder out of the queue and returns their
// numbers.
func Cancel(ctx context.Context, f *lab.Folder) ([]int, error) {
	list, err := Submissions(f)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	jobs, err := Jobs(ctx, list)
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, j := range jobs {
		if !j.Over() {
			numbers = append(numbers, j.Number)
		}
	}
	if len(numbers) == 0 {
		return nil, nil
	}
	return numbers, slurm.Cancel(ctx, numbers)
}

// A Job is a job of a sweep that Slurm still knows.
type Job struct {
	Number int
	What   string // "runs" or "collects"
	Tasks  []slurm.Tasks
}

// Over tells whether the job has ended.
func (j Job) Over() bool {
	for _, t := range j.Tasks {
		if !t.Over() {
			return false
		}
	}
	return true
}

// Jobs asks Slurm for the jobs of submissions.
func Jobs(ctx context.Context, list []Submission) ([]Job, error) {
	var jobs []Job
	for _, s := range list {
		for _, j := range []Job{{Number: s.Array, What: "runs"}, {Number: s.Collect, What: "collects"}} {
			if j.Number == 0 {
				continue
			}
			var err error
			if j.Tasks, err = slurm.Queue(ctx, j.Number); err != nil {
				return nil, err
			}
			if len(j.Tasks) > 0 {
				jobs = append(jobs, j)
			}
		}
	}
	return jobs, nil
}
