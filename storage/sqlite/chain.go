package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

const (
	selectUnchained = `SELECT ` + eventColumns + ` FROM audit_events WHERE seq IS NULL ORDER BY id LIMIT $1`
	selectChained   = `SELECT ` + eventColumns + `, seq, hash FROM audit_events WHERE seq > $1 ORDER BY seq LIMIT $2`

	// The newest event that has a place; or the newest checkpoint, where the events before it were swept.
	selectHead = `SELECT seq, id, hash FROM audit_events WHERE seq = (SELECT max(seq) FROM audit_events WHERE seq > 0)
		UNION ALL SELECT seq, NULL, hash FROM audit_checkpoints
			WHERE seq > coalesce((SELECT max(seq) FROM audit_events WHERE seq > 0), 0)
		ORDER BY seq DESC LIMIT 1`

	selectCheckpoints = `SELECT seq, hash, sealed, created_at FROM audit_checkpoints WHERE seq > $1`
	staleCheckpoint   = ` AND substr(sealed, 1, length($2)) <> $2`

	// The checkpoint up to which events go: before the first event that stays, and the farthest that at most $2 events lead to, or else
	// the first. Where there is none, 0.
	sweptTo = `WITH old AS (SELECT seq FROM audit_checkpoints
			WHERE seq >= (SELECT seq FROM audit_events WHERE seq > 0 ORDER BY seq LIMIT 1)
				AND seq < coalesce((SELECT seq FROM audit_events WHERE seq > 0 AND +at >= $1 ORDER BY seq LIMIT 1), 1 << 62))
		SELECT coalesce((SELECT max(seq) FROM old WHERE seq <
				coalesce((SELECT seq FROM audit_events WHERE seq > 0 ORDER BY seq LIMIT 1 OFFSET $2), 1 << 62)),
			(SELECT min(seq) FROM old), 0)`
)

// UnchainedEvents implements storage.AuditChain.
func (s *Store) UnchainedEvents(ctx context.Context, limit int) (events []storage.Event, head storage.Link, err error) {
	events, _, err = read(ctx, s, "unchained events", func(c *session) ([]storage.Event, error) {
		return snapshot(c, func() (_ []storage.Event, err error) {
			if head, err = newestLink(c); err != nil {
				return nil, err
			}
			return collect(c, scanEvent, selectUnchained, limit)
		})
	})
	if err != nil {
		return nil, storage.Link{}, err
	}
	return events, head, nil
}

// ChainEvents implements storage.AuditChain.
func (s *Store) ChainEvents(ctx context.Context, head int64, links []storage.Link, c *storage.Checkpoint) error {
	return s.write(ctx, "chain events", func(t *tx) error {
		newest, err := newestLink(t.session)
		if err != nil {
			return err
		}
		if newest.Seq != head {
			return storage.ErrMoved
		}
		for _, l := range links {
			err := t.hit(storage.ErrMoved, `UPDATE audit_events SET seq = $2, hash = $3 WHERE id = $1 AND seq IS NULL`,
				l.EventID[:], l.Seq, l.Hash[:])
			if err != nil {
				return err
			}
		}
		if c == nil {
			return nil
		}
		return t.hit(storage.ErrMoved, `INSERT INTO audit_checkpoints (seq, hash, sealed, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT DO NOTHING`, c.Seq, c.Hash[:], blob(c.Sealed), micros(t.now))
	})
}

// ChainedEvents implements storage.AuditChain.
func (s *Store) ChainedEvents(ctx context.Context, after int64, limit int) ([]storage.ChainedEvent, error) {
	found, _, err := read(ctx, s, "chained events", func(c *session) ([]storage.ChainedEvent, error) {
		return collect(c, scanChained, selectChained, after, limit)
	})
	return found, err
}

// ListCheckpoints implements storage.AuditChain.
func (s *Store) ListCheckpoints(ctx context.Context, after int64, limit int) (found []storage.Checkpoint, now time.Time, err error) {
	return read(ctx, s, "list checkpoints", func(c *session) ([]storage.Checkpoint, error) {
		return collect(c, scanCheckpoint, selectCheckpoints+` ORDER BY seq LIMIT $2`, after, limit)
	})
}

// StaleCheckpoints implements storage.AuditChain.
func (s *Store) StaleCheckpoints(
	ctx context.Context, current []byte, after int64, limit int,
) (page []storage.Checkpoint, left int, err error) {
	page, _, err = read(ctx, s, "stale checkpoints", func(c *session) ([]storage.Checkpoint, error) {
		err := c.scan(`SELECT count(*) FROM audit_checkpoints WHERE seq > $1`+staleCheckpoint, []any{0, blob(current)}, &left)
		if err != nil {
			return nil, err
		}
		return collect(c, scanCheckpoint, selectCheckpoints+staleCheckpoint+` ORDER BY seq LIMIT $3`, after, blob(current), limit)
	})
	return page, left, err
}

// ResealCheckpoint implements storage.AuditChain.
func (s *Store) ResealCheckpoint(ctx context.Context, seq int64, old, sealed []byte) error {
	return s.write(ctx, "reseal checkpoint", func(t *tx) error {
		return t.hit(storage.ErrMoved, `UPDATE audit_checkpoints SET sealed = $3 WHERE seq = $1 AND sealed = $2`,
			seq, blob(old), blob(sealed))
	})
}

// sweepEvents removes a beginning of the chain that is older than before, whole up to a checkpoint, and returns how many rows went.
// Where the first stretch alone is more than limit it goes all the same: half of it would leave what cannot be verified.
func (t *tx) sweepEvents(before time.Time, limit int) (int, error) {
	var last int64
	if err := t.scan(sweptTo, []any{micros(before), limit}, &last); err != nil || last == 0 {
		return 0, err
	}
	events, err := t.exec(`DELETE FROM audit_events WHERE seq > 0 AND seq <= $1`, last)
	if err != nil {
		return 0, err
	}
	points, err := t.exec(`DELETE FROM audit_checkpoints WHERE seq < $1`, last)
	return int(events + points), err
}

// newestLink is the newest place that was ever given, as far as anything tells of it.
func newestLink(c *session) (storage.Link, error) {
	heads, err := collect(c, scanLink, selectHead)
	if err != nil || len(heads) == 0 {
		return storage.Link{}, err
	}
	return heads[0], nil
}

func scanLink(r row) (l storage.Link, err error) {
	err = r.Scan(&l.Seq, intoID(&l.EventID), intoDigest(&l.Hash))
	return l, err
}

func scanChained(r row) (c storage.ChainedEvent, err error) {
	err = r.Scan(append(intoEvent(&c.Event), &c.Link.Seq, intoDigest(&c.Link.Hash))...)
	c.Link.EventID = c.Event.ID
	return c, err
}

func scanCheckpoint(r row) (c storage.Checkpoint, err error) {
	err = r.Scan(&c.Seq, intoDigest(&c.Hash), &c.Sealed, intoTime(&c.CreatedAt))
	return c, err
}
