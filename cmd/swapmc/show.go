package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"swapmc/internal/atomicfile"
	"swapmc/internal/draw"
	"swapmc/swap"
)

func showCommand() *cobra.Command {
	var out string
	var seed uint64
	cmd := &cobra.Command{
		Use:   "show PROTOCOL",
		Short: "Draw what a protocol exchanges, before and after",
		Long: `Draw one event of a protocol on small example blocks, before and after: cells keep
their colour as they move. In the terminal, or with -o in a file.`,
		Example: `  swapmc show features:1SA
  swapmc show weights:SSS -o swap.svg
  swapmc show "features:AAS n=3" -o swap.png --seed 7`,
		Args: cobra.ArbitraryArgs, // options of a protocol may come unquoted
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{fmt.Errorf("show: which protocol? for example: swapmc show features:1SA (swapmc protocols lists all)")}
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
			var write func(io.Writer) error
			switch ext := strings.ToLower(filepath.Ext(out)); ext {
			case ".svg":
				write = picture.SVG
			case ".png":
				write = picture.PNG
			default:
				return &usageError{fmt.Errorf("-o %s: a picture is .svg or .png, not %q", out, ext)}
			}
			return atomicfile.Write(out, write)
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
