package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPortal: people in a real browser register apps of their own and look after them, with JavaScript and without; an administrator lets
// each in; in English, German and Arabic.
func TestPortal(t *testing.T) {
	t.Parallel()
	n := serve(t, settings{"SIGNET_DEVELOPERS": "approval", "SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db")})
	createUser(t, n.env, "root", "--admin", "--name", "Grace Hopper")
	root := openBrowser(t)
	root.visit(n.URL + "/account")
	root.signIn("root", password)
	root.visit(n.URL + "/developer/waiting")
	root.wantHeading("Apps that wait")
	root.look("developer-waiting-none")
	t.Run("script", func(t *testing.T) {
		portalStory(t, n, "ada", openBrowser(t), root)
	})
	t.Run("noscript", func(t *testing.T) {
		portalStory(t, n, "lovelace", openBrowser(t).withoutScript(), root)
	})
	for tag, user := range map[string]string{"de": "emmy", "ar": "fatima"} {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			portalIn(t, n, tag, user)
		})
	}
}

// write types text into a field of several lines.
func (b *tab) write(name, text string) {
	b.t.Helper()
	field := fmt.Sprintf("document.querySelector('textarea[name=%s]')", name)
	b.do(evaluate(field+".focus()"), evaluate(field+".select()"), chromedp.KeyEvent(text))
}

func portalStory(t *testing.T, n *node, user string, b, root *tab) {
	createUser(t, n.env, user, "--name", "Ada Lovelace")
	b.visit(n.URL + "/account")
	b.signIn(user, password)
	b.press("a[href='/developer']")
	b.wantHeading("Your apps")
	b.look("developer-none")

	id, secret := portalMake(t, n, b)
	root.visit(n.URL + "/developer")
	root.press("main .note a")
	root.wantHeading("Apps that wait")
	root.look("developer-waiting")
	root.press(fmt.Sprintf("button[name=approve][value=%q]", id))
	if !strings.Contains(root.text("[role=status]"), "let in") {
		t.Errorf("let in\nat %s", root.where())
	}
	// It is known now, and not registered for this grant type yet.
	if a := tokenFor(t, n, id, secret); a != http.StatusBadRequest {
		t.Errorf("let in, the app is answered %d", a)
	}
	portalSettings(t, n, b, id)
	portalSecrets(t, n, b, id, secret)
	portalErrors(t, n, b, id)
	portalEnd(t, n, b, id)
}

