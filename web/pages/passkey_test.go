package pages_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// device is the authenticator that the person's browser asks: what the script of the pages does by navigator.credentials.
type device struct {
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

func newDevice(owner storage.User) *device {
	d := &device{rp: virtualwebauthn.RelyingParty{ID: "id.example", Origin: issuer}, auth: virtualwebauthn.NewAuthenticator()}
	d.auth.Options.UserHandle = owner.ID[:]
	for len(d.key.ID) == 0 || len(d.key.Key.AttestationData()) != 77 { // it drops leading zeros of keys
		d.key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	return d
}

var (
	promptForm   = regexp.MustCompile(`data-passkey="(get|create)"[^>]* data-options="([^"]*)" hidden>`)
	ceremonyForm = regexp.MustCompile(`name="ceremony" value="([^"]*)"`)
)

// answers is what the page's script sends with the form: the fields of the device's answer.
func (w *world) answers(d *device) []string {
	w.Helper()
	prompt, ceremony := promptForm.FindStringSubmatch(w.shown.raw), ceremonyForm.FindStringSubmatch(w.shown.raw)
	if prompt == nil || ceremony == nil || !strings.Contains(w.shown.raw, "/static/passkey.") {
		w.Fatalf("%s asks for no passkey:\n%s", w.shown.url.Path, w.shown.raw)
	}
	options := html.UnescapeString(prompt[2])
	if prompt[1] == "create" {
		asked, err := virtualwebauthn.ParseAttestationOptions(options)
		w.must(err)
		return []string{"ceremony", ceremony[1], "passkey", virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *asked)}
	}
	asked, err := virtualwebauthn.ParseAssertionOptions(options)
	w.must(err)
	d.key.Counter++
	return []string{"ceremony", ceremony[1], "passkey", virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *asked)}
}

// keep says that the recovery codes which are shown are kept.
func (w *world) keep() shown {
	w.Helper()
	w.on("Recovery codes", http.StatusOK)
	form := w.filled("kept_codes", w.shown.fields.Get("kept_codes"), "kept", "yes")
	return w.follow(w.ask(http.MethodPost, "/account/factors", form))
}

// passkey adds one at the account of who is signed in.
func (w *world) passkey(u storage.User) *device {
	w.Helper()
	d := newDevice(u)
	w.visit("/account/passkeys")
	w.submit(append(w.answers(d), "name", "Laptop")...)
	if w.shown.h1 == "Recovery codes" {
		w.keep()
	}
	return d
}

func (w *world) shows(text string) {
	w.Helper()
	if !strings.Contains(w.shown.raw, text) {
		w.Errorf("%s does not show %q:\n%s", w.shown.url.Path, text, w.shown.raw)
	}
}

