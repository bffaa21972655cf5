package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swapmc/internal/lab"
	"swapmc/internal/report"
	"swapmc/internal/sweep"
	"swapmc/speedup"
)

func sweepCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sweep",
		Short: "Vary anything in a comparison, on one machine or a cluster",
		Long: `A sweep is the spec of a comparison with a block "sweep:" that lists what is varied:
networks, learning rates, batch sizes, strengths of protocols. Its runs share one
results folder; any number of processes and machines may work on it, each run is
made once, and any process may be killed at any time.`,
		Example: `  swapmc sweep plan examples/sweep-strength.yaml
  swapmc sweep run examples/sweep-strength.yaml
  swapmc sweep submit --slurm --partition cpu --cpus 8 --time 4:00:00 examples/sweep-10k.yaml
  swapmc sweep status results/sweep-10k`,
		SuggestionsMinimumDistance: 2,

		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(sweepPlanCommand(), sweepRunCommand(), sweepSubmitCommand(), sweepStatusCommand(), sweepCancelCommand(), sweepCollectCommand())
	return cmd
}

// readSweep reads a sweep from a file or a results folder, and says where its
// results lie.
func readSweep(path, out string) (*sweep.Spec, string, error) {
	base := lab.Default()
	base.Protocols = nil
	file := path
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		file = filepath.Join(path, "spec.yaml")
		base.Name = filepath.Base(filepath.Clean(path))
		if out == "" {
			out = path
		}
	} else {
		base.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	s, err := sweep.ReadFile(file, base)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", &usageError{fmt.Errorf("no spec file %s", file)}
	case err != nil && system(file) == "glass":
		return nil, "", &usageError{fmt.Errorf("%s: a sweep is of networks: swapmc glass takes lists of temperatures and seeds, and --shard", file)}
	case err != nil:
		return nil, "", &usageError{err}
	}
	if out == "" {
		out = filepath.Join("results", s.Base.Name)
	}
	return s, out, nil
}

// planSweep reads a sweep and plans it.
func planSweep(path, out string) (*sweep.Plan, string, error) {
	s, out, err := readSweep(path, out)
	if err != nil {
		return nil, "", err
	}
	p, err := sweep.NewPlan(s)
	return p, out, err
}

func sweepPlanCommand() *cobra.Command {
	var out string
	var noCalibration bool
	cmd := &cobra.Command{
		Use:   "plan SPEC.yaml | RESULTS-FOLDER",
		Short: "Show the runs of a sweep, their time and their disk space, before anything starts",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, out, err := planSweep(args[0], out)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			remaining, err := describe(w, p, out)
			if err != nil {
				return err
			}
			survey := p.Survey()
			describeSurvey(w, p, survey, out)
			if noCalibration {
				fmt.Fprintln(w, "time: not estimated (--no-calibration)")
				return nil
			}
			core, err := estimate(cmd, p, survey, remaining)
			if err != nil {
				return err
			}
			cores := float64(runtime.GOMAXPROCS(0))
			fmt.Fprintf(w, "time: %s of one core, about %s on this machine's %.0f\n", about(core), about(core/min(cores, float64(max(1, len(remaining))))), cores)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "results `folder` (default results/NAME)")
	cmd.Flags().BoolVar(&noCalibration, "no-calibration", false, "do not measure how long iterations take")
	return cmd
}

// describe prints what a plan multiplies, and returns the runs that remain.
func describe(w io.Writer, p *sweep.Plan, out string) ([]*lab.Run, error) {
	s := p.Spec
	cells := "one cell"
	if len(p.Cells) != 1 {
		cells = fmt.Sprintf("%d cells", len(p.Cells))
	}
	fmt.Fprintf(w, "%s: %d runs in %s, each with %d protocols and the baseline on %d seeds\n", s.Base.Name, len(p.Runs), cells, len(s.Arms())-1, len(s.Base.Seeds))
	var keys []string
	texts := map[string][]string{}
	for _, c := range p.Cells {
		for _, v := range c.Values {
			if !slices.Contains(keys, v.Key) {
				keys = append(keys, v.Key)
			}
			if !slices.Contains(texts[v.Key], v.Text) {
				texts[v.Key] = append(texts[v.Key], v.Text)
			}
		}
	}
	for _, key := range keys {
		fmt.Fprintf(w, "  %s: %s\n", key, short(strings.Join(texts[key], "; "), 100))
	}
	var arms []string
	for _, a := range s.Arms()[1:] {
		arms = append(arms, a.String())
	}
	if len(arms) > 0 {
		fmt.Fprintf(w, "  protocols: %s\n", short(strings.Join(arms, "; "), 160))
	}
	if s.Tuned() {
		var over []string
		for _, a := range s.Block.Tune.Over {
			over = append(over, a.Key)
		}
		fmt.Fprintf(w, "  tuning: %s, %d trials for the baseline as for every protocol, chosen on seeds %s\n",
			strings.Join(over, ", "), len(p.Cells[0].Trials), join(s.Block.Tune.Seeds, ", "))
	}
	if _, err := os.Stat(filepath.Join(out, "runs")); err != nil {
		return p.Runs, nil
	}
	folder, err := lab.OpenFolder(out)
	if err != nil {
		return nil, err
	}
	status, err := p.Status(folder)
	if err != nil {
		return nil, err
	}
	remaining := map[string]bool{}
	for _, l := range status.Remaining {
		remaining[l.ID] = true
	}
	var runs []*lab.Run
	for _, r := range p.Runs {
		if remaining[r.ID] {
			runs = append(runs, r)
		}
	}
	if n := len(p.Runs) - len(runs); n > 0 {
		fmt.Fprintf(w, "there already: %d runs in %s\n", n, out)
	}
	return runs, nil
}

