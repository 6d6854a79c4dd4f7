package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

const deviceColumns = `d.id, d.digest, d.user_id, d.created_at, d.expires_at, d.seen`

func intoDevice(d *storage.RememberedDevice) []any {
	return []any{idOf{&d.ID}, digest{&d.Digest}, idOf{&d.UserID}, when{&d.CreatedAt}, when{&d.ExpiresAt}, &d.Seen}
}

// RememberDevice implements storage.RememberedDevices.
func (s *Store) RememberDevice(ctx context.Context, d storage.RememberedDevice, userRevision int64, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		s.pay(b, storage.Spend{UserID: d.UserID, UserRevision: userRevision})
		b.Queue(`INSERT INTO remembered_devices (id, digest, user_id, created_at, expires_at, seen)
			VALUES ($2, $3, $4, `+clockNow+`, $5, $6)`,
			s.now(), uid(d.ID), d.Digest[:], uid(d.UserID), stamp(d.ExpiresAt), record(d.Seen))
		s.report(b, also)
	})
}

// FindDevices implements storage.RememberedDevices.
func (s *Store) FindDevices(ctx context.Context, digests []storage.Digest) ([]storage.RememberedDevice, time.Time, error) {
	return readAt(ctx, s, `SELECT clock.now, `+deviceColumns+`
		FROM (SELECT `+clockNow+` AS now) AS clock LEFT JOIN (unnest($2::bytea[]) WITH ORDINALITY AS asked (digest, n)
			JOIN remembered_devices d ON d.digest = asked.digest) ON true
		ORDER BY asked.n`, intoDevice, hashes(digests))
}

// ListDevices implements storage.RememberedDevices.
func (s *Store) ListDevices(ctx context.Context, userID storage.ID) ([]storage.RememberedDevice, error) {
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.RememberedDevice, error) {
		rows, err := c.Query(ctx, `SELECT `+deviceColumns+` FROM remembered_devices d WHERE d.user_id = $1
			ORDER BY d.created_at DESC, d.id DESC`, uid(userID))
		return rowsOf(rows, err, intoDevice)
	})
}

// ForgetDevices implements storage.RememberedDevices.
func (s *Store) ForgetDevices(ctx context.Context, userID, id storage.ID, also storage.Also) (int, error) {
	return act(ctx, s, func(b *pgx.Batch, n *int) {
		if id.IsZero() {
			forgetDevices(b, userID).Exec(changed(n))
		} else {
			b.Queue(`DELETE FROM remembered_devices WHERE user_id = $1 AND id = $2`, uid(userID), uid(id)).Exec(changed(n))
		}
		s.report(b, also)
	})
}

// forgetDevices removes all of a user's. Where the user changes, that row is locked before: see pay.
func forgetDevices(b *pgx.Batch, userID storage.ID) *pgx.QueuedQuery {
	return b.Queue(`DELETE FROM remembered_devices WHERE user_id = $1`, uid(userID))
}
