package sqlitetest_test

import (
	"testing"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
	"github.com/signet-idp/signet/storage/sqlite/sqlitetest"
)

func TestEachFileIsItsOwnAndCurrent(t *testing.T) {
	t.Parallel()
	for range 2 { // the second finds nothing of the first
		s, err := sqlite.Open(t.Context(), sqlite.Options{Path: sqlitetest.Path(t), NoMigrate: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		if err := s.CreateClient(t.Context(), storage.Client{ID: "mine"}, storage.Also{}); err != nil {
			t.Error(err)
		}
	}
}
