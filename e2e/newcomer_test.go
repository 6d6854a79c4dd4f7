package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/coreos/go-oidc/v3/oidc"
)

// TestNewcomer: somebody who has an account and nothing else registers an app in the portal, copies a snippet from its page, runs it
// unchanged, and sees in the playground that the token is good: all of it in Chromium, but for what runs in a shell.
func TestNewcomer(t *testing.T) {
	t.Parallel()
	n := serve(t, settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db"), "SIGNET_DEVELOPERS": "on"})
	provider, err := oidc.NewProvider(t.Context(), n.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]string{"curl": "machine", "go": "native", "node": "native", "python": "native"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &trial{T: t, n: n, provider: provider, subject: createUser(t, n.env, "new-to-"+name)}
			b := openBrowser(t)
			b.visit(n.URL + "/developer")
			b.signIn("new-to-"+name, password)
			b.wantHeading("Your apps")
			s.app = b.registerApp(kind)
			b.press("main a[href^='/developer/app/snippets']")
			if !b.has(fmt.Sprintf("[data-snippet=%q]", name)) {
				b.press(fmt.Sprintf("a[href$='&with=%s']", name))
			}
			s.snippet = b.copySnippet()
			r := s.start(nil)
			if kind == "native" {
				b.visit(s.says(r, n.URL+"/oauth2/authorize"))
				b.closeWindow()
			}
			token := s.result(r)
			if kind == "machine" {
				s.goodJSON(token)
				_, token, _ = strings.Cut(token, `"access_token":"`)
				token, _, _ = strings.Cut(token, `"`)
			} else {
				s.good(token)
			}
			b.inspect(n, s.app.ID, token)
		})
	}
}

// closeWindow allows the app, and sees that the program is done, which answers this one request and is gone before the browser wants an icon.
func (b *tab) closeWindow() {
	b.t.Helper()
	b.tap("button[name=decision][value=allow]")
	b.until("may be closed", func() bool {
		return strings.Contains(glimpse[string](b, "document.body.innerText"), "You may close this window.")
	})
	icon := see(b, chromedp.Evaluate[string]("location.origin")) + "/favicon.ico"
	b.mu.Lock()
	defer b.mu.Unlock()
	b.documents[icon] = true
}

// registerApp registers an app of the kind at the portal.
func (b *tab) registerApp(kind string) openedApp {
	b.t.Helper()
	b.press(fmt.Sprintf("a[href='/developer/new?kind=%s']", kind))
	b.fill("client_name", "My first app")
	if kind == "native" {
		b.write("redirect_uris", "http://127.0.0.1/callback")
	}
	b.press("main button[type=submit]")
	app := openedApp{kind: kind}
	for _, value := range see(b, chromedp.Evaluate[[]string](`Array.from(document.querySelectorAll("dl.values code"), c => c.textContent)`)) {
		switch secret, found := strings.CutPrefix(value, "export SIGNET_CLIENT_SECRET="); {
		case found:
			app.Secret = secret
		case app.ID == "" && !strings.HasPrefix(value, "scs_"):
			app.ID = value
		}
	}
	if app.ID == "" || (app.Secret != "") != (kind == "machine") {
		b.t.Fatalf("the app is %+v\nat %s", app, b.where())
	}
	return app
}

// copySnippet copies the snippet that the page shows.
func (b *tab) copySnippet() (s snippetPage) {
	b.t.Helper()
	copied := see(b, chromedp.Evaluate[[][]string](`Array.from(document.querySelectorAll("[data-install], [data-file], [data-run]"),
		e => ["install" in e.dataset ? "" : "run" in e.dataset ? "run" : "file", e.dataset.file ?? "", e.querySelector("pre").textContent])`))
	for _, c := range copied {
		switch c[0] {
		case "file":
			s.files = append(s.files, snippetFile{c[1], c[2]})
		case "run":
			s.run = c[2]
		default:
			s.install = c[2]
		}
	}
	return s
}

// inspect pastes the token into the playground.
func (b *tab) inspect(n *node, id, token string) {
	b.t.Helper()
	b.visit(n.URL + "/developer/app?id=" + id)
	b.press("nav a[href^='/developer/playground?id=']")
	b.until("is ready", func() bool { return glimpse[bool](b, `!document.getElementById("playground").hidden`) })
	b.do(evaluate(`document.getElementById("inspect").focus()`), chromedp.KeyEvent(token))
	b.tap("[data-act=inspect]")
	b.until("shows a verdict", func() bool { return glimpse[bool](b, `document.querySelector("#flow-inspect .verdict") !== null`) })
	if !b.has("#flow-inspect .verdict.good") || b.has("#flow-inspect .verdict.bad-one") || !strings.Contains(b.text("#flow-inspect"), id) {
		b.t.Errorf("the playground does not find the token good\nat %s\n%s", b.where(), b.text("#flow-inspect"))
	}
}

// TestSnippetPages: the page is as the portal is, in light and dark, narrow and wide, and in each language.
func TestSnippetPages(t *testing.T) {
	t.Parallel()
	n := serve(t, settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db"), "SIGNET_DEVELOPERS": "on"})
	web, spa := openApp(t, n, "web"), openApp(t, n, "spa")
	for _, tag := range []string{"en", "de", "ar"} {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			createUser(t, n.env, "reads-"+tag, "--admin", "--claim", "locale="+tag)
			b := openBrowser(t)
			b.visit(n.URL + "/developer")
			b.signIn("reads-"+tag, password)
			b.visit(snippetAddress(n, web.ID, "next"))
			if !b.has("html[lang="+tag+"]") || !b.has("[data-snippet=next]") || strings.Contains(b.text("main"), "snippets.") {
				t.Errorf("the page about Next.js\nat %s", b.where())
			}
			look := map[bool]func(string){true: b.look, false: b.glance}[tag == "en"]
			look("developer-snippets-next-" + tag)
			b.visit(snippetAddress(n, spa.ID, "browser"))
			look("developer-snippets-browser-" + tag)
		})
	}
}
