package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheIssuerDescribesItsOwnAPIs: userinfo's challenge leads to a document that says whose tokens it takes (RFC 9728), at the address
// that RFC 9728 §3.1 has for the issuer.
func TestTheIssuerDescribesItsOwnAPIs(t *testing.T) {
	for issuer, inserted := range map[string]string{
		"https://id.example.com":       "https://id.example.com/.well-known/oauth-protected-resource",
		"https://example.com/a/tenant": "https://example.com/.well-known/oauth-protected-resource/a/tenant",
	} {
		u, err := url.Parse(issuer)
		if err != nil {
			t.Fatal(err)
		}
		b := newBare(t, issuer, true)
		challenge := b.ask(http.MethodGet, u.Path+"/userinfo", nil, nil).Header().Get("WWW-Authenticate")
		if challenge != `Bearer resource_metadata="`+inserted+`"` {
			t.Errorf("challenge %q", challenge)
		}
		refused := b.ask(http.MethodGet, u.Path+"/userinfo", http.Header{"Authorization": {"Bearer x"}}, nil).Header().Get("WWW-Authenticate")
		if !strings.HasPrefix(refused, `Bearer error="invalid_token", `) || !strings.HasSuffix(refused, `, resource_metadata="`+inserted+`"`) {
			t.Errorf("challenge to a bad token %q", refused)
		}
		for _, address := range []string{strings.TrimPrefix(inserted, "https://"+u.Host), u.Path + "/.well-known/oauth-protected-resource"} {
			a := b.ask(http.MethodGet, address, nil, nil)
			var got map[string]any
			if err := json.Unmarshal(a.Body.Bytes(), &got); err != nil || a.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("%s: %d %s", address, a.Code, a.Body)
			}
			if diff := cmp.Diff(map[string]any{
				"resource": issuer, "authorization_servers": []any{issuer}, "jwks_uri": issuer + "/.well-known/jwks.json",
				"scopes_supported":                      []any{"openid", "profile", "email", "address", "phone", "offline_access"},
				"bearer_methods_supported":              []any{"header", "body"},
				"resource_signing_alg_values_supported": []any{"RS256", "PS256", "ES256", "ES384", "EdDSA"},
			}, got); diff != "" {
				t.Errorf("%s of %s:\n%s", address, issuer, diff)
			}
		}
	}
}
