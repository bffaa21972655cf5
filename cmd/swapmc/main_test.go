package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"swapmc/internal/kernel"
)

// asProgram makes this test's binary behave as swapmc itself, so that tests can
// start and kill it.
const asProgram = "SWAPMC_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// run runs a command line in this process.
func run(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = execute(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

// program returns a command line as a process of its own.
func program(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	return cmd, &output
}

// tiny are the flags of a run of milliseconds.
func tiny(out string, more ...string) []string {
	return append([]string{
		"--out", out, "--train", "96", "--test", "32", "--network", "linear 10", "--batch", "8",
		"--lr", "0.02", "--iterations", "30", "--eval-every", "5", "--eval-train", "32", "--eval-test", "32",
	}, more...)
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	folder := func(name, text string) string {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		return file(name, text)
	}
	blocked := filepath.Join(file("blocked", ""), "below")
	for _, test := range []struct {
		code int
		want string // in stderr; in stdout where code is 0
		args []string
	}{
		{2, "is a sweep: swapmc sweep run", []string{"compare", file("sweep.yaml", "network: mlp\nsweep:\n  seeds: 3\n")}},
		{0, "swapmc compare", nil},
		{0, "Usage", []string{"--help"}},
		{0, "kernel", []string{"version"}},
		{0, "features:1SA", []string{"protocols"}},
		{2, `unknown command "comparr" (did you mean compare?)`, []string{"comparr"}},
		{2, "unknown flag --lrr (did you mean --lr?)", []string{"train", "--lrr", "3"}},
		{2, "unknown flag --temprature (did you mean --temperature?)", []string{"glass", "--temprature", "3"}},
		{2, `--lr: "much": want a number (see swapmc train --help)`, []string{"train", "--lr", "much"}},
		{2, `--batch: "1e3": want a whole number (`, []string{"train", "--batch", "1e3"}},
		{2, `--seed: "-1": want a whole number, 0 or more`, []string{"train", "--seed", "-1"}},
		{2, `--protocol: weight:1SS: unknown target "weight" (did you mean weights?)`, []string{"train", "--protocol", "weight:1SS"}},
		{0, "kernel", []string{"--version"}},
		{2, "empty: want keys", []string{"compare", file("empty.yaml", "\n")}},
		{2, "2 alternatives, of which a run can have one", []string{"train", file("two.yaml", "protocols: [biases:1S, features:1SA]")}},
		{2, "no such folder", []string{"report", filepath.Join(dir, "absent")}},
		{2, "no such folder", []string{"serve", filepath.Join(dir, "absent")}},
		{2, "no such folder", []string{"export", filepath.Join(dir, "absent"), "--csv", "-"}},
		{2, "no such folder", []string{"sweep", "status", filepath.Join(dir, "absent")}},
		{2, "no file or folder", []string{"show", filepath.Join(dir, "absent")}},
		{2, `unknown data set "mnist"`, []string{"data", "fetch", "mnist"}},
		{2, "holds results of glasses", append([]string{"compare"}, tiny(filepath.Dir(folder("glass/spec.yaml", "system: glass")))...)},
		{2, "holds results of glasses", append([]string{"train"}, tiny(filepath.Join(dir, "glass"))...)},
		{2, "holds results of networks", tinyGlass(filepath.Dir(folder("net/spec.yaml", "system: network")))},
		{2, "holds results of a sweep", append([]string{"compare"}, tiny(filepath.Dir(folder("sw/spec.yaml", "system: network\nsweep:\n  budget: {runs: 3}\n")))...)},
		{2, "--seed and --seeds: want one of them", tinyGlass(filepath.Join(dir, "g"), "--seed", "3", "--seeds", "2")},
		{2, "'X' at 2: want 1, S or A", []string{"train", "--protocol", "features:1XA"}},
		{2, "'X' at 2: want 1, S or A", []string{"show", "features:1XA"}},
		{2, "accepts at most 1 arg", []string{"train", "a", "b"}},
		{2, "batch: 0: want at least one image", []string{"train", "--batch", "0"}},
		{2, "no spec file", []string{"compare", filepath.Join(dir, "absent.yaml")}},
		{2, `unknown key "netwrok" (did you mean network?)`, []string{"compare", file("bad.yaml", "netwrok: lenet")}},
		{2, "late.yaml:5: protocols[1]: weights:SSA", []string{"compare", file("late.yaml", "network: linear 10\ndata: {train: 96, test: 32}\nprotocols:\n- biases:1S\n- weights:SSA\n")}},
		{2, "swapmc: protocols[0]: weights:SAA", []string{"compare", file("flag.yaml", "network: linear 10\ndata: {train: 96, test: 32}\nprotocols: [biases:1S]\n"), "--protocol", "weights:SAA"}},
		{2, `unknown data set "synht" (did you mean synth?)`, []string{"compare", "--data", "synht"}},
		{2, "seeds", []string{"compare", "--seeds", "0"}},
		{2, `unknown target "weight" (did you mean weights?)`, []string{"protocols", "weight"}},
		{2, "weights:SSA", append([]string{"compare"}, tiny(filepath.Join(dir, "b"), "--protocol", "weights:SSA")...)},
		{2, "is given twice", append([]string{"compare"}, tiny(filepath.Join(dir, "b"), "--protocol", "biases:1S", "--protocol", "biases:1S")...)},
		{1, "blocked", append([]string{"train"}, tiny(blocked)...)},
		{1, "diverged", append([]string{"train"}, tiny(filepath.Join(dir, "c"), "--lr", "1e30", "--loss", "mean-squared")...)},
	} {
		code, stdout, stderr := run(test.args...)
		text := stdout
		if test.code != 0 {
			text = stderr
			lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
			if last := lines[len(lines)-1]; !strings.HasPrefix(last, "swapmc: ") {
				t.Errorf("%q: last line %q, want swapmc: ...", test.args, last)
			}
			if test.code == 2 && len(lines) != 1 {
				t.Errorf("%q: %d lines, want one:\n%s", test.args, len(lines), stderr)
			}
		}
		if code != test.code || len(test.args) > 0 && !strings.Contains(text, test.want) {
			t.Errorf("%q: exit %d, want %d with %q:\n%s%s", test.args, code, test.code, test.want, stdout, stderr)
		}
	}
}

func TestProtocolsJSON(t *testing.T) {
	code, stdout, stderr := run("protocols", "--json")
	if code != 0 {
		t.Fatal(stderr)
	}
	var list []map[string]string
	if err := json.Unmarshal([]byte(stdout), &list); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, l := range list {
		count[l["target"]]++
		if l["description"] == "" || l["protocol"] != l["target"]+":"+l["code"] {
			t.Errorf("%v", l)
		}
	}
	// 3^d - 2^d codes for d axes.
	for target, want := range map[string]int{"features": 19, "weights": 19, "biases": 5, "params": 5, "diameters": 1, "lengths": 1} {
		if count[target] != want {
			t.Errorf("%s: %d codes, want %d", target, count[target], want)
		}
	}
}

func TestSpecFileAndFlags(t *testing.T) {
	dir := t.TempDir()
	spec := filepath.Join(dir, "mine.yaml")
	if err := os.WriteFile(spec, []byte("network: linear 10\ndata: {train: 96, test: 32}\nbatch: 8\niterations: 20\neval: {every: 5, train: 32, test: 32}\nprotocols: [biases:1S]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	code, stdout, stderr := run("train", spec, "--iterations", "10", "--seed", "7", "--quiet")
	if code != 0 {
		t.Fatal(stderr)
	}
	text, err := os.ReadFile("results/mine/spec.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"name: mine", "iterations: 10\n", "batch: 8\n", "version: ", "- biases:1S\n", "- 7\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	// The results folder is a spec as well, of the run that is there.
	code, again, stderr := run("train", "results/mine")
	if code != 0 || again != stdout || !strings.Contains(stderr, "there already") {
		t.Errorf("exit %d, %q, %q", code, again, stderr)
	}
}

// weights returns the final weights in a results folder of one run.
func weights(t *testing.T, out string) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(out, "runs", "*", "weights.safetensors"))
	if err != nil || len(files) != 1 {
		t.Fatalf("weights %v, %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var longRun = []string{
	"--iterations", "3000", "--checkpoint-every", "25", "--eval-every", "100", "--momentum", "0.5",
	"--protocol", "weights:1SS each n=all guide=momentum window=0.05 accept=greedy every=3",
	"--protocol", "features:1SA",
}

// TestKillAndResume kills the process at random points until it has got through,
// and compares its weights with those of a process that was left alone.
func TestKillAndResume(t *testing.T) {
	dir := t.TempDir()
	alone, killed := filepath.Join(dir, "alone"), filepath.Join(dir, "killed")
	if code, _, stderr := run(append([]string{"train", "--quiet"}, tiny(alone, longRun...)...)...); code != 0 {
		t.Fatal(stderr)
	}
	random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	kills := 0
	for {
		cmd, output := program(t, append([]string{"train", "--resume"}, tiny(killed, longRun...)...)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		exited := make(chan error, 1)
		go func() { exited <- cmd.Wait() }()
		if kills < 6 {
			// Let it come to one more checkpoint, so that it gets through at last.
			waitForCheckpoint(killed, exited)
			time.Sleep(time.Duration(random.Int64N(int64(15 * time.Millisecond))))
			cmd.Process.Kill()
		}
		err := <-exited
		if err == nil {
			break
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() >= 0 {
			t.Fatalf("%v after %d kills:\n%s", err, kills, output)
		}
		kills++
	}
	if kills == 0 {
		t.Fatal("was never killed")
	}
	if !bytes.Equal(weights(t, alone), weights(t, killed)) {
		t.Errorf("after %d kills the weights differ", kills)
	}
}

// waitForCheckpoint returns when a checkpoint is replaced, or the process ends.
func waitForCheckpoint(out string, exited chan error) {
	pattern := filepath.Join(out, "runs", "*", "checkpoint.safetensors")
	stamp := func() (s string) {
		files, _ := filepath.Glob(pattern)
		for _, f := range files {
			if info, err := os.Stat(f); err == nil {
				s += info.ModTime().String()
			}
		}
		return s
	}
	for before := stamp(); ; time.Sleep(time.Millisecond) {
		if now := stamp(); now != before && now != "" {
			return
		}
		select {
		case err := <-exited:
			exited <- err
			return
		default:
		}
	}
}

func TestInterruptAndResume(t *testing.T) {
	dir := t.TempDir()
	alone, stopped := filepath.Join(dir, "alone"), filepath.Join(dir, "stopped")
	if code, _, stderr := run(append([]string{"train", "--quiet"}, tiny(alone, longRun...)...)...); code != 0 {
		t.Fatal(stderr)
	}
	args := append([]string{"train"}, tiny(stopped, longRun...)...)
	cmd, output := program(t, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	waitForCheckpoint(stopped, exited)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-exited
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(output.String(), "swapmc: stopped; to continue: swapmc train ") {
		t.Fatalf("exit %d:\n%s", code, output)
	}
	// Without --resume it says how to go on.
	if code, _, stderr := run(args...); code != exitFailure || !strings.Contains(stderr, "--resume") {
		t.Errorf("exit %d:\n%s", code, stderr)
	}
	if code, _, stderr := run(append(args, "--resume", "--quiet", "--threads", "2")...); code != 0 {
		t.Fatal(stderr)
	}
	if !bytes.Equal(weights(t, alone), weights(t, stopped)) {
		t.Error("the weights differ")
	}
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"--lr": "--lr", "0.1": "0.1", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "p=0.5": "p=0.5", "$x": "'$x'", "-": "-",
	} {
		if got := quote(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}

func TestCompareEndToEnd(t *testing.T) {
	out := filepath.Join(t.TempDir(), "mine")
	args := append([]string{"compare"}, tiny(out, "--seeds", "3", "--protocol", "features:1SA", "--protocol", "weights:1SS n=3 + biases:1S", "--name", "mine")...)
	code, stdout, stderr := run(args...)
	if code != 0 {
		t.Fatal(stderr)
	}
	if last := filepath.Join(out, "figure.png") + "\n"; !strings.HasSuffix(stdout, last) {
		t.Errorf("does not end with the path of the figure:\n%s", stdout)
	}
	if n := strings.Count(stderr, ": 30 iterations in "); n != 9 {
		t.Errorf("%d runs shown, want 9:\n%s", n, stderr)
	}
	text, err := os.ReadFile(filepath.Join(out, "compare.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Name, Version, Baseline string
		Protocols               []struct {
			Text, Verdict string
			Targets       []struct {
				Target           float64
				Seeds            int
				Iterations, Time map[string]any
			}
		}
	}
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	if c.Name != "mine" || c.Version == "" || c.Baseline != "none" || len(c.Protocols) != 2 ||
		c.Protocols[1].Text != "weights:1SS n=3 + biases:1S" || len(c.Protocols[0].Targets) == 0 || c.Protocols[0].Targets[0].Seeds != 3 {
		t.Errorf("%s", text)
	}
	for _, name := range []string{"compare.csv", "figure.svg", "figure.png", "spec.yaml"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The folder alone is enough to come to the same answer, without a run.
	code, again, stderr := run("compare", out)
	if code != 0 || again != stdout || !strings.Contains(stderr, "all 9 runs are there already") {
		t.Errorf("exit %d\n%s%s", code, again, stderr)
	}
}

// The command that the page gives for a run makes that run again: the same ID.
func TestReportCommands(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	out := filepath.Join(dir, "results")
	precision := "bf16"
	if kernel.BFloats() != nil {
		precision = "float32"
	}
	code, _, stderr := run(append([]string{"compare", "--quiet", "--seeds", "1", "--protocol", "biases:1S p=0.5 + weights:1SA every=5",
		"--precision", precision, "--optimizer", "sgd", "--momentum", "0.9", "--nesterov", "--sign", "0.001", "--schedule", "step", "--step-every", "10", "--step-gamma", "0.5"}, tiny(out)...)...)
	if code != 0 {
		t.Fatal(stderr)
	}
	again := filepath.Join(dir, "glass")
	if code, _, stderr = run("glass", "--quiet", "--particles", "80", "--sweeps", "30", "--equilibrate", "10", "--protocol", "diameters:S p=0.2", "--seeds", "7,", "--out", again); code != 0 {
		t.Fatal(stderr)
	}
	ladder := filepath.Join(dir, "ladder")
	if code, _, stderr = run("glass", "--quiet", "--particles", "80", "--temperature", "0.3,0.35", "--tempering", "5", "--inherent", "1", "--structure", "3", "--k", "6", "--overlap", "0.2", "--origins", "5",
		"--sizes", "power 0.5 2", "--trajectory", "linear", "--frames", "3", "--sweeps", "30", "--equilibrate", "10", "--out", ladder); code != 0 {
		t.Fatal(stderr)
	}
	for _, folder := range []string{out, again, ladder} {
		code, stdout, stderr := run("report", folder)
		if code != 0 || !strings.Contains(stdout, "report.html") {
			t.Fatalf("exit %d: %s%s", code, stdout, stderr)
		}
		m, err := openModel(folder)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		for _, r := range m.Runs {
			fresh := filepath.Join(dir, "fresh-"+r.ID)
			words, err := exec.Command("sh", "-c", "for w in "+strings.TrimPrefix(r.Command(), "swapmc ")+`; do printf '%s\n' "$w"; done`).Output()
			if err != nil {
				t.Skip("no shell: ", err)
			}
			args := append(strings.Split(strings.TrimSuffix(string(words), "\n"), "\n"), "--quiet", "--out", fresh)
			if code, _, stderr := run(args...); code != 0 {
				t.Fatalf("%s: exit %d: %s", r.Command(), code, stderr)
			}
			if _, err := os.Stat(filepath.Join(fresh, "runs", r.ID, "run.json")); err != nil {
				t.Errorf("%s: made another run: %v", r.Command(), err)
			}
		}
	}
	for _, test := range []struct {
		code int
		want string
		args []string
	}{
		{2, "accepts 1 arg", []string{"report"}},
		{1, "no results folder", []string{"report", dir}},
		{2, "--anywhere", []string{"serve", out, "--address", "0.0.0.0:0"}},
		{1, "no results folder", []string{"serve", dir}},
	} {
		if code, _, stderr := run(test.args...); code != test.code || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: exit %d: %s", test.args, code, stderr)
		}
	}
}
