package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"swapmc/internal/draw"
	"swapmc/swap"
)

func showCommand() *cobra.Command {
	var out string
	var seed uint64
	cmd := &cobra.Command{
		Use:   "show PROTOCOL | FILE.xyz | RESULTS-FOLDER",
		Short: "Draw what a protocol exchanges, or particles",
		Long: `Draw one event of a protocol on small example blocks, before and after: cells keep
their colour as they move. In the terminal, or with -o in a file.

Of an extended XYZ file, draw the last configuration: particles as discs coloured by
diameter; in three dimensions, a slab through the middle of the box. Of a results folder
of swapmc glass, draw the final.xyz of each run. The picture is FILE.svg beside the file,
or what -o says.`,
		Example: `  swapmc show features:1SA
  swapmc show weights:SSS -o swap.svg
  swapmc show "features:AAS n=3" -o swap.png --seed 7
  swapmc show results/glass
  swapmc show final.xyz -o particles.png`,
		Args: cobra.ArbitraryArgs, // options of a protocol may come unquoted
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{fmt.Errorf("show: which protocol? for example: swapmc show features:1SA (swapmc protocols lists all)")}
			}
			if len(args) == 1 {
				files, err := configurations(args[0])
				if err != nil {
					return &usageError{err}
				}
				if len(files) > 0 {
					return showConfigurations(cmd.OutOrStdout(), files, out)
				}
			}
			p, err := swap.Parse(strings.Join(args, " "))
			if err != nil {
				return err
			}
			picture, err := draw.Protocol(p, seed)
			if err != nil {
				return err
			}
			if out == "" {
				return picture.Text(cmd.OutOrStdout(), coloured(cmd.OutOrStdout()))
			}
			if err := writePicture(out, picture.SVG, picture.PNG); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "Figure:", out)
			return err
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "`file` to draw to, .svg or .png")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "chooses which cells are exchanged")
	return cmd
}

// coloured tells whether w is a terminal whose user has not asked for no colour
// (no-color.org).
func coloured(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}
