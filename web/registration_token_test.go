package web_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/register"
	"github.com/signet-idp/signet/storage"
)

// TestARegistrationWithoutAGoodInitialTokenIsRefusedAlike: which it was, nobody hears.
func TestARegistrationWithoutAGoodInitialTokenIsRefusedAlike(t *testing.T) {
	registering(t, register.ModeToken, func(w *world) {
		expired, _ := w.initialToken(storage.RegistrationToken{}, time.Minute)
		usedUp, _ := w.initialToken(storage.RegistrationToken{MaxUses: 1}, 0)
		revoked, gone := w.initialToken(storage.RegistrationToken{}, 0)
		w.must(w.provider.InitialTokens().Revoke(t.Context(), gone.ID, "cli", storage.Seen{}))
		registered := w.register(usedUp)
		w.clock.Advance(time.Minute)
		first := ""
		for name, header := range map[string]string{
			"none": "", "expired": "Bearer " + expired, "used up": "Bearer " + usedUp, "revoked": "Bearer " + revoked, "unknown": "Bearer sit_" + strings.Repeat("A", 43),
			"no token": "Bearer x", "Basic": "Basic dTpw", "an access token of a registration": "Bearer " + registered.token,
		} {
			a := w.ask(http.MethodPost, "/oauth2/register", "", software(), "Authorization", header)
			w.want(a, http.StatusUnauthorized, "invalid_token")
			if first == "" {
				first = a.raw
			}
			if a.raw != first || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `Bearer realm="`+issuerURL+`", error="invalid_token"`) {
				t.Errorf("%s: %s %v", name, a.raw, a.header)
			}
		}
		w.want(w.ask(http.MethodGet, registered.uri, registered.token, nil), http.StatusOK, "")
	})
}

// TestAnInitialTokenOpensRegistrationWithinItsLimits: so many uses, its grant types, its scope; a refused request uses nothing up.
func TestAnInitialTokenOpensRegistrationWithinItsLimits(t *testing.T) {
	registering(t, register.ModeToken, func(w *world) {
		token, made := w.initialToken(storage.RegistrationToken{MaxUses: 2, Scope: "reports:read"}, time.Hour)
		w.want(w.ask(http.MethodPost, "/oauth2/register", token, software(object{"redirect_uris": nil})), http.StatusBadRequest, "invalid_redirect_uri")
		batch := object{"redirect_uris": nil, "grant_types": []string{"client_credentials"}, "token_endpoint_auth_method": "client_secret_post", "scope": "reports:read reports:write"}
		c := w.register(token, batch)
		if c.answer.text("scope") != "reports:read" {
			t.Errorf("scope %q", c.answer.text("scope"))
		}
		w.want(w.token(c.app, "grant_type", "client_credentials", "scope", "reports:read"), http.StatusOK, "")
		w.register(token)
		w.want(w.ask(http.MethodPost, "/oauth2/register", token, software()), http.StatusUnauthorized, "invalid_token")
		events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "client.registered", ClientID: c.id, Limit: 5})
		w.must(err)
		if len(events) != 1 || events[0].Detail["registration_token"] != made.ID.String() {
			t.Errorf("audit events %+v", events)
		}

		narrow, _ := w.initialToken(storage.RegistrationToken{GrantTypes: []string{"password"}}, 0)
		w.want(w.ask(http.MethodPost, "/oauth2/register", narrow, software()), http.StatusBadRequest, "invalid_client_metadata")
		w.want(w.ask(http.MethodPost, "/oauth2/register", narrow, batch), http.StatusBadRequest, "invalid_client_metadata")
		w.register(narrow, object{"redirect_uris": nil, "grant_types": []string{"password"}})
	})
}

// TestWithoutATokenSoftwareGetsNoGrantThatAsksNobody: in open registration.
func TestWithoutATokenSoftwareGetsNoGrantThatAsksNobody(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		for _, grant := range []string{"client_credentials", "password"} {
			a := w.ask(http.MethodPost, "/oauth2/register", "", software(object{"grant_types": []string{"authorization_code", grant}, "token_endpoint_auth_method": "client_secret_basic"}))
			w.want(a, http.StatusBadRequest, "invalid_client_metadata")
			if !strings.Contains(a.text("error_description"), "grant_types") || strings.Contains(a.text("error_description"), "has "+grant) {
				t.Errorf("%s: %s", grant, a.raw)
			}
		}
		token, _ := w.initialToken(storage.RegistrationToken{}, 0)
		w.register(token, object{"grant_types": []string{"authorization_code", "client_credentials"}, "token_endpoint_auth_method": "client_secret_basic"})
		w.want(w.ask(http.MethodPost, "/oauth2/register", "sit_wrong", software()), http.StatusUnauthorized, "invalid_token")

		open, err := w.provider.Resources().Create(t.Context(), "https://open.example", storage.ResourceMetadata{Scope: "tools:use", AnyClient: true}, "cli")
		w.must(err)
		_, err = w.provider.Resources().Create(t.Context(), "https://closed.example", storage.ResourceMetadata{Scope: "closed:use"}, "cli")
		w.must(err)
		c := w.register("", object{"scope": "openid tools:use closed:use admin", "resources": []string{open.Identifier, "https://closed.example"}})
		if _, there := c.answer.body["resources"]; c.answer.text("scope") != "openid tools:use" || there {
			t.Errorf("answer %s", c.answer.raw)
		}
	})
}

// TestTheLastUseOfAnInitialTokenIsOne: however many ask at once.
func TestTheLastUseOfAnInitialTokenIsOne(t *testing.T) {
	registering(t, register.ModeToken, func(w *world) {
		token, _ := w.initialToken(storage.RegistrationToken{MaxUses: 1}, 0)
		w.want(w.ask(http.MethodPost, "/oauth2/register", token, "{"), http.StatusBadRequest, "invalid_client_metadata") // warmed up
		const callers = 8
		var ready, done sync.WaitGroup
		answers := make([]answer, callers)
		ready.Add(callers)
		for i := range callers {
			done.Go(func() {
				ready.Done()
				ready.Wait()
				answers[i] = w.ask(http.MethodPost, "/oauth2/register", token, software())
			})
		}
		done.Wait()
		won := 0
		for _, a := range answers {
			switch {
			case a.status == http.StatusCreated:
				won++
			case a.status != http.StatusUnauthorized || a.text("error") != "invalid_token":
				t.Error(errors.New(a.raw))
			}
		}
		if won != 1 {
			t.Errorf("%d of %d registered with one use", won, callers)
		}
	})
}
