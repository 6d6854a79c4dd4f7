package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

func newClientCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "client", RunE: help, Short: "Manage the applications that use this server",
		Long: "Manage the applications that use this server. Members have the names of RFC 7591; ID is the client_id.",
	}
	cmd.AddCommand(
		newClientCreate(a), newClientList(a), newClientShow(a), newClientUpdate(a), newClientRotateSecret(a),
		newClientAct(a, "disable", "Make a client, and all that was issued to it, useless at once", (*client.Registry).Disable),
		newClientAct(a, "enable", "Let a disabled client work again, or in that awaits approval", (*client.Registry).Enable),
		newClientDelete(a), newClientApply(a), newClientExport(a),
	)
	return cmd
}

func newClientCreate(a *app) *cobra.Command {
	var flags clientFlags
	var id string
	cmd := &cobra.Command{
		Use: "create", Short: "Register a client", Args: cobra.NoArgs,
		Example: `  signet client create --name Shop --redirect-uri https://shop.example/callback --post-logout-redirect-uri https://shop.example/
  signet client create --name "Phone app" --redirect-uri com.example.phone:/callback --grant-type authorization_code,refresh_token --token-endpoint-auth-method none -o json
  signet client create --name TV --grant-type urn:ietf:params:oauth:grant-type:device_code,refresh_token --token-endpoint-auth-method none
  signet client create --name Nightly --grant-type client_credentials --scope "reports:read" --access-token-format opaque
  signet client create --name Batch --grant-type client_credentials --token-endpoint-auth-method private_key_jwt --jwks-file keys.json`,
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&id, "client-id", "", "client_id of your choice; one is made otherwise")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			c, secret, err := o.Clients().Create(ctx, flags.given, id, actorCLI)
			if err != nil {
				return clientFault(err)
			}
			if err := a.show(client.Registration(c, secret)); err != nil {
				return err
			}
			if secret != "" {
				a.hint("The client_secret is shown this once: store it now. A new one: signet client rotate-secret %s", c.ID)
			}
			return nil
		})
	}
	return cmd
}

func newClientList(a *app) *cobra.Command {
	var pages pageFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List clients by client_id", Args: cobra.NoArgs,
		Example: "  signet client list\n  signet client list -o json",
	}
	pages.register(cmd, "client_id")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := pages.check(); err != nil {
			return err
		}
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			clients, err := o.Clients().List(ctx, pages.after, pages.limit+1)
			if err != nil {
				return err
			}
			clients = page(a, pages, clients, "signet client list", func(c storage.Client) string { return c.ID })
			var records []clientRecord
			for _, c := range clients {
				records = append(records, clientRecordOf(c))
			}
			head := []string{"CLIENT_ID", "NAME", "GRANT_TYPES", "AUTH_METHOD", "ORIGIN", "STATE"}
			return list(a, records, head, func(r clientRecord) []string {
				return []string{r.ClientID, r.Name, strings.Join(r.GrantTypes, ","), r.TokenEndpointAuthMethod, r.Origin, r.standing()}
			})
		})
	}
	return cmd
}

func newClientShow(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show a client's registration", Args: cobra.ExactArgs(1), Example: "  signet client show shop -o json",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withClient(cmd, args[0], func(_ context.Context, _ *opened, c storage.Client) error {
			return a.show(clientRecordOf(c))
		})
	}
	return cmd
}

func newClientUpdate(a *app) *cobra.Command {
	var flags clientFlags
	cmd := &cobra.Command{
		Use: "update ID", Short: "Change members of a client's registration; the others stay", Args: cobra.ExactArgs(1),
		Example: "  signet client update shop --scope \"openid email\" --access-token-lifetime 5m\n" +
			"  signet client update shop --redirect-uri https://shop.example/cb --redirect-uri https://shop.example/cb2",
	}
	flags.register(cmd)
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withClient(cmd, args[0], func(ctx context.Context, o *opened, c storage.Client) error {
			metadata := c.Metadata
			if !flags.apply(cmd, &metadata) {
				return fail(exitUsage, "nothing to change: give at least one member; see 'signet client update --help'")
			}
			updated, err := o.Clients().Update(ctx, c, metadata, actorCLI)
			if err != nil {
				return clientFault(err)
			}
			if err := a.show(client.Registration(updated, "")); err != nil {
				return err
			}
			if client.HoldsSecret(updated) && len(updated.Secrets) == 0 {
				a.hint("The client has no secret yet: signet client rotate-secret %s", updated.ID)
			}
			return nil
		})
	}
	return cmd
}

func newClientRotateSecret(a *app) *cobra.Command {
	overlap := int64(24 * 60 * 60)
	cmd := &cobra.Command{
		Use: "rotate-secret ID", Short: "Make a new secret; the old one lives on for a while", Args: cobra.ExactArgs(1),
		Example: "  signet client rotate-secret shop\n  signet client rotate-secret shop --overlap 0   # it leaked: end the old one at once",
	}
	cmd.Flags().Var(secondsFlag{&overlap}, "overlap", "how long the old secret still works")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withClient(cmd, args[0], func(ctx context.Context, o *opened, c storage.Client) error {
			if overlap > int64(client.MaxOverlap/time.Second) {
				overlap = int64(client.MaxOverlap/time.Second) + 1 // still too long, and no overflow on the way to being told so
			}
			secret, c, err := o.Clients().RotateSecret(ctx, c.ID, time.Duration(overlap)*time.Second, actorCLI)
			if err != nil {
				return clientFault(err)
			}
			if err := a.show(client.Registration(c, secret)); err != nil {
				return err
			}
			if len(c.Secrets) > 1 {
				a.hint("The new client_secret is shown this once and works now. The old one works until %s.", moment(c.Secrets[1].ExpiresAt.Unix()))
			} else {
				a.hint("The new client_secret is shown this once and works now. No other does.")
			}
			return nil
		})
	}
	return cmd
}

// newClientAct makes disable and enable.
func newClientAct(a *app, verb, short string, act func(*client.Registry, context.Context, string, string) (storage.Client, error)) *cobra.Command {
	cmd := &cobra.Command{Use: verb + " ID", Short: short, Args: cobra.ExactArgs(1), Example: "  signet client " + verb + " shop"}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withClient(cmd, args[0], func(ctx context.Context, o *opened, c storage.Client) error {
			c, err := act(o.Clients(), ctx, c.ID, actorCLI)
			if err != nil {
				return err
			}
			return a.show(clientRecordOf(c))
		})
	}
	return cmd
}

func newClientDelete(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "delete ID", Short: "Delete a client with all its grants; there is no way back", Args: cobra.ExactArgs(1),
		Example: "  signet client delete shop",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withClient(cmd, args[0], func(ctx context.Context, o *opened, c storage.Client) error {
			if err := o.Clients().Delete(ctx, c.ID, actorCLI); err != nil {
				return err
			}
			return a.show(removal{ID: c.ID, Removed: 1})
		})
	}
	return cmd
}

// clientFault says in words what the registry answers in codes.
func clientFault(err error) error {
	switch e := oauth.As(err); {
	case e != nil && e.Unwrap() != nil: // who is at the machine may know
		return fail(exitFailed, "%s: %w", e.Description, e.Unwrap())
	case e != nil:
		return fail(exitFailed, "%s", e.Description)
	case errors.Is(err, storage.ErrTaken):
		return fail(exitFailed, "client_id: another client has it; choose another, or leave it out")
	case errors.Is(err, storage.ErrMoved):
		return fail(exitFailed, "somebody else changed the client meanwhile and nothing was written; look at it and try again")
	}
	return err
}
