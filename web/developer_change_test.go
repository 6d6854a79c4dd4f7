package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/storage"
)

func TestSettingsAreChangedByTheRulesOfTheProtocol(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		ada := w.user("ada")
		b := w.home("ada", "")
		made := b.register(developer.KindWeb, "redirect_uris", callback)
		for member, c := range map[string]struct {
			value string
			says  string
		}{
			"client_name":                 {"", "Give the app a name"},
			"redirect_uris":               {callback + "\r\nhttp://app.example/cb", "Line 2:"},
			"client_uri":                  {"nonsense", "client_uri"},
			"scope":                       {"openid shop:admin", "scope has a value"},
			"resources":                   {"https://api.example", "resources has one"},
			"access_token_lifetime":       {"soon", "cannot be used here"},
			"refresh_token_lifetime":      {"999999999", "refresh_token_lifetime must not exceed"},
			"jwks":                        {"{", "cannot be used here"},
			"token_endpoint_auth_method":  {"private_key_jwt", ""},
			"post_logout_redirect_uris":   {"javascript:alert(1)", "Line 1:"},
			"grant_refresh":               {"yes", ""}, // with no grant type that gives one
			"sector_identifier_uri":       {"http://app.example/sector", "sector_identifier_uri"},
			"frontchannel_logout_uri":     {"https://evil.example/out", "frontchannel_logout_uri"},
			"backchannel_logout_uri":      {"ftp://app.example", "backchannel_logout_uri"},
			"initiate_login_uri":          {"http://app.example/login", "initiate_login_uri"},
			"access_token_format":         {"paper", "access_token_format"},
			"refresh_rotation":            {"static?", "refresh_rotation"},
			"contacts":                    {"ada@example.com\r\n" + strings.Repeat("x", 300), "Line 2:"},
			"refresh_token_idle_lifetime": {"-1", "cannot be used here"},
		} {
			b.atApp("settings", made.id)
			pairs := []string{member, c.value}
			if member == "grant_refresh" {
				pairs = []string{"grant_code", "", "grant_refresh", "yes"}
			}
			p := b.shows(b.submit(pairs...), http.StatusUnprocessableEntity, "Settings")
			if !p.says("Nothing was saved") && !p.says(`id="problem"`) || !p.says(c.says) {
				t.Errorf("%s: it does not say so:\n%s", member, p.raw)
			}
			if member != "grant_refresh" {
				if _, typed := b.fields(member, c.value); typed.Get(member) != c.value {
					t.Errorf("%s: what was typed is gone: %q", member, typed.Get(member))
				}
			}
		}
		before := w.stored(made.id)
		if before.Revision != 1 {
			t.Fatalf("something was saved: %+v", before)
		}
		b.atApp("settings", made.id)
		b.submit(
			"client_name", "Bookshop", "redirect_uris", "https://app.example/one\r\n\r\n https://app.example/two ", "client_uri", "https://app.example/",
			"contacts", "ada@example.com", "access_token_lifetime", "60", "access_token_format", "opaque", "grant_machine", "yes",
			"require_pushed_authorization_requests", "yes", "post_logout_redirect_uris", "https://app.example/bye",
		)
		if !b.page.says("The settings are saved") || b.page.url.Path != "/developer/app/settings" {
			t.Fatalf("saved, it shows %s\n%s", b.page.url, b.page.raw)
		}
		m := w.stored(made.id).Metadata
		if m.Name != "Bookshop" || !slices.Equal(m.RedirectURIs, []string{"https://app.example/one", "https://app.example/two"}) || m.AccessTokenLifetime != 60 ||
			m.AccessTokenFormat != "opaque" || !m.RequirePAR || !slices.Contains(m.GrantTypes, "client_credentials") || m.TokenEndpointAuthMethod != "client_secret_basic" {
			t.Errorf("it is %+v", m)
		}
		if got := w.eventsOf(made.id); !slices.Equal(got, []string{"client.registered " + ada.ID.String(), "client.updated " + ada.ID.String()}) {
			t.Errorf("in the log: %v", got)
		}
	})
}