func TestAPersonAddsAPasskeyAndSignsInWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada, c := w.user("ada"), w.app()
	w.visit("/account/passkeys")
	w.signIn("ada")
	w.on("Passkeys", http.StatusOK)
	w.shows("You have none yet.")
	w.submit("name", "Laptop") // without what the script adds
	w.on("Passkeys", http.StatusUnprocessableEntity)
	w.shows("JavaScript is switched off")
	d := newDevice(ada)
	w.submit(append(w.answers(d), "name", "<b>Laptop</b>")...)
	w.on("Recovery codes", http.StatusOK)
	form := w.filled("kept_codes", w.shown.fields.Get("kept_codes"), "kept", "yes")
	w.keep()
	w.on("Your account", http.StatusOK)
	w.shows("Your passkey is added.")
	w.shows("Your passkey, or a recovery code, is asked for besides your password")
	w.follow(w.ask(http.MethodPost, "/account/factors", form)) // once more adds nothing
	w.visit("/account/passkeys")
	w.on("Passkeys", http.StatusOK) // it was given just now: nothing is asked for once more
	w.shows("&lt;b&gt;Laptop&lt;/b&gt;")
	w.shows("Not used yet")
	if strings.Count(w.shown.raw, `name="remove"`) != 1 {
		t.Errorf("there are several:\n%s", w.shown.raw)
	}
	w.submit("rename", w.shown.fields.Get("button rename"), "name", "Old laptop")
	w.shows("The name is saved.")
	w.shows("Old laptop")

	w.client = w.browser()
	w.visit(request(c, "scope", "openid"))
	w.on("Sign in", http.StatusOK)
	w.shows(`autocomplete="username webauthn"`)
	w.submit(w.answers(d)...)
	w.on("Allow access?", http.StatusOK)
	w.visit("/account/passkeys")
	w.on("Passkeys", http.StatusOK)
	w.shows("Last used")
	w.visit("/account/events")
	w.shows("Passkey added")

	w.client = w.browser()
	w.visit(request(c, "scope", "openid"))
	w.submit("username", "ada", "password", password, "ceremony", w.shown.fields.Get("ceremony"), "passkey", "") // as browsers send it
	w.on("Use your passkey", http.StatusOK)
	if strings.Contains(w.shown.raw, `name="otp"`) {
		t.Error("a code is asked for that nothing shows")
	}
	w.submit("otp", "123456")
	w.on("Use your passkey", http.StatusUnprocessableEntity)
	w.submit(w.answers(d)...)
	w.on("Allow access?", http.StatusOK)
	w.visit("/account/passkeys")
	w.submit("remove", w.shown.fields.Get("button remove"))
	w.shows("The passkey is removed")
	w.shows("You have none yet.")
	if found, err := w.provider.People().Find(t.Context(), "ada"); err != nil || found.HasFactor() || found.RecoveryCodes != 0 {
		t.Errorf("without the last one: %+v, %v", found, err)
	}
}

func TestAPasskeyThatIsWrongIsToldOnTheFormAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada, bob, c := w.user("ada"), w.user("bob"), w.app()
	w.visit("/account/passkeys")
	w.signIn("ada")
	d := w.passkey(ada)
	begin := func() {
		w.client = w.browser()
		w.visit(request(c))
		w.on("Sign in", http.StatusOK)
	}
	begin()
	elsewhere := w.answers(d)
	wrong := func(name string, answer func() []string) {
		begin()
		w.submit(answer()...)
		if w.shown.h1 != "Sign in" || w.shown.status != http.StatusUnprocessableEntity || !strings.Contains(w.shown.raw, "That passkey did not sign you in.") {
			t.Errorf("%s: %d %q", name, w.shown.status, w.shown.h1)
		}
	}
	wrong("a stranger's passkey", func() []string { return w.answers(newDevice(ada)) })
	wrong("answered in another browser", func() []string { return elsewhere })
	wrong("no ceremony", func() []string { return w.answers(d)[2:] })
	wrong("a ceremony that never was", func() []string { return append(w.answers(d)[2:], "ceremony", "stx_AAAA") })
	wrong("the sealed request for a ceremony", func() []string { return append(w.answers(d)[2:], "ceremony", w.shown.fields.Get("tx")) })
	wrong("garbage", func() []string {
		return []string{"ceremony", ceremonyForm.FindStringSubmatch(w.shown.raw)[1], "passkey", "}{"}
	})
	wrong("much garbage", func() []string { return append(w.answers(d)[:2], "passkey", strings.Repeat("[", 15_000)) })
	wrong("once it has served", func() []string {
		answer := w.answers(d)
		w.submit(answer...)
		w.on("Allow access?", http.StatusOK)
		w.advance(time.Second)
		w.visit(request(c, "prompt", "login"))
		return answer
	})

	begin()
	signed := w.answers(d)
	w.ask(http.MethodPost, "/login", w.filled(append(signed, "form_token", "sft_AAAA")...))
	w.on("This form can no longer be sent", http.StatusForbidden)

	// Another person's passkey is none at one's own account, and one's challenge is none of theirs.
	w.client = w.browser()
	w.visit("/account/passkeys")
	w.signIn("bob")
	w.submit(append(w.answers(d), "name", "mine now")...)
	w.on("Recovery codes", http.StatusOK)
	w.keep()
	w.on("Passkeys", http.StatusUnprocessableEntity)
	w.shows("That passkey could not be added.")
	w.visit("/account/passkeys")
	w.submit(append(w.answers(newDevice(bob)), "name", strings.Repeat("x", 65))...)
	w.on("Passkeys", http.StatusUnprocessableEntity)
	w.shows("That name cannot be used")
	found, err := w.provider.People().Find(t.Context(), "ada")
	w.must(err)
	for _, act := range []string{"remove", "rename"} {
		w.visit("/account/passkeys")
		w.submit(act, found.Passkeys[0].ID.String(), "name", "x")
		w.on("Passkeys", http.StatusOK)
	}
	if after, err := w.provider.People().Find(t.Context(), "ada"); err != nil || len(after.Passkeys) != 1 || after.Passkeys[0].Name != "Laptop" {
		t.Errorf("ada's passkeys are %+v, %v", after.Passkeys, err)
	}
}

