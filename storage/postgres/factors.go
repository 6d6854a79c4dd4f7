package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// EnrollTOTP implements storage.Factors. The reference to the user is what finds out that there is none.
func (s *Store) EnrollTOTP(ctx context.Context, t storage.TOTP, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO totp (id, user_id, name, sealed, confirmed_at, last_step, created_at)
			VALUES ($2, $3, $4, $5, NULL, 0, `+clockNow+`)
			ON CONFLICT (user_id) WHERE confirmed_at IS NULL DO UPDATE
			SET id = excluded.id, name = excluded.name, sealed = excluded.sealed, created_at = excluded.created_at`,
			s.now(), uid(t.ID), uid(t.UserID), t.Name, blob(t.Sealed))
		s.report(b, also)
	})
}

// FindEnrollment implements storage.Factors.
func (s *Store) FindEnrollment(ctx context.Context, userID storage.ID) (storage.TOTP, time.Time, error) {
	type answer struct {
		t   storage.TOTP
		now time.Time
	}
	a, err := read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (a answer, err error) {
		err = c.QueryRow(ctx, `SELECT id, user_id, name, sealed, last_step, created_at, `+clockNow+`
			FROM totp WHERE user_id = $2 AND confirmed_at IS NULL`, s.now(), uid(userID)).
			Scan(idOf{&a.t.ID}, idOf{&a.t.UserID}, &a.t.Name, &a.t.Sealed, &a.t.LastStep, when{&a.t.CreatedAt}, when{&a.now})
		return a, err
	})
	return a.t, a.now, err
}

// ConfirmTOTP implements storage.Factors. The user's row is always locked before the factors: see pay.
func (s *Store) ConfirmTOTP(ctx context.Context, userID, factorID storage.ID, revision, step int64, codes []storage.Digest, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`UPDATE users SET revision = revision + 1 WHERE id = $1 AND $2::bigint IN (0, revision)`, uid(userID), revision).
			Exec(must(storage.ErrMoved))
		b.Queue(`UPDATE totp SET confirmed_at = `+clockNow+`, last_step = $4 WHERE id = $2 AND user_id = $3 AND confirmed_at IS NULL`,
			s.now(), uid(factorID), uid(userID), step).Exec(must(storage.ErrMoved))
		if len(codes) > 0 {
			replaceCodes(b, userID, codes)
		}
		forgetDevices(b, userID)
		s.report(b, also)
	})
}

// RemoveFactors implements storage.Factors.
func (s *Store) RemoveFactors(ctx context.Context, userID storage.ID, also storage.Also) (int, error) {
	return act(ctx, s, func(b *pgx.Batch, n *int) {
		removeFactors(b, userID, 0, n)
		s.report(b, also)
	})
}

func removeFactors(b *pgx.Batch, userID storage.ID, revision int64, n *int) {
	raiseAt(b, userID, revision)
	b.Queue(`DELETE FROM totp WHERE user_id = $1`, uid(userID)).Exec(changed(n))
	b.Queue(`DELETE FROM passkeys WHERE user_id = $1`, uid(userID)).Exec(changed(n))
	b.Queue(`DELETE FROM recovery_codes WHERE user_id = $1`, uid(userID))
	forgetDevices(b, userID)
}

// RemoveFactor implements storage.OwnFactors.
func (s *Store) RemoveFactor(ctx context.Context, userID, factorID storage.ID, revision int64, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		raiseAt(b, userID, revision)
		b.Queue(`DELETE FROM totp WHERE id = $1 AND user_id = $2 AND confirmed_at IS NOT NULL`, uid(factorID), uid(userID)).
			Exec(must(storage.ErrNotFound))
		afterFactor(b, userID)
		s.report(b, also)
	})
}

// ReplaceRecoveryCodes implements storage.OwnFactors.
func (s *Store) ReplaceRecoveryCodes(
	ctx context.Context, userID storage.ID, revision int64, codes []storage.Digest, also storage.Also,
) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		raiseAt(b, userID, revision)
		b.Queue(`SELECT WHERE `+hasFactor, uid(userID)).Exec(must(storage.ErrNotFound))
		replaceCodes(b, userID, codes)
		forgetDevices(b, userID)
		s.report(b, also)
	})
}

func replaceCodes(b *pgx.Batch, userID storage.ID, codes []storage.Digest) {
	b.Queue(`DELETE FROM recovery_codes WHERE user_id = $1`, uid(userID))
	b.Queue(`INSERT INTO recovery_codes (user_id, digest) SELECT DISTINCT $1::uuid, digest FROM unnest($2::bytea[]) AS digest`,
		uid(userID), hashes(codes))
}

// StaleSeeds implements storage.Factors.
func (s *Store) StaleSeeds(ctx context.Context, current []byte, after storage.ID, limit int) (page []storage.TOTP, left int, err error) {
	const stale = ` WHERE substring(sealed FROM 1 FOR length($1::bytea)) <> $1`
	type answer struct {
		page []storage.TOTP
		left int
	}
	a, err := read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (a answer, err error) {
		if err := c.QueryRow(ctx, `SELECT count(*) FROM totp`+stale, blob(current)).Scan(&a.left); err != nil {
			return a, err
		}
		rows, err := c.Query(ctx, `SELECT id, user_id, name, sealed, confirmed_at, last_step, created_at FROM totp`+stale+
			` AND id > $2 ORDER BY id LIMIT $3`, blob(current), pgtype.UUID{Bytes: after, Valid: true}, limit)
		a.page, err = rowsOf(rows, err, func(t *storage.TOTP) []any {
			return []any{
				idOf{&t.ID}, idOf{&t.UserID}, &t.Name, &t.Sealed, when{&t.ConfirmedAt}, &t.LastStep, when{&t.CreatedAt},
			}
		})
		return a, err
	})
	return a.page, a.left, err
}

// ResealSeed implements storage.Factors.
func (s *Store) ResealSeed(ctx context.Context, factorID storage.ID, old, sealed []byte) error {
	return s.one(ctx, storage.ErrMoved, `UPDATE totp SET sealed = $3 WHERE id = $1 AND sealed = $2`, uid(factorID), blob(old), blob(sealed))
}
