package authorize

import (
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// parseScope reads scope and resource. What the client is not registered for is left out (RFC 6749 §3.3); where scope is absent, it
// is all that the client is registered for.
func (d *Door) parseScope(r *Request, c storage.Client, p oauth.Params) *oauth.Error {
	asked := c.Metadata.Scope
	if text := p.Get("scope"); text != "" {
		asked = text
	}
	scope, err := oauth.ParseScope(asked)
	if err != nil {
		return oauth.As(err)
	}
	r.Scope = registeredOf(c, scope)
	if len(r.Scope) == 0 && len(scope) > 0 {
		return oauth.Errorf(oauth.InvalidScope, "this client is registered for none of the scope")
	}
	for _, resource := range p.All("resource") {
		if !slices.Contains(r.Resources, resource) {
			r.Resources = append(r.Resources, resource)
		}
	}
	_, fault := d.audience(c, *r)
	return fault
}

// registeredOf is what of scope the client may have; offline_access means nothing to one that gets no refresh tokens.
func registeredOf(c storage.Client, scope []string) []string {
	registered, refreshes := strings.Fields(c.Metadata.Scope), slices.Contains(c.Metadata.GrantTypes, oauth.GrantRefreshToken)
	var may []string
	for _, s := range scope {
		if contains(registered, s) && (s != oauth.ScopeOfflineAccess || refreshes) {
			may = append(may, s)
		}
	}
	return may
}

// audience is what the tokens of r will be good for (RFC 8707).
func (d *Door) audience(c storage.Client, r Request) ([]string, *oauth.Error) {
	audience, err := client.Audience(r.Resources, c.Metadata.Resources, d.IssuerURL, r.Scope)
	if err != nil {
		return nil, oauth.As(err)
	}
	return audience, nil
}
