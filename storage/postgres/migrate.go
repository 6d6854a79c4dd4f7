package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/signet-idp/signet/migrations"
	"github.com/signet-idp/signet/storage"
)

// The migrator that waits for another one asks once a second, for at most ten minutes.
const (
	lockProbeSeconds = 1
	lockProbes       = 600
)

// Migrate brings the schema of the database at url up to date and returns the names of the migrations that it applied. Several
// nodes may do so at once: one works and the others wait. A database that is newer than this program is left alone: ErrSchema.
func Migrate(ctx context.Context, url string) (applied []string, err error) {
	if _, _, _, err := Status(ctx, url); err != nil { // before the lock: a newer schema is none of ours
		return nil, err
	}
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockProbeSeconds, lockProbes))
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	files, err := fs.Sub(migrations.Postgres, "postgres")
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	results, err := provider.Up(ctx)
	if partial := new(goose.PartialError); errors.As(err, &partial) {
		results = partial.Applied
	}
	for _, r := range results {
		applied = append(applied, path.Base(r.Source.Path))
	}
	if err != nil {
		return applied, fmt.Errorf("postgres: the migration failed and was rolled back; those before it stay: %w", meaning(err))
	}
	return applied, nil
}

// Status says which version the schema of the database at url has, which one this program wants, and the names of the
// migrations in between. Nothing is changed. ErrSchema: the database is newer than this program.
func Status(ctx context.Context, url string) (have, want int64, pending []string, err error) {
	config, err := parse(url)
	if err != nil {
		return 0, 0, nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return 0, 0, nil, meaning(unreached{err})
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = conn.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&have)
	if err != nil && !missingTable(err) {
		return 0, 0, nil, meaning(err)
	}
	names, want, err := released()
	if err != nil {
		return have, 0, nil, err
	}
	if have > want {
		return have, want, nil, fits(have, want)
	}
	for _, name := range names {
		if number(name) > have {
			pending = append(pending, name)
		}
	}
	return have, want, pending, nil
}

// fits is nil where the schema is the one that this program needs.
func fits(have, want int64) error {
	switch {
	case have < want:
		return fmt.Errorf("%w: the database is at version %d and this program needs %d: run `signet migrate up`, then start again",
			storage.ErrSchema, have, want)
	case have > want:
		return fmt.Errorf("%w: the database is at version %d and this program knows only %d: "+
			"a newer signet has migrated it, so run that one, or restore a backup from before", storage.ErrSchema, have, want)
	}
	return nil
}

// newest is the version that this program needs.
func newest() (int64, error) {
	_, want, err := released()
	return want, err
}

// released are the names of all migrations in order, and the number of the last.
func released() (names []string, want int64, err error) {
	entries, err := fs.ReadDir(migrations.Postgres, "postgres")
	if err != nil {
		return nil, 0, fmt.Errorf("postgres: %w", err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
		want = max(want, number(e.Name()))
	}
	return names, want, nil
}

// number is the leading number of a migration's name.
func number(name string) int64 {
	digits, _, _ := strings.Cut(name, "_")
	n, _ := strconv.ParseInt(digits, 10, 64)
	return n
}

// parse reads url for a single connection, without the limits of a server's session: a migration may take its time, but it does
// not hold up everybody behind a lock that it cannot get.
func parse(url string) (*pgx.ConnConfig, error) {
	pooled, err := poolConfig(Options{URL: url})
	if err != nil {
		return nil, err
	}
	config := pooled.ConnConfig
	config.RuntimeParams["statement_timeout"] = "0"
	config.RuntimeParams["lock_timeout"] = "10s"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	return config, nil
}
