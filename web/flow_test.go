package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestPasswordGrantGivesATokenPairThatWorks(t *testing.T) {
	each(t, func(w *world) {
		c, u := w.confidential(), w.user("ada")
		a := w.login(c, "ada")
		if a.refresh() == "" || a.access() == "" || a.text("id_token") == "" || a.text("token_type") != "Bearer" || a.body["expires_in"] != 900.0 {
			t.Fatalf("answer %s", a.raw)
		}
		if got := a.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q", got)
		}
		seen := w.post("/oauth2/introspect", c, form("token", a.access()))
		for member, want := range map[string]any{
			"active": true, "sub": u.ID.String(), "username": "ada", "client_id": c.id, "aud": issuerURL, "iss": issuerURL, "token_type": "Bearer",
		} {
			if seen.body[member] != want {
				t.Errorf("introspection %s is %v, want %v", member, seen.body[member], want)
			}
		}
		if !w.active(c, a.refresh()) {
			t.Error("the refresh token is not active")
		}
	})
}

func TestStrictReplayEndsTheFamily(t *testing.T) {
	each(t, func(w *world) {
		c := w.confidential(strict)
		w.user("ada")
		first := w.login(c, "ada")
		second := w.refreshWith(c, first.refresh())
		w.want(second, http.StatusOK, "")
		w.want(w.refreshWith(c, first.refresh()), http.StatusBadRequest, "invalid_grant")
		w.want(w.refreshWith(c, second.refresh()), http.StatusBadRequest, "invalid_grant")
		for _, token := range []string{first.access(), second.access(), first.refresh(), second.refresh()} {
			if w.active(c, token) {
				t.Error("a token of the revoked grant is active")
			}
		}
		events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "grant.reuse", Limit: 10})
		w.must(err)
		if len(events) != 1 || events[0].Seen.Address == "" || events[0].Detail["last_address"] == "" {
			t.Errorf("audit events of the reuse: %+v", events)
		}
	})
}

func TestBalancedRetryAndSecondTabGetTheSameToken(t *testing.T) {
	each(t, func(w *world) {
		c := w.public()
		w.user("ada")
		first := w.login(c, "ada")
		second := w.refreshWith(c, first.refresh())
		w.clock.Advance(59 * time.Second)
		again := w.refreshWith(c, first.refresh())
		if again.status != http.StatusOK {
			t.Fatalf("retry: %s", again.raw)
		}
		w.clock.Advance(time.Hour)
		third := w.refreshWith(c, again.refresh())
		w.want(third, http.StatusOK, "")
		w.clock.Advance(time.Hour)
		w.want(w.refreshWith(c, second.refresh()), http.StatusBadRequest, "invalid_grant")
		w.want(w.refreshWith(c, third.refresh()), http.StatusBadRequest, "invalid_grant")
	})
}

func TestSecondFactorInTwoSteps(t *testing.T) {
	each(t, func(w *world) {
		c, u := w.confidential(), w.user("ada")
		secret, recovery := w.enrol(u)
		half := w.token(c, "grant_type", "password", "username", "ada", "password", password)
		w.want(half, http.StatusBadRequest, "mfa_required")
		full := w.token(c, "grant_type", "urn:signet:oauth:grant-type:mfa-otp", "mfa_token", half.text("mfa_token"), "otp", w.code(secret))
		w.want(full, http.StatusOK, "")
		if seen := w.post("/oauth2/introspect", c, form("token", full.access())); seen.text("acr") != "urn:signet:acr:mfa" {
			t.Errorf("acr of a second factor: %s", seen.raw)
		}
		// The code served: neither it nor the mfa_token goes again.
		w.want(w.token(c, "grant_type", "password", "username", "ada", "password", password, "otp", w.code(secret)), http.StatusBadRequest, "invalid_grant")
		w.want(w.token(c, "grant_type", "urn:signet:oauth:grant-type:mfa-otp", "mfa_token", half.text("mfa_token"), "otp", w.code(secret)), http.StatusBadRequest, "invalid_grant")
		w.clock.Advance(30 * time.Second)
		w.want(w.token(c, "grant_type", "password", "username", "ada", "password", password, "otp", w.code(secret)), http.StatusOK, "")
		for range 2 { // a recovery code serves once
			half = w.token(c, "grant_type", "password", "username", "ada", "password", password)
			full = w.token(c, "grant_type", "urn:signet:oauth:grant-type:mfa-otp", "mfa_token", half.text("mfa_token"), "recovery_code", recovery[0])
		}
		w.want(full, http.StatusBadRequest, "invalid_grant")
		w.want(w.token(c, "grant_type", "urn:signet:oauth:grant-type:mfa-otp", "mfa_token", half.text("mfa_token"), "recovery_code", recovery[1]), http.StatusOK, "")
	})
}

func TestClientCredentialsWriteNothingAndNameNobody(t *testing.T) {
	each(t, func(w *world) {
		c := w.confidential()
		a := w.token(c, "grant_type", "client_credentials")
		w.want(a, http.StatusOK, "")
		if a.refresh() != "" || a.text("id_token") != "" || a.text("scope") != "api:read api:write" {
			t.Fatalf("answer %s", a.raw)
		}
		seen := w.post("/oauth2/introspect", c, form("token", a.access()))
		if seen.body["active"] != true || seen.text("sub") != c.id || seen.body["username"] != nil {
			t.Errorf("introspection %s", seen.raw)
		}
		page, _, err := w.store.WalkGrants(t.Context(), storage.ID{}, 10)
		w.must(err)
		if len(page) != 0 {
			t.Errorf("client credentials wrote %d grants", len(page))
		}
		w.want(w.post("/oauth2/revoke", c, form("token", a.access())), http.StatusOK, "")
		if w.active(c, a.access()) {
			t.Error("the revoked token is active")
		}
	})
}

func TestUserinfoShowsWhatTheScopesOpen(t *testing.T) {
	each(t, func(w *world) {
		c, u := w.public(), w.user("ada")
		ask := func(token string) answer {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/userinfo", nil)
			w.must(err)
			r.Header.Set("Authorization", "Bearer "+token)
			return w.do(r)
		}
		full := ask(w.login(c, "ada").access())
		if full.text("sub") != u.ID.String() || full.text("email") != "ada@example.com" || full.text("name") != "Test ada" {
			t.Errorf("userinfo %s", full.raw)
		}
		narrow := ask(w.login(c, "ada", "scope", "openid email").access())
		if narrow.text("email") == "" || narrow.body["name"] != nil {
			t.Errorf("userinfo for email alone: %s", narrow.raw)
		}
		none := ask(w.login(c, "ada", "scope", "api:read").access())
		w.want(none, http.StatusForbidden, "insufficient_scope")
		if none.header.Get("WWW-Authenticate") == "" {
			t.Error("no challenge")
		}
		w.want(ask("nonsense"), http.StatusUnauthorized, "invalid_token")
	})
}
