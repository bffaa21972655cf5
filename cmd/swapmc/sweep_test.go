package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sweepSpec is a sweep of runs of so many iterations, of which two cannot begin.
const sweepSpec = `
data: {set: synth, train: 96, test: 32}
batch: 8
iterations: %d
eval: {every: %d, train: 32, test: 32}
optimizer: {name: sgd, lr: 0.002}
checkpoint: {every: %d}
seeds: 2
protocols: [features:1SA]
sweep:
  product:
    network: [linear 10, "linear 4, relu, linear 10"]
  protocols:
    - {template: "weights:{code}", values: {code: [1SA, SS1]}}
  exclude:
    - {protocol: "weights:SS1", network: linear 10, seed: 2}
`

// sweepRuns of sweepSpec end as done, sweepFailed as failed: networks of one layer
// have no two layers between which to swap.
const sweepRuns, sweepFailed = 14, 1

func writeSweep(t *testing.T, dir string, iterations int) string {
	t.Helper()
	path := filepath.Join(dir, "study.yaml")
	text := fmt.Sprintf(sweepSpec, iterations, iterations/10, max(1, iterations/40))
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// records returns the run.json of every run that has one, by ID.
func records(t *testing.T, out string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(out, "runs", "*", "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(filepath.Dir(path))] = text
	}
	return all
}

// finished returns the records of those that are done.
func finished(t *testing.T, out string) map[string][]byte {
	t.Helper()
	done := map[string][]byte{}
	for id, text := range records(t, out) {
		var r struct{ Status string }
		if json.Unmarshal(text, &r) == nil && r.Status == "done" {
			done[id] = text
		}
	}
	return done
}

// measured returns the metrics of all runs but for their seconds, and the weights.
func measured(t *testing.T, out string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for id := range finished(t, out) {
		file, err := os.Open(filepath.Join(out, "runs", id, "metrics.csv"))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(file).ReadAll()
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			row[1] = ""
		}
		weights, err := os.ReadFile(filepath.Join(out, "runs", id, "weights.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		all[id] = fmt.Sprint(rows) + string(weights)
	}
	return all
}

// untouched reports finished runs whose records have changed since.
func untouched(t *testing.T, out string, before map[string][]byte) {
	t.Helper()
	now := records(t, out)
	for id, text := range before {
		if !bytes.Equal(now[id], text) {
			t.Errorf("finished run %s was lost or made again", id)
		}
	}
}

func TestSweepEndToEnd(t *testing.T) {
	dir := t.TempDir()
	spec, out := writeSweep(t, dir, 40), filepath.Join(dir, "out")
	code, stdout, stderr := run("sweep", "plan", spec, "--out", out)
	if code != 0 || !strings.Contains(stdout, "15 runs in 2 cells") || !strings.Contains(stdout, "impossible: 1 runs") || !strings.Contains(stdout, "of one core") {
		t.Fatalf("plan: %d\n%s%s", code, stdout, stderr)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("planning has made the folder")
	}
	code, stdout, stderr = run("sweep", "run", spec, "--out", out, "--shard", "1/3", "--quiet")
	if !strings.Contains(stderr, "shard 1/3") || code == 0 != strings.Contains(stdout, "swapmc sweep collect") {
		t.Errorf("shard: %d\n%s%s", code, stdout, stderr)
	}
	if n := len(records(t, out)); n == 0 || n >= sweepRuns {
		t.Errorf("%d runs made by one shard of three", n)
	}
	before := finished(t, out)
	code, stdout, stderr = run("sweep", "run", out, "--quiet")
	if code != 1 || !strings.Contains(stderr, "1 of 15 runs failed") || !strings.Contains(stdout, "Number of cells by verdict") {
		t.Errorf("run: %d\n%s%s", code, stdout, stderr)
	}
	untouched(t, out, before)
	if code, stdout, _ = run("sweep", "status", out); code != 0 || !strings.Contains(stdout, "15 runs: 0 planned, 0 running, 0 interrupted, 14 done, 0 diverged, 1 failed") ||
		!strings.Contains(stdout, "weights:SS1: want at least two layers") {
		t.Errorf("status: %d\n%s", code, stdout)
	}
	if code, stdout, stderr = run("sweep", "collect", out); code != 0 || !strings.Contains(stdout, "sweep.csv") {
		t.Errorf("collect: %d\n%s%s", code, stdout, stderr)
	}
	for _, test := range []struct {
		code int
		want string
		args []string
	}{
		{2, "no spec file", []string{"sweep", "run", filepath.Join(dir, "none.yaml")}},
		{2, "want i/n", []string{"sweep", "run", spec, "--shard", "3"}},
		{2, `unknown command "pln" (did you mean plan`, []string{"sweep", "pln"}},
		{2, "want --slurm", []string{"sweep", "submit", spec}},
		{1, "no plan.csv", []string{"sweep", "status", dir}},
		{1, "nothing is left to run", []string{"sweep", "submit", "--slurm", out}},
	} {
		if code, _, stderr := run(test.args...); code != test.code || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: %d, %s; want %d, %s", test.args, code, stderr, test.code, test.want)
		}
	}
}

// TestSweepSurvivesKills kills processes on one folder, two at a time, at random
// moments, until one comes to the end: no run is lost or made twice, and the
// results are those of a process that nobody has killed.
func TestSweepSurvivesKills(t *testing.T) {
	dir := t.TempDir()
	spec, out := writeSweep(t, dir, 1000), filepath.Join(dir, "out")
	kills := 0
	limit := 100 * time.Millisecond
	for ended := false; !ended; {
		before := finished(t, out)
		var pair [2]*exec.Cmd
		for i := range pair {
			pair[i], _ = program(t, "sweep", "run", spec, "--out", out, "--quiet")
			if err := pair[i].Start(); err != nil {
				t.Fatal(err)
			}
		}
		exited := make(chan int, 2)
		for _, cmd := range pair {
			go func() {
				cmd.Wait()
				exited <- cmd.ProcessState.ExitCode()
			}()
		}
		timer := time.NewTimer(time.Duration(rand.Float64() * float64(limit)))
		for left := 2; left > 0; {
			select {
			case code := <-exited:
				left--
				if code == 1 { // it came to the end, where one run has failed
					ended = true
				}
			case <-timer.C:
				for _, cmd := range pair {
					cmd.Process.Kill()
				}
				kills++
			}
		}
		limit += limit / 4 // whatever this machine's speed
		untouched(t, out, before)
	}
	if n := len(finished(t, out)); n != sweepRuns {
		t.Errorf("%d runs done, want %d", n, sweepRuns)
	}
	t.Logf("%d pairs of processes killed", kills)
	plain := filepath.Join(dir, "plain")
	if code, _, stderr := run("sweep", "run", spec, "--out", plain, "--quiet"); code != 1 {
		t.Fatal(code, stderr)
	}
	if diff := cmp.Diff(measured(t, plain), measured(t, out)); diff != "" {
		t.Error("the results differ from those of a process that was left alone")
	}
}

// A cluster is a Slurm of one node, this machine.
type cluster struct {
	t      *testing.T
	folder string
}

// startCluster starts one, where this machine can.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	for _, name := range []string{"slurmctld", "slurmd", "munged", "sbatch"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s here: install slurm-wlm and munge to test with a real Slurm", name)
		}
	}
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("only root can start a Slurm of its own")
	}
	c := &cluster{t, t.TempDir()}
	t.Cleanup(func() { c.do("stop") })
	c.do("start")
	t.Setenv("SLURM_CONF", filepath.Join(c.folder, "slurm.conf"))
	t.Setenv(asProgram, "1") // the jobs run this test's binary
	return c
}

