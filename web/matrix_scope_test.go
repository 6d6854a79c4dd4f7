package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

const (
	apiOne = "https://one.example.com/api"
	apiTwo = "urn:example:two"
)

func reaches(m *storage.ClientMetadata) { m.Resources = []string{apiOne, apiTwo} }

// audience is what introspection says of a token's aud.
func (w *world) audience(c app, token string) (aud []string) {
	w.Helper()
	switch member := w.post("/oauth2/introspect", c, form("token", token)).body["aud"].(type) {
	case string:
		aud = []string{member}
	case []any:
		for _, each := range member {
			aud = append(aud, fmt.Sprint(each))
		}
	}
	return aud
}

func TestScopeIsWhatWasAskedForWithinTheRegistration(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		registered := allScopes + " api:read api:write"
		for format, edit := range map[string]func(*storage.ClientMetadata){"jwt": posts, "opaque": opaque} {
			c := w.confidential(edit)
			for _, v := range []struct {
				grant, scope, want, code string
			}{
				{"password", "", registered, ""},
				{"password", "  ", "", ""},
				{"password", "api:read", "api:read", ""},
				{"password", "email openid", "email openid", ""},
				{"password", "openid openid  email", "openid email", ""},
				{"password", registered, registered, ""},
				{"password", "admin", "", "invalid_scope"},
				{"password", "openid admin", "", "invalid_scope"},
				{"password", "OPENID", "", "invalid_scope"},
				{"password", "openid\temail", "", "invalid_scope"},
				{"password", `api:read"`, "", "invalid_scope"},
				{"password", "openid,email", "", "invalid_scope"},
				{"password", "é", "", "invalid_scope"},
				{"password", strings.Repeat("x", 3000), "", "invalid_scope"},
				{"client_credentials", "", "api:read api:write", ""},
				{"client_credentials", "api:write", "api:write", ""},
				{"client_credentials", "openid", "", "invalid_scope"},
				{"client_credentials", "offline_access", "", "invalid_scope"},
				{"client_credentials", "api:read email", "", "invalid_scope"},
				{"client_credentials", "admin", "", "invalid_scope"},
			} {
				a := w.token(c, "grant_type", v.grant, "username", "ada", "password", password, "scope", v.scope)
				if v.code != "" {
					w.want(a, http.StatusBadRequest, v.code)
					continue
				}
				w.want(a, http.StatusOK, "")
				if a.text("scope") != v.want {
					t.Errorf("%s with scope %q answers %q, want %q", v.grant, v.scope, a.text("scope"), v.want)
				}
				if seen := w.post("/oauth2/introspect", c, form("token", a.access())).text("scope"); seen != v.want {
					t.Errorf("%s %s token with scope %q has %q, want %q", format, v.grant, v.scope, seen, v.want)
				}
				if openid := slices.Contains(strings.Fields(v.want), "openid"); (a.text("id_token") != "") != openid {
					t.Errorf("%s with scope %q: ID token %q", v.grant, v.scope, a.text("id_token"))
				}
			}
		}
	})
}

func TestRefreshNarrowsOneAccessTokenAndNeverWidens(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		for _, c := range []app{w.confidential(), w.confidential(opaque), w.confidential(static)} {
			a := w.login(c, "ada", "scope", "openid email api:read")
			narrow := w.refreshWith(c, a.refresh(), "scope", "api:read")
			w.want(narrow, http.StatusOK, "")
			if narrow.text("scope") != "api:read" {
				t.Errorf("asked for api:read, got %q", narrow.text("scope"))
			}
			w.want(w.userinfo(narrow.access()), http.StatusForbidden, "insufficient_scope")
			for _, wider := range []string{"api:write", "openid profile", "openid email api:read offline_access", "admin"} {
				w.want(w.refreshWith(c, narrow.refresh(), "scope", wider), http.StatusBadRequest, "invalid_scope")
			}
			w.want(w.refreshWith(c, narrow.refresh(), "scope", `bad"scope`), http.StatusBadRequest, "invalid_scope")
			whole := w.refreshWith(c, narrow.refresh()) // the grant is as wide as it was
			w.want(whole, http.StatusOK, "")
			if whole.text("scope") != "openid email api:read" {
				t.Errorf("after narrowing once the grant has %q", whole.text("scope"))
			}
			w.want(w.userinfo(whole.access()), http.StatusOK, "")
		}
	})
}

