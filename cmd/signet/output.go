package main

import (
	"github.com/spf13/cobra"
)

// outputFlag adds -o table|json to a command that prints.
func outputFlag(a *app, cmd *cobra.Command) {
	cmd.Flags().StringVarP(&a.output, "output", "o", "table", "`format`: table or json")
	check := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if a.output != "table" && a.output != "json" {
			return fail(exitUsage, "--output must be table or json; see '%s --help'", cmd.CommandPath())
		}
		if check != nil {
			return check(cmd, args)
		}
		return nil
	}
}
