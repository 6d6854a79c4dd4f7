package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// actorCLI is who did it, in the audit log: whoever may run commands on the database.
const actorCLI = "cli"

func byCLI() account.By { return account.By{Actor: actorCLI} }

// with opens the database for one command and closes it afterwards, so that what was written is on disk when the command ends.
func (a *app) with(cmd *cobra.Command, act func(context.Context, *opened) error) error {
	s, err := a.load(nil) // without flags: --access-token-lifetime and others are a client's here, not the server's
	if err != nil {
		return err
	}
	o, err := a.openWith(cmd.Context(), s, a.logger(s), nil)
	if err != nil {
		return err
	}
	return errors.Join(act(cmd.Context(), o), o.Close())
}

// withUser is with for commands about one user, named by ID, username or e-mail address.
func (a *app) withUser(cmd *cobra.Command, name string, act func(context.Context, *opened, storage.SignIn) error) error {
	return a.with(cmd, func(ctx context.Context, o *opened) error {
		found, err := o.People().Find(ctx, name)
		if errors.Is(err, account.ErrNotFound) {
			return fail(exitNotFound, "there is no user %q; 'signet user list' shows all", name)
		}
		if err != nil {
			return err
		}
		return act(ctx, o, found)
	})
}

// withClient is with for commands about one client.
func (a *app) withClient(cmd *cobra.Command, id string, act func(context.Context, *opened, storage.Client) error) error {
	return a.with(cmd, func(ctx context.Context, o *opened) error {
		found, err := o.Clients().Find(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			return fail(exitNotFound, "there is no client with the client_id %q; 'signet client list' shows all", id)
		}
		if err != nil {
			return err
		}
		return act(ctx, o, found)
	})
}

// help is what a noun without a verb does. It also makes the noun a command of its own, so that a verb it does not have is an
// error and not help.
func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func state(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "enabled"
}
