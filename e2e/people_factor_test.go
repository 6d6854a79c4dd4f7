package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// enrolHere sets an authenticator up at the page that begin leads to, says what it looks like, and returns its key and the recovery codes.
func enrolHere(b *tab, begin func(), look func(name string)) (secret string, codes []string) {
	b.t.Helper()
	begin()
	look("enrol-key")
	secret = strings.ReplaceAll(b.text(".key code"), " ", "")
	b.enter("otp", totp(b.t, secret, time.Now()))
	look("enrol-codes")
	if codes = strings.Fields(b.text(".codes")); len(codes) != 10 {
		b.t.Fatalf("the recovery codes are %q\nat %s", codes, b.where())
	}
	b.tap("input[name=kept]")
	b.press("main button[type=submit]")
	return secret, codes
}

// lostStory: somebody sets a second factor up, loses it, comes in by a recovery code, removes what was lost and sets up another.
func lostStory(t *testing.T, w *town, user string, open func() *tab) {
	address := user + "@example.com"
	createUser(t, w.env, user, "--email", address)
	b := open()
	b.visit(w.URL + "/account")
	b.signIn(user, password)
	_, codes := accountFactor(t, w.node, b)
	w.mail.wait(t, address, "A second factor was added to your account")

	b = open()
	b.visit(w.URL + "/account/factors")
	b.signIn(user, password)
	b.wantHeading("Enter your code")
	b.press("main a[href*='/lost']")
	b.wantHeading("Lost your second factor")
	b.press("main .links a")
	b.wantHeading("Enter your code")
	b.enter("recovery_code", codes[3])
	b.wantHeading("Second factor")
	b.press("button[name=remove]")
	b.wantDone("The authenticator is removed")
	b.look("account-factors-removed")
	w.mail.wait(t, address, "Your second factor was removed")
	_, fresh := accountFactor(t, w.node, b)

	b = open()
	b.visit(w.URL + "/account")
	b.signIn(user, password)
	b.enter("recovery_code", codes[4])
	b.wantProblem("wrong or was used already")
	b.enter("recovery_code", fresh[4])
	b.wantHeading("Your account")
}

// delayedStory: somebody has lost their second factor and the codes too. They ask to be rid of it, everybody is told, and it can be
// stopped; when nobody did, it is done.
func delayedStory(t *testing.T, w *town, user string, open func() *tab) {
	address := user + "@example.com"
	createUser(t, w.env, user, "--email", address)
	b, elsewhere := open(), open()
	elsewhere.visit(w.URL + "/account")
	elsewhere.signIn(user, password)
	elsewhere.wantHeading("Your account")
	enroll(t, w.env, user)
	s := openShop(t, w.node, "--first-party")

	verifier := oauth2.GenerateVerifier()
	b.visit(s.ask(verifier))
	b.signIn(user, password)
	b.press("main a[href*='/lost']")
	b.wantHeading("Lost your second factor")
	b.look("lost")
	b.press("button[name=begin]")
	b.wantDone("was asked for")
	b.look("lost-asked")
	if b.has("button[name=begin]") || b.has("button[name=finish]") {
		t.Errorf("it can be asked for again, or done\nat %s", b.where())
	}
	w.mail.wait(t, address, "Your second factor is about to be removed")

	elsewhere.visit(w.URL + "/account/apps")
	if !strings.Contains(elsewhere.text(".pending"), "wants them removed") {
		t.Errorf("a page of the account does not tell\nat %s", elsewhere.where())
	}
	elsewhere.look("account-recovery")
	elsewhere.press("button[name=withdraw]")
	elsewhere.wantDone("your second factor stays")
	elsewhere.look("account-recovery-stopped")
	w.mail.wait(t, address, "Your second factor stays")

	b.visit(b.location())
	b.press("button[name=begin]")
	w.ripen(t, user)
	b.visit(b.location())
	b.wantDone("The wait is over")
	b.look("lost-ripe")
	b.press("button[name=finish]")
	if c := b.told(s, verifier); slices.Contains(c.AMR, "mfa") {
		t.Errorf("the app is told %+v", c)
	}
	w.mail.wait(t, address, "Your second factor was removed")
}

// enrolStory: where everybody must have a second factor, who has none sets one up on the way to the app.
func enrolStory(t *testing.T, w *town, user string, open func() *tab) {
	createUser(t, w.strict.env, user)
	s, b := openShop(t, w.strict, "--first-party"), open()
	verifier := oauth2.GenerateVerifier()
	b.visit(s.ask(verifier))
	b.signIn(user, password)
	b.wantHeading("Set up a second factor")
	b.look("enrol")
	b.visit(w.strict.URL + "/account")
	b.wantHeading("Set up a second factor") // nothing else is open to them
	b.visit(s.ask(verifier))
	enrolHere(b, func() {
		b.fill("name", "My phone")
		b.press("main button[type=submit]")
		b.enter("otp", "000000")
		b.wantProblem("wrong or expired")
	}, b.look)
	if c := b.told(s, verifier); c.ACR != "urn:signet:acr:mfa" || !slices.Equal(c.AMR, []string{"pwd", "otp", "mfa"}) {
		t.Errorf("the app is told %+v", c)
	}
	b.visit(w.strict.URL + "/account")
	b.wantHeading("Your account")
}
