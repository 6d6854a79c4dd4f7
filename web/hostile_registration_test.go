package web_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/register"
	"github.com/signet-idp/signet/storage"
)

// TestWhatRegisteredItselfGetsNothingForItselfOfWhatIsOpenToAll: people alone give that, and the operator's change of mind takes it from
// everybody.
func TestWhatRegisteredItselfGetsNothingForItselfOfWhatIsOpenToAll(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		w.user("ada")
		w.openToAll()
		leave, _ := w.initialToken(storage.RegistrationToken{Scope: "batch"}, 0)
		machine := w.register(leave, object{
			"token_endpoint_auth_method": "client_secret_basic", "grant_types": []string{"authorization_code", "client_credentials"},
			"scope": "openid batch " + mcpScope, "resources": []string{mcpServer},
		})
		w.want(w.token(machine.app, "grant_type", "client_credentials", "resource", mcpServer), http.StatusBadRequest, "invalid_target")
		w.want(w.token(machine.app, "grant_type", "client_credentials", "scope", mcpScope), http.StatusBadRequest, "invalid_scope")
		w.want(w.token(machine.app, "grant_type", "client_credentials", "scope", "batch"), http.StatusOK, "")

		agent, b := w.register("", object{"scope": "openid " + mcpScope, "resources": []string{mcpServer}, "grant_types": []string{"authorization_code", "refresh_token"}}), w.browser()
		b.visit(authorize(agent.app, "scope", "openid "+mcpScope, "resource", mcpServer))
		b.signIn("ada")
		pair := b.exchange(agent.app, b.submit("decision", "allow").left.Query().Get("code"))
		w.want(pair, http.StatusOK, "")
		w.setAnyClient(false)
		w.want(w.refreshWith(agent.app, pair.refresh(), "resource", mcpServer), http.StatusBadRequest, "invalid_target")
		if got := b.none(agent.app, "scope", "openid "+mcpScope, "resource", mcpServer); got != "invalid_target" {
			t.Errorf("a resource that was closed: %q", got)
		}
	})
}

// TestNobodyHasTheSubjectsOfASectorThatIsNotTheirs: a sector is proven by the redirect URIs that codes go to, and what gets tokens without
// one has proven none.
func TestNobodyHasTheSubjectsOfASectorThatIsNotTheirs(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		thief := object{
			"redirect_uris": []string{"https://victim.example/cb"}, "subject_type": "pairwise",
			"grant_types": []string{"authorization_code", "urn:ietf:params:oauth:grant-type:device_code"},
		}
		w.want(w.ask(http.MethodPost, "/oauth2/register", "", software(thief)), http.StatusBadRequest, "invalid_client_metadata")
		thief["subject_type"] = "public"
		c := w.register("", thief)
		thief["subject_type"], thief["client_id"] = "pairwise", c.id
		w.want(w.ask(http.MethodPut, c.uri, c.token, software(thief)), http.StatusBadRequest, "invalid_client_metadata")
	})
}

// TestWhatAnOperatorDisabledIsNotForgotten: a client that never obtained a token is removed after a day, but one that was switched off
// would be back, and on, with the next request.
func TestWhatAnOperatorDisabledIsNotForgotten(t *testing.T) {
	documented(t, func(w *world, m *maker) {
		agent, b := app{id: m.url + "/agent.json"}, w.browser()
		address := authorize(agent, "redirect_uri", m.url+"/cb")
		b.visit(address)
		_, err := w.provider.Clients().Disable(t.Context(), agent.id, "test")
		w.must(err)
		w.clock.Advance(25 * time.Hour)
		if n, err := w.store.SweepUnused(t.Context(), 10, 24*time.Hour); err != nil || n != 0 {
			t.Errorf("the sweep removed %d, %v", n, err)
		}
		b.visit(address)
		if b.page.status != http.StatusForbidden && b.page.status != http.StatusBadRequest {
			t.Errorf("it is back: %d %q", b.page.status, b.page.h1)
		}
	})
}

// TestAClientThatGoesWhileAPersonReadsIsAPageAndNoOutage: on its way to consent, and from there.
func TestAClientThatGoesWhileAPersonReadsIsAPageAndNoOutage(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		w.user("ada")
		for _, answer := range []string{"allow", "deny"} {
			c, b := w.register(""), w.browser()
			b.visit(authorize(c.app))
			b.signIn("ada")
			w.want(w.ask(http.MethodDelete, c.uri, c.token, nil), http.StatusNoContent, "")
			b.submit("decision", answer)
			if !slices.Contains([]int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound}, b.page.status) {
				t.Errorf("%s: %d %s", answer, b.page.status, b.page.raw)
			}
		}
		w.want(w.ask(http.MethodPost, "/oauth2/register", "", software()), http.StatusCreated, "")
	})
}

