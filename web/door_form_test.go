package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// stop is a page with a form, how a new browser gets there, and what a person sends with it.
type stop struct {
	name  string
	reach func(b *browser)
	pairs func(b *browser) []string
}

// stops are all pages with forms. ada and grace are users, grace with the second factor of seed; c is an app that asks for consent.
func (w *world) stops(c app, seed string) []stop {
	w.Helper()
	tv := w.client(storage.ClientMetadata{Name: "TV", GrantTypes: []string{deviceGrant, "refresh_token"}, Scope: allScopes, TokenEndpointAuthMethod: "none"})
	pairs := func(list ...string) func(*browser) []string { return func(*browser) []string { return list } }
	enter := func(b *browser) {
		b.visit(b.post("/oauth2/device_authorization", tv, form("scope", "openid")).text("verification_uri_complete"))
		b.signIn("ada")
	}
	in := func(b *browser, people ...string) { b.client.Jar = w.signedIn(c, seed, people...).client.Jar }
	return []stop{
		{"login", func(b *browser) { b.visit(authorize(c)) }, pairs("username", "ada", "password", password)},
		{"choose", func(b *browser) { in(b, "ada", "grace"); b.visit(authorize(c, "prompt", "select_account")) }, pairs("account", "")},
		{"mfa", func(b *browser) { b.visit(authorize(c)); b.signIn("grace") }, func(b *browser) []string {
			b.clock.Advance(31 * time.Second)
			return []string{"otp", b.code(seed)}
		}},
		{"consent", func(b *browser) { in(b, "ada"); b.visit(authorize(c, "prompt", "consent")) }, pairs("decision", "allow")},
		{"device", enter, pairs("user_code", "")},
		{"device, confirmed", func(b *browser) { enter(b); b.submit() }, pairs("decision", "allow")},
		{"logout", func(b *browser) { in(b, "ada"); b.visit("/oauth2/logout") }, pairs("decision", "yes")},
	}
}

// filledIn is the address and the body of what submit would send. A field that is filled in with "" stays as it is.
func (b *browser) filledIn(pairs ...string) (address string, values url.Values) {
	b.Helper()
	for _, f := range b.page.forms {
		if f.takes(pairs) {
			values = f.filled(pairs)
			for i := 0; i < len(pairs); i += 2 {
				if was := f.fields.Get(pairs[i]); pairs[i+1] == "" && was != "" {
					values.Set(pairs[i], was)
				}
			}
			return f.action, values
		}
	}
	b.Fatalf("no form of %s takes %q:\n%s", b.page.url, pairs, b.page.raw)
	return "", nil
}

// at brings a new browser to the stop and fills the form in.
func (s stop) at(w *world) (b *browser, address string, values url.Values) {
	w.Helper()
	b = w.near()
	s.reach(b)
	address, values = b.filledIn(s.pairs(b)...)
	return b, address, values
}

// changed are values with one of them replaced, or with "" taken away.
func changed(values url.Values, name, value string) url.Values {
	values = maps.Clone(values)
	if values.Del(name); value != "" {
		values.Set(name, value)
	}
	return values
}

