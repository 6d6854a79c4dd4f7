package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"
)

// TestPasskeys: a person adds a passkey in a real browser, signs in to an app with it alone, gives it as second factor after a
// password, and removes it; the app is told what was used. On both engines.
func TestPasskeys(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, env settings) {
		n := place(t, env)
		n.URL = strings.Replace(n.URL, "127.0.0.1", "localhost", 1) // passkeys belong to a name
		n.env["SIGNET_ISSUER_URL"] = n.URL
		n.start(t)
		createUser(t, n.env, "ada", "--email", "ada@example.com", "--name", "Ada Lovelace")
		passkeyStory(t, n, openBrowser(t))
	})
}

func passkeyStory(t *testing.T, n *node, b *tab) {
	s := openShop(t, n, "--first-party")
	b.visit(n.URL + "/account/passkeys")
	b.wantHeading("Sign in")
	b.look("login-passkey")
	device := b.authenticator()
	b.signIn("ada", password)
	b.wantHeading("Passkeys")
	b.look("account-passkeys-none")

	device.answers(false)
	b.fill("name", "My laptop")
	b.tap("[data-passkey] button")
	b.until("says that no passkey was made", func() bool { return b.has("[data-passkey] [role=alert]:not([hidden])") })
	b.look("account-passkeys-failed")
	device.answers(true)
	b.press("[data-passkey] button")
	b.wantHeading("Recovery codes")
	b.tap("input[name=kept]")
	b.press("main button[type=submit]")
	b.wantHeading("Your account")
	if !strings.Contains(b.text("[role=status]"), "Your passkey is added") {
		t.Errorf("added\nat %s", b.where())
	}
	b.visit(n.URL + "/account/passkeys")
	b.wantHeading("Passkeys")
	b.look("account-passkeys")
	if !strings.Contains(b.text(".things"), "My laptop") {
		t.Errorf("the passkey is not in the list\nat %s", b.where())
	}
	b.tap("[data-passkey] button") // the device has one already
	b.until("says that no passkey was made", func() bool { return b.has("[data-passkey] [role=alert]:not([hidden])") })

	signOut := func() {
		b.visit(n.URL + "/oauth2/logout")
		b.decide("yes")
	}
	told := func(verifier string) (acr string, amr []string) {
		t.Helper()
		answer := b.answered(s)
		token, err := s.config.Exchange(t.Context(), answer.Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatalf("%v: %v", answer, err)
		}
		parts := strings.Split(token.Extra("id_token").(string), ".")
		raw, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		var claims struct {
			ACR string
			AMR []string
		}
		if err := json.Unmarshal(raw, &claims); err != nil {
			t.Fatal(err)
		}
		return claims.ACR, claims.AMR
	}

	signOut()
	verifier := oauth2.GenerateVerifier()
	b.visit(s.ask(verifier)) // the fields offer the passkey, and the authenticator chooses it at once
	if acr, amr := told(verifier); acr != "urn:signet:acr:mfa" || !slices.Equal(amr, []string{"hwk", "mfa"}) {
		t.Errorf("from the field: %s by %v", acr, amr)
	}
	b.pardon("NavigationEntryMarkedSkippable") // nobody touched the page, which a person would have

	signOut()
	device.present(false)
	verifier = oauth2.GenerateVerifier()
	b.visit(s.ask(verifier))
	b.wantHeading("Sign in")
	device.answers(false)
	device.present(true)
	b.tap("[data-passkey] button")
	b.until("says that no passkey was used", func() bool { return b.has("[data-passkey] [role=alert]:not([hidden])") })
	device.answers(true)
	b.tap("[data-passkey] button")
	if acr, amr := told(verifier); acr != "urn:signet:acr:mfa" || !slices.Equal(amr, []string{"hwk", "mfa"}) {
		t.Errorf("by the button: %s by %v", acr, amr)
	}

	signOut()
	device.present(false)
	verifier = oauth2.GenerateVerifier()
	b.visit(s.ask(verifier))
	b.signIn("ada", password)
	b.wantHeading("Use your passkey")
	b.look("mfa-passkey")
	device.present(true)
	b.tap("[data-passkey] button")
	if acr, amr := told(verifier); acr != "urn:signet:acr:mfa" || !slices.Equal(amr, []string{"pwd", "hwk", "mfa"}) {
		t.Errorf("as second factor: %s by %v", acr, amr)
	}

	b.visit(n.URL + "/account/passkeys")
	b.press("button[name=remove]")
	if !strings.Contains(b.text("[role=status]"), "removed") || b.has(".things") {
		t.Errorf("removed\nat %s", b.where())
	}
}

// authenticator is built into a tab's browser, and has a person before it.
type authenticator struct {
	b  *tab
	id webauthn.AuthenticatorID
}

// authenticator gives the tab one that keeps passkeys and verifies its user.
func (b *tab) authenticator() authenticator {
	b.t.Helper()
	id := see(b, func(ctx context.Context, s *chromedp.Target) (webauthn.AuthenticatorID, error) {
		if _, err := cdp.Call(ctx, s, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return "", err
		}
		made, err := cdp.Call(ctx, s, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true,
			HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}})
		return made.AuthenticatorID, err
	})
	return authenticator{b, id}
}

// answers says whether it knows its user when it is asked.
func (a authenticator) answers(verified bool) {
	a.b.t.Helper()
	a.b.do(chromedp.Func(func(ctx context.Context, s *chromedp.Target) error {
		_, err := cdp.Call(ctx, s, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: a.id, IsUserVerified: verified})
		return err
	}))
}

// present says whether anybody touches it.
func (a authenticator) present(there bool) {
	a.b.t.Helper()
	a.b.do(chromedp.Func(func(ctx context.Context, s *chromedp.Target) error {
		_, err := cdp.Call(ctx, s, webauthn.SetAutomaticPresenceSimulation,
			webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: a.id, Enabled: there})
		return err
	}))
}