// TestWithoutADatabaseNoRegistrationIsRefused: 503, and never that a token is wrong or an app unknown, which would have clients register
// anew.
func TestWithoutADatabaseNoRegistrationIsRefused(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		c := w.register("")
		leave, _ := w.initialToken(storage.RegistrationToken{}, 0)
		w.must(w.store.Close())
		for _, r := range []struct {
			method, address, token string
			thing                  any
		}{
			{http.MethodPost, "/oauth2/register", "", software()},
			{http.MethodPost, "/oauth2/register", leave, software()},
			{http.MethodPost, "/oauth2/register", "sit_wrong", software()},
			{http.MethodGet, c.uri, c.token, nil},
			{http.MethodPut, c.uri, c.token, software(object{"client_id": c.id})},
			{http.MethodDelete, c.uri, c.token, nil},
		} {
			a := w.ask(r.method, r.address, r.token, r.thing)
			w.want(a, http.StatusServiceUnavailable, "temporarily_unavailable")
			if a.header.Get("Retry-After") == "" {
				t.Errorf("%s %s: without Retry-After", r.method, r.address)
			}
		}
	})
}

// TestARegistrationAccessTokenOpensNothingElse: of another client, of one that is gone, as an initial access token or as an access token.
func TestARegistrationAccessTokenOpensNothingElse(t *testing.T) {
	registering(t, register.ModeToken, func(w *world) {
		leave, _ := w.initialToken(storage.RegistrationToken{}, 0)
		a, b := w.register(leave), w.register(leave)
		own := w.confidential()
		change := func(id string) object { return software(object{"client_id": id}) }
		refused := func(method, address, token string, thing any) {
			t.Helper()
			w.want(w.ask(method, address, token, thing), http.StatusUnauthorized, "invalid_token")
		}
		for _, id := range []string{b.id, own.id, "", "none", a.id + "%2e", "..%2f" + a.id} {
			refused(http.MethodPut, "/oauth2/register/"+id+map[bool]string{true: "x"}[id == ""], a.token, change(id))
		}
		refused(http.MethodDelete, b.uri, a.token, nil)
		refused(http.MethodGet, a.uri, leave, nil)
		refused(http.MethodPost, "/oauth2/register", a.token, software())
		if got := w.get("/userinfo", "Authorization", "Bearer "+a.token); got.status != http.StatusUnauthorized {
			t.Errorf("userinfo: %s", got.raw)
		}
		_, err := w.provider.Clients().Disable(t.Context(), b.id, "test")
		w.must(err)
		for method, thing := range map[string]any{http.MethodGet: nil, http.MethodPut: change(b.id), http.MethodDelete: nil} {
			refused(method, b.uri, b.token, thing)
		}
		w.want(w.ask(http.MethodDelete, a.uri, a.token, nil), http.StatusNoContent, "")
		refused(http.MethodGet, a.uri, a.token, nil)
		refused(http.MethodPut, a.uri, a.token, change(a.id))
	})
}

// TestNoWayLeadsAMachinesClientPastConsent: not its own words, not a statement's, not its update, not the operator's file.
func TestNoWayLeadsAMachinesClientPastConsent(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		c := w.register("", object{"first_party": true, "access_token_lifetime": 86400, "refresh_rotation": "static", "token_endpoint_auth_method": "client_secret_basic"})
		w.want(w.ask(http.MethodPut, c.uri, c.token, software(object{"client_id": c.id, "first_party": true, "owner": "x", "origin": "operator"})), http.StatusOK, "")
		kept, _, err := w.store.FindClient(t.Context(), c.id)
		w.must(err)
		if kept.Metadata.FirstParty || kept.Origin != storage.OriginSoftware || kept.Metadata.AccessTokenLifetime > 900 || kept.Metadata.RefreshRotation == storage.Static {
			t.Errorf("%+v", kept)
		}
		m := kept.Metadata
		m.FirstParty = true
		if _, err := w.provider.Clients().Update(t.Context(), kept, m, "test"); err == nil {
			t.Error("an operator's update made it first-party")
		}
		if _, err := w.provider.Clients().Apply(t.Context(), client.Declaration{ClientID: c.id, ClientMetadata: m}, "test"); err == nil {
			t.Error("a file made it first-party")
		}
		if _, err := w.provider.Clients().Apply(t.Context(), client.Declaration{ClientID: "https://app.example/c", ClientMetadata: m}, "test"); err == nil {
			t.Error("a file made a client whose ID is an address")
		}
	})
}
