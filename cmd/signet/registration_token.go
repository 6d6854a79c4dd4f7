package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/storage"
)

func newRegistrationTokenCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "registration-token", RunE: help, Short: "Manage the tokens with which software may register itself",
		Long: `Manage initial access tokens (RFC 7591): whoever has one may register clients by themselves, within what it allows.
Where SIGNET_CLIENT_REGISTRATION is open, a token lets them have more than anybody may.`,
	}
	cmd.AddCommand(newRegistrationTokenCreate(a), newRegistrationTokenList(a), newRegistrationTokenRevoke(a))
	return cmd
}

// registrationTokenRecord is an initial access token as commands tell it. Times are seconds since the epoch; 0 means never.
type registrationTokenRecord struct {
	ID         string   `json:"id"`
	Token      string   `json:"token,omitempty"` // only when it was just made
	Name       string   `json:"name"`
	State      string   `json:"state"` // good, used_up, expired or revoked
	Uses       int      `json:"uses"`
	MaxUses    int      `json:"max_uses"` // 0: any number
	GrantTypes []string `json:"grant_types,omitempty"`
	Scope      string   `json:"scope,omitempty"`
	CreatedBy  string   `json:"created_by"`
	Created    int64    `json:"created_at"`
	Expires    int64    `json:"expires_at"`
	Revoked    int64    `json:"revoked_at,omitempty"`
}

func registrationTokenRecordOf(t storage.RegistrationToken, now time.Time) registrationTokenRecord {
	return registrationTokenRecord{
		ID: t.ID.String(), Name: t.Name, State: string(client.StateOf(t, now)), Uses: t.Uses, MaxUses: t.MaxUses, GrantTypes: t.GrantTypes, Scope: t.Scope,
		CreatedBy: t.CreatedBy, Created: seconds(t.CreatedAt), Expires: seconds(t.ExpiresAt), Revoked: seconds(t.RevokedAt),
	}
}

func newRegistrationTokenCreate(a *app) *cobra.Command {
	var given storage.RegistrationToken
	expires := int64(7 * 24 * 60 * 60)
	cmd := &cobra.Command{
		Use: "create", Short: "Make a token with which software may register itself", Args: cobra.NoArgs,
		Example: `  signet registration-token create --name "Partner A" --uses 1
  signet registration-token create --name CI --expires 90d --grant-type client_credentials --scope "reports:read" -o json`,
	}
	flags := cmd.Flags()
	flags.StringVar(&given.Name, "name", "", "whom it is for (required)")
	flags.IntVar(&given.MaxUses, "uses", 0, "how many clients it registers; 0: any number")
	flags.Var(secondsFlag{&expires}, "expires", "how long it is good; 0: until it is revoked")
	flags.StringSliceVar(&given.GrantTypes, "grant-type", nil, "that its clients may have, and no other; repeat it or separate by commas")
	flags.StringVar(&given.Scope, "scope", "", "that its clients may have besides what any software may, separated by spaces")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if given.Name == "" {
			return fail(exitUsage, "--name is missing: say whom the token is for")
		}
		lifetime := time.Duration(min(expires, maxSeconds)) * time.Second
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			token, made, err := o.InitialTokens().Create(ctx, given, lifetime, actorCLI, storage.Seen{})
			if err != nil {
				return clientFault(err)
			}
			record := registrationTokenRecordOf(made, made.CreatedAt)
			record.Token = token
			if err := a.show(record); err != nil {
				return err
			}
			a.hint("The token is shown this once. Software sends it as Authorization: Bearer to %s/oauth2/register.", o.settings.IssuerURL)
			if o.settings.ClientRegistration == "off" {
				a.hint("Registration is off here: set SIGNET_CLIENT_REGISTRATION to token.")
			}
			return nil
		})
	}
	return cmd
}

// maxSeconds is more than any lifetime may be, and no overflow on the way to being told so.
const maxSeconds = int64(100 * 365 * 24 * 60 * 60)

func newRegistrationTokenList(a *app) *cobra.Command {
	var pages pageFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List tokens, oldest first; those that are used up, expired or revoked too", Args: cobra.NoArgs,
		Example: "  signet registration-token list\n  signet registration-token list -o json",
	}
	pages.register(cmd, "ID")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := pages.check(); err != nil {
			return err
		}
		after, err := optionalID("--after", pages.after)
		if err != nil {
			return err
		}
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			tokens, now, err := o.InitialTokens().List(ctx, after, pages.limit+1)
			if err != nil {
				return err
			}
			tokens = page(a, pages, tokens, "signet registration-token list", func(t storage.RegistrationToken) string { return t.ID.String() })
			var records []registrationTokenRecord
			for _, t := range tokens {
				records = append(records, registrationTokenRecordOf(t, now))
			}
			return list(a, records, []string{"ID", "NAME", "STATE", "USES", "EXPIRES"}, func(r registrationTokenRecord) []string {
				uses := strconv.Itoa(r.Uses)
				if r.MaxUses > 0 {
					uses += " of " + strconv.Itoa(r.MaxUses)
				}
				return []string{r.ID, r.Name, r.State, uses, moment(r.Expires)}
			})
		})
	}
	return cmd
}

func newRegistrationTokenRevoke(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "revoke ID", Short: "End a token; the clients that it registered stay", Args: cobra.ExactArgs(1),
		Example: "  signet registration-token revoke 0199d1f0-0000-7000-8000-000000000000",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := storage.ParseID(args[0])
		if err != nil {
			return fail(exitUsage, "ID must be one that 'signet registration-token list' shows; it is not the token itself")
		}
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			err := o.InitialTokens().Revoke(ctx, id, actorCLI, storage.Seen{})
			if errors.Is(err, storage.ErrNotFound) {
				return fail(exitNotFound, "there is no registration token %s; 'signet registration-token list' shows all", id)
			}
			if err != nil {
				return err
			}
			return a.show(removal{ID: id.String(), Removed: 1})
		})
	}
	return cmd
}
