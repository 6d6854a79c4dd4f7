package logout

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

const (
	issuerURL = "https://id.example"
	password  = "correct horse battery staple"
)

// world is a server over a real store with a clock that is moved by hand.
type world struct {
	*Logout
	store *sqlite.Store
	now   atomic.Int64 // nanoseconds
}

func (w *world) time() time.Time { return time.Unix(0, w.now.Load()).UTC() }

func (w *world) pass(d time.Duration) { w.now.Add(int64(d)) }

// newWorld makes a server that may reach apps, the relying parties of a test.
func newWorld(t *testing.T, apps ...*httptest.Server) *world {
	t.Helper()
	w := &world{}
	w.now.Store(time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: w.time})
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	w.store = store
	sealer, ring := w.keys(t)
	mint, limiter := handle.New(ring), throttle.New(store)
	people := account.New(store, sealer, account.NewHasher(2), account.Config{
		Issuer: issuerURL, Hash: account.Params{Memory: 64, Time: 1, Threads: 1}, Clock: w.time,
	})
	reach := outbound.Config{Roots: x509.NewCertPool()}
	for _, app := range apps {
		reach.Roots.AddCert(app.Certificate())
		_, port, err := net.SplitHostPort(app.Listener.Addr().String())
		must(t, err)
		allowed, err := outbound.ParseNetwork("127.0.0.1/32:" + port)
		must(t, err)
		reach.Allow = append(reach.Allow, allowed)
	}
	w.Logout = New(store, client.New(store, client.Config{Issuer: issuerURL, Algorithms: ring.Algorithms(), Clock: w.time}),
		browser.New(store, mint, people, limiter, browser.Config{Issuer: issuerURL, Clock: w.time}),
		issue.New(issue.Config{Issuer: issuerURL, SigningAlg: keys.ES256}, ring, mint), outbound.New(reach), Config{Issuer: issuerURL})
	for _, name := range []string{"ada", "bob"} {
		_, err := people.Create(t.Context(), storage.User{Username: name, Email: name + "@id.example"}, secret(password), account.By{Actor: "cli"})
		must(t, err)
	}
	return w
}

// keyring makes keys once: that takes longer than all else here.
type keyring struct {
	once   sync.Once
	sealer *keys.Sealer
	made   []storage.Key
}

var shared keyring

func (w *world) keys(t *testing.T) (*keys.Sealer, *keys.Ring) {
	t.Helper()
	shared.once.Do(func() {
		sealer, err := keys.ParseSecretKeys(keys.GenerateSecretKey())
		must(t, err)
		_, err = keys.OpenRing(t.Context(), w.store, sealer, issuerURL, keys.Life{Clock: w.time})
		must(t, err)
		shared.made, _, err = w.store.ListKeys(t.Context())
		must(t, err)
		shared.sealer = sealer
	})
	_, err := w.store.EstablishKeys(t.Context(), shared.made)
	must(t, err)
	ring, err := keys.OpenRing(t.Context(), w.store, shared.sealer, issuerURL, keys.Life{Clock: w.time})
	must(t, err)
	return shared.sealer, ring
}

// app is a relying party that listens over TLS.
func app(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(nowhere{}, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// register makes a client whose post_logout_redirect_uri is that of registered.
func (w *world) register(t *testing.T, id string, change func(*storage.ClientMetadata)) storage.Client {
	t.Helper()
	m := storage.ClientMetadata{
		Name: id, GrantTypes: []string{oauth.GrantAuthorizationCode}, Scope: "openid", TokenEndpointAuthMethod: oauth.AuthBasic,
		RedirectURIs: []string{"https://" + id + ".example/cb"}, ResponseTypes: []string{oauth.ResponseTypeCode},
		PostLogoutRedirectURIs: []string{registered(id), "http://127.0.0.1:8100/bye"},
	}
	if change != nil {
		change(&m)
	}
	c, _, err := w.clients.Create(t.Context(), m, id, "cli")
	must(t, err)
	return c
}

func registered(id string) string { return "https://" + id + ".example/bye?from=signet" }

// grant gives the client something in the session.
func (w *world) grant(t *testing.T, clientID string, a browser.Account, offline bool) storage.Grant {
	t.Helper()
	id, err := uuid.NewV7()
	must(t, err)
	g := storage.Grant{
		ID: storage.ID(id), ClientID: clientID, UserID: a.User.ID, SessionID: a.Session.ID, Offline: offline, Scope: []string{"openid"},
		State: storage.Active, ExpiresAt: w.time().Add(24 * time.Hour), SecretHash: secret("x").Digest("test"), AuthTime: w.time(),
	}
	must(t, w.store.CreateGrant(t.Context(), g, storage.Spend{}, storage.Also{}))
	return g
}

// idToken is what the client got for g.
func (w *world) idToken(t *testing.T, g storage.Grant) string {
	t.Helper()
	text, err := w.issuer.ID(storage.Client{}, g, nil, "access", w.time(), time.Hour)
	must(t, err)
	return text
}

// person is somebody's browser.
type person struct {
	w       *world
	cookies map[string]string
}

func (w *world) browser() *person { return &person{w, map[string]string{}} }

func (p *person) visit(t *testing.T) *browser.Visit {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, issuerURL, nil)
	for name, value := range p.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	v, err := p.w.browsers.Visit(r)
	must(t, err)
	return v
}

// keep keeps the cookies of the answer.
func (p *person) keep(v *browser.Visit) {
	h := http.Header{}
	v.Cookies(h)
	for _, cookie := range (&http.Response{Header: h}).Cookies() {
		if cookie.MaxAge < 0 {
			delete(p.cookies, cookie.Name)
		} else {
			p.cookies[cookie.Name] = cookie.Value
		}
	}
}

func (p *person) signIn(t *testing.T, name string) browser.Account {
	t.Helper()
	v := p.visit(t)
	a, err := p.w.browsers.SignIn(t.Context(), v, "shop", name, secret(password))
	must(t, err)
	p.keep(v)
	return a
}

// ask begins a logout with these parameters, name and value in turn.
func (p *person) ask(t *testing.T, pairs ...string) (*Request, error) {
	t.Helper()
	v := p.visit(t)
	q, err := p.w.Begin(t.Context(), v, params(t, pairs...))
	p.keep(v)
	return q, err
}

// confirm says yes to q.
func (p *person) confirm(t *testing.T, q *Request) *Ended {
	t.Helper()
	v := p.visit(t)
	again, err := p.w.Resume(t.Context(), v, q.Sealed)
	must(t, err)
	return p.end(t, v, again)
}

func (p *person) end(t *testing.T, v *browser.Visit, q *Request) *Ended {
	t.Helper()
	e, err := p.w.End(t.Context(), v, q)
	must(t, err)
	p.keep(v)
	return e
}

// here are the names of who is signed in.
func (p *person) here(t *testing.T) string {
	t.Helper()
	return names(p.visit(t).Accounts)
}

func names(accounts []browser.Account) string {
	var all []string
	for _, a := range accounts {
		all = append(all, a.User.Username)
	}
	return strings.Join(all, " ")
}

func params(t *testing.T, pairs ...string) oauth.Params {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			form.Set(pairs[i], pairs[i+1])
		}
	}
	p, err := oauth.ParseParams(form.Encode())
	must(t, err)
	return p
}

// claims reads a JWT without verifying it.
func decode(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	for i, into := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		must(t, err)
		must(t, json.Unmarshal(raw, into))
	}
	return header, claims
}

func secret(text string) storage.Secret { return storage.NewSecret([]byte(text)) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refusal(err error) *Refusal {
	var r *Refusal
	errors.As(err, &r)
	return r
}
