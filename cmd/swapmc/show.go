package main

import (
	"github.com/spf13/cobra"
)

func showCommand() *cobra.Command {
	return &cobra.Command{Use: "show PROTOCOL"}
}
