package client

import (
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Audience is what a token will be good for: the resources that the request asks for (RFC 8707 §2), each of which must be in
// allowed, and the issuer itself where openid is granted or no resource was asked for. The error is *oauth.Error, invalid_target.
func Audience(asked, allowed []string, issuer string, scope []string) ([]string, error) {
	var audience []string
	for _, resource := range asked {
		if !targetable(resource) {
			return nil, oauth.Errorf(oauth.InvalidTarget, "a resource must be an absolute URI without a fragment").
				Because(Because("the resource is no absolute URI without a fragment", DetailReceived, oauth.Redact(resource)))
		}
		if !slices.Contains(allowed, resource) {
			return nil, oauth.Errorf(oauth.InvalidTarget, "a resource was asked for that this request may not reach").Because(Beyond("resource", asked, allowed))
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

// Defined is what of scope the resources of audience define between them; the provider's own scopes always stay. A resource that
// defines none, or that nobody registered (those that are registered are resources), sets no limit.
func Defined(scope, audience []string, resources []storage.Resource, issuer string) []string {
	allowed, limited := oauth.UserScopes(), false
	for _, identifier := range audience {
		if identifier == issuer {
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
	return slices.DeleteFunc(slices.Clone(scope), func(s string) bool { return !slices.Contains(allowed, s) })
}
