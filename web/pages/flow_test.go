package pages_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestAPersonSignsInConsentsOnceAndReturns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	c := w.app()
	w.visit(request(c, "scope", "openid email books:read", "login_hint", "ada@example.com"))
	w.on("Sign in", 200)
	for _, want := range []string{"Bookshop", "app.example", `value="ada@example.com"`, `autocomplete="username webauthn"`, `autocomplete="current-password"`, "https://cdn.example/logo.png"} {
		if !strings.Contains(w.shown.raw, want) {
			t.Errorf("the sign-in page lacks %s", want)
		}
	}
	w.submit("username", "ada", "password", "not the password 99")
	w.on("Sign in", 422)
	if !strings.Contains(w.shown.raw, `value="ada"`) || strings.Contains(w.shown.raw, "not the password") || !strings.Contains(w.shown.raw, `role="alert"`) ||
		!strings.Contains(w.shown.raw, "<title>Error: Sign in") {
		t.Errorf("after a wrong password: %s", w.shown.raw)
	}
	unknown := w.submit("username", "nobody", "password", "not the password 99")
	w.on("Sign in", 422)
	if !strings.Contains(unknown.raw, "do not match") {
		t.Error("an unknown person is told something else")
	}
	w.signIn("ada")
	w.on("Allow access?", 200)
	for _, want := range []string{"See your email address", "ada@example.com", "books:read", "app.example", "https://app.example/privacy", "https://app.example/terms", "Nobody here has checked"} {
		if !strings.Contains(w.shown.raw, want) {
			t.Errorf("the consent page lacks %s", want)
		}
	}
	w.submit("decision", "allow")
	answer, err := url.Parse(w.shown.location)
	w.must(err)
	if q := answer.Query(); answer.Host != "app.example" || q.Get("code") == "" || q.Get("state") != "the-state" || q.Get("iss") != issuer {
		t.Fatalf("back at %s", w.shown.location)
	}
	w.visit(request(c, "scope", "openid email books:read"))
	if !strings.HasPrefix(w.shown.location, callback+"?code=") {
		t.Fatalf("the second time it is asked again: %d %q", w.shown.status, w.shown.h1)
	}
	w.visit(request(c, "scope", "openid email profile"))
	w.on("Allow access?", 200)
	if strings.Contains(w.shown.raw, "See your email address") || !strings.Contains(w.shown.raw, "Ada of ada") {
		t.Error("the page asks for what was allowed before, or not for what is new")
	}
	w.submit("decision", "deny")
	if !strings.Contains(w.shown.location, "error=access_denied") || !strings.Contains(w.shown.location, "state=the-state") {
		t.Errorf("refused: %s", w.shown.location)
	}
}

