package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

const (
	selectKeys = `SELECT id, use, algorithm, number, state, public, sealed, created_at, changed_at FROM keys ORDER BY created_at, id`
	insertKey  = `INSERT INTO keys (id, use, algorithm, number, state, public, sealed, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT DO NOTHING`

	moveKey = `UPDATE keys SET state = $3, changed_at = CASE WHEN state = $3 THEN changed_at ELSE $4 END,
			sealed = CASE WHEN $3 IN ('removed', 'revoked') THEN x'' ELSE sealed END
		WHERE id = $1 AND state = $2 AND changed_at <= $5
			AND NOT EXISTS (SELECT 1 FROM grants WHERE id < $6 AND state <> 'revoked' AND expires_at > $4)`
)

// EstablishKeys implements storage.Keys.
func (s *Store) EstablishKeys(ctx context.Context, made []storage.Key) ([]storage.Key, error) {
	return writeFor(ctx, s, "establish keys", func(t *tx) ([]storage.Key, error) {
		there, err := collect(t.session, scanKey, selectKeys)
		if err != nil || len(there) > 0 {
			return there, err
		}
		for _, k := range made {
			if err := t.addKey(k); err != nil {
				return nil, err
			}
		}
		return collect(t.session, scanKey, selectKeys)
	})
}

// ListKeys implements storage.Keys.
func (s *Store) ListKeys(ctx context.Context) (keys []storage.Key, now time.Time, err error) {
	return read(ctx, s, "list keys", func(c *session) ([]storage.Key, error) {
		return collect(c, scanKey, selectKeys)
	})
}

// ChangeKeys implements storage.Keys.
func (s *Store) ChangeKeys(ctx context.Context, c storage.KeyChange) error {
	return s.write(ctx, "change keys", func(t *tx) error {
		for _, m := range c.Moves {
			err := t.hit(storage.ErrMoved, moveKey, m.ID, string(m.From), string(m.To), micros(t.now), micros(t.now.Add(-m.Age)),
				m.NoGrantBelow[:])
			if err != nil {
				return err
			}
		}
		for _, k := range c.Add {
			if err := t.addKey(k); err != nil {
				return err
			}
		}
		return t.also(c.Also)
	})
}

// ResealKey implements storage.Keys.
func (s *Store) ResealKey(ctx context.Context, id string, old, sealed []byte) error {
	return s.write(ctx, "reseal key", func(t *tx) error {
		return t.hit(storage.ErrMoved, `UPDATE keys SET sealed = $3 WHERE id = $1 AND sealed = $2`, id, blob(old), blob(sealed))
	})
}

func (t *tx) addKey(k storage.Key) error {
	return t.hit(storage.ErrTaken, insertKey, k.ID, string(k.Use), k.Algorithm, int64(k.Number), string(k.State), string(k.Public),
		blob(k.Sealed), micros(t.now))
}

func scanKey(r row) (k storage.Key, err error) {
	var public string
	err = r.Scan(&k.ID, &k.Use, &k.Algorithm, &k.Number, &k.State, &public, &k.Sealed, intoTime(&k.CreatedAt),
		intoTime(&k.ChangedAt))
	if public != "" {
		k.Public = []byte(public)
	}
	return k, err
}
