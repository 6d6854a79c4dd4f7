package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

const selectTOTP = `SELECT id, user_id, name, sealed, confirmed_at, last_step, created_at FROM totp`

// EnrollTOTP implements storage.Factors.
func (s *Store) EnrollTOTP(ctx context.Context, d storage.TOTP, also storage.Also) error {
	return s.write(ctx, "enroll TOTP", func(t *tx) error {
		var one int
		if err := t.scan(`SELECT 1 FROM users WHERE id = $1`, []any{d.UserID[:]}, &one); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM totp WHERE user_id = $1 AND confirmed_at IS NULL`, d.UserID[:]); err != nil {
			return err
		}
		err := t.hit(storage.ErrTaken, `INSERT INTO totp (id, user_id, name, sealed, confirmed_at, last_step, created_at)
			VALUES ($1, $2, $3, $4, NULL, 0, $5) ON CONFLICT (id) DO NOTHING`,
			d.ID[:], d.UserID[:], d.Name, blob(d.Sealed), micros(t.now))
		if err != nil {
			return err
		}
		return t.also(also)
	})
}

// FindEnrollment implements storage.Factors.
func (s *Store) FindEnrollment(ctx context.Context, userID storage.ID) (t storage.TOTP, now time.Time, err error) {
	return read(ctx, s, "find enrollment", func(c *session) (storage.TOTP, error) {
		return one(c, scanTOTP, selectTOTP+` WHERE user_id = $1 AND confirmed_at IS NULL`, userID[:])
	})
}

// ConfirmTOTP implements storage.Factors.
func (s *Store) ConfirmTOTP(
	ctx context.Context, userID, factorID storage.ID, revision, step int64, codes []storage.Digest, also storage.Also,
) error {
	return s.write(ctx, "confirm TOTP", func(t *tx) error {
		err := t.hit(storage.ErrMoved, `UPDATE totp SET confirmed_at = $3, last_step = $4
			WHERE id = $1 AND user_id = $2 AND confirmed_at IS NULL`, factorID[:], userID[:], micros(t.now), step)
		if err != nil {
			return err
		}
		if len(codes) > 0 {
			if err := t.replaceCodes(userID, codes); err != nil {
				return err
			}
		}
		if err := t.forgetDevices(userID); err != nil {
			return err
		}
		err = t.hit(storage.ErrMoved, `UPDATE users SET revision = revision + 1 WHERE id = $1 AND $2 IN (0, revision)`, userID[:], revision)
		if err != nil {
			return err
		}
		return t.also(also)
	})
}

// RemoveFactors implements storage.Factors. A device that waits to be confirmed counts.
func (s *Store) RemoveFactors(ctx context.Context, userID storage.ID, also storage.Also) (n int, err error) {
	return writeFor(ctx, s, "remove factors", func(t *tx) (int, error) {
		n, err := t.removeFactors(userID, 0)
		if err != nil {
			return 0, err
		}
		return n, t.also(also)
	})
}

func (t *tx) removeFactors(userID storage.ID, revision int64) (int, error) {
	if err := t.raiseAt(userID, revision); err != nil {
		return 0, err
	}
	devices, err := t.exec(`DELETE FROM totp WHERE user_id = $1`, userID[:])
	if err != nil {
		return 0, err
	}
	passkeys, err := t.exec(`DELETE FROM passkeys WHERE user_id = $1`, userID[:])
	if err != nil {
		return 0, err
	}
	if err := t.replaceCodes(userID, nil); err != nil {
		return 0, err
	}
	return int(devices + passkeys), t.forgetDevices(userID)
}

// RemoveFactor implements storage.OwnFactors.
func (s *Store) RemoveFactor(ctx context.Context, userID, factorID storage.ID, revision int64, also storage.Also) error {
	return s.write(ctx, "remove factor", func(t *tx) error {
		if err := t.raiseAt(userID, revision); err != nil {
			return err
		}
		err := t.hit(storage.ErrNotFound, `DELETE FROM totp WHERE id = $1 AND user_id = $2 AND confirmed_at IS NOT NULL`,
			factorID[:], userID[:])
		if err != nil {
			return err
		}
		if err := t.afterFactor(userID); err != nil {
			return err
		}
		return t.also(also)
	})
}

// ReplaceRecoveryCodes implements storage.OwnFactors.
func (s *Store) ReplaceRecoveryCodes(
	ctx context.Context, userID storage.ID, revision int64, codes []storage.Digest, also storage.Also,
) error {
	return s.write(ctx, "replace recovery codes", func(t *tx) error {
		if err := t.raiseAt(userID, revision); err != nil {
			return err
		}
		var one int
		if err := t.scan(`SELECT 1 WHERE `+hasFactor, []any{userID[:]}, &one); err != nil {
			return err
		}
		if err := t.replaceCodes(userID, codes); err != nil {
			return err
		}
		if err := t.forgetDevices(userID); err != nil {
			return err
		}
		return t.also(also)
	})
}

// StaleSeeds implements storage.Factors.
func (s *Store) StaleSeeds(ctx context.Context, current []byte, after storage.ID, limit int) (page []storage.TOTP, left int, err error) {
	const stale = ` WHERE substr(sealed, 1, length($1)) <> $1`
	page, _, err = read(ctx, s, "stale seeds", func(c *session) ([]storage.TOTP, error) {
		if err := c.scan(`SELECT count(*) FROM totp`+stale, []any{blob(current)}, &left); err != nil {
			return nil, err
		}
		return collect(c, scanTOTP, selectTOTP+stale+` AND id > $2 ORDER BY id LIMIT $3`, blob(current), after[:], limit)
	})
	return page, left, err
}

// ResealSeed implements storage.Factors.
func (s *Store) ResealSeed(ctx context.Context, factorID storage.ID, old, sealed []byte) error {
	return s.write(ctx, "reseal seed", func(t *tx) error {
		return t.hit(storage.ErrMoved, `UPDATE totp SET sealed = $3 WHERE id = $1 AND sealed = $2`, factorID[:], blob(old), blob(sealed))
	})
}

func (t *tx) replaceCodes(userID storage.ID, codes []storage.Digest) error {
	if _, err := t.exec(`DELETE FROM recovery_codes WHERE user_id = $1`, userID[:]); err != nil {
		return err
	}
	for _, code := range codes {
		_, err := t.exec(`INSERT INTO recovery_codes (user_id, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
			userID[:], code[:])
		if err != nil {
			return err
		}
	}
	return nil
}

func scanTOTP(r row) (d storage.TOTP, err error) {
	err = r.Scan(intoID(&d.ID), intoID(&d.UserID), &d.Name, &d.Sealed, intoTime(&d.ConfirmedAt), &d.LastStep,
		intoTime(&d.CreatedAt))
	return d, err
}
