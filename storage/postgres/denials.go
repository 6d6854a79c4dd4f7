package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// DenyToken implements storage.Denials.
func (s *Store) DenyToken(ctx context.Context, d storage.Denial) error {
	err := s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO denied_tokens (grant_id, serial, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			uid(d.GrantID), d.Serial, stamp(d.ExpiresAt)).Exec(must(errAlready))
		s.report(b, d.Also)
	})
	if errors.Is(err, errAlready) {
		return nil
	}
	return err
}

// TokenDenied implements storage.Denials.
func (s *Store) TokenDenied(ctx context.Context, grantID storage.ID, serial int64) (denied bool, now time.Time, err error) {
	type answer struct {
		denied bool
		now    time.Time
	}
	a, err := read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (a answer, err error) {
		err = c.QueryRow(ctx, `SELECT EXISTS (SELECT FROM denied_tokens WHERE grant_id = $2 AND serial = $3), `+clockNow,
			s.now(), uid(grantID), serial).Scan(&a.denied, when{&a.now})
		return a, err
	})
	return a.denied, a.now, err
}
