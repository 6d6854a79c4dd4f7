package e2e

import (
	"context"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// TestPages: people in a real browser sign in, with a second factor where they have one, allow and refuse, are remembered, and sign
// out, on both engines, with JavaScript and without. No console and no content security policy complains on any page, and
// axe-core finds nothing, in light and dark.
func TestPages(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, env settings) {
		n := serve(t, env)
		for name, open := range map[string]func(*testing.T) *tab{
			"script":   openBrowser,
			"noscript": func(t *testing.T) *tab { return openBrowser(t).withoutScript() },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				walkPages(t, n, name, open)
			})
		}
		t.Run("several accounts", func(t *testing.T) {
			t.Parallel()
			severalAccounts(t, n)
		})
		t.Run("step-up", func(t *testing.T) {
			t.Parallel()
			stepUp(t, n)
		})
		t.Run("front-channel logout", func(t *testing.T) {
			t.Parallel()
			frontChannel(t, n)
		})
	})
}

// walkPages is what people do who have JavaScript, and who have none.
func walkPages(t *testing.T, n *node, name string, open func(*testing.T) *tab) {
	for story, tell := range map[string]func(*testing.T, *node, string, *tab){
		"password": passwordStory, "code": codeStory, "recovery code": recoveryStory, "device": deviceStory, "form_post": formPostStory,
	} {
		t.Run(story, func(t *testing.T) {
			t.Parallel()
			tell(t, n, name+"-"+strings.ReplaceAll(story, " ", "-"), open(t))
		})
	}
}

func passwordStory(t *testing.T, n *node, user string, b *tab) {
	createUser(t, n.env, user, "--email", user+"@example.com", "--name", "Ada Lovelace")
	s := openShop(t, n)
	verifier := oauth2.GenerateVerifier()

	b.visit(s.ask(verifier, "login_hint", user))
	b.wantHeading("Sign in")
	b.look("login")
	b.fill("password", "not it")
	b.press("button[type=submit]")
	if !b.has("[role=alert]") || !b.has(`input[name=username][value="`+user+`"]`) {
		t.Errorf("after a wrong password\nat %s", b.where())
	}
	b.look("login-wrong")
	b.signIn(user, password)

	b.wantHeading("Allow access?")
	for _, want := range []string{"The Shop", user + "@example.com", "Ada Lovelace", "localhost"} {
		if !strings.Contains(b.text("main"), want) {
			t.Errorf("the consent page does not say %q", want)
		}
	}
	b.look("consent")
	b.decide("deny")
	if got := b.answered(s); got.Get("error") != "access_denied" || got.Get("iss") != n.URL || got.Get("code") != "" {
		t.Errorf("refused: %v", got)
	}
	b.visit(s.ask(verifier))
	b.decide("allow")
	answer := b.answered(s)
	if answer.Get("code") == "" || answer.Get("state") != "state of the shop" || answer.Get("iss") != n.URL {
		t.Fatalf("allowed: %v", answer)
	}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, n.client())
	if _, err := s.config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier)); err != nil {
		t.Fatal(err)
	}

	b.visit(s.ask(verifier))
	if got := b.answered(s); got.Get("code") == "" {
		t.Errorf("the second time: %v", got)
	}
	b.visit(s.ask(verifier, "scope", "openid email offline_access"))
	b.wantHeading("Allow access?")
	b.visit(s.ask(verifier, "prompt", "consent"))
	b.wantHeading("Allow access?")
	b.visit(s.ask(verifier, "prompt", "login"))
	b.wantHeading("Sign in")

	b.visit(n.URL + "/oauth2/logout")
	b.wantHeading("Sign out?")
	b.look("logout")
	b.decide("no")
	b.wantHeading("You are still signed in")
	b.look("still-signed-in")
	b.visit(n.URL + "/oauth2/logout")
	b.decide("yes")
	b.wantHeading("You are signed out")
	b.look("signed-out")
	b.visit(s.ask(verifier))
	b.wantHeading("Sign in")
}

func codeStory(t *testing.T, n *node, user string, b *tab) {
	createUser(t, n.env, user)
	secret, _ := enroll(t, n.env, user)
	s := openShop(t, n, "--first-party")
	verifier := oauth2.GenerateVerifier()

	b.visit(s.ask(verifier))
	b.signIn(user, password)
	b.wantHeading("Enter your code")
	b.look("mfa")
	b.enter("otp", "000000")
	if !b.has("[role=alert]") {
		t.Errorf("after a wrong code\nat %s", b.where())
	}
	b.look("mfa-wrong")
	b.tap("input[name=remember]")
	code := oathtool(t, secret)
	b.enter("otp", code[:3]+" "+code[3:])
	if got := b.answered(s); got.Get("code") == "" {
		t.Fatalf("password and code: %v", got)
	}

	b.visit(n.URL + "/oauth2/logout")
	b.decide("yes")
	b.visit(s.ask(verifier))
	b.signIn(user, password)
	if got := b.answered(s); got.Get("code") == "" {
		t.Errorf("in the browser that is remembered: %v", got)
	}
}

