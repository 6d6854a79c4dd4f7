package bearer_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/bearer"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
	"github.com/signet-idp/signet/web"
)

const password = "correct horse battery staple 17"

// world is a real issuer, served over HTTP behind a front that counts, breaks and adds keys, and a clock that the test moves.
type world struct {
	*testing.T
	*front
	provider *provider.Provider
	issuer   string
	log      *lockedBuffer

	mu  sync.Mutex
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), log: &lockedBuffer{}}
	w.front = &front{asked: map[string]int{}}
	server := httptest.NewServer(w.front)
	t.Cleanup(server.Close)
	w.issuer = server.URL
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: w.Now})
	w.must(err)
	t.Cleanup(func() { _ = store.Close() })
	sealer, err := keys.ParseSecretKeys(keys.GenerateSecretKey())
	w.must(err)
	silent := slog.New(slog.DiscardHandler)
	w.provider, err = provider.New(t.Context(), provider.Config{
		Issuer: w.issuer, Clock: w.Now, Logger: silent, PasswordHash: account.Params{Memory: 64, Time: 1, Threads: 1},
	}, store, sealer)
	w.must(err)
	handler, err := web.New(web.Options{Provider: w.provider, Logger: silent, Probes: web.NewProbes(w.provider.Ready, silent)})
	w.must(err)
	w.front.change(func(f *front) { f.next = handler })
	return w
}

func (w *world) Now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }

func (w *world) advance(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.now = w.now.Add(d) }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// verifier is one for tokens whose audience is the issuer; edit changes its configuration before.
func (w *world) verifier(edit ...func(*bearer.Config)) *bearer.Verifier {
	w.Helper()
	c := bearer.Config{Issuer: w.issuer, Audience: w.issuer, Clock: w.Now, Logger: slog.New(slog.NewTextHandler(w.log, nil))}
	for _, e := range edit {
		e(&c)
	}
	v, err := bearer.New(c)
	w.must(err)
	return v
}

// app is a registered client as its owner holds it.
type app struct{ id, secret string }

// client registers a client for passwords and for itself, and a user who signs in with it.
func (w *world) client(format string) app {
	w.Helper()
	c, secret, err := w.provider.Clients().Create(w.Context(), storage.ClientMetadata{
		Name: "shop", GrantTypes: []string{"password", "refresh_token", "client_credentials"}, Scope: "openid stock.read stock.write",
		AccessTokenFormat: format, Resources: []string{"https://other.example"},
	}, "", "test")
	w.must(err)
	return app{c.ID, secret}
}

func (w *world) user(name string) storage.User {
	w.Helper()
	u, err := w.provider.People().Create(w.Context(), storage.User{Username: name}, storage.NewSecret([]byte(password)), account.By{Actor: "test"})
	w.must(err)
	return u
}

// grant asks for tokens, with further parameters in pairs.
func (w *world) grant(a app, user string, pairs ...string) (access, refresh, id string) {
	w.Helper()
	form := url.Values{"grant_type": {"password"}, "username": {user}, "password": {password}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	var answer struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		ID      string `json:"id_token"`
	}
	w.must(json.Unmarshal(w.post("/oauth2/token", a, form), &answer))
	return answer.Access, answer.Refresh, answer.ID
}

func (w *world) post(path string, a app, form url.Values) []byte {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.issuer+path, strings.NewReader(form.Encode()))
	w.must(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(a.id), url.QueryEscape(a.secret))
	resp, err := http.DefaultClient.Do(req)
	w.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	w.must(err)
	if resp.StatusCode != http.StatusOK {
		w.Fatalf("%s: %d %s", path, resp.StatusCode, body)
	}
	return body
}

// front stands before the issuer.
type front struct {
	mu    sync.Mutex
	next  http.Handler
	asked map[string]int              // requests by path
	keys  []jose.JSONWebKey           // published besides the issuer's own
	fault map[string]http.HandlerFunc // by path, "" for all: answers instead of the issuer
}

func (f *front) change(edit func(*front)) { f.mu.Lock(); defer f.mu.Unlock(); edit(f) }

func (f *front) count(path string) int { f.mu.Lock(); defer f.mu.Unlock(); return f.asked[path] }

const jwksPath = "/.well-known/jwks.json"

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked[r.URL.Path]++
	next, fault, extra := f.next, f.fault[r.URL.Path], f.keys
	if fault == nil {
		fault = f.fault[""]
	}
	f.mu.Unlock()
	switch {
	case fault != nil:
		fault(w, r)
	case r.URL.Path == jwksPath && len(extra) > 0:
		recorder := httptest.NewRecorder()
		next.ServeHTTP(recorder, r)
		var set jose.JSONWebKeySet
		if err := json.Unmarshal(recorder.Body.Bytes(), &set); err != nil {
			panic(err)
		}
		set.Keys = append(set.Keys, extra...)
		w.Header().Set("Cache-Control", recorder.Header().Get("Cache-Control"))
		_ = json.NewEncoder(w).Encode(set)
	default:
		next.ServeHTTP(w, r)
	}
}

// answerWith answers every request to path ("" for all) with a status and body; status 0 mends it.
func (w *world) answerWith(path string, status int, body string) {
	w.change(func(f *front) {
		f.fault = map[string]http.HandlerFunc{}
		if status != 0 {
			f.fault[path] = func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}
		}
	})
}

// signer is a key pair of the tests'. Once it is published it is one of the issuer's.
type signer struct {
	kid     string
	private *ecdsa.PrivateKey
}

func newSigner(t testing.TB, kid string) signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{kid, private}
}

func (s signer) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: &s.private.PublicKey, KeyID: s.kid, Algorithm: "ES256", Use: "sig"}
}

func (w *world) publish(s signer) { w.change(func(f *front) { f.keys = append(f.keys, s.public()) }) }

// claims are those of a good access token; edit changes them.
func (w *world) claims(edit ...func(map[string]any)) map[string]any {
	now := w.Now().Unix()
	c := map[string]any{
		"iss": w.issuer, "sub": "ada", "aud": w.issuer, "client_id": "shop", "scope": "stock.read", "iat": now, "exp": now + 300, "jti": "1",
	}
	for _, e := range edit {
		e(c)
	}
	return c
}

func set(name string, value any) func(map[string]any) {
	return func(c map[string]any) {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
}

// sign makes a JWT; headers are pairs that are set besides, typ unless there at+jwt.
func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, kid string, claims any, headers ...any) string {
	t.Helper()
	o := (&jose.SignerOptions{}).WithType("at+jwt")
	if kid != "" {
		o = o.WithHeader("kid", kid)
	}
	for i := 0; i < len(headers); i += 2 {
		o = o.WithHeader(jose.HeaderKey(headers[i].(string)), headers[i+1])
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (s signer) sign(t testing.TB, claims any, headers ...any) string {
	t.Helper()
	return sign(t, jose.ES256, s.private, s.kid, claims, headers...)
}

// wantCode fails the test unless err is an *Error of that code that does not repeat the token.
func wantCode(t testing.TB, err error, code, token string) {
	t.Helper()
	var e *bearer.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("got %v, want %q", err, code)
	}
	for part := range strings.SplitSeq(token, ".") {
		if len(part) > 8 && strings.Contains(err.Error(), part) {
			t.Errorf("the error repeats the token: %v", err)
		}
	}
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.buffer.String() }
