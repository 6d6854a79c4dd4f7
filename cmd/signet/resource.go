package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

func newResourceCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "resource", RunE: help, Short: "Manage the protected resources that clients ask tokens for",
		Long: "Manage the protected resources that clients ask tokens for (RFC 8707): what their tokens may have, how they are made, and which " +
			"clients may introspect them. RESOURCE is the identifier, an absolute URI. A client asks for those that its registration lists: " +
			"signet client update ID --resource RESOURCE. Those that take any client (--any-client) every client may ask people for.",
	}
	cmd.AddCommand(newResourceCreate(a), newResourceList(a), newResourceShow(a), newResourceUpdate(a), newResourceDelete(a), newResourceMetadata(a))
	return cmd
}

// resourceFlags are a resource's members on the command line.
type resourceFlags struct {
	given storage.ResourceMetadata
	taken map[string]func(*storage.ResourceMetadata) // by flag: carries the member over from given
}

func (f *resourceFlags) register(cmd *cobra.Command) {
	type m = storage.ResourceMetadata
	f.taken = map[string]func(*m){
		"access-token-lifetime": func(to *m) { to.AccessTokenLifetime = f.given.AccessTokenLifetime },
		"client-id":             func(to *m) { to.ClientIDs = f.given.ClientIDs },
		"any-client":            func(to *m) { to.AnyClient = f.given.AnyClient },
	}
	for _, flag := range []struct {
		name, usage string
		member      func(*m) *string
	}{
		{"name", "what people read", func(m *m) *string { return &m.Name }},
		{"scope", "all scopes that its tokens may have, separated by spaces; empty: whatever the client may", func(m *m) *string { return &m.Scope }},
		{"access-token-format", "jwt or opaque, for clients that chose none", func(m *m) *string { return &m.AccessTokenFormat }},
		{"access-token-signed-response-alg", "algorithm of its access tokens, for clients that chose none", func(m *m) *string { return &m.AccessTokenSignedAlg }},
	} {
		cmd.Flags().StringVar(flag.member(&f.given), flag.name, "", flag.usage)
		f.taken[flag.name] = func(to *m) { *flag.member(to) = *flag.member(&f.given) }
	}
	cmd.Flags().Var(secondsFlag{&f.given.AccessTokenLifetime}, "access-token-lifetime", "how long its access tokens live, for clients that chose nothing")
	cmd.Flags().StringArrayVar(&f.given.ClientIDs, "client-id", nil, "client that serves it, and may introspect its tokens (repeatable)")
	cmd.Flags().BoolVar(&f.given.AnyClient, "any-client", false, "every client may ask people for its tokens with its scope, without being registered for it")
}

func (f *resourceFlags) apply(cmd *cobra.Command, m *storage.ResourceMetadata) (any bool) {
	for name, take := range f.taken {
		if cmd.Flags().Changed(name) {
			take(m)
			any = true
		}
	}
	return any
}

func newResourceCreate(a *app) *cobra.Command {
	var flags resourceFlags
	cmd := &cobra.Command{
		Use: "create RESOURCE", Short: "Register a resource", Args: cobra.ExactArgs(1),
		Example: `  signet resource create https://api.example.com --name Orders --scope "orders:read orders:write" --client-id orders-api
  signet resource create https://mcp.example.com/mcp --name "Our tools" --scope mcp.tools --any-client
  signet resource create https://api.example.com --access-token-format opaque --access-token-lifetime 5m -o json`,
	}
	flags.register(cmd)
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			r, err := o.Resources().Create(ctx, args[0], flags.given, actorCLI)
			if err != nil {
				return resourceFault(err)
			}
			if err := a.show(o.Resources().Information(r)); err != nil {
				return err
			}
			if r.Metadata.AnyClient {
				a.hint("Every client may ask people for it by its name, and for its scope with it. What it serves so that clients find it: signet resource metadata %s", r.Identifier)
			} else {
				a.hint("Let clients ask for it: signet client update ID --resource %s", r.Identifier)
			}
			return nil
		})
	}
	return cmd
}

