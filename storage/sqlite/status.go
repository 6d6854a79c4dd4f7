package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-idp/signet/migrations"
)

// Migrate brings the schema of the file at path up to date, as Open does, and returns the names of the migrations that it applied.
// A file that is newer than this program is left alone: ErrSchema.
func Migrate(ctx context.Context, path string) (applied []string, err error) {
	_, _, pending, err := Status(ctx, path)
	if err != nil {
		return nil, err
	}
	s, err := Open(ctx, Options{Path: path})
	if err != nil {
		return nil, err
	}
	return pending, s.Close()
}

// Status says which version the schema of the file at path has, which one this program wants, and the names of the migrations in
// between. Nothing is changed, and no file is made: one that does not exist has version 0. ErrSchema: the file is newer than this
// program, or not Signet's.
func Status(_ context.Context, path string) (have, want int64, pending []string, err error) {
	if want, err = newest(); err != nil {
		return 0, 0, nil, err
	}
	if have, err = versionAt(path); err != nil {
		return 0, want, nil, unopened(path, err)
	}
	if have == notOurs || have > want {
		return have, want, nil, fits(path, have, want)
	}
	names, err := fs.Glob(migrations.SQLite, "sqlite/*.sql")
	if err != nil {
		return have, want, nil, err
	}
	for i, name := range names {
		names[i] = strings.TrimPrefix(name, "sqlite/")
	}
	slices.Sort(names)
	return have, want, names[min(int(have), len(names)):], nil // numbered from 1 without gaps
}

func versionAt(path string) (version int64, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return 0, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	db, err := connect(path, 1, pragmas+"&_pragma=query_only(1)")
	if err != nil {
		return 0, err
	}
	version, err = versionOf(db)
	return version, errors.Join(err, db.Close())
}
