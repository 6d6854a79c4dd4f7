package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/signet-idp/signet/provider/oauth"
)

// pathProtectedResource goes between host and path of a resource (RFC 9728 §3.1).
const pathProtectedResource = "/.well-known/oauth-protected-resource"

// describe makes the document about the APIs of this issuer itself (RFC 9728 §2), which are one resource: that whose identifier is the
// issuer. Its keys are the issuer's, by which answers of userinfo are signed.
func (p *Provider) describe() (*document, error) {
	body, err := json.Marshal(map[string]any{
		"resource":                              p.config.Issuer,
		"authorization_servers":                 []string{p.config.Issuer},
		"jwks_uri":                              p.config.Issuer + pathJWKS,
		"scopes_supported":                      oauth.UserScopes(),
		"bearer_methods_supported":              []string{"header", "body"},
		"resource_signing_alg_values_supported": p.ring.Algorithms(),
	})
	if err != nil {
		return nil, fmt.Errorf("encode the description of this resource: %w", err)
	}
	return newDocument(body), nil
}

// aboutURL is where clients look for that document, as challenges name it.
func aboutURL(issuer string) string {
	path := issuerPath(issuer)
	return strings.TrimSuffix(issuer, path) + pathProtectedResource + path
}

func (p *Provider) serveProtectedResource(w http.ResponseWriter, r *http.Request) error {
	p.described.serve(w, r)
	return nil
}
