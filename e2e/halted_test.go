package e2e

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// TestHaltedPage: in a real browser an error of an app that nobody knows is shown before anybody goes there, in every response mode, and
// the way on is the answer itself.
func TestHaltedPage(t *testing.T) {
	t.Parallel()
	agent, _ := publishAgent(t)
	env := maps.Clone(onSQLite(t))
	maps.Copy(env, settings{
		"SIGNET_CLIENT_ID_DOCUMENTS": "on", "SIGNET_OUTBOUND_ALLOW": "127.0.0.1/32:" + agent.Port(), "SIGNET_OUTBOUND_CA_FILE": ca.file,
	})
	n := serve(t, env)
	s, b, verifier := openShop(t, n), openBrowser(t), oauth2.GenerateVerifier()
	s.URL = strings.Replace(s.URL, "localhost", "127.0.0.1", 1)
	s.config.ClientID, s.config.ClientSecret, s.config.RedirectURL = agent.String(), "", s.URL+"/cb"
	for _, mode := range []string{"query", "fragment", "form_post"} {
		asked := s.ask(verifier, "scope", "nothing:here", "response_mode", mode)
		if r := b.visit(asked); r.Status != http.StatusBadRequest || !strings.HasPrefix(b.location(), n.URL) {
			t.Fatalf("%s: %d\nat %s", mode, r.Status, b.location())
		}
		b.wantHeading("This app made a mistake")
		b.wantText("The Agent", "An app of "+agent.Host, "nobody here has checked that, nor its name", "Continue to "+strings.TrimPrefix(s.URL, "http://"))
		b.look("halted-" + mode)
		for _, tag := range []string{"de", "ar"} {
			b.visit(asked + "&ui_locales=" + tag)
			b.glance("halted-" + mode + "-" + tag)
		}
		b.visit(asked)
		b.press(map[bool]string{true: "main form button", false: "main a.button"}[mode == "form_post"])
		if mode == "fragment" {
			if at := b.location(); !strings.HasPrefix(at, s.URL+"/cb#error=invalid_scope&") {
				t.Errorf("by fragment it goes on to %s", at)
			}
			continue
		}
		if answer := b.answered(s); answer.Get("error") != "invalid_scope" || answer.Get("iss") != n.URL {
			t.Errorf("%s: it goes on with %v", mode, answer)
		}
	}
}
