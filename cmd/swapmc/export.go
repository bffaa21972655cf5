package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"swapmc/internal/atomicfile"
	"swapmc/internal/export"
)

func exportCommand() *cobra.Command {
	var parquet, csv, tensorboard, table string
	var skipDamaged bool
	cmd := &cobra.Command{
		Use:   "export RESULTS-FOLDER",
		Short: "Write all results as one table (Parquet, CSV) or as TensorBoard event files",
		Long: `Write the evaluations of all runs of a results folder as one long table, one row an
evaluation, with what the run is (protocol, seed, status, the whole configuration) in
columns beside what it measured: for pandas, R or DuckDB. Or write an event file for
each run, for TensorBoard. Runs that are going on are taken as far as they are.`,
		Example: `  swapmc export results/compare --parquet compare.parquet
  swapmc export results/compare --csv - | head
  swapmc export results/glass --table curves --parquet curves.parquet
  swapmc export results/compare --tensorboard logs && tensorboard --logdir logs`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if parquet == "" && csv == "" && tensorboard == "" {
				return &usageError{errors.New("nothing to write: want --parquet FILE, --csv FILE or --tensorboard FOLDER")}
			}
			switch table {
			case "", "metrics", "samples", "curves":
			default:
				return &usageError{fmt.Errorf("--table %s: want metrics, samples or curves", table)}
			}
			if err := there(args[0]); err != nil {
				return err
			}
			res, err := export.Open(args[0], table)
			if err != nil {
				return err
			}
			notes := cmd.ErrOrStderr()
			hint := func(err error) error {
				var damaged *export.DamagedError
				if errors.As(err, &damaged) {
					return fmt.Errorf("%w: make the run again, or leave it out with --skip-damaged", err)
				}
				return err
			}
			var skip func(error)
			if skipDamaged {
				skip = func(err error) { fmt.Fprintf(notes, "left out: %v\n", err) }
			}
			for _, out := range []struct {
				path  string
				write func(io.Writer, func(error)) (int64, error)
			}{{parquet, res.Parquet}, {csv, res.CSV}} {
				var rows int64
				write := func(w io.Writer) (err error) {
					rows, err = out.write(w, skip)
					return err
				}
				switch out.path {
				case "":
					continue
				case "-":
					err = write(cmd.OutOrStdout())
				default:
					err = atomicfile.Write(out.path, write)
				}
				if err != nil {
					return hint(err)
				}
				fmt.Fprintf(notes, "%s: %d rows of %d runs\n", out.path, rows, res.Runs())
			}
			if tensorboard == "" {
				return nil
			}
			runs, err := res.TensorBoard(tensorboard, skip)
			if err != nil {
				return hint(err)
			}
			fmt.Fprintf(notes, "%s: event files of %d runs\n", tensorboard, runs)
			return nil
		},
	}
	cmd.Flags().StringVar(&parquet, "parquet", "", "write the table as Apache Parquet to this `file`")
	cmd.Flags().StringVar(&csv, "csv", "", "write the table as comma-separated values to this `file`, - for standard output")
	cmd.Flags().StringVar(&tensorboard, "tensorboard", "", "write an event file for each run below this `folder`")
	cmd.Flags().StringVar(&table, "table", "", "rows of the table: metrics (networks), samples or curves (glasses); default metrics and samples")
	cmd.Flags().BoolVar(&skipDamaged, "skip-damaged", false, "leave out runs whose rows are damaged, and name them, instead of failing")
	return cmd
}
