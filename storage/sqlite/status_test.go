package sqlite_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage/sqlite"
)

func TestStatusChangesNothingAndMigrateAppliesWhatItNamed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signet.db")
	have, want, pending, err := sqlite.Status(t.Context(), path)
	if err != nil || have != 0 || len(pending) == 0 || !strings.HasPrefix(pending[len(pending)-1], fmt.Sprintf("%04d_", want)) {
		t.Fatalf("before: %d of %d, %v, %v", have, want, pending, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("asking made the file: %v", err)
	}
	applied, err := sqlite.Migrate(t.Context(), path)
	if err != nil || len(applied) != len(pending) {
		t.Fatalf("applied %v, %v", applied, err)
	}
	have, _, pending, err = sqlite.Status(t.Context(), path)
	if err != nil || have != want || len(pending) != 0 {
		t.Errorf("after: %d of %d, %v, %v", have, want, pending, err)
	}
	if applied, err := sqlite.Migrate(t.Context(), path); err != nil || len(applied) != 0 {
		t.Errorf("a second time: %v, %v", applied, err)
	}
}
