package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestBrowserHarness: the tests of pages may trust their browser: it hears what a policy forbids and what fails in the console, an
// error page is no complaint, axe-core finds faults and no others in spite of a page's policy, pages without script run none, two browsers share
// no cookie, and the certificate of the tests' authority is believed.
func TestBrowserHarness(t *testing.T) {
	t.Parallel()
	const strict = "default-src 'none'; img-src data:; script-src 'self'; require-trusted-types-for 'script'; form-action 'self'"
	mux := http.NewServeMux()
	page := func(path, policy string, status int, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", policy)
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
			w.WriteHeader(status)
			fmt.Fprintf(w, `<!doctype html><html lang="en"><head><title>A page</title><meta name="viewport" content="width=device-width">`+
				`<link rel="icon" href="data:,"></head><body><main><h1>A page</h1>%s</main></body></html>`, body)
		})
	}
	page("GET /good", strict, http.StatusOK, `<form method="post" action="/sent"><p><label>Name <input name="username" autocomplete="username" value="old"></label></p><button type="submit">Send</button></form>`)
	page("POST /sent", strict, http.StatusBadRequest, `<p>sent</p>`)
	page("GET /forbidden", strict, http.StatusOK, `<script>document.title = "ran"</script>`)
	page("GET /bad", "style-src 'unsafe-inline'", http.StatusOK, `<p style="color: #ccc">pale</p><input name="username" autocomplete="username">`)
	page("GET /console", "script-src 'unsafe-inline'", http.StatusOK, `<script>console.error("mayday")</script>`)
	page("GET /script", "script-src 'unsafe-inline'", http.StatusOK, `<p id="p">no script</p><script>p.textContent = "script"</script>`)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	b := openBrowser(t)
	if r := b.visit(server.URL + "/good"); r.Status != http.StatusOK || b.text("h1") != "A page" {
		t.Errorf("visiting a page: %d %q", r.Status, b.text("h1"))
	}
	if faults := b.axe(); len(faults) > 0 {
		t.Errorf("axe-core finds fault with a good page: %q", faults)
	}
	b.fill("username", "new")
	if r := b.press("button[type=submit]"); r.Status != http.StatusBadRequest || b.text("p") != "sent" {
		t.Errorf("sending a form: %d %q", r.Status, b.text("p"))
	}
	if heard := b.heard(); len(heard) > 0 {
		t.Errorf("complaints without a cause: %q", heard)
	}
	for path, want := range map[string]string{"/forbidden": "ContentSecurityPolicyIssue", "/console": "mayday"} {
		b.visit(server.URL + path)
		b.until("is heard", func() bool { return strings.Contains(strings.Join(b.heard(), "\n"), want) })
		b.pardonAll()
	}
	b.visit(server.URL + "/bad")
	if faults := strings.Join(b.axe(), "\n"); !strings.Contains(faults, "color-contrast") || !strings.Contains(faults, "label") {
		t.Errorf("axe-core finds no fault with a bad page: %q", faults)
	}
	if got := b.cookies(server.URL)["seen"]; got != "yes" {
		t.Errorf("the cookie is %q", got)
	}

	other := openBrowser(t).withoutScript()
	if len(other.cookies(server.URL)) > 0 {
		t.Error("two browsers share their cookies")
	}
	other.visit(server.URL + "/script")
	if got := other.text("#p"); got != "no script" {
		t.Errorf("with JavaScript off the page says %q", got)
	}
	other.visit(server.URL + "/good")
	other.fill("username", "new")
	if r := other.press("button[type=submit]"); r.Status != http.StatusBadRequest {
		t.Errorf("sending a form without script: %d", r.Status)
	}

	secure := httptest.NewUnstartedServer(mux)
	secure.TLS = ca.serverConfig(t)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	if r := b.visit(strings.Replace(secure.URL, "127.0.0.1", "localhost", 1) + "/good"); r.SecurityState != "secure" && r.Status != http.StatusOK {
		t.Errorf("over TLS: %d %s", r.Status, r.SecurityState)
	}
}
