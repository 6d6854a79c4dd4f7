package web_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// BenchmarkCodeFlow is a whole authorization code flow, from the first request to the tokens: at a browser that is signed in, and with
// the sign-in. x-argon2 is how many times one bare argon2id of the default cost, the hash that a sign-in must compute, fits in it.
func BenchmarkCodeFlow(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			n := newBench(b, engine, account.Params{}, "jwt")
			c := n.firstParty()
			b.Run("Session", func(b *testing.B) {
				n.B = b
				at := n.surfer()
				at.flow(c)
				n.perFlow(func() { at.flow(c) })
			})
			b.Run("SignIn", func(b *testing.B) {
				n.B = b
				n.perFlow(func() { n.surfer().flow(c) })
			})
		})
	}
}

// firstParty registers a client that asks for no consent.
func (n bench) firstParty() app {
	n.Helper()
	c, secret, err := n.clients.Create(n.Context(), storage.ClientMetadata{
		Name: "bench", GrantTypes: []string{"authorization_code", "refresh_token"}, Scope: "openid profile", RedirectURIs: []string{callback},
		TokenEndpointAuthMethod: "client_secret_basic", FirstParty: true,
	}, "", "bench")
	if err != nil {
		n.Fatal(err)
	}
	return app{id: c.ID, secret: secret}
}

// perFlow measures flow, and reports it in bare hashes.
func (n bench) perFlow(flow func()) {
	const samples = 10
	cost, salt := account.DefaultParams(), make([]byte, 16)
	began := time.Now()
	for range samples {
		argon2.IDKey([]byte(password), salt, cost.Time, cost.Memory, cost.Threads, 32)
	}
	bare := time.Since(began) / samples
	n.ResetTimer()
	n.ReportAllocs()
	for n.Loop() {
		flow()
	}
	n.ReportMetric(float64(n.Elapsed())/float64(n.N)/float64(bare), "x-argon2")
}

// surfer is a browser in front of the handler, without a socket.
type surfer struct {
	bench
	client *http.Client
}

func (n bench) surfer() surfer {
	n.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		n.Fatal(err)
	}
	return surfer{n, &http.Client{
		Jar: jar, Transport: direct{n.handler}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// direct calls a handler.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr = r.URL.RequestURI(), "192.0.2.1:1"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	d.handler.ServeHTTP(recorder, in)
	response := recorder.Result()
	response.Request = r
	return response, nil
}

// flow asks for a code, signs in where it is asked to, and redeems.
func (s surfer) flow(c app) {
	s.Helper()
	address, body := issuerURL+authorize(c, "scope", "openid profile"), ""
	for range 8 {
		method := http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
		r, err := http.NewRequestWithContext(s.Context(), method, address, strings.NewReader(body))
		if err != nil {
			s.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if body != "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		response, err := s.client.Do(r)
		if err != nil {
			s.Fatal(err)
		}
		raw, err := io.ReadAll(response.Body)
		if err != nil {
			s.Fatal(err)
		}
		body = ""
		if location := response.Header.Get("Location"); location != "" {
			next, err := r.URL.Parse(location)
			if err != nil {
				s.Fatal(err)
			}
			if code := next.Query().Get("code"); code != "" {
				s.redeemed(c, code)
				return
			}
			address = next.String()
			continue
		}
		p := page{url: r.URL, raw: string(raw)}
		p.read()
		if len(p.forms) == 0 {
			s.Fatalf("%s: %d %s", address, response.StatusCode, raw)
		}
		body = p.forms[0].filled([]string{"username", "ada", "password", password}).Encode()
	}
	s.Fatal("the flow does not end")
}

func (s surfer) redeemed(c app, code string) {
	s.Helper()
	a := call(s.Context(), s.handler, "/oauth2/token", c, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {codeVerifier},
	})
	if a.status != http.StatusOK || a.text("id_token") == "" {
		s.Fatalf("%d %s", a.status, a.raw)
	}
}
