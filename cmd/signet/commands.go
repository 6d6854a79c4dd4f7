package main

import "github.com/spf13/cobra"

// commands are what signet can do.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		newServeCommand(a), newDevCommand(a), newMigrateCommand(a), newUserCommand(a), newClientCommand(a), newResourceCommand(a), newRegistrationTokenCommand(a),
		newKeyCommand(a), newGrantCommand(a), newAuditCommand(a), newSetupLinkCommand(a), newExplainCommand(a), newDoctorCommand(a),
		newTokenCommand(a), newIntrospectCommand(a), newHealthcheckCommand(a), newVersionCommand(a),
	}
}
