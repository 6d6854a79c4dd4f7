package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// CreateClient implements storage.Clients.
func (s *Store) CreateClient(ctx context.Context, c storage.Client, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		s.createClient(b, c)
		s.report(b, also)
	})
}

func (s *Store) createClient(b *pgx.Batch, c storage.Client) {
	if c.Origin == "" {
		c.Origin = storage.OriginOperator
	}
	b.Queue(`INSERT INTO clients (id, revision, metadata, secrets, disabled_at, origin, owner_id, disabled_for, registration, created_at, updated_at)
		SELECT $2, 1, $3, $4, $5, $6, $7, $8, $9, now, now FROM (SELECT `+clockNow+` AS now) AS clock`,
		s.now(), c.ID, record(c.Metadata), record(c.Secrets), stamp(c.DisabledAt), string(c.Origin), uid(c.OwnerID), string(c.DisabledFor),
		hash(c.Registration))
}

// clientRead is a client and when it was read.
type clientRead struct {
	client storage.Client
	now    time.Time
}

// FindClient implements storage.Clients.
func (s *Store) FindClient(ctx context.Context, id string) (storage.Client, time.Time, error) {
	if !keepable(id) {
		return storage.Client{}, time.Time{}, storage.ErrNotFound
	}
	found, err := s.clients.do(ctx, storage.ErrUnavailable, id)
	return found.client, found.now, err
}

// findClients reads a batch of clients at one instant, each for its own caller.
func (s *Store) findClients(ctx context.Context, batch []*call[string, clientRead]) {
	ids := make([]string, len(batch))
	for i, c := range batch {
		ids[i] = c.query
	}
	found, err := attempt(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]*clientRead, error) {
		rows, err := c.Query(ctx, `SELECT asked.n, `+clockNow+`, `+clientColumns+`
			FROM unnest($2::text[]) WITH ORDINALITY AS asked (id, n) JOIN clients c ON c.id = asked.id`, s.now(), ids)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		found := make([]*clientRead, len(batch))
		for rows.Next() {
			n, r := 0, &clientRead{}
			if err := rows.Scan(append([]any{&n, when{&r.now}}, intoClient(&r.client)...)...); err != nil {
				return nil, err
			}
			found[n-1] = r
		}
		return found, rows.Err()
	})
	answer(batch, found, err)
}

// ListClients implements storage.Clients.
func (s *Store) ListClients(ctx context.Context, after string, limit int) ([]storage.Client, error) {
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.Client, error) {
		rows, err := c.Query(ctx, `SELECT `+clientColumns+` FROM clients c WHERE c.id > $1 ORDER BY c.id LIMIT $2`, after, limit)
		return rowsOf(rows, err, intoClient)
	})
}

// UpdateClient implements storage.Clients. The owner is locked before the client, as whoever deletes a user locks them.
func (s *Store) UpdateClient(ctx context.Context, c storage.Client, also storage.Also) error {
	if !keepable(c.ID) {
		return storage.ErrNotFound
	}
	return s.actOnly(ctx, func(b *pgx.Batch) {
		if !c.OwnerID.IsZero() {
			b.Queue(`SELECT FROM users WHERE id = $1 FOR KEY SHARE`, uid(c.OwnerID))
		}
		b.Queue(`SELECT revision FROM clients WHERE id = $1 FOR NO KEY UPDATE`, c.ID).QueryRow(at(c.Revision))
		b.Queue(`UPDATE clients SET revision = revision + 1, metadata = $3, secrets = $4, disabled_at = $5, owner_id = $6,
				disabled_for = $7, registration = $8, updated_at = `+clockNow+` WHERE id = $2`,
			s.now(), c.ID, record(c.Metadata), record(c.Secrets), stamp(c.DisabledAt), uid(c.OwnerID), string(c.DisabledFor),
			hash(c.Registration))
		s.report(b, also)
	})
}

// at objects where the row that was locked is not at revision: ErrMoved, or ErrNotFound where there is none.
func at(revision int64) func(pgx.Row) error {
	return func(row pgx.Row) error {
		var have int64
		if err := row.Scan(&have); err != nil {
			return err
		}
		if have != revision {
			return storage.ErrMoved
		}
		return nil
	}
}

// DeleteClient implements storage.Clients.
func (s *Store) DeleteClient(ctx context.Context, id string, also storage.Also) error {
	if !keepable(id) {
		return storage.ErrNotFound
	}
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM clients WHERE id = $1`, id).Exec(must(storage.ErrNotFound))
		b.Queue(`WITH chosen AS MATERIALIZED (SELECT id FROM grants WHERE client_id = $1 ORDER BY id FOR UPDATE)
			DELETE FROM grants g USING chosen WHERE g.id = chosen.id`, id)
		s.report(b, also)
	})
}
