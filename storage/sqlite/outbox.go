package sqlite

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/signet-idp/signet/storage"
)

const (
	insertLetter = `INSERT INTO outbox (id, kind, user_id, data, attempt, due_at, created_at) VALUES ($1, $2, $3, $4, 0, $5, $5)`
	claimLetters = `UPDATE outbox SET attempt = attempt + 1, due_at = $3
		WHERE id IN (SELECT id FROM outbox WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2)
		RETURNING id, kind, user_id, data, attempt, created_at`
)

// ClaimLetters implements storage.Outbox: those that are due longest, in the order of their IDs.
func (s *Store) ClaimLetters(ctx context.Context, limit int, lease time.Duration) ([]storage.Letter, error) {
	return writeFor(ctx, s, "claim letters", func(t *tx) ([]storage.Letter, error) {
		letters, err := collect(t.session, scanLetter, claimLetters, micros(t.now), limit, micros(t.now.Add(lease)))
		slices.SortFunc(letters, func(a, b storage.Letter) int { return bytes.Compare(a.ID[:], b.ID[:]) })
		return letters, err
	})
}

// FinishLetter implements storage.Outbox.
func (s *Store) FinishLetter(ctx context.Context, id storage.ID, attempt int) error {
	return s.write(ctx, "finish letter", func(t *tx) error {
		_, err := t.exec(`DELETE FROM outbox WHERE id = $1 AND attempt = $2`, id[:], attempt)
		return err
	})
}

// RetryLetter implements storage.Outbox.
func (s *Store) RetryLetter(ctx context.Context, id storage.ID, attempt int, wait time.Duration) error {
	return s.write(ctx, "retry letter", func(t *tx) error {
		_, err := t.exec(`UPDATE outbox SET due_at = $3 WHERE id = $1 AND attempt = $2`,
			id[:], attempt, micros(t.now.Add(wait)))
		return err
	})
}

// SplitLetter implements storage.Outbox.
func (s *Store) SplitLetter(ctx context.Context, id storage.ID, attempt int, into []storage.Letter) error {
	return s.write(ctx, "split letter", func(t *tx) error {
		n, err := t.exec(`DELETE FROM outbox WHERE id = $1 AND attempt = $2`, id[:], attempt)
		if err != nil || n == 0 {
			return err
		}
		return t.also(storage.Also{Letters: into})
	})
}

func scanLetter(r row) (l storage.Letter, err error) {
	err = r.Scan(intoID(&l.ID), &l.Kind, intoID(&l.UserID), intoRecord(&l.Data), &l.Attempt, intoTime(&l.CreatedAt))
	return l, err
}
