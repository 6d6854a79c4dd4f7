package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/signet-idp/signet/storage"
)

// sentinels are the errors that pass through failed with their meaning unchanged.
var sentinels = [...]error{
	storage.ErrNotFound, storage.ErrMoved, storage.ErrSpent, storage.ErrTaken,
	storage.ErrUnknown, storage.ErrUnavailable, storage.ErrSchema,
}

// errFault marks a call that no row could satisfy: the caller's own fault, which is no sentinel of the contract.
var errFault = errors.New("storage/sqlite: call is at fault")

// failed is the one place where what SQLite says becomes what the contract promises. what names the act, for the log.
func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	for _, s := range sentinels {
		if errors.Is(err, s) {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	switch code(err) {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return fmt.Errorf("%s: %w: %w", what, storage.ErrTaken, err)
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: // whose row this would be is gone
		return fmt.Errorf("%s: %w: %w", what, storage.ErrNotFound, err)
	}
	switch primary(err) {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE:
		return fmt.Errorf("%s: %w: %w", what, errFault, err)
	}
	if errors.Is(err, errFault) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return unavailable(what, err)
}

// uncommitted is what a failed COMMIT means. Where SQLite refused before it wrote its commit frame nothing happened; after an
// I/O error the frame may be in the log and come back with the next recovery.
func uncommitted(what string, err error) error {
	switch primary(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_CONSTRAINT:
		return unavailable(what, err)
	}
	return fmt.Errorf("%s: %w: the commit failed: %w", what, storage.ErrUnknown, err)
}

func unavailable(what string, cause error) error {
	return fmt.Errorf("%s: %w: %w", what, storage.ErrUnavailable, cause)
}

// primary is SQLite's primary result code, 0 where err is not SQLite's.
func primary(err error) int { return code(err) & 0xff }

// code is SQLite's extended result code, 0 where err is not SQLite's.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// unopened says to the operator why the file at path cannot be used, and what to do. The file was left as it is.
func unopened(path string, err error) error {
	if errors.Is(err, storage.ErrSchema) || errors.Is(err, storage.ErrUnavailable) {
		return err
	}
	because := "it could not be opened: check that its folder exists and that this user may read and write both"
	switch primary(err) {
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		because = "it is damaged or not a SQLite database: it was left untouched; restore it from a backup"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		because = "another process holds it locked: wait until that has finished, or stop it"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		because = "it is read-only: let this user write the file and its folder"
	case sqlite3.SQLITE_ERROR:
		because = "its schema could not be brought up to date, and nothing of the step that failed was kept: report this"
	case sqlite3.SQLITE_FULL:
		because = "the disk is full: make room"
	}
	return fmt.Errorf("%w: database file %q: %s: %w", storage.ErrUnavailable, path, because, err)
}

// busy reports whether another process held the lock for longer than busy_timeout.
func busy(err error) bool { return primary(err) == sqlite3.SQLITE_BUSY }
