package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/signet-idp/signet/storage"
)

// SetPassword implements storage.Passwords.
func (s *Store) SetPassword(ctx context.Context, userID storage.ID, revision int64, hash string, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		s.setPassword(b, userID, revision, hash)
		s.report(b, also)
	})
}

// setPassword updates the user's row before tickets, sessions and grants end: see pay.
func (s *Store) setPassword(b *pgx.Batch, userID storage.ID, revision int64, hash string) {
	raiseAt(b, userID, revision)
	b.Queue(`UPDATE users SET password_hash = $2 WHERE id = $1`, uid(userID), hash)
	dropTickets(b, `user_id = $1 AND kind <> $2`, uid(userID), string(storage.TicketDeletion))
	forgetDevices(b, userID)
	s.endSessions(b, ofUser(userID), storage.ReasonPasswordChanged, nil)
	s.revokeAll(b, storage.GrantsOf{UserID: userID}, storage.ReasonPasswordChanged)
}

// RaiseHash implements storage.Passwords.
func (s *Store) RaiseHash(ctx context.Context, userID storage.ID, old, hash string) error {
	return s.one(ctx, storage.ErrMoved, `UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2`,
		uid(userID), old, hash)
}
