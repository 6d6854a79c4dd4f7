package web_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-idp/signet/storage"
)

// These are the lines of docs/conformance-map.md for RP-Initiated Logout, each as a test of its own.

const afterwards = "https://app.example/out"

// leaving registers where people go after a logout.
func leaving(m *storage.ClientMetadata) { m.PostLogoutRedirectURIs = []string{afterwards} }

// endSession is the address of a request to log out.
func endSession(pairs ...string) string { return "/oauth2/logout?" + form(pairs...).Encode() }

// goodbye asserts the page that says that it is done, or that asks first, which is answered with yes. The browser goes nowhere.
func (b *browser) goodbye(what string) {
	b.Helper()
	if b.page.offers("decision", "yes") {
		b.submit("decision", "yes")
	}
	if b.page.h1 != "You are signed out" {
		b.Errorf("%s: %q", what, b.page.h1)
	}
	b.refused(b.page, http.StatusOK, what)
	if strings.Contains(b.page.raw, "app.example") || b.page.header.Get("Refresh") != "" {
		b.Errorf("%s: the page leads on:\n%s", what, b.page.raw)
	}
}

func TestLogoutReturnsToTheClientWithStateAloneAndEndsTheSession(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.relying(leaving)
		for _, state := range []string{
			"s", "", `-._~!$&'()*+,;=:@/?%20 #[]"<>\^|{}` + "`", strings.Repeat("a1-._~", 20), "ü€",
		} {
			b := w.browser()
			hint := b.tokens(c, "ada").text("id_token")
			pairs := []string{"id_token_hint", hint, "post_logout_redirect_uri", afterwards}
			want := []string{"state"}
			if state == "" {
				want = nil
			} else {
				pairs = append(pairs, "state", state)
			}
			p := b.visit(endSession(pairs...))
			if p.left == nil || p.left.Scheme+"://"+p.left.Host+p.left.Path != afterwards || p.left.Fragment != "" || p.left.ForceQuery {
				w.Fatalf("state %q: %d %q, left %v", state, p.status, p.h1, p.left)
			}
			w.wantFields("the way back", p.left.Query(), want...)
			if got := p.left.Query().Get("state"); got != state {
				w.Errorf("state %q came back as %q", state, got)
			}
			if code := b.none(c); code != "login_required" {
				w.Errorf("after the logout prompt=none says %q", code)
			}
		}
	})
}

func TestLogoutMayBePostedByAnotherSite(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(leaving), w.browser()
		hint := b.tokens(c, "ada").text("id_token")
		body := form("id_token_hint", hint, "post_logout_redirect_uri", afterwards, "state", "s", "client_id", c.id, "ui_locales", "se de",
			"logout_hint", "ada", "unknown", "x").Encode()
		r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, issuerURL+"/oauth2/logout", strings.NewReader(body))
		w.must(err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", appOrigin)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if p := b.follow(r); p.left == nil || p.left.String() != afterwards+"?state=s" {
			w.Errorf("%d %q, left %v", p.status, p.h1, p.left)
		}
		if code := b.none(c); code != "login_required" {
			w.Errorf("after the logout prompt=none says %q", code)
		}
	})
}

func TestLogoutFollowsNoAddressThatIsNotRegistered(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(leaving), w.browser()
		hint := b.tokens(c, "ada").text("id_token")
		for _, uri := range []string{
			afterwards + "?foo=bar", afterwards + "/", "https://app.example/OUT", "https://evil.example/out", callback, "javascript:alert(1)", "//app.example/out",
		} {
			b.refused(b.visit(endSession("id_token_hint", hint, "post_logout_redirect_uri", uri, "state", "s")), http.StatusBadRequest, uri)
		}
		if code := b.none(c); code != "" {
			w.Errorf("a request that was refused signed the person out: %q", code)
		}
		kept := w.relying(func(m *storage.ClientMetadata) { m.PostLogoutRedirectURIs = []string{afterwards + "?foo=bar"} })
		hint = b.tokens(kept, "ada").text("id_token")
		p := b.visit(endSession("id_token_hint", hint, "post_logout_redirect_uri", afterwards+"?foo=bar", "state", "s"))
		if p.left == nil || p.left.String() != afterwards+"?foo=bar&state=s" {
			w.Errorf("a registered query: %d, left %v", p.status, p.left)
		}
	})
}

