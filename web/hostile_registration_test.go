package web_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

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
