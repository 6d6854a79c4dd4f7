package postgres_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
	"github.com/signet-idp/signet/storage/postgres/pgtest"
	"github.com/signet-idp/signet/storage/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheStoreKeepsEveryPromise(t *testing.T) {
	storetest.Run(t, func(t *testing.T, clock func() time.Time) storage.Store {
		url := migrated(t)
		s := patient(t, url, clock)
		t.Cleanup(func() { noCircle(t, s, url) })
		return s
	})
}

// migrated is the URL of a fresh database with the newest schema.
func migrated(t testing.TB) string {
	t.Helper()
	return pgtest.Migrated(t, func(url string) error {
		_, err := postgres.Migrate(context.Background(), url)
		return err
	})
}

// open opens a store that is closed before its database goes.
func open(t testing.TB, options postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
