package web_test

import (
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/developer"
)

// playgroundData is what the playground's page tells its script of the app.
var playgroundData = regexp.MustCompile(`data-app="([^"]*)"`)

func TestThePlaygroundIsLetInOnceAndByThePersonWhoseAppItIs(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		b := w.home("ada", "")
		made := b.register(developer.KindWeb, "redirect_uris", callback)
		at := w.provider.Door().IssuerURL + developer.PlaygroundPath
		p := b.shows(b.visit("/developer/playground?id="+made.id), http.StatusOK, "Playground")
		if !p.says(`id="let-in"`) || p.says(`id="flow-code"`) || !p.says(at) {
			t.Errorf("it does not ask to be let in:\n%s", p.raw)
		}
		letIn := b.forged("/developer/playground", "id", made.id)
		for range 2 {
			if p = b.shows(b.send("/developer/playground", letIn), http.StatusOK, "Playground"); p.says(`id="let-in"`) || !p.says(`id="flow-code"`) {
				t.Errorf("it is not let in:\n%s", p.raw)
			}
		}
		if uris := w.stored(made.id).Metadata.RedirectURIs; !slices.Equal(uris, []string{callback, at}) {
			t.Errorf("the redirect URIs are %q", uris)
		}
		if kinds := w.eventsOf(made.id); len(kinds) != 2 || !strings.HasPrefix(kinds[1], "client.updated ") {
			t.Errorf("the events are %q", kinds)
		}
		machine := b.register(developer.KindMachine)
		b.visit("/developer/playground?id=" + made.id)
		p = b.send("/developer/playground", form("id", machine.id, "form_token", letIn.Get("form_token")))
		if p.status != http.StatusUnprocessableEntity || len(w.stored(machine.id).Metadata.RedirectURIs) != 0 {
			t.Errorf("an app without people: %d %q", p.status, p.h1)
		}
	})
}

func TestThePlaygroundTellsItsScriptWhatIsPublicAlone(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		b := w.home("ada", "")
		made := b.register(developer.KindWeb, "redirect_uris", callback)
		p := b.shows(b.visit("/developer/playground?id="+made.id), http.StatusOK, "Playground")
		found := playgroundData.FindStringSubmatch(p.raw)
		var data map[string]any
		if found == nil || json.Unmarshal([]byte(html.UnescapeString(found[1])), &data) != nil {
			t.Fatalf("there is nothing for the script:\n%s", p.raw)
		}
		issuer := w.provider.Door().IssuerURL
		want := map[string]any{
			"client_id": made.id, "token_endpoint_auth_method": "client_secret_basic", "token_endpoint_auth_signing_alg": "",
			"require_pushed_authorization_requests": false, "refresh_rotation": "strict", "issuer": issuer,
			"discovery": issuer + "/.well-known/openid-configuration", "callback": issuer + developer.PlaygroundPath, "errors": "/developer/app/errors?id=" + made.id,
		}
		for name, value := range want {
			if data[name] != value {
				t.Errorf("%s is %v, want %v", name, data[name], value)
			}
		}
		if len(data) != len(want) || p.says(made.secret) {
			t.Errorf("it tells more than that: %v", data)
		}
		if strings.Contains(p.raw, `name="proof"`) || !p.says(`<input type="password" id="proof"`) || !p.says(`autocomplete="off"`) {
			t.Errorf("the secret's field may be sent or kept:\n%s", p.raw)
		}
	})
}

func TestThePlaygroundIsCutOffFromWhoOpensItButNotFromWhatItOpens(t *testing.T) {
	t.Parallel()
	portal(t, developer.PolicyOn, func(w *world) {
		w.user("ada")
		b := w.home("ada", "")
		made := b.register(developer.KindSPA, "redirect_uris", callback)
		for path, opener := range map[string]string{
			"/developer/playground?id=" + made.id:              "same-origin-allow-popups",
			developer.PlaygroundPath + "?code=c&state=s&iss=i": "",
			"/developer/app?id=" + made.id:                     "same-origin",
			"/developer/playground?id=" + made.id + "&id=x":    "",
		} {
			p := b.visit(path)
			if got := p.header.Get("Cross-Origin-Opener-Policy"); got != opener {
				t.Errorf("%s (%d): Cross-Origin-Opener-Policy is %q, want %q", path, p.status, got, opener)
			}
			csp := p.header.Get("Content-Security-Policy")
			for _, part := range []string{"script-src 'self'", "connect-src 'self'", "require-trusted-types-for 'script'", "frame-ancestors 'none'"} {
				if !strings.Contains(csp, part) {
					t.Errorf("%s: the policy lacks %s: %s", path, part, csp)
				}
			}
			if p.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: Cache-Control %q", path, p.header.Get("Cache-Control"))
			}
			if strings.HasPrefix(path, developer.PlaygroundPath) && p.says("code=c") {
				t.Errorf("the callback shows what it was sent:\n%s", p.raw)
			}
		}
	})
}
