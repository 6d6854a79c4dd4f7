package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// active is what a page without inline code has none of.
var active = regexp.MustCompile(`(?i)<script[^>]*>[^<]|<style|<iframe|<object|<embed|<base|\son[a-z]+\s*=|\sstyle\s*=|javascript:`)

// guarded asserts what every answer of a page carries, whatever it is. The whole of a good page's headers is in web/pages.
func (w *world) guarded(what string, p page, status int) {
	w.Helper()
	if p.status != status {
		w.Errorf("%s: %d %q, want %d", what, p.status, p.h1, status)
	}
	for name, want := range map[string]string{
		"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "",
		"Access-Control-Allow-Credentials": "", "Server": "", "X-Powered-By": "",
	} {
		if got := p.header.Get(name); got != want {
			w.Errorf("%s: %s %q, want %q", what, name, got, want)
		}
	}
	policy := p.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		w.Errorf("%s: Content-Security-Policy %q", what, policy)
	}
	if to := p.header.Get("Referrer-Policy"); to != "no-referrer" && to != "same-origin" || p.header.Get("X-Request-Id") == "" {
		w.Errorf("%s: %v", what, p.header)
	}
	for _, cookie := range p.header.Values("Set-Cookie") {
		if !strings.Contains(cookie, "; HttpOnly") || !strings.Contains(cookie, "; SameSite=Lax") || !strings.Contains(cookie, "; Path=/") || strings.Contains(cookie, "Domain") {
			w.Errorf("%s: Set-Cookie %s", what, cookie)
		}
	}
	if found := active.FindString(p.raw); found != "" {
		w.Errorf("%s: the page has %q", what, found)
	}
	if p.raw != "" && !strings.HasPrefix(p.header.Get("Content-Type"), "text/html; charset=utf-8") && !strings.HasPrefix(p.header.Get("Content-Type"), "application/json") {
		w.Errorf("%s: Content-Type %q", what, p.header.Get("Content-Type"))
	}
}

func TestEveryAnswerOfThePagesIsGuarded(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		seed, _ := w.enrol(w.user("grace"))
		c := w.relying()
		for _, s := range w.stops(c, seed) {
			b, address, values := s.at(w)
			w.guarded(s.name, b.page, http.StatusOK)
			w.guarded(s.name+" without its token", b.once(address, changed(values, "form_token", "")), http.StatusForbidden)
			w.guarded(s.name+" from elsewhere", b.once(address, values, with("Origin", "https://evil.example"), with("Sec-Fetch-Site", "cross-site")), http.StatusForbidden)
			sent := b.once(address, values)
			w.guarded(s.name+", sent", sent, map[bool]int{true: http.StatusOK, false: http.StatusSeeOther}[s.name == "logout"])
		}
		nobody := w.near()
		guarded := func(what string, status int, address string, values url.Values, edit ...func(*http.Request)) {
			t.Helper()
			w.guarded(what, nobody.once(address, values, edit...), status)
		}
		for _, path := range []string{"/oauth2/authorize", "/login", "/login/choose", "/mfa", "/mfa/enrol", "/mfa/lost", "/consent", "/oauth2/logout", "/device"} {
			guarded("DELETE "+path, http.StatusMethodNotAllowed, path, nil, func(r *http.Request) { r.Method = http.MethodDelete })
			guarded("BREW "+path, http.StatusMethodNotAllowed, path, nil, func(r *http.Request) { r.Method = "BREW" })
			guarded("a malformed query at "+path, http.StatusBadRequest, path+"?tx=%zz", nil)
			guarded("JSON at "+path, http.StatusUnsupportedMediaType, path, url.Values{"a": {"b"}}, with("Content-Type", "application/json"))
			guarded("64 KiB at "+path, http.StatusRequestEntityTooLarge, path, url.Values{"a": {strings.Repeat("x", 65<<10)}})
		}
		guarded("nothing", http.StatusNotFound, "/nothing", nil)
		guarded("a foreign address", http.StatusBadRequest, authorize(c, "redirect_uri", "https://evil.example/"), nil)
		guarded("an error that travels", http.StatusSeeOther, authorize(c, "prompt", "none"), nil)
		guarded("an error by form_post", http.StatusOK, authorize(c, "prompt", "none", "response_mode", "form_post"), nil)
		nobody.visit(authorize(c))
		for range 5 {
			nobody.submit("username", "ada", "password", "wrong")
			w.guarded("a wrong password", nobody.page, http.StatusUnprocessableEntity)
		}
		nobody.signIn("ada")
		w.guarded("too many wrong passwords", nobody.page, http.StatusTooManyRequests)
		old := nobody.page.tx()
		w.clock.Advance(31 * time.Minute)
		w.guarded("a request that is too old", nobody.once("/login?"+form("tx", old).Encode(), nil), http.StatusBadRequest)
		w.must(w.store.Close())
		w.guarded("an outage", nobody.once(authorize(c), nil), http.StatusServiceUnavailable)
	})
}

// TestAfterAFormTheBrowserIsToldToGet: a redirect that would send the password on is none of ours (RFC 9700 §4.12).
func TestAfterAFormTheBrowserIsToldToGet(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		seed, _ := w.enrol(w.user("grace"))
		for _, s := range w.stops(w.relying(), seed) {
			b, address, values := s.at(w)
			if p := b.once(address, values); p.location() != "" && p.status != http.StatusSeeOther || p.location() == "" && s.name != "logout" {
				t.Errorf("%s: %d to %q", s.name, p.status, p.location())
			}
		}
	})
}
