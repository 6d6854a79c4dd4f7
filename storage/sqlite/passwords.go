package sqlite

import (
	"context"

	"github.com/signet-idp/signet/storage"
)

// SetPassword implements storage.Passwords.
func (s *Store) SetPassword(ctx context.Context, userID storage.ID, revision int64, hash string, also storage.Also) error {
	return s.write(ctx, "set password", func(t *tx) error {
		if err := t.setPassword(userID, revision, hash); err != nil {
			return err
		}
		return t.also(also)
	})
}

func (t *tx) setPassword(userID storage.ID, revision int64, hash string) error {
	if err := t.raiseAt(userID, revision); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE users SET password_hash = $2 WHERE id = $1`, userID[:], hash); err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM tickets WHERE user_id = $1 AND kind <> $2`, userID[:], string(storage.TicketDeletion)); err != nil {
		return err
	}
	if _, err := t.endSessions(storage.SessionsOf{UserID: userID}, storage.ReasonPasswordChanged); err != nil {
		return err
	}
	if err := t.forgetDevices(userID); err != nil {
		return err
	}
	_, err := t.revokeGrants(storage.GrantsOf{UserID: userID}, storage.ReasonPasswordChanged)
	return err
}

// RaiseHash implements storage.Passwords.
func (s *Store) RaiseHash(ctx context.Context, userID storage.ID, old, hash string) error {
	return s.write(ctx, "raise hash", func(t *tx) error {
		return t.hit(storage.ErrMoved, `UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2`,
			userID[:], old, hash)
	})
}
