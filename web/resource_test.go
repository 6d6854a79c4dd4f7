package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

// resource registers a protected resource.
func (w *world) resource(identifier string, m storage.ResourceMetadata) {
	w.Helper()
	_, err := w.provider.Resources().Create(w.Context(), identifier, m, "test")
	w.must(err)
}

func TestAResourceLimitsTheScopeToWhatItDefines(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		w.resource(apiOne, storage.ResourceMetadata{Scope: "api:read other"})
		w.resource(apiTwo, storage.ResourceMetadata{Scope: "api:write"})
		c := w.confidential(reaches, func(m *storage.ClientMetadata) { m.Resources = append(m.Resources, "urn:example:bare") })
		for _, v := range []struct {
			grant, scope string
			resources    []string
			want, code   string
		}{
			{"client_credentials", "", []string{apiOne}, "api:read", ""},
			{"client_credentials", "", []string{apiTwo}, "api:write", ""},
			{"client_credentials", "", []string{apiOne, apiTwo}, "api:read api:write", ""},
			{"client_credentials", "api:read api:write", []string{apiOne}, "api:read", ""},
			{"client_credentials", "api:write", []string{apiOne}, "", "invalid_scope"},
			{"client_credentials", "other", []string{apiOne}, "", "invalid_scope"}, // defined there, and not the client's
			{"client_credentials", "", nil, "api:read api:write", ""},
			{"client_credentials", "", []string{"urn:example:bare"}, "api:read api:write", ""},
			{"client_credentials", "", []string{apiOne, "urn:example:bare"}, "api:read api:write", ""},
			{"client_credentials", "", []string{"urn:example:unknown"}, "", "invalid_target"},
			{"password", "openid email api:read api:write", []string{apiOne}, "openid email api:read", ""},
			{"password", "api:write", []string{apiOne}, "", "invalid_scope"},
		} {
			pairs := []string{"grant_type", v.grant, "username", "ada", "password", password, "scope", v.scope}
			for _, r := range v.resources {
				pairs = append(pairs, "resource", r)
			}
			a := w.token(c, pairs...)
			if v.code != "" {
				w.want(a, http.StatusBadRequest, v.code)
				continue
			}
			w.want(a, http.StatusOK, "")
			if seen := w.post("/oauth2/introspect", c, form("token", a.access())).text("scope"); a.text("scope") != v.want || seen != v.want {
				t.Errorf("%s %q for %v: scope %q, seen %q, want %q", v.grant, v.scope, v.resources, a.text("scope"), seen, v.want)
			}
		}
	})
}

func TestAResourceSaysHowItsTokensAreMadeWhereTheClientDoesNot(t *testing.T) {
	each(t, func(w *world) {
		w.resource("urn:jwt", storage.ResourceMetadata{AccessTokenFormat: "jwt", AccessTokenSignedAlg: "EdDSA", AccessTokenLifetime: 60})
		w.resource("urn:rsa", storage.ResourceMetadata{AccessTokenSignedAlg: "PS256", AccessTokenLifetime: 600})
		w.resource("urn:opaque", storage.ResourceMetadata{AccessTokenFormat: "opaque"})
		w.resource("urn:any", storage.ResourceMetadata{})
		all := func(m *storage.ClientMetadata) { m.Resources = []string{"urn:jwt", "urn:rsa", "urn:opaque", "urn:any"} }
		free := w.confidential(all)
		sealed := w.confidential(all, opaque)
		own := w.confidential(all, func(m *storage.ClientMetadata) {
			m.AccessTokenFormat, m.AccessTokenSignedAlg, m.AccessTokenLifetime = "jwt", "RS256", 120
		})
		for _, v := range []struct {
			c         app
			resources string
			alg       string // "": opaque, "-": refused
			expires   float64
		}{
			{free, "urn:any", "ES256", 900},
			{free, "urn:jwt", "EdDSA", 60},
			{free, "urn:jwt urn:any", "EdDSA", 60},
			{free, "urn:rsa", "PS256", 600},
			{free, "urn:opaque", "", 900},
			{free, "urn:opaque urn:any", "", 900},
			{free, "urn:rsa urn:opaque", "", 600},
			{free, "urn:jwt urn:opaque", "-", 0},
			{free, "urn:opaque urn:jwt", "-", 0},
			{free, "urn:jwt urn:rsa", "-", 0},
			{sealed, "urn:jwt", "", 60},
			{sealed, "urn:jwt urn:rsa urn:opaque", "", 60},
			{own, "urn:opaque", "RS256", 120},
			{own, "urn:jwt urn:rsa urn:opaque", "RS256", 120},
		} {
			pairs := []string{"grant_type", "client_credentials"}
			for r := range strings.FieldsSeq(v.resources) {
				pairs = append(pairs, "resource", r)
			}
			a := w.token(v.c, pairs...)
			if v.alg == "-" {
				w.want(a, http.StatusBadRequest, "invalid_target")
				if !strings.Contains(a.text("error_description"), "a token for each") {
					t.Errorf("%s: %s", v.resources, a.raw)
				}
				continue
			}
			w.want(a, http.StatusOK, "")
			if got := algorithmOf(a.access()); got != v.alg || a.body["expires_in"] != v.expires {
				t.Errorf("%s: algorithm %q for %v s, want %q for %v", v.resources, got, a.body["expires_in"], v.alg, v.expires)
			}
		}
	})
}

// algorithmOf is the alg of a JWT's header, "" of an opaque token.
func algorithmOf(token string) string {
	for _, alg := range []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"} {
		header, _, isJWT := strings.Cut(token, ".")
		if isJWT && strings.HasPrefix(header, b64([]byte(`{"alg":"` + alg + `"`))[:18]) {
			return alg
		}
	}
	return ""
}

