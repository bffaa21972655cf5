// Package slurm sends array jobs to the Slurm workload manager and asks about them,
// through its commands sbatch, squeue, scancel and scontrol.
package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An Array is an array job, of which each task makes one part of a sweep.
type Array struct {
	Name    string
	Tasks   int // numbered from 1
	AtOnce  int // tasks running at a time; 0: no limit
	CPUs    int // of each task
	Request Request
	Log     string   // file of each task's output, %A the job, %a the task
	Command []string // of task $SLURM_ARRAY_TASK_ID; a word "TASK/n" has its number put in
	Grace   int      // seconds before the time limit at which a task is told to save
}

// A Request is what a job wants of the cluster, in Slurm's words; empty is Slurm's
// own default.
type Request struct {
	Partition, Account, Time, Memory string
	Options                          []string // further options of sbatch, such as --qos=low
}

// Task stands for the number of the task in a word of Array.Command.
const Task = "\x00task"

// Script writes the batch script of the array. A task is told to save and stop by
// SIGTERM, when it is preempted or cancelled; then Slurm itself queues it again, or
// not. Shortly before its time limit it is told by SIGUSR1: the script passes that
// on as SIGTERM and queues the task again.
func (a *Array) Script(w io.Writer) error {
	var b bytes.Buffer
	tasks := fmt.Sprintf("1-%d", a.Tasks)
	if a.AtOnce > 0 {
		tasks += "%" + strconv.Itoa(a.AtOnce)
	}
	options := []string{
		"--job-name=" + a.Name, "--array=" + tasks, "--ntasks=1", "--cpus-per-task=" + strconv.Itoa(max(1, a.CPUs)),
		"--output=" + a.Log, "--open-mode=append", "--requeue", fmt.Sprintf("--signal=B:USR1@%d", a.Grace),
	}
	if err := header(&b, append(options, a.Request.options()...)); err != nil {
		return err
	}
	fmt.Fprintf(&b, `
export GOMAXPROCS=${SLURM_CPUS_PER_TASK:-%d}
again= stop= run=
save() { stop=1; [ -z "$run" ] || kill -TERM $run; }
trap 'save' TERM INT          # preempted or cancelled: save
trap 'again=1; save' USR1     # the time limit is near: save, and go on in another turn
%s &
run=$!
[ -z "$stop" ] || kill -TERM $run # told before it had begun
while kill -0 $run 2>/dev/null; do wait $run; done
wait $run
code=$?
if [ -n "$again" ] && [ $code -ne 0 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit $code
`, max(1, a.CPUs), command(a.Command))
	_, err := w.Write(b.Bytes())
	return err
}

// After writes the batch script of a job that runs a command when a job is over,
// however it ended.
func After(w io.Writer, name, log string, r Request, words []string) error {
	var b bytes.Buffer
	options := append([]string{"--job-name=" + name, "--ntasks=1", "--output=" + log, "--open-mode=append", "--requeue"}, r.options()...)
	if err := header(&b, options); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\nexport GOMAXPROCS=${SLURM_CPUS_PER_TASK:-1}\nexec %s\n", command(words))
	_, err := w.Write(b.Bytes())
	return err
}

func (r *Request) options() []string {
	var list []string
	for _, o := range []struct{ name, value string }{
		{"--partition", r.Partition}, {"--account", r.Account}, {"--time", r.Time}, {"--mem", r.Memory},
	} {
		if o.value != "" {
			list = append(list, o.name+"="+o.value)
		}
	}
	return append(list, r.Options...)
}

func header(b *bytes.Buffer, options []string) error {
	b.WriteString("#!/bin/bash\n# Written by swapmc.\n")
	for _, o := range options {
		if strings.ContainsAny(o, "\n\r") || !strings.HasPrefix(o, "-") {
			return fmt.Errorf("slurm: option %q: want one such as --qos=low", o)
		}
		name, value, has := strings.Cut(o, "=")
		if has && strings.ContainsAny(value, " \t'\"\\#") {
			value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
		}
		if has {
			name += "=" + value
		}
		fmt.Fprintf(b, "#SBATCH %s\n", name)
	}
	return nil
}