func TestASecondFactorIsAskedForInWordsAndTakenWithSpaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret, recovery := w.enrol(w.user("ada"))
	c := w.app(func(m *storage.ClientMetadata) { m.FirstParty = true })
	w.visit(request(c))
	w.signIn("ada")
	w.on("Enter your code", 200)
	for _, want := range []string{`inputmode="numeric"`, `autocomplete="one-time-code"`, `name="remember"`, `name="recovery_code"`, "You are signing in as Ada of ada"} {
		if !strings.Contains(w.shown.raw, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	w.submit("otp", "")
	w.on("Enter your code", 422)
	w.submit("otp", "12")
	w.on("Enter your code", 422)
	w.submit("recovery_code", "none-of-mine")
	w.on("Enter your code", 422)
	if !strings.Contains(w.shown.raw, "<details open>") || !strings.Contains(w.shown.raw, "recovery code is wrong") {
		t.Error("the recovery form is closed, and says nothing")
	}
	code := w.code(secret)
	w.submit("otp", " "+code[:3]+" "+code[3:], "remember", "yes")
	if !strings.HasPrefix(w.shown.location, callback+"?code=") {
		t.Fatalf("after the code: %d %q", w.shown.status, w.shown.h1)
	}
	w.advance(time.Minute)
	w.visit(request(c, "prompt", "login")) // remembered
	w.on("Sign in", 200)
	w.signIn("ada")
	if !strings.HasPrefix(w.shown.location, callback+"?code=") {
		t.Fatalf("a remembered browser is asked: %d %q", w.shown.status, w.shown.h1)
	}
	w.client = w.browser()
	w.visit(request(c))
	w.signIn("ada")
	w.submit("recovery_code", " "+recovery[0]+" ")
	if !strings.HasPrefix(w.shown.location, callback+"?code=") {
		t.Fatalf("after the recovery code: %d %q", w.shown.status, w.shown.h1)
	}
}

func TestAStepUpNamesTheAppThatWantsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret, _ := w.enrol(w.user("ada"))
	c := w.app(func(m *storage.ClientMetadata) { m.FirstParty = true })
	w.visit(request(c))
	w.signIn("ada")
	w.submit("otp", w.code(secret), "remember", "yes")
	w.advance(time.Minute)
	w.visit(request(c, "prompt", "login"))
	w.signIn("ada")
	w.visit(request(c, "acr_values", "urn:signet:acr:mfa"))
	w.on("Enter your code", 200)
	if !strings.Contains(w.shown.raw, "Bookshop asks for a second proof") || strings.Contains(w.shown.raw, `name="remember"`) {
		t.Errorf("the step-up reads: %s", w.shown.raw)
	}
}

func TestSeveralPeopleAtOneBrowserChoose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	w.user("eve")
	c := w.app(func(m *storage.ClientMetadata) { m.FirstParty = true })
	w.visit(request(c))
	w.signIn("ada")
	w.advance(time.Minute)
	w.visit(request(c, "prompt", "select_account"))
	w.on("Choose an account", 200)
	other := regexp.MustCompile(`href="(/login\?tx=[^"]+)"`).FindStringSubmatch(w.shown.raw)
	if other == nil {
		t.Fatalf("no way to another account: %s", w.shown.raw)
	}
	w.visit(other[1])
	w.on("Sign in", 200)
	w.signIn("eve")
	w.advance(time.Minute)
	w.visit(request(c, "prompt", "select_account"))
	w.on("Choose an account", 200)
	sessions := w.shown.fields["button account"]
	if len(sessions) != 2 || !strings.Contains(w.shown.raw, "Ada of ada") || !strings.Contains(w.shown.raw, "Ada of eve") {
		t.Fatalf("accounts %v", sessions)
	}
	for _, account := range []string{"", "nonsense", "0190b0a0-0000-7000-8000-000000000000"} {
		w.submit("account", account)
		w.on("Choose an account", 422)
	}
	w.submit("account", sessions[1])
	if !strings.HasPrefix(w.shown.location, callback+"?code=") {
		t.Fatalf("after the choice: %d %q", w.shown.status, w.shown.h1)
	}
}

func TestADeviceIsConnectedOnlyByWhoConfirmsItsCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	c := w.app(func(m *storage.ClientMetadata) {
		m.Name, m.GrantTypes, m.RedirectURIs = "Television", []string{"urn:ietf:params:oauth:grant-type:device_code"}, nil
	})
	start := func() string {
		a := w.ask(http.MethodPost, "/oauth2/device_authorization", url.Values{"client_id": {c.ID}, "scope": {"openid email"}})
		code := regexp.MustCompile(`"user_code":"([A-Z-]+)"`).FindStringSubmatch(a.raw)
		if code == nil {
			t.Fatalf("device authorization: %d %s", a.status, a.raw)
		}
		return code[1]
	}
	code := start()
	w.visit("/device?user_code=" + code)
	w.on("Sign in", 200)
	w.signIn("ada")
	w.on("Connect a device", 200)
	if !strings.Contains(w.shown.raw, `value="`+code+`"`) {
		t.Error("the code of the device's link is not filled in")
	}
	w.submit("user_code", "")
	w.on("Connect a device", 422)
	w.submit("user_code", "BBBB-BBBB")
	w.on("Connect a device", 422)
	w.submit("user_code", strings.ToLower(strings.ReplaceAll(code, "-", "")))
	w.on("Is this your device?", 200)
	if !strings.Contains(w.shown.raw, "Television") || !strings.Contains(w.shown.raw, code) || !strings.Contains(w.shown.raw, "ada@example.com") {
		t.Errorf("the confirmation reads: %s", w.shown.raw)
	}
	w.submit("decision", "perhaps")
	w.on("Is this your device?", 200)
	w.submit("decision", "allow")
	w.on("Your device is connected", 200)
	second := start()
	w.visit("/device")
	w.submit("user_code", code)
	w.on("Connect a device", 422) // it is answered: the same words as for a code that there never was
	w.submit("user_code", second)
	w.submit("decision", "deny")
	w.on("You refused the device", 200)
}