func TestAudienceIsTheResourcesAskedForAndTheIssuerWithOpenID(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		for _, c := range []app{w.confidential(reaches), w.confidential(reaches, opaque)} {
			for _, v := range []struct {
				scope     string
				resources []string
				want      []string // nil: refused
			}{
				{"openid", nil, []string{issuerURL}},
				{"api:read", nil, []string{issuerURL}},
				{"api:read", []string{apiOne}, []string{apiOne}},
				{"api:read", []string{apiOne, apiTwo, apiOne, ""}, []string{apiOne, apiTwo}},
				{"openid", []string{apiTwo}, []string{apiTwo, issuerURL}},
				{"openid", []string{apiOne, apiTwo}, []string{apiOne, apiTwo, issuerURL}},
				{"api:read", []string{apiOne + "/"}, nil},
				{"api:read", []string{apiOne, "https://three.example.com"}, nil},
				{"api:read", []string{apiOne + "#x"}, nil},
				{"api:read", []string{"relative"}, nil},
				{"api:read", []string{"HTTPS://one.example.com/api"}, nil},
			} {
				pairs := []string{"grant_type", "password", "username", "ada", "password", password, "scope", v.scope}
				for _, r := range v.resources {
					pairs = append(pairs, "resource", r)
				}
				a := w.token(c, pairs...)
				if v.want == nil {
					w.want(a, http.StatusBadRequest, "invalid_target")
					continue
				}
				w.want(a, http.StatusOK, "")
				if got := w.audience(c, a.access()); !slices.Equal(got, v.want) {
					t.Errorf("scope %s with %v: aud %v, want %v", v.scope, v.resources, got, v.want)
				}
				if slices.Contains(v.want, issuerURL) {
					continue
				}
				w.want(w.userinfo(a.access()), http.StatusUnauthorized, "invalid_token") // not its audience
			}
			own := w.token(c, "grant_type", "client_credentials", "resource", apiTwo)
			if got := w.audience(c, own.access()); !slices.Equal(got, []string{apiTwo}) {
				t.Errorf("client credentials for %s: aud %v", apiTwo, got)
			}
		}
	})
}

func TestRefreshReachesNoResourceBeyondTheGrant(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.confidential(reaches)
		a := w.login(c, "ada", "scope", "openid api:read", "resource", apiOne)
		w.want(w.refreshWith(c, a.refresh(), "resource", apiTwo), http.StatusBadRequest, "invalid_target")
		a = w.refreshWith(c, a.refresh())
		if got := w.audience(c, a.access()); !slices.Equal(got, []string{apiOne, issuerURL}) {
			t.Errorf("refreshed: aud %v", got)
		}
		a = w.refreshWith(c, a.refresh(), "scope", "api:read", "resource", apiOne)
		if got := w.audience(c, a.access()); !slices.Equal(got, []string{apiOne}) {
			t.Errorf("narrowed: aud %v", got)
		}
		a = w.refreshWith(c, a.refresh())
		if got := w.audience(c, a.access()); !slices.Equal(got, []string{apiOne, issuerURL}) {
			t.Errorf("after narrowing once: aud %v", got)
		}
	})
}

func TestARefreshTokenGoesToClientsThatRefreshAlone(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		once := w.confidential(func(m *storage.ClientMetadata) { m.GrantTypes = []string{"password"} })
		a := w.login(once, "ada")
		if a.refresh() != "" {
			t.Error("a client that does not refresh got a refresh token")
		}
		w.want(w.refreshWith(once, "srt_x"), http.StatusBadRequest, "unauthorized_client")
		w.want(w.token(once, "grant_type", "client_credentials"), http.StatusBadRequest, "unauthorized_client")
		w.want(w.token(w.public(), "grant_type", "client_credentials"), http.StatusBadRequest, "unauthorized_client")
		w.want(w.token(once, "grant_type", "authorization_code"), http.StatusBadRequest, "unauthorized_client")
		w.want(w.token(once, "grant_type", "urn:ietf:params:oauth:grant-type:device_code"), http.StatusBadRequest, "unauthorized_client")
		w.want(w.token(once, "grant_type", "implicit"), http.StatusBadRequest, "unsupported_grant_type")
		w.want(w.token(once, "grant_type", "PASSWORD"), http.StatusBadRequest, "unsupported_grant_type")
		w.clock.Advance(15 * time.Minute)
		if w.active(once, a.access()) {
			t.Error("its access token outlives the grant")
		}
	})
}