// tokenFor asks for a token with client credentials.
func tokenFor(t *testing.T, n *node, id, secret string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.URL+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// portalMake registers a web app, and returns its client_id and secret.
func portalMake(t *testing.T, n *node, b *tab) (id, secret string) {
	b.press("a[href='/developer/new?kind=web']")
	b.wantHeading("New app")
	b.look("developer-new")
	b.fill("client_name", "The Shop")
	b.write("redirect_uris", "http://shop.example/callback")
	b.press("main button[type=submit]")
	if !b.has("[role=alert]") || !strings.Contains(b.text(".wrong"), "Line 1:") || !b.has("textarea[aria-invalid=true]") {
		t.Errorf("after a redirect URI that is not allowed\nat %s", b.where())
	}
	b.look("developer-new-wrong")
	b.write("redirect_uris", "https://shop.example/callback")
	b.press("main button[type=submit]")
	b.wantHeading("Your new secret")
	b.look("developer-secret")
	secret = b.text("dl.values dd code")
	if !strings.HasPrefix(secret, "scs_") || !strings.Contains(b.text("main"), "export SIGNET_CLIENT_SECRET="+secret) || !strings.Contains(b.text("main"), "Waits for approval") {
		t.Errorf("registered\nat %s", b.where())
	}
	if !b.scriptless {
		b.tap("dl.values dd button.copy")
		b.until("copies, or selects", func() bool {
			return glimpse[bool](b, "document.querySelector('button.copy').textContent === 'Copied' || String(getSelection()).startsWith('scs_')")
		})
	}
	b.press("nav a[href^='/developer/app?id=']")
	b.wantHeading("Overview")
	b.look("developer-app-waiting")
	return b.text("dl.values dd code"), secret
}

func portalSettings(t *testing.T, n *node, b *tab, id string) {
	b.visit(n.URL + "/developer/app/settings?id=" + id)
	b.wantHeading("Settings")
	b.look("developer-settings")
	b.do(chromedp.Click(chromedp.CSS("details:has(input[name=client_uri]) > summary")))
	b.fill("client_uri", "shop.example")
	b.press("main button[type=submit]")
	if !b.has("details[open] input[name=client_uri][aria-invalid=true]") {
		t.Errorf("after a home page that is no address\nat %s", b.where())
	}
	b.look("developer-settings-wrong")
	b.fill("client_uri", "https://shop.example/")
	b.do(chromedp.Click(chromedp.CSS("input[name=grant_machine]:not(:checked)")))
	b.press("main button[type=submit]")
	if !strings.Contains(b.text("[role=status]"), "saved") || !b.has("input[name=grant_machine]:checked") {
		t.Errorf("saved\nat %s", b.where())
	}
}

func portalSecrets(t *testing.T, n *node, b *tab, id, first string) {
	b.visit(n.URL + "/developer/app/secrets?id=" + id)
	b.wantHeading("Secrets")
	b.press("form:has(select) button[type=submit]")
	b.wantHeading("Your new secret")
	second := b.text("dl.values dd code")
	b.visit(n.URL + "/developer/app/secrets?id=" + id)
	b.look("developer-secrets")
	if strings.Contains(b.text("main"), "scs_") || tokenFor(t, n, id, first) != http.StatusOK || tokenFor(t, n, id, second) != http.StatusOK {
		t.Errorf("two secrets\nat %s", b.where())
	}
	b.press("li:last-child button[name=remove]")
	if !b.has("[role=status]") || tokenFor(t, n, id, first) != http.StatusUnauthorized || tokenFor(t, n, id, second) != http.StatusOK {
		t.Errorf("one removed\nat %s", b.where())
	}
}

// portalErrors: a redirect URI is tried, and a request with it refused; the page tells where they part.
func portalErrors(t *testing.T, n *node, b *tab, id string) {
	b.visit(n.URL + "/developer/app/redirects?id=" + id)
	b.wantHeading("Redirect URIs")
	b.fill("uri", "https://shop.example/callback/")
	b.press("main button[type=submit]")
	if got := b.text(".trial mark"); got != "/" {
		t.Errorf("marked is %q\nat %s", got, b.where())
	}
	b.look("developer-redirects")
	answer, err := http.Get(n.URL + "/oauth2/authorize?response_type=code&scope=openid&redirect_uri=https%3A%2F%2Fshop.example%2Fcallback%2F&client_id=" + id)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	request := answer.Header.Get("X-Request-Id")
	b.until("shows the refused request", func() bool {
		b.visit(n.URL + "/developer/app/errors?id=" + id)
		return strings.Contains(see(b, chromedp.Evaluate[string]("document.body.textContent")), request)
	})
	b.wantHeading("Errors")
	b.do(chromedp.Click(chromedp.CSS("details.error > summary")))
	b.look("developer-errors")
	b.until("shows what was counted", func() bool {
		b.visit(n.URL + "/developer/app?id=" + id)
		return !strings.Contains(b.text(".figures"), "\n0\n") && b.has("table")
	})
	b.do(chromedp.Click(chromedp.CSS("details:has(table) > summary")))
	b.look("developer-app")
}

func portalEnd(t *testing.T, n *node, b *tab, id string) {
	b.press("button[name=switch][value=off]")
	if !strings.Contains(b.text(".state"), "Switched off") {
		t.Errorf("switched off\nat %s", b.where())
	}
	b.look("developer-app-off")
	b.visit(n.URL + "/developer")
	b.wantHeading("Your apps")
	b.look("developer")
	b.visit(n.URL + "/developer/app/delete?id=" + id)
	b.wantHeading("Delete this app")
	b.enter("app_name", "The Ship")
	if !b.has("[role=alert]") {
		t.Errorf("after another name\nat %s", b.where())
	}
	b.look("developer-delete")
	b.enter("app_name", "The Shop")
	b.wantHeading("Your apps")
	if !strings.Contains(b.text("[role=status]"), "deleted") || !strings.Contains(b.text("main"), "You have no apps yet") {
		t.Errorf("deleted\nat %s", b.where())
	}
	b.visit(n.URL + "/developer/app?id=" + id)
	b.wantHeading("There is no such app of yours")
	b.look("developer-gone")
}

func portalIn(t *testing.T, n *node, tag, user string) {
	createUser(t, n.env, user, "--name", "Emmy Noether", "--claim", "locale="+tag)
	b := openBrowser(t)
	b.visit(n.URL + "/developer/new?kind=web")
	b.signIn(user, password)
	b.fill("client_name", "The Shop")
	b.write("redirect_uris", "https://shop.example/callback")
	b.glance("developer-new-" + tag)
	b.press("main button[type=submit]")
	b.glance("developer-secret-" + tag)
	b.press("nav a[href^='/developer/app?id=']")
	id := b.text("dl.values dd code")
	for _, page := range []string{"", "/settings", "/redirects", "/secrets", "/errors", "/delete"} {
		b.visit(n.URL + "/developer/app" + page + "?id=" + id)
		if !b.has("html[lang="+tag+"]") || strings.Contains(b.text("main"), "developer.") {
			t.Errorf("%s\nat %s", page, b.where())
		}
		b.glance("developer-app" + strings.ReplaceAll(page, "/", "-") + "-" + tag)
	}
	b.visit(n.URL + "/developer")
	b.glance("developer-" + tag)
}
