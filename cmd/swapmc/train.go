package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swapmc/internal/lab"
	"swapmc/internal/results"
)

func trainCommand() *cobra.Command {
	var flags *specFlags
	var seed uint64
	var threads int
	var resume, quiet bool
	cmd := &cobra.Command{
		Use:   "train [SPEC.yaml | RESULTS-FOLDER]",
		Short: "Train one network under any number of protocols",
		Long: `Train one network. Every --protocol acts in this one run; with none it is plain
training. The run goes to results/NAME/runs/ID, where ID is a hash of what the run
is: metrics.csv has one row an evaluation, weights.safetensors the final weights
under PyTorch's names. Ctrl-C saves the run; --resume continues it and arrives at
the same weights, bit for bit.`,
		Example: `  swapmc train
  swapmc train --protocol "weights:1SS each n=all guide=momentum window=0.01 accept=greedy"
  swapmc train --data cifar10 --network resnet20 --optimizer adam --lr 1e-3 --iterations 20000
  swapmc train --protocol features:1SA --protocol "biases:1S every=10" --resume`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := ""
			if len(args) > 0 {
				file = args[0]
			}
			s, out, err := flags.spec(file)
			if err != nil {
				return err
			}
			if n := len(s.Protocols); n > 1 && !cmd.Flags().Changed("protocol") {
				return &usageError{fmt.Errorf("%s: protocols: %d alternatives, of which a run can have one: want swapmc compare, or --protocol", flags.file, n)}
			}
			if cmd.Flags().Changed("seed") {
				s.Seeds = lab.Seeds{seed}
			}
			s.Seeds = s.Seeds[:1]
			return trainOne(cmd, s, out, threads, resume, quiet)
		},
	}
	base := lab.Default()
	base.Name = "train"
	flags = addSpecFlags(cmd, base)
	flags.add("protocol", "protocol that acts in the run (repeatable)", func(s *lab.Spec) any { return &s.Protocols })
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed of all random numbers")
	cmd.Flags().IntVar(&threads, "threads", 0, "threads, which do not change the result; 0: one for each core")
	cmd.Flags().BoolVar(&resume, "resume", false, "continue an interrupted run")
	cmd.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	return cmd
}

func trainOne(cmd *cobra.Command, s lab.Spec, out string, threads int, resume, quiet bool) error {
	if threads < 0 {
		return &usageError{fmt.Errorf("--threads %d: want a number of threads, or 0 for one on each core", threads)}
	}
	if err := free(out, "network"); err != nil {
		return err
	}
	data, err := lab.Load(s.Data)
	if err != nil {
		return err
	}
	run, err := lab.One(s, data)
	if err != nil {
		return &usageError{err}
	}
	folder, err := lab.OpenFolder(out)
	if err != nil {
		return err
	}
	record, err := folder.Record(run)
	switch {
	case err == nil && record.Status == lab.Running && !resume:
		return fmt.Errorf("%s holds this run, stopped at iteration %d of %d: continue it with --resume, or remove that folder",
			folder.Path("runs", run.ID), record.Iteration, run.Config.Iterations)
	case errors.Is(err, fs.ErrNotExist) && resume:
		fmt.Fprintf(cmd.ErrOrStderr(), "nothing to resume in %s: the run begins\n", out)
	case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, lab.ErrDamaged):
		return err
	}
	if len(s.Protocols) > 1 { // in a spec, those that act together are one entry
		s.Protocols = []lab.Protocols{run.Protocols()}
	}
	if err := folder.WriteSpec(s, lab.Version()); err != nil {
		return err
	}
	show := newTrainDisplay(cmd.ErrOrStderr(), quiet)
	l := &lab.Lab{
		Folder:     folder,
		Version:    lab.Version(),
		Checkpoint: s.Checkpoint.Every,
		Threads:    threads,
		Report:     show.report,
	}
	err = l.Run(cmd.Context(), []lab.Group{{run}})
	show.close()
	switch {
	case err != nil && errors.Is(err, context.Cause(cmd.Context())):
		return &stoppedError{continueCommand("train", cmd, "--resume")}
	case err != nil:
		return err
	}
	record, err = folder.Record(run)
	if err != nil {
		return err
	}
	if record.Status != lab.Done {
		return fmt.Errorf("the run %s: %s (see %s)", record.Status, record.Reason, folder.Path("runs", run.ID))
	}
	w := cmd.OutOrStdout()
	fmt.Fprintln(w, outcome(lab.Event{Run: run, Record: record}))
	if record.Proposed > 0 {
		fmt.Fprintf(w, "swaps: %d proposed, %d accepted\n", record.Proposed, record.Accepted)
	}
	fmt.Fprintln(w, "measurements:", folder.Path("runs", run.ID, "metrics.csv"))
	fmt.Fprintln(w, "weights:", folder.Weights(run))
	return nil
}

