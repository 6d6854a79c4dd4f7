package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

// delivered asserts that the browser shows a form_post page, one that works without scripts, and returns what it sends to the client.
func (b *browser) delivered(what, origin string) url.Values {
	b.Helper()
	p := b.page
	if p.status != http.StatusOK || p.left != nil || len(p.forms) != 1 || p.header.Get("Content-Type") != "text/html; charset=utf-8" {
		b.Fatalf("%s: %d, left %v:\n%s", what, p.status, p.left, p.raw)
	}
	f := p.forms[0]
	if !strings.HasPrefix(f.action, origin) || !strings.EqualFold(f.method, http.MethodPost) || p.elements("form", "enctype")[0] != "" {
		b.Errorf("%s: form %s %s", what, f.method, f.action)
	}
	if len(f.buttons) != 1 || f.buttons[0].name != "" || strings.TrimSpace(f.buttons[0].text) == "" {
		b.Errorf("%s: no button that sends the form and nothing else: %v", what, f.buttons)
	}
	for _, e := range p.elements("input", "type") {
		if e != "hidden" {
			b.Errorf("%s: an input of type %q", what, e)
		}
	}
	for _, name := range []string{"code", "error", "state", "iss"} {
		if strings.Contains(f.action, name+"=") || (name != "state" && p.url.Query().Has(name)) { // the request itself had a state
			b.Errorf("%s: %s is in an address", what, name)
		}
	}
	if p.header.Get("Cache-Control") != "no-store" {
		b.Errorf("%s: Cache-Control %q", what, p.header.Get("Cache-Control"))
	}
	if !slices.Contains(p.directive("form-action"), origin) || !slices.Contains(p.directive("script-src"), "'self'") {
		b.Errorf("%s: policy %q", what, p.header.Get("Content-Security-Policy"))
	}
	return f.fields
}

// arrive goes through an authorization request until the page that carries its answer.
func (b *browser) arrive(c app, pairs ...string) {
	b.Helper()
	b.visit(authorize(c, append(pairs, "response_mode", "form_post")...))
	for range 3 {
		switch {
		case b.page.asks("password"):
			b.signIn("ada")
		case b.page.offers("decision", "allow"):
			b.submit("decision", "allow")
		}
	}
}

const appOrigin = "https://app.example"

func TestEverySuccessByFormPostIsAFormThatWorksWithoutScripts(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		for _, state := range append(states, `"><script>alert(1)</script>&amp;&lt;'`) {
			b.arrive(c, "state", state)
			fields := b.delivered("code", appOrigin)
			w.wantFields("code", fields, "code", "state", "iss")
			if fields.Get("state") != state || fields.Get("iss") != issuerURL {
				w.Errorf("state %q came back as %q from %q", state, fields.Get("state"), fields.Get("iss"))
			}
			if strings.Contains(b.page.raw, "<script>") {
				w.Errorf("a value became a script:\n%s", b.page.raw)
			}
			w.want(w.exchange(c, fields.Get("code")), http.StatusOK, "")
		}
		b.arrive(c, "state", "")
		w.wantFields("no state", b.delivered("no state", appOrigin), "code", "iss")

		kept := w.relying(func(m *storage.ClientMetadata) { m.RedirectURIs = []string{callback + "?foo=bar"} })
		b.arrive(kept, "redirect_uri", callback+"?foo=bar")
		if b.delivered("a registered query", appOrigin); b.page.forms[0].action != callback+"?foo=bar" {
			w.Errorf("the form leads to %s", b.page.forms[0].action)
		}
	})
}