// command writes words for a shell.
func command(words []string) string {
	var quoted []string
	for _, w := range words {
		w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		quoted = append(quoted, strings.ReplaceAll(w, Task, `'"$SLURM_ARRAY_TASK_ID"'`))
	}
	return strings.Join(quoted, " ")
}

// ErrAbsent is wrapped where there is no Slurm on this machine.
var ErrAbsent = errors.New("no Slurm here: sbatch is not among the commands; run this on the cluster's login node")

// run runs one of Slurm's commands.
func run(ctx context.Context, name string, args ...string) (string, error) {
	if _, err := exec.LookPath(name); err != nil {
		return "", fmt.Errorf("%s: %w", name, ErrAbsent)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if text := strings.Join(strings.Fields(stderr.String()), " "); text != "" {
			return "", &commandError{name, text, err}
		}
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return stdout.String(), nil
}

// A commandError is what one of Slurm's commands has complained about.
type commandError struct {
	name, text string
	err        error
}

func (e *commandError) Error() string {
	return e.name + ": " + strings.TrimPrefix(e.text, e.name+": error: ")
}

func (e *commandError) Unwrap() error { return e.err }

// Submit sends the script in a file and returns the job's number. With after > 0
// the job waits until that one is over, however it ends.
func Submit(ctx context.Context, script string, after int) (int, error) {
	args := []string{"--parsable"}
	if after > 0 {
		args = append(args, fmt.Sprintf("--dependency=afterany:%d", after))
	}
	out, err := run(ctx, "sbatch", append(args, script)...)
	if err != nil {
		return 0, err
	}
	number, _, _ := strings.Cut(strings.TrimSpace(out), ";") // then the cluster's name
	job, err := strconv.Atoi(number)
	if err != nil {
		return 0, fmt.Errorf("sbatch: %q: want the number of the job", out)
	}
	return job, nil
}

// Cancel takes jobs out of the queue. Tasks that run are told to save by SIGTERM.
func Cancel(ctx context.Context, jobs []int) error {
	var args []string
	for _, j := range jobs {
		args = append(args, strconv.Itoa(j))
	}
	_, err := run(ctx, "scancel", args...)
	return err
}

// Tasks are the tasks of a job in one state and for one reason.
type Tasks struct {
	State  string // as Slurm says: PENDING, RUNNING, COMPLETED, ...
	Reason string // why they do not run, "" where there is none
	Count  int
}

// Over tells whether the tasks will not run any more.
func (t Tasks) Over() bool {
	switch t.State {
	case "PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESIZING", "SIGNALING", "SPECIAL_EXIT", "STAGE_OUT", "STOPPED":
		return false
	}
	return true
}

// Queue returns the tasks of a job by state; none where Slurm has forgotten the
// job, as it does a few minutes after its end.
func Queue(ctx context.Context, job int) ([]Tasks, error) {
	out, err := run(ctx, "squeue", "--noheader", "--array", "--states=all", "--format=%T|%r", "--jobs="+strconv.Itoa(job))
	var complaint *commandError
	if errors.As(err, &complaint) && strings.Contains(complaint.text, "Invalid job id") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Tasks
	for line := range strings.Lines(out) {
		state, reason, _ := strings.Cut(strings.TrimSpace(line), "|")
		if state == "" {
			continue
		}
		if reason == "None" {
			reason = ""
		}
		k := slices.IndexFunc(list, func(t Tasks) bool { return t.State == state && t.Reason == reason })
		if k < 0 {
			k = len(list)
			list = append(list, Tasks{State: state, Reason: reason})
		}
		list[k].Count++
	}
	return list, nil
}

var maxArraySize = regexp.MustCompile(`(?m)^MaxArraySize\s*=\s*(\d+)`)

// MaxTasks returns the largest number of tasks that an array may have here.
func MaxTasks(ctx context.Context) (int, error) {
	out, err := run(ctx, "scontrol", "show", "config")
	if err != nil {
		return 0, err
	}
	m := maxArraySize.FindStringSubmatch(out)
	if m == nil {
		return 1000, nil // Slurm's default
	}
	n, err := strconv.Atoi(m[1])
	return n - 1, err // the largest number of a task is below it
}
