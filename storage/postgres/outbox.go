package postgres

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// ClaimLetters implements storage.Outbox. Letters that another node is claiming are passed over.
func (s *Store) ClaimLetters(ctx context.Context, limit int, lease time.Duration) ([]storage.Letter, error) {
	letters, err := write(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.Letter, error) {
		rows, err := c.Query(ctx, `WITH clock AS MATERIALIZED (SELECT `+clockNow+` AS now), due AS MATERIALIZED (
				SELECT id FROM outbox WHERE due_at <= (SELECT now FROM clock) ORDER BY due_at, id LIMIT $2 FOR UPDATE SKIP LOCKED)
			UPDATE outbox o SET attempt = attempt + 1, due_at = clock.now + $3::interval FROM due, clock WHERE o.id = due.id
			RETURNING o.id, o.kind, o.user_id, o.data, o.attempt, o.created_at`, s.now(), limit, lease)
		return rowsOf(rows, err, func(l *storage.Letter) []any {
			return []any{idOf{&l.ID}, &l.Kind, idOf{&l.UserID}, &l.Data, &l.Attempt, when{&l.CreatedAt}}
		})
	})
	slices.SortFunc(letters, func(a, b storage.Letter) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return letters, err
}

// FinishLetter implements storage.Outbox.
func (s *Store) FinishLetter(ctx context.Context, id storage.ID, attempt int) error {
	return s.one(ctx, nil, `DELETE FROM outbox WHERE id = $1 AND attempt = $2`, uid(id), attempt)
}

// RetryLetter implements storage.Outbox.
func (s *Store) RetryLetter(ctx context.Context, id storage.ID, attempt int, wait time.Duration) error {
	return s.one(ctx, nil, `UPDATE outbox SET due_at = `+clockNow+` + $4::interval WHERE id = $2 AND attempt = $3`,
		s.now(), uid(id), attempt, wait)
}

// SplitLetter implements storage.Outbox.
func (s *Store) SplitLetter(ctx context.Context, id storage.ID, attempt int, into []storage.Letter) error {
	err := s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM outbox WHERE id = $1 AND attempt = $2`, uid(id), attempt).Exec(must(errAlready))
		s.report(b, storage.Also{Letters: into})
	})
	if errors.Is(err, errAlready) {
		return nil
	}
	return err
}
