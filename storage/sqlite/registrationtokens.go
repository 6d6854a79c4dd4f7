package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

const registrationTokenColumns = `id, digest, name, created_by, max_uses, uses, grant_types, scope, created_at, expires_at, revoked_at`

// CreateRegistrationToken implements storage.RegistrationTokens.
func (s *Store) CreateRegistrationToken(ctx context.Context, r storage.RegistrationToken, also storage.Also) error {
	return s.write(ctx, "create registration token", func(t *tx) error {
		err := t.hit(storage.ErrTaken, `INSERT INTO registration_tokens (`+registrationTokenColumns+`)
			VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, NULL) ON CONFLICT DO NOTHING`,
			r.ID[:], r.Digest[:], r.Name, r.CreatedBy, r.MaxUses, record{r.GrantTypes}, r.Scope, micros(t.now), micros(r.ExpiresAt))
		if err != nil {
			return err
		}
		return t.also(also)
	})
}

// FindRegistrationToken implements storage.RegistrationTokens.
func (s *Store) FindRegistrationToken(ctx context.Context, digest storage.Digest) (r storage.RegistrationToken, now time.Time, err error) {
	return read(ctx, s, "find registration token", func(c *session) (storage.RegistrationToken, error) {
		return one(c, scanRegistrationToken, `SELECT `+registrationTokenColumns+` FROM registration_tokens WHERE digest = $1`, digest[:])
	})
}

// ListRegistrationTokens implements storage.RegistrationTokens.
func (s *Store) ListRegistrationTokens(
	ctx context.Context, after storage.ID, limit int,
) (tokens []storage.RegistrationToken, now time.Time, err error) {
	return read(ctx, s, "list registration tokens", func(c *session) ([]storage.RegistrationToken, error) {
		return collect(c, scanRegistrationToken, `SELECT `+registrationTokenColumns+` FROM registration_tokens
			WHERE id > $1 ORDER BY id LIMIT $2`, after[:], limit)
	})
}

// RevokeRegistrationToken implements storage.RegistrationTokens.
func (s *Store) RevokeRegistrationToken(ctx context.Context, id storage.ID, also storage.Also) error {
	return s.write(ctx, "revoke registration token", func(t *tx) error {
		n, err := t.exec(`UPDATE registration_tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL`, id[:], micros(t.now))
		if err != nil {
			return err
		}
		if n == 0 {
			var one int
			return t.scan(`SELECT 1 FROM registration_tokens WHERE id = $1`, []any{id[:]}, &one)
		}
		return t.also(also)
	})
}

func scanRegistrationToken(from row) (r storage.RegistrationToken, err error) {
	err = from.Scan(intoID(&r.ID), intoDigest(&r.Digest), &r.Name, &r.CreatedBy, &r.MaxUses, &r.Uses, intoRecord(&r.GrantTypes), &r.Scope,
		intoTime(&r.CreatedAt), intoTime(&r.ExpiresAt), intoTime(&r.RevokedAt))
	return r, err
}
