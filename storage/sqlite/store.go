// Package sqlite keeps Signet's records in one SQLite file: the engine for those who run one server. It is the twin of
// storage/postgres: the same files in the same order, to be read side by side. It knows no rule; the promises it keeps are
// written in package storage.
//
// One goroutine writes, and gathers what arrives while a commit is under way into the next one (gather.go). Reads run beside it
// on connections of their own, each on a snapshot (session.go). Other processes may use the file at the same time:
// administrative commands do, beside a running server.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/signet-idp/signet/storage"
)

// maxReaders is how many reads run at once; more would only share the same processors.
const maxReaders = 8

// pragmas hold on every connection. FULL: a commit that was answered survives the loss of power.
const pragmas = "_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)" +
	"&_pragma=cache_size(-8192)"

// Options say how to open a store.
type Options struct {
	// Path is the database file. It is created, with mode 0600, where it does not exist; its folder is not.
	Path string
	// Clock is the store's clock; nil: time.Now. Only tests need another.
	Clock func() time.Time
	// NoMigrate leaves the file as it is: none is created, and pending migrations are ErrSchema instead of being applied.
	NoMigrate bool
}

// Store is a storage.Store on SQLite.
type Store struct {
	path    string
	file    fs.FileInfo // what was opened, to notice when it is replaced
	clock   func() time.Time
	writes  *sql.DB
	reads   *sql.DB
	writer  *gatherer
	idle    chan *session // the reading sessions that nobody uses
	closed  chan struct{}
	closing sync.Once
	closeup error
}

var _ storage.Store = (*Store)(nil)

// Open opens the database file and brings its schema up to date; several processes may do so at once. Errors: ErrSchema where
// the schema is newer than this program (or pending, with NoMigrate) or the file is another program's; ErrUnavailable where the
// file is damaged, locked or out of reach. A file that cannot be used is left as it is.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Path == "" {
		return nil, fmt.Errorf("%w: no database file is named: give its path", storage.ErrUnavailable)
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, unopened(o.Path, err)
	}
	if !o.NoMigrate {
		if err := create(path); err != nil {
			return nil, unopened(path, err)
		}
	}
	s := &Store{path: path, clock: o.Clock, closed: make(chan struct{}), idle: make(chan *session, maxReaders)}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.file, err = os.Stat(path); err != nil {
		return nil, unopened(path, err)
	}
	if s.writes, err = connect(path, 1, pragmas+"&_txlock=immediate"); err != nil {
		return nil, unopened(path, err)
	}
	if err := prepare(ctx, s.writes, path, !o.NoMigrate); err != nil {
		return nil, errors.Join(unopened(path, err), s.writes.Close())
	}
	if s.reads, err = connect(path, maxReaders, pragmas+"&_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(unopened(path, err), s.writes.Close())
	}
	for range maxReaders {
		s.idle <- &session{db: s.reads}
	}
	s.writer = newGatherer(&session{db: s.writes}, s.clock)
	return s, nil
}

// connect makes a pool of at most n connections to a file that exists.
func connect(path string, n int, query string) (*sql.DB, error) {
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: "mode=rw&" + query}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// create makes the file, empty and for its owner alone, where there is none. It is linked into place when it is closed already:
// closing any handle of a file drops the locks that SQLite holds on it elsewhere in this process.
func create(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	made, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	if err := made.Close(); err != nil {
		return err
	}
	err = os.Link(made.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without hard links
		err = createExclusively(path)
	}
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	return errors.Join(err, os.Remove(made.Name()))
}

func createExclusively(path string) error {
	made, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return made.Close()
}

// now is the store's clock.
func (s *Store) now() time.Time { return instant(s.clock) }

// Ping implements storage.Lifeline. ErrUnavailable, too, where another file lies in the place of the one that was opened.
func (s *Store) Ping(ctx context.Context) (now time.Time, err error) {
	wanted, err := newest()
	if err != nil {
		return now, err
	}
	file, err := os.Stat(s.path)
	if err != nil || !os.SameFile(file, s.file) {
		return now, fmt.Errorf("%w: database file %q was removed or replaced while it was in use: stop this program, put the file "+
			"back, and start again", storage.ErrUnavailable, s.path)
	}
	current, now, err := read(ctx, s, "ping", version)
	if err != nil {
		return now, err
	}
	return now, fits(s.path, current, wanted)
}

// Close implements storage.Lifeline. Closing again does nothing.
func (s *Store) Close() error {
	s.closing.Do(func() {
		close(s.closed)
		var errs []error
		for range maxReaders {
			c := <-s.idle
			errs = append(errs, c.drop())
		}
		errs = append(errs, s.reads.Close())
		// The writer goes last: the last connection folds the write-ahead log into the file.
		errs = append(errs, s.writer.close(), s.writes.Close())
		s.closeup = errors.Join(errs...)
	})
	return s.closeup
}