func TestWhoServesAResourceMayIntrospectItsTokensAndNoOthers(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		one, two := w.confidential(), w.confidential()
		w.resource(apiOne, storage.ResourceMetadata{ClientIDs: []string{one.id}})
		w.resource(apiTwo, storage.ResourceMetadata{ClientIDs: []string{two.id}})
		for _, format := range []func(*storage.ClientMetadata){func(*storage.ClientMetadata) {}, opaque} {
			c := w.confidential(reaches, format)
			tokens := map[string]answer{
				"one": w.login(c, "ada", "scope", "api:read", "resource", apiOne), "two": w.login(c, "ada", "scope", "api:read", "resource", apiTwo),
				"both":   w.token(c, "grant_type", "client_credentials", "resource", apiOne, "resource", apiTwo),
				"issuer": w.login(c, "ada", "scope", "openid"),
			}
			for name, mine := range map[string]struct{ one, two bool }{"one": {true, false}, "two": {false, true}, "both": {true, true}, "issuer": {}} {
				if got := w.active(one, tokens[name].access()); got != mine.one {
					t.Errorf("the server of the first resource sees the token for %s active: %v", name, got)
				}
				if got := w.active(two, tokens[name].access()); got != mine.two {
					t.Errorf("the server of the second resource sees the token for %s active: %v", name, got)
				}
				if !w.active(c, tokens[name].access()) {
					t.Errorf("the owner sees the token for %s inactive", name)
				}
			}
			if w.active(one, tokens["one"].refresh()) {
				t.Error("a resource server learns of a refresh token")
			}
			w.want(w.post("/oauth2/revoke", one, form("token", tokens["one"].access())), http.StatusOK, "")
			if !w.active(one, tokens["one"].access()) {
				t.Error("a resource server revoked a client's token")
			}
		}
		found, err := w.provider.Resources().Find(w.Context(), apiOne)
		w.must(err)
		token := w.token(w.confidential(reaches), "grant_type", "client_credentials", "resource", apiOne)
		_, err = w.provider.Resources().Update(w.Context(), found, storage.ResourceMetadata{}, "test")
		w.must(err)
		if w.active(one, token.access()) {
			t.Error("who serves a resource no longer still sees its tokens")
		}
	})
}

func TestRefreshNarrowsToAResourceAndItsRulesAndNeverWidens(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		w.resource(apiOne, storage.ResourceMetadata{Scope: "api:read", AccessTokenFormat: "opaque"})
		w.resource(apiTwo, storage.ResourceMetadata{Scope: "api:write", AccessTokenFormat: "opaque"})
		c := w.confidential(reaches, balanced)
		a := w.login(c, "ada", "scope", "openid api:read api:write", "resource", apiOne, "resource", apiTwo)
		narrow := w.refreshWith(c, a.refresh(), "resource", apiOne, "scope", "api:read")
		w.want(narrow, http.StatusOK, "")
		if got := w.audience(c, narrow.access()); !slices.Equal(got, []string{apiOne}) || narrow.text("scope") != "api:read" {
			t.Errorf("narrowed to %v, scope %q", got, narrow.text("scope"))
		}
		w.want(w.refreshWith(c, narrow.refresh(), "resource", apiOne, "scope", "api:write"), http.StatusBadRequest, "invalid_scope")
		w.want(w.refreshWith(c, narrow.refresh(), "resource", "urn:example:other"), http.StatusBadRequest, "invalid_target")
		single := w.login(c, "ada", "scope", "api:read", "resource", apiOne)
		w.want(w.refreshWith(c, single.refresh(), "resource", apiTwo), http.StatusBadRequest, "invalid_target")
		whole := w.refreshWith(c, narrow.refresh())
		w.want(whole, http.StatusOK, "")
		if whole.text("scope") != "openid api:read api:write" || algorithmOf(whole.access()) != "" {
			t.Errorf("after narrowing once: %s", whole.raw)
		}

		// What a resource defines no longer is in no token that is refreshed, and seen in none that is there.
		found, err := w.provider.Resources().Find(w.Context(), apiOne)
		w.must(err)
		_, err = w.provider.Resources().Update(w.Context(), found, storage.ResourceMetadata{Scope: "api:other"}, "test")
		w.must(err)
		if got := w.post("/oauth2/introspect", c, form("token", whole.access())).text("scope"); got != "openid api:write" {
			t.Errorf("introspection says %q", got)
		}
		if got := w.refreshWith(c, whole.refresh()).text("scope"); got != "openid api:write" {
			t.Errorf("refreshed: %q", got)
		}
	})
}

func TestTheSecondFactorKeepsToTheResource(t *testing.T) {
	each(t, func(w *world) {
		seed, _ := w.enrol(w.user("grace"))
		w.resource(apiOne, storage.ResourceMetadata{Scope: "api:read", AccessTokenFormat: "opaque", AccessTokenLifetime: 60})
		c := w.confidential(reaches)
		half := w.token(c, "grant_type", "password", "username", "grace", "password", password, "resource", apiOne, "scope", "api:read api:write")
		w.want(half, http.StatusBadRequest, "mfa_required")
		a := w.redeem(c, half.text("mfa_token"), w.code(seed))
		w.want(a, http.StatusOK, "")
		if a.text("scope") != "api:read" || algorithmOf(a.access()) != "" || a.body["expires_in"] != 60.0 {
			t.Errorf("got %s", a.raw)
		}
	})
}
