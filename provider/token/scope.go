package token

import (
	"net/url"
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// requestedScope is the scope that the request asks for, within what registered allows: all of it where none was named.
func requestedScope(p oauth.Params, registered []string) ([]string, error) {
	if p.Get("scope") == "" {
		return registered, nil
	}
	scope, err := oauth.ParseScope(p.Get("scope"))
	if err != nil {
		return nil, err
	}
	if !oauth.Within(scope, registered) {
		return nil, oauth.Errorf(oauth.InvalidScope, "the scope has a value that this client is not registered for")
	}
	return scope, nil
}

// registeredScope is the client's scope as a list. It was validated when it was registered.
func registeredScope(c storage.ClientMetadata) []string { return strings.Fields(c.Scope) }

// requestedAudience is what the token will be good for: the resources that the request names (RFC 8707 §2), which allowed must
// list, and the issuer itself where openid is granted or no resource was named.
func requestedAudience(p oauth.Params, allowed []string, issuer string, scope []string) ([]string, error) {
	var audience []string
	for _, resource := range p.All("resource") {
		if u, err := url.Parse(resource); err != nil || !u.IsAbs() || strings.Contains(resource, "#") {
			return nil, oauth.Errorf(oauth.InvalidTarget, "a resource must be an absolute URI without a fragment")
		}
		if !slices.Contains(allowed, resource) {
			return nil, oauth.Errorf(oauth.InvalidTarget, "a resource was asked for that this request may not reach")
		}
		if !slices.Contains(audience, resource) {
			audience = append(audience, resource)
		}
	}
	if len(audience) == 0 || (slices.Contains(scope, oauth.ScopeOpenID) && !slices.Contains(audience, issuer)) {
		audience = append(audience, issuer)
	}
	return audience, nil
}

// intersect keeps the elements of some that are in all, in their order.
func intersect(some, all []string) []string {
	kept := make([]string, 0, len(some))
	for _, s := range some {
		if slices.Contains(all, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
