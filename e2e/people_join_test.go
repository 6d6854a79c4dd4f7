package e2e

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// joinStory: an app sends somebody to make an account; they prove their address, and are back in the app, signed in.
func joinStory(t *testing.T, w *town, user string, open func() *tab) {
	s, b := openShop(t, w.node), open()
	address := user + "@example.com"
	verifier := oauth2.GenerateVerifier()
	b.visit(s.ask(verifier, "prompt", "create"))
	b.wantHeading("Create an account")
	b.look("signup")
	b.enter("email", "no address")
	b.wantProblem("That is no email address")
	b.look("signup-wrong")
	b.enter("email", address)
	b.wantHeading("Look into your mail")
	b.look("signup-sent")

	link := w.mail.wait(t, address, "Confirm your email address").link(t)
	b.land(link)
	b.wantHeading("Create your account")
	if text := b.text("main"); !strings.Contains(text, address) || !strings.Contains(text, "The Shop") {
		t.Errorf("the page names neither address nor app\nat %s", b.where())
	}
	b.look("join")
	b.fill("name", "Ada Lovelace")
	b.fill("password", password)
	b.fill("again", password+"!")
	b.press("main button[type=submit]")
	b.wantProblem("not the same")
	b.look("join-wrong")
	b.fill("username", user)
	b.choose(password)
	b.wantHeading("Allow access?")
	b.decide("allow")
	claims := b.told(s, verifier)
	if !claims.Verified || claims.Email != address || claims.Name != "Ada Lovelace" {
		t.Errorf("the app is told %+v", claims)
	}
	if r := b.visit(link); r.Status != http.StatusGone {
		t.Errorf("the link, a second time: %d\nat %s", r.Status, b.where())
	}
	b.wantHeading("This link does not work any more")

	// Whose address is known already hears of it by mail, and nobody else does.
	other := open()
	other.visit(w.URL + "/signup")
	other.enter("email", strings.ToUpper(address))
	other.wantHeading("Look into your mail")
	if known := w.mail.wait(t, address, "Somebody tried to sign up with your address"); strings.Contains(known.Text, "link=") {
		t.Errorf("the mail to who has an account brings a link:\n%s", known.Text)
	}
}

// claims are those of an ID token and of userinfo.
type claims struct {
	Name, Email string
	Verified    bool `json:"email_verified"`
	ACR         string
	AMR         []string
}

// told is what the shop, to which the tab is back, learns for its code.
func (b *tab) told(s *shop, verifier string) (c claims) {
	b.t.Helper()
	answer := b.answered(s)
	token, err := s.config.Exchange(b.t.Context(), answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		b.t.Fatalf("%v: %v", answer, err)
	}
	parts := strings.Split(token.Extra("id_token").(string), ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		b.t.Fatal(err)
	}
	for _, said := range [][]byte{raw, []byte(get(b.t, strings.Replace(s.config.Endpoint.TokenURL, "/oauth2/token", "/userinfo", 1), token.AccessToken))} {
		if err := json.Unmarshal(said, &c); err != nil {
			b.t.Fatalf("%s: %v", said, err)
		}
	}
	return c
}

