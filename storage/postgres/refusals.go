package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

const refusalColumns = `id, at, endpoint, client_id, grant_type, code, description, cause, grant_id, token, seen, detail`

func intoRefusal(r *storage.RefusedRequest) []any {
	return []any{
		&r.ID,
		when{&r.At},
		&r.Endpoint, &r.ClientID, &r.GrantType, &r.Code, &r.Description, &r.Cause,
		idOf{&r.GrantID},
		&r.Token, &r.Seen, &r.Detail,
	}
}

// RecordRefusals implements storage.Refusals. Rows that another node removes at the same time are left to it.
func (s *Store) RecordRefusals(ctx context.Context, refused []storage.RefusedRequest, bound storage.RefusalBound) error {
	var clients []string
	for _, r := range refused {
		if keepable(r.ClientID) && !slices.Contains(clients, r.ClientID) {
			clients = append(clients, r.ClientID)
		}
	}
	return s.actOnly(ctx, func(b *pgx.Batch) {
		for _, r := range refused {
			if !keepable(r.ClientID) {
				continue
			}
			b.Queue(`INSERT INTO refusals (`+refusalColumns+`)
				SELECT $2, `+clockNow+`, $3, $4::text, $5, $6, $7, $8, $9, $10, $11, $12 WHERE EXISTS (SELECT FROM clients WHERE id = $4::text)
				ON CONFLICT DO NOTHING`,
				s.now(), legible(r.ID), legible(r.Endpoint), r.ClientID, legible(r.GrantType), legible(r.Code), legible(r.Description),
				legible(r.Cause), uid(r.GrantID), legible(r.Token), record(r.Seen), record(r.Detail))
		}
		for _, id := range clients {
			b.Queue(`WITH old AS MATERIALIZED (
					SELECT id FROM refusals WHERE client_id = $1 AND id IN (
						SELECT id FROM refusals WHERE client_id = $1 ORDER BY at DESC, id DESC OFFSET $2)
					FOR UPDATE SKIP LOCKED)
				DELETE FROM refusals r USING old WHERE r.id = old.id`, id, bound.PerClient)
		}
		b.Queue(`WITH old AS MATERIALIZED (
				SELECT id FROM refusals WHERE id IN (SELECT id FROM refusals ORDER BY at DESC, id DESC OFFSET $1)
				FOR UPDATE SKIP LOCKED)
			DELETE FROM refusals r USING old WHERE r.id = old.id`, bound.All)
	})
}

// FindRefusal implements storage.Refusals.
func (s *Store) FindRefusal(ctx context.Context, id string) (storage.RefusedRequest, error) {
	if !keepable(id) {
		return storage.RefusedRequest{}, storage.ErrNotFound
	}
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (r storage.RefusedRequest, err error) {
		err = c.QueryRow(ctx, `SELECT `+refusalColumns+` FROM refusals WHERE id = $1`, id).Scan(intoRefusal(&r)...)
		return r, err
	})
}

// ListRefusals implements storage.RefusalList.
func (s *Store) ListRefusals(ctx context.Context, clientID, before string, limit int) ([]storage.RefusedRequest, error) {
	if !keepable(clientID) {
		return nil, nil
	}
	if !keepable(before) {
		before = ""
	}
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.RefusedRequest, error) {
		rows, err := c.Query(ctx, `SELECT `+refusalColumns+` FROM refusals WHERE client_id = $1
				AND coalesce((at, id) < (SELECT b.at, b.id FROM refusals b WHERE b.id = $2 AND b.client_id = $1), true)
			ORDER BY at DESC, id DESC LIMIT $3`, clientID, before, limit)
		return rowsOf(rows, err, intoRefusal)
	})
}

// SweepRefusals implements storage.Refusals.
func (s *Store) SweepRefusals(ctx context.Context, limit int, keep time.Duration) (int, error) {
	return act(ctx, s, func(b *pgx.Batch, n *int) {
		b.Queue(`WITH dead AS MATERIALIZED (
				SELECT id FROM refusals WHERE at < (SELECT `+clockNow+` - $2::interval) LIMIT $3 FOR UPDATE SKIP LOCKED)
			DELETE FROM refusals r USING dead WHERE r.id = dead.id`, s.now(), keep, limit).Exec(changed(n))
	})
}
