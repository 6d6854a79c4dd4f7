package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// today is the first instant of the store's day (UTC).
const today = `date_trunc('day', ` + clockNow + `, 'UTC')`

const (
	addUsage = `INSERT INTO client_usage AS u (client_id, day, sign_ins, tokens, failures)
		SELECT c.id, (SELECT ` + today + `), a.sign_ins, a.tokens, a.failures
		FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) AS a (id, sign_ins, tokens, failures) JOIN clients c ON c.id = a.id
		WHERE a.sign_ins <> 0 OR a.tokens <> 0 OR a.failures <> 0 ORDER BY c.id
		ON CONFLICT (client_id, day) DO UPDATE SET sign_ins = u.sign_ins + excluded.sign_ins, tokens = u.tokens + excluded.tokens,
			failures = u.failures + excluded.failures`
	stampUse = `UPDATE clients c SET used_at = (SELECT ` + clockNow + `), used_by = (SELECT u.id FROM users u WHERE u.id = a.by)
		FROM unnest($2::text[], $3::bigint[], $4::uuid[]) AS a (id, tokens, by) WHERE c.id = a.id AND a.tokens > 0 AND c.used_at IS NULL`
	// Where the last use was noted by a clock that has been set back since, it stays the last.
	noteSecrets = `INSERT INTO client_secret_uses AS u (client_id, made_at, used_at)
		SELECT c.id, a.made_at, (SELECT ` + clockNow + `)
		FROM unnest($2::text[], $3::timestamptz[]) AS a (id, made_at) JOIN clients c ON c.id = a.id ORDER BY c.id, a.made_at
		ON CONFLICT (client_id, made_at) DO UPDATE SET used_at = greatest(u.used_at, excluded.used_at)`
)

// CountUsage implements storage.Usage. Users and clients are locked in the order of their IDs, so that no two nodes wait for each
// other in a circle.
func (s *Store) CountUsage(ctx context.Context, counted []storage.ClientUsage) error {
	u := columnsOf(counted)
	if len(u.ids) == 0 {
		return nil
	}
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT FROM users WHERE id = ANY ($1::uuid[]) ORDER BY id FOR KEY SHARE`, u.by)
		b.Queue(`SELECT FROM clients WHERE id = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE`, u.ids)
		b.Queue(addUsage, s.now(), u.ids, u.signIns, u.tokens, u.failures)
		b.Queue(stampUse, s.now(), u.ids, u.tokens, u.by)
		b.Queue(noteSecrets, s.now(), u.secretOf, u.madeAt)
	})
}

// usageColumns are figures of clients, each client once: one column of a kind, and one of each use of a secret.
type usageColumns struct {
	ids                       []string
	signIns, tokens, failures []int64
	by                        []pgtype.UUID
	secretOf                  []string
	madeAt                    []pgtype.Timestamptz
}

func columnsOf(counted []storage.ClientUsage) (u usageColumns) {
	places := map[string]int{}
	type secret struct {
		client string
		madeAt time.Time
	}
	noted := map[secret]bool{}
	for _, c := range counted {
		if !keepable(c.ClientID) {
			continue
		}
		i, there := places[c.ClientID]
		if !there {
			i = len(u.ids)
			places[c.ClientID] = i
			u.ids, u.by = append(u.ids, c.ClientID), append(u.by, pgtype.UUID{})
			u.signIns, u.tokens, u.failures = append(u.signIns, 0), append(u.tokens, 0), append(u.failures, 0)
		}
		if u.tokens[i] <= 0 && c.Tokens > 0 {
			u.by[i] = uid(c.By)
		}
		u.signIns[i], u.tokens[i], u.failures[i] = u.signIns[i]+c.SignIns, u.tokens[i]+c.Tokens, u.failures[i]+c.Failures
		for _, madeAt := range c.Secrets {
			madeAt = madeAt.UTC().Truncate(time.Microsecond)
			if key := (secret{c.ClientID, madeAt}); !madeAt.IsZero() && !noted[key] {
				noted[key] = true
				u.secretOf, u.madeAt = append(u.secretOf, c.ClientID), append(u.madeAt, stamp(madeAt))
			}
		}
	}
	return u
}

// ListUsage implements storage.Usage.
func (s *Store) ListUsage(ctx context.Context, clientID string, days int) ([]storage.ClientUsage, error) {
	if !keepable(clientID) {
		return nil, nil
	}
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.ClientUsage, error) {
		rows, err := c.Query(ctx, `SELECT client_id, day, sign_ins, tokens, failures FROM client_usage
			WHERE client_id = $2 AND day >= (SELECT `+today+` - make_interval(days => $3)) ORDER BY day DESC`, s.now(), clientID, days)
		return rowsOf(rows, err, func(u *storage.ClientUsage) []any {
			return []any{&u.ClientID, when{&u.Day}, &u.SignIns, &u.Tokens, &u.Failures}
		})
	})
}

// ListSecretUses implements storage.Usage.
func (s *Store) ListSecretUses(ctx context.Context, clientID string) ([]storage.SecretUse, error) {
	if !keepable(clientID) {
		return nil, nil
	}
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.SecretUse, error) {
		rows, err := c.Query(ctx, `SELECT made_at, used_at FROM client_secret_uses WHERE client_id = $1 ORDER BY made_at DESC`, clientID)
		return rowsOf(rows, err, func(u *storage.SecretUse) []any { return []any{when{&u.CreatedAt}, when{&u.UsedAt}} })
	})
}

// SweepUsage implements storage.Usage. Rows that somebody is using are left for the next time.
func (s *Store) SweepUsage(ctx context.Context, limit int, keep time.Duration) (int, error) {
	return write(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (n int, err error) {
		err = c.QueryRow(ctx, `WITH days AS MATERIALIZED (
				SELECT client_id, day FROM client_usage WHERE day < (SELECT `+clockNow+` - $2::interval)
				ORDER BY day LIMIT $3 FOR UPDATE SKIP LOCKED),
			uses AS MATERIALIZED (
				SELECT client_id, made_at FROM client_secret_uses WHERE used_at < (SELECT `+clockNow+` - $2::interval)
				ORDER BY used_at LIMIT greatest($3 - (SELECT count(*) FROM days), 0) FOR UPDATE SKIP LOCKED),
			swept AS (DELETE FROM client_usage u USING days d WHERE u.client_id = d.client_id AND u.day = d.day RETURNING 1),
			forgotten AS (DELETE FROM client_secret_uses u USING uses d WHERE u.client_id = d.client_id AND u.made_at = d.made_at RETURNING 1)
			SELECT (SELECT count(*) FROM swept) + (SELECT count(*) FROM forgotten)`, s.now(), keep, limit).Scan(&n)
		return n, err
	})
}
