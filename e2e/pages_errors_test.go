package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"
)

// TestErrorPages: whatever is wrong with a request before its client and its redirect URI are proven is said on a page of Signet's
// own, under a heading that does not change, and nobody is sent anywhere.
func TestErrorPages(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, env settings) {
		n := serve(t, env)
		createUser(t, n.env, "ada")
		s := openShop(t, n, "--first-party")
		closed := openShop(t, n)
		command{env: n.env}.run(t, "client", "disable", closed.ID)
		verifier := oauth2.GenerateVerifier()
		b := openBrowser(t)
		for _, c := range []struct {
			name, address string
			status        int64
			heading       string
		}{
			{"unknown client", s.ask(verifier, "client_id", "nobody"), http.StatusBadRequest, "This app is not known here"},
			{"no client", s.ask(verifier, "client_id", ""), http.StatusBadRequest, "This app is not known here"},
			{"client switched off", closed.ask(verifier), http.StatusBadRequest, "This app is switched off"},
			{"redirect mismatch", s.ask(verifier, "redirect_uri", s.URL+"/cb/../evil"), http.StatusBadRequest, "This app's return address is not registered"},
			{"redirect missing", s.ask(verifier, "redirect_uri", ""), http.StatusBadRequest, "This app did not say where to return"},
			{"twice", s.ask(verifier) + "&state=another", http.StatusBadRequest, "This request cannot be used"},
			{"not UTF-8", s.ask(verifier) + "&login_hint=%ff", http.StatusBadRequest, "This request cannot be used"},
			{"forged transaction", n.URL + "/login?tx=stx_" + strings.Repeat("A", 80), http.StatusBadRequest, "This request cannot be used"},
			{"no transaction", n.URL + "/consent", http.StatusBadRequest, "There is nothing to do here"},
			{"pushed request unknown", s.ask(verifier, "request_uri", "urn:ietf:params:oauth:request_uri:"+strings.Repeat("A", 43)), http.StatusBadRequest, "This page has expired"},
			{"sign-out unproven", n.URL + "/oauth2/logout?client_id=" + s.ID + "&post_logout_redirect_uri=https://evil.example/", http.StatusOK, "You are signed out"},
		} {
			r := b.visit(c.address)
			if !strings.HasPrefix(r.URL, n.URL) || !strings.HasPrefix(b.location(), n.URL) {
				t.Fatalf("%s: arrived at %s", c.name, b.location())
			}
			if heading := b.text("h1"); r.Status != c.status || heading != c.heading {
				t.Errorf("%s: %d %q, want %d %q", c.name, r.Status, heading, c.status, c.heading)
			}
			b.look("error-" + strings.ReplaceAll(c.name, " ", "-"))
		}

		t.Run("both addresses for the owner of the app", func(t *testing.T) {
			b := openBrowser(t)
			b.visit(s.ask(verifier, "redirect_uri", s.URL+"/cb2"))
			b.tap("details > summary")
			text := b.text("main")
			for _, want := range []string{s.URL + "/cb2", s.URL + "/cb", "signet explain", s.ID} {
				if !strings.Contains(text, want) {
					t.Errorf("the page does not say %q\nat %s", want, text)
				}
			}
			b.look("error-for-the-owner")
		})
		t.Run("another browser", func(t *testing.T) {
			mine, theirs := openBrowser(t), openBrowser(t)
			mine.visit(s.ask(verifier))
			if r := theirs.visit(mine.location()); r.Status != http.StatusForbidden || theirs.text("h1") != "This began in another browser" {
				t.Errorf("%d %q", r.Status, theirs.text("h1"))
			}
			theirs.look("error-other-browser")
		})
		t.Run("a pushed request that was used", func(t *testing.T) { usedRequest(t, n, s) })
		t.Run("a sign-out address that is not registered", func(t *testing.T) { unregisteredSignOut(t, n, s) })
		t.Run("a form from another site", func(t *testing.T) { foreignForm(t, n, s) })
		t.Run("a form that was changed", func(t *testing.T) {
			b := openBrowser(t)
			b.visit(s.ask(verifier))
			see(b, evaluate(`document.querySelector("input[name=form_token]").value = "stale"`))
			b.fill("username", "ada")
			b.fill("password", password)
			if r := b.press("button[type=submit]"); r.Status != http.StatusForbidden || b.text("h1") != "This form can no longer be sent" {
				t.Errorf("%d %q", r.Status, b.text("h1"))
			}
			b.look("error-form")
			b.press("main a")
			b.wantHeading("Sign in")
		})
		t.Run("too many attempts", func(t *testing.T) {
			b := openBrowser(t)
			b.visit(s.ask(verifier))
			var r int64
			for range 12 {
				b.fill("username", "mallory")
				b.fill("password", "wrong")
				if r = b.press("button[type=submit]").Status; r == http.StatusTooManyRequests {
					break
				}
			}
			if r != http.StatusTooManyRequests || !strings.Contains(b.text("[role=alert]"), "Too many attempts") {
				t.Errorf("%d\nat %s", r, b.where())
			}
			b.look("login-throttled")
		})
	})
}