func TestAPasskeyIsOfferedWhereOnlyAnAppShowsCodesAndEitherServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.user("ada")
	secret, _ := w.enrol(ada)
	w.visit("/account")
	w.signIn("ada")
	w.submit("otp", w.code(secret))
	w.on("Your account", http.StatusOK)
	w.shows("add a passkey")
	d := newDevice(ada)
	w.visit("/account/passkeys")
	w.submit(w.answers(d)...)
	w.on("Passkeys", http.StatusOK) // there are recovery codes
	w.shows("Your passkey is added.")
	w.visit("/account")
	if strings.Contains(w.shown.raw, "add a passkey") {
		t.Error("it is offered still")
	}
	for _, second := range []func() []string{func() []string { return w.answers(d) }, func() []string { return []string{"otp", w.code(secret)} }} {
		w.advance(time.Minute)
		w.client = w.browser()
		w.visit("/account")
		w.signIn("ada")
		w.on("Enter your code", http.StatusOK)
		w.submit(append(second(), "remember", "yes")...)
		w.on("Your account", http.StatusOK)
	}
	// A page that stood open while something else changed adds nothing.
	w.visit("/account/passkeys")
	answer := append(w.answers(newDevice(ada)), "name", "late")
	page := w.shown
	w.must(w.provider.People().RemovePasskey(t.Context(), current(w, "ada"), only(w, "ada").ID, account.By{Actor: "test"}))
	w.shown = page
	w.submit(answer...)
	if found, err := w.provider.People().Find(t.Context(), "ada"); err != nil || len(found.Passkeys) != 0 {
		t.Errorf("it added %+v, %v", found.Passkeys, err)
	}
}

func current(w *world, name string) storage.User {
	w.Helper()
	found, err := w.provider.People().Find(w.Context(), name)
	w.must(err)
	return found.User
}

func only(w *world, name string) storage.Passkey {
	w.Helper()
	found, err := w.provider.People().Find(w.Context(), name)
	w.must(err)
	if len(found.Passkeys) != 1 {
		w.Fatalf("%s has %d passkeys", name, len(found.Passkeys))
	}
	return found.Passkeys[0]
}

func TestTheScriptOfPasskeysIsServedAndPlain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.visit(request(w.app()))
	address := regexp.MustCompile(`<script src="(/static/passkey\.[0-9a-f]+\.js)" defer></script>`).FindStringSubmatch(w.shown.raw)
	if address == nil {
		t.Fatalf("the sign-in page has no script:\n%s", w.shown.raw)
	}
	script := w.visit(address[1])
	if script.status != http.StatusOK || script.header.Get("Content-Type") != "text/javascript; charset=utf-8" || len(script.raw) > 4<<10 {
		t.Errorf("%d %s of %d bytes", script.status, script.header.Get("Content-Type"), len(script.raw))
	}
	for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "fetch(", "XMLHttpRequest", "localStorage"} {
		if strings.Contains(script.raw, sink) {
			t.Errorf("the script has %s", sink)
		}
	}
}
