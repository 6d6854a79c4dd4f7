package web_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-idp/signet/provider/register"
	"github.com/signet-idp/signet/storage"
)

func TestSoftwareRegistersItselfAndIsAnsweredAsRFC7591Asks(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		c := w.register("", object{"token_endpoint_auth_method": "client_secret_basic", "software_id": "agent-1", "software_version": "2.0"})
		a := c.answer
		if got := a.header.Get("Content-Type"); got != "application/json" {
			t.Errorf("Content-Type %q", got)
		}
		if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Pragma") != "no-cache" {
			t.Errorf("it may be cached: %v", a.header)
		}
		if c.id == "" || !strings.HasPrefix(c.secret, "scs_") || !strings.HasPrefix(c.token, "sra_") {
			t.Errorf("answer %s", a.raw)
		}
		if c.uri != issuerURL+"/oauth2/register/"+c.id {
			t.Errorf("registration_client_uri %q", c.uri)
		}
		want := object{
			"client_id": c.id, "client_secret": c.secret, "client_secret_expires_at": 0.0, "client_id_issued_at": float64(w.clock.Now().Unix()),
			"registration_client_uri": c.uri, "registration_access_token": c.token, "client_name": "Agent",
			"redirect_uris": []any{callback}, "grant_types": []any{"authorization_code"}, "response_types": []any{"code"},
			"token_endpoint_auth_method": "client_secret_basic", "application_type": "web",
			"scope": "openid profile email address phone offline_access", "software_id": "agent-1", "software_version": "2.0",
		}
		if diff := cmp.Diff(want, a.body); diff != "" {
			t.Error(diff)
		}
		if public := w.register("").answer; public.body["client_secret"] != nil || public.body["client_secret_expires_at"] != nil {
			t.Errorf("a public client has a secret: %s", public.raw)
		}
		kept, _, err := w.store.FindClient(t.Context(), c.id)
		w.must(err)
		row, err := json.Marshal(kept)
		w.must(err)
		if kept.Origin != storage.OriginSoftware || strings.Contains(string(row), c.token[4:]) || strings.Contains(w.log.String(), c.token[4:]) {
			t.Errorf("the row or the log holds the token, or its origin is %q", kept.Origin)
		}
		events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "client.registered", ClientID: c.id, Limit: 5})
		w.must(err)
		if len(events) != 1 || events[0].Detail["software_id"] != "agent-1" || events[0].Detail["origin"] != "software" || events[0].Seen.Address != "127.0.0.1" {
			t.Errorf("audit events %+v", events)
		}
	})
}

// TestRegistrationTakesEveryMemberThatTheSuitesSend: what the certification suite and clients register is taken, and what is kept is
// echoed, also when it is read again.
func TestRegistrationTakesEveryMemberThatTheSuitesSend(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		key := object{
			"kty": "EC", "crv": "P-256", "kid": "1", "use": "sig", "alg": "ES256",
			"x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
		}
		kept := object{
			"client_name": "Suite", "grant_types": []any{"authorization_code", "refresh_token"}, "response_types": []any{"code"},
			"redirect_uris": []any{"https://suite.example/callback", "https://suite.example/callback?foo=bar"}, "contacts": []any{"a@suite.example"},
			"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256", "jwks": object{"keys": []any{key}},
			"id_token_signed_response_alg": "RS256", "userinfo_signed_response_alg": "RS256", "request_object_signing_alg": "RS256",
			"logo_uri": "https://suite.example/logo.png", "policy_uri": "https://suite.example/policy", "tos_uri": "https://suite.example/tos",
			"client_uri": "https://suite.example/", "subject_type": "public", "initiate_login_uri": "https://suite.example/start",
			"post_logout_redirect_uris": []any{"https://suite.example/out"}, "frontchannel_logout_uri": "https://suite.example/front",
			"frontchannel_logout_session_required": true, "backchannel_logout_uri": "https://suite.example/back",
			"backchannel_logout_session_required": true, "require_auth_time": true, "default_max_age": 3600.0, "scope": "openid email",
		}
		sent := object{
			"request_uris": []any{"https://suite.example/request#hash"}, "client_name#de": "Prüfstand", "x_own": object{"a": 1}, "client_id": "chosen",
			"client_secret": "chosen", "tos_uri#de": nil, "jwks_uri": nil,
		}
		for member, value := range kept {
			sent[member] = value
		}
		c := w.register("", sent)
		read := w.ask(http.MethodGet, c.uri, c.token, nil)
		w.want(read, http.StatusOK, "")
		for _, a := range []answer{c.answer, read} {
			for member, value := range kept {
				if member == "jwks" {
					continue
				}
				if diff := cmp.Diff(value, a.body[member]); diff != "" {
					t.Errorf("%s: %s", member, diff)
				}
			}
			if a.body["jwks"] == nil || a.text("client_id") == "chosen" || a.text("registration_access_token") != c.token || a.text("registration_client_uri") != c.uri {
				t.Errorf("answer %s", a.raw)
			}
		}
	})
}

