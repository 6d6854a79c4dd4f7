package web_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/storage"
)

func TestEveryKindOfAppIsMadeAtThePortalAndWorks(t *testing.T) {
	t.Parallel()
	for _, kind := range developer.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			portal(t, developer.PolicyOn, func(w *world) {
				ada := w.user("ada")
				b := w.home("ada", "")
				b.shows(b.visit("/developer"), http.StatusOK, "Your apps")
				if !b.page.says(`href="/developer/new?kind=` + string(kind) + `"`) {
					t.Errorf("the list does not offer the kind:\n%s", b.page.raw)
				}
				pairs := []string{"redirect_uris", callback}
				switch kind {
				case developer.KindMachine:
					pairs = nil
				case developer.KindAgent: // what it begins with will do
					pairs = []string{"redirect_uris", "http://127.0.0.1/callback\r\n" + callback}
				}
				made := b.register(kind, pairs...)
				c := w.stored(made.id)
				if c.Origin != storage.OriginPerson || c.OwnerID != ada.ID || c.Metadata.Name != "The "+string(kind) || developer.KindOf(c.Metadata) != kind || c.Metadata.FirstParty {
					t.Errorf("it is %+v", c)
				}
				if client.HoldsSecret(c) != (made.secret != "") {
					t.Errorf("its method is %s, and the page shows the secret %q", c.Metadata.TokenEndpointAuthMethod, made.secret)
				}
				if made.secret != "" && (!b.page.says("export SIGNET_CLIENT_SECRET="+made.secret) || strings.Contains(b.page.url.String(), made.secret)) {
					t.Errorf("the secret is not to copy, or in the address %s", b.page.url)
				}
				if kind == developer.KindMachine {
					w.want(w.token(made, "grant_type", "client_credentials"), http.StatusOK, "")
				} else {
					w.user("grace")
					code := w.browser().through(made, "grace", "").Get("code")
					w.want(w.exchange(made, code), http.StatusOK, "")
				}
				for _, path := range []string{"/developer", appPage("", made.id), appPage("secrets", made.id), appPage("settings", made.id)} {
					if p := b.visit(path); p.status != http.StatusOK || made.secret != "" && p.says(made.secret) {
						t.Errorf("%s: %d, and the secret is shown: %v", path, p.status, p.status == http.StatusOK)
					}
				}
				w.upkeep()
				if p := b.atApp("", made.id); !p.says("<b>1</b> <span>Tokens</span>") || p.says("Switched off") {
					t.Errorf("the overview does not count:\n%s", p.raw)
				}
				if got := w.eventsOf(made.id); !slices.Equal(got, []string{"client.registered " + ada.ID.String()}) {
					t.Errorf("in the log: %v", got)
				}
			})
		})
	}
}

func TestWhatCannotBeRegisteredIsSaidBesideItsField(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		b := w.home("ada", "")
		for name, c := range map[string]struct {
			pairs []string
			field string
			says  string
		}{
			"no name":             {[]string{"client_name", "  ", "redirect_uris", callback}, "client_name", "Give the app a name"},
			"a name that deceits": {[]string{"client_name", "Bank\u202ekcab", "redirect_uris", callback}, "client_name", "client_name must have at most"},
			"no redirect URI":     {[]string{"client_name", "App", "redirect_uris", "\r\n"}, "redirect_uris", "must have at least one member"},
			"a fragment":          {[]string{"client_name", "App", "redirect_uris", callback + "\r\n" + callback + "#x"}, "redirect_uris", "Line 2:"},
			"plain http":          {[]string{"client_name", "App", "redirect_uris", "http://app.example/cb"}, "redirect_uris", "Line 1:"},
			"a script":            {[]string{"client_name", "App", "redirect_uris", "javascript:alert(1)"}, "redirect_uris", "Line 1:"},
		} {
			b.visit("/developer/new?kind=web")
			p := b.shows(b.submit(c.pairs...), http.StatusUnprocessableEntity, "New app")
			if !p.says(`aria-describedby="wrong-`+c.field) || !p.says(c.says) {
				t.Errorf("%s: it does not say so:\n%s", name, p.raw)
			}
			if _, typed := b.fields("client_name", ""); typed.Get("redirect_uris") == "" && c.field != "redirect_uris" {
				t.Errorf("%s: what was typed is gone", name)
			}
		}
		if p := b.visit("/developer"); !p.says("You have no apps yet") {
			t.Errorf("something was registered:\n%s", p.raw)
		}
		for _, kind := range []string{"", "nonsense"} {
			if p := b.shows(b.visit("/developer/new?kind="+kind), http.StatusOK, "New app"); !p.says("What kind of app is it?") {
				t.Errorf("the kind %q:\n%s", kind, p.raw)
			}
		}
	})
}

