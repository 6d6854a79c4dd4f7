package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// playPublic: a person's own app without a secret, made at the portal; its rotation forgives a retry, and ends at reuse.
func playPublic(t *testing.T, n *node) {
	b := openBrowser(t)
	b.visit(n.URL + "/developer/new?kind=native")
	b.signIn("grace", password)
	b.fill("client_name", "The Native App")
	b.do(evaluate(`document.querySelector("textarea[name=redirect_uris]").value = "http://127.0.0.1/callback"`))
	b.press("main form button[type=submit]")
	id := b.text("dd code")
	command{env: n.env}.run(t, "client", "update", id, "--refresh-grace", "1s")
	b.visit(n.URL + "/developer/playground?id=" + id)
	b.press("#let-in button")
	p := &play{b, n, id}
	p.ready()
	if p.has("#proof") || p.has("[data-act=machine]") {
		t.Errorf("it asks for a secret that there is none of\nat %s", p.where())
	}
	p.signInAs("deny", "The person, or the server, declined")
	if !strings.Contains(p.text("#flow-code .bad"), "access_denied") {
		t.Errorf("the refusal is not shown\nat %s", p.where())
	}
	p.look("playground-denied")
	p.signedIn()
	for range 3 {
		p.step("refresh", "refresh", "The refresh token was exchanged")
	}
	p.step("refresh", "retry", "Forgiven: ")
	p.until("is reuse", func() bool {
		p.step("refresh", "older", "")
		p.able("older")
		return strings.HasPrefix(p.said("refresh"), "That was reuse")
	})
	p.with("Access token", "Userinfo", "Refused with status 401")
	p.finish()
}

// playPushed: an app that must push its requests, and proves itself by a key that signs in the page.
func playPushed(t *testing.T, n *node) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	jwk := map[string]string{"kty": "EC", "crv": "P-256", "kid": "one", "use": "sig", "alg": "ES256", "x": text(public[1:33]), "y": text(public[33:])}
	file := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(file, []byte(`{"keys":[`+asJSON(jwk)+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	app := playable(t, n, "--name", "Pushed", "--token-endpoint-auth-method", "private_key_jwt", "--jwks-file", file, "--require-pushed-authorization-requests",
		"--userinfo-signed-response-alg", "ES256", "--access-token-format", "opaque", "--refresh-rotation", "static")
	p := playAt(t, n, openBrowser(t), "ada", app.ID)
	if !p.has("[data-act=open]:disabled") {
		t.Error("a request may be sent that was not pushed")
	}
	p.enterAt("proof", "not a key")
	p.step("code", "push", "This is no private key")
	jwk["d"] = text(private)
	p.enterAt("proof", asJSON(jwk))
	p.step("code", "push", "The server keeps the request for")
	p.signInAs("allow", "The code is here")
	p.step("code", "exchange", "The tokens are here")
	if !strings.Contains(p.text("#flow-code .answers"), "An opaque token") {
		t.Errorf("an opaque token is not said to be one\nat %s", p.where())
	}
	p.with("Access token", "Userinfo", "This is what the app may know")
	if !p.has("#flow-tokens .verdict.good") {
		t.Errorf("signed userinfo is not verified\nat %s", p.where())
	}
	p.step("refresh", "refresh", "The refresh token stayed the same")
	p.step("refresh", "retry", "The refresh token stayed the same")
	p.finish()
}

// playMachine: an app that signs with its secret, which is never sent.
func playMachine(t *testing.T, n *node) {
	app := createClient(t, n.env, "--name", "Machine", "--grant-type", "client_credentials", "--token-endpoint-auth-method", "client_secret_jwt")
	p := playAt(t, n, openBrowser(t), "ada", app.ID)
	if p.has("#flow-code") || p.has("#let-in") || p.has("#flow-refresh") {
		t.Errorf("it offers what the app does not do\nat %s", p.where())
	}
	p.enterAt("proof", "scs_wrong")
	p.step("machine", "machine", "Refused with status 401")
	p.enterAt("proof", app.Secret)
	p.step("machine", "machine", "The tokens are here")
	post := createClient(t, n.env, "--name", "Post", "--grant-type", "client_credentials", "--token-endpoint-auth-method", "client_secret_post")
	p.visit(n.URL + "/developer/playground?id=" + post.ID)
	p.ready()
	p.enterAt("proof", post.Secret)
	p.step("machine", "machine", "The tokens are here")
	if strings.Contains(see(p.tab, chromedp.Evaluate[string]("document.documentElement.outerHTML")), post.Secret) {
		t.Error("the secret is in the page")
	}
	p.finish()
}

// playClosed: the playground is the owner's alone, says that it needs JavaScript, and its callback gives nothing away.
func playClosed(t *testing.T, n *node) {
	app := playable(t, n, "--name", "Closed")
	b := openBrowser(t).withoutScript()
	b.visit(n.URL + "/developer/playground?id=" + app.ID)
	if r := b.signIn("grace", password); r.Status != http.StatusNotFound {
		t.Errorf("another person is answered %d\nat %s", r.Status, b.where())
	}
	own := openBrowser(t).withoutScript()
	own.visit(n.URL + "/developer/playground?id=" + app.ID)
	own.signIn("ada", password)
	own.wantHeading("Playground")
	if text := own.text("main"); !strings.Contains(text, "needs JavaScript") || !strings.Contains(text, `"$SIGNET_CLIENT_SECRET" -d grant_type=client_credentials`) {
		t.Errorf("without JavaScript it says\n%s", text)
	}
	own.look("playground-noscript")
	own.press("#let-in button")
	if own.has("#let-in") {
		t.Errorf("the playground is not let in\nat %s", own.where())
	}
	stray := openBrowser(t)
	stray.visit(n.URL + "/developer/playground/callback?code=stray&state=s&iss=i")
	stray.until("has cleared its address", func() bool { return stray.location() == n.URL+"/developer/playground/callback" })
	stray.look("playground-callback")
}

// playIn looks at the playground in another language.
func playIn(t *testing.T, n *node, tag, user string) {
	createUser(t, n.env, user, "--admin", "--name", "Emmy Noether", "--claim", "locale="+tag)
	app := playable(t, n, "--name", "App "+tag)
	b := openBrowser(t)
	b.visit(n.URL + "/developer/playground?id=" + app.ID)
	b.signIn(user, password)
	b.glance("playground-out-" + tag)
	b.press("#let-in button")
	p := &play{b, n, app.ID}
	p.ready()
	p.enterAt("proof", app.Secret)
	p.tap("[data-act=machine]")
	p.until("shows a token", func() bool {
		return glimpse[bool](p.tab, `document.querySelector("#flow-machine .token .verdict.good") !== null`)
	})
	if !b.has("html[lang="+tag+"]") || strings.Contains(b.text("main"), "playground.") {
		t.Errorf("it is not whole\nat %s", b.where())
	}
	var texts map[string]string
	if err := json.Unmarshal([]byte(see(b, chromedp.Evaluate[string](`document.getElementById("playground").dataset.texts`))), &texts); err != nil || texts["signed"] == "" {
		t.Errorf("the texts of the script are %v %v", texts, err)
	}
	b.glance("playground-" + tag)
}