func TestWhatOperatorsSetStaysWhenADeveloperSaves(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		b := w.home("ada", "")
		made := b.register(developer.KindWeb, "redirect_uris", callback)
		c := w.stored(made.id)
		never := false
		m := c.Metadata
		m.FirstParty, m.RequirePKCE, m.Scope, m.GrantTypes = true, &never, m.Scope+" shop:admin", append(m.GrantTypes, "password")
		m.AccessTokenLifetime, m.Resources, m.IDTokenSignedAlg = 7200, []string{"https://api.example"}, "RS256"
		_, err := w.provider.Clients().Update(w.Context(), c, m, "test")
		w.must(err)
		b.atApp("settings", made.id)
		b.submit("client_name", "Renamed")
		got := w.stored(made.id).Metadata
		if got.Name != "Renamed" || !got.FirstParty || got.RequirePKCE == nil || *got.RequirePKCE || !strings.Contains(got.Scope, "shop:admin") ||
			!slices.Contains(got.GrantTypes, "password") || got.AccessTokenLifetime != 7200 || len(got.Resources) != 1 || got.IDTokenSignedAlg != "RS256" {
			t.Errorf("%s\nit is %+v", b.page.raw, got)
		}
	})
}

func TestWhoSavesLastDoesNotOverwriteUnasked(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		here := w.home("ada", "")
		made := here.register(developer.KindWeb, "redirect_uris", callback)
		there := w.home("ada", "")
		here.atApp("settings", made.id)
		there.atApp("settings", made.id)
		here.shows(here.submit("client_name", "First"), http.StatusOK, "Settings")
		p := there.shows(there.submit("client_name", "Second"), http.StatusConflict, "Settings")
		if !p.says("This app was changed") || !p.says(`value="Second"`) || w.stored(made.id).Metadata.Name != "First" {
			t.Errorf("the second: %s", p.raw)
		}
		there.shows(there.submit("client_name", "Third"), http.StatusOK, "Settings")
		if got := w.stored(made.id).Metadata.Name; got != "Third" {
			t.Errorf("it is called %s", got)
		}
	})
}

func TestSecretsOverlapAndEnd(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		b := w.home("ada", "")
		first := b.register(developer.KindMachine)
		good := func(c app) bool {
			w.Helper()
			a := w.token(c, "grant_type", "client_credentials")
			return a.status == http.StatusOK
		}
		w.clock.Advance(time.Minute)
		if !good(first) {
			t.Fatal("the secret is not good")
		}
		w.upkeep()
		if p := b.atApp("secrets", first.id); !p.says(`Last used <time datetime="2026-11-22T12:01:0`) || !p.says("Does not expire") {
			t.Errorf("it is not told of:\n%s", p.raw)
		}
		second := b.made(b.submit("overlap", "7", "lifetime", "30"))
		if second.secret == "" || second.secret == first.secret || !good(first) || !good(second) {
			t.Fatal("they do not overlap")
		}
		p := b.atApp("secrets", first.id)
		if p.says(second.secret) || strings.Count(p.raw, `name="remove"`) != 2 {
			t.Errorf("the secrets are\n%s", p.raw)
		}
		w.clock.Advance(8 * 24 * time.Hour)
		if good(first) || !good(second) {
			t.Error("the overlap does not end")
		}
		w.clock.Advance(30 * 24 * time.Hour)
		if good(second) {
			t.Error("the secret does not expire")
		}
		b.visit(appPage("secrets", first.id))
		b.prove("ada", "")
		if !b.page.says("There is no secret") {
			t.Errorf("the secrets are\n%s", b.page.raw)
		}
		third := b.made(b.submit("overlap", "0", "lifetime", "0"))
		b.atApp("secrets", first.id)
		names := shownMade.FindAllStringSubmatch(b.page.raw, -1)
		if len(names) != 1 || !good(third) {
			t.Fatalf("there are %d", len(names))
		}
		b.submit("remove", names[0][1])
		if !b.page.says("The secret is removed") || good(third) {
			t.Errorf("removed:\n%s", b.page.raw)
		}
		for _, wrong := range [][]string{{"overlap", "9999", "lifetime", "0"}, {"overlap", "0", "lifetime", "-1"}, {"overlap", "x", "lifetime", ""}} {
			b.atApp("secrets", first.id)
			b.shows(b.submit(wrong...), http.StatusUnprocessableEntity, "Secrets")
		}
		public := b.register(developer.KindSPA, "redirect_uris", callback)
		if p := b.atApp("secrets", public.id); !p.says("This app has no secret") || p.asks("overlap") {
			t.Errorf("a public app's:\n%s", p.raw)
		}
		b.atApp("settings", public.id)
		b.submit("token_endpoint_auth_method", "client_secret_post")
		if b.page.url.Path != "/developer/app/secrets" || !b.page.says("make one") {
			t.Errorf("one that has a secret now is told at %s\n%s", b.page.url, b.page.raw)
		}
	})
}

