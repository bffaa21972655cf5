package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"swapmc/internal/lab"
	"swapmc/internal/page"
	"swapmc/internal/results"
)

func reportCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "report RESULTS-FOLDER",
		Short: "Write one page with everything that a results folder shows",
		Long: `Write report.html: the question, the verdicts, the curves, heat maps over what was
swept, every run, and the commands that make each number again. It is one file that
needs nothing else. Beside it, report/ has every figure as SVG, PDF and PNG and the
tables as Markdown, LaTeX and CSV.

The folder may be one of compare, train, glass or a sweep, finished or not: runs are
read, never made.`,
		Example: `  swapmc report results/compare
  swapmc report results/sweep --out ~/talk`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				out = args[0]
			}
			m, err := openModel(args[0])
			if err != nil {
				return err
			}
			defer m.Close()
			if len(m.Runs) == 0 {
				return fmt.Errorf("%s: no run has begun: nothing to report", args[0])
			}
			m.Update()
			paths, err := m.Write(out)
			if err != nil {
				return err
			}
			for _, r := range m.Runs {
				if r.Fault != "" {
					fmt.Fprintf(cmd.ErrOrStderr(), "Note: run %s cannot be read whole: %s\n", r.ID, r.Fault)
				}
			}
			w := cmd.OutOrStdout()
			fmt.Fprintln(w, m.View().Answer)
			fmt.Fprintf(w, "\nPage: %s\n", paths[0])
			if n := len(paths) - 1; n > 0 {
				fmt.Fprintf(w, "Figures and tables: %d files beside it, in report/\n", n)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`folder` to write to (default: the results folder)")
	return cmd
}

// there reports a results folder that is not there, as the usage error that it is.
func there(path string) error {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return &usageError{fmt.Errorf("%s: no such folder: want a results folder, such as results/compare", path)}
	}
	return nil
}

// openModel reads a results folder.
func openModel(path string) (*page.Model, error) {
	if err := there(path); err != nil {
		return nil, err
	}
	folder, err := results.Open(path)
	if err != nil {
		return nil, err
	}
	if _, err := folder.Refresh(true); err != nil {
		folder.Close()
		return nil, err
	}
	return &page.Model{Folder: folder, Version: lab.Version()}, nil
}