func TestSigningOutIsAskedUnlessAnAppProvesWhoseSessionItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	c := w.app(func(m *storage.ClientMetadata) {
		m.FirstParty, m.FrontchannelLogoutURI = true, "https://app.example/out?x=1"
	})
	w.visit("/oauth2/logout")
	w.on("You are signed out", 200)
	w.visit(request(c))
	w.signIn("ada")
	w.visit("/oauth2/logout?post_logout_redirect_uri=" + url.QueryEscape("https://app.example/bye") + "&state=s")
	w.on("Sign out?", 200)
	if !strings.Contains(w.shown.raw, "Ada of ada") {
		t.Error("it does not say whom")
	}
	asked := w.shown
	w.submit("decision", "no")
	w.on("You are still signed in", 200)
	w.shown = asked
	w.submit("decision", "yes")
	w.on("You are signed out", 200)
	if !strings.Contains(w.shown.raw, `<iframe src="https://app.example/out?x=1&amp;iss=https%3A%2F%2Fid.example&amp;sid=`) || w.shown.header.Get("Refresh") != "" {
		t.Errorf("the app is not told, or the person is led somewhere: %v\n%s", w.shown.header, w.shown.raw)
	}
	if csp := w.shown.header.Get("Content-Security-Policy"); !strings.Contains(csp, "; frame-src https://app.example;") {
		t.Errorf("the policy does not let the frame load: %s", csp)
	}
	w.visit(request(c, "prompt", "none"))
	if !strings.Contains(w.shown.location, "error=login_required") {
		t.Errorf("after signing out: %s", w.shown.location)
	}
}

func TestTooManyAttemptsAreToldOnTheSamePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	w.visit(request(w.app()))
	for range 20 {
		if w.submit("username", "ada", "password", "wrong wrong wrong"); w.shown.status != http.StatusUnprocessableEntity {
			break
		}
	}
	w.on("Sign in", http.StatusTooManyRequests)
	if w.shown.header.Get("Retry-After") == "" || !strings.Contains(w.shown.raw, "Too many attempts. Try again in") || !strings.Contains(w.shown.raw, `value="ada"`) {
		t.Errorf("throttled: %v %s", w.shown.header, w.shown.raw)
	}
}

func TestAnOutageIsAPageAndSaysWhenToTryAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	c := w.app()
	w.visit(request(c))
	w.signIn("ada")
	w.must(w.store.Close())
	for _, address := range []string{request(c), w.shown.url.String(), "/oauth2/logout", "/device"} {
		w.visit(address)
		w.on("This does not work at the moment", http.StatusServiceUnavailable)
		if w.shown.header.Get("Retry-After") == "" || strings.Contains(w.shown.raw, "sql") {
			t.Errorf("%s: %v %s", address, w.shown.header, w.shown.raw)
		}
	}
}

func TestARequestThatIsTooOldOrOfAnotherBrowserSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.visit(request(w.app()))
	address := w.shown.url.String()
	mine := w.client
	w.client = w.browser()
	w.visit(address)
	w.on("This began in another browser", http.StatusForbidden)
	w.client = mine
	w.visit(address)
	w.on("Sign in", 200)
	w.advance(31 * time.Minute)
	w.visit(address)
	w.on("This page has expired", http.StatusBadRequest)
}
