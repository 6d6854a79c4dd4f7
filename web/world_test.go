package web_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/web"
	"github.com/signet-idp/signet/web/pages"
)

// world is one issuer on a real store, served over HTTP, with a clock that the test moves.
type world struct {
	*testing.T
	engine   string
	store    storage.Store
	provider *provider.Provider
	server   *httptest.Server
	clock    *clock
	log      *lockedBuffer
}

const (
	issuerURL = "http://localhost:8080"
	password  = "correct horse battery staple 17"
	allScopes = "openid profile email address phone offline_access"
)

// cheapHash keeps tests quick; the algorithm is the real one.
var cheapHash = account.Params{Memory: 64, Time: 1, Threads: 1}

// each runs test on both engines, each time in an empty world.
func each(t *testing.T, test func(w *world)) {
	t.Helper()
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			c := &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
			test(newWorld(t, engine, open(t, c.Now), c))
		})
	}
}

// madeKeys are made once: generating RSA keys for every world would be most of the time.
var madeKeys = struct {
	sync.Mutex
	rows []storage.Key
	text string
}{text: keys.GenerateSecretKey()}

// madeBooks are what the pages are made of, by issuer.
var madeBooks = struct {
	sync.Mutex
	by map[string]*pages.Book
}{by: map[string]*pages.Book{}}

func newWorld(t *testing.T, engine string, store storage.Store, c *clock, edit ...func(*provider.Config)) *world {
	t.Helper()
	t.Cleanup(func() { _ = store.Close() })
	w := &world{T: t, engine: engine, store: store, clock: c, log: &lockedBuffer{}}
	sealer, err := keys.ParseSecretKeys(madeKeys.text)
	w.must(err)
	logger := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	config := provider.Config{Issuer: issuerURL, PasswordHash: cheapHash, Clock: c.Now, Logger: logger}
	for _, e := range edit {
		e(&config)
	}
	w.must(patiently(func() error { return w.open(config, sealer) }))
	handler, err := web.New(web.Options{
		Provider: w.provider, Logger: logger, Book: book(t, config.Issuer), Probes: web.NewProbes(w.provider.Ready, logger),
	})
	w.must(err)
	w.server = httptest.NewServer(handler)
	t.Cleanup(w.server.Close)
	return w
}

// book is what the pages of an issuer are made of, made once: under the race detector it takes longer than the rest of a world.
func book(t *testing.T, issuer string) *pages.Book {
	t.Helper()
	madeBooks.Lock()
	defer madeBooks.Unlock()
	if madeBooks.by[issuer] == nil {
		made, err := pages.NewBook(issuer)
		if err != nil {
			t.Fatal(err)
		}
		madeBooks.by[issuer] = made
	}
	return madeBooks.by[issuer]
}

// open makes the provider, with the keys that were made first.
func (w *world) open(config provider.Config, sealer *keys.Sealer) (err error) {
	madeKeys.Lock()
	defer madeKeys.Unlock()
	if madeKeys.rows != nil {
		if _, err = w.store.EstablishKeys(w.Context(), madeKeys.rows); err != nil {
			return err
		}
	}
	if w.provider, err = provider.New(w.Context(), config, w.store, sealer); err == nil && madeKeys.rows == nil {
		madeKeys.rows, _, err = w.store.ListKeys(w.Context())
	}
	return err
}

// patiently does again what a database on a busy machine was not asked in time.
func patiently(do func() error) (err error) {
	for range 5 {
		if err = do(); !errors.Is(err, storage.ErrUnavailable) {
			break
		}
	}
	return err
}

// user makes a person who signs in with password.
func (w *world) user(name string) storage.User {
	w.Helper()
	u, err := w.provider.People().Create(w.Context(), storage.User{
		Username: name, Email: name + "@example.com", EmailVerified: true, Profile: storage.Profile{Name: "Test " + name},
	}, storage.NewSecret([]byte(password)), account.By{Actor: "test"})
	w.must(err)
	return u
}

// enrol gives the person a second factor and returns its secret and recovery codes. The step that confirmed it is burned: the
// clock goes on by one.
func (w *world) enrol(u storage.User) (secret string, recovery []string) {
	w.Helper()
	secret, _, err := w.provider.People().EnrollTOTP(w.Context(), u.ID, "phone", account.By{Actor: "test"})
	w.must(err)
	recovery, err = w.provider.People().ConfirmTOTP(w.Context(), u.ID, w.code(secret), account.By{Actor: "test"})
	w.must(err)
	w.clock.Advance(30 * time.Second)
	return secret, recovery
}

