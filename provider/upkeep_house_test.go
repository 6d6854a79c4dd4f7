package provider

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
	"github.com/signet-idp/signet/storage/postgres/pgtest"
	"github.com/signet-idp/signet/storage/sqlite"
)

const day = 24 * time.Hour

// house is a store with some nodes on it, a user and two clients, and a clock that the test moves.
type house struct {
	*testing.T
	store  storage.Store
	nodes  [2]*Provider
	log    bytes.Buffer
	secret string // the secret key
	user   storage.ID
	client string // with the defaults: 30 days idle, 365 in all
	slow   string // its grants may be idle for 60 days

	mu  sync.Mutex
	now time.Time
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// each runs test in a new house on both engines.
func each(t *testing.T, test func(h *house)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t)
		store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: h.clock})
		h.must(err)
		h.furnish(store)
		test(h)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		h, url := newHouse(t), pgtest.URL(t)
		_, err := postgres.Migrate(t.Context(), url)
		h.must(err)
		store, err := postgres.Open(t.Context(), postgres.Options{URL: url, Clock: h.clock, MaxConns: 4})
		h.must(err)
		h.furnish(store)
		test(h)
	})
}

func newHouse(t *testing.T) *house {
	return &house{T: t, now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
}

func (h *house) furnish(store storage.Store) {
	h.Helper()
	h.store = store
	h.Cleanup(func() { _ = store.Close() })
	h.secret = keys.GenerateSecretKey()
	sealer, err := keys.ParseSecretKeys(h.secret)
	h.must(err)
	logger := slog.New(slog.NewTextHandler(&h.log, nil))
	for i := range h.nodes {
		h.nodes[i], err = New(h.Context(), Config{
			Issuer: "https://id.example.com", AuditRetention: 90 * day, Clock: h.clock, Logger: logger,
		}, store, sealer)
		h.must(err)
	}
	u, err := h.nodes[0].People().Create(h.Context(), storage.User{Username: "ada"}, storage.Secret{}, account.By{Actor: "test"})
	h.must(err)
	h.user = u.ID
	register := func(idle time.Duration) string {
		c, _, err := h.nodes[0].Clients().Create(h.Context(), storage.ClientMetadata{
			Name: "client", GrantTypes: []string{"password", "refresh_token"}, TokenEndpointAuthMethod: "none", Scope: "openid",
			RefreshTokenIdleLifetime: int64(idle / time.Second),
		}, "", "test")
		h.must(err)
		return c.ID
	}
	h.client, h.slow = register(0), register(60*day)
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// grant makes a grant that was issued now and ends after lifetime.
func (h *house) grant(client string, state storage.State, lifetime time.Duration) storage.ID {
	h.Helper()
	now := h.clock()
	g := storage.Grant{
		ID: storage.ID(uuid.Must(uuid.NewV7())), ClientID: client, UserID: h.user, State: state, Scope: []string{"openid"}, AuthTime: now,
		CreatedAt: now, ExpiresAt: now.Add(lifetime), SecretHash: storage.Digest{1},
	}
	if state == storage.Pending {
		g.Pending = &storage.Waiting{Kind: storage.WaitingMFA}
	} else {
		g.Generation, g.KeyID, g.IssuedAt = 1, 1, now
	}
	h.must(h.store.CreateGrant(h.Context(), g, storage.Spend{}, storage.Also{}))
	return g.ID
}

func (h *house) revoke(id storage.ID) storage.ID {
	h.Helper()
	_, err := h.store.RevokeGrant(h.Context(), storage.Revocation{ID: id, Reason: storage.ReasonUser})
	h.must(err)
	return id
}

func (h *house) exists(id storage.ID) bool {
	h.Helper()
	page, _, err := h.store.WalkGrants(h.Context(), storage.ID{}, 10_000)
	h.must(err)
	for _, g := range page {
		if g.ID == id {
			return true
		}
	}
	return false
}
