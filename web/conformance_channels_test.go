package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
)

// listener is a relying party that hears of logouts at addresses of its own.
type listener struct {
	url  string
	mu   sync.Mutex
	told map[string][]*http.Request // by path, with their forms read
}

func listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{told: map[string][]*http.Request{}}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Errorf("a logout token came as no form: %v", err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.told[r.URL.RequestURI()] = append(l.told[r.URL.RequestURI()], r)
	}))
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

// reaches lets the issuer call the listener.
func (l *listener) reaches(t *testing.T) func(*provider.Config) {
	t.Helper()
	network, err := outbound.ParseNetwork("127.0.0.1/32:" + l.url[strings.LastIndex(l.url, ":")+1:])
	if err != nil {
		t.Fatal(err)
	}
	return func(c *provider.Config) { c.OutboundAllow = []outbound.Network{network} }
}

// eachListening is each, with a relying party that listens.
func eachListening(t *testing.T, test func(w *world, l *listener)) {
	t.Helper()
	for engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			l, c := listen(t), newClock()
			test(newWorld(t, engine, engines[engine](t, c.Now), c, l.reaches(t)), l)
		})
	}
}

// heard returns what was posted to path since the last call: the one logout token, or "" for none.
func (l *listener) heard(w *world, path string) (token string) {
	w.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	requests := l.told[path]
	delete(l.told, path)
	if len(requests) > 1 {
		w.Errorf("%s was told %d times", path, len(requests))
	}
	for _, r := range requests {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || len(r.Header.Values("Cookie")) > 0 {
			w.Errorf("%s: %s %v", path, r.Method, r.Header)
		}
		w.wantFields(path, r.PostForm, "logout_token")
		token = r.PostForm.Get("logout_token")
	}
	return token
}

func TestTheBackChannelTellsEachClientOfTheSessionOnceAndNoOthers(t *testing.T) {
	eachListening(t, func(w *world, l *listener) {
		u := w.user("ada")
		hears := func(path string) app {
			return w.relying(leaving, func(m *storage.ClientMetadata) {
				m.BackchannelLogoutURI, m.BackchannelLogoutSessionRequired = l.url+path, true
			})
		}
		c, second, unused, elsewhere, quiet := hears("/one"), hears("/two?tenant=1"), hears("/unused"), hears("/elsewhere"), w.relying()
		b, other := w.browser(), w.browser()
		id := w.idToken(b.tokens(c, "ada"))
		b.tokens(c, "ada") // a second grant in one session is no second letter
		b.tokens(second, "ada")
		b.tokens(quiet, "ada")
		apart := w.idToken(other.tokens(elsewhere, "ada"))
		if id["sid"] == apart["sid"] {
			w.Fatal("two browsers share a sid")
		}
		hint := b.tokens(c, "ada").text("id_token")
		if p := b.visit(endSession("id_token_hint", hint, "post_logout_redirect_uri", afterwards)); p.left == nil {
			w.Fatalf("%d %q", p.status, p.h1)
		}
		if faults := w.deliver(); len(faults) > 0 {
			w.Fatalf("%v", faults)
		}
		seen := map[any]bool{}
		for path, to := range map[string]app{"/one": c, "/two?tenant=1": second} {
			token := l.heard(w, path)
			if token == "" {
				w.Fatalf("%s was not told", path)
			}
			w.logoutToken(token, to, u, id["sid"])
			jti := jwtPart(w.T, token, 1)["jti"]
			if seen[jti] {
				w.Errorf("jti %v is there twice", jti)
			}
			seen[jti] = true
		}
		for path, registered := range map[string]app{"/unused": unused, "/elsewhere": elsewhere} {
			if token := l.heard(w, path); token != "" {
				w.Errorf("%s of %s was told of a session that is none of its", path, registered.id)
			}
		}
		if code := other.none(elsewhere); code != "" {
			w.Errorf("the other browser's session: %q", code)
		}
	})
}

