package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/signet-idp/signet/migrations"
	"github.com/signet-idp/signet/storage"
)

var update = flag.Bool("update", false, "rewrite the golden schema")

const golden = "testdata/schema.golden.sql"

func TestFreshAndUpgradedSchemasAreTheGoldenOne(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	openAt(t, path)
	fresh := schemaOf(t, path)
	if *update {
		if err := os.WriteFile(golden, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), fresh); diff != "" {
		t.Errorf("a fresh install differs from %s (-want +got); if that is meant, run the test with -update:\n%s", golden, diff)
	}

	stepwise := newPath(t)
	db := bareFile(t, stepwise)
	schema, err := fs.Sub(migrations.SQLite, "sqlite")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, schema, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	for range provider.ListSources() {
		if _, err := provider.UpByOne(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	openAt(t, stepwise)
	if diff := cmp.Diff(string(want), schemaOf(t, stepwise)); diff != "" {
		t.Errorf("an upgrade step by step differs from %s (-want +got):\n%s", golden, diff)
	}
}

func TestASchemaNewerThanTheProgramIsRefused(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	running := openAt(t, path)
	wanted, err := newest()
	if err != nil {
		t.Fatal(err)
	}
	run(t, path, fmt.Sprintf(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, 1)`, wanted+1))
	text := fmt.Sprintf("database file %q is at version %d and this program knows only %d: a newer signet has migrated it, "+
		"so run that one, or restore a backup from before", path, wanted+1, wanted)
	for _, noMigrate := range []bool{false, true} {
		_, err = Open(t.Context(), Options{Path: path, NoMigrate: noMigrate})
		wantText(t, "open", err, storage.ErrSchema, text)
	}
	_, err = running.Ping(t.Context())
	wantText(t, "ping", err, storage.ErrSchema, text)
}

func TestWithNoMigrateAPendingMigrationIsRefused(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	bareFile(t, path)
	wanted, err := newest()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Options{Path: path, NoMigrate: true})
	wantText(t, "open", err, storage.ErrSchema, fmt.Sprintf("database file %q is at version 0 and this program needs %d: "+
		"run `signet migrate up`, then start again", path, wanted))
	if schema := schemaOf(t, path); schema != "" {
		t.Errorf("the file was changed:\n%s", schema)
	}
}

func TestAnotherProgramsFileIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	bareFile(t, path)
	run(t, path, `CREATE TABLE recipes (id INTEGER)`)
	before := schemaOf(t, path)
	_, err := Open(t.Context(), Options{Path: path})
	wantText(t, "open", err, storage.ErrSchema, fmt.Sprintf("database file %q holds another program's tables: give Signet a file of "+
		"its own", path))
	if diff := cmp.Diff(before, schemaOf(t, path)); diff != "" {
		t.Errorf("the file was changed:\n%s", diff)
	}
}

// wantText asserts the sentinel, and a text that tells the operator what to do.
func wantText(t *testing.T, name string, err, sentinel error, text string) {
	t.Helper()
	if !errors.Is(err, sentinel) || !strings.Contains(fmt.Sprint(err), text) {
		t.Errorf("%s: %v\nwant %v with: %s", name, err, sentinel, text)
	}
}

// bareFile is an empty file, opened past Open.
func bareFile(t *testing.T, path string) *sql.DB {
	t.Helper()
	if err := create(path); err != nil {
		t.Fatal(err)
	}
	db, err := connect(filepath.Clean(path), 1, pragmas)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func run(t *testing.T, path, statement string) {
	t.Helper()
	if _, err := bareFile(t, path).Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// schemaOf dumps the schema of a file as its statements, in the order of their names.
func schemaOf(t *testing.T, path string) string {
	t.Helper()
	c := &session{db: bareFile(t, path)}
	defer c.drop()
	statements, err := collect(c, func(r row) (s string, err error) {
		err = r.Scan(&s)
		return s, err
	}, `SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY tbl_name, type DESC, name`)
	if err != nil {
		t.Fatal(err)
	}
	if len(statements) == 0 {
		return ""
	}
	return strings.Join(statements, "\n\n") + "\n"
}

// A new file is switched to the write-ahead log under a lock for which SQLite itself does not wait.
func TestOpeningWaitsForALockAsLongAsItMay(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	other := bareFile(t, path)
	if _, err := other.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	const patience = 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := Open(ctx, Options{Path: path})
	wantText(t, "open", err, storage.ErrUnavailable, fmt.Sprintf("database file %q: another process holds it locked: "+
		"wait until that has finished, or stop it: ", path))
	if ctx.Err() == nil {
		t.Error("it gave up before its time was over")
	}
	if _, err := other.Exec(`ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	openAt(t, path)
}
