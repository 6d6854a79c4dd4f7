package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// CreateUser implements storage.Users.
func (s *Store) CreateUser(ctx context.Context, u storage.User, passwordHash string, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		s.createUser(b, u, passwordHash)
		s.report(b, also)
	})
}

func (s *Store) createUser(b *pgx.Batch, u storage.User, passwordHash string) {
	b.Queue(`INSERT INTO users (id, revision, username, email, email_verified, phone, phone_verified, profile, admin,
			password_hash, disabled_at, created_at, updated_at)
		SELECT $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, now, now FROM (SELECT `+clockNow+` AS now) AS clock`,
		s.now(), uid(u.ID), u.Username, u.Email, u.EmailVerified, u.Phone, u.PhoneVerified, record(u.Profile), u.Admin,
		passwordHash, stamp(u.DisabledAt))
	setLogins(b, u)
}

// setLogins makes the identifiers of u those of u.Logins. One that belongs to somebody else is a unique violation: ErrTaken.
func setLogins(b *pgx.Batch, u storage.User) {
	logins := list(slices.Compact(slices.Sorted(slices.Values(u.Logins))))
	b.Queue(`DELETE FROM logins WHERE user_id = $1 AND login <> ALL ($2::text[])`, uid(u.ID), logins)
	b.Queue(`INSERT INTO logins (login, user_id) SELECT asked.login, $1 FROM unnest($2::text[]) AS asked (login)
		WHERE NOT EXISTS (SELECT FROM logins l WHERE l.login = asked.login AND l.user_id = $1) ORDER BY asked.login`,
		uid(u.ID), logins)
}

// FindUser implements storage.Users.
func (s *Store) FindUser(ctx context.Context, id storage.ID) (storage.SignIn, error) {
	return s.signIn(ctx, `u.id = $2`, uid(id))
}

// FindLogin implements storage.Users.
func (s *Store) FindLogin(ctx context.Context, login string) (storage.SignIn, error) {
	if !keepable(login) {
		return storage.SignIn{}, storage.ErrNotFound
	}
	return s.signIn(ctx, `u.id = (SELECT user_id FROM logins WHERE login = $2)`, login)
}

// signIn reads a user with factors: one row for each confirmed one, or one without.
func (s *Store) signIn(ctx context.Context, where string, key any) (storage.SignIn, error) {
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (in storage.SignIn, err error) {
		rows, err := c.Query(ctx, `SELECT `+userColumns+`, u.password_hash, `+clockNow+`,
				(SELECT count(*) FROM recovery_codes r WHERE r.user_id = u.id), `+passkeysOf+`,
				t.id, coalesce(t.name, ''), t.sealed, t.confirmed_at, coalesce(t.last_step, 0), t.created_at
			FROM users u LEFT JOIN totp t ON t.user_id = u.id AND t.confirmed_at IS NOT NULL
			WHERE `+where+` ORDER BY t.created_at, t.id`, s.now(), key)
		if err != nil {
			return in, err
		}
		defer rows.Close()
		for rows.Next() {
			var t storage.TOTP
			if err := rows.Scan(append(intoUser(&in.User), &in.PasswordHash, when{&in.Now}, &in.RecoveryCodes, &in.Passkeys,
				idOf{&t.ID}, &t.Name, &t.Sealed, when{&t.ConfirmedAt}, &t.LastStep, when{&t.CreatedAt})...); err != nil {
				return in, err
			}
			if !t.ID.IsZero() {
				t.UserID = in.User.ID
				in.Factors = append(in.Factors, t)
			}
		}
		if err := rows.Err(); err != nil {
			return in, err
		}
		if in.User.ID.IsZero() {
			return in, storage.ErrNotFound
		}
		tidyPasskeys(in.Passkeys)
		return in, nil
	})
}

// ListUsers implements storage.Users.
func (s *Store) ListUsers(ctx context.Context, after storage.ID, limit int) ([]storage.User, error) {
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.User, error) {
		rows, err := c.Query(ctx, `SELECT `+userColumns+` FROM users u WHERE u.id > $1 ORDER BY u.id LIMIT $2`,
			pgtype.UUID{Bytes: after, Valid: true}, limit)
		return rowsOf(rows, err, intoUser)
	})
}

// UpdateUser implements storage.Users. The user's row is updated before sessions and grants end: see pay.
func (s *Store) UpdateUser(ctx context.Context, u storage.User, revoke storage.Reason, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		s.updateUser(b, u)
		if revoke != "" {
			s.endSessions(b, ofUser(u.ID), revoke, nil)
			s.revokeAll(b, storage.GrantsOf{UserID: u.ID}, revoke)
		}
		s.report(b, also)
	})
}

func (s *Store) updateUser(b *pgx.Batch, u storage.User) {
	b.Queue(`SELECT revision FROM users WHERE id = $1 FOR NO KEY UPDATE`, uid(u.ID)).QueryRow(at(u.Revision))
	b.Queue(`UPDATE users SET revision = revision + 1, username = $3, email = $4, email_verified = $5, phone = $6,
			phone_verified = $7, profile = $8, admin = $9, disabled_at = $10, updated_at = `+clockNow+` WHERE id = $2`,
		s.now(), uid(u.ID), u.Username, u.Email, u.EmailVerified, u.Phone, u.PhoneVerified, record(u.Profile), u.Admin,
		stamp(u.DisabledAt))
	setLogins(b, u)
}

// DeleteUser implements storage.Users.
func (s *Store) DeleteUser(ctx context.Context, id storage.ID, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		s.deleteUser(b, id)
		s.report(b, also)
	})
}

// leaveClients makes the user's clients nobody's, at a new revision, so that no write that was begun before gives them back.
const leaveClients = `WITH theirs AS MATERIALIZED (
		SELECT id FROM clients WHERE owner_id = $1 OR used_by = $1 ORDER BY id FOR NO KEY UPDATE)
	UPDATE clients c SET revision = c.revision + CASE WHEN c.owner_id = $1 THEN 1 ELSE 0 END, owner_id = nullif(c.owner_id, $1),
		used_by = nullif(c.used_by, $1) FROM theirs WHERE c.id = theirs.id`

// deleteUser removes the row, and with it password, logins, factors, codes, devices and consents.
func (s *Store) deleteUser(b *pgx.Batch, id storage.ID) {
	b.Queue(`SELECT FROM users WHERE id = $1 FOR UPDATE`, uid(id)).Exec(must(storage.ErrNotFound))
	dropTickets(b, `user_id = $1`, uid(id))
	lockSessions(b, ofUser(id))
	s.dropSessions(b, ofUser(id), nil)
	b.Queue(leaveClients, uid(id))
	b.Queue(`DELETE FROM users WHERE id = $1`, uid(id))
	b.Queue(`WITH chosen AS MATERIALIZED (SELECT id FROM grants WHERE user_id = $1 ORDER BY id FOR UPDATE)
		DELETE FROM grants g USING chosen WHERE g.id = chosen.id`, uid(id))
}

// raiseAt locks the user's row and raises its revision where that is still the one given, or whichever it is for 0.
func raiseAt(b *pgx.Batch, userID storage.ID, revision int64) {
	lock := b.Queue(`SELECT revision FROM users WHERE id = $1 FOR NO KEY UPDATE`, uid(userID))
	if revision == 0 {
		lock.Exec(must(storage.ErrNotFound))
	} else {
		lock.QueryRow(at(revision))
	}
	b.Queue(`UPDATE users SET revision = revision + 1 WHERE id = $1`, uid(userID))
}
