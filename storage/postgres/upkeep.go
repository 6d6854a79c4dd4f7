package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// TakeLease implements storage.Upkeep.
func (s *Store) TakeLease(ctx context.Context, name, holder string, lease time.Duration) (bool, error) {
	return write(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (bool, error) {
		tag, err := c.Exec(ctx, `INSERT INTO leases AS l (name, holder, ends_at) VALUES ($2, $3, `+clockNow+` + $4::interval)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends_at = excluded.ends_at
			WHERE l.holder = excluded.holder OR l.ends_at <= excluded.ends_at - $4::interval`, s.now(), name, holder, lease)
		return tag.RowsAffected() > 0, err
	})
}

// SweepExpired implements storage.Upkeep. Rows that somebody is using are left for the next time, and nobody waits.
func (s *Store) SweepExpired(ctx context.Context, limit int, keep, retention time.Duration) (int, error) {
	return act(ctx, s, func(b *pgx.Batch, n *int) {
		b.Queue(`WITH dead AS MATERIALIZED (
				SELECT id FROM grants WHERE expires_at < (SELECT `+clockNow+` - $2::interval) LIMIT $3 FOR UPDATE SKIP LOCKED)
			DELETE FROM grants g USING dead WHERE g.id = dead.id`, s.now(), keep, limit).Exec(changed(n))
		b.Queue(`WITH dead AS MATERIALIZED (
				SELECT grant_id, serial FROM denied_tokens WHERE expires_at < (SELECT `+clockNow+` - $2::interval)
				LIMIT $3 FOR UPDATE SKIP LOCKED)
			DELETE FROM denied_tokens d USING dead WHERE d.grant_id = dead.grant_id AND d.serial = dead.serial`,
			s.now(), keep, limit).Exec(changed(n))
		for _, table := range []struct{ name, key string }{
			{"spent_assertions", "digest"}, {"sessions", "id"}, {"remembered_devices", "id"}, {"tickets", "id"}, {"pushed_requests", "digest"},
		} {
			b.Queue(`WITH dead AS MATERIALIZED (SELECT `+table.key+` AS key FROM `+table.name+`
					WHERE expires_at < (SELECT `+clockNow+` - $2::interval) LIMIT $3 FOR UPDATE SKIP LOCKED)
				DELETE FROM `+table.name+` t USING dead WHERE t.`+table.key+` = dead.key`, s.now(), keep, limit).Exec(changed(n))
		}
		b.Queue(`WITH dead AS MATERIALIZED (
				SELECT key FROM buckets WHERE tat <= (SELECT `+clockNow+`) LIMIT $2 FOR UPDATE SKIP LOCKED)
			DELETE FROM buckets b USING dead WHERE b.key = dead.key`, s.now(), limit).Exec(changed(n))
		if retention > 0 {
			s.sweepEvents(b, retention, limit, n)
		}
	})
}

// WalkGrants implements storage.Upkeep.
func (s *Store) WalkGrants(ctx context.Context, after storage.ID, limit int) ([]storage.GrantAge, time.Time, error) {
	type answer struct {
		page []storage.GrantAge
		now  time.Time
	}
	a, err := read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (a answer, err error) {
		if err := c.QueryRow(ctx, `SELECT `+clockNow, s.now()).Scan(when{&a.now}); err != nil {
			return a, err
		}
		rows, err := c.Query(ctx, `SELECT id, revision, client_id, state, issued_at, revoked_at, expires_at
			FROM grants WHERE id > $1 ORDER BY id LIMIT $2`, pgtype.UUID{Bytes: after, Valid: true}, limit)
		a.page, err = rowsOf(rows, err, func(g *storage.GrantAge) []any {
			return []any{
				idOf{&g.ID}, &g.Revision, &g.ClientID, &g.State, when{&g.IssuedAt}, when{&g.RevokedAt}, when{&g.ExpiresAt},
			}
		})
		return a, err
	})
	return a.page, a.now, err
}

// DropGrants implements storage.Upkeep. A grant that somebody is using is left for the next walk.
func (s *Store) DropGrants(ctx context.Context, dead []storage.GrantAge) (int, error) {
	if len(dead) == 0 {
		return 0, nil
	}
	ids := uids(dead, func(g storage.GrantAge) storage.ID { return g.ID })
	revisions := make([]int64, len(dead))
	for i, g := range dead {
		revisions[i] = g.Revision
	}
	return write(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (int, error) {
		tag, err := c.Exec(ctx, `WITH named AS MATERIALIZED (
				SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS named (id, revision)),
			locked AS MATERIALIZED (SELECT id FROM grants WHERE id = ANY ($1::uuid[]) FOR UPDATE SKIP LOCKED)
			DELETE FROM grants g USING named JOIN locked USING (id) WHERE g.id = named.id AND g.revision = named.revision`, ids, revisions)
		return int(tag.RowsAffected()), err
	})
}
