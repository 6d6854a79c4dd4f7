package browser

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

const (
	issuer = "https://id.example"
	good   = "correct horse battery staple"
)

// ring is one handle key of fixed bytes.
type ring struct{ key keys.HandleKey }

func (r ring) Current() keys.HandleKey { return r.key }

func (r ring) HandleKey(number uint16) (keys.HandleKey, bool) { return r.key, number == r.key.Number }

// world is a server over a real store with a clock that is moved by hand.
type world struct {
	*Browsers
	store  *sqlite.Store
	mint   *handle.Mint
	people *account.People
	now    atomic.Int64 // nanoseconds
}

func (w *world) time() time.Time      { return time.Unix(0, w.now.Load()) }
func (w *world) pass(d time.Duration) { w.now.Add(int64(d)) }

func newWorld(t *testing.T, c Config) *world {
	t.Helper()
	w := &world{}
	w.now.Store(time.Unix(1700000000, 0).UnixNano())
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: w.time})
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	key, err := keys.NewHandleKey(1, make([]byte, 64), issuer)
	must(t, err)
	sealer, err := keys.ParseSecretKeys(base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")))
	must(t, err)
	w.store, w.mint = store, handle.New(ring{key})
	w.people = account.New(store, sealer, account.NewHasher(2), account.Config{
		Issuer: issuer, Hash: account.Params{Memory: 64, Time: 1, Threads: 1}, Clock: w.time, FactorRecovery: 72 * time.Hour,
	})
	w.Browsers = w.node(c)
	return w
}

// node is one more server over the same store.
func (w *world) node(c Config) *Browsers {
	if c.Issuer == "" {
		c.Issuer = issuer
	}
	c.Clock = w.time
	return New(w.store, w.mint, w.people, throttle.New(w.store), c)
}

func (w *world) user(t *testing.T, name string) storage.User {
	t.Helper()
	u, err := w.people.Create(t.Context(), storage.User{Username: name}, secretOf(good), account.By{Actor: "cli"})
	must(t, err)
	return u
}

// enrol gives the user an authenticator, and returns what its app knows and the recovery codes.
func (w *world) enrol(t *testing.T, u storage.User) (app string, recovery []string) {
	t.Helper()
	by := account.By{Actor: "cli"}
	app, _, err := w.people.EnrollTOTP(t.Context(), u.ID, "", by)
	must(t, err)
	recovery, err = w.people.ConfirmTOTP(t.Context(), u.ID, w.code(t, app), by)
	must(t, err)
	w.pass(30 * time.Second) // that code's step is burned
	return app, recovery
}

func (w *world) code(t *testing.T, app string) string {
	t.Helper()
	code, err := account.OneTimeCode(app, w.time())
	must(t, err)
	return code
}

// events are the kinds of the user's audit events, oldest first, from the first sign-in on.
func (w *world) events(t *testing.T, u storage.User) []string {
	t.Helper()
	events, err := w.store.ListEvents(t.Context(), storage.EventFilter{UserID: u.ID, Limit: 1000})
	must(t, err)
	var kinds []string
	for _, e := range slices.Backward(events) {
		if e.Actor != "cli" {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

// client is a browser: it keeps cookies as one does.
type client struct {
	b       *Browsers
	cookies map[string]string
	address string
}

func (w *world) browser() *client { return &client{w.Browsers, map[string]string{}, "192.0.2.1"} }

func (c *client) copy() *client { return &client{c.b, maps.Clone(c.cookies), c.address} }

func (c *client) request(t *testing.T) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, issuer, nil)
	r.RemoteAddr = c.address + ":4711"
	for name, value := range c.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

func (c *client) visit(t *testing.T) *Visit {
	t.Helper()
	v, err := c.b.Visit(c.request(t))
	must(t, err)
	return v
}

// take keeps the cookies of the answer.
func (c *client) take(v *Visit) {
	h := http.Header{}
	v.Cookies(h)
	answer := http.Response{Header: h}
	for _, cookie := range answer.Cookies() {
		if cookie.MaxAge < 0 {
			delete(c.cookies, cookie.Name)
		} else {
			c.cookies[cookie.Name] = cookie.Value
		}
	}
}

func (c *client) signIn(t *testing.T, login, password string) (Account, error) {
	t.Helper()
	v := c.visit(t)
	a, err := c.b.SignIn(t.Context(), v, "app", login, secretOf(password))
	c.take(v)
	return a, err
}

func (c *client) mustSignIn(t *testing.T, login string) Account {
	t.Helper()
	a, err := c.signIn(t, login, good)
	must(t, err)
	return a
}

// factor gives a second factor for the current account.
func (c *client) factor(t *testing.T, p Proof) (Account, error) {
	t.Helper()
	v := c.visit(t)
	if len(v.Accounts) == 0 {
		return Account{}, ErrGone
	}
	a, err := c.b.SecondFactor(t.Context(), v, "app", v.Accounts[0], p)
	c.take(v)
	return a, err
}

func otp(code string) Proof { return Proof{Proof: account.Proof{OTP: code}} }

func recoveryCode(code string) Proof { return Proof{Proof: account.Proof{RecoveryCode: code}} }

// remembered is p, by who asks not to be asked again.
func remembered(p Proof) Proof {
	p.Remember = true
	return p
}

func (c *client) session() string { return c.cookies[hostPrefix+cookieSessions] }

func names(accounts []Account) (all []string) {
	for _, a := range accounts {
		all = append(all, a.User.Username)
	}
	return all
}

func secretOf(text string) storage.Secret { return storage.NewSecret([]byte(text)) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, err, sentinel error) {
	t.Helper()
	if !errors.Is(err, sentinel) {
		t.Errorf("got %v, want %v", err, sentinel)
	}
}

func check(t *testing.T, ok bool, format string, args ...any) {
	t.Helper()
	if !ok {
		t.Errorf(format, args...)
	}
}
