package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// maxRetries is how often work is done again that the server took back, or that met a dead connection before its commit.
const maxRetries = 3

// work is what is done on one connection. It may run several times and must leave nothing behind in between.
type work[T any] func(ctx context.Context, c *pgxpool.Conn) (T, error)

// read runs a query.
func read[T any](ctx context.Context, s *Store, query work[T]) (T, error) {
	return await(ctx, s, storage.ErrUnavailable, query)
}

// readAt runs a query whose first column is the clock and $1 its argument: see rowsAt.
func readAt[T any](ctx context.Context, s *Store, text string, into func(*T) []any, args ...any) ([]T, time.Time, error) {
	type answer struct {
		of  []T
		now time.Time
	}
	a, err := read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (a answer, err error) {
		rows, err := c.Query(ctx, text, append([]any{s.now()}, args...)...)
		a.of, a.now, err = rowsAt(rows, err, into)
		return a, err
	})
	return a.of, a.now, err
}

// write runs a single statement that changes something: its answer is the answer to its commit.
func write[T any](ctx context.Context, s *Store, statement work[T]) (T, error) {
	return await(ctx, s, storage.ErrUnknown, func(ctx context.Context, c *pgxpool.Conn) (T, error) {
		out, err := statement(ctx, c)
		return out, committing(err)
	})
}

// act runs the statements that fill queues as one transaction, sent at once, and commits where none of their callbacks
// objects: two round trips. fill may be called several times; what it learns goes into out.
//
// The isolation level is named because the locking depends on it: a statement must see what was committed while the
// statement before it waited for a lock.
//
// The parts in then follow from what the ones before them learned, in the same transaction; each that is not empty is a further
// round trip.
func act[T any](ctx context.Context, s *Store, fill func(b *pgx.Batch, out *T), then ...func(b *pgx.Batch, out *T)) (T, error) {
	return await(ctx, s, storage.ErrUnknown, func(ctx context.Context, c *pgxpool.Conn) (out T, err error) {
		var b pgx.Batch
		b.BeginTx(pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
		fill(&b, &out)
		sent := c.SendBatch(ctx, &b)
		err = sent.Close()
		tx := sent.Tx()
		for i := 0; i < len(then) && err == nil && tx != nil; i++ {
			var next pgx.Batch
			if then[i](&next, &out); next.Len() > 0 {
				err = tx.SendBatch(ctx, &next).Close()
			}
		}
		if err != nil || tx == nil {
			if tx != nil {
				_ = tx.Rollback(ctx)
			}
			return out, err
		}
		return out, committing(tx.Commit(ctx))
	})
}

// actOnly is act for verbs that return nothing but an error.
func (s *Store) actOnly(ctx context.Context, fill func(b *pgx.Batch)) error {
	_, err := act(ctx, s, func(b *pgx.Batch, _ *struct{}) { fill(b) })
	return err
}

// await runs job on a context of its own and waits for it as long as ctx allows; lost says what is known of the outcome then.
func await[T any](ctx context.Context, s *Store, lost error, job work[T]) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, fmt.Errorf("%w: postgres: not begun: %w", storage.ErrUnavailable, err)
	}
	if err := s.begin(); err != nil {
		return none, err
	}
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		defer s.end()
		value, err := attempt(context.WithoutCancel(ctx), s, job)
		done <- outcome{value, err}
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		return none, fmt.Errorf("%w: postgres: the caller left: %w", lost, ctx.Err())
	}
}

// attempt does job, again where nothing was committed and trying again may help, and says what its error means.
func attempt[T any](ctx context.Context, s *Store, job work[T]) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience+workTimeout)
	defer cancel()
	for tries := 0; ; tries++ {
		value, err := once(ctx, s, job)
		if err == nil {
			return value, nil
		}
		if tries == maxRetries || !passing(err) || !pause(ctx, tries) {
			return value, meaning(err)
		}
	}
}

var errClosedIdle = errors.New("the connection was closed while it was idle")

// once does job on one connection. Where that breaks, or its server is going down or no longer takes writes, the others are
// most likely as dead, and each would cost a caller an error: all are replaced.
func once[T any](ctx context.Context, s *Store, job work[T]) (value T, err error) {
	waiting, cancel := context.WithTimeout(ctx, s.patience)
	c, err := s.pool.Acquire(waiting)
	cancel()
	if err != nil {
		return value, unreached{err}
	}
	defer c.Release()
	if c.Conn().IsClosed() { // so that nothing has been sent
		return value, errClosedIdle
	}
	value, err = job(ctx, c)
	if err != nil && (serverGone(err) || c.Conn().IsClosed() && ctx.Err() == nil) {
		s.pool.Reset()
	}
	return value, err
}

// pause waits a few milliseconds, longer each time and never as long as the others do. false: there is no time left.
func pause(ctx context.Context, tries int) bool {
	timer := time.NewTimer(rand.N(10*time.Millisecond<<tries) + time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// must objects with err where a statement changed or found no row.
func must(err error) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() == 0 {
			return err
		}
		return nil
	}
}

// one runs a single statement that must change a row: otherwise is its error where there was none.
func (s *Store) one(ctx context.Context, otherwise error, text string, args ...any) error {
	_, err := write(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (struct{}, error) {
		tag, err := c.Exec(ctx, text, args...)
		if err == nil && tag.RowsAffected() == 0 {
			err = otherwise
		}
		return struct{}{}, err
	})
	return err
}

// counted adds the number of rows of a statement to n, and objects with none where there is none.
func counted(n *int, none error) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		*n += int(tag.RowsAffected())
		return must(none)(tag)
	}
}

// changed adds the number of rows of a statement to n.
func changed(n *int) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		*n += int(tag.RowsAffected())
		return nil
	}
}
