package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

const (
	takeLease = `INSERT INTO leases (name, holder, ends_at) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends_at = excluded.ends_at
		WHERE ends_at <= $4 OR holder = excluded.holder`

	sweepGrants  = `DELETE FROM grants WHERE id IN (SELECT id FROM grants WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`
	sweepDenials = `DELETE FROM denied_tokens WHERE (grant_id, serial) IN
		(SELECT grant_id, serial FROM denied_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`
	sweepAssertions = `DELETE FROM spent_assertions WHERE digest IN
		(SELECT digest FROM spent_assertions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`
	sweepSessions = `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`
	sweepDevices  = `DELETE FROM remembered_devices WHERE id IN
		(SELECT id FROM remembered_devices WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`
	sweepTickets = `DELETE FROM tickets WHERE id IN (SELECT id FROM tickets WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`
	sweepPushed  = `DELETE FROM pushed_requests WHERE digest IN
		(SELECT digest FROM pushed_requests WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`
	sweepBuckets = `DELETE FROM buckets WHERE key IN (SELECT key FROM buckets WHERE tat <= $1 ORDER BY tat LIMIT $2)`
)

// TakeLease implements storage.Upkeep.
func (s *Store) TakeLease(ctx context.Context, name, holder string, lease time.Duration) (bool, error) {
	return writeFor(ctx, s, "take lease", func(t *tx) (bool, error) {
		n, err := t.exec(takeLease, name, holder, micros(t.now.Add(lease)), micros(t.now))
		return n == 1, err
	})
}

// SweepExpired implements storage.Upkeep.
func (s *Store) SweepExpired(ctx context.Context, limit int, keep, retention time.Duration) (n int, err error) {
	return writeFor(ctx, s, "sweep", func(t *tx) (int, error) {
		sweeps := []struct {
			query  string
			before time.Time
		}{
			{sweepGrants, t.now.Add(-keep)},
			{sweepDenials, t.now.Add(-keep)},
			{sweepAssertions, t.now.Add(-keep)},
			{sweepSessions, t.now.Add(-keep)},
			{sweepDevices, t.now.Add(-keep)},
			{sweepTickets, t.now.Add(-keep)},
			{sweepPushed, t.now.Add(-keep)},
			{sweepBuckets, t.now},
		}
		n := 0
		for _, sweep := range sweeps {
			gone, err := t.exec(sweep.query, micros(sweep.before), limit)
			if err != nil {
				return 0, err
			}
			n += int(gone)
		}
		if retention <= 0 {
			return n, nil
		}
		events, err := t.sweepEvents(t.now.Add(-retention), limit)
		return n + events, err
	})
}

// WalkGrants implements storage.Upkeep.
func (s *Store) WalkGrants(ctx context.Context, after storage.ID, limit int) (page []storage.GrantAge, now time.Time, err error) {
	return read(ctx, s, "walk grants", func(c *session) ([]storage.GrantAge, error) {
		return collect(c, scanGrantAge, `SELECT id, revision, client_id, state, issued_at, revoked_at, expires_at FROM grants
			WHERE id > $1 ORDER BY id LIMIT $2`, after[:], limit)
	})
}

// DropGrants implements storage.Upkeep.
func (s *Store) DropGrants(ctx context.Context, dead []storage.GrantAge) (n int, err error) {
	return writeFor(ctx, s, "drop grants", func(t *tx) (int, error) {
		n := 0
		for _, g := range dead {
			gone, err := t.exec(`DELETE FROM grants WHERE id = $1 AND revision = $2`, g.ID[:], g.Revision)
			if err != nil {
				return 0, err
			}
			n += int(gone)
		}
		return n, nil
	})
}

func scanGrantAge(r row) (g storage.GrantAge, err error) {
	err = r.Scan(intoID(&g.ID), &g.Revision, &g.ClientID, &g.State, intoTime(&g.IssuedAt), intoTime(&g.RevokedAt),
		intoTime(&g.ExpiresAt))
	return g, err
}
