package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

const (
	keyColumns = `id, use, algorithm, number, state, public, sealed, created_at, changed_at`
	listKeys   = `SELECT ` + keyColumns + ` FROM keys ORDER BY created_at, id`
)

// keyArgs are the columns of the keys but their times, each as an array.
func keyArgs(made []storage.Key) []any {
	n := len(made)
	ids, uses, algorithms, numbers := make([]string, n), make([]string, n), make([]string, n), make([]int32, n)
	states, public, sealed := make([]string, n), make([]string, n), make([][]byte, n)
	for i, k := range made {
		ids[i], uses[i], algorithms[i], numbers[i] = k.ID, string(k.Use), k.Algorithm, int32(k.Number)
		states[i], public[i], sealed[i] = string(k.State), string(k.Public), blob(k.Sealed)
	}
	return []any{ids, uses, algorithms, numbers, states, public, sealed}
}

func intoKey(k *storage.Key) []any {
	return []any{&k.ID, &k.Use, &k.Algorithm, &k.Number, &k.State, &k.Public, &k.Sealed, when{&k.CreatedAt}, when{&k.ChangedAt}}
}

// EstablishKeys implements storage.Keys. The table's lock lets one node in at a time, and readers always.
func (s *Store) EstablishKeys(ctx context.Context, made []storage.Key) ([]storage.Key, error) {
	if there, _, err := s.ListKeys(ctx); err != nil || len(there) > 0 {
		return there, err
	}
	return act(ctx, s, func(b *pgx.Batch, there *[]storage.Key) {
		b.Queue(`LOCK TABLE keys IN SHARE ROW EXCLUSIVE MODE`)
		b.Queue(`INSERT INTO keys (`+keyColumns+`)
			SELECT made.*, clock.now, clock.now FROM (SELECT `+clockNow+` AS now) AS clock,
				unnest($2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::bytea[])
				AS made (id, use, algorithm, number, state, public, sealed)
			WHERE NOT EXISTS (SELECT FROM keys)`, append([]any{s.now()}, keyArgs(made)...)...)
		b.Queue(listKeys).Query(func(rows pgx.Rows) (err error) {
			*there, err = rowsOf(rows, nil, intoKey)
			return err
		})
	})
}

// ListKeys implements storage.Keys.
func (s *Store) ListKeys(ctx context.Context) ([]storage.Key, time.Time, error) {
	type answer struct {
		keys []storage.Key
		now  time.Time
	}
	a, err := read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (a answer, err error) {
		if err := c.QueryRow(ctx, `SELECT `+clockNow, s.now()).Scan(when{&a.now}); err != nil {
			return a, err
		}
		rows, err := c.Query(ctx, listKeys)
		a.keys, err = rowsOf(rows, err, intoKey)
		return a, err
	})
	return a.keys, a.now, err
}

const (
	insertKey = `INSERT INTO keys (` + keyColumns + `)
		SELECT $2, $3, $4, $5, $6, $7, $8, now, now FROM (SELECT ` + clockNow + ` AS now) AS clock ON CONFLICT DO NOTHING`

	moveKey = `UPDATE keys SET state = $4, changed_at = CASE WHEN state = $4 THEN changed_at ELSE ` + clockNow + ` END,
			sealed = CASE WHEN $4 IN ('removed', 'revoked') THEN '' ELSE sealed END
		WHERE id = $2 AND state = $3 AND changed_at <= ` + clockNow + ` - $5::interval
			AND NOT EXISTS (SELECT FROM grants WHERE id < $6 AND state <> 'revoked' AND expires_at > ` + clockNow + `)`
)

// ChangeKeys implements storage.Keys.
func (s *Store) ChangeKeys(ctx context.Context, c storage.KeyChange) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		for _, m := range c.Moves {
			b.Queue(moveKey, s.now(), m.ID, string(m.From), string(m.To), m.Age, pgtype.UUID{Bytes: m.NoGrantBelow, Valid: true}).
				Exec(must(storage.ErrMoved))
		}
		for _, k := range c.Add {
			b.Queue(insertKey, s.now(), k.ID, string(k.Use), k.Algorithm, int32(k.Number), string(k.State), string(k.Public), blob(k.Sealed)).
				Exec(must(storage.ErrTaken))
		}
		s.report(b, c.Also)
	})
}

// ResealKey implements storage.Keys.
func (s *Store) ResealKey(ctx context.Context, id string, old, sealed []byte) error {
	if !keepable(id) {
		return storage.ErrMoved
	}
	return s.one(ctx, storage.ErrMoved, `UPDATE keys SET sealed = $3 WHERE id = $1 AND sealed = $2`, id, blob(old), blob(sealed))
}