func TestNobodyHasMoreAppsThanTheyMay(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		b := w.home("ada", "")
		for range 3 {
			b.register(developer.KindMachine)
		}
		b.visit("/developer/new?kind=machine")
		p := b.shows(b.submit("client_name", "Fourth"), http.StatusForbidden, "New app")
		if !p.says("as many apps as one person may have here: 3") {
			t.Errorf("it does not say so:\n%s", p.raw)
		}
		if p := b.visit("/developer"); !p.says("as many apps as one person may have here: 3") || p.says("kind=web") {
			t.Errorf("the list offers more:\n%s", p.raw)
		}
		w.user("grace")
		w.home("grace", "").register(developer.KindMachine)
	})
}

func TestAnAppThatWaitsIsUselessUntilAnAdministratorLetsItIn(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyApproval, func(w *world) {
		ada, root := w.user("ada"), w.admin("root")
		b, a := w.home("ada", ""), w.home("root", "")
		made := b.register(developer.KindMachine)
		w.want(w.token(made, "grant_type", "client_credentials"), http.StatusUnauthorized, "invalid_client")
		if p := b.atApp("", made.id); !p.says("Waits for approval") || p.offers("switch", "on") {
			t.Errorf("its owner is not told, or may switch it on:\n%s", p.raw)
		}
		b.shows(b.visit("/developer/waiting"), http.StatusNotFound, "There is no such app of yours")
		if p := a.visit("/developer"); !p.says(`href="/developer/waiting"`) {
			t.Errorf("the administrator is not told:\n%s", p.raw)
		}
		if p := a.visit("/developer/waiting"); !p.says("The machine") || !p.says("belongs to ada") {
			t.Errorf("the app is not there:\n%s", p.raw)
		}
		if p := a.submit("approve", made.id); !p.says("The app is let in") || p.says("The machine") {
			t.Errorf("let in:\n%s", p.raw)
		}
		w.want(w.token(made, "grant_type", "client_credentials"), http.StatusOK, "")
		b.atApp("", made.id) // switches off, and its form is kept
		a.atApp("", made.id)
		a.shows(a.submit("switch", "off"), http.StatusOK, "Overview")
		w.want(w.token(made, "grant_type", "client_credentials"), http.StatusUnauthorized, "invalid_client")
		if p := b.shows(b.send("/developer/app", b.forged("/developer/app", "id", made.id, "switch", "on")), http.StatusForbidden, "Overview"); !p.says("Only an administrator can switch it on") {
			t.Errorf("the owner is not told:\n%s", p.raw)
		}
		a.shows(a.submit("switch", "on"), http.StatusOK, "Overview")
		w.want(w.token(made, "grant_type", "client_credentials"), http.StatusOK, "")
		who := " " + root.ID.String()
		if got := w.eventsOf(made.id); !slices.Equal(got, []string{"client.registered " + ada.ID.String(), "client.approved" + who, "client.disabled" + who, "client.enabled" + who}) {
			t.Errorf("in the log: %v", got)
		}
		own := a.register(developer.KindMachine) // an administrator's own waits for nobody
		w.want(w.token(own, "grant_type", "client_credentials"), http.StatusOK, "")
	})
}

func TestPagesThatShowOrEndThingsWantAFreshProofAndComeBackToTheApp(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		b := w.home("ada", "")
		made := b.register(developer.KindMachine)
		w.clock.Advance(11 * time.Minute)
		for _, path := range []string{"/developer", appPage("", made.id), appPage("redirects", made.id), appPage("errors", made.id)} {
			b.shows(b.visit(path), http.StatusOK, "")
			if b.page.asks("password") {
				t.Errorf("%s wants a proof", path)
			}
		}
		for _, path := range []string{"/developer/new?kind=spa", appPage("settings", made.id), appPage("secrets", made.id), appPage("delete", made.id)} {
			b.visit(path)
			if !b.page.asks("password") {
				t.Errorf("%s wants no proof: %s", path, b.page.url)
			}
		}
		b.signIn("ada")
		if got := b.page.url.String(); got != issuerURL+appPage("delete", made.id) {
			t.Errorf("signed in, it leads to %s", got)
		}
		b.atApp("settings", made.id)
		w.clock.Advance(11 * time.Minute) // to fill in the form takes its time
		if b.submit("client_name", "Renamed"); w.stored(made.id).Metadata.Name != "Renamed" {
			t.Errorf("what was typed is lost at %s", b.page.url)
		}
		b.atApp("", made.id)
		before := w.stored(made.id)
		b.send("/developer/app/settings", b.forged("/developer/app", "id", made.id, "revision", strconv.FormatInt(before.Revision, 10), "token_endpoint_auth_method", "none"))
		if b.page.status != http.StatusForbidden || w.stored(made.id).Revision != before.Revision {
			t.Errorf("a form of another page, without a fresh proof, is answered %d", b.page.status)
		}
		b.visit("/developer/new?kind=spa")
		b.signIn("ada")
		if got := b.page.url.RequestURI(); got != "/developer/new?kind=spa" {
			t.Errorf("signed in, it leads to %s", got)
		}
	})
}