func TestARedirectURIIsTriedAndTheDifferenceIsMarked(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		b := w.home("ada", "")
		made := b.register(developer.KindAgent, "redirect_uris", "http://127.0.0.1/cb\r\n"+callback)
		for uri, want := range map[string]string{
			callback:                             "It matches.",
			"http://127.0.0.1:4711/cb":           "It matches.",
			"http://app.example/cb":              "the schemes differ",
			"https://app.example/cb/":            "one path ends with a slash",
			"https://app.example/CB":             "upper and lower case differ",
			"https://app.example:8443/cb":        "the ports differ",
			"https://www.app.example/cb":         "the hosts differ",
			"https://app.example/cb?x=1":         "the queries differ",
			"https://app.example/cb#x":           "a fragment",
			" " + callback:                       "a space before or after",
			"https://app.example/other":          "the paths differ",
			"https://ada@app.example/cb":         "a user or password",
			"https://app.example/%63b":           "percent-encoded differently",
			"\"><script>alert(1)</script>":       "It does not match",
			"https://app.example/\u202e\xe2\x82": "",
		} {
			b.atApp("redirects", made.id)
			p := b.submit("uri", uri)
			if want == "" {
				b.shows(p, http.StatusBadRequest, "") // no UTF-8
				continue
			}
			b.shows(p, http.StatusOK, "Redirect URIs")
			if !p.says(want) || p.says("<script>alert") || strings.Contains(p.url.RawQuery, "uri=") {
				t.Errorf("%s at %s:\n%s", uri, p.url, p.raw)
			}
		}
		b.atApp("redirects", made.id)
		if p := b.submit("uri", "https://app.example/c"); !p.says("<code>https://app.example/c<mark></mark></code>") || !p.says("<code>https://app.example/c<mark>b</mark></code>") {
			t.Errorf("the difference is not marked:\n%s", p.raw)
		}
		if w.stored(made.id).Revision != 1 {
			t.Error("to try changes the app")
		}
	})
}

func TestAnAppIsSwitchedOffAndOnAndDeletedByName(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		ada := w.user("ada")
		w.user("grace")
		b := w.home("ada", "")
		made := b.register(developer.KindWeb, "redirect_uris", callback)
		tokens := w.exchange(made, w.browser().through(made, "grace", "").Get("code"))
		w.want(tokens, http.StatusOK, "")

		b.atApp("", made.id)
		if p := b.shows(b.submit("switch", "off"), http.StatusOK, "Overview"); !p.says("The app is switched off.") || !p.says("Its owner switched this app off") {
			t.Errorf("switched off:\n%s", p.raw)
		}
		w.want(w.refreshWith(made, tokens.refresh()), http.StatusUnauthorized, "invalid_client")
		if p := w.browser().visit(authorize(made)); p.status != http.StatusForbidden && p.status != http.StatusBadRequest {
			t.Errorf("a sign-in: %d %q", p.status, p.h1)
		}
		if p := b.visit("/developer"); !p.says("Switched off") {
			t.Errorf("the list does not say so:\n%s", p.raw)
		}
		b.atApp("", made.id)
		b.shows(b.submit("switch", "on"), http.StatusOK, "Overview")
		w.want(w.refreshWith(made, tokens.refresh()), http.StatusOK, "")

		b.atApp("delete", made.id)
		for _, name := range []string{"the web", "The", made.id} {
			if p := b.shows(b.submit("app_name", name), http.StatusUnprocessableEntity, "Delete this app"); !p.says("That is not the name") {
				t.Errorf("%q:\n%s", name, p.raw)
			}
		}
		if p := b.shows(b.submit("app_name", " The web"), http.StatusOK, "Your apps"); !p.says("The app is deleted.") || p.says("The web") {
			t.Errorf("deleted:\n%s", p.raw)
		}
		b.shows(b.visit(appPage("", made.id)), http.StatusNotFound, "There is no such app of yours")
		who := " " + ada.ID.String()
		if got := w.eventsOf(made.id); !slices.Equal(got, []string{"client.registered" + who, "client.disabled" + who, "client.enabled" + who, "client.deleted" + who}) {
			t.Errorf("in the log: %v", got)
		}
	})
}

