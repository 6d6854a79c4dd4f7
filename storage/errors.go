package storage

import "errors"

// The sentinels that the Store's methods promise. Engines wrap them with what happened; callers compare with errors.Is.
// Whatever a driver says is the cause behind ErrUnavailable or ErrUnknown: it goes to the log and never to a client.
var (
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("storage: not found")
	// ErrMoved: the row is no longer at the revision that the caller read. Nothing was written: read again and decide again.
	ErrMoved = errors.New("storage: row has moved")
	// ErrSpent: a one-time proof (TOTP step, recovery code) was used before. Nothing was written.
	ErrSpent = errors.New("storage: one-time proof already used")
	// ErrTaken: another row holds this identifier. Nothing was written.
	ErrTaken = errors.New("storage: identifier taken")
	// ErrUnknown: the answer was lost, or the caller's context ended first; the write may or may not have happened.
	// It is never repeated blindly.
	ErrUnknown = errors.New("storage: outcome unknown")
	// ErrUnavailable: the database did not do it (down, overloaded, read-only, timed out). Nothing was written.
	ErrUnavailable = errors.New("storage: unavailable")
	// ErrSchema: the database's schema is not the one this program needs: migrations are pending, or it is newer.
	ErrSchema = errors.New("storage: schema does not fit this program")
)