// describeSurvey prints what cannot run, and the space that all takes.
func describeSurvey(w io.Writer, p *sweep.Plan, survey sweep.Survey, out string) {
	var reasons []string
	for reason := range survey.Impossible {
		reasons = append(reasons, reason)
	}
	slices.Sort(reasons)
	for _, reason := range reasons {
		fmt.Fprintf(w, "impossible: %d runs, which will be recorded as failed: %s\n", len(survey.Impossible[reason]), reason)
	}
	bytes, files := p.Disk(survey)
	fmt.Fprintf(w, "disk: %s in %d files", size(bytes), files)
	if free, ok := freeSpace(out); ok {
		fmt.Fprintf(w, ", %s free", size(free))
		if free < bytes {
			fmt.Fprint(w, ": not enough")
			if p.Spec.Block.Weights {
				fmt.Fprint(w, " (sweep.weights: false keeps no final weights)")
			}
		}
	}
	fmt.Fprintln(w)
}

// estimate measures iterations and returns the seconds of one core that runs take.
func estimate(cmd *cobra.Command, p *sweep.Plan, survey sweep.Survey, runs []*lab.Run) (float64, error) {
	show := func(int, int) {}
	if _, terminal := terminalHeight(cmd.ErrOrStderr()); terminal {
		show = func(done, total int) {
			fmt.Fprintf(cmd.ErrOrStderr(), "\rcalibration: %d of %d\x1b[K", done, total)
			if done == total {
				fmt.Fprint(cmd.ErrOrStderr(), "\r\x1b[K")
			}
		}
	}
	clock, err := p.Calibrate(cmd.Context(), survey, show)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, r := range runs {
		sum += clock.Time(r)
	}
	return sum, nil
}

func about(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < 100*time.Hour:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}

func size(bytes float64) string {
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if bytes < 1000 {
			return fmt.Sprintf("%.3g %s", bytes, unit)
		}
		bytes /= 1000
	}
	return fmt.Sprintf("%.3g TB", bytes)
}

