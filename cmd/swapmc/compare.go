package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"swapmc/internal/lab"
	"swapmc/internal/report"
)

func compareCommand() *cobra.Command {
	var flags *specFlags
	var quiet bool
	cmd := &cobra.Command{
		Use:   "compare [SPEC.yaml | RESULTS-FOLDER]",
		Short: "Measure how much faster protocols arrive than training without swaps",
		Long: `Train without swaps and with each protocol, from the same initial weights on the
same data for each seed, and compare the times to reach a training loss: in
iterations and in seconds, with confidence intervals over the seeds.

Everything goes to results/NAME (or --out). Runs that are finished are never done
again; Ctrl-C saves the others, and the same command continues them. Several
processes may work on one folder. Without a spec and flags, five protocols are
compared on synthetic images.`,
		Example: `  swapmc compare
  swapmc compare --protocol features:1SA --protocol "weights:1SA every=100 + biases:1S" --seeds 5
  swapmc compare --data cifar10 --network cnn --iterations 5000 --targets 1.2,1.0
  swapmc compare examples/minimal.yaml
  swapmc compare results/minimal`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := ""
			if len(args) > 0 {
				file = args[0]
			}
			if isSweep(file) {
				return &usageError{fmt.Errorf("%s is a sweep: swapmc sweep run %s", file, quote(file))}
			}
			if system(file) == "glass" {
				return compareGlass(cmd, file, flags.out, quiet)
			}
			s, out, err := flags.spec(file)
			if err != nil {
				return err
			}
			if len(s.Protocols) == 0 {
				s.Protocols = lab.DefaultProtocols()
			}
			return compare(cmd, s, out, quiet, flags.locate)
		},
	}
	flags = addSpecFlags(cmd, lab.Default())
	flags.add("protocol", "protocol to compare with no swaps (repeatable); \"a + b\" act together", func(s *lab.Spec) any { return &s.Protocols })
	flags.add("seeds", "number of seeds, or a list such as 4,7", func(s *lab.Spec) any { return &s.Seeds })
	flags.add("targets", "training losses to reach, such as 1.5,1.0 (default: chosen from the baseline)", func(s *lab.Spec) any { return &s.Targets })
	flags.add("parallel", "runs at once, 0: as many as cores suffice for", func(s *lab.Spec) any { return &s.Parallel })
	cmd.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	return cmd
}

// system returns the system of a spec or of the spec in a results folder, "" where there is none.
func system(file string) string {
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		file = filepath.Join(file, "spec.yaml")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return lab.System(text)
}

// free reports a results folder that holds results of another system, or of a sweep where none is wanted: a spec and figures
// would take the place of its own.
func free(out, want string) error {
	is := system(out)
	if isSweep(filepath.Join(out, "spec.yaml")) {
		is = "sweep"
	}
	if is == "" || is == want {
		return nil
	}
	of := map[string]string{"network": "networks", "glass": "glasses", "sweep": "a sweep"}
	return &usageError{fmt.Errorf("%s holds results of %s: want another folder: --out", out, cmp.Or(of[is], is))}
}

// isSweep tells whether a spec file has a section "sweep".
func isSweep(file string) bool {
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	_, only := lab.Section(text, "sweep")
	return len(bytes.TrimSpace(only)) > 0
}

// compare makes the runs and their comparison; locate names the place of a fault in the spec.
func compare(cmd *cobra.Command, s lab.Spec, out string, quiet bool, locate func(error) error) error {
	if err := free(out, "network"); err != nil {
		return err
	}
	data, err := lab.Load(s.Data)
	if err != nil {
		return err
	}
	plan, err := lab.Plan(s, data)
	if err != nil {
		return &usageError{locate(err)}
	}
	folder, err := lab.OpenFolder(out)
	if err != nil {
		return err
	}
	if err := folder.WriteSpec(s, lab.Version()); err != nil {
		return err
	}
	show := newDisplay(cmd.ErrOrStderr(), plan, quiet)
	l := &lab.Lab{
		Folder:     folder,
		Version:    lab.Version(),
		Checkpoint: s.Checkpoint.Every,
		Parallel:   s.Parallel,
		Report:     show.report,
	}
	err = l.Run(cmd.Context(), plan)
	show.close()
	if err != nil {
		if cmd.Context().Err() != nil && errors.Is(err, context.Cause(cmd.Context())) {
			return &stoppedError{"swapmc compare " + quote(out)}
		}
		return err
	}
	return conclude(cmd.OutOrStdout(), s, folder, plan)
}

// conclude prints the table and writes the files of a comparison whose runs have
// all ended.
func conclude(w io.Writer, s lab.Spec, folder *lab.Folder, plan []lab.Group) error {
	res, err := folder.Compare(s, plan, lab.Version())
	if err != nil {
		return err
	}
	figures, err := res.Write(folder)
	if err != nil {
		return err
	}
	if err := report.Table(w, &res.Comparison); err != nil {
		return err
	}
	for _, note := range res.Notes {
		fmt.Fprintf(w, "Note: %s.\n", note)
	}
	_, err = fmt.Fprintf(w, "\nAll results: %s\nFigure: %s\n", folder.Path(), strings.Join(figures, ", "))
	return err
}
