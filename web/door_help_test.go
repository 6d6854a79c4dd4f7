package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/storage"
)

// solo runs test on SQLite alone: for what the store has no part in.
func solo(t *testing.T, test func(w *world), edit ...func(*provider.Config)) {
	t.Helper()
	t.Parallel()
	c := newClock()
	test(newWorld(t, "sqlite", engines["sqlite"](t, c.Now), c, edit...))
}

// near is a browser whose requests are handed to the handler itself, without a network between: for tests of many requests.
func (w *world) near() *browser {
	w.Helper()
	b := w.browser()
	b.client.Transport = inProcess{w.server.Config.Handler, "192.0.2.1"}
	return b
}

type inProcess struct {
	handler http.Handler
	address string
}

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	if sent.Body == nil {
		sent.Body = http.NoBody
	}
	if sent.Host == "" {
		sent.Host = r.URL.Host
	}
	sent.RemoteAddr, sent.RequestURI = t.address+":1234", r.URL.RequestURI()
	recorder := httptest.NewRecorder()
	t.handler.ServeHTTP(recorder, sent)
	return recorder.Result(), nil
}

// once sends a GET, or with values a POST as a page of ours would, and looks at the one answer. Cookies go with it and come back.
func (b *browser) once(address string, values url.Values, edit ...func(*http.Request)) page {
	b.Helper()
	method, body := http.MethodGet, ""
	if values != nil {
		method, body = http.MethodPost, values.Encode()
	}
	u, err := url.Parse(issuerURL)
	b.must(err)
	u, err = u.Parse(address)
	b.must(err)
	r, err := http.NewRequestWithContext(b.Context(), method, u.String(), strings.NewReader(body))
	b.must(err)
	r.Header.Set("Sec-Fetch-Site", "none")
	if values != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", issuerURL)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, e := range edit {
		e(r)
	}
	response, err := b.client.Do(r)
	b.must(err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	b.must(err)
	p := page{status: response.StatusCode, url: r.URL, header: response.Header, raw: string(raw)}
	p.read()
	return p
}

func (p page) location() string { return p.header.Get("Location") }

// tx is the sealed request that the page is about.
func (p page) tx() string {
	if tx := p.url.Query().Get("tx"); tx != "" {
		return tx
	}
	for _, f := range p.forms {
		if tx := f.fields.Get("tx"); tx != "" {
			return tx
		}
	}
	return ""
}

// cookies are what the browser holds, by name.
func (b *browser) cookies() map[string]string {
	b.Helper()
	u, err := url.Parse(issuerURL)
	b.must(err)
	all := map[string]string{}
	for _, c := range b.client.Jar.Cookies(u) {
		all[c.Name] = c.Value
	}
	return all
}

// with sets a header, or with "" takes it away.
func with(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		if r.Header.Del(name); value != "" {
			r.Header.Set(name, value)
		}
	}
}

// shown asserts that the page is our own word on the matter: this status, and nothing that leads anywhere.
func (w *world) shown(what string, p page, status int) {
	w.Helper()
	if p.status != status || len(p.header.Values("Location"))+len(p.header.Values("Refresh")) > 0 || p.h1 == "" {
		w.Errorf("%s: %d %q, Location %q, want our own page with %d", what, p.status, p.h1, p.location(), status)
	}
}

func firstParty(m *storage.ClientMetadata) { m.FirstParty = true }

// signedIn is a browser with people signed in, the last of them the current one; seed is the second factor of those who have one.
func (w *world) signedIn(c app, seed string, people ...string) *browser {
	w.Helper()
	b := w.near()
	for _, name := range people {
		b.clock.Advance(time.Second) // a sign-in of this very instant is one for the next request
		b.visit(authorize(c, "prompt", "login"))
		b.signIn(name)
		if b.page.asks("otp") {
			b.submit("otp", b.code(seed))
			b.clock.Advance(31e9)
		}
		if b.page.left == nil && !b.page.offers("decision", "allow") {
			w.Fatalf("%s is not signed in: %d %q", name, b.page.status, b.page.h1)
		}
	}
	return b
}