func sweepRunCommand() *cobra.Command {
	var out, shard string
	var quiet bool
	var parallel int
	cmd := &cobra.Command{
		Use:   "run SPEC.yaml | RESULTS-FOLDER",
		Short: "Make the runs of a sweep, or one part of them",
		Long: `Make all runs of a sweep that are not finished, on all cores, and compare. Ctrl-C or
a kill saves or loses nothing that is finished; the same command continues. Several
processes may work on one folder: each run is made by one of them.

With --shard i/n, or as a task of a scheduler's array job (Slurm, Grid Engine, LSF,
PBS), only that part of the runs is made; swapmc sweep collect compares when all are
done. --shard /n takes i from the scheduler and n from you.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			part, sharded, err := sweep.ParsePart(shard, os.Getenv)
			if err != nil {
				return &usageError{err}
			}
			p, out, err := planSweep(args[0], out)
			if err != nil {
				return err
			}
			if err := free(out, "sweep"); err != nil {
				return err
			}
			folder, err := lab.OpenFolder(out)
			if err != nil {
				return err
			}
			if err := p.Save(folder, lab.Version()); err != nil {
				return err
			}
			plan := p.Shard(1, 1)
			if sharded {
				plan = p.Shard(part.I, part.N)
				fmt.Fprintf(cmd.ErrOrStderr(), "shard %s\n", part)
			}
			again := []string{"swapmc", "sweep", "run", quote(out)}
			if shard != "" {
				again = append(again, "--shard", quote(shard))
			}
			if cmd.Flags().Changed("parallel") {
				p.Spec.Base.Parallel = parallel
			}
			if err := runSweep(cmd, p, folder, plan, quiet, strings.Join(again, " ")); err != nil {
				return err
			}
			if sharded {
				if err := failures(folder, p, plan); err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "shard %d/%d is done; when all are: swapmc sweep collect %s\n", part.I, part.N, quote(out))
				return err
			}
			if err := concludeSweep(cmd.OutOrStdout(), p, folder); err != nil {
				return err
			}
			return failures(folder, p, plan)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "results `folder` (default results/NAME)")
	cmd.Flags().StringVar(&shard, "shard", "", "make part `i/n` of the runs; /n takes i from a scheduler's variable")
	cmd.Flags().IntVar(&parallel, "parallel", 0, "runs at once, 0: as many as cores suffice for")
	cmd.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	return cmd
}

func runSweep(cmd *cobra.Command, p *sweep.Plan, folder *lab.Folder, plan []lab.Group, quiet bool, again string) error {
	base := &p.Spec.Base
	show := newDisplay(cmd.ErrOrStderr(), plan, quiet)
	l := &lab.Lab{
		Folder:     folder,
		Version:    lab.Version(),
		Checkpoint: base.Checkpoint.Every,
		Parallel:   base.Parallel,
		NoWeights:  !p.Spec.Block.Weights,
		Report:     show.report,
	}
	err := l.Run(cmd.Context(), plan)
	show.close()
	if err != nil && cmd.Context().Err() != nil && errors.Is(err, context.Cause(cmd.Context())) {
		return &stoppedError{again}
	}
	return err
}

// failures returns an error where runs of a plan have failed.
func failures(folder *lab.Folder, p *sweep.Plan, plan []lab.Group) error {
	var ids []string
	for _, g := range plan {
		for _, r := range g {
			ids = append(ids, r.ID)
		}
	}
	states, err := folder.States(ids)
	if err != nil {
		return err
	}
	failed, reason := 0, ""
	for _, s := range states {
		if s.Status == lab.Failed {
			failed++
			reason = s.Reason
		}
	}
	if failed == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d runs failed, the last one because: %s (all: swapmc sweep status %s)", failed, len(ids), reason, quote(folder.Path()))
}

func sweepCollectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "collect RESULTS-FOLDER",
		Short: "Compare the protocols in every cell of a sweep whose runs have ended",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, out, err := planSweep(args[0], "")
			if err != nil {
				return err
			}
			folder, err := lab.OpenFolder(out)
			if err != nil {
				return err
			}
			return concludeSweep(cmd.OutOrStdout(), p, folder)
		},
	}
}

// concludeSweep writes and prints the comparisons of a sweep.
func concludeSweep(w io.Writer, p *sweep.Plan, folder *lab.Folder) error {
	res, err := p.Collect(folder, lab.Version())
	if err != nil {
		return err
	}
	switch {
	case len(p.Cells) == 1:
		for i := range res.Compared {
			r := &res.Compared[i]
			switch r.Tuning {
			case sweep.Own:
				fmt.Fprintln(w, "Each protocol at its own best:")
			case sweep.Shared:
				fmt.Fprintln(w, "\nAll at the baseline's best:")
			}
			if err := report.Table(w, &r.Lab.Comparison); err != nil {
				return err
			}
		}
	case len(res.Compared) > 0:
		tally(w, res)
	}
	for i, note := range res.Notes {
		if i == 20 {
			fmt.Fprintf(w, "and %d more notes.\n", len(res.Notes)-i)
			break
		}
		fmt.Fprintf(w, "Note: %s.\n", note)
	}
	for i, text := range res.Pending {
		if i == 20 {
			fmt.Fprintf(w, "and %d more cells that are not finished\n", len(res.Pending)-i)
			break
		}
		fmt.Fprintf(w, "not finished: %s\n", text)
	}
	if len(res.Compared) > 0 {
		fmt.Fprintf(w, "\nAll comparisons: %s\n", folder.Path("sweep.csv"))
	}
	_, err = fmt.Fprintf(w, "All results: %s\n", folder.Path())
	return err
}

// tally counts the verdicts on each protocol over the cells.
func tally(w io.Writer, res *sweep.Results) {
	type counts map[speedup.Verdict]int
	protocols := map[string]map[string]counts{}
	var tunings, texts []string
	for i := range res.Compared {
		r := &res.Compared[i]
		if protocols[r.Tuning] == nil {
			protocols[r.Tuning] = map[string]counts{}
			tunings = append(tunings, r.Tuning)
		}
		for _, q := range r.Lab.Comparison.Protocols {
			c := protocols[r.Tuning][q.Text]
			if c == nil {
				c = counts{}
				protocols[r.Tuning][q.Text] = c
			}
			if !slices.Contains(texts, q.Text) {
				texts = append(texts, q.Text)
			}
			c[q.Verdict]++
		}
	}
	for _, tuning := range tunings {
		switch tuning {
		case sweep.Own:
			fmt.Fprintln(w, "Each protocol at its own best, number of cells by verdict:")
		case sweep.Shared:
			fmt.Fprintln(w, "\nAll at the baseline's best, number of cells by verdict:")
		default:
			fmt.Fprintln(w, "Number of cells by verdict:")
		}
		for _, text := range texts {
			c := protocols[tuning][text]
			var parts []string
			var verdicts []string
			for v := range c {
				verdicts = append(verdicts, string(v))
			}
			slices.Sort(verdicts)
			for _, v := range verdicts {
				parts = append(parts, fmt.Sprintf("%s %d", v, c[speedup.Verdict(v)]))
			}
			fmt.Fprintf(w, "  %s: %s\n", text, strings.Join(parts, ", "))
		}
	}
}

func sweepStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status RESULTS-FOLDER",
		Short: "Show how far a sweep has come, and why runs failed",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := there(args[0]); err != nil {
				return err
			}
			list, err := sweep.ReadList(args[0])
			if err != nil {
				return err
			}
			folder, err := lab.OpenFolder(args[0])
			if err != nil {
				return err
			}
			s, err := sweep.ReadStatus(folder, list)
			if err != nil {
				return err
			}
			writeStatus(cmd.OutOrStdout(), s)
			return writeJobs(cmd.Context(), cmd.OutOrStdout(), folder)
		},
	}
}

func writeStatus(w io.Writer, s *sweep.Status) {
	fmt.Fprintf(w, "%d runs: %d planned, %d running, %d interrupted, %d done, %d diverged, %d failed; %s of training\n",
		s.Total(), s.Planned, s.Running, s.Interrupted, s.Done, s.Diverged, s.Failed, about(s.Seconds))
	for i, r := range s.Now {
		if i == 40 {
			fmt.Fprintf(w, "  and %d more\n", len(s.Now)-i)
			break
		}
		fmt.Fprintf(w, "running: %s: %s, saved at iteration %d of %d, by %s\n", r.ID, r.Name, r.Iteration, r.Iterations, r.Holder)
	}
	for _, reason := range s.Reasons {
		fmt.Fprintf(w, "failed: %d runs, such as %s (%s): %s\n", len(reason.Runs), reason.Runs[0].ID, reason.Runs[0].Name, reason.Text)
	}
}

// writeJobs prints what Slurm says of the jobs of a folder, where there are any.
func writeJobs(ctx context.Context, w io.Writer, folder *lab.Folder) error {
	sent, err := sweep.Submissions(folder)
	if err != nil || len(sent) == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	jobs, err := sweep.Jobs(ctx, sent)
	if err != nil {
		fmt.Fprintf(w, "slurm: cannot be asked: %v\n", err) // the runs are known all the same
		return nil
	}
	if len(jobs) == 0 {
		fmt.Fprintln(w, "slurm: no job of this sweep is in the queue")
	}
	for _, j := range jobs {
		var parts []string
		for _, t := range j.Tasks {
			text := fmt.Sprintf("%d %s", t.Count, strings.ToLower(t.State))
			if t.Reason != "" {
				text += " (" + t.Reason + ")"
			}
			parts = append(parts, text)
		}
		fmt.Fprintf(w, "slurm job %d, which %s: %s\n", j.Number, map[string]string{"runs": "makes runs", "collects": "collects"}[j.What], strings.Join(parts, ", "))
	}
	return nil
}

func sweepSubmitCommand() *cobra.Command {
	var out string
	var useSlurm, again, noCalibration bool
	var given sweep.Slurm
	cmd := &cobra.Command{
		Use:   "submit --slurm SPEC.yaml | RESULTS-FOLDER",
		Short: "Send a sweep to a cluster as an array job",
		Long: `Write and submit a Slurm array job that makes all runs that are not finished, and a
job that collects when it is over. Short runs are put together to tasks of about
--chunk; a calibration on this machine says how long they take. A task that is
preempted or comes near its time limit saves its runs and is queued again. The
scripts and the tasks' output lie in RESULTS-FOLDER/slurm. Flags override sweep.slurm
in the spec.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !useSlurm {
				return &usageError{errors.New("to what? want --slurm (for other schedulers: swapmc sweep run --shard)")}
			}
			p, out, err := planSweep(args[0], out)
			if err != nil {
				return err
			}
			o := p.Spec.Block.Slurm
			for name, set := range map[string]func(){
				"partition": func() { o.Partition = given.Partition },
				"account":   func() { o.Account = given.Account },
				"time":      func() { o.Time = given.Time },
				"memory":    func() { o.Memory = given.Memory },
				"cpus":      func() { o.CPUs = given.CPUs },
				"tasks":     func() { o.Tasks = given.Tasks },
				"chunk":     func() { o.Chunk = given.Chunk },
				"at-once":   func() { o.AtOnce = given.AtOnce },
				"option":    func() { o.Options = append(o.Options, given.Options...) },
			} {
				if cmd.Flags().Changed(name) {
					set()
				}
			}
			return submit(cmd, p, out, o, again, noCalibration)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&useSlurm, "slurm", false, "send it to Slurm")
	f.StringVar(&out, "out", "", "results `folder` (default results/NAME), which all machines must see")
	f.StringVar(&given.Partition, "partition", "", "Slurm's partition")
	f.StringVar(&given.Account, "account", "", "Slurm's account")
	f.StringVar(&given.Time, "time", "", "time limit of a task, such as 4:00:00")
	f.StringVar(&given.Memory, "memory", "", "memory of a task, such as 8G")
	f.IntVar(&given.CPUs, "cpus", 0, "cores of a task, which makes as many runs at once (default 1)")
	f.IntVar(&given.Tasks, "tasks", 0, "number of tasks (default: as many as chunk gives)")
	f.StringVar(&given.Chunk, "chunk", "", "work of a task (default 30m)")
	f.IntVar(&given.AtOnce, "at-once", 0, "tasks running at a time (default: no limit)")
	f.StringArrayVar(&given.Options, "option", nil, "further option of sbatch, such as --option=--qos=low (repeatable)")
	f.BoolVar(&noCalibration, "no-calibration", false, "do not measure how long iterations take: one task a run, unless --tasks says otherwise")
	f.BoolVar(&again, "again", false, "submit although a job of this sweep is still in the queue")
	return cmd
}

