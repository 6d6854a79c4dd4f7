package web_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// These are the lines of docs/conformance-map.md for pushed authorization requests, each as a test of its own.

const requestURIPrefix = "urn:ietf:params:oauth:request_uri:"

// push leaves the authorization request of authorize at the issuer, as the client.
func (w *world) push(c app, pairs ...string) answer {
	w.Helper()
	v, err := url.ParseQuery(strings.TrimPrefix(authorize(c, pairs...), "/oauth2/authorize?"))
	w.must(err)
	return w.post("/oauth2/par", c, v)
}

// pushed is push that is taken, and the address that the browser opens with it.
func (w *world) pushed(c app, pairs ...string) string {
	w.Helper()
	a := w.push(c, pairs...)
	w.want(a, http.StatusCreated, "")
	return opening(c, a.text("request_uri"))
}

func opening(c app, requestURI string, more ...string) string {
	return "/oauth2/authorize?" + form(append([]string{"client_id", c.id, "request_uri", requestURI}, more...)...).Encode()
}

// finish answers what the browser is asked, up to the client.
func (b *browser) finish() url.Values {
	b.Helper()
	if b.page.asks("password") {
		b.signIn("ada")
	}
	if b.page.offers("decision", "allow") {
		b.submit("decision", "allow")
	}
	if b.page.left == nil {
		b.Fatalf("%s shows %d %q", b.page.url, b.page.status, b.page.h1)
	}
	return b.page.left.Query()
}

func TestAPushedRequestIsAnswered201AndGoesThroughByClientAndURIAlone(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		public := w.relying(func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = "none" })
		seen := map[string]bool{}
		for _, c := range []app{w.relying(), w.relying(posts), public} {
			a := w.push(c, "scope", "openid email")
			w.want(a, http.StatusCreated, "")
			uri := a.text("request_uri")
			secret, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(uri, requestURIPrefix))
			if err != nil || !strings.HasPrefix(uri, requestURIPrefix) || len(secret) < 16 || seen[uri] {
				w.Errorf("request_uri %q", uri)
			}
			seen[uri] = true
			if life, _ := a.body["expires_in"].(float64); life < 5 || life >= 600 || len(a.body) != 2 {
				w.Errorf("answer %s", a.raw)
			}
			if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Content-Type") != "application/json" {
				w.Errorf("headers %v", a.header)
			}
			b := w.browser()
			b.visit(opening(c, uri))
			q := b.finish()
			w.wantFields("answer", q, "code", "state", "iss")
			if q.Get("state") != "the-state" || q.Get("iss") != issuerURL {
				w.Errorf("answer %v", q)
			}
			tokens := w.exchange(c, q.Get("code"))
			if claims := w.idToken(tokens); claims["nonce"] != "the-nonce" || tokens.text("scope") != "openid email" {
				w.Errorf("scope %q, claims %v", tokens.text("scope"), claims)
			}
		}
	})
}

func TestWhatIsSentBesideARequestURIDoesNotCount(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		uri := w.push(c).text("request_uri")
		b.visit(opening(c, uri, "state", "other", "redirect_uri", "https://evil.example/cb", "scope", "openid profile", "nonce", "other",
			"response_type", "token", "response_mode", "fragment", "prompt", "none", "code_challenge", challengeOf(strings.Repeat("b", 43))))
		q := b.finish()
		if q.Get("state") != "the-state" || b.page.left.Host != "app.example" || b.page.left.Fragment != "" {
			w.Fatalf("left to %s", b.page.left)
		}
		a := w.exchange(c, q.Get("code"))
		if w.idToken(a)["nonce"] != "the-nonce" || a.text("scope") != "openid" {
			w.Errorf("answer %s", a.raw)
		}
	})
}

func TestARequestURIMayBeOpenedTwiceBeforeItIsCompletedAndNeverAfter(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		address := w.pushed(c)
		b.visit(address)
		other := w.browser() // a prefetch, or a second tab of another profile
		other.visit(address)
		if !other.page.asks("password") {
			w.Fatalf("opened twice: %d %q", other.page.status, other.page.h1)
		}
		b.visit(address)
		code := b.finish().Get("code")
		b.refused(b.visit(address), http.StatusBadRequest, "after completion")
		other.signIn("ada")
		b.refused(other.page, http.StatusBadRequest, "completed meanwhile")
		w.want(w.exchange(c, code), http.StatusOK, "") // what came too late took nothing away
	})
}

