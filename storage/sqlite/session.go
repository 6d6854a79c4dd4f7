package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/signet-idp/signet/storage"
)

// session is one connection with its prepared statements. One goroutine uses it at a time. It connects when it is first used,
// and again after drop.
//
// Statements run without a context: each is short, and a driver that watches a context pays a goroutine for every one. The
// caller's context bounds the wait for a session instead.
type session struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// row is what a record is scanned from.
type row interface{ Scan(dest ...any) error }

func (c *session) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := c.stmts[query]; ok {
		return stmt, nil
	}
	if c.conn == nil {
		conn, err := c.db.Conn(context.Background())
		if err != nil {
			return nil, err
		}
		c.conn, c.stmts = conn, map[string]*sql.Stmt{}
	}
	stmt, err := c.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = stmt
	return stmt, nil
}

// exec runs a statement and returns how many rows it changed.
func (c *session) exec(query string, args ...any) (int64, error) {
	stmt, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// hit runs a statement and returns otherwise where it changed no row.
func (c *session) hit(otherwise error, query string, args ...any) error {
	n, err := c.exec(query, args...)
	if err == nil && n == 0 {
		return otherwise
	}
	return err
}

// scan reads the one row of a query into dest. ErrNotFound: there is none.
func (c *session) scan(query string, args []any, dest ...any) error {
	stmt, err := c.prepare(query)
	if err != nil {
		return err
	}
	return found(stmt.QueryRowContext(context.Background(), args...).Scan(dest...))
}

// one reads the one row of a query. ErrNotFound: there is none.
func one[T any](c *session, read func(row) (T, error), query string, args ...any) (out T, err error) {
	stmt, err := c.prepare(query)
	if err != nil {
		return out, err
	}
	out, err = read(stmt.QueryRowContext(context.Background(), args...))
	return out, found(err)
}

func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return storage.ErrNotFound
	}
	return err
}

// collect reads every row of a query.
func collect[T any](c *session, read func(row) (T, error), query string, args ...any) ([]T, error) {
	stmt, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := read(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// drop lets go of the connection, since nobody knows what state it is in.
func (c *session) drop() error {
	if c.conn == nil {
		return nil
	}
	var errs []error
	for _, stmt := range c.stmts {
		errs = append(errs, stmt.Close())
	}
	errs = append(errs, c.conn.Close())
	c.conn, c.stmts = nil, nil
	return errors.Join(errs...)
}

// read runs a query function on a session of its own and returns the store's clock after it, so that now is never before
// anything the rows say. Its result is one snapshot where it is one statement, or where it uses snapshot.
func read[T any](ctx context.Context, s *Store, what string, query func(*session) (T, error)) (out T, now time.Time, err error) {
	c, err := s.acquire(ctx)
	if err != nil {
		return out, now, failed(what, err)
	}
	defer func() { s.idle <- c }()
	out, err = query(c)
	now = s.now()
	if err != nil {
		var none T
		if err = failed(what, err); errors.Is(err, storage.ErrUnavailable) {
			err = errors.Join(err, c.drop())
		}
		return none, now, err
	}
	return out, now, nil
}

// snapshot runs query in one read transaction.
func snapshot[T any](c *session, query func() (T, error)) (out T, err error) {
	if _, err := c.exec("BEGIN DEFERRED"); err != nil {
		return out, err
	}
	out, err = query()
	if _, end := c.exec("ROLLBACK"); end != nil {
		err = errors.Join(err, storage.ErrUnavailable, end)
	}
	return out, err
}

// acquire waits for a reading session.
func (s *Store) acquire(ctx context.Context) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-s.closed:
		return nil, errClosed
	default:
	}
	select {
	case c := <-s.idle:
		return c, nil
	default:
	}
	select {
	case c := <-s.idle:
		return c, nil
	case <-s.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
