package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

// DenyToken implements storage.Denials. A denial that stood already changes nothing, and reports nothing.
func (s *Store) DenyToken(ctx context.Context, d storage.Denial) error {
	return s.write(ctx, "deny token", func(t *tx) error {
		n, err := t.exec(`INSERT INTO denied_tokens (grant_id, serial, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			d.GrantID[:], d.Serial, micros(d.ExpiresAt))
		if err != nil || n == 0 {
			return err
		}
		return t.also(d.Also)
	})
}

// TokenDenied implements storage.Denials.
func (s *Store) TokenDenied(ctx context.Context, grantID storage.ID, serial int64) (denied bool, now time.Time, err error) {
	return read(ctx, s, "find denial", func(c *session) (denied bool, err error) {
		err = c.scan(`SELECT EXISTS (SELECT 1 FROM denied_tokens WHERE grant_id = $1 AND serial = $2)`,
			[]any{grantID[:], serial}, &denied)
		return denied, err
	})
}
