package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"swapmc/internal/kernel"
	"swapmc/internal/lab"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version and what this machine computes with",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printVersion(cmd.OutOrStdout())
		},
	}
}

func printVersion(w io.Writer) error {
	_, err := fmt.Fprintf(w, "swapmc %s\n%s, %s/%s, %d cores, kernel %s\n",
		lab.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), kernel.Name())
	return err
}
