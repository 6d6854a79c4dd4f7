package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/signet-idp/signet/storage"
)

// SetPassword implements storage.Passwords. The user's row is updated before sessions and grants end: see pay.
func (s *Store) SetPassword(ctx context.Context, userID storage.ID, revision int64, hash string, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		raiseAt(b, userID, revision)
		b.Queue(`UPDATE users SET password_hash = $2 WHERE id = $1`, uid(userID), hash)
		forgetDevices(b, userID)
		s.endSessions(b, ofUser(userID), storage.ReasonPasswordChanged, nil)
		s.revokeAll(b, storage.GrantsOf{UserID: userID}, storage.ReasonPasswordChanged)
		s.report(b, also)
	})
}

// RaiseHash implements storage.Passwords.
func (s *Store) RaiseHash(ctx context.Context, userID storage.ID, old, hash string) error {
	return s.one(ctx, storage.ErrMoved, `UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2`,
		uid(userID), old, hash)
}