func TestARequestURIExpiresAndIsForItsOwnClient(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, thief, b := w.relying(), w.relying(), w.browser()
		a := w.push(c)
		uri := a.text("request_uri")
		b.refused(b.visit(opening(thief, uri)), http.StatusBadRequest, "another client")
		b.refused(b.visit("/oauth2/authorize?"+form("request_uri", uri).Encode()), http.StatusBadRequest, "no client")
		b.refused(b.visit(opening(c, requestURIPrefix+strings.Repeat("A", 43))), http.StatusBadRequest, "never made")
		b.refused(b.visit(opening(c, requestURIPrefix)), http.StatusBadRequest, "empty")
		if p := b.visit(opening(c, uri)); !p.asks("password") {
			w.Fatalf("its own client: %d %q", p.status, p.h1)
		}
		// Whoever came in time may take longer than that to sign in.
		w.clock.Advance(time.Duration(a.body["expires_in"].(float64)) * time.Second)
		if q := b.finish(); q.Get("code") == "" {
			w.Errorf("begun in time: %v", q)
		}
		late := w.pushed(c)
		w.clock.Advance(time.Duration(a.body["expires_in"].(float64)) * time.Second)
		b.refused(b.visit(late), http.StatusBadRequest, "expired")
	})
}

func TestAFaultOfAPushedRequestIsHeardWhereItIsPushed(t *testing.T) {
	each(t, func(w *world) {
		c := w.relying()
		for what, e := range map[string]struct {
			want  string
			pairs []string
		}{
			"request_uri inside":          {"invalid_request", []string{"request_uri", w.push(c).text("request_uri")}},
			"a foreign request_uri":       {"invalid_request", []string{"request_uri", "https://app.example/r.jwt"}},
			"a request object":            {"request_not_supported", []string{"request", "e30.e30."}},
			"no redirect_uri":             {"invalid_request", []string{"redirect_uri", ""}},
			"an unregistered one":         {"invalid_request", []string{"redirect_uri", "https://evil.example/cb"}},
			"no response_type":            {"invalid_request", []string{"response_type", ""}},
			"code id_token":               {"unsupported_response_type", []string{"response_type", "code id_token"}},
			"code token":                  {"unsupported_response_type", []string{"response_type", "code token"}},
			"no PKCE":                     {"invalid_request", []string{"code_challenge", "", "code_challenge_method", ""}},
			"plain PKCE":                  {"invalid_request", []string{"code_challenge_method", "plain"}},
			"PKCE without its method":     {"invalid_request", []string{"code_challenge_method", ""}},
			"a scope that nobody has":     {"invalid_scope", []string{"scope", "nothing:here"}},
			"a resource that nobody has":  {"invalid_target", []string{"resource", "https://nowhere.example/"}},
			"prompt none and another one": {"invalid_request", []string{"prompt", "none login"}},
		} {
			a := w.push(c, e.pairs...)
			if a.status != http.StatusBadRequest || a.text("error") != e.want || a.header.Get("Content-Type") != "application/json" {
				w.Errorf("%s: %d %s, want %s", what, a.status, a.raw, e.want)
			}
			w.plainDescription(what, a.text("error_description"))
		}
		for name, caller := range map[string]app{
			"wrong secret": {id: c.id, secret: "wrong"}, "no secret": {id: c.id}, "unknown": {id: "unknown", secret: "x"}, "nobody": {},
		} {
			if a := w.push(caller); a.status != http.StatusUnauthorized || a.text("error") != "invalid_client" {
				w.Errorf("%s: %d %s", name, a.status, a.raw)
			}
		}
	})
}

func TestRequestsArePushedByPostAlone(t *testing.T) {
	each(t, func(w *world) {
		c := w.relying()
		for _, method := range []string{http.MethodPut, http.MethodGet, http.MethodDelete, http.MethodPatch} {
			if a := w.do(w.request(method, "/oauth2/par", form("client_id", c.id).Encode(), "")); a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != "POST, OPTIONS" {
				w.Errorf("%s: %d %v", method, a.status, a.header)
			}
		}
	})
}

func TestAClientThatMustPushIsHeardByPushedRequestsAlone(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.relying(func(m *storage.ClientMetadata) { m.RequirePAR = true })
		b := w.browser()
		p := b.visit(authorize(c))
		if p.left == nil || p.left.Query().Get("error") != "invalid_request" || p.left.Query().Get("state") != "the-state" {
			w.Errorf("brought by the browser: %d %q, left %v", p.status, p.h1, p.left)
		}
		b.visit(w.pushed(c))
		if q := b.finish(); q.Get("code") == "" {
			w.Errorf("pushed: %v", q)
		}
	})
}

func TestAPersonWhoSaysNoToAPushedRequestUsesNothingUp(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(), w.browser()
		address := w.pushed(c, "state", strings.Repeat("s", 1000), "nonce", strings.Repeat("n", 384))
		b.visit(address)
		b.signIn("ada")
		b.submit("decision", "deny")
		q := b.page.left.Query()
		w.wantFields("no", q, "error", "error_description", "state", "iss")
		if q.Get("error") != "access_denied" || q.Get("state") != strings.Repeat("s", 1000) || q.Get("iss") != issuerURL {
			w.Errorf("no: %v", q)
		}
		b.visit(address)
		if claims := w.idToken(w.exchange(c, b.finish().Get("code"))); claims["nonce"] != strings.Repeat("n", 384) {
			w.Errorf("nonce %v", claims["nonce"])
		}
	})
}
