package e2e

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// payloads are values that run, or change the page, where something lets them out of their place.
var payloads = []string{
	`<script>document.title='ran'</script>`, `"><img src=x onerror="document.title='ran'">`, `' autofocus onfocus=document.title='ran' x='`,
	`</title><svg/onload=document.title='ran'>`, `javascript:document.title='ran'`, `{{printf "ran"}}${document.title}`,
	"<!--\x00--><iframe srcdoc='<script>parent.document.title=1</script>'>", `</textarea></form><form action=https://evil.example><button autofocus>`,
}

// strangers are what none of Signet's pages has.
const strangers = `script:not([src]), img[src="x"], svg, iframe, [onerror], [onfocus], [onload], form[action^="http"], a[href^="javascript:"]`

// TestHostileValuesRunNowhere: what a request, a client's registration or a person's own profile says is text on every page that shows
// it. A value that got out would be an element that no page has, or a line from the browser, which each fail the test.
func TestHostileValuesRunNowhere(t *testing.T) {
	t.Parallel()
	n := serve(t, settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db")})
	createUser(t, n.env, "ada")
	all := strings.ReplaceAll(strings.Join(payloads[:4], " "), "\x00", "")
	command{env: n.env}.run(t, "user", "update", "ada", "--claim", "name="+payloads[0]+payloads[1])
	s := openShop(t, n, "--name", all)
	verifier := oauth2.GenerateVerifier()
	b := openBrowser(t)
	look := func(what string) {
		t.Helper()
		if b.has(strangers) || b.text("h1") == "" {
			t.Errorf("%s got out at %s", what, b.location())
		}
	}
	for _, p := range payloads {
		text := strings.ReplaceAll(p, "\x00", "")
		escaped := url.QueryEscape(text)
		for _, address := range []string{
			s.ask(verifier, "login_hint", text, "ui_locales", text, "display", text, "claims_locales", text),
			s.ask(verifier, "redirect_uri", s.URL+"/"+text),
			s.ask(verifier, "client_id", text),
			n.URL + "/login?tx=" + escaped, n.URL + "/device?user_code=" + escaped, n.URL + "/oauth2/logout?state=" + escaped + "&logout_hint=" + escaped,
		} {
			b.visit(address)
			look(text)
		}
	}
	b.visit(s.ask(verifier, "state", all, "response_mode", "form_post", "prompt", "consent"))
	b.signIn("ada", password)
	look("a name")
	b.decide("allow")
	if answer := b.answered(s); answer.Get("state") != all {
		t.Errorf("state came back as %q", answer.Get("state"))
	}
	b.visit(n.URL + "/account")
	look("a name")
}