func newResourceList(a *app) *cobra.Command {
	var pages pageFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List resources by identifier", Args: cobra.NoArgs,
		Example: "  signet resource list\n  signet resource list -o json",
	}
	pages.register(cmd, "identifier")
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := pages.check(); err != nil {
			return err
		}
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			found, err := o.Resources().List(ctx, pages.after, pages.limit+1)
			if err != nil {
				return err
			}
			found = page(a, pages, found, "signet resource list", func(r storage.Resource) string { return r.Identifier })
			var records []client.ResourceInformation
			for _, r := range found {
				records = append(records, o.Resources().Information(r))
			}
			return list(a, records, []string{"RESOURCE", "NAME", "SCOPE", "ANY_CLIENT", "CLIENT_IDS"}, func(i client.ResourceInformation) []string {
				return []string{i.Resource, i.Name, i.Scope, strconv.FormatBool(i.AnyClient), strings.Join(i.ClientIDs, ",")}
			})
		})
	}
	return cmd
}

func newResourceShow(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "show RESOURCE", Short: "Show a resource", Args: cobra.ExactArgs(1), Example: "  signet resource show https://api.example.com -o json",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withResource(cmd, args[0], func(_ context.Context, o *opened, r storage.Resource) error {
			return a.show(o.Resources().Information(r))
		})
	}
	return cmd
}

func newResourceUpdate(a *app) *cobra.Command {
	var flags resourceFlags
	cmd := &cobra.Command{
		Use: "update RESOURCE", Short: "Change members of a resource; the others stay", Args: cobra.ExactArgs(1),
		Example: `  signet resource update https://api.example.com --scope "orders:read" --access-token-lifetime 5m`,
	}
	flags.register(cmd)
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withResource(cmd, args[0], func(ctx context.Context, o *opened, r storage.Resource) error {
			metadata := r.Metadata
			if !flags.apply(cmd, &metadata) {
				return fail(exitUsage, "nothing to change: give at least one member; see 'signet resource update --help'")
			}
			updated, err := o.Resources().Update(ctx, r, metadata, actorCLI)
			if err != nil {
				return resourceFault(err)
			}
			return a.show(o.Resources().Information(updated))
		})
	}
	return cmd
}

func newResourceDelete(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "delete RESOURCE", Short: "Delete a resource and its rules; clients that list it may still ask for it", Args: cobra.ExactArgs(1),
		Example: "  signet resource delete https://api.example.com",
	}
	outputFlag(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withResource(cmd, args[0], func(ctx context.Context, o *opened, r storage.Resource) error {
			if err := o.Resources().Delete(ctx, r.Identifier, actorCLI); err != nil {
				return resourceFault(err)
			}
			a.hint("Clients whose registration lists it may still ask for it, now without its rules. To end that: signet client update ID --resource …")
			return a.show(removal{ID: r.Identifier, Removed: 1})
		})
	}
	return cmd
}

// withResource is with for commands about one resource.
func (a *app) withResource(cmd *cobra.Command, identifier string, act func(context.Context, *opened, storage.Resource) error) error {
	return a.with(cmd, func(ctx context.Context, o *opened) error {
		found, err := o.Resources().Find(ctx, identifier)
		if errors.Is(err, storage.ErrNotFound) {
			return fail(exitNotFound, "there is no resource %q; 'signet resource list' shows all", identifier)
		}
		if err != nil {
			return err
		}
		return act(ctx, o, found)
	})
}

// resourceFault says in words what the registry answers in codes.
func resourceFault(err error) error {
	switch e := oauth.As(err); {
	case e != nil:
		return fail(exitFailed, "%s", e.Description)
	case errors.Is(err, storage.ErrTaken):
		return fail(exitFailed, "resource: it is registered already; change it with 'signet resource update'")
	case errors.Is(err, storage.ErrNotFound):
		return fail(exitNotFound, "somebody else deleted the resource meanwhile")
	case errors.Is(err, storage.ErrMoved):
		return fail(exitFailed, "somebody else changed the resource meanwhile and nothing was written; look at it and try again")
	}
	return err
}
