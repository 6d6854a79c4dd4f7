package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPlayground: developers in a real browser run the flows of their apps one step at a time, see what rotation, retry and reuse do, and
// read what is in their tokens; the app's secret is nowhere but in its field; in English, German and Arabic.
func TestPlayground(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "signet.db")
	n := serve(t, settings{"SIGNET_DEVELOPERS": "on", "SIGNET_DATABASE_URL": "sqlite://" + database})
	createUser(t, n.env, "ada", "--admin", "--name", "Ada Lovelace", "--email", "ada@example.com")
	createUser(t, n.env, "grace", "--name", "Grace Hopper")
	t.Run("confidential", func(t *testing.T) {
		t.Parallel()
		playConfidential(t, n, database)
	})
	t.Run("public", func(t *testing.T) {
		t.Parallel()
		playPublic(t, n)
	})
	t.Run("pushed", func(t *testing.T) {
		t.Parallel()
		playPushed(t, n)
	})
	t.Run("machine", func(t *testing.T) {
		t.Parallel()
		playMachine(t, n)
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		playClosed(t, n)
	})
	for tag, user := range map[string]string{"de": "emmy", "ar": "fatima"} {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			playIn(t, n, tag, user)
		})
	}
}

// playable registers a client with all grants at the command line; flags win.
func playable(t *testing.T, n *node, flags ...string) registered {
	t.Helper()
	return createClient(t, n.env, append([]string{
		"--grant-type", "authorization_code", "--grant-type", "refresh_token", "--grant-type", "client_credentials", "--grant-type", "password",
		"--grant-type", "urn:ietf:params:oauth:grant-type:device_code", "--redirect-uri", "https://shop.example/cb",
		"--scope", "openid profile email offline_access",
	}, flags...)...)
}

// play is the playground of an app.
type play struct {
	*tab
	n  *node
	id string
}

// playAt opens the playground of an app and signs in as user, which lets the playground in where it is not.
func playAt(t *testing.T, n *node, b *tab, user, id string) *play {
	t.Helper()
	b.visit(n.URL + "/developer/playground?id=" + url.QueryEscape(id))
	b.signIn(user, password)
	b.wantHeading("Playground")
	if b.has("#let-in") {
		b.look("playground-out")
		b.press("#let-in button")
	}
	p := &play{b, n, id}
	p.ready()
	return p
}

func (p *play) ready() {
	p.t.Helper()
	p.until("is ready", func() bool { return glimpse[bool](p.tab, `document.querySelector("#playground[data-ready]") !== null`) })
}

// enterAt types text into the field with this id.
func (p *play) enterAt(id, text string) {
	p.t.Helper()
	field := fmt.Sprintf("document.getElementById(%q)", id)
	p.do(evaluate(field+".focus()"), evaluate(field+".select()"), chromedp.KeyEvent(text))
}

// says waits until a section says a sentence that begins like this.
func (p *play) says(section, want string) {
	p.t.Helper()
	p.until(section+" says "+want, func() bool { return strings.HasPrefix(p.said(section), want) })
}

func (p *play) said(section string) string {
	return glimpse[string](p.tab, fmt.Sprintf(`document.querySelector("#flow-%s .said").textContent`, section))
}

// step presses a button of a section as soon as that may be, and waits for what the section says then.
func (p *play) step(section, act, want string) {
	p.t.Helper()
	p.able(act)
	p.do(evaluate(fmt.Sprintf(`document.querySelector("#flow-%s .said").textContent = ""`, section)))
	p.tap("[data-act=" + act + "]")
	p.says(section, want)
}

func (p *play) able(act string) {
	p.t.Helper()
	p.until("offers "+act, func() bool {
		return glimpse[bool](p.tab, fmt.Sprintf(`!document.querySelector("[data-act=%s]").disabled`, act))
	})
}

// with presses a button beside the newest token of a kind, and waits for what is said then.
func (p *play) with(token, button, want string) {
	p.t.Helper()
	p.do(evaluate(fmt.Sprintf(`{
		document.querySelector("#flow-tokens .said").textContent = "";
		const row = [...document.querySelectorAll("#flow-tokens li")].find(li => li.querySelector("b").textContent === %q);
		[...row.querySelectorAll("button")].find(b => b.textContent === %q).click();
	}`, token, button)))
	p.says("tokens", want)
}