func TestAFormIsTakenFromTheBrowserAndThePageThatItWasMadeForAlone(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		seed, _ := w.enrol(w.user("grace"))
		c := w.relying()
		stops := w.stops(c, seed)
		tokens := map[string]string{}
		for _, s := range stops {
			_, _, values := s.at(w)
			tokens[s.name] = values.Get("form_token")
		}
		for _, s := range stops {
			b, address, good := s.at(w)
			_, _, attacker := s.at(w)
			refused := func(what string, values url.Values, edit ...func(*http.Request)) {
				t.Helper()
				before := b.cookies()["signet-sid"]
				p := b.once(address, values, edit...)
				w.shown(s.name+", "+what, p, http.StatusForbidden)
				if b.cookies()["signet-sid"] != before {
					t.Errorf("%s, %s: somebody is signed in or out", s.name, what)
				}
			}
			refused("no token", changed(good, "form_token", ""))
			refused("garbage", changed(good, "form_token", "sft_"+strings.Repeat("A", 80)))
			refused("a cut token", changed(good, "form_token", good.Get("form_token")[:40]))
			refused("the request for a token", changed(good, "form_token", good.Get("tx")))
			for name, token := range tokens {
				refused("the token of "+name+" in another browser", changed(good, "form_token", token))
			}
			refused("request and token of another browser", changed(changed(good, "tx", attacker.Get("tx")), "form_token", attacker.Get("form_token")))
			refused("all of another browser's form", attacker)
			ask := map[bool]string{true: "consent", false: "login"}[s.name == "consent"] // else its page is not even the next
			again := b.once(authorize(c, "state", "another", "prompt", ask), nil)
			if tx := again.location(); strings.Contains(tx, "tx=") {
				u, err := url.Parse(tx)
				w.must(err)
				refused("another request of this browser", changed(good, "tx", u.Query().Get("tx")))
			}
			for _, site := range []string{"cross-site", "same-site", "evil"} {
				refused(site, good, with("Sec-Fetch-Site", site))
				refused(site+" without Origin", good, with("Sec-Fetch-Site", site), with("Origin", ""))
			}
			for _, origin := range []string{"null", "https://evil.example", "http://localhost", "http://localhost:8081", "http://evil.localhost:8080", "localhost:8080"} {
				refused("from "+origin, good, with("Sec-Fetch-Site", ""), with("Origin", origin))
			}
			method := b.once(address, good, func(r *http.Request) { r.Method = http.MethodPut }, with("X-Http-Method-Override", "POST"))
			if method.status != http.StatusMethodNotAllowed {
				t.Errorf("%s by PUT: %d", s.name, method.status)
			}
			if p := b.once(address+"?"+good.Encode(), nil); len(p.header.Values("Set-Cookie")) > 0 && strings.Contains(strings.Join(p.header.Values("Set-Cookie"), " "), "signet-sid") {
				t.Errorf("%s by GET does what its form does", s.name)
			}
			if p := b.once(address, good); p.status != http.StatusSeeOther && !(s.name == "logout" && p.status == http.StatusOK) {
				t.Errorf("%s itself: %d %q", s.name, p.status, p.h1)
			}
		}
	})
}

func TestAFormIsGoodForAnHour(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		seed, _ := w.enrol(w.user("grace"))
		type waiting struct {
			stop
			b       *browser
			address string
			values  url.Values
		}
		var all []waiting
		for _, s := range w.stops(w.relying(), seed) {
			b, address, values := s.at(w)
			all = append(all, waiting{s, b, address, values})
		}
		w.clock.Advance(time.Hour + time.Second)
		for _, f := range all {
			want := http.StatusForbidden
			if f.name == "consent" { // its form is about what the request asks, and the request is too old first
				want = http.StatusBadRequest
			}
			w.shown(f.name, f.b.once(f.address, f.values), want)
		}
	})
}

func TestARequestIsGoneOnWithInItsOwnBrowserAlone(t *testing.T) {
	solo(t, func(w *world) {
		w.user("ada")
		seed, _ := w.enrol(w.user("grace"))
		c := w.relying()
		for _, s := range w.stops(c, seed) {
			b, _, values := s.at(w)
			tx := url.QueryEscape(values.Get("tx"))
			device := url.QueryEscape(values.Get("device"))
			fresh, visited, signedIn := w.near(), w.near(), w.signedIn(c, seed, "grace")
			visited.visit(authorize(c))
			for who, other := range map[string]*browser{"without cookies": fresh, "that began something else": visited, "of somebody else": signedIn} {
				for _, path := range []string{"/oauth2/authorize", "/login", "/login/choose", "/mfa", "/mfa/enrol", "/mfa/lost", "/consent", "/device"} {
					address := path + "?tx=" + tx
					if device != "" && path == "/device" {
						address += "&device=" + device
					}
					want := http.StatusForbidden
					if s.name == "logout" { // sealed for the end of a session: it is no authorization request at all
						want = http.StatusBadRequest
					}
					p := other.once(address, nil)
					w.shown("a browser "+who+" opens "+path+" of "+s.name, p, want)
					if strings.Contains(p.raw+p.location(), "code=") || strings.Contains(p.raw, "ada@example.com") {
						t.Errorf("a browser %s is shown something at %s", who, path)
					}
				}
				w.shown("a browser "+who+" confirms "+s.name, other.once("/oauth2/logout", values), http.StatusForbidden)
			}
			if s.name == "login" { // the end of the way, where a code waits
				b.signIn("ada")
				b.once("/consent", func() url.Values { _, v := b.filledIn("decision", "allow"); return v }())
				w.shown("another browser at the end of the way", fresh.once("/oauth2/authorize?tx="+tx, nil), http.StatusForbidden)
				w.shown("another person at the end of the way", signedIn.once("/oauth2/authorize?tx="+tx, nil), http.StatusForbidden)
				if to := b.once("/oauth2/authorize?tx="+tx, nil).location(); !strings.HasPrefix(to, callback+"?code=") {
					t.Errorf("its own browser is sent to %q", to)
				}
			}
		}
	})
}
