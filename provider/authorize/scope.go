package authorize

import (
	"context"
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// parseScope reads scope and resource. What is out of the client's reach is left out of the scope (RFC 6749 §3.3); where that is
// absent, it is all within reach.
func (d *Door) parseScope(r *Request, c storage.Client, reach client.Reach, p oauth.Params) *oauth.Error {
	for _, resource := range p.All("resource") {
		switch {
		case resource == d.IssuerURL:
			r.AtIssuer = true
		case !slices.Contains(r.Resources, resource):
			r.Resources = append(r.Resources, resource)
		}
	}
	asked := reach.All(r.Resources)
	if text := p.Get("scope"); text != "" {
		var err error
		if asked, err = oauth.ParseScope(text); err != nil {
			return oauth.As(err)
		}
	}
	r.Scope = withinReach(c, reach, asked, r.Resources)
	if len(r.Scope) == 0 && len(asked) > 0 {
		return oauth.Errorf(oauth.InvalidScope, "this client is registered for none of the scope; a scope that belongs to a resource must come with that resource")
	}
	_, fault := d.audience(reach, *r)
	return fault
}

// withinReach is what of scope the client may have with the resources; offline_access means nothing to one that gets no refresh tokens.
func withinReach(c storage.Client, reach client.Reach, scope, resources []string) []string {
	may := reach.Scope(scope, resources)
	if !slices.Contains(c.Metadata.GrantTypes, oauth.GrantRefreshToken) {
		may = except(may, []string{oauth.ScopeOfflineAccess})
	}
	return may
}

// reach is how far the client may go with a request that names these resources and this scope.
func (d *Door) reach(ctx context.Context, c storage.Client, resources, scope []string) (client.Reach, error) {
	return client.AskingPeople(ctx, d.Store, c.Metadata, d.IssuerURL, resources, scope)
}

// asked is reach for a request as it came.
func (d *Door) asked(ctx context.Context, c storage.Client, p oauth.Params) (client.Reach, error) {
	return d.reach(ctx, c, p.All("resource"), strings.Fields(p.Get("scope")))
}

// audience is what the tokens of r will be good for (RFC 8707).
func (d *Door) audience(reach client.Reach, r Request) ([]string, *oauth.Error) {
	resources := r.Resources
	if r.AtIssuer {
		resources = append(slices.Clone(resources), d.IssuerURL)
	}
	audience, err := client.Audience(resources, reach.Audience(resources), d.IssuerURL, r.Scope)
	if err != nil {
		return nil, oauth.As(err)
	}
	return audience, nil
}
