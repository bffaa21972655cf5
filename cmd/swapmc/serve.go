package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"swapmc/internal/web"
)

func serveCommand() *cobra.Command {
	var address string
	var anywhere bool
	var names []string
	cmd := &cobra.Command{
		Use:   "serve RESULTS-FOLDER",
		Short: "Show a results folder in the browser while its runs go on",
		Long: `Serve the page of swapmc report, live: runs appear, curves grow, verdicts change as
runs end. Open the printed address; it carries a token without which nothing is shown.

Only this machine can reach the page. From another one, use ssh -L, or --anywhere
with an --address: then whoever knows the token can see the results, over plain HTTP.
The server only reads the folder, and only this folder.`,
		Example: `  swapmc serve results/compare
  swapmc serve results/sweep --address 127.0.0.1:8080
  swapmc serve results/sweep --address 0.0.0.0:8080 --anywhere --name lab.example.org`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := openModel(args[0])
			if err != nil {
				return err
			}
			defer m.Close()
			s := web.New(m)
			l, err := s.Listen(address, anywhere, names)
			if err != nil {
				return &usageError{err}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\n", s.Address(l))
			if anywhere {
				fmt.Fprintln(cmd.ErrOrStderr(), "Note: others can reach this address; the token is all that keeps them out.")
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "Ctrl-C ends it.")
			return s.Serve(cmd.Context(), l)
		},
	}
	cmd.Flags().StringVar(&address, "address", "127.0.0.1:0", "`host:port` to listen on; port 0 is any that is free")
	cmd.Flags().BoolVar(&anywhere, "anywhere", false, "allow an address that others can reach")
	cmd.Flags().StringSliceVar(&names, "name", nil, "`host` name by which others reach it (repeatable)")
	return cmd
}
