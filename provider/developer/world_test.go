package developer_test

import (
	"encoding/base64"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

const issuer = "https://id.example"

// world is developers over a store of their own, with a clock that the test moves.
type world struct {
	*testing.T
	store   storage.Store
	clients *client.Registry

	mu  sync.Mutex
	now time.Time

	ada, bob, root storage.User // who has apps, another who may, and an administrator
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)}
	var err error
	w.store, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: w.time})
	w.must(err)
	t.Cleanup(func() { _ = w.store.Close() })
	w.clients = client.New(w.store, client.Config{Issuer: issuer, Clock: w.time})
	w.ada, w.bob, w.root = w.user("ada", false), w.user("bob", false), w.user("root", true)
	return w
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) user(name string, admin bool) storage.User {
	w.Helper()
	id, err := uuid.NewV7()
	w.must(err)
	u := storage.User{ID: storage.ID(id), Username: name, Logins: []string{name}, Admin: admin}
	w.must(w.store.CreateUser(w.Context(), u, "", storage.Also{}))
	return u
}

// under is developers under the policy.
func (w *world) under(p developer.Policy) *developer.Developers {
	return developer.New(w.store, w.clients, developer.Config{Issuer: issuer, Policy: p, Apps: 3})
}

func by(u storage.User) developer.By {
	return developer.By{User: u, Seen: storage.Seen{Address: "192.0.2.7", Agent: "test"}}
}

// website is what a developer registers.
func website() storage.ClientMetadata {
	m := developer.Defaults(developer.KindWeb)
	m.Name, m.RedirectURIs = "Website", []string{"https://app.example/cb"}
	return m
}

// make registers an app of the person's while everybody may.
func (w *world) make(u storage.User, edit ...func(*storage.ClientMetadata)) developer.App {
	w.Helper()
	m := website()
	for _, e := range edit {
		e(&m)
	}
	app, _, err := w.under(developer.PolicyOn).Create(w.Context(), by(u), m)
	w.must(err)
	return app
}

// is asserts an error; nil is none, and errOfClient any *oauth.Error.
func (w *world) is(what string, err, want error) {
	w.Helper()
	switch {
	case errors.Is(want, errOfClient):
		if oauth.As(err) == nil {
			w.Errorf("%s: %v, want an *oauth.Error", what, err)
		}
	case !errors.Is(err, want):
		w.Errorf("%s: %v, want %v", what, err, want)
	}
}

var errOfClient = errors.New("any *oauth.Error")

// basicOf is the token of HTTP Basic (RFC 6749 §2.3.1); neither part needs the form encoding here.
func basicOf(id, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(id + ":" + secret))
}
