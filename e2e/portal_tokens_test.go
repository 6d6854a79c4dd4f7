package e2e

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPortalTokens: an administrator makes an initial access token in a real browser, runs the command that stands beside it, unchanged,
// and revokes it; with JavaScript and without; in English, German and Arabic.
func TestPortalTokens(t *testing.T) {
	t.Parallel()
	n := serve(t, settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db")})
	createUser(t, n.env, "root", "--admin", "--name", "Grace Hopper")
	t.Run("script", func(t *testing.T) {
		tokensStory(t, n, openBrowser(t))
	})
	t.Run("noscript", func(t *testing.T) {
		tokensStory(t, n, openBrowser(t).withoutScript())
	})
	for tag, user := range map[string]string{"de": "emmy", "ar": "fatima"} {
		t.Run(tag, func(t *testing.T) {
			createUser(t, n.env, user, "--admin", "--name", "Emmy Noether", "--claim", "locale="+tag)
			b := openBrowser(t)
			b.visit(n.URL + "/developer/tokens")
			b.signIn(user, password)
			b.glance("developer-tokens-" + tag)
			b.fill("token_name", "Partner A")
			b.press("main form:has(input[name=token_name]) button[type=submit]")
			if !b.has("html[lang="+tag+"]") || strings.Contains(b.text("main"), "tokens.") {
				t.Errorf("a token\nat %s", b.where())
			}
			b.glance("developer-token-" + tag)
		})
	}
}

func tokensStory(t *testing.T, n *node, b *tab) {
	b.visit(n.URL + "/developer")
	b.signIn("root", password)
	b.press("a[href='/developer/tokens']")
	b.wantHeading("Registration tokens")
	b.look("developer-tokens-none")
	b.fill("token_name", "Partner A")
	b.fill("uses", "many")
	b.press("main form:has(input[name=token_name]) button[type=submit]")
	if !b.has("[role=alert]") || !b.has("input[name=uses][aria-invalid=true]") {
		t.Errorf("after uses that are no number\nat %s", b.where())
	}
	b.look("developer-tokens-wrong")
	b.fill("uses", "1")
	b.fill("scope", "reports:read")
	b.do(chromedp.Click(chromedp.CSS("input[name=grant_machine]")))
	b.press("main form:has(input[name=token_name]) button[type=submit]")
	b.wantHeading("Your new token")
	b.look("developer-token")

	token := b.text("dl.values dd code")
	out, err := exec.CommandContext(t.Context(), "sh", "-c", see(b, chromedp.Evaluate[string]("document.querySelector('pre code').textContent"))).Output()
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
		Scope  string `json:"scope"`
	}
	if err != nil || json.Unmarshal(out, &made) != nil || made.ID == "" || made.Secret == "" || made.Scope != "reports:read" {
		t.Errorf("the command brings %s, %v", out, err)
	}
	b.visit(n.URL + "/developer/tokens")
	if text := b.text(".things"); !strings.Contains(text, "Used up") || strings.Contains(b.text("main"), token) {
		t.Errorf("used up\nat %s", b.where())
	}
	b.fill("token_name", "Partner B")
	b.fill("uses", "0")
	b.press("main form:has(input[name=token_name]) button[type=submit]")
	b.wantHeading("Your new token")
	b.visit(n.URL + "/developer/tokens")
	b.look("developer-tokens")
	b.press("li:last-child button[name=revoke]")
	if !strings.Contains(b.text("[role=status]"), "revoked") || b.has("button[name=revoke]") {
		t.Errorf("revoked\nat %s", b.where())
	}
}
