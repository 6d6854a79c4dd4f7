package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/signet-idp/signet/migrations"
	"github.com/signet-idp/signet/storage"
)

// How long opening waits for another process where SQLite does not wait by itself, and how often it looks.
const (
	lockPatience = 5 * time.Second
	lockPause    = 10 * time.Millisecond
)

// notOurs is the version of a file that holds tables, but not Signet's.
const notOurs = -1

// prepare makes the file fit for this program: write-ahead log, newest schema. What it refuses it has not changed.
func prepare(ctx context.Context, db *sql.DB, path string, migrate bool) error {
	wanted, err := newest()
	if err != nil {
		return err
	}
	current, err := versionOf(db)
	if err != nil {
		return err
	}
	if current == notOurs || current > wanted || !migrate && current < wanted {
		return fits(path, current, wanted)
	}
	if err := enterWAL(ctx, db); err != nil {
		return err
	}
	if current == wanted {
		return nil
	}
	schema, err := fs.Sub(migrations.SQLite, "sqlite")
	if err != nil {
		return err
	}
	return upgrade(ctx, db, schema, wanted)
}

// upgrade applies what is missing. Where another process applies the same at the same time, one of both fails, with nothing
// done; it looks again. A failure is one when nobody got any further.
func upgrade(ctx context.Context, db *sql.DB, schema fs.FS, wanted int64) error {
	if err := makeVersionTable(ctx, db); err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, schema, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	for {
		before, err := versionOf(db)
		if err != nil || before >= wanted {
			return err
		}
		_, failure := provider.Up(ctx)
		after, err := versionOf(db)
		if err != nil || after <= before {
			return errors.Join(failure, err)
		}
	}
}

// makeVersionTable makes goose's table in a transaction that looks first: goose by itself would wait a second after a lost race.
func makeVersionTable(ctx context.Context, db *sql.DB) error {
	store, err := database.NewStore(database.DialectSQLite3, goose.DefaultTablename)
	if err != nil {
		return err
	}
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer t.Rollback()
	var there bool
	err = t.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = $1)`, store.Tablename()).Scan(&there)
	if err != nil || there {
		return err
	}
	if err := store.CreateVersionTable(ctx, t); err != nil {
		return err
	}
	if err := store.Insert(ctx, t, database.InsertRequest{Version: 0}); err != nil {
		return err
	}
	return t.Commit()
}

// enterWAL switches the file to the write-ahead log, once for good. SQLite's busy_timeout does not cover this switch.
func enterWAL(ctx context.Context, db *sql.DB) error {
	ctx, stop := context.WithTimeout(ctx, lockPatience)
	defer stop()
	for {
		var mode string
		err := db.QueryRow(`PRAGMA journal_mode = WAL`).Scan(&mode)
		switch {
		case err == nil && mode == "wal":
			return nil
		case err == nil:
			return fmt.Errorf("%w: the file system allows no write-ahead log (journal mode %s): keep the database on a local disk",
				storage.ErrUnavailable, mode)
		case !busy(err):
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(lockPause):
		}
	}
}

func versionOf(db *sql.DB) (int64, error) {
	c := &session{db: db}
	v, err := version(c)
	return v, errors.Join(err, c.drop())
}

// version is the number of the newest migration that was applied; 0 in an empty file; notOurs.
func version(c *session) (v int64, err error) {
	var tables, ours int
	err = c.scan(`SELECT count(*), coalesce(sum(name = $1), 0) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'`,
		[]any{goose.DefaultTablename}, &tables, &ours)
	switch {
	case err != nil || tables == 0:
		return 0, err
	case ours == 0:
		return notOurs, nil
	}
	err = c.scan(`SELECT coalesce(max(version_id), 0) FROM `+goose.DefaultTablename+` WHERE is_applied`, nil, &v)
	return v, err
}

// fits is nil where the schema is the one that this program needs.
func fits(path string, current, wanted int64) error {
	switch {
	case current == notOurs:
		return fmt.Errorf("%w: database file %q holds another program's tables: give Signet a file of its own",
			storage.ErrSchema, path)
	case current < wanted:
		return fmt.Errorf("%w: database file %q is at version %d and this program needs %d: run `signet migrate up`, then start again",
			storage.ErrSchema, path, current, wanted)
	case current > wanted:
		return fmt.Errorf("%w: database file %q is at version %d and this program knows only %d: "+
			"a newer signet has migrated it, so run that one, or restore a backup from before", storage.ErrSchema, path, current, wanted)
	}
	return nil
}

// newest is the version that this program needs: the greatest number among the migrations' names.
func newest() (v int64, err error) {
	entries, err := fs.ReadDir(migrations.SQLite, "sqlite")
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		digits, _, _ := strings.Cut(e.Name(), "_")
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s has no number: %w", e.Name(), err)
		}
		v = max(v, n)
	}
	return v, nil
}
