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

// aim applies the rules of the registered resources in audience. What they do not define is taken from the scope; a request that
// named a scope and is left with none of it is refused.
func (e *Endpoint) aim(ctx context.Context, q *request, scope, audience []string) (target, error) {
	resources, err := e.resources(ctx, audience)
	if err != nil {
		return target{}, err
	}
	form, err := e.Clients.Form(q.caller.Client, resources)
	if err != nil {
		return target{}, err
	}
	defined := e.defined(scope, audience, resources)
	if len(defined) == 0 && len(scope) > 0 && q.params.Get("scope") != "" {
		return target{}, oauth.Errorf(oauth.InvalidScope, "none of the scope is defined by the resource that was asked for")
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

// defined is what of scope the resources of audience define between them; the provider's own scopes always stay. A resource that
// defines none, or that nobody registered, sets no limit.
func (e *Endpoint) defined(scope, audience []string, resources []storage.Resource) []string {
	allowed, limited := oauth.UserScopes(), false
	for _, identifier := range audience {
		if identifier == e.IssuerURL {
			continue
		}
		i := slices.IndexFunc(resources, func(r storage.Resource) bool { return r.Identifier == identifier })
		if i < 0 || resources[i].Metadata.Scope == "" {
			return scope
		}
		allowed, limited = append(allowed, strings.Fields(resources[i].Metadata.Scope)...), true
	}
	if !limited {
		return scope
	}
	return intersect(scope, allowed)
}

// serves reports whether the client serves one of the resources.
func serves(clientID string, resources []storage.Resource) bool {
	return slices.ContainsFunc(resources, func(r storage.Resource) bool { return slices.Contains(r.Metadata.ClientIDs, clientID) })
}
