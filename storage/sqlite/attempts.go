package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/signet-idp/signet/storage"
)

const (
	selectBucket = `SELECT tat FROM buckets WHERE key = $1`
	upsertBucket = `INSERT INTO buckets (key, tat) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET tat = excluded.tat`
	returnBucket = `UPDATE buckets SET tat = tat - $2 WHERE key = $1`
	dropBucket   = `DELETE FROM buckets WHERE key = $1 AND tat <= $2`

	tryGrant = `UPDATE grants SET revision = revision + 1,
			pending = json_set(pending, '$.tries', coalesce(json_extract(pending, '$.tries'), 0) + 1)
		WHERE id = $1 AND revision = $2 AND state = 'pending'`
)

// TakeAttempts implements storage.Attempts: the generic cell rate algorithm. A bucket named twice gives two tokens.
func (s *Store) TakeAttempts(ctx context.Context, takes []storage.Take) (wait time.Duration, err error) {
	return writeFor(ctx, s, "take attempts", func(t *tx) (time.Duration, error) {
		now := t.now.UnixMicro()
		tats := make(map[storage.Digest]int64, len(takes))
		var wait int64
		for _, take := range takes {
			tat, again := tats[take.Key]
			if !again {
				err := t.scan(selectBucket, []any{take.Key[:]}, &tat)
				if err != nil && !errors.Is(err, storage.ErrNotFound) {
					return 0, err
				}
			}
			every := interval(take)
			if tat-now > 2*int64(take.Burst)*every { // of a clock that was set back since
				tat = now
			}
			tat = max(tat, now) + every
			tats[take.Key] = tat
			wait = max(wait, tat-now-int64(take.Burst)*every)
		}
		if wait > 0 {
			return time.Duration(wait) * time.Microsecond, nil
		}
		for key, tat := range tats {
			if _, err := t.exec(upsertBucket, key[:], tat); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
}

// ReturnAttempts implements storage.Attempts. A bucket that is full again has no row.
func (s *Store) ReturnAttempts(ctx context.Context, takes []storage.Take) error {
	return s.write(ctx, "return attempts", func(t *tx) error {
		for _, take := range takes {
			if _, err := t.exec(returnBucket, take.Key[:], interval(take)); err != nil {
				return err
			}
			if _, err := t.exec(dropBucket, take.Key[:], t.now.UnixMicro()); err != nil {
				return err
			}
		}
		return nil
	})
}

// TryGrant implements storage.Attempts.
func (s *Store) TryGrant(ctx context.Context, id storage.ID, revision int64) error {
	return s.write(ctx, "try grant", func(t *tx) error {
		return t.hit(storage.ErrMoved, tryGrant, id[:], revision)
	})
}

// interval is how long a token takes to grow back, in microseconds and at least one.
func interval(take storage.Take) int64 { return max(1, take.Every.Microseconds()) }
