package e2e

import (
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// severalAccounts: two people share a browser and choose who goes on.
func severalAccounts(t *testing.T, n *node) {
	createUser(t, n.env, "marie", "--name", "Marie Curie")
	createUser(t, n.env, "irene", "--name", "Irène Joliot-Curie")
	s := openShop(t, n, "--first-party")
	b := openBrowser(t)
	for _, user := range []string{"marie", "irene"} {
		b.visit(s.ask(oauth2.GenerateVerifier(), "prompt", "login", "login_hint", user))
		b.signIn(user, password)
		if b.answered(s).Get("code") == "" {
			t.Fatalf("signing in as %s\nat %s", user, b.where())
		}
	}
	b.visit(s.ask(oauth2.GenerateVerifier(), "prompt", "select_account"))
	b.wantHeading("Choose an account")
	for _, want := range []string{"Marie Curie", "Irène Joliot-Curie"} {
		if !strings.Contains(b.text("main"), want) {
			t.Errorf("%q is not to choose\nat %s", want, b.where())
		}
	}
	b.look("choose")
	b.press("li:last-child button[name=account]")
	if b.answered(s).Get("code") == "" {
		t.Errorf("having chosen\nat %s", b.where())
	}
}

// stepUp: who is signed in by password alone is asked for the second factor by the client that wants it, and by no other.
func stepUp(t *testing.T, n *node) {
	createUser(t, n.env, "emmy")
	secret, _ := enroll(t, n.env, "emmy")
	s := openShop(t, n, "--first-party")
	b := openBrowser(t)
	b.visit(s.ask(oauth2.GenerateVerifier()))
	b.signIn("emmy", password)
	b.tap("input[name=remember]")
	b.enter("otp", oathtool(t, secret))
	b.answered(s)
	b.visit(n.URL + "/oauth2/logout")
	b.decide("yes")

	b.visit(s.ask(oauth2.GenerateVerifier()))
	b.signIn("emmy", password)
	if b.answered(s).Get("code") == "" {
		t.Errorf("in the browser that is remembered\nat %s", b.where())
	}
	b.visit(s.ask(oauth2.GenerateVerifier(), "claims", `{"id_token":{"acr":{"essential":true,"values":["urn:signet:acr:mfa"]}}}`))
	b.wantHeading("Enter your code")
	b.look("mfa-step-up")
}

// frontChannel: the applications are told in frames that the session is over, and then the person is back at the one that asked.
func frontChannel(t *testing.T, n *node) {
	createUser(t, n.env, "rosa")
	s := openShop(t, n, "--first-party", "--frontchannel-logout-uri", "SHOP/front?from=signet", "--frontchannel-logout-session-required")
	verifier := oauth2.GenerateVerifier()
	b := openBrowser(t)
	b.visit(s.ask(verifier))
	b.signIn("rosa", password)
	token, err := s.config.Exchange(t.Context(), b.answered(s).Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	hint, _ := token.Extra("id_token").(string)
	b.visit(n.URL + "/oauth2/logout?" + url.Values{
		"id_token_hint": {hint}, "post_logout_redirect_uri": {s.URL + "/bye"}, "state": {"so long"},
	}.Encode())
	b.arrive(s.URL + "/bye?state=so+long")
	select {
	case q := <-s.told:
		if q.Get("from") != "signet" || q.Get("iss") != n.URL || q.Get("sid") == "" {
			t.Errorf("the frame was %v", q)
		}
	default:
		t.Error("the application was not told")
	}
}
