package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/account"
)

// setupLink answers setup-link, once.
type setupLink struct {
	Link    string `json:"link"`
	Expires int64  `json:"expires_at"` // seconds since the epoch
}

func newSetupLinkCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "setup-link", Short: "Make a link that makes the first administrator", Args: cobra.NoArgs,
		Long: `Make a link by which whoever opens it becomes the first administrator, with a password of their own choice
and, if they like, a second factor. It works once, within 15 minutes, and only while there is no
administrator. A server must be running at SIGNET_ISSUER_URL; it prints such a link by itself when
it starts on an empty database.`,
		Example: "  signet setup-link\n  signet setup-link -o json",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			link, expires, err := o.People().SetupLink(ctx, byCLI())
			if errors.Is(err, account.ErrSetUp) {
				return fail(exitFailed, "there is an administrator already, and the link is for the first one alone; make another with "+
					"'signet user create NAME --admin --generate-password', or give one a new password with 'signet user set-password NAME'")
			}
			if err != nil {
				return err
			}
			if err := a.show(setupLink{link, seconds(expires)}); err != nil {
				return err
			}
			a.hint("Whoever opens it first becomes the administrator: show it to nobody else.")
			return nil
		})
	}
	return cmd
}

// welcome prints a set-up link where nobody is there yet. It goes to people, on stderr, and never through a log that is kept.
func (a *app) welcome(ctx context.Context, o *opened) error {
	if a.mailbox != nil {
		return nil // signet dev makes its people in a moment
	}
	empty, err := o.People().Empty(ctx)
	if err != nil || !empty {
		return err
	}
	link, _, err := o.People().SetupLink(ctx, account.By{Actor: "server"})
	if errors.Is(err, account.ErrSetUp) { // another node's was used in this moment
		return nil
	}
	if err != nil {
		return err
	}
	a.hint("No user exists yet. Open this link within %s to make the first administrator:\n  %s\nIt works once; 'signet setup-link' makes another.",
		inMinutes(account.SetupLifetime), link)
	return nil
}

func inMinutes(d time.Duration) string { return fmt.Sprintf("%d minutes", int(d.Minutes())) }
