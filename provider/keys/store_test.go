package keys

import (
	"path/filepath"
	"testing"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// openStore opens a database of the test's own. Two opened on one path are two nodes' connections.
func openStore(t testing.TB, path string) storage.Keys {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "signet.db") }
