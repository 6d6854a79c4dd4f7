package token

import (
	"context"
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// target is what an access token is made for: who shall take it, what it may do there, and its form.
type target struct {
	scope    []string
	audience []string
	form     client.TokenForm
}

// reach is how far the request's client may go with what a person gave it.
func (e *Endpoint) reach(ctx context.Context, c storage.Client, g storage.Grant) (client.Reach, error) {
	return client.AskingPeople(ctx, e.Store, c.Metadata, e.IssuerURL, g.Audience, g.Scope)
}

// aim applies the rules of the registered resources in audience. What they do not define is taken from the scope, and what one of them
// lends that is not among them; a request that named a scope and is left with none of it is refused.
func (e *Endpoint) aim(ctx context.Context, q *request, reach client.Reach, scope, audience []string) (target, error) {
	resources, known := reach.Read(audience)
	if !known {
		var err error
		if resources, err = e.resources(ctx, audience); err != nil {
			return target{}, err
		}
	}
	form, err := e.Clients.Form(q.caller.Client, resources)
	if err != nil {
		return target{}, err
	}
	defined := client.Defined(reach.Scope(scope, audience), audience, resources, e.IssuerURL)
	if len(defined) == 0 && len(scope) > 0 && q.params.Get("scope") != "" {
		return target{}, oauth.Errorf(oauth.InvalidScope, "none of the scope is defined by the resource that was asked for").
			Because(client.Because("the resource defines none of the scope", "scope", strings.Join(scope, " "), "resource", strings.Join(audience, " ")))
	}
	return target{scope: defined, audience: audience, form: form}, nil
}

// resources reads the registered resources of an audience.
func (e *Endpoint) resources(ctx context.Context, audience []string) ([]storage.Resource, error) {
	named := slices.DeleteFunc(slices.Clone(audience), func(a string) bool { return a == e.IssuerURL })
	if len(named) == 0 {
		return nil, nil
	}
	return e.Store.FindResources(ctx, named)
}

// serves reports whether the client serves one of the resources.
func serves(clientID string, resources []storage.Resource) bool {
	return slices.ContainsFunc(resources, func(r storage.Resource) bool { return slices.Contains(r.Metadata.ClientIDs, clientID) })
}