// continueCommand repeats a command line, with one more flag.
func continueCommand(verb string, cmd *cobra.Command, flag string) string {
	words := []string{"swapmc", verb}
	for _, word := range os.Args[min(2, len(os.Args)):] {
		if word != flag {
			words = append(words, quote(word))
		}
	}
	if flag != "" {
		words = append(words, flag)
	}
	return strings.Join(words, " ")
}

// quote makes a word safe for a shell.
func quote(word string) string { return results.Quote(word) }

// A trainDisplay shows one run: a line that is rewritten on a terminal, a line
// an evaluation elsewhere.
type trainDisplay struct {
	w        io.Writer
	terminal bool
	quiet    bool
	began    time.Time
	from     int // iteration at which we began
	shown    time.Time
	dirty    bool // the terminal's line is not ended
}

func newTrainDisplay(w io.Writer, quiet bool) *trainDisplay {
	_, terminal := terminalHeight(w)
	return &trainDisplay{w: w, terminal: terminal, quiet: quiet}
}

func (d *trainDisplay) report(e lab.Event) {
	for _, note := range warnings(e) {
		fmt.Fprintln(d.w, note)
	}
	if d.quiet {
		return
	}
	switch e.Kind {
	case lab.Begun:
		d.began, d.from = time.Now(), e.Iteration
		if e.Iteration > 0 {
			fmt.Fprintf(d.w, "continuing at iteration %d\n", e.Iteration)
		}
		return
	case lab.Skipped:
		fmt.Fprintln(d.w, "this run is there already")
		return
	case lab.Waiting:
		fmt.Fprintf(d.w, "waiting for another process: %s\n", e.Held)
		return
	case lab.Advanced:
		if !d.terminal {
			return
		}
	case lab.Measured:
		if !d.terminal && time.Since(d.shown) < time.Second {
			return
		}
	}
	d.shown = time.Now()
	line := d.line(e)
	if !d.terminal {
		fmt.Fprintln(d.w, line)
		return
	}
	fmt.Fprintf(d.w, "\r%s\x1b[K", line)
	d.dirty = true
}

func (d *trainDisplay) line(e lab.Event) string {
	cfg := &e.Run.Config
	elapsed := time.Since(d.began)
	rate := float64(e.Iteration-d.from) / elapsed.Seconds()
	line := fmt.Sprintf("%d/%d  loss %.4f  accuracy %.1f%% train %.1f%% test  %.0f images/s",
		e.Iteration, cfg.Iterations, e.Point.TrainLoss, 100*e.Point.TrainAccuracy, 100*e.Point.TestAccuracy, rate*float64(cfg.Batch))
	if len(cfg.Protocols) > 0 {
		line += fmt.Sprintf("  swaps %d of %d", e.Point.Accepted, e.Point.Proposed)
	}
	if left := cfg.Iterations - e.Iteration; left > 0 && rate > 0 {
		line += fmt.Sprintf("  %v left", time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second))
	}
	return line
}

func (d *trainDisplay) close() {
	if d.dirty {
		fmt.Fprintln(d.w)
	}
}
