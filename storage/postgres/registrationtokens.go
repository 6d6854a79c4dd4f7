package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/signet-idp/signet/storage"
)

const registrationTokenColumns = `t.id, t.digest, t.name, t.created_by, t.max_uses, t.uses, t.grant_types, t.scope, t.created_at,
	t.expires_at, t.revoked_at`

func intoRegistrationToken(t *storage.RegistrationToken) []any {
	return []any{
		idOf{&t.ID},
		digest{&t.Digest},
		&t.Name, &t.CreatedBy, &t.MaxUses, &t.Uses, &t.GrantTypes, &t.Scope,
		when{&t.CreatedAt},
		when{&t.ExpiresAt},
		when{&t.RevokedAt},
	}
}

// CreateRegistrationToken implements storage.RegistrationTokens.
func (s *Store) CreateRegistrationToken(ctx context.Context, t storage.RegistrationToken, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO registration_tokens (id, digest, name, created_by, max_uses, uses, grant_types, scope, created_at, expires_at)
			VALUES ($2, $3, $4, $5, $6, 0, $7, $8, `+clockNow+`, $9)`,
			s.now(), uid(t.ID), t.Digest[:], t.Name, t.CreatedBy, t.MaxUses, list(t.GrantTypes), t.Scope, stamp(t.ExpiresAt))
		s.report(b, also)
	})
}

// FindRegistrationToken implements storage.RegistrationTokens.
func (s *Store) FindRegistrationToken(ctx context.Context, of storage.Digest) (storage.RegistrationToken, time.Time, error) {
	found, now, err := readAt(ctx, s, `SELECT clock.now, `+registrationTokenColumns+`
		FROM (SELECT `+clockNow+` AS now) AS clock JOIN registration_tokens t ON t.digest = $2`, intoRegistrationToken, of[:])
	if err == nil && len(found) == 0 {
		err = storage.ErrNotFound
	}
	if err != nil {
		return storage.RegistrationToken{}, time.Time{}, err
	}
	return found[0], now, nil
}

// ListRegistrationTokens implements storage.RegistrationTokens.
func (s *Store) ListRegistrationTokens(ctx context.Context, after storage.ID, limit int) ([]storage.RegistrationToken, time.Time, error) {
	return readAt(ctx, s, `SELECT clock.now, `+registrationTokenColumns+`
		FROM (SELECT `+clockNow+` AS now) AS clock LEFT JOIN registration_tokens t ON t.id > $2 ORDER BY t.id LIMIT $3`,
		intoRegistrationToken, pgtype.UUID{Bytes: after, Valid: true}, limit)
}

// RevokeRegistrationToken implements storage.RegistrationTokens.
func (s *Store) RevokeRegistrationToken(ctx context.Context, id storage.ID, also storage.Also) error {
	err := s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT revoked_at IS NOT NULL FROM registration_tokens WHERE id = $1 FOR NO KEY UPDATE`, uid(id)).QueryRow(func(row pgx.Row) error {
			var revoked bool
			if err := row.Scan(&revoked); err != nil {
				return err
			}
			if revoked {
				return errAlready
			}
			return nil
		})
		b.Queue(`UPDATE registration_tokens SET revoked_at = `+clockNow+` WHERE id = $2 AND revoked_at IS NULL`, s.now(), uid(id))
		s.report(b, also)
	})
	if errors.Is(err, errAlready) {
		return nil
	}
	return err
}
