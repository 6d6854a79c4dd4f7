package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// TestGoClients: golang.org/x/oauth2 gets, refreshes and uses tokens, and coreos/go-oidc verifies them by discovery alone.
func TestGoClients(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, env settings) {
		node := serve(t, env)
		subject := createUser(t, node.env, "ada", "--email", "ada@example.com", "--email-verified", "--name", "Ada Lovelace")
		shop := createClient(t, node.env, "--name", "shop", "--grant-type", "password", "--grant-type", "refresh_token",
			"--scope", "openid profile email")
		robot := createClient(t, node.env, "--name", "robot", "--grant-type", "client_credentials", "--scope", "stock.read stock.write")

		provider, err := oidc.NewProvider(t.Context(), node.URL)
		if err != nil {
			t.Fatal(err)
		}
		for name, style := range map[string]oauth2.AuthStyle{"basic": oauth2.AuthStyleInHeader, "post": oauth2.AuthStyleInParams} {
			t.Run("password/"+name, func(t *testing.T) {
				client := shop
				if style == oauth2.AuthStyleInParams {
					client = createClient(t, node.env, "--name", "shop by post", "--grant-type", "password", "--grant-type", "refresh_token",
						"--scope", "openid profile email", "--token-endpoint-auth-method", "client_secret_post")
				}
				conf := oauth2.Config{
					ClientID: client.ID, ClientSecret: client.Secret, Scopes: []string{"openid", "profile", "email"},
					Endpoint: oauth2.Endpoint{TokenURL: provider.Endpoint().TokenURL, AuthStyle: style},
				}
				passwordFlow(t, node, provider, conf, subject)
			})
		}
		t.Run("client credentials", func(t *testing.T) { clientCredentialsFlow(t, node, provider, robot) })
		t.Run("wrong password", func(t *testing.T) {
			endpoint := provider.Endpoint()
			endpoint.AuthStyle = oauth2.AuthStyleInHeader // to detect the style it would send a refused request once more
			conf := oauth2.Config{ClientID: shop.ID, ClientSecret: shop.Secret, Endpoint: endpoint}
			_, err := conf.PasswordCredentialsToken(t.Context(), "ada", "not it")
			var refusal *oauth2.RetrieveError
			if !errors.As(err, &refusal) || refusal.ErrorCode != "invalid_grant" {
				t.Fatalf("got %v, want invalid_grant", err)
			}
		})
	})
}

func passwordFlow(t *testing.T, node *node, provider *oidc.Provider, conf oauth2.Config, subject string) {
	ctx := t.Context()
	token, err := conf.PasswordCredentialsToken(ctx, "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := provider.Verifier(&oidc.Config{ClientID: conf.ClientID}).Verify(ctx, raw)
	if err != nil {
		t.Fatalf("ID token: %v", err)
	}
	if idToken.Subject != subject {
		t.Errorf("the ID token's sub is %q, want %q", idToken.Subject, subject)
	}
	verifyAccess(t, node, provider, token.AccessToken, subject, conf.ClientID)

	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		t.Fatal(err)
	}
	if info.Subject != subject || info.Email != "ada@example.com" || !info.EmailVerified {
		t.Errorf("userinfo answered %+v", info)
	}

	first := token.RefreshToken
	for range 3 {
		token = refreshNow(t, ctx, conf, token)
		verifyAccess(t, node, provider, token.AccessToken, subject, conf.ClientID)
	}
	if token.RefreshToken == first {
		t.Error("the refresh token did not rotate")
	}

	// The client is confidential, so its tokens rotate strictly: a replay ends the family.
	_, err = conf.TokenSource(ctx, &oauth2.Token{RefreshToken: first}).Token()
	wantInvalidGrant(t, err, "the replay of a refresh token")
	_, err = conf.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	wantInvalidGrant(t, err, "the newest refresh token after a replay")
	if _, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token)); err == nil {
		t.Error("userinfo answers for an access token whose family is dead")
	}
}

// refreshNow lets the client's own TokenSource find the access token expired.
func refreshNow(t *testing.T, ctx context.Context, conf oauth2.Config, token *oauth2.Token) *oauth2.Token {
	t.Helper()
	stale := *token
	stale.Expiry = time.Now().Add(-time.Hour)
	fresh, err := conf.TokenSource(ctx, &stale).Token()
	if err != nil {
		t.Fatal(err)
	}
	if fresh.RefreshToken == token.RefreshToken || fresh.AccessToken == token.AccessToken {
		t.Fatal("a refresh answered with the tokens that were there before")
	}
	return fresh
}

func wantInvalidGrant(t *testing.T, err error, what string) {
	t.Helper()
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) || refusal.ErrorCode != "invalid_grant" {
		t.Errorf("%s: got %v, want invalid_grant", what, err)
	}
}