func submit(cmd *cobra.Command, p *sweep.Plan, out string, o sweep.Slurm, again, noCalibration bool) error {
	w := cmd.OutOrStdout()
	remaining, err := describe(w, p, out)
	if err != nil {
		return err
	}
	if len(remaining) == 0 {
		return fmt.Errorf("%s: nothing is left to run: swapmc sweep collect %s", out, quote(out))
	}
	if err := free(out, "sweep"); err != nil {
		return err
	}
	folder, err := lab.OpenFolder(out)
	if err != nil {
		return err
	}
	sent, err := sweep.Submissions(folder)
	if err != nil {
		return err
	}
	jobs, err := sweep.Jobs(cmd.Context(), sent)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if !j.Over() && !again {
			return fmt.Errorf("job %d of this sweep is still in the queue: cancel it (swapmc sweep cancel %s), or add --again", j.Number, quote(out))
		}
	}
	survey := p.Survey()
	describeSurvey(w, p, survey, out)
	core := 0.0
	if !noCalibration && o.Tasks == 0 {
		if core, err = estimate(cmd, p, survey, remaining); err != nil {
			return err
		}
		fmt.Fprintf(w, "time: %s of one core\n", about(core))
	}
	if err := p.Save(folder, lab.Version()); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	absolute, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	s, err := p.Submit(cmd.Context(), folder, o, program, absolute, core, len(remaining))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "job %d: %d tasks (%s); job %d collects afterwards\nhow far it is: swapmc sweep status %s\n", s.Array, s.Tasks, s.Script, s.Collect, quote(out))
	return err
}

func sweepCancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel RESULTS-FOLDER",
		Short: "Take the jobs of a sweep out of Slurm's queue; running tasks save first",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := sweep.ReadList(args[0]); err != nil {
				return err
			}
			folder, err := lab.OpenFolder(args[0])
			if err != nil {
				return err
			}
			cancelled, err := sweep.Cancel(cmd.Context(), folder)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if len(cancelled) == 0 {
				_, err = fmt.Fprintln(w, "no job of this sweep is in the queue")
				return err
			}
			_, err = fmt.Fprintf(w, "cancelled: job %s; what is finished stays, and swapmc sweep submit or run continues\n", join(cancelled, ", "))
			return err
		},
	}
}
