package e2e

import (
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
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

func playConfidential(t *testing.T, n *node, database string) {
	name := strings.Join(payloads[:4], " ")
	app := playable(t, n, "--name", name, "--refresh-rotation", "strict")
	p := playAt(t, n, openBrowser(t), "ada", app.ID)
	p.look("playground")
	p.do(evaluate(`{
		const real = window.fetch;
		window.sentTo = [];
		window.fetch = (address, init) => {
			window.sentTo.push([String(address), JSON.stringify(init || {}) + String(init && init.body)]);
			return real(address, init);
		};
	}`))
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
	encoded := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		p.t.Fatal(err)
	}
	critical := encoded(strings.Replace(string(header), "{", `{"crit":["b64"],"b64":false,`, 1))
	strange := encoded(`{"iss":{"toString":1},"exp":1e999,"iat":-1e999,"__proto__":{"x":1},"constructor":[]}`)
	for given, want := range map[string]string{
		token: "The signature is good",
		critical + "." + parts[1] + "." + parts[2]:                                                                           "This page cannot verify ES256",
		encoded(`{"alg":{"toString":1}}`) + "." + parts[1] + "." + parts[2]:                                                  `This page cannot verify {"toString":1}`,
		parts[0] + "." + strange + "." + parts[2]:                                                                            `It says that it comes from {"toString":1}`,
		encoded(`{"alg":"HS256"}`) + "." + parts[1] + "." + parts[2]:                                                         "This page cannot verify HS256",
		encoded(`{"alg":"RS256",`+string(header[strings.Index(string(header), `"kid"`):])) + "." + parts[1] + "." + parts[2]: "This server publishes no key",
		parts[0] + "." + encoded(`{"a":"`+strings.Repeat("x", 300_000)+`"}`) + "." + parts[2]:                                "The signature is wrong",
		parts[0] + "." + changed + "." + parts[2]:                                                                            "The signature is wrong",
		token[:len(token)-8] + "AAAAAAAA":                                                                                    "The signature is wrong",
		token[:len(token)-1] + "!":                                                                                           "This is no JWT",
		unsigned + "." + parts[1] + ".":                                                                                      "It is not signed",
		unknown + "." + parts[1] + "." + parts[2]:                                                                            "This server publishes no key <b>none</b>",
		p.newest("Refresh token"):                                                                                            "An opaque token",
		`<img src=x onerror="document.title='ran'">`:                                                                         "An opaque token",
		parts[0] + "." + parts[1] + "." + parts[2] + "A":                                                                     "",
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
	proven := map[string]bool{}
	for _, sent := range see(p.tab, chromedp.Evaluate[[][2]string]("window.sentTo")) {
		if strings.Contains(sent[1], app.Secret) || strings.Contains(sent[1], base64.StdEncoding.EncodeToString([]byte(app.ID+":"+app.Secret))) {
			proven[strings.TrimPrefix(sent[0], p.n.URL)] = true
		}
	}
	want := []string{"/oauth2/device_authorization", "/oauth2/introspect", "/oauth2/par", "/oauth2/revoke", "/oauth2/token"}
	if got := slices.Sorted(maps.Keys(proven)); !slices.Equal(got, want) {
		p.t.Errorf("the secret was sent to %q, want %q", got, want)
	}
}
