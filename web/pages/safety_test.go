package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// policyOf is the Content-Security-Policy of a page with these sources besides the fixed ones.
func policyOf(images, forms, frames string) string {
	return "default-src 'none'; style-src 'self'; img-src 'self' data:" + images +
		"; font-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'" + forms + frames +
		"; require-trusted-types-for 'script'"
}

// guarded asserts the headers of the page that is shown.
func (w *world) guarded(policy, opener string) {
	w.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": policy, "Cross-Origin-Opener-Policy": opener,
		"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
		"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
		"Permissions-Policy": "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
		"Content-Type":       "text/html; charset=utf-8", "Content-Language": "en", "Access-Control-Allow-Origin": "",
	} {
		if got := w.shown.header.Get(name); got != want {
			w.Errorf("%s %q: %s is %q, want %q", w.shown.url.Path, w.shown.h1, name, got, want)
		}
	}
}

func TestEveryPageCarriesItsHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret, _ := w.enrol(w.user("ada"))
	c := w.app()
	app := policyOf(" https://cdn.example", " https://app.example", "")
	w.visit(request(c))
	w.on("Sign in", 200)
	w.guarded(app, "")
	w.signIn("ada")
	w.on("Enter your code", 200)
	w.guarded(app, "")
	w.submit("otp", w.code(secret))
	w.on("Allow access?", 200)
	w.guarded(app, "")
	w.submit("decision", "allow")
	w.advance(time.Minute)
	w.visit(request(c, "prompt", "select_account"))
	w.on("Choose an account", 200)
	w.guarded(app, "")
	w.visit(request(c, "response_mode", "form_post"))
	w.on("Back to the app", 200)
	w.guarded(policyOf("", " https://app.example", ""), "")
	w.visit(request(c, "redirect_uri", "https://evil.example/"))
	w.on("This app's return address is not registered", 400)
	w.guarded(policyOf("", "", ""), "")
	w.visit("/device")
	w.on("Connect a device", 200)
	w.guarded(policyOf("", "", ""), "same-origin")
	w.visit("/oauth2/logout")
	w.on("Sign out?", 200)
	w.guarded(policyOf("", "", ""), "")
	w.submit("decision", "yes")
	w.on("You are signed out", 200)
	w.guarded(policyOf("", "", ""), "")
	if got := w.shown.header.Get("Clear-Site-Data"); got != `"cache"` {
		t.Errorf("Clear-Site-Data %q", got)
	}
}

func TestOriginsThatAPolicyCannotNameStandUnderTheirScheme(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.app(func(m *storage.ClientMetadata) {
		m.ApplicationType, m.LogoURI = "native", ""
		m.RedirectURIs = []string{"http://[::1]/cb", "com.example.app:/cb", "http://127.0.0.1/cb"}
	})
	for target, source := range map[string]string{
		"http://[::1]:4711/cb": " http:", "com.example.app:/cb": " com.example.app:", "http://127.0.0.1:4711/cb": " http://127.0.0.1:4711",
	} {
		w.visit(request(c, "redirect_uri", target))
		w.on("Sign in", 200)
		w.guarded(policyOf("", source, ""), "")
	}
}