// forgeries are ID tokens that this issuer did not make, by what is wrong with them.
func (w *world) forgeries(genuine string) map[string]string {
	w.Helper()
	parts := strings.Split(genuine, ".")
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	w.must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).
		WithType("JWT").WithHeader("kid", jwtPart(w.T, genuine, 0)["kid"]))
	w.must(err)
	signed, err := signer.Sign(payload)
	w.must(err)
	foreign, err := signed.CompactSerialize()
	w.must(err)
	var claims map[string]any
	w.must(json.Unmarshal(payload, &claims))
	claims["aud"] = "somebody-else"
	edited, err := json.Marshal(claims)
	w.must(err)
	return map[string]string{
		"signed with alg none": unsigned + "." + parts[1] + ".",
		"signed by another":    foreign,
		"edited":               parts[0] + "." + base64.RawURLEncoding.EncodeToString(edited) + "." + parts[2],
		"garbage":              "x.y.z",
	}
}

func TestLogoutFollowsNoAddressWithoutAHintOfOurs(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.relying(leaving, func(m *storage.ClientMetadata) { m.IDTokenSignedAlg = "ES256" })
		b := w.browser()
		tokens := b.tokens(c, "ada")
		wrong := w.forgeries(tokens.text("id_token"))
		wrong["none"], wrong["an access token"] = "", tokens.access()
		for what, hint := range wrong {
			b.through(c, "ada", "")
			b.visit(endSession("id_token_hint", hint, "post_logout_redirect_uri", afterwards, "state", "s"))
			if !b.page.offers("decision", "yes") {
				w.Errorf("%s: it does not ask: %d %q", what, b.page.status, b.page.h1)
			}
			b.goodbye(what)
			if code := b.none(c); code != "login_required" {
				w.Errorf("%s: after the logout prompt=none says %q", what, code)
			}
		}
		b.through(c, "ada", "")
		b.visit(endSession("client_id", c.id, "post_logout_redirect_uri", afterwards, "state", "s")) // anybody may write a client_id
		b.goodbye("client_id alone")
	})
}

func TestLogoutWithoutAnAddressEndsOnAPageThatSaysSo(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(leaving), w.browser()
		for what, pairs := range map[string][]string{
			"no parameters": nil, "only state": {"state", "s"}, "no address": {"id_token_hint", "", "state", "s"},
		} {
			hint := b.tokens(c, "ada").text("id_token")
			if len(pairs) > 2 {
				pairs[1] = hint
			}
			b.visit(endSession(pairs...))
			b.goodbye(what)
			if code := b.none(c); code != "login_required" {
				w.Errorf("%s: after the logout prompt=none says %q", what, code)
			}
			b.visit(endSession(pairs...)) // once more, when nobody is signed in
			b.goodbye(what)
		}
	})
}

func TestAnExpiredIDTokenServesAtLogout(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(leaving), w.browser()
		hint := b.tokens(c, "ada").text("id_token")
		w.clock.Advance(3 * time.Hour)
		p := b.visit(endSession("id_token_hint", hint, "post_logout_redirect_uri", afterwards))
		if p.left == nil || p.left.String() != afterwards {
			w.Errorf("%d %q, left %v", p.status, p.h1, p.left)
		}
	})
}

func TestAClientThatIsNotTheHintsIsRefusedAtLogout(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, other, b := w.relying(leaving), w.relying(leaving), w.browser()
		hint := b.tokens(c, "ada").text("id_token")
		b.refused(b.visit(endSession("id_token_hint", hint, "client_id", other.id, "post_logout_redirect_uri", afterwards)), http.StatusBadRequest, "another client")
		if code := b.none(c); code != "" {
			w.Errorf("the person was signed out: %q", code)
		}
	})
}

func TestAHintOfAnotherSessionAsksFirstAndNoEndsNothing(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, old, b := w.relying(leaving), w.browser(), w.browser()
		hint := old.tokens(c, "ada").text("id_token")
		b.through(c, "ada", "")
		b.visit(endSession("id_token_hint", hint, "post_logout_redirect_uri", afterwards, "state", "s"))
		b.submit("decision", "no")
		if code := b.none(c); code != "" {
			w.Errorf("no signed the person out: %q", code)
		}
		b.visit(endSession("id_token_hint", hint, "post_logout_redirect_uri", afterwards, "state", "s"))
		if p := b.submit("decision", "yes"); p.left == nil || p.left.String() != afterwards+"?state=s" {
			w.Errorf("yes: %d %q, left %v", p.status, p.h1, p.left)
		}
		if code := b.none(c); code != "login_required" {
			w.Errorf("after the logout prompt=none says %q", code)
		}
		if code := old.none(c); code != "" {
			w.Errorf("the other browser was signed out: %q", code)
		}
	})
}