func TestWhatRegistersItselfSignsPeopleInAndLeavesWithAllThatItGot(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		w.user("ada")
		c := w.register("", object{"grant_types": []string{"authorization_code", "refresh_token"}})
		b := w.browser()
		got := b.tokens(c.app, "ada", "scope", "openid email")
		if got.refresh() == "" {
			t.Fatalf("answer %s", got.raw)
		}
		gone := w.ask(http.MethodDelete, c.uri, c.token, nil)
		if gone.status != http.StatusNoContent || gone.raw != "" {
			t.Fatalf("DELETE: %d %s", gone.status, gone.raw)
		}
		w.want(w.refreshWith(c.app, got.refresh()), http.StatusUnauthorized, "invalid_client")
		w.want(w.ask(http.MethodGet, "/userinfo", got.access(), nil), http.StatusUnauthorized, "invalid_token")
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			w.want(w.ask(method, c.uri, c.token, software()), http.StatusUnauthorized, "invalid_token")
		}
		events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "client.unregistered", ClientID: c.id, Limit: 5})
		w.must(err)
		if len(events) != 1 || events[0].Actor != c.id || events[0].Seen.Address == "" {
			t.Errorf("audit events %+v", events)
		}
	})
}

// TestNothingThatRegistersItselfIsFirstPartyOrSkipsConsent: whatever software says of itself, and whatever an operator tries to say of it
// later.
func TestNothingThatRegistersItselfIsFirstPartyOrSkipsConsent(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		w.user("ada")
		token, _ := w.initialToken(storage.RegistrationToken{}, 0)
		for _, token := range []string{"", token} {
			c := w.register(token, object{"first_party": true, "refresh_rotation": "static", "access_token_lifetime": 86400, "refresh_token_lifetime": 315360000})
			if c.answer.body["first_party"] != nil || c.answer.body["refresh_rotation"] != nil || c.answer.body["access_token_lifetime"] != 900.0 ||
				c.answer.body["refresh_token_lifetime"] != float64(365*24*3600) {
				t.Errorf("answer %s", c.answer.raw)
			}
			kept, _, err := w.store.FindClient(t.Context(), c.id)
			w.must(err)
			m := kept.Metadata
			m.FirstParty = true
			if _, err := w.provider.Clients().Update(t.Context(), kept, m, "cli"); err == nil || !strings.Contains(err.Error(), "first_party") {
				t.Errorf("an operator made it first-party: %v", err)
			}
			put := w.ask(http.MethodPut, c.uri, c.token, software(object{"client_id": c.id, "first_party": true}))
			if w.want(put, http.StatusOK, ""); put.body["first_party"] != nil {
				t.Errorf("an update made it first-party: %s", put.raw)
			}
			b := w.browser()
			b.visit(authorize(c.app))
			if b.signIn("ada"); !b.page.offers("decision", "allow") {
				t.Errorf("nobody was asked: %d %q", b.page.status, b.page.h1)
			}
		}
	})
}

func TestRegistrationIsNotThereWhereItIsOff(t *testing.T) {
	registering(t, register.ModeOff, func(w *world) {
		for _, path := range []string{"/oauth2/register", "/oauth2/register/x"} {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
				w.want(w.ask(method, path, "", software()), http.StatusNotFound, "not_found")
			}
		}
		if a := w.ask(http.MethodGet, "/.well-known/openid-configuration", "", nil); a.body["registration_endpoint"] != nil {
			t.Errorf("it is published: %s", a.raw)
		}
	})
}

func TestRegistrationIsPublishedAndTakesItsMethodsFromAnyOrigin(t *testing.T) {
	registering(t, register.ModeToken, func(w *world) {
		for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
			if a := w.ask(http.MethodGet, path, "", nil); a.text("registration_endpoint") != issuerURL+"/oauth2/register" {
				t.Errorf("%s: %v", path, a.body["registration_endpoint"])
			}
		}
		for path, methods := range map[string]string{"/oauth2/register": "POST", "/oauth2/register/x": "GET, PUT, DELETE"} {
			taken := strings.Split(methods, ", ")
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
				a := w.ask(method, path, "", nil, "Origin", "https://app.example", "Access-Control-Request-Method", "DELETE")
				switch {
				case method == http.MethodOptions:
					if a.status != http.StatusNoContent || a.header.Get("Access-Control-Allow-Methods") != methods {
						t.Errorf("%s: preflight %d %v", path, a.status, a.header)
					}
				case slices.Contains(taken, method) && a.status != http.StatusUnauthorized, !slices.Contains(taken, method) &&
					(a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != methods+", OPTIONS"):
					t.Errorf("%s %s: %d, Allow %q", method, path, a.status, a.header.Get("Allow"))
				}
				if a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("%s %s: %v", method, path, a.header)
				}
			}
		}
	})
}

// TestUnusedRegistrationsGoAfterADay: what never obtained a token does, and nothing else.
func TestUnusedRegistrationsGoAfterADay(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		w.user("ada")
		idle, used, own := w.register(""), w.register(""), w.public()
		w.browser().tokens(used.app, "ada")
		w.clock.Advance(24*time.Hour - time.Second)
		n, err := w.store.SweepUnused(t.Context(), 10, 24*time.Hour)
		w.must(err)
		w.clock.Advance(2 * time.Second)
		m, err := w.store.SweepUnused(t.Context(), 10, 24*time.Hour)
		w.must(err)
		if n != 0 || m != 1 {
			t.Errorf("%d went before the day was over and %d after it", n, m)
		}
		w.want(w.ask(http.MethodGet, idle.uri, idle.token, nil), http.StatusUnauthorized, "invalid_token")
		w.want(w.ask(http.MethodGet, used.uri, used.token, nil), http.StatusOK, "")
		if _, _, err := w.store.FindClient(t.Context(), own.id); err != nil {
			t.Errorf("the operator's client: %v", err)
		}
	})
}
