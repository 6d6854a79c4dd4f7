package token

import (
	"context"
	"slices"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/oauth"
)

// clientCredentials is the grant of a client that acts for itself (RFC 6749 §4.4). It has no row: nothing is written.
func (e *Endpoint) clientCredentials(ctx context.Context, q *request) (*plan, error) {
	if !q.caller.Authenticated {
		return nil, oauth.Errorf(oauth.UnauthorizedClient, "a public client cannot use the client_credentials grant")
	}
	c := q.caller.Client
	registered := slices.DeleteFunc(registeredScope(c.Metadata), func(s string) bool { return slices.Contains(oauth.UserScopes(), s) })
	scope, err := requestedScope(q.params, registered)
	if err != nil {
		return nil, err
	}
	reach := client.Registered(c.Metadata, e.IssuerURL)
	audience, err := requestedAudience(q.params, reach.Audience(q.params.All("resource")), e.IssuerURL, scope)
	if err != nil {
		return nil, err
	}
	to, err := e.aim(ctx, q, reach, scope, audience)
	if err != nil {
		return nil, err
	}
	id, err := newID()
	if err != nil {
		return nil, err
	}
	return &plan{order: issue.Order{
		Client: c, TokenID: id, Scope: to.scope, Audience: to.audience, Form: to.form, Now: q.caller.Now,
	}}, nil
}