func TestEveryErrorByFormPostIsAForm(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.relying()
		errs := func(b *browser, want string) {
			w.Helper()
			fields := b.delivered(want, appOrigin)
			w.wantFields(want, fields, "error", "error_description", "state", "iss")
			if fields.Get("error") != want || fields.Get("state") != "the-state" || fields.Get("iss") != issuerURL {
				w.Errorf("%v, want %s", fields, want)
			}
			w.plainDescription(want, fields.Get("error_description"))
		}
		for _, e := range []struct {
			want  string
			pairs []string
		}{
			{"login_required", []string{"prompt", "none"}},
			{"invalid_request", []string{"response_type", ""}},
			{"unsupported_response_type", []string{"response_type", "token"}},
			{"invalid_scope", []string{"scope", "nothing:here"}},
			{"request_not_supported", []string{"request", "e30.e30."}},
			{"request_uri_not_supported", []string{"request_uri", "https://app.example/r"}},
			{"invalid_request", []string{"code_challenge", "", "code_challenge_method", ""}},
			{"invalid_target", []string{"resource", "https://nowhere.example/"}},
			{"unmet_authentication_requirements", []string{"claims", `{"id_token":{"acr":{"essential":true,"value":"urn:nowhere"}}}`}},
		} {
			b := w.browser()
			b.visit(authorize(c, append(e.pairs, "response_mode", "form_post")...))
			errs(b, e.want)
		}
		b := w.browser()
		b.visit(authorize(c, "response_mode", "form_post"))
		b.signIn("ada")
		b.submit("decision", "deny")
		errs(b, "access_denied")
		b.visit(authorize(c, "response_mode", "form_post", "prompt", "none"))
		errs(b, "consent_required")
	})
}

func TestTheScriptOfTheFormPostPageSendsItsForm(t *testing.T) {
	each(t, func(w *world) {
		b := w.browser()
		b.visit(authorize(w.relying(), "prompt", "none", "response_mode", "form_post"))
		sources := b.page.elements("script", "src")
		if len(sources) != 1 || !strings.HasPrefix(sources[0], "/static/") {
			w.Fatalf("scripts %q", sources)
		}
		script := w.send(http.MethodGet, sources[0], nil, "")
		if script.status != http.StatusOK || !strings.HasPrefix(script.header.Get("Content-Type"), "text/javascript") ||
			!strings.Contains(script.raw, "document.forms[0]") || !strings.Contains(script.raw, ".submit()") {
			w.Errorf("%s: %d %s", sources[0], script.status, script.raw)
		}
		for _, modern := range []string{"=>", "const ", "let ", "`", "?."} { // browsers of clients' tests are old
			if strings.Contains(script.raw, modern) {
				w.Errorf("the script has %q", modern)
			}
		}
	})
}

func TestAFragmentCarriesTheWholeAnswerAndTheQueryNothing(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		asked := func(what string, want ...string) url.Values {
			w.Helper()
			left := b.page.left
			if left == nil || left.RawQuery != "" || left.Host != "app.example" || left.Path != "/cb" {
				w.Fatalf("%s: left to %v", what, left)
			}
			fields, err := url.ParseQuery(left.EscapedFragment())
			w.must(err)
			w.wantFields(what, fields, want...)
			return fields
		}
		b.visit(authorize(c, "response_mode", "fragment", "prompt", "none"))
		if f := asked("error", "error", "error_description", "state", "iss"); f.Get("error") != "login_required" || f.Get("state") != "the-state" {
			w.Errorf("%v", f)
		}
		b.through(c, "ada", "", "response_mode", "fragment")
		for _, state := range states {
			b.visit(authorize(c, "response_mode", "fragment", "state", state))
			if f := asked("code", "code", "state", "iss"); f.Get("state") != state || f.Get("iss") != issuerURL {
				w.Errorf("state %q: %v", state, f)
			} else {
				w.want(w.exchange(c, f.Get("code")), http.StatusOK, "")
			}
		}
		if p := b.visit(authorize(c, "response_mode", "web_message")); p.left == nil || p.left.Query().Get("error") != "invalid_request" {
			w.Errorf("an unknown mode: %d %v", p.status, p.left)
		}
	})
}
