package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/account"
)

// invitation answers user invite, once.
type invitation struct {
	Email   string `json:"email"`
	Admin   bool   `json:"admin"`
	Link    string `json:"link"`
	Expires int64  `json:"expires_at"` // seconds since the epoch
}

func newUserInvite(a *app) *cobra.Command {
	var admin bool
	cmd := &cobra.Command{
		Use: "invite EMAIL", Short: "Give an e-mail address the right to make an account", Args: cobra.ExactArgs(1),
		Long: `Give whoever has an e-mail address the right to make an account with it, for seven days. A mail brings them
a link; the one that is shown here does the same, for you to hand on. SIGNET_SIGN_UP must be invite or on, for
this command as for the server.`,
		Example: "  signet user invite ada@example.com\n  signet user invite grace@example.com --admin -o json",
	}
	cmd.Flags().BoolVar(&admin, "admin", false, "may administer this server")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			ticket, link, err := o.People().Invite(ctx, args[0], admin, byCLI())
			if errors.Is(err, account.ErrSignUpOff) {
				return fail(exitFailed, "SIGNET_SIGN_UP is off, so nobody can make an account: set it to invite or on, here and for the server; "+
					"or make the account yourself with 'signet user create'")
			}
			if err != nil {
				return err
			}
			if err := a.show(invitation{ticket.Email, admin, link, seconds(ticket.ExpiresAt)}); err != nil {
				return err
			}
			if o.settings.SMTPURL == "" {
				a.hint("The link works once: hand it to them alone. No mail goes out, since SIGNET_SMTP_URL is not set.")
				return nil
			}
			a.hint("The link works once: hand it to them alone. The server mails them one too, which works for %s; after that the sign-up page sends another.",
				inMinutes(account.LinkLifetime))
			return nil
		})
	}
	return cmd
}