// usedRequest completes a pushed request in one tab while it is open in another, and opens it once more.
func usedRequest(t *testing.T, n *node, s *shop) {
	asked, err := url.Parse(s.ask(oauth2.GenerateVerifier()))
	if err != nil {
		t.Fatal(err)
	}
	a := post(t, n.URL, "/oauth2/par", s.registered, asked.Query())
	if a.Status != http.StatusCreated || a.RequestURI == "" {
		t.Fatalf("pushing a request: %d %s", a.Status, a.Body)
	}
	address := fmt.Sprintf("%s/oauth2/authorize?%s", n.URL, url.Values{"client_id": {s.ID}, "request_uri": {a.RequestURI}}.Encode())
	b := openBrowser(t)
	b.visit(address)
	other := b.openTab()
	other.visit(address)
	b.signIn("ada", password)
	if b.answered(s).Get("code") == "" {
		t.Fatalf("the first time\nat %s", b.where())
	}
	other.signIn("ada", password)
	other.wantHeading("This form can no longer be sent") // it was made before the browser was signed in
	if r := other.press("main a"); r.Status != http.StatusBadRequest || other.text("h1") != "This request was used already" {
		t.Errorf("in the other tab: %d\nat %s", r.Status, other.where())
	}
	other.look("error-used")
	if r := b.visit(address); r.Status != http.StatusBadRequest || b.text("h1") != "This page has expired" {
		t.Errorf("the second time: %d\nat %s", r.Status, b.where())
	}
}

// unregisteredSignOut: a client that proves who it is by an ID token is told that its address is wrong, and nobody is sent there.
func unregisteredSignOut(t *testing.T, n *node, s *shop) {
	verifier := oauth2.GenerateVerifier()
	ada := n.visitor(t, "ada")
	token, err := s.config.Exchange(t.Context(), ada.arrives(t, s.ask(verifier), s.URL+"/cb").Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	hint, _ := token.Extra("id_token").(string)
	b := openBrowser(t)
	r := b.visit(n.URL + "/oauth2/logout?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {s.URL + "/elsewhere"}}.Encode())
	if r.Status != http.StatusBadRequest || b.text("h1") != "This app's sign-out address is not registered" {
		t.Errorf("%d\nat %s", r.Status, b.where())
	}
	b.look("error-sign-out-address")
}

// foreignForm: another site cannot sign anybody in, not even with a form that Signet made (login CSRF).
func foreignForm(t *testing.T, n *node, s *shop) {
	b := openBrowser(t)
	b.visit(s.ask(oauth2.GenerateVerifier()))
	fields := see(b, chromedp.Evaluate[[]string](`["tx", "form_token"].map(name => document.querySelector("input[name=" + name + "]").value)`))
	b.visit(s.URL + "/evil")
	see(b, evaluate(fmt.Sprintf(`document.body.innerHTML = '<form method="post" action="%s"><input type="hidden" name="tx" value="%s">`+
		`<input type="hidden" name="form_token" value="%s"><input type="hidden" name="username" value="ada">`+
		`<input type="hidden" name="password" value="%s"><button>Win</button></form>'`, n.URL+"/login", fields[0], fields[1], password)))
	if r := b.press("button"); r.Status != http.StatusForbidden || b.text("h1") != "This form came from somewhere else" {
		t.Errorf("%d\nat %s", r.Status, b.where())
	}
	b.look("error-cross-origin")
	b.visit(s.ask(oauth2.GenerateVerifier()))
	b.wantHeading("Sign in")
}
