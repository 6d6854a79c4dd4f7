package client_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// handClock is the hand of the store's clock and of the registry's: it moves when the test moves it.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// open makes a registry over an empty database.
func open(t *testing.T) (*client.Registry, storage.Store, *handClock) {
	t.Helper()
	clock := &handClock{now: time.Date(2026, time.November, 1, 12, 0, 0, 123456000, time.UTC)}
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return client.New(store, client.Config{Issuer: "https://id.example", Clock: clock.Now}), store, clock
}