func TestTheOwnerSeesWhatWasRefusedAndWhy(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		b := w.home("ada", "")
		made := b.register(developer.KindWeb, "redirect_uris", callback)
		refused := w.token(app{id: made.id, secret: "MARKED-secret"}, "grant_type", "client_credentials")
		w.want(refused, http.StatusUnauthorized, "invalid_client")
		mismatch := w.browser().visit(authorize(made, "redirect_uri", "https://app.example/cb/"))
		w.upkeep()
		p := b.atApp("errors", made.id)
		for _, want := range []string{
			refused.header.Get("X-Request-Id"), "invalid_client", mismatch.header.Get("X-Request-Id"),
			"<code>https://app.example/cb<mark>/</mark></code>", "<code>https://app.example/cb<mark></mark></code>",
		} {
			if !p.says(want) {
				t.Errorf("it does not tell %q:\n%s", want, p.raw)
			}
		}
		if p.says("MARKED") {
			t.Error("the secret that was sent is shown")
		}
		if p := b.atApp("", made.id); strings.Count(p.raw, `<details class="error">`) != 2 || !p.says("<b>2</b> <span>Failures</span>") {
			t.Errorf("the overview:\n%s", p.raw)
		}
		w.clock.Advance(time.Minute)
		for range 30 {
			w.want(w.token(app{id: made.id, secret: "wrong"}, "grant_type", "client_credentials"), http.StatusUnauthorized, "invalid_client")
		}
		w.upkeep()
		b.atApp("errors", made.id)
		_, older, found := strings.Cut(b.page.raw, `<p class="links"><a href="/developer/app/errors`)
		if !found {
			t.Fatalf("there is no way to older ones:\n%s", b.page.raw)
		}
		address, _, _ := strings.Cut(older, `"`)
		p = b.visit("/developer/app/errors" + strings.ReplaceAll(address, "&amp;", "&"))
		if !p.says(refused.header.Get("X-Request-Id")) || !p.says(mismatch.header.Get("X-Request-Id")) {
			t.Errorf("the older ones:\n%s", p.raw)
		}
	})
}

// TestAClientOfAnOperatorIsAnAdministratorsAlone: what was made by command is nobody's app, and administrators reach it by its address.
func TestAClientOfAnOperatorIsAnAdministratorsAlone(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		w.admin("root")
		c := w.client(storage.ClientMetadata{Name: "House", GrantTypes: []string{"client_credentials"}, Scope: "api:read"})
		w.home("ada", "").shows(w.home("ada", "").visit(appPage("", c.id)), http.StatusNotFound, "There is no such app of yours")
		a := w.home("root", "")
		a.atApp("settings", c.id)
		a.shows(a.submit("client_name", "The House"), http.StatusOK, "Settings")
		if m := w.stored(c.id); m.Metadata.Name != "The House" || m.Metadata.Scope != "api:read" || m.Origin != storage.OriginOperator {
			t.Errorf("it is %+v", m)
		}
	})
}
