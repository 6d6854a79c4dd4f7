package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/bearer"
	"github.com/signet-idp/signet/storage"
)

func newResourceMetadata(a *app) *cobra.Command {
	var documentation string
	cmd := &cobra.Command{
		Use: "metadata RESOURCE", Short: "Print the document that an API serves about itself (RFC 9728)", Args: cobra.ExactArgs(1),
		Long: `Print the document by which clients that know nothing but an API's address find the issuer of its
tokens and its scopes (RFC 9728), from what is registered here. The API serves it as it is, as
application/json, at the address that is told beside it, and names that address in its challenges.
An API in Go that uses provider/bearer needs no file: see Config.Metadata there.`,
		Example: "  signet resource metadata https://api.example.com > oauth-protected-resource.json",
	}
	cmd.Flags().StringVar(&documentation, "documentation", "", "`address` of a page for developers")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withResource(cmd, args[0], func(_ context.Context, o *opened, r storage.Resource) error {
			about := bearer.Metadata{Scopes: strings.Fields(r.Metadata.Scope), Name: r.Metadata.Name}
			if _, _, err := bearer.Describe(o.settings.IssuerURL, r.Identifier, about); err != nil {
				return fail(exitFailed, "%q is not an address, and only an address leads to such a document: clients look for it on the API's own host, "+
					"over https (http is for loopback hosts). Register the API by its address: signet resource create https://…", r.Identifier)
			}
			about.Documentation = documentation
			address, document, err := bearer.Describe(o.settings.IssuerURL, r.Identifier, about)
			if err != nil {
				return fail(exitUsage, "--documentation must be an https address, in printable ASCII; see '%s --help'", cmd.CommandPath())
			}
			if err := printJSON(a.stdout, json.RawMessage(document)); err != nil {
				return err
			}
			a.hint("Serve it at:        %s", address)
			a.hint("In each challenge:  WWW-Authenticate: Bearer resource_metadata=%q", address)
			return nil
		})
	}
	return cmd
}
