package sqlite_test

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
	"github.com/signet-idp/signet/storage/sqlite/sqlitetest"
	"github.com/signet-idp/signet/storage/storetest"
)

func TestStoreKeepsItsPromises(t *testing.T) {
	storetest.Run(t, func(t *testing.T, clock func() time.Time) storage.Store {
		s, err := sqlite.Open(t.Context(), sqlite.Options{Path: sqlitetest.Path(t), Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	})
}
