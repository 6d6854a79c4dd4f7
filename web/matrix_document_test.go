package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestTheKeySetIsPublicWholeAndUnambiguous(t *testing.T) {
	each(t, func(w *world) {
		var set struct {
			Keys []map[string]any `json:"keys"`
		}
		a := w.send(http.MethodGet, "/.well-known/jwks.json", nil, "")
		w.must(json.Unmarshal([]byte(a.raw), &set))
		algorithms, kids := map[string]int{}, map[string]int{}
		for _, k := range set.Keys {
			for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "r", "t"} {
				if _, there := k[private]; there {
					t.Errorf("the key set has the private member %q", private)
				}
			}
			members := map[string][]string{"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}}[asText(k["kty"])]
			for _, member := range append(members, "kty", "kid", "alg") {
				if asText(k[member]) == "" {
					t.Errorf("key %v has no %s", k["kid"], member)
				}
			}
			if k["use"] != "sig" || len(k) != len(members)+4 {
				t.Errorf("members of a key: %v", k)
			}
			algorithms[asText(k["alg"])]++
			kids[asText(k["kid"])]++
		}
		for _, alg := range []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"} {
			if algorithms[alg] != 1 {
				t.Errorf("%d keys for %s", algorithms[alg], alg)
			}
		}
		if len(kids) != len(set.Keys) {
			t.Errorf("kids %v", kids)
		}
	})
}

func TestDocumentsAreCachedAndAnswered304ToWhoHasThem(t *testing.T) {
	each(t, func(w *world) {
		for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json"} {
			a := w.send(http.MethodGet, path, nil, "")
			etag := a.header.Get("ETag")
			if a.status != http.StatusOK || len(etag) < 10 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") ||
				!strings.HasPrefix(a.header.Get("Cache-Control"), "public, max-age=") {
				t.Errorf("%s: %d %v", path, a.status, a.header)
			}
			for known, want := range map[string]int{
				etag: 304, "W/" + etag: 304, `"other", ` + etag: 304, "*": 304, `"other"`: 200, strings.Trim(etag, `"`): 200, "": 200,
			} {
				b := w.send(http.MethodGet, path, http.Header{"If-None-Match": {known}}, "")
				if b.status != want || b.header.Get("ETag") != etag || (want == 304) != (b.raw == "") || b.header.Get("Cache-Control") == "" {
					t.Errorf("%s with If-None-Match %s: %d %v", path, known, b.status, b.header)
				}
			}
			if b := w.send(http.MethodHead, path, nil, ""); b.status != http.StatusOK || b.raw != "" || b.header.Get("ETag") != etag {
				t.Errorf("HEAD %s: %d %v", path, b.status, b.header)
			}
		}
	})
}

func TestTokensAndErrorsAreNeverCached(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.confidential()
		issued := w.login(c, "ada")
		for what, a := range map[string]answer{
			"token": issued, "refused token": w.token(c, "grant_type", "nonsense"), "refused client": w.token(app{id: "x"}, "grant_type", "password"),
			"introspection": w.post("/oauth2/introspect", c, form("token", issued.access())), "revocation": w.post("/oauth2/revoke", c, form("token", "x")),
			"userinfo": w.userinfo(issued.access()), "refused userinfo": w.userinfo("x"), "nothing": w.send(http.MethodGet, "/nothing", nil, ""),
			"refused document": w.send(http.MethodPost, "/.well-known/jwks.json", nil, "x=1"),
		} {
			if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Pragma") != "no-cache" {
				t.Errorf("%s: Cache-Control %q, Pragma %q", what, a.header.Get("Cache-Control"), a.header.Get("Pragma"))
			}
			if a.raw != "" && a.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: Content-Type %q", what, a.header.Get("Content-Type"))
			}
		}
		const about = `resource_metadata="` + issuerURL + `/.well-known/oauth-protected-resource"`
		refused := w.userinfo("x")
		if want := `Bearer error="invalid_token", error_description="` + refused.text("error_description") + `", ` + about; refused.header.Get("WWW-Authenticate") != want {
			t.Errorf("challenge %q, want %q", refused.header.Get("WWW-Authenticate"), want)
		}
		if got := w.send(http.MethodGet, "/userinfo", nil, "").header.Get("WWW-Authenticate"); got != "Bearer "+about {
			t.Errorf("challenge to a request without a token: %q (RFC 6750 section 3.1)", got)
		}
	})
}