// signIn opens the sign-in in its window, decides there, and waits for what comes back.
func (p *play) signInAs(decision, want string) {
	p.t.Helper()
	p.able("open")
	window := p.popup(func() { p.tap("[data-act=open]") })
	window.arrive(p.n.URL + "/consent")
	window.leave(fmt.Sprintf("button[name=decision][value=%s]", decision))
	p.says("code", want)
}

// signedIn is signInAs, with the code exchanged.
func (p *play) signedIn() {
	p.t.Helper()
	p.signInAs("allow", "The code is here")
	p.step("code", "exchange", "The tokens are here")
}

// newest is the text of the newest token of a kind.
func (p *play) newest(token string) string {
	p.t.Helper()
	p.do(evaluate(fmt.Sprintf(`[...document.querySelectorAll("#flow-tokens li")].find(li => li.querySelector("b").textContent === %q).querySelector("button").click()`, token)))
	return see(p.tab, chromedp.Evaluate[string](`document.getElementById("inspect").value`))
}

// inspect pastes a token into the inspector and returns what is said of it.
func (p *play) inspect(token string) string {
	p.t.Helper()
	p.do(evaluate(fmt.Sprintf(`document.getElementById("inspect").value = %q; document.querySelector("#flow-inspect .answers").replaceChildren()`, token)))
	p.tap("[data-act=inspect]")
	p.until("is taken apart", func() bool { return glimpse[bool](p.tab, `document.querySelector("#flow-inspect .token") !== null`) })
	return p.text("#flow-inspect .token")
}

// finish forgets what the browser complains of at every answer with an error, which tests provoke.
func (p *play) finish() { p.pardon("Failed to load resource") }

func playConfidential(t *testing.T, n *node, database string) {
	name := strings.Join(payloads[:4], " ")
	app := playable(t, n, "--name", name, "--refresh-rotation", "strict")
	p := playAt(t, n, openBrowser(t), "ada", app.ID)
	p.look("playground")
	p.step("code", "push", "Enter first what proves the app.")
	p.enterAt("proof", app.Secret)

	p.step("code", "push", "The server keeps the request for")
	p.signInAs("allow", "The code is here")
	p.step("code", "wrong", "The proof does not fit")
	p.step("code", "exchange", "The tokens are here")
	if good := see(p.tab, chromedp.Evaluate[int64](`document.querySelectorAll("#flow-code .exchange[open] .verdict.good").length`)); good != 4 {
		t.Errorf("%d of the checks of two tokens passed, want 4\nat %s", good, p.where())
	}
	p.look("playground-tokens")

	p.with("Access token", "Userinfo", "This is what the app may know")
	if !strings.Contains(p.text("#flow-tokens .answers"), "ada@example.com") {
		t.Errorf("userinfo tells no address\nat %s", p.where())
	}
	p.with("Access token", "Introspect", "The token is good now.")
	for range 2 {
		p.step("refresh", "refresh", "The refresh token was exchanged")
	}
	p.with("Refresh token", "Introspect", "The token is good now.")
	p.step("refresh", "retry", "That was reuse")
	p.with("Refresh token", "Introspect", "The token is good no more")
	p.with("Access token", "Userinfo", "Refused with status 401")
	p.step("refresh", "refresh", "This sign-in has ended")
	p.look("playground-reuse")

	p.signedInAgain()
	p.step("code", "again", "A code serves once")
	p.with("Access token", "Introspect", "The token is good no more")
	if link := see(p.tab, chromedp.Evaluate[string](`document.querySelector("#flow-code .bad a").href`)); link != n.URL+"/developer/app/errors?id="+app.ID {
		t.Errorf("the refusal leads to %s", link)
	}
	refused := p.text("#flow-code .exchange[open] .bad p:last-child code")

	p.playDevice()
	p.step("machine", "machine", "The tokens are here")
	p.enterAt("password-username", "ada")
	p.enterAt("password-password", password)
	p.step("password", "password", "The tokens are here")
	for range 2 {
		p.step("refresh", "refresh", "The refresh token was exchanged")
	}
	p.step("refresh", "older", "That was reuse")
	p.step("password", "password", "The tokens are here")
	p.with("Refresh token", "Revoke", "Done.")
	p.with("Access token", "Introspect", "The token is good no more")
	p.playInspector()
	p.secretNowhere(app, database)
	if p.has(`#playground script, img[src="x"], iframe, [onerror], [onfocus], [onload]`) {
		t.Errorf("a name got out\nat %s", p.where())
	}
	p.finish()
	p.until("lists the refusal", func() bool {
		p.visit(n.URL + "/developer/app/errors?id=" + app.ID)
		return p.has("main") && strings.Contains(see(p.tab, chromedp.Evaluate[string]("document.body.textContent")), refused)
	})
}

