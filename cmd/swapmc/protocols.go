package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"swapmc/internal/spelling"
	"swapmc/swap"
)

// A listing is one code of `swapmc protocols --json`.
type listing struct {
	Protocol    string `json:"protocol"`
	Target      string `json:"target"`
	Code        string `json:"code"`
	Description string `json:"description"`
}

func protocolsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "protocols [TARGET...]",
		Short: "List every protocol, one line each, and explain the options",
		Example: `  swapmc protocols
  swapmc protocols weights
  swapmc protocols --json`,
		ValidArgs: targetNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := protocolsOf(args)
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(list)
			}
			printProtocols(cmd.OutOrStdout(), list)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "for programs: a list of objects")
	return cmd
}

func targetNames() []string {
	var names []string
	for _, t := range swap.Targets() {
		names = append(names, string(t))
	}
	return names
}

// protocolsOf lists the codes of these targets, of all if there is none.
func protocolsOf(targets []string) ([]listing, error) {
	if len(targets) == 0 {
		targets = targetNames()
	}
	var list []listing
	for _, target := range targets {
		codes := swap.Codes(swap.Target(target))
		if codes == nil {
			return nil, &usageError{fmt.Errorf("unknown target %q%s: want %s", target, spelling.Hint(target, targetNames()), strings.Join(targetNames(), ", "))}
		}
		for _, code := range codes {
			list = append(list, listing{
				Protocol:    target + ":" + code,
				Target:      target,
				Code:        code,
				Description: swap.Describe(swap.Target(target), code),
			})
		}
	}
	return list, nil
}

func printProtocols(w io.Writer, list []listing) {
	fmt.Fprintln(w, "A protocol is target:code and options, for example")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "  features:1SA")
	fmt.Fprintln(w, "  weights:1SS n=10 accept=metropolis T=1e-4")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "The code has one letter an axis: 1 is one index drawn at random, S two that are")
	fmt.Fprintln(w, "exchanged, A all. Draw one with: swapmc show features:1SA")
	last := ""
	for _, l := range list {
		if l.Target != last {
			fmt.Fprintf(w, "\n%s (%s)\n", l.Target, strings.Join(swap.Target(l.Target).Axes(), ", "))
			last = l.Target
		}
		fmt.Fprintf(w, "  %-14s %s\n", l.Protocol, l.Description)
	}
	fmt.Fprint(w, optionHelp)
}

// optionHelp explains the options of the language in package swap.
const optionHelp = `
How many, and when
  n=10            swaps an event; n=0.1B: a tenth of the batch; n=all: a random
                  perfect matching of everything in scope
  each            run over every index of a first axis 1, instead of drawing one
  p=0.5           probability of an event per iteration
  every=100       iterations between events
  from=0 until=N  first iteration, and the first without; until=0.9L: until the
                  loss has fallen to 0.9 of what it was at first
  ramp=linear     p=0.5..0, n=100..1 or a range of window=, between from and until;
                  also cosine, exp
  layers=0,3      only these layers

Whether a swap is kept
  accept=always   every swap (the default; diameters, lengths: metropolis, at the
                  temperature of their system)
  accept=metropolis T=1e-4   with probability min(1, exp(-dL/T))
  accept=greedy   only where the loss does not grow
  guide=gradient  dL is its first-order estimate: no forward pass, so that n=all is
                  cheap; guide=momentum beta=0.9 averages the gradient
  guide=lookahead every k iterations the first values, in the order in which the
                  optimiser has left the weights: 11S each n=all every=20
  cycles          with guide=momentum, n=all, accept=greedy: values move in cycles
                  found among random subsets of at least subset=10
  propose=gradient   with accept=metropolis: of pairs=64, one that promises to
                  lower the loss, corrected so that the sampling stays exact
  window=0.01     only values that differ by at most this; 0.05std: in units of the
                  layer's spread, 2lr: of the learning rate; 0.1std..0std: with ramp=

What goes with it
  carry=momentum  the optimiser's state travels with the weights
  gauge=true      weights:1SA: the next layer's columns too, which changes nothing
                  that the network computes: the control experiment
  keep=true       features: the swap stays in the data set
  lift=true       diameters, lengths: one particle climbs in size until a swap is
                  refused, then the one in its way: irreversible

Protocols that act together are joined by " + ".
`
