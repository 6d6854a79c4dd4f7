package web_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
	"github.com/signet-idp/signet/storage/postgres/pgtest"
	"github.com/signet-idp/signet/storage/sqlite"
	"github.com/signet-idp/signet/storage/sqlite/sqlitetest"
)

// engines open an empty, current store of each kind.
var engines = map[string]func(*testing.T, func() time.Time) storage.Store{
	"sqlite": func(t *testing.T, clock func() time.Time) storage.Store {
		s, err := sqlite.Open(t.Context(), sqlite.Options{Path: sqlitetest.Path(t), Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
	"postgres": func(t *testing.T, clock func() time.Time) storage.Store {
		s, err := postgres.Open(t.Context(), postgres.Options{URL: migrated(t), Clock: clock, MaxConns: 4})
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
}

// migrated is the URL of an empty, current PostgreSQL database.
func migrated(t testing.TB) string {
	t.Helper()
	return pgtest.Migrated(t, func(url string) error {
		_, err := postgres.Migrate(context.Background(), url)
		return err
	})
}

// site is where a store's data lies: several nodes may open it, and it may be copied as a backup would.
type site struct {
	engine string
	where  string // file or URL
}

// newSite makes an empty, current database of the engine.
func newSite(t testing.TB, engine string) site {
	t.Helper()
	if engine == "sqlite" {
		return site{engine, sqlitetest.Path(t)}
	}
	return site{engine, migrated(t)}
}

// open is one more node's store at the site.
func (s site) open(t testing.TB, clock func() time.Time) storage.Store {
	t.Helper()
	var store storage.Store
	var err error
	if s.engine == "sqlite" {
		store, err = sqlite.Open(t.Context(), sqlite.Options{Path: s.where, Clock: clock})
	} else {
		store, err = postgres.Open(t.Context(), postgres.Options{URL: s.where, Clock: clock, MaxConns: 8})
	}
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// copied is a backup of the site as it is now. Nobody may have it open.
func (s site) copied(t testing.TB) site {
	t.Helper()
	if s.engine == "postgres" {
		return site{s.engine, pgtest.Clone(t, s.where)}
	}
	data, err := os.ReadFile(s.where)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return site{s.engine, to}
}

// eachSite runs test at an empty site of each engine.
func eachSite(t *testing.T, test func(t *testing.T, s site, c *clock)) {
	t.Helper()
	for engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, newSite(t, engine), newClock())
		})
	}
}

// eachPair runs test with two nodes over one empty database of each engine: what one process settles in its memory proves
// nothing about two.
func eachPair(t *testing.T, test func(nodes [2]*world)) {
	t.Helper()
	eachSite(t, func(t *testing.T, s site, c *clock) {
		test([2]*world{newWorld(t, s.engine, s.open(t, c.Now), c), newWorld(t, s.engine, s.open(t, c.Now), c)})
	})
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

// clock is a time that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
