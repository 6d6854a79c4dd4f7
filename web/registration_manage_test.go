package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/register"
	"github.com/signet-idp/signet/storage"
)

// TestARegistrationAccessTokenOpensItsOwnEnabledClientAlone: everything else is answered alike and changes nothing; the token of a client
// that an operator disabled does not bring it back (CVE-2026-9705).
func TestARegistrationAccessTokenOpensItsOwnEnabledClientAlone(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		mine, other, disabled := w.register(""), w.register(""), w.register("")
		own := w.public()
		if _, err := w.provider.Clients().Disable(t.Context(), disabled.id, "cli"); err != nil {
			t.Fatal(err)
		}
		initial, _ := w.initialToken(storage.RegistrationToken{}, 0)
		before, _, err := w.store.FindClient(t.Context(), disabled.id)
		w.must(err)
		first := answer{}
		for name, c := range map[string]struct{ uri, token string }{
			"another client's":   {mine.uri, other.token},
			"none":               {mine.uri, ""},
			"mangled":            {mine.uri, mine.token[:len(mine.token)-2] + "AA"},
			"of another kind":    {mine.uri, initial},
			"an unknown client":  {"/oauth2/register/nobody", mine.token},
			"no client":          {"/oauth2/register/" + strings.Repeat("x", 300), mine.token},
			"an operator's":      {"/oauth2/register/" + own.id, mine.token},
			"escaped":            {"/oauth2/register/%61" + mine.id[1:], mine.token},
			"a disabled client":  {disabled.uri, disabled.token},
			"nothing after sra_": {mine.uri, "sra_"},
		} {
			for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
				a := w.ask(method, c.uri, c.token, software(object{"client_id": disabled.id}))
				w.want(a, http.StatusUnauthorized, "invalid_token")
				if challenge := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, "Bearer ") || !strings.Contains(challenge, `error="invalid_token"`) {
					t.Errorf("%s: challenge %q", name, challenge)
				}
				if first.raw == "" {
					first = a
				}
				if a.raw != first.raw || a.header.Get("WWW-Authenticate") != first.header.Get("WWW-Authenticate") {
					t.Errorf("%s is answered otherwise: %s", name, a.raw)
				}
			}
		}
		if after, _, err := w.store.FindClient(t.Context(), disabled.id); err != nil || after.Revision != before.Revision || after.DisabledAt.IsZero() {
			t.Errorf("the disabled client changed: %+v, %v", after, err)
		}
		if _, err := w.provider.Clients().Enable(t.Context(), disabled.id, "cli"); err != nil {
			t.Fatal(err)
		}
		w.want(w.ask(http.MethodGet, disabled.uri, disabled.token, nil), http.StatusOK, "")
		w.want(w.ask(http.MethodGet, mine.uri, mine.token, nil), http.StatusOK, "")
	})
}

func TestAnUpdateReplacesTheWholeRegistration(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		c := w.register("", object{"token_endpoint_auth_method": "client_secret_post", "contacts": []string{"a@b.example"}, "tos_uri": "https://a.example/tos"})
		put := func(changes ...object) answer {
			return w.ask(http.MethodPut, c.uri, c.token, software(append([]object{{"client_id": c.id, "token_endpoint_auth_method": "client_secret_post"}}, changes...)...))
		}
		a := put(object{"client_name": "Renamed", "client_secret": c.secret, "tos_uri": nil})
		w.want(a, http.StatusOK, "")
		if a.text("client_name") != "Renamed" || a.body["contacts"] != nil || a.body["tos_uri"] != nil || a.text("registration_access_token") != c.token ||
			a.text("registration_client_uri") != c.uri || a.body["client_secret"] != nil || a.body["client_id_issued_at"] == nil {
			t.Errorf("answer %s", a.raw)
		}
		if got := a.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q", got)
		}
		before, _, err := w.store.FindClient(t.Context(), c.id)
		w.must(err)
		for name, c := range map[string]struct {
			change object
			code   string
		}{
			"no client_id":                 {object{"client_id": nil}, "invalid_client_metadata"},
			"another client_id":            {object{"client_id": "x"}, "invalid_client_metadata"},
			"a secret of its choice":       {object{"client_secret": "chosen"}, "invalid_client_metadata"},
			"an empty secret":              {object{"client_secret": ""}, "invalid_client_metadata"},
			"registration_access_token":    {object{"registration_access_token": c.token}, "invalid_client_metadata"},
			"registration_client_uri":      {object{"registration_client_uri": c.uri}, "invalid_client_metadata"},
			"client_secret_expires_at":     {object{"client_secret_expires_at": 0}, "invalid_client_metadata"},
			"client_id_issued_at":          {object{"client_id_issued_at": 0}, "invalid_client_metadata"},
			"a fragment":                   {object{"redirect_uris": []string{"https://a.example/#x"}}, "invalid_redirect_uri"},
			"no redirect URI":              {object{"redirect_uris": nil}, "invalid_redirect_uri"},
			"the password grant":           {object{"grant_types": []string{"password"}}, "invalid_client_metadata"},
			"a token that is no true":      {object{"registration_access_token_rotate": "yes"}, "invalid_client_metadata"},
			"a member of another type":     {object{"contacts": "a@b.example"}, "invalid_client_metadata"},
			"an unknown authentication":    {object{"token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata"},
			"an address that runs scripts": {object{"client_uri": "JavaScript:alert(1)"}, "invalid_client_metadata"},
		} {
			a := put(c.change)
			if a.status != http.StatusBadRequest || a.text("error") != c.code || a.text("error_description") == "" {
				t.Errorf("%s: %d %s", name, a.status, a.raw)
			}
		}
		after, _, err := w.store.FindClient(t.Context(), c.id)
		w.must(err)
		if after.Revision != before.Revision {
			t.Error("a refused update changed the client")
		}
		w.want(w.token(c.app, "grant_type", "authorization_code", "code", "x", "redirect_uri", callback, "code_verifier", codeVerifier), http.StatusBadRequest, "invalid_grant")
	})
}

