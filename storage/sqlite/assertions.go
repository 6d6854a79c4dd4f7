package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

const spendAssertion = `INSERT INTO spent_assertions (digest, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`

// SpendAssertion implements storage.Assertions.
func (s *Store) SpendAssertion(ctx context.Context, assertion storage.Digest, expires time.Time) error {
	return s.write(ctx, "spend assertion", func(t *tx) error {
		return t.hit(storage.ErrSpent, spendAssertion, assertion[:], micros(expires))
	})
}
