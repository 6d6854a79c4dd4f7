package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

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

// signInAs opens the sign-in in its window, decides there, and waits for what comes back.
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
