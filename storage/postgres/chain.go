package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

const (
	// The newest event that has a place; or the newest checkpoint, where the events before it were swept.
	selectHead = `SELECT seq, id, hash FROM audit_events WHERE seq = (SELECT max(seq) FROM audit_events WHERE seq > 0)
		UNION ALL SELECT seq, NULL, hash FROM audit_checkpoints
			WHERE seq > coalesce((SELECT max(seq) FROM audit_events WHERE seq > 0), 0)
		ORDER BY seq DESC LIMIT 1`

	checkpointColumns = `c.seq, c.hash, c.sealed, c.created_at`
	staleCheckpoint   = ` AND substring(c.sealed FROM 1 FOR length($2::bytea)) <> $2`

	// last is the checkpoint up to which events go: before the first event that stays, and the farthest that at most $3 events lead to,
	// or else the first. Where there is none, 0.
	sweepEvents = `WITH old AS MATERIALIZED (SELECT seq FROM audit_checkpoints
			WHERE seq >= (SELECT seq FROM audit_events WHERE seq > 0 ORDER BY seq LIMIT 1)
				AND seq < coalesce((SELECT seq FROM audit_events WHERE seq > 0 AND at >= (SELECT ` + clockNow + ` - $2::interval)
					ORDER BY seq LIMIT 1), 1::bigint << 62)),
		last AS MATERIALIZED (SELECT coalesce((SELECT max(seq) FROM old WHERE seq <
				coalesce((SELECT seq FROM audit_events WHERE seq > 0 ORDER BY seq LIMIT 1 OFFSET $3), 1::bigint << 62)),
			(SELECT min(seq) FROM old), 0) AS seq),
		events AS (DELETE FROM audit_events WHERE seq > 0 AND seq <= (SELECT seq FROM last) RETURNING 1),
		points AS (DELETE FROM audit_checkpoints WHERE seq < (SELECT seq FROM last) RETURNING 1)
		SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM points)`
)

func intoCheckpoint(c *storage.Checkpoint) []any {
	return []any{&c.Seq, digest{&c.Hash}, &c.Sealed, when{&c.CreatedAt}}
}

// UnchainedEvents implements storage.AuditChain. The head is read first: who chains in between makes the caller's head an old one.
func (s *Store) UnchainedEvents(ctx context.Context, limit int) ([]storage.Event, storage.Link, error) {
	type answer struct {
		events []storage.Event
		head   storage.Link
	}
	a, err := read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (a answer, err error) {
		err = c.QueryRow(ctx, selectHead).Scan(&a.head.Seq, idOf{&a.head.EventID}, digest{&a.head.Hash})
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return a, err
		}
		rows, err := c.Query(ctx, `SELECT `+eventColumns+` FROM audit_events WHERE seq IS NULL ORDER BY id LIMIT $1`, limit)
		a.events, err = rowsOf(rows, err, intoEvent)
		return a, err
	})
	return a.events, a.head, err
}

// ChainEvents implements storage.AuditChain. The table's lock lets one chainer in at a time; readers, and those who write events, never wait for it.
func (s *Store) ChainEvents(ctx context.Context, head int64, links []storage.Link, c *storage.Checkpoint) error {
	ids := uids(links, func(l storage.Link) storage.ID { return l.EventID })
	seqs, sums := make([]int64, len(links)), make([]storage.Digest, len(links))
	for i, l := range links {
		seqs[i], sums[i] = l.Seq, l.Hash
	}
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`LOCK TABLE audit_checkpoints IN SHARE ROW EXCLUSIVE MODE`)
		b.Queue(`SELECT coalesce((SELECT seq FROM (` + selectHead + `) AS head), 0)`).QueryRow(at(head))
		b.Queue(`UPDATE audit_events e SET seq = link.seq, hash = link.hash
			FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) AS link (id, seq, hash) WHERE e.id = link.id AND e.seq IS NULL`,
			ids, seqs, hashes(sums)).Exec(func(tag pgconn.CommandTag) error {
			if tag.RowsAffected() != int64(len(links)) {
				return storage.ErrMoved
			}
			return nil
		})
		if c != nil {
			b.Queue(`INSERT INTO audit_checkpoints (seq, hash, sealed, created_at) VALUES ($2, $3, $4, `+clockNow+`)
				ON CONFLICT DO NOTHING`, s.now(), c.Seq, c.Hash[:], blob(c.Sealed)).Exec(must(storage.ErrMoved))
		}
	})
}

// ChainedEvents implements storage.AuditChain.
func (s *Store) ChainedEvents(ctx context.Context, after int64, limit int) ([]storage.ChainedEvent, error) {
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.ChainedEvent, error) {
		rows, err := c.Query(ctx, `SELECT `+eventColumns+`, id, seq, hash FROM audit_events WHERE seq > $1 ORDER BY seq LIMIT $2`,
			after, limit)
		return rowsOf(rows, err, func(c *storage.ChainedEvent) []any {
			return append(intoEvent(&c.Event), idOf{&c.Link.EventID}, &c.Link.Seq, digest{&c.Link.Hash})
		})
	})
}

// ListCheckpoints implements storage.AuditChain.
func (s *Store) ListCheckpoints(ctx context.Context, after int64, limit int) ([]storage.Checkpoint, time.Time, error) {
	return readAt(ctx, s, `SELECT clock.now, found.* FROM (SELECT `+clockNow+` AS now) AS clock LEFT JOIN (
			SELECT `+checkpointColumns+` FROM audit_checkpoints c WHERE c.seq > $2 ORDER BY c.seq LIMIT $3) AS found ON true
		ORDER BY found.seq`, intoCheckpoint, after, limit)
}

// StaleCheckpoints implements storage.AuditChain.
func (s *Store) StaleCheckpoints(
	ctx context.Context, current []byte, after int64, limit int,
) (page []storage.Checkpoint, left int, err error) {
	type answer struct {
		page []storage.Checkpoint
		left int
	}
	a, err := read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (a answer, err error) {
		err = c.QueryRow(ctx, `SELECT count(*) FROM audit_checkpoints c WHERE c.seq > $1`+staleCheckpoint, 0, blob(current)).Scan(&a.left)
		if err != nil {
			return a, err
		}
		rows, err := c.Query(ctx, `SELECT `+checkpointColumns+` FROM audit_checkpoints c WHERE c.seq > $1`+staleCheckpoint+
			` ORDER BY c.seq LIMIT $3`, after, blob(current), limit)
		a.page, err = rowsOf(rows, err, intoCheckpoint)
		return a, err
	})
	return a.page, a.left, err
}

// ResealCheckpoint implements storage.AuditChain.
func (s *Store) ResealCheckpoint(ctx context.Context, seq int64, old, sealed []byte) error {
	return s.one(ctx, storage.ErrMoved, `UPDATE audit_checkpoints SET sealed = $3 WHERE seq = $1 AND sealed = $2`,
		seq, blob(old), blob(sealed))
}

// sweepEvents removes a beginning of the chain that is older than retention, whole up to a checkpoint. Where the first stretch alone is
// more than limit it goes all the same: half of it would leave what cannot be verified.
func (s *Store) sweepEvents(b *pgx.Batch, retention time.Duration, limit int, n *int) {
	b.Queue(sweepEvents, s.now(), retention, limit).QueryRow(func(row pgx.Row) error {
		var gone int
		err := row.Scan(&gone)
		*n += gone
		return err
	})
}
