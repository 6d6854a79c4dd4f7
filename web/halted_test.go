package web_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/register"
)

// halted asserts that the browser shows our own page about an error of an app, that nothing of it leads on by itself, and returns the
// answer that the person may send the app.
func (b *browser) halted(what, mode string) url.Values {
	b.Helper()
	p := b.page
	b.shown(what, p, http.StatusBadRequest)
	if p.left != nil || p.h1 != "This app made a mistake" || strings.Contains(strings.ToLower(p.raw), "<script") || strings.Contains(strings.ToLower(p.raw), "http-equiv") {
		b.Fatalf("%s: left %v:\n%s", what, p.left, p.raw)
	}
	b.has("Continue to ", p.header.Get("X-Request-Id"))
	if mode == "form_post" {
		if len(p.forms) != 1 || !strings.EqualFold(p.forms[0].method, http.MethodPost) || len(p.forms[0].buttons) != 1 || p.forms[0].fields == nil {
			b.Fatalf("%s: no form to go on with:\n%s", what, p.raw)
		}
		fields := p.forms[0].fields
		fields.Set("at", p.forms[0].action)
		return fields
	}
	links := p.elements("a", "href")
	if len(links) != 1 || len(p.forms) != 0 || p.elements("a", "rel")[0] != "noreferrer" {
		b.Fatalf("%s: links %q:\n%s", what, links, p.raw)
	}
	before, fields := links[0], url.Values{}
	if at := strings.LastIndexAny(before, "?#"); at > 0 && (before[at] == '#') == (mode == "fragment") {
		var err error
		fields, err = url.ParseQuery(before[at+1:])
		b.must(err)
		before = before[:at]
	}
	fields.Set("at", before)
	return fields
}

// wrong are requests that are each answered with an error, by its code.
func wrong() map[string][]string {
	return map[string][]string{
		"invalid_scope":                     {"scope", "nothing:here"},
		"unsupported_response_type":         {"response_type", "token"},
		"invalid_request":                   {"code_challenge", ""},
		"request_not_supported":             {"request", "e30.e30."},
		"invalid_target":                    {"resource", "https://nowhere.example/"},
		"unmet_authentication_requirements": {"claims", `{"id_token":{"acr":{"essential":true,"value":"urn:nowhere"}}}`},
	}
}

var responseModes = []string{"query", "fragment", "form_post"}

func TestAnAppThatNobodyKnowsSendsNobodyAnywhereByItsMistakes(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		w.user("ada")
		agent, operators, b := w.register("").app, w.relying(), w.browser()
		for code, pairs := range wrong() {
			for _, mode := range responseModes {
				b.visit(authorize(agent, append(pairs, "response_mode", mode)...))
				answer := b.halted(code+" by "+mode, mode)
				if answer.Get("error") != code || answer.Get("state") != "the-state" || answer.Get("iss") != issuerURL || answer.Get("error_description") == "" || answer.Get("at") != callback {
					t.Errorf("%s by %s is answered %v", code, mode, answer)
				}
				b.has("This app registered itself on ", "nobody here has checked it, nor its name", "Go on only if you trust app.example", code, html.EscapeString(answer.Get("error_description")))
				if mode == "form_post" != strings.Contains(b.page.header.Get("Content-Security-Policy"), appOrigin) {
					t.Errorf("%s by %s: policy %q", code, mode, b.page.header.Get("Content-Security-Policy"))
				}
			}
			if p := b.visit(authorize(operators, pairs...)); p.left == nil || p.left.Query().Get("error") != code {
				t.Errorf("%s of an operator's app: %d %v", code, p.status, p.left)
			}
		}

		// Silent authentication waits for its answer, and gets it in every mode.
		b.visit(authorize(agent, "prompt", "none"))
		if q := b.page.left; q == nil || q.Query().Get("error") != "login_required" {
			t.Errorf("prompt=none: %d %v", b.page.status, q)
		}
		b.visit(authorize(agent, "prompt", "none", "response_mode", "form_post"))
		if f := b.delivered("prompt=none", appOrigin); f.Get("error") != "login_required" {
			t.Errorf("prompt=none: %v", f)
		}

		// It is explained like any other, under the number that the page shows.
		b.visit(authorize(agent, "scope", "nothing:here"))
		w.upkeep()
		kept, err := w.store.FindRefusal(t.Context(), b.page.header.Get("X-Request-Id"))
		if err != nil || kept.ClientID != agent.id || kept.Code != "invalid_scope" {
			t.Errorf("kept %+v, %v", kept, err)
		}
	})
}

func TestWhoIsSignedInAndAnAppThatWasUsedAreNotHalted(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		w.user("ada")
		agent, signedIn, nobody := w.register("").app, w.browser(), w.browser()
		asked := authorize(agent, "scope", "nothing:here")
		goes := func(what string, b *browser) {
			t.Helper()
			if p := b.visit(asked); p.left == nil || p.left.Query().Get("error") != "invalid_scope" {
				t.Errorf("%s: %d %q %v", what, p.status, p.h1, p.left)
			}
		}
		nobody.visit(asked)
		nobody.halted("before", "query")
		code := signedIn.through(agent, "ada", "").Get("code")
		goes("ada is signed in", signedIn)
		nobody.visit(asked)
		nobody.halted("before the first token", "query")
		w.want(w.exchange(agent, code), http.StatusOK, "")
		w.upkeep()
		goes("the app was used", nobody)
	})
}

func TestAnAppOfAnAddressThatNobodyKnowsIsHaltedLikewise(t *testing.T) {
	documented(t, func(w *world, m *maker) {
		agent, b := app{id: m.url + "/agent.json"}, w.browser()
		host := strings.TrimPrefix(m.url, "https://")
		for code, pairs := range wrong() {
			for _, mode := range responseModes {
				b.visit(authorize(agent, append(pairs, "response_mode", mode, "redirect_uri", m.url+"/cb")...))
				if answer := b.halted(code+" by "+mode, mode); answer.Get("error") != code || answer.Get("at") != m.url+"/cb" {
					t.Errorf("%s by %s is answered %v", code, mode, answer)
				}
				b.has("An app of "+host, "what "+host+" publishes about it", "Go on only if you trust "+host)
			}
		}
		b.visit(authorize(agent, "redirect_uri", "http://127.0.0.1:51234/cb", "scope", "nothing:here"))
		b.halted("a native app", "query")
		b.has("Go on only if you started it yourself", "Continue to 127.0.0.1:51234")
	})
}
