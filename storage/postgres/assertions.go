package postgres

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

const spendAssertion = `INSERT INTO spent_assertions (digest, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`

// SpendAssertion implements storage.Assertions.
func (s *Store) SpendAssertion(ctx context.Context, assertion storage.Digest, expires time.Time) error {
	return s.one(ctx, storage.ErrSpent, spendAssertion, assertion[:], stamp(expires))
}