// signedInAgain is signedIn of somebody who allowed the app before: the window closes with no question.
func (p *play) signedInAgain() {
	p.t.Helper()
	p.able("open")
	p.step("code", "open", "")
	p.says("code", "The code is here")
	p.step("code", "exchange", "The tokens are here")
}

// playDevice lets a device in at another tab.
func (p *play) playDevice() {
	p.t.Helper()
	p.step("device", "device", "Enter ")
	p.step("device", "poll", "Nobody has entered the code yet")
	p.step("device", "poll", "Too soon")
	other := p.openTab()
	other.visit(see(p.tab, chromedp.Evaluate[string](`document.querySelector(".usercode a").href`)))
	if other.has("input[name=user_code]:not([type=hidden])") {
		other.press("main button[type=submit]")
	}
	other.decide("allow")
	p.step("device", "poll", "The tokens are here")
}

// playInspector: what is not as the server made it is not believed.
func (p *play) playInspector() {
	p.t.Helper()
	token := p.newest("Access token")
	parts := strings.Split(token, ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		p.t.Fatal(err)
	}
	changed := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(claims), `"exp":1`, `"exp":2`, 1)))
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	unknown := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","kid":"<b>none</b>"}`))
	for given, want := range map[string]string{
		token: "The signature is good",
		parts[0] + "." + changed + "." + parts[2]:        "The signature is wrong",
		token[:len(token)-8] + "AAAAAAAA":                "The signature is wrong",
		token[:len(token)-1] + "!":                       "This is no JWT",
		unsigned + "." + parts[1] + ".":                  "It is not signed",
		unknown + "." + parts[1] + "." + parts[2]:        "This server publishes no key <b>none</b>",
		p.newest("Refresh token"):                        "An opaque token",
		`<img src=x onerror="document.title='ran'">`:     "An opaque token",
		parts[0] + "." + parts[1] + "." + parts[2] + "A": "",
	} {
		said := p.inspect(given)
		if !strings.Contains(said, want) {
			p.t.Errorf("of %s it says %q, want %q", given, said, want)
		}
		if want == "" && strings.Contains(said, "The signature is good") {
			p.t.Errorf("%s is believed", given)
		}
	}
	p.do(evaluate(fmt.Sprintf(`document.getElementById("inspect").value = %q`, token)))
	p.step("inspect", "introspect", "The token is good no more")
}

// secretNowhere: the secret, the password and what is made of both are in no attribute, text, storage or address of the page, nor in the
// server's log and database.
func (p *play) secretNowhere(app registered, database string) {
	p.t.Helper()
	shown := see(p.tab, chromedp.Evaluate[string](`JSON.stringify([document.documentElement.outerHTML, location.href, history.state, {...localStorage}, {...sessionStorage},
		performance.getEntries().map(e => e.name)])`))
	kept := map[string]string{"page": shown, "log": p.n.log.String()}
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(database + suffix)
		if err != nil && !os.IsNotExist(err) {
			p.t.Fatal(err)
		}
		kept["database"+suffix] = string(content)
	}
	for where, text := range kept {
		for _, secret := range []string{app.Secret, password, base64.StdEncoding.EncodeToString([]byte(app.ID + ":" + app.Secret))} {
			if strings.Contains(text, secret) {
				p.t.Errorf("the %s holds %q", where, secret)
			}
		}
	}
	if !strings.Contains(shown, "$SIGNET_CLIENT_SECRET") || !strings.Contains(shown, "$SIGNET_PASSWORD") {
		p.t.Errorf("what is secret is not said to be\nat %s", p.where())
	}
	asked := see(p.tab, chromedp.Evaluate[[]string](`performance.getEntriesByType("resource").map(e => e.name)`))
	for _, address := range asked {
		if !strings.HasPrefix(address, p.n.URL+"/") {
			p.t.Errorf("the page asked %s", address)
		}
	}
}

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
