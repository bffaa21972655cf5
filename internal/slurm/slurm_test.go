package slurm

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fake puts commands of that name in front of the path; each appends its arguments
// to a file and then does what its script says.
func fake(t *testing.T, scripts map[string]string) (calls func() string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "calls")
	for name, script := range scripts {
		text := "#!/bin/bash\necho \"" + name + " $*\" >>" + log + "\n" + script + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return func() string {
		text, err := os.ReadFile(log)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return string(text)
	}
}

// TestScriptSignals runs a batch script without Slurm and sends it what Slurm
// sends: only near the time limit may it queue itself again, and only where its
// program was not done.
func TestScriptSignals(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash here")
	}
	for _, test := range []struct {
		name, program string
		signal        syscall.Signal
		code          int
		requeued      bool
	}{
		{"left alone", "exit 0", 0, 0, false},
		{"fails", "exit 1", 0, 1, false},
		{"preempted or cancelled", `trap "exit 130" TERM; touch ready; while :; do sleep 0.02; done`, syscall.SIGTERM, 130, false},
		{"near the limit", `trap "exit 130" TERM; touch ready; while :; do sleep 0.02; done`, syscall.SIGUSR1, 130, true},
		{"done near the limit", `trap "exit 0" TERM; touch ready; while :; do sleep 0.02; done`, syscall.SIGUSR1, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			calls := fake(t, map[string]string{"scontrol": ""})
			dir := t.TempDir()
			a := Array{Name: "it's", Tasks: 9, AtOnce: 3, CPUs: 2, Grace: 60, Log: filepath.Join(dir, "log"),
				Command: []string{"bash", "-c", test.program + "\n# " + Task}}
			path := filepath.Join(dir, "script")
			file, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Script(file); err != nil {
				t.Fatal(err)
			}
			file.Close()
			cmd := exec.Command("bash", path)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "SLURM_ARRAY_JOB_ID=42", "SLURM_ARRAY_TASK_ID=7")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if test.signal != 0 {
				for _, err := os.Stat(filepath.Join(dir, "ready")); err != nil; _, err = os.Stat(filepath.Join(dir, "ready")) {
					time.Sleep(5 * time.Millisecond)
				}
				if err := cmd.Process.Signal(test.signal); err != nil {
					t.Fatal(err)
				}
			}
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if got, want := calls(), "scontrol requeue 42_7\n"; (got == want) != test.requeued || !test.requeued && got != "" {
				t.Errorf("calls %q, requeued should be %v", got, test.requeued)
			}
		})
	}
}

func TestScript(t *testing.T) {
	a := Array{Name: "a study", Tasks: 9, AtOnce: 3, CPUs: 2, Grace: 60, Log: "/r/it's/%A_%a.txt",
		Request: Request{Partition: "cpu", Time: "1:00:00", Memory: "4G", Options: []string{"--qos=low", "--exclusive"}},
		Command: []string{"/bin/it's", "--shard", Task + "/9"}}
	var b strings.Builder
	if err := a.Script(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`#SBATCH --job-name="a study"`, "#SBATCH --array=1-9%3", "#SBATCH --cpus-per-task=2", `#SBATCH --output="/r/it's/%A_%a.txt"`,
		"#SBATCH --partition=cpu", "#SBATCH --time=1:00:00", "#SBATCH --mem=4G", "#SBATCH --qos=low", "#SBATCH --exclusive",
		"#SBATCH --requeue", "#SBATCH --signal=B:USR1@60",
		`'/bin/it'\''s' '--shard' ''"$SLURM_ARRAY_TASK_ID"'/9' &`,
	} {
		if !strings.Contains(b.String(), line+"\n") {
			t.Errorf("no line %s in\n%s", line, &b)
		}
	}
	a.Request.Options = []string{"qos=low"}
	if err := a.Script(&b); err == nil || !strings.Contains(err.Error(), `option "qos=low": want one such as --qos=low`) {
		t.Errorf("got %v", err)
	}
	a.Request.Options = []string{"--qos=low\nrm -rf ."}
	if err := a.Script(&b); err == nil {
		t.Error("an option of two lines is written into the script")
	}
}

func TestCommands(t *testing.T) {
	calls := fake(t, map[string]string{
		"sbatch":   "echo '17;cluster'",
		"squeue":   "case $* in *=18*) echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1;; esac; printf 'PENDING|Priority\\nRUNNING|None\\nPENDING|Priority\\nCOMPLETED|None\\n'",
		"scancel":  "echo 'scancel: error: no permission' >&2; exit 1",
		"scontrol": "printf 'MaxArraySize            = 501\\nMaxJobCount = 10\\n'",
	})
	ctx := t.Context()
	if job, err := Submit(ctx, "x.sh", 16); job != 17 || err != nil {
		t.Error(job, err)
	}
	tasks, err := Queue(ctx, 17)
	if err != nil || len(tasks) != 3 || tasks[0] != (Tasks{"PENDING", "Priority", 2}) || tasks[0].Over() || tasks[1].Over() || !tasks[2].Over() {
		t.Errorf("%+v, %v", tasks, err)
	}
	if tasks, err := Queue(ctx, 18); tasks != nil || err != nil {
		t.Errorf("a job that is forgotten: %v, %v", tasks, err)
	}
	if err := Cancel(ctx, []int{1, 2}); err == nil || err.Error() != "scancel: no permission" {
		t.Errorf("got %v", err)
	}
	if n, err := MaxTasks(ctx); n != 500 || err != nil {
		t.Error(n, err)
	}
	if !strings.Contains(calls(), "sbatch --parsable --dependency=afterany:16 x.sh\n") || !strings.Contains(calls(), "scancel 1 2\n") {
		t.Error(calls())
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Submit(ctx, "x.sh", 0); err == nil || !strings.Contains(err.Error(), "no Slurm here") {
		t.Errorf("without Slurm: %v", err)
	}
}