// code is what the authenticator shows now.
func (w *world) code(secret string) string {
	w.Helper()
	code, err := account.OneTimeCode(secret, w.clock.Now())
	w.must(err)
	return code
}

// app is a registered client as its owner holds it.
type app struct {
	id, secret string
	post       bool // client_secret_post instead of basic
}

// confidential registers a client with every grant; edit changes its metadata before.
func (w *world) confidential(edit ...func(*storage.ClientMetadata)) app {
	w.Helper()
	return w.client(storage.ClientMetadata{
		Name: "confidential", GrantTypes: []string{"password", "refresh_token", "client_credentials"}, Scope: allScopes + " api:read api:write",
		TokenEndpointAuthMethod: "client_secret_basic",
	}, edit...)
}

// public registers a client without a secret.
func (w *world) public(edit ...func(*storage.ClientMetadata)) app {
	w.Helper()
	return w.client(storage.ClientMetadata{
		Name: "public", GrantTypes: []string{"password", "refresh_token"}, Scope: allScopes + " api:read api:write",
		TokenEndpointAuthMethod: "none",
	}, edit...)
}

func (w *world) client(m storage.ClientMetadata, edit ...func(*storage.ClientMetadata)) app {
	w.Helper()
	for _, e := range edit {
		e(&m)
	}
	c, secret, err := w.provider.Clients().Create(w.Context(), m, "", "test")
	w.must(err)
	return app{id: c.ID, secret: secret, post: m.TokenEndpointAuthMethod == "client_secret_post"}
}

func balanced(m *storage.ClientMetadata) { m.RefreshRotation = storage.Balanced }
func strict(m *storage.ClientMetadata)   { m.RefreshRotation = storage.Strict }
func static(m *storage.ClientMetadata)   { m.RefreshRotation = storage.Static }
func opaque(m *storage.ClientMetadata)   { m.AccessTokenFormat = "opaque" }

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (a answer) text(member string) string { s, _ := a.body[member].(string); return s }
func (a answer) refresh() string           { return a.text("refresh_token") }
func (a answer) access() string            { return a.text("access_token") }

// form makes url.Values of pairs.
func form(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// post sends a form as the client.
func (w *world) post(path string, c app, v url.Values) answer {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.server.URL+path, strings.NewReader(w.as(c, v).Encode()))
	w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.secret != "" && !c.post {
		r.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	}
	return w.do(r)
}

// as adds what the client says of itself in the body.
func (w *world) as(c app, v url.Values) url.Values {
	out := url.Values{}
	for name, values := range v {
		out[name] = values
	}
	if c.secret == "" || c.post {
		if c.id != "" {
			out.Set("client_id", c.id)
		}
	}
	if c.post {
		out.Set("client_secret", c.secret)
	}
	return out
}

// do sends the request and reads the answer. Every answer must carry a request id, whatever it is.
func (w *world) do(r *http.Request) answer {
	w.Helper()
	response, err := w.server.Client().Do(r)
	w.must(err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	w.must(err)
	a := answer{status: response.StatusCode, header: response.Header, raw: string(raw), body: map[string]any{}}
	_ = json.Unmarshal(raw, &a.body)
	if response.Header.Get("X-Request-Id") == "" {
		w.Errorf("%s %s: no X-Request-Id", r.Method, r.URL.Path)
	}
	return a
}

// token is a request to the token endpoint.
func (w *world) token(c app, pairs ...string) answer {
	w.Helper()
	return w.post("/oauth2/token", c, form(pairs...))
}

// login gets a token pair by the password grant.
func (w *world) login(c app, username string, pairs ...string) answer {
	w.Helper()
	a := w.token(c, append([]string{"grant_type", "password", "username", username, "password", password}, pairs...)...)
	w.want(a, http.StatusOK, "")
	return a
}

// refreshWith presents a refresh token.
func (w *world) refreshWith(c app, token string, pairs ...string) answer {
	w.Helper()
	return w.token(c, append([]string{"grant_type", "refresh_token", "refresh_token", token}, pairs...)...)
}

// active asks introspection about a token.
func (w *world) active(c app, token string) bool {
	w.Helper()
	a := w.post("/oauth2/introspect", c, form("token", token))
	w.want(a, http.StatusOK, "")
	return a.body["active"] == true
}

// want asserts status and error code; "" is no error.
func (w *world) want(a answer, status int, code string) {
	w.Helper()
	if a.status != status || a.text("error") != code {
		w.Fatalf("answer %d %s, want %d %q", a.status, a.raw, status, code)
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// lockedBuffer is a log that tests read.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