func TestAFormIsTakenOnlyFromThePageThatItWasShownOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	c := w.app()
	w.visit(request(c, "state", "another"))
	other := w.shown
	w.visit(request(c))
	good := func() url.Values { return w.filled("username", "ada", "password", password) }
	page := w.shown
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			if r.Header.Del(name); value != "" {
				r.Header.Set(name, value)
			}
		}
	}
	refused := func(name, heading string, status int, form url.Values, edit ...func(*http.Request)) {
		t.Helper()
		answer := w.ask(http.MethodPost, "/login", form, edit...)
		if answer.h1 != heading || answer.status != status || answer.location != "" {
			t.Errorf("%s: %d %q %s", name, answer.status, answer.h1, answer.location)
		}
		for _, cookie := range answer.header.Values("Set-Cookie") {
			if strings.Contains(cookie, "-sid=") {
				t.Errorf("%s: somebody is signed in", name)
			}
		}
		w.shown = page
	}
	expired := "This form can no longer be sent"
	for name, token := range map[string]string{"none": "", "garbage": "sft_garbage", "of another request": other.fields.Get("form_token")} {
		form := good()
		form.Set("form_token", token)
		refused("token "+name, expired, 403, form)
	}
	refused("the other page's path", "This form can no longer be sent", 403, url.Values{
		"tx": page.fields["tx"], "form_token": {""}, "username": {"ada"}, "password": {password},
	})
	refused("cross-site", "This form came from somewhere else", 403, good(), header("Sec-Fetch-Site", "cross-site"))
	refused("same-site", "This form came from somewhere else", 403, good(), header("Sec-Fetch-Site", "same-site"))
	refused("foreign origin, an old browser", "This form came from somewhere else", 403, good(), header("Sec-Fetch-Site", ""), header("Origin", "https://evil.example"))
	refused("null origin, an old browser", "This form came from somewhere else", 403, good(), header("Sec-Fetch-Site", ""), header("Origin", "null"))
	refused("JSON", "This request cannot be used", 415, good(), header("Content-Type", "application/json"))
	repeated := good()
	repeated["username"] = []string{"ada", "eve"}
	refused("two usernames", "This request cannot be used", 400, repeated)
	refused("no request", "There is nothing to do here", 400, url.Values{"username": {"ada"}, "password": {password}})
	large := good()
	large.Set("password", strings.Repeat("x", 64<<10))
	refused("64 KiB", "This request cannot be used", 413, large)
	old := good()
	w.advance(61 * time.Minute)
	refused("an hour later", expired, 403, old)
}

func TestATokenDiesWithTheSessionItWasMadeIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	c := w.app()
	w.visit(request(c))
	before := w.filled("username", "ada", "password", password)
	w.signIn("ada")
	w.on("Allow access?", 200)
	if again := w.ask(http.MethodPost, "/login", before); again.status != http.StatusForbidden || !strings.Contains(again.raw, `href="/oauth2/authorize?tx=`) {
		t.Errorf("the form from before the sign-in: %d %s", again.status, again.raw)
	}
}

func TestAPostFromAnotherSiteIsAskedAgainByGet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	c := w.app(func(m *storage.ClientMetadata) { m.FirstParty = true })
	w.visit(request(c))
	w.signIn("ada")
	cross := func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Origin", "https://app.example")
		r.Header.Del("Cookie") // SameSite=Lax
	}
	sent, err := url.ParseQuery(strings.TrimPrefix(request(c, "claims", `{"userinfo":{"name":null}}`), "/oauth2/authorize?"))
	w.must(err)
	answer := w.ask(http.MethodPost, "/oauth2/authorize", sent, cross)
	if answer.status != http.StatusSeeOther || answer.location != "/oauth2/authorize?"+sent.Encode() || len(answer.header.Values("Set-Cookie")) > 0 {
		t.Fatalf("POST authorize: %d %s", answer.status, answer.location)
	}
	if w.follow(answer); !strings.HasPrefix(w.shown.location, callback+"?code=") {
		t.Errorf("then: %d %q", w.shown.status, w.shown.h1)
	}
	out := w.ask(http.MethodPost, "/oauth2/logout", url.Values{"state": {"x y"}}, cross)
	if out.status != http.StatusSeeOther || out.location != "/oauth2/logout?state=x+y" {
		t.Errorf("POST logout: %d %s", out.status, out.location)
	}
	if forced := w.ask(http.MethodPost, "/oauth2/logout", url.Values{"tx": {"x"}, "decision": {"yes"}}, cross); forced.status != http.StatusForbidden {
		t.Errorf("the confirmation from elsewhere: %d", forced.status)
	}
	for _, body := range []string{"client_id=%ff", "client_id=a;b=c", "state=a&state=b"} {
		bad := w.ask(http.MethodPost, "/oauth2/authorize", nil, func(r *http.Request) {
			r.Body, r.ContentLength = http.NoBody, 0
			r.Body = readCloser{strings.NewReader(body)}
			r.ContentLength = int64(len(body))
		})
		if bad.status != http.StatusBadRequest || bad.h1 != "This request cannot be used" {
			t.Errorf("%s: %d %q", body, bad.status, bad.h1)
		}
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func TestHeadDoesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ada")
	c := w.app(func(m *storage.ClientMetadata) { m.FirstParty = true })
	w.visit(request(c))
	w.signIn("ada")
	for _, address := range []string{request(c), "/oauth2/logout", "/login", "/device"} {
		answer := w.ask(http.MethodHead, address, nil)
		if answer.status >= 500 || strings.Contains(answer.location, "code=") {
			t.Errorf("HEAD %s: %d %s", address, answer.status, answer.location)
		}
	}
	w.visit(request(c, "prompt", "none"))
	if !strings.Contains(w.shown.location, "code=") {
		t.Errorf("HEAD signed somebody out: %s", w.shown.location)
	}
	for _, path := range []string{"/oauth2/authorize", "/login", "/login/choose", "/mfa", "/mfa/enrol", "/mfa/lost", "/consent", "/device", "/signup", "/recover", "/setup", "/oauth2/logout"} {
		if answer := w.ask(http.MethodDelete, path, nil); answer.status != http.StatusMethodNotAllowed || answer.header.Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("DELETE %s: %d, Allow %q", path, answer.status, answer.header.Get("Allow"))
		}
	}
}

func TestRefusalsHaveHeadingsThatStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.app()
	disabled := w.app()
	_, err := w.provider.Clients().Disable(w.Context(), disabled.ID, "test")
	w.must(err)
	two := w.app(func(m *storage.ClientMetadata) { m.RedirectURIs = []string{callback, "https://app.example/other"} })
	for address, heading := range map[string]string{
		request(c, "client_id", "nobody"):                          "This app is not known here",
		request(c, "client_id", ""):                                "This app is not known here",
		request(disabled):                                          "This app is switched off",
		request(c, "redirect_uri", "https://app.example/cb?x=1"):   "This app's return address is not registered",
		request(c, "redirect_uri", "https://app.example.evil/cb"):  "This app's return address is not registered",
		request(two, "redirect_uri", ""):                           "This app did not say where to return",
		request(c) + "&state=again":                                "This request cannot be used",
		"/oauth2/authorize?client_id=%ff":                          "This request cannot be used",
		"/oauth2/authorize?tx=stx_nonsense":                        "This request cannot be used",
		"/mfa?tx=":                                                 "There is nothing to do here",
		"/consent":                                                 "There is nothing to do here",
		"/login/choose":                                            "There is nothing to do here",
		"/consent?tx=stx_nonsense":                                 "This request cannot be used",
		request(c, "redirect_uri", `https://x/"><script>alert(1)`): "This app's return address is not registered",
	} {
		w.visit(address)
		if w.shown.h1 != heading || w.shown.status != http.StatusBadRequest || w.shown.location != "" {
			t.Errorf("%s: %d %q %s", address, w.shown.status, w.shown.h1, w.shown.location)
		}
		if id := w.shown.header.Get("X-Request-Id"); id == "" || !strings.Contains(w.shown.raw, "signet explain "+id) || strings.Contains(w.shown.raw, "<script>") {
			t.Errorf("%s does not name its request, or carries what it was sent", address)
		}
	}
	w.visit(request(c, "redirect_uri", "https://app.example/cd"))
	for _, want := range []string{
		"<code>https://app.example/c<mark>d</mark></code>", "<code>https://app.example/c<mark>b</mark></code>", "redirect_uri is not one of those",
	} {
		if !strings.Contains(w.shown.raw, want) {
			t.Errorf("the owner of the app is not shown %s:\n%s", want, w.shown.raw)
		}
	}
}

func TestStaticFilesAreKeptForEverAndNothingElseIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.visit(request(w.app()))
	_, after, _ := strings.Cut(w.shown.raw, `<link rel="stylesheet" href="`)
	style, _, _ := strings.Cut(after, `"`)
	answer := w.ask(http.MethodGet, style, nil)
	if answer.status != http.StatusOK || answer.header.Get("Cache-Control") != "public, max-age=31536000, immutable" ||
		answer.header.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(answer.raw, "--accent") {
		t.Errorf("%s: %d %v", style, answer.status, answer.header)
	}
	for path, status := range map[string]int{"/static/": 404, "/static/signet.css": 404, "/static/..%2fpages.go": 404, "/static": 404, style + "/x": 404} {
		if answer := w.ask(http.MethodGet, path, nil); answer.status != status {
			t.Errorf("%s: %d", path, answer.status)
		}
	}
	if answer := w.ask(http.MethodPost, style, url.Values{}); answer.status != http.StatusMethodNotAllowed {
		t.Errorf("POST %s: %d", style, answer.status)
	}
}