// resetStory: who forgot their password, and has a second factor, chooses another by mail and code, and goes on to the app; whoever
// was signed in with the old one is not any more.
func resetStory(t *testing.T, w *town, user string, open func() *tab) {
	address := user + "@example.com"
	createUser(t, w.env, user, "--email", address)
	secret, codes := enroll(t, w.env, user)
	s, b, other := openShop(t, w.node, "--first-party"), open(), open()
	other.visit(w.URL + "/account")
	other.signIn(user, password)
	other.enter("recovery_code", codes[0])
	other.wantHeading("Your account")

	verifier := oauth2.GenerateVerifier()
	b.visit(s.ask(verifier))
	b.look("login-signup")
	b.press("main a[href*='/recover']")
	b.wantHeading("Forgot your password?")
	b.look("recover")
	b.enter("username", user)
	b.wantHeading("Look into your mail")
	b.look("recover-sent")
	link := w.mail.wait(t, address, "Choose a new password").link(t)
	b.land(link)
	b.wantHeading("Choose a new password")
	b.look("reset")
	const fresh = "another horse battery staple 18"
	b.choose(fresh)
	b.wantProblem("A second factor protects this account")
	b.look("reset-no-code")
	b.fill("otp", "000000")
	b.choose(fresh)
	b.wantProblem("Your link is still good")
	b.fill("otp", oathtool(t, secret))
	b.choose("password1")
	b.wantProblem("Many people have that password")
	b.look("reset-wrong")
	b.fill("otp", oathtool(t, secret))
	b.choose(fresh)
	b.wantHeading("Sign in")
	b.wantDone("Your password is changed")
	b.look("reset-done")
	b.signIn(user, fresh)
	b.enter("recovery_code", codes[1])
	if c := b.told(s, verifier); !slices.Contains(c.AMR, "mfa") {
		t.Errorf("the app is told %+v", c)
	}
	other.visit(w.URL + "/account")
	other.wantHeading("Sign in")
	other.visit(link)
	other.wantHeading("This link does not work any more")
	w.mail.wait(t, address, "Your password was changed")
}

// tongueStory: somebody who reads another language makes an account, looks after it, and loses it all; every page and every mail is
// in that language.
func tongueStory(t *testing.T, w *town, tag string) {
	user := "tongue-" + tag
	address := user + "@example.com"
	b := w.browser(t, false, tag)
	look := func(name string) {
		t.Helper()
		if !b.has("html[lang="+tag+"]") || strings.Contains(b.text("main"), "account.") {
			t.Errorf("%s\nat %s", name, b.where())
		}
		b.glance(name + "-" + tag)
	}
	mailed := func() letter {
		t.Helper()
		l := w.mail.wait(t, address, "")
		if l.Language != tag || !strings.Contains(l.HTML, `<html lang="`+tag+`"`) {
			t.Errorf("the mail %q is in %s", l.Subject, l.Language)
		}
		return l
	}
	b.visit(w.URL + "/setup")
	look("setup-none")
	b.visit(w.URL + "/signup")
	look("signup")
	b.enter("email", address)
	look("signup-sent")
	b.land(mailed().link(t))
	look("join")
	b.fill("username", user)
	b.choose(password)
	look("account-joined")
	for _, page := range []string{"email", "data", "delete", "passkeys"} {
		b.visit(w.URL + "/account/" + page)
		look("account-" + page)
	}
	secret, _ := enrolHere(b, func() {
		b.visit(w.URL + "/account/factors")
		b.press("form:has(input[name=name]) button")
	}, look)
	if mailed(); !strings.Contains(b.location(), "/account") {
		t.Errorf("enrolled\nat %s", b.where())
	}
	b.visit(w.URL + "/account/email")
	b.enter("otp", oathtool(t, secret))
	b.enter("email", user+"@new.example")
	look("account-email-asked")
	b.land(w.mail.wait(t, user+"@new.example", "").link(t))
	look("account-email-confirm")
	b.visit(w.URL + "/account/delete")
	b.tap("input[name=sure]")
	b.press("main form:has(input[name=sure]) button[type=submit]")
	look("account-deletion")
	mailed()

	b = w.browser(t, false, tag)
	b.visit(w.URL + "/account")
	b.signIn(user, password)
	look("mfa-lost-link")
	b.press("main a[href*='/lost']")
	look("lost")
	b.press("button[name=begin]")
	look("lost-asked")
	mailed()
	w.ripen(t, user)
	b.visit(b.location())
	look("lost-ripe")

	b = w.browser(t, false, tag)
	b.visit(w.URL + "/account")
	look("login-signup")
	b.press("main a[href*='/recover']")
	look("recover")
	b.enter("username", user)
	look("recover-sent")
	link := mailed().link(t)
	b.land(link)
	look("reset")
	b.visit(strings.Replace(link, "sml_", "sml_x", 1))
	look("link-dead")

	createUser(t, w.strict.env, user+"-strict", "--claim", "locale="+tag)
	b.visit(w.strict.URL + "/account")
	b.signIn(user+"-strict", password)
	look("enrol")
}
