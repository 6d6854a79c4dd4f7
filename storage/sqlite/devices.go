package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

var _ storage.RememberedDevices = (*Store)(nil)

const deviceColumns = `id, digest, user_id, created_at, expires_at, seen`

const (
	rememberDevice = `INSERT INTO remembered_devices (` + deviceColumns + `) VALUES ($1, $2, $3, $4, $5, $6)`
	findDevices    = `SELECT d.* FROM json_each($1) asked
		CROSS JOIN (SELECT ` + deviceColumns + ` FROM remembered_devices) d ON d.digest = unhex(asked.value)
		ORDER BY asked.key`
	listDevices = `SELECT ` + deviceColumns + ` FROM remembered_devices WHERE user_id = $1 ORDER BY created_at DESC, id DESC`
)

// RememberDevice implements storage.RememberedDevices.
func (s *Store) RememberDevice(ctx context.Context, d storage.RememberedDevice, userRevision int64, also storage.Also) error {
	return s.write(ctx, "remember device", func(t *tx) error {
		if err := t.spend(storage.Spend{UserID: d.UserID, UserRevision: userRevision}); err != nil {
			return err
		}
		_, err := t.exec(rememberDevice, d.ID[:], d.Digest[:], d.UserID[:], micros(t.now), micros(d.ExpiresAt), record{d.Seen})
		if err != nil {
			return err
		}
		return t.also(also)
	})
}

// FindDevices implements storage.RememberedDevices: in the order of the digests.
func (s *Store) FindDevices(ctx context.Context, digests []storage.Digest) ([]storage.RememberedDevice, time.Time, error) {
	return read(ctx, s, "find devices", func(c *session) ([]storage.RememberedDevice, error) {
		return collect(c, scanDevice, findDevices, digestList(digests))
	})
}

// ListDevices implements storage.RememberedDevices.
func (s *Store) ListDevices(ctx context.Context, userID storage.ID) ([]storage.RememberedDevice, error) {
	devices, _, err := read(ctx, s, "list devices", func(c *session) ([]storage.RememberedDevice, error) {
		return collect(c, scanDevice, listDevices, userID[:])
	})
	return devices, err
}

// ForgetDevices implements storage.RememberedDevices. also is written even where there was none.
func (s *Store) ForgetDevices(ctx context.Context, userID, id storage.ID, also storage.Also) (n int, err error) {
	return writeFor(ctx, s, "forget devices", func(t *tx) (int, error) {
		n, err := t.exec(`DELETE FROM remembered_devices WHERE user_id = $1 AND ($2 IS NULL OR id = $2)`, userID[:], optional(id))
		if err != nil {
			return 0, err
		}
		return int(n), t.also(also)
	})
}

// forgetDevices forgets all the user's remembered devices, since what they stood for has changed.
func (t *tx) forgetDevices(userID storage.ID) error {
	_, err := t.exec(`DELETE FROM remembered_devices WHERE user_id = $1`, userID[:])
	return err
}

func scanDevice(r row) (d storage.RememberedDevice, err error) {
	err = r.Scan(intoID(&d.ID), intoDigest(&d.Digest), intoID(&d.UserID), intoTime(&d.CreatedAt), intoTime(&d.ExpiresAt),
		intoRecord(&d.Seen))
	return d, err
}
