package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// rotation is one caller's part in a gathered rotation.
type rotation = call[storage.Step, struct{}]

// RotateGrant implements storage.Grants. A step that commits events with itself, which is rare, goes alone.
func (s *Store) RotateGrant(ctx context.Context, step storage.Step) error {
	if len(step.Also.Events) == 0 && len(step.Also.Letters) == 0 {
		_, err := s.rotations.do(ctx, storage.ErrUnknown, step)
		return err
	}
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(rotateOne, stepArgs([]storage.Step{step})...).Exec(must(storage.ErrMoved))
		s.report(b, step.Also)
	})
}

// The rotation of many grants and of one. steps are the rows to be; the times of all of them travel in one array, $12, of
// which each takes its slice. Only those rows are moved that could be locked without waiting: somebody else holds the others,
// and they are judged again alone. A row that was locked and did not move is no longer at the revision that was read.
const (
	steps = `steps AS MATERIALIZED (
		SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::integer[], $5::integer[], $6::integer[], $7::timestamptz[],
				$8::integer[], $9::integer[], $10::timestamptz[], $11::text[])
			AS step (id, revision, generation, fork, parent_fork, key_id, issued_at, retired_from, retired_to, shared_at, seen))`
	rotating = `UPDATE grants g SET revision = g.revision + 1, generation = steps.generation, fork = steps.fork,
			parent_fork = steps.parent_fork, key_id = steps.key_id, issued_at = steps.issued_at,
			retired = ($12::timestamptz[])[steps.retired_from : steps.retired_to],
			shared_at = steps.shared_at, seen = steps.seen::json`
	rotateMany = `WITH ` + steps + `, locked AS MATERIALIZED (
			SELECT id FROM grants WHERE id = ANY ($1::uuid[]) FOR NO KEY UPDATE SKIP LOCKED),
		moved AS (` + rotating + ` FROM steps JOIN locked USING (id)
			WHERE g.id = steps.id AND g.revision = steps.revision AND g.state = 'active' RETURNING g.id)
		SELECT locked.id, moved.id IS NOT NULL FROM locked LEFT JOIN moved USING (id)`
	rotateOne = `WITH ` + steps + rotating + ` FROM steps
		WHERE g.id = steps.id AND g.revision = steps.revision AND g.state = 'active'`
)

// stepArgs are the parameters of rotateMany and rotateOne.
func stepArgs(of []storage.Step) []any {
	n := len(of)
	ids, issued, shared := make([]pgtype.UUID, n), make([]pgtype.Timestamptz, n), make([]pgtype.Timestamptz, n)
	revisions, generations := make([]int64, n), make([]int64, n)
	forks, parents, keys := make([]int32, n), make([]int32, n), make([]int32, n)
	from, to, seen := make([]int32, n), make([]int32, n), make([]string, n)
	retired := []pgtype.Timestamptz{}
	for i, step := range of {
		ids[i], revisions[i], generations[i] = uid(step.ID), step.Revision, int64(step.Generation)
		forks[i], parents[i], keys[i] = int32(step.Fork), int32(step.ParentFork), int32(step.KeyID)
		issued[i], shared[i], seen[i] = stamp(step.IssuedAt), stamp(step.SharedAt), record(step.Seen)
		from[i] = int32(len(retired) + 1) // arrays of SQL begin at 1, and a slice names its last element
		for _, t := range step.Retired {
			retired = append(retired, stamp(t))
		}
		to[i] = int32(len(retired))
	}
	return []any{ids, revisions, generations, forks, parents, keys, issued, from, to, shared, seen, retired}
}

// rotateGrants moves a batch of grants in one statement and one commit.
func (s *Store) rotateGrants(ctx context.Context, batch []*rotation) {
	of := make([]storage.Step, len(batch))
	for i, c := range batch {
		of[i] = c.query
	}
	moved, err := attempt(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (map[storage.ID]bool, error) {
		moved, err := rotateOn(ctx, c, of)
		return moved, committing(err)
	})
	for _, c := range batch {
		first, locked := moved[c.query.ID]
		switch {
		case err != nil && !oneRow(err):
			c.finish(struct{}{}, err)
		case err != nil || !locked:
			go s.rotateAlone(ctx, c)
		case first:
			c.finish(struct{}{}, nil)
		default:
			c.finish(struct{}{}, storage.ErrMoved)
		}
	}
}

// rotateOn returns the grants that could be locked, and of each whether it moved.
func rotateOn(ctx context.Context, c *pgxpool.Conn, of []storage.Step) (map[storage.ID]bool, error) {
	rows, err := c.Query(ctx, rotateMany, stepArgs(of)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	moved := make(map[storage.ID]bool, len(of))
	for rows.Next() {
		var id storage.ID
		var first bool
		if err := rows.Scan(idOf{&id}, &first); err != nil {
			return nil, err
		}
		moved[id] = first
	}
	return moved, rows.Err()
}

// rotateAlone judges a rotation whose row somebody else had locked, or whose batch failed: it waits for the lock, and only
// its own caller waits with it.
func (s *Store) rotateAlone(ctx context.Context, c *rotation) {
	if !acquireOr(s.stragglers, s.patience) {
		c.finish(struct{}{}, fmt.Errorf("%w: postgres: too many grants are locked by others", storage.ErrUnavailable))
		return
	}
	_, err := attempt(ctx, s, func(ctx context.Context, conn *pgxpool.Conn) (struct{}, error) {
		tag, err := conn.Exec(ctx, rotateOne, stepArgs([]storage.Step{c.query})...)
		if err == nil {
			err = must(storage.ErrMoved)(tag)
		}
		return struct{}{}, committing(err)
	})
	<-s.stragglers
	c.finish(struct{}{}, err)
}

// acquireOr waits for a place in slots no longer than for a connection.
func acquireOr(slots chan struct{}, patience time.Duration) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case slots <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}
