package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

const (
	selectKeys = `SELECT id, use, algorithm, number, state, public, sealed, created_at FROM keys ORDER BY created_at, id`
	insertKey  = `INSERT INTO keys (id, use, algorithm, number, state, public, sealed, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
)

// EstablishKeys implements storage.Keys.
func (s *Store) EstablishKeys(ctx context.Context, made []storage.Key) ([]storage.Key, error) {
	return writeFor(ctx, s, "establish keys", func(t *tx) ([]storage.Key, error) {
		there, err := collect(t.session, scanKey, selectKeys)
		if err != nil || len(there) > 0 {
			return there, err
		}
		for _, k := range made {
			_, err := t.exec(insertKey, k.ID, string(k.Use), k.Algorithm, int64(k.Number), string(k.State), string(k.Public),
				blob(k.Sealed), micros(t.now))
			if err != nil {
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

func scanKey(r row) (k storage.Key, err error) {
	var public string
	err = r.Scan(&k.ID, &k.Use, &k.Algorithm, &k.Number, &k.State, &public, &k.Sealed, intoTime(&k.CreatedAt))
	if public != "" {
		k.Public = []byte(public)
	}
	return k, err
}
