// Package sqlitetest gives tests a SQLite file that is empty and up to date. The migrations run once in a test process, on the file
// that all others are copies of. Only tests import it.
package sqlitetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/signet-idp/signet/storage/sqlite"
)

// empty is the content of a new file with the newest schema.
var empty = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "signet-sqlite-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "signet.db")
	s, err := sqlite.Open(context.Background(), sqlite.Options{Path: path})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil { // which leaves no write-ahead log behind
		return nil, err
	}
	return os.ReadFile(path)
})

// Path is the path of a fresh file that sqlite.Open finds up to date. It is removed after the test.
func Path(t testing.TB) string {
	t.Helper()
	content, err := empty()
	if err != nil {
		t.Fatalf("making a SQLite file for tests: %v", err)
	}
	path := filepath.Join(t.TempDir(), "signet.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
