package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// TestAccountPages: people in a real browser look after their own accounts, on both engines, with JavaScript and without: a second
// factor by QR code or key with recovery codes that they keep, another password, other browsers signed out, an app disconnected; in
// English, German and Arabic.
func TestAccountPages(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, env settings) {
		n := serve(t, env)
		t.Run("script", func(t *testing.T) {
			t.Parallel()
			accountStory(t, n, "ada", openBrowser(t))
		})
		t.Run("noscript", func(t *testing.T) {
			t.Parallel()
			accountStory(t, n, "grace", openBrowser(t).withoutScript())
		})
		for tag, user := range map[string]string{"de": "emmy", "ar": "fatima"} {
			t.Run(tag, func(t *testing.T) {
				t.Parallel()
				accountIn(t, n, tag, user)
			})
		}
	})
}

func accountStory(t *testing.T, n *node, user string, b *tab) {
	createUser(t, n.env, user, "--email", user+"@example.com", "--name", "Ada Lovelace")
	b.visit(n.URL + "/login")
	b.wantHeading("Sign in")
	b.signIn(user, password)
	b.wantHeading("Your account")
	b.look("account")

	b.press("a[href='/account/profile']")
	b.wantHeading("Profile")
	b.look("account-profile")
	b.fill("zoneinfo", "not/ a zone")
	b.press("main button[type=submit]")
	if !b.has("[role=alert]") || !b.has("input[name=zoneinfo][aria-invalid=true]") {
		t.Errorf("after a time zone that there is not\nat %s", b.where())
	}
	b.look("account-profile-wrong")
	b.fill("zoneinfo", "Europe/Paris")
	b.fill("given_name", "Ada")
	b.press("main button[type=submit]")
	if !strings.Contains(b.text("[role=status]"), "saved") {
		t.Errorf("saved\nat %s", b.where())
	}

	accountElsewhere(t, n, user, b)
	accountApp(t, n, b)
	secret, codes := accountFactor(t, n, b)

	other := openBrowser(t)
	other.visit(n.URL + "/account")
	other.signIn(user, password)
	other.wantHeading("Enter your code")
	other.enter("recovery_code", codes[0])
	other.wantHeading("Your account")

	b.visit(n.URL + "/account/password")
	b.wantHeading("Enter your code") // the password is fresh, and the factor was not asked for yet
	b.enter("otp", oathtool(t, secret))
	b.wantHeading("Password")
	b.look("account-password")
	b.fill("password", "short")
	b.fill("again", "short")
	b.press("main button[type=submit]")
	if !strings.Contains(b.text("[role=alert]"), "too short") {
		t.Errorf("after a short password\nat %s", b.where())
	}
	b.look("account-password-wrong")
	const fresh = "another horse battery staple 18"
	b.fill("password", fresh)
	b.fill("again", fresh)
	b.press("main button[type=submit]")
	b.wantHeading("Your account")
	if !strings.Contains(b.text("[role=status]"), "password is changed") {
		t.Errorf("changed\nat %s", b.where())
	}
	b.look("account-password-changed")
	other.visit(n.URL + "/account")
	other.wantHeading("Sign in")

	b.visit(n.URL + "/account/factors")
	b.wantHeading("Second factor")
	b.look("account-factors")
	b.visit(n.URL + "/account/events")
	b.wantHeading("Security events")
	for _, want := range []string{"Password changed", "Authenticator set up", "App disconnected", "The Shop"} {
		if !strings.Contains(b.text("main"), want) {
			t.Errorf("the events do not tell %q\nat %s", want, b.where())
		}
	}
	b.look("account-events")
}

// accountElsewhere: a browser that is signed in elsewhere is seen and signed out.
func accountElsewhere(t *testing.T, n *node, user string, b *tab) {
	other := openBrowser(t)
	other.visit(n.URL + "/account")
	other.signIn(user, password)
	other.wantHeading("Your account")
	b.visit(n.URL + "/account/sessions")
	b.wantHeading("Where you are signed in")
	b.look("account-sessions")
	b.press("li button[name=end]")
	if b.has("button[name=end]") || !b.has("[role=status]") {
		t.Errorf("ended\nat %s", b.where())
	}
	b.look("account-sessions-alone")
	other.visit(n.URL + "/account")
	other.wantHeading("Sign in")
}

// accountApp: what was allowed is seen and taken back.
func accountApp(t *testing.T, n *node, b *tab) {
	s := openShop(t, n)
	verifier := oauth2.GenerateVerifier()
	b.visit(s.ask(verifier))
	b.decide("allow")
	if b.answered(s).Get("code") == "" {
		t.Errorf("allowed\nat %s", b.where())
	}
	b.visit(n.URL + "/account/apps")
	b.wantHeading("Connected apps")
	if !strings.Contains(b.text("main"), "The Shop") {
		t.Errorf("the app is not there\nat %s", b.where())
	}
	b.look("account-apps")
	b.press("button[name=app]")
	if b.has("button[name=app]") || !b.has("[role=status]") {
		t.Errorf("disconnected\nat %s", b.where())
	}
	b.look("account-apps-none")
	b.visit(s.ask(verifier))
	b.wantHeading("Allow access?")
}

// accountFactor sets an authenticator up, and returns its key and the recovery codes.
func accountFactor(t *testing.T, n *node, b *tab) (secret string, codes []string) {
	b.visit(n.URL + "/account/factors")
	b.wantHeading("Second factor")
	b.look("account-factors-none")
	b.fill("name", "My phone")
	b.press("form:has(input[name=name]) button")
	b.wantHeading("Set up your app")
	if !b.has("svg[role=img] path") {
		t.Errorf("there is no QR code\nat %s", b.where())
	}
	b.look("account-enrol")
	secret = strings.ReplaceAll(b.text(".key code"), " ", "")
	b.enter("otp", "000000")
	if !b.has("[role=alert]") {
		t.Errorf("after a wrong code\nat %s", b.where())
	}
	b.look("account-enrol-wrong")
	path, err := exec.LookPath("oathtool")
	if err != nil {
		missing(t, "oathtool", "install oathtool (Debian: oathtool)")
	}
	code, err := exec.CommandContext(t.Context(), path, "--totp", "--base32", secret).Output()
	if err != nil {
		t.Fatalf("oathtool: %v", err)
	}
	b.enter("otp", strings.TrimSpace(string(code)))
	b.wantHeading("Recovery codes")
	b.look("account-codes")
	codes = strings.Fields(b.text(".codes"))
	if len(codes) != 10 {
		t.Fatalf("the recovery codes are %q", codes)
	}
	b.tap("input[name=kept]")
	b.press("main button[type=submit]")
	b.wantHeading("Your account")
	return secret, codes
}

// accountIn looks at the pages in another language: that of the person's account.
func accountIn(t *testing.T, n *node, tag, user string) {
	createUser(t, n.env, user, "--name", "Emmy Noether", "--claim", "locale="+tag)
	b := openBrowser(t)
	b.visit(n.URL + "/account")
	b.signIn(user, password)
	for _, page := range []string{"", "/profile", "/password", "/factors", "/sessions", "/apps", "/events"} {
		b.visit(n.URL + "/account" + page)
		if !b.has("html[lang="+tag+"]") || strings.Contains(b.text("main"), "account.") {
			t.Errorf("%s\nat %s", page, b.where())
		}
		b.look("account" + strings.ReplaceAll(page, "/", "-") + "-" + tag)
	}
	b.visit(n.URL + "/account/factors")
	b.press("form:has(input[name=name]) button")
	b.look("account-enrol-" + tag)
}