func recoveryStory(t *testing.T, n *node, user string, b *tab) {
	createUser(t, n.env, user)
	_, recovery := enroll(t, n.env, user)
	s := openShop(t, n, "--first-party")

	b.visit(s.ask(oauth2.GenerateVerifier()))
	b.signIn(user, password)
	b.enter("recovery_code", "no such code")
	if !b.has("[role=alert]") {
		t.Errorf("after a wrong recovery code\nat %s", b.where())
	}
	b.look("recovery-wrong")
	b.enter("recovery_code", recovery[0])
	if got := b.answered(s); got.Get("code") == "" {
		t.Fatalf("password and recovery code: %v", got)
	}
	b.visit(s.ask(oauth2.GenerateVerifier(), "prompt", "login"))
	b.signIn(user, password)
	b.enter("recovery_code", recovery[0])
	if !b.has("[role=alert]") {
		t.Errorf("a recovery code served twice\nat %s", b.where())
	}
	b.enter("recovery_code", recovery[1])
	if got := b.answered(s); got.Get("code") == "" {
		t.Errorf("the second recovery code: %v", got)
	}
}

func deviceStory(t *testing.T, n *node, user string, b *tab) {
	createUser(t, n.env, user)
	tv := createClient(t, n.env, "--name", "The Television", "--application-type", "native", "--token-endpoint-auth-method", "none",
		"--grant-type", "urn:ietf:params:oauth:grant-type:device_code", "--grant-type", "refresh_token", "--scope", "openid email")
	config := oauth2.Config{ClientID: tv.ID, Scopes: []string{"openid", "email"}, Endpoint: oauth2.Endpoint{
		DeviceAuthURL: n.URL + "/oauth2/device_authorization", TokenURL: n.URL + "/oauth2/token", AuthStyle: oauth2.AuthStyleInParams,
	}}
	ask := func() *oauth2.DeviceAuthResponse {
		asked, err := config.DeviceAuth(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return asked
	}
	allowed, refusedOne := ask(), ask()

	b.visit(allowed.VerificationURI)
	b.wantHeading("Sign in")
	b.look("device-login")
	b.signIn(user, password)
	b.wantHeading("Connect a device")
	b.look("device")
	b.enter("user_code", "BBBB-BBBB")
	if !b.has("[role=alert]") {
		t.Errorf("after a wrong user code\nat %s", b.where())
	}
	b.look("device-wrong")
	b.enter("user_code", strings.ToLower(strings.ReplaceAll(allowed.UserCode, "-", " ")))
	b.wantHeading("Is this your device?")
	if text := b.text("main"); !strings.Contains(text, "The Television") || !strings.Contains(text, allowed.UserCode) {
		t.Errorf("the page does not name device and code\nat %s", b.where())
	}
	b.look("device-confirm")
	b.decide("allow")
	b.wantHeading("Your device is connected")
	b.look("device-allowed")
	token, err := config.DeviceAccessToken(t.Context(), allowed)
	if err != nil || token.RefreshToken == "" {
		t.Errorf("the device that was allowed: %+v, %v", token, err)
	}

	b.visit(refusedOne.VerificationURIComplete)
	b.press("button[type=submit]")
	b.decide("deny")
	b.wantHeading("You refused the device")
	b.look("device-denied")
	if a := post(t, n.URL, "/oauth2/token", tv, map[string][]string{
		"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {refusedOne.DeviceCode},
	}); a.Error != "access_denied" {
		t.Errorf("the device that was refused: %d %s", a.Status, a.Body)
	}
}

func formPostStory(t *testing.T, n *node, user string, b *tab) {
	createUser(t, n.env, user)
	s := openShop(t, n, "--first-party")
	b.visit(s.ask(oauth2.GenerateVerifier(), "response_mode", "form_post"))
	b.signIn(user, password)
	if b.scriptless {
		b.wantHeading("Back to the app")
		b.look("form-post")
		b.press("button[type=submit]")
	}
	if got := b.answered(s); got.Get("code") == "" || got.Get("state") != "state of the shop" || b.text("#method") != http.MethodPost {
		t.Errorf("form_post by %s: %v", b.text("#method"), got)
	}
}

// wantHeading fails the test unless the page has this heading.
func (b *tab) wantHeading(want string) {
	b.t.Helper()
	if got := b.text("h1"); got != want {
		b.t.Fatalf("the heading is %q, want %q\nat %s", got, want, b.where())
	}
}

// oathtool is the code that OATH's own tool makes of the seed, for the next step: the one of now was spent when the authenticator
// was confirmed.
func oathtool(t *testing.T, secret string) string {
	t.Helper()
	path, err := exec.LookPath("oathtool")
	if err != nil {
		missing(t, "oathtool", "install oathtool (Debian: oathtool)")
	}
	out, err := exec.CommandContext(t.Context(), path, "--totp", "--base32", "--now", "now + 30 seconds", secret).Output()
	if err != nil {
		t.Fatalf("oathtool: %v", err)
	}
	return strings.TrimSpace(string(out))
}