func (c *cluster) do(verb string) {
	c.t.Helper()
	if out, err := exec.Command("../../.ci/slurm/cluster", verb, c.folder).CombinedOutput(); err != nil {
		c.t.Fatalf("cluster %s: %v\n%s", verb, err, out)
	}
}

// command runs one of Slurm's commands.
func (c *cluster) command(name string, args ...string) string {
	c.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// until waits for a condition.
func (c *cluster) until(what string, holds func() bool) {
	c.t.Helper()
	began := time.Now()
	defer func() { c.t.Logf("%v until %s", time.Since(began).Round(time.Second), what) }()
	for deadline := began.Add(4 * time.Minute); !holds(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			queue, _ := exec.Command("squeue", "--array").CombinedOutput()
			nodes, _ := exec.Command("sinfo", "--long", "--Node").CombinedOutput()
			c.t.Fatalf("waiting for %s: four minutes are over\n%s%s", what, queue, nodes)
		}
	}
}

// working tells whether a run is on its way: it has a checkpoint.
func working(t *testing.T, out string) bool {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(out, "runs", "*", "checkpoint.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return len(list) > 0
}

// TestSlurm sends a sweep to a real Slurm, queues a running task again, lets the
// node die under its tasks, cancels all and sends it again: nothing is lost, nothing
// is made twice, and the results are those of one process.
func TestSlurm(t *testing.T) {
	if os.Getenv("SWAPMC_SLURM") == "" {
		t.Skip("takes minutes, and starts a Slurm of its own: SWAPMC_SLURM=1 asks for it, as .ci/run does")
	}
	c := startCluster(t)
	dir := t.TempDir()
	spec, out := writeSweep(t, dir, 12000), filepath.Join(dir, "out")
	submit := func(flags ...string) (job string) {
		t.Helper()
		code, stdout, stderr := run(append([]string{"sweep", "submit", "--slurm", spec, "--out", out}, flags...)...)
		if code != 0 {
			t.Fatalf("submit: %d\n%s%s", code, stdout, stderr)
		}
		_, after, _ := strings.Cut(stdout, "\njob ")
		job, _, _ = strings.Cut(after, ":")
		if _, err := strconv.Atoi(job); err != nil {
			t.Fatalf("submit printed no job:\n%s", stdout)
		}
		return job
	}
	state := func(task string) string {
		out, err := exec.Command("squeue", "--noheader", "--array", "--states=all", "--format=%T", "--jobs="+task).Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}

	job := submit("--tasks", "4", "--time", "30")
	if code, _, stderr := run("sweep", "submit", "--slurm", spec, "--out", out); code != 1 || !strings.Contains(stderr, "job "+job+" of this sweep is still in the queue") {
		t.Errorf("submitted twice: %d, %s", code, stderr)
	}
	c.until("a first task", func() bool { return state(job+"_1") == "RUNNING" && working(t, out) })
	if code, stdout, _ := run("sweep", "status", out); code != 0 || !strings.Contains(stdout, "slurm job "+job) || !strings.Contains(stdout, "running") {
		t.Errorf("status: %d\n%s", code, stdout)
	}

	before := finished(t, out)
	c.command("scontrol", "requeue", job+"_1") // as a preemption does
	c.until("the task to stop", func() bool { return state(job+"_1") != "RUNNING" })
	untouched(t, out, before)

	c.until("runs that are done, and others on their way", func() bool { return working(t, out) && len(finished(t, out)) > 0 })
	before = finished(t, out)
	c.do("kill-node")
	c.until("Slurm to miss the node", func() bool { return strings.HasPrefix(c.command("sinfo", "--noheader", "--format=%T"), "down") })
	untouched(t, out, before)
	c.do("start-node")
	c.until("the node to be back", func() bool { return !strings.HasPrefix(c.command("sinfo", "--noheader", "--format=%T"), "down") })

	c.until("work after the node's death", func() bool {
		return c.command("squeue", "--noheader", "--states=running", "--jobs="+job) != ""
	})
	before = finished(t, out)
	code, stdout, stderr := run("sweep", "cancel", out)
	if code != 0 || !strings.Contains(stdout, job) {
		t.Errorf("cancel: %d\n%s%s", code, stdout, stderr)
	}
	c.until("the queue to be empty", func() bool { return c.command("squeue", "--noheader") == "" })
	untouched(t, out, before)
	t.Logf("%d of %d runs were done when all was cancelled", len(finished(t, out)), sweepRuns)

	before = finished(t, out)
	submit("--tasks", "2", "--cpus", "1", "--chunk", "1h", "--again")
	c.until("all to be collected", func() bool {
		_, err := os.Stat(filepath.Join(out, "sweep.csv"))
		return err == nil && c.command("squeue", "--noheader") == ""
	})
	untouched(t, out, before)
	if code, stdout, _ := run("sweep", "status", out); code != 0 || !strings.Contains(stdout, fmt.Sprintf("0 planned, 0 running, 0 interrupted, %d done, 0 diverged, %d failed", sweepRuns, sweepFailed)) {
		t.Errorf("status at the end: %d\n%s", code, stdout)
	}
	plain := filepath.Join(dir, "plain")
	if code, _, stderr := run("sweep", "run", spec, "--out", plain, "--quiet"); code != 1 {
		t.Fatal(code, stderr)
	}
	if !cmp.Equal(measured(t, plain), measured(t, out)) {
		t.Error("the results differ from those of one process")
	}
}
