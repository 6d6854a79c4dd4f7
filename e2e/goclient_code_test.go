package e2e

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// TestGoClientsCode: golang.org/x/oauth2 gets tokens by authorization code with PKCE and by device code, and coreos/go-oidc
// verifies what it got by discovery alone: nonce, at_hash and userinfo.
func TestGoClientsCode(t *testing.T) {
	t.Parallel()
	onTransports(t, nil, func(t *testing.T, n *node) {
		subject := createUser(t, n.env, "ada", "--email", "ada@example.com")
		ctx := oidc.ClientContext(t.Context(), n.client())
		provider, err := oidc.NewProvider(ctx, n.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Run("code", func(t *testing.T) {
			t.Parallel()
			s := openShop(t, n)
			s.config.Endpoint = provider.Endpoint()
			codeFlow(t, ctx, n, provider, s, subject)
		})
		t.Run("device", func(t *testing.T) {
			t.Parallel()
			deviceFlow(t, ctx, n, provider, subject)
		})
	})
}

func codeFlow(t *testing.T, ctx context.Context, n *node, provider *oidc.Provider, s *shop, subject string) {
	verifier, nonce := oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	ada := n.visitor(t, "ada")
	back := ada.arrives(t, s.ask(verifier, "nonce", nonce), s.URL+"/cb")
	if back.Get("state") != "state of the shop" || back.Get("iss") != n.URL {
		t.Errorf("came back with %v", back)
	}
	token, err := s.config.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	idToken := verifyID(t, ctx, provider, s.ID, token, subject)
	if idToken.Nonce != nonce {
		t.Errorf("the nonce is %q", idToken.Nonce)
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != subject || info.Email != "ada@example.com" {
		t.Errorf("userinfo answered %+v, %v", info, err)
	}
	refreshNow(t, ctx, s.config, token)

	// The same person comes back to the same client, and is asked nothing.
	ada.trail = nil
	again := ada.arrives(t, s.ask(verifier), s.URL+"/cb")
	if again.Get("code") == "" || len(ada.trail) > 0 {
		t.Errorf("the second time: %v after the pages %q", again, ada.trail)
	}
	_, err = s.config.Exchange(ctx, again.Get("code"), oauth2.VerifierOption(oauth2.GenerateVerifier()))
	wantInvalidGrant(t, err, "the code with another verifier")
}

func verifyID(t *testing.T, ctx context.Context, provider *oidc.Provider, clientID string, token *oauth2.Token, subject string) *oidc.IDToken {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	idToken, err := provider.Verifier(&oidc.Config{ClientID: clientID}).Verify(ctx, raw)
	if err != nil {
		t.Fatalf("ID token: %v", err)
	}
	if idToken.Subject != subject {
		t.Errorf("the ID token's sub is %q, want %q", idToken.Subject, subject)
	}
	if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
		t.Errorf("at_hash: %v", err)
	}
	return idToken
}

func deviceFlow(t *testing.T, ctx context.Context, n *node, provider *oidc.Provider, subject string) {
	tv := createClient(t, n.env, "--name", "tv", "--application-type", "native", "--token-endpoint-auth-method", "none",
		"--grant-type", "urn:ietf:params:oauth:grant-type:device_code", "--grant-type", "refresh_token", "--scope", "openid email")
	config := oauth2.Config{ClientID: tv.ID, Endpoint: provider.Endpoint(), Scopes: []string{"openid", "email"}}
	config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	asked, err := config.DeviceAuth(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if until := time.Until(asked.Expiry); asked.UserCode == "" || asked.VerificationURIComplete == "" || until <= 0 {
		t.Fatalf("device authorization answered %+v", asked)
	}
	if _, last, err := n.visitor(t, "ada").goTo(asked.VerificationURIComplete); err != nil || last == nil || last.Status != 200 {
		t.Fatalf("the person with the code: %+v, %v", last, err)
	}
	token, err := config.DeviceAccessToken(ctx, asked)
	if err != nil {
		t.Fatal(err)
	}
	verifyID(t, ctx, provider, tv.ID, token, subject)
	refreshNow(t, ctx, config, token)

	_, err = config.DeviceAccessToken(ctx, &oauth2.DeviceAuthResponse{DeviceCode: "no such code", Interval: 1, Expiry: asked.Expiry})
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) || refusal.ErrorCode != "invalid_grant" {
		t.Errorf("an unknown device code: %v, want invalid_grant", err)
	}
}
