package token

import (
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/client"
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
		return nil, oauth.Errorf(oauth.InvalidScope, "the scope has a value that this client is not registered for").
			Because(client.Beyond("scope", scope, registered))
	}
	return scope, nil
}

// registeredScope is the client's scope as a list. It was validated when it was registered.
func registeredScope(c storage.ClientMetadata) []string { return strings.Fields(c.Scope) }

// requestedAudience is what the token that the request asks for will be good for: see client.Audience.
func requestedAudience(p oauth.Params, allowed []string, issuer string, scope []string) ([]string, error) {
	return client.Audience(p.All("resource"), allowed, issuer, scope)
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
