package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/signet-idp/signet/storage"
)

// The SQLSTATEs that mean something to us (PostgreSQL, appendix A).
const (
	uniqueViolation      = "23505"
	foreignKeyViolation  = "23503"
	undefinedTable       = "42P01"
	undefinedColumn      = "42703"
	readOnlyTransaction  = "25006"
	serializationFailure = "40001"
	completionUnknown    = "40003"
	deadlockDetected     = "40P01"
	adminShutdown        = "57P01"
	crashShutdown        = "57P02"
	cannotConnectNow     = "57P03"
	resolutionUnknown    = "08007"
)

var sentinels = []error{
	storage.ErrNotFound, storage.ErrMoved, storage.ErrSpent, storage.ErrTaken, storage.ErrUnknown, storage.ErrUnavailable,
	storage.ErrSchema, pgx.ErrNoRows, errAlready,
}

// errAlready ends a transaction in which there is nothing left to do.
var errAlready = errors.New("postgres: already so")

// commitError is an error in answer to a statement that also committed.
type commitError struct{ error }

func (e commitError) Unwrap() error { return e.error }

// committing marks the answer to a commit.
func committing(err error) error {
	if err == nil || said(err) {
		return err
	}
	return commitError{err}
}

// unreached is a failure to get a connection at all.
type unreached struct{ error }

func (e unreached) Unwrap() error { return e.error }

// meaning turns whatever happened into the sentinel that package storage promises. It is the one place that does.
func meaning(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return storage.ErrNotFound
	}
	if err == nil || said(err) {
		return err
	}
	if uncertain(err) {
		return fmt.Errorf("%w: postgres: the answer to a commit was lost: %w", storage.ErrUnknown, err)
	}
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return fmt.Errorf("%w: postgres: %w", storage.ErrUnavailable, err)
	}
	switch {
	case refused.Code == uniqueViolation:
		return fmt.Errorf("%w: postgres: %w", storage.ErrTaken, err)
	case refused.Code == foreignKeyViolation:
		return fmt.Errorf("%w: postgres: %w", storage.ErrNotFound, err)
	case refused.Code == undefinedTable || refused.Code == undefinedColumn:
		return fmt.Errorf("%w: postgres: run `signet migrate up`: %w", storage.ErrSchema, err)
	case valueRefused(refused):
		return fmt.Errorf("postgres: a value cannot be kept: %w", err)
	}
	return fmt.Errorf("%w: postgres: %w", storage.ErrUnavailable, err)
}

// said reports whether err is a sentinel already.
func said(err error) bool {
	return slices.ContainsFunc(sentinels, func(s error) bool { return errors.Is(err, s) })
}

// uncertain reports whether a commit may have happened although it was not confirmed: the connection broke, or the server
// ended the session instead of answering. An ordinary ERROR in its answer means that it rolled back. pgconn.SafeToRetry is not
// asked: it calls a commit safe to repeat whose answer broke off (the "conn closed" that follows hides what came first).
func uncertain(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && (refused.Code == completionUnknown || refused.Code == resolutionUnknown) {
		return true
	}
	var commit commitError
	if !errors.As(err, &commit) {
		return false
	}
	switch {
	case refused != nil:
		return refused.SeverityUnlocalized == "FATAL" || refused.SeverityUnlocalized == "PANIC"
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return false
	}
	return true
}

// passing reports whether nothing was committed and the same work may well succeed on another try.
func passing(err error) bool {
	if said(err) || uncertain(err) || errors.As(err, new(unreached)) {
		return false
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code == serializationFailure || refused.Code == deadlockDetected || serverGone(err)
	}
	return !errors.Is(err, context.DeadlineExceeded)
}

// serverGone reports whether the server that said so is of no more use, on this connection or any other.
func serverGone(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) &&
		slices.Contains([]string{readOnlyTransaction, adminShutdown, crashShutdown, cannotConnectNow}, refused.Code)
}

// valueRefused reports whether the statement failed for what it was given, as it would for any server at any time.
func valueRefused(err *pgconn.PgError) bool {
	class := err.Code[:min(2, len(err.Code))]
	return class == "22" || class == "23"
}

// oneRow reports whether a statement over many rows failed for one of them, so that the others deserve another try alone.
func oneRow(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.SeverityUnlocalized == "ERROR" &&
		slices.Contains([]string{"22", "23", "40", "55", "P0"}, refused.Code[:min(2, len(refused.Code))])
}

func missingTable(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == undefinedTable
}
