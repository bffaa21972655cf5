// Swapmc is a laboratory for swap Monte Carlo: it trains networks with any swap
// protocol and measures how much faster they arrive, with what confidence.
//
// Start with
//
//	swapmc compare
//	swapmc show features:1SA
//	swapmc train --protocol "weights:1SA every=100"
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"swapmc/dataset"
	"swapmc/internal/kernel"
	"swapmc/internal/lab"
	"swapmc/internal/spelling"
	"swapmc/swap"
)

// Exit codes.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130 // as shells report SIGINT
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the process at once. A scheduler's SIGTERM may come twice,
	// from it and from its script, and must not cut the saving short.
	context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt) })
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// execute runs one command line and returns the exit code. Errors are one line
// on stderr.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "swapmc: %v\n", err)
	var stopped *stoppedError
	var usage *usageError
	var field *lab.FieldError
	var syntax *swap.SyntaxError
	switch {
	case errors.As(err, &stopped):
		return exitInterrupted
	case errors.As(err, &usage), errors.Is(err, dataset.ErrUnknown), errors.As(err, &field), errors.As(err, &syntax):
		return exitUsage
	}
	return exitFailure
}

// A usageError is the user's: a bad flag, a bad spec, a bad protocol.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// A stoppedError is a run stopped by a signal, all of it saved.
type stoppedError struct{ command string }

func (e *stoppedError) Error() string { return "stopped; to continue: " + e.command }

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "swapmc",
		Short: "A laboratory for swap Monte Carlo, from glasses to deep networks",
		Long: `swapmc trains networks and simulates glasses with any swap protocol, and
measures how much faster they arrive, with what confidence.

Start with these:

  swapmc compare                    five protocols against no swaps, in a minute or two
  swapmc glass --protocol "diameters:S p=0.2"    swap Monte Carlo of particles
  swapmc show features:1SA          what a protocol exchanges, before and after
  swapmc protocols                  all that can be exchanged, and how`,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if err := kernel.Check(); err != nil {
				return &usageError{err}
			}
			return nil
		},
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		Args:                       noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version, _ := cmd.Flags().GetBool("version"); version {
				return printVersion(cmd.OutOrStdout())
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n\nAll commands: swapmc --help\n", cmd.Long)
			return err
		},
	}
	root.SetFlagErrorFunc(flagError)
	root.Flags().Bool("version", false, "print the version, as swapmc version does")
	root.AddCommand(
		compareCommand(),
		sweepCommand(),
		trainCommand(),
		glassCommand(),
		exportCommand(),
		protocolsCommand(),
		showCommand(),
		dataCommand(),
		reportCommand(),
		serveCommand(),
		versionCommand(),
	)
	return root
}

// flagError says what is wrong with a flag, in one line.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var value *pflag.InvalidValueError
	var number *strconv.NumError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		err = fmt.Errorf("unknown flag --%s%s", unknown.GetSpecifiedName(), strings.Replace(spelling.Hint(unknown.GetSpecifiedName(), names), "mean ", "mean --", 1))
	case errors.As(err, &value) && errors.As(err, &number):
		want := "a number"
		switch value.GetFlag().Value.Type() {
		case "int":
			want = "a whole number"
		case "uint64":
			want = "a whole number, 0 or more"
		case "bool":
			want = "true or false"
		}
		err = fmt.Errorf("--%s: %q: want %s", value.GetFlag().Name, value.GetValue(), want)
	case errors.As(err, &value):
		err = fmt.Errorf("--%s: %w", value.GetFlag().Name, value.Unwrap())
	}
	return &usageError{fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())}
}

// noCommand refuses a word that is no command, with the nearest one.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
		hint = fmt.Sprintf(" (did you mean %s?)", strings.Join(s, " or "))
	}
	return &usageError{fmt.Errorf("unknown command %q%s: see %s --help", args[0], hint, cmd.CommandPath())}
}

// arguments is cobra's check of the number of arguments, as a usage error.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{fmt.Errorf("%w: %s", err, cmd.UseLine())}
		}
		return nil
	}
}
