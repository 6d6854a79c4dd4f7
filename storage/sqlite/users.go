package sqlite

import (
	"context"

	"github.com/signet-idp/signet/storage"
)

// userFields are the columns that updating writes anew; userArgs has their order.
const userFields = `revision, username, email, email_verified, phone, phone_verified, profile, admin, disabled_at, updated_at`

// userColumns are a user's row with its logins; intoUser has their order.
const userColumns = `id, created_at, ` + userFields + `,
	(SELECT json_group_array(login) FROM logins WHERE user_id = users.id)`

const selectUsers = `SELECT ` + userColumns + `, password_hash FROM users`

// CreateUser implements storage.Users. ErrTaken: the ID exists, too.
func (s *Store) CreateUser(ctx context.Context, u storage.User, passwordHash string, also storage.Also) error {
	return s.write(ctx, "create user", func(t *tx) error {
		if err := t.createUser(u, passwordHash); err != nil {
			return err
		}
		return t.also(also)
	})
}

func (t *tx) createUser(u storage.User, passwordHash string) error {
	args := append(userArgs(u, 1, t), u.ID[:], passwordHash)
	err := t.hit(storage.ErrTaken, `INSERT INTO users (`+userFields+`, id, password_hash, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $10) ON CONFLICT (id) DO NOTHING`, args...)
	if err != nil {
		return err
	}
	return t.claimLogins(u)
}

// FindUser implements storage.Users.
func (s *Store) FindUser(ctx context.Context, id storage.ID) (storage.SignIn, error) {
	return s.findSignIn(ctx, "find user", selectUsers+` WHERE id = $1`, id[:])
}

// FindLogin implements storage.Users.
func (s *Store) FindLogin(ctx context.Context, login string) (storage.SignIn, error) {
	return s.findSignIn(ctx, "find login", selectUsers+` WHERE id = (SELECT user_id FROM logins WHERE login = $1)`, login)
}

func (s *Store) findSignIn(ctx context.Context, what, query string, arg any) (storage.SignIn, error) {
	in, now, err := read(ctx, s, what, func(c *session) (storage.SignIn, error) {
		return snapshot(c, func() (in storage.SignIn, err error) {
			if in, err = one(c, scanSignIn, query, arg); err != nil {
				return in, err
			}
			id := in.User.ID[:]
			in.Factors, err = collect(c, scanTOTP, selectTOTP+` WHERE user_id = $1 AND confirmed_at IS NOT NULL ORDER BY id`, id)
			if err != nil {
				return in, err
			}
			if in.Passkeys, err = collect(c, scanPasskey, selectPasskeys+` WHERE user_id = $1 ORDER BY created_at, id`, id); err != nil {
				return in, err
			}
			err = c.scan(`SELECT count(*) FROM recovery_codes WHERE user_id = $1`, []any{id}, &in.RecoveryCodes)
			return in, err
		})
	})
	if err != nil {
		return storage.SignIn{}, err
	}
	in.Now = now
	return in, nil
}

// ListUsers implements storage.Users.
func (s *Store) ListUsers(ctx context.Context, after storage.ID, limit int) ([]storage.User, error) {
	users, _, err := read(ctx, s, "list users", func(c *session) ([]storage.User, error) {
		return collect(c, func(r row) (storage.User, error) {
			in, err := scanSignIn(r)
			return in.User, err
		}, selectUsers+` WHERE id > $1 ORDER BY id LIMIT $2`, after[:], limit)
	})
	return users, err
}

// UpdateUser implements storage.Users.
func (s *Store) UpdateUser(ctx context.Context, u storage.User, revoke storage.Reason, also storage.Also) error {
	return s.write(ctx, "update user", func(t *tx) error {
		if err := t.updateUser(u); err != nil {
			return err
		}
		if revoke != "" {
			if _, err := t.endSessions(storage.SessionsOf{UserID: u.ID}, revoke); err != nil {
				return err
			}
			if _, err := t.revokeGrants(storage.GrantsOf{UserID: u.ID}, revoke); err != nil {
				return err
			}
		}
		return t.also(also)
	})
}

func (t *tx) updateUser(u storage.User) error {
	args := append(userArgs(u, u.Revision+1, t), u.ID[:], u.Revision)
	n, err := t.exec(`UPDATE users SET (`+userFields+`) = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		WHERE id = $11 AND revision = $12`, args...)
	if err != nil {
		return err
	}
	if n == 0 {
		return t.movedOrGone(`SELECT 1 FROM users WHERE id = $1`, u.ID[:])
	}
	if _, err := t.exec(`DELETE FROM logins WHERE user_id = $1`, u.ID[:]); err != nil {
		return err
	}
	return t.claimLogins(u)
}

// DeleteUser implements storage.Users.
func (s *Store) DeleteUser(ctx context.Context, id storage.ID, also storage.Also) error {
	return s.write(ctx, "delete user", func(t *tx) error {
		if err := t.deleteUser(id); err != nil {
			return err
		}
		return t.also(also)
	})
}

// deleteUser removes the row, and by their foreign keys logins, factors, codes, tickets, devices and consents. The sessions go first,
// and leave their letters; and the clients are nobody's at a new revision, so that no write that was begun before gives them back.
func (t *tx) deleteUser(id storage.ID) error {
	if _, err := t.endSessions(storage.SessionsOf{UserID: id}, storage.ReasonAdmin); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE clients SET owner_id = NULL, revision = revision + 1 WHERE owner_id = $1`, id[:]); err != nil {
		return err
	}
	if err := t.hit(storage.ErrNotFound, `DELETE FROM users WHERE id = $1`, id[:]); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM grants WHERE user_id = $1`, id[:])
	return err
}

// claimLogins gives u its logins. One that u names twice, as username and as e-mail, is one.
func (t *tx) claimLogins(u storage.User) error {
	for _, login := range u.Logins {
		err := t.hit(storage.ErrTaken, `INSERT INTO logins (login, user_id) VALUES ($1, $2)
			ON CONFLICT (login) DO UPDATE SET login = login WHERE user_id = excluded.user_id`, login, u.ID[:])
		if err != nil {
			return err
		}
	}
	return nil
}

// raiseAt raises the user's revision where it is still the one given, or whichever it is for 0, so that no sign-in that relies on an
// earlier one can commit.
func (t *tx) raiseAt(userID storage.ID, revision int64) error {
	n, err := t.exec(`UPDATE users SET revision = revision + 1 WHERE id = $1 AND $2 IN (0, revision)`, userID[:], revision)
	if err == nil && n == 0 {
		err = t.movedOrGone(`SELECT 1 FROM users WHERE id = $1`, userID[:])
	}
	return err
}

func userArgs(u storage.User, revision int64, t *tx) []any {
	return []any{
		revision, u.Username, u.Email, u.EmailVerified, u.Phone, u.PhoneVerified,
		record{u.Profile},
		u.Admin,
		micros(u.DisabledAt), micros(t.now),
	}
}

func scanSignIn(r row) (in storage.SignIn, err error) {
	err = r.Scan(append(intoUser(&in.User), &in.PasswordHash)...)
	return in, err
}

// intoUser are the targets of userColumns.
func intoUser(u *storage.User) []any {
	return []any{
		intoID(&u.ID), intoTime(&u.CreatedAt), &u.Revision, &u.Username, &u.Email, &u.EmailVerified, &u.Phone, &u.PhoneVerified,
		intoRecord(&u.Profile), &u.Admin, intoTime(&u.DisabledAt), intoTime(&u.UpdatedAt), intoRecord(&u.Logins),
	}
}