// logoutToken asserts every claim of a logout token (OpenID Connect Back-Channel Logout §2.4), and that there are no others.
func (w *world) logoutToken(token string, to app, u storage.User, sid any) {
	w.Helper()
	claims, now := w.verified(token, "RS256", "logout+jwt"), float64(w.clock.Now().Unix())
	for name, want := range map[string]any{"iss": issuerURL, "aud": to.id, "sub": u.ID.String(), "sid": sid, "iat": now} {
		if claims[name] != want {
			w.Errorf("%s is %v, want %v", name, claims[name], want)
		}
		delete(claims, name)
	}
	if exp, _ := claims["exp"].(float64); exp <= now || exp > now+120 {
		w.Errorf("exp is %v at %v", claims["exp"], now)
	}
	if jti, _ := claims["jti"].(string); len(jti) < 20 {
		w.Errorf("jti %v", claims["jti"])
	}
	events, _ := claims["events"].(map[string]any)
	if happened, _ := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any); len(events) != 1 || happened == nil || len(happened) != 0 {
		w.Errorf("events %v", claims["events"])
	}
	if len(claims) != 3 {
		w.Errorf("more claims than a logout token has: %v", claims)
	}
}

func TestTheBackChannelTellsOfASessionThatAnOperatorEnded(t *testing.T) {
	eachListening(t, func(w *world, l *listener) {
		u := w.user("ada")
		c := w.relying(func(m *storage.ClientMetadata) { m.BackchannelLogoutURI = l.url + "/one" })
		b := w.browser()
		id := w.idToken(b.tokens(c, "ada"))
		w.must(w.provider.People().SetPassword(w.Context(), u.ID, storage.NewSecret([]byte("another horse battery staple 18")), account.By{Actor: "test"}))
		if faults := w.deliver(); len(faults) > 0 {
			w.Fatalf("%v", faults)
		}
		token := l.heard(w, "/one")
		if token == "" {
			w.Fatal("the client was not told")
		}
		w.logoutToken(token, c, u, id["sid"])
		if code := b.none(c); code != "login_required" {
			w.Errorf("prompt=none says %q", code)
		}
	})
}

func TestTheFrontChannelLoadsAFrameForEachClientOfTheSession(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		heard := func(uri string) app {
			return w.relying(leaving, func(m *storage.ClientMetadata) {
				m.RedirectURIs = append(m.RedirectURIs, uri)
				m.FrontchannelLogoutURI, m.FrontchannelLogoutSessionRequired = uri, true
			})
		}
		c, second, unused := heard("https://app.example/fc"), heard("https://second.example:8443/fc?tenant=1&x=%20"), heard("https://unused.example/fc")
		b := w.browser()
		hint := b.tokens(c, "ada").text("id_token")
		sid := asText(jwtPart(w.T, hint, 1)["sid"])
		b.tokens(second, "ada")
		p := b.visit(endSession("id_token_hint", hint, "post_logout_redirect_uri", afterwards, "state", "s"))
		if p.status != http.StatusOK || p.left != nil || p.h1 != "You are signed out" {
			w.Fatalf("%d %q, left %v", p.status, p.h1, p.left)
		}
		tail := "iss=" + url.QueryEscape(issuerURL) + "&sid=" + url.QueryEscape(sid)
		want := []string{"https://app.example/fc?" + tail, "https://second.example:8443/fc?tenant=1&x=%20&" + tail}
		frames := p.elements("iframe", "src")
		slices.Sort(frames)
		if !slices.Equal(frames, want) || sid == "" {
			w.Errorf("frames\n%q, want\n%q", frames, want)
		}
		sources := p.directive("frame-src")
		slices.Sort(sources)
		if !slices.Equal(sources, []string{"https://app.example", "https://second.example:8443"}) {
			w.Errorf("frame-src %q", sources)
		}
		if !slices.Contains(p.elements("a", "href"), afterwards+"?state=s") || !strings.HasSuffix(p.header.Get("Refresh"), "; url="+afterwards+"?state=s") {
			w.Errorf("the way back: Refresh %q, links %q", p.header.Get("Refresh"), p.elements("a", "href"))
		}
		for _, client := range []app{c, second, unused} {
			if code := b.none(client); code != "login_required" {
				w.Errorf("prompt=none says %q", code)
			}
		}
	})
}