// verifyAccess verifies an access token with the published keys alone, as a resource server would (RFC 9068 §4).
func verifyAccess(t *testing.T, node *node, provider *oidc.Provider, token, subject, clientID string) {
	t.Helper()
	verifier := provider.Verifier(&oidc.Config{ClientID: node.URL, SupportedSigningAlgs: []string{oidc.ES256}})
	verified, err := verifier.Verify(t.Context(), token)
	if err != nil {
		t.Fatalf("access token: %v", err)
	}
	var claims struct {
		ClientID string `json:"client_id"`
		JTI      string `json:"jti"`
	}
	if err := verified.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if verified.Subject != subject || claims.ClientID != clientID || claims.JTI == "" {
		t.Errorf("access token of %q for %q with jti %q, want %q, %q and one", verified.Subject, claims.ClientID, claims.JTI, subject, clientID)
	}
}

func clientCredentialsFlow(t *testing.T, node *node, provider *oidc.Provider, robot registered) {
	conf := clientcredentials.Config{
		ClientID: robot.ID, ClientSecret: robot.Secret, TokenURL: provider.Endpoint().TokenURL, Scopes: []string{"stock.read"},
	}
	token, err := conf.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if token.RefreshToken != "" || token.Extra("id_token") != nil {
		t.Error("client credentials were answered with a refresh token or an ID token")
	}
	if scope := token.Extra("scope"); scope != "stock.read" {
		t.Errorf("scope %v, want stock.read", scope)
	}
	verifyAccess(t, node, provider, token.AccessToken, robot.ID, robot.ID)

	conf.Scopes = []string{"stock.destroy"}
	_, err = conf.Token(t.Context())
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) || refusal.ErrorCode != "invalid_scope" {
		t.Errorf("a scope that the client is not registered for: got %v, want invalid_scope", err)
	}
}

// TestSecondFactor: a user with TOTP signs in by one request with the code, by mfa_token and code, and by a recovery code;
// each serves once.
func TestSecondFactor(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, env settings) {
		node := serve(t, env)
		createUser(t, node.env, "grace")
		shop := createClient(t, node.env, "--name", "shop", "--grant-type", "password", "--grant-type", "refresh_token", "--scope", "openid")
		secret, recovery := enroll(t, node.env, "grace")

		challenge := post(t, node.URL, "/oauth2/token", shop, passwordForm("grace"))
		if challenge.Error != "mfa_required" || challenge.MFAToken == "" || challenge.Status != http.StatusBadRequest {
			t.Fatalf("password alone: %d %s", challenge.Status, challenge.Body)
		}
		mfa := func(token, name, proof string) answer {
			return post(t, node.URL, "/oauth2/token", shop, url.Values{
				"grant_type": {"urn:signet:oauth:grant-type:mfa-otp"}, "mfa_token": {token}, name: {proof},
			})
		}
		refused(t, mfa(challenge.MFAToken, "otp", "000000"), "a wrong code")
		// The confirmation burnt the present step: the next one's code is good already (RFC 6238 §5.2).
		code := totp(t, secret, time.Now().Add(30*time.Second))
		if a := mfa(challenge.MFAToken, "otp", code); a.Status != http.StatusOK || a.RefreshToken == "" {
			t.Fatalf("mfa_token and code: %d %s", a.Status, a.Body)
		}
		again := passwordForm("grace")
		again.Set("otp", code)
		if a := post(t, node.URL, "/oauth2/token", shop, again); a.Status == http.StatusOK {
			t.Error("a code served twice")
		}
		second := post(t, node.URL, "/oauth2/token", shop, passwordForm("grace"))
		if a := mfa(second.MFAToken, "recovery_code", recovery[0]); a.Status != http.StatusOK {
			t.Fatalf("a recovery code: %d %s", a.Status, a.Body)
		}
		third := post(t, node.URL, "/oauth2/token", shop, passwordForm("grace"))
		refused(t, mfa(third.MFAToken, "recovery_code", recovery[0]), "a recovery code for the second time")
	})
}

func passwordForm(user string) url.Values {
	return url.Values{"grant_type": {"password"}, "username": {user}, "password": {password}}
}

// enroll gives the user an authenticator on the command line, as its owner would, and returns seed and recovery codes.
func enroll(t *testing.T, env settings, user string) (secret string, recovery []string) {
	t.Helper()
	var enrolled struct {
		Secret string `json:"secret"`
		URI    string `json:"otpauth_uri"`
	}
	out := command{env: env}.run(t, "user", "totp", "enroll", user, "-o", "json")
	if err := json.Unmarshal([]byte(out), &enrolled); err != nil || enrolled.Secret == "" {
		t.Fatalf("signet user totp enroll answered %q: %v", out, err)
	}
	if uri, err := url.Parse(enrolled.URI); err != nil || uri.Scheme != "otpauth" || uri.Query().Get("secret") != enrolled.Secret {
		t.Errorf("otpauth_uri %q does not carry the secret", enrolled.URI)
	}
	var confirmed struct {
		Codes []string `json:"recovery_codes"`
	}
	out = command{env: env, stdin: totp(t, enrolled.Secret, time.Now()) + "\n"}.run(t, "user", "totp", "confirm", user, "--otp-stdin", "-o", "json")
	if err := json.Unmarshal([]byte(out), &confirmed); err != nil || len(confirmed.Codes) != 10 {
		t.Fatalf("signet user totp confirm answered %q: %v", out, err)
	}
	return enrolled.Secret, confirmed.Codes
}