// TestAClientThatComesToNeedASecretGetsOne: and one that needs none any more has none.
func TestAClientThatComesToNeedASecretGetsOne(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		c := w.register("")
		a := w.ask(http.MethodPut, c.uri, c.token, software(object{"client_id": c.id, "token_endpoint_auth_method": "client_secret_post"}))
		w.want(a, http.StatusOK, "")
		secret := a.text("client_secret")
		if secret == "" || a.body["client_secret_expires_at"] != 0.0 {
			t.Fatalf("answer %s", a.raw)
		}
		try := func(secret string) answer {
			return w.token(app{id: c.id, secret: secret, post: true}, "grant_type", "authorization_code", "code", "x", "redirect_uri", callback, "code_verifier", codeVerifier)
		}
		w.want(try(secret), http.StatusBadRequest, "invalid_grant")
		a = w.ask(http.MethodPut, c.uri, c.token, software(object{"client_id": c.id}))
		w.want(a, http.StatusOK, "")
		w.want(try(secret), http.StatusUnauthorized, "invalid_client")
	})
}

// TestALostAnswerWithANewAccessTokenLocksNobodyOut: the older token works until the newer one is used, and not after that.
func TestALostAnswerWithANewAccessTokenLocksNobodyOut(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		c := w.register("")
		rotate := func(token string) string {
			a := w.ask(http.MethodPut, c.uri, token, software(object{"client_id": c.id, "registration_access_token_rotate": true}))
			w.want(a, http.StatusOK, "")
			return a.text("registration_access_token")
		}
		read := func(token string) answer { return w.ask(http.MethodGet, c.uri, token, nil) }
		lost := rotate(c.token)
		w.want(read(c.token), http.StatusOK, "")
		got := rotate(c.token) // asked again: what was lost is nobody's any more
		if lost == c.token || got == lost || got == c.token {
			t.Fatalf("tokens %q %q %q", c.token, lost, got)
		}
		w.want(read(lost), http.StatusUnauthorized, "invalid_token")
		w.want(read(c.token), http.StatusOK, "")
		a := read(got)
		w.want(a, http.StatusOK, "")
		if a.text("registration_access_token") != got {
			t.Errorf("answer %s", a.raw)
		}
		w.want(read(c.token), http.StatusUnauthorized, "invalid_token")
		w.want(read(got), http.StatusOK, "")
		kept, _, err := w.store.FindClient(t.Context(), c.id)
		w.must(err)
		events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "client.access_token_rotated", ClientID: c.id, Limit: 5})
		w.must(err)
		if kept.Registration.IsZero() || len(events) != 1 {
			t.Errorf("events %+v", events)
		}
	})
}

// TestAnUpdateKeepsWhatAnOperatorGave: what software may not take for itself it may keep.
func TestAnUpdateKeepsWhatAnOperatorGave(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		c := w.register("", object{"token_endpoint_auth_method": "client_secret_basic"})
		kept, _, err := w.store.FindClient(t.Context(), c.id)
		w.must(err)
		m := kept.Metadata
		m.GrantTypes, m.Scope, m.Resources = append(m.GrantTypes, "client_credentials"), m.Scope+" api:read", []string{"https://api.example"}
		_, err = w.provider.Clients().Update(t.Context(), kept, m, "cli")
		w.must(err)
		change := object{
			"client_id": c.id, "token_endpoint_auth_method": "client_secret_basic", "grant_types": []string{"authorization_code", "client_credentials"},
			"scope": "openid api:read api:write", "resources": []string{"https://api.example", "https://other.example"},
		}
		a := w.ask(http.MethodPut, c.uri, c.token, software(change))
		w.want(a, http.StatusOK, "")
		if a.text("scope") != "openid api:read" || len(a.body["resources"].([]any)) != 1 || len(a.body["grant_types"].([]any)) != 2 {
			t.Errorf("answer %s", a.raw)
		}
	})
}
