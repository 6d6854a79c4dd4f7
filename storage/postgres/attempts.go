package postgres

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/signet-idp/signet/storage"
)

// TakeAttempts implements storage.Attempts by the generic cell rate algorithm: a bucket's tat is the theoretical arrival time of
// its next token; one is given where max(tat, now) + Every - now ≤ Burst × Every, and that sum is the new tat. The row stays
// locked until the commit; buckets are taken in the order of their keys, so that no two callers wait for each other.
func (s *Store) TakeAttempts(ctx context.Context, takes []storage.Take) (time.Duration, error) {
	if len(takes) == 0 {
		return 0, nil
	}
	wait, err := act(ctx, s, func(b *pgx.Batch, wait *time.Duration) {
		for _, take := range inOrder(takes) {
			given := false
			// excluded.tat is now + Every: what an empty row would get, and one of a clock that was set back since ($5). A full
			// bucket is not written, but it is locked.
			b.Queue(`INSERT INTO buckets AS b (key, tat) VALUES ($2, `+clockNow+` + $3::interval)
				ON CONFLICT (key) DO UPDATE SET tat = CASE WHEN b.tat > excluded.tat + $5::interval THEN excluded.tat
					ELSE greatest(b.tat + $3::interval, excluded.tat) END
				WHERE b.tat <= excluded.tat + $4::interval OR b.tat > excluded.tat + $5::interval RETURNING true`,
				s.now(), take.Key[:], take.Every, time.Duration(take.Burst-2)*take.Every, time.Duration(2*take.Burst-1)*take.Every).QueryRow(func(row pgx.Row) error {
				if err := row.Scan(&given); err != nil && !errors.Is(err, pgx.ErrNoRows) {
					return err
				}
				return nil
			})
			b.Queue(`SELECT tat, `+clockNow+` FROM buckets WHERE key = $2`, s.now(), take.Key[:]).QueryRow(func(row pgx.Row) error {
				var tat, now time.Time
				if err := row.Scan(when{&tat}, when{&now}); err != nil {
					return err
				}
				if !given {
					missing := tat.Sub(now) - time.Duration(take.Burst-1)*take.Every
					*wait = max(*wait, missing, time.Microsecond)
				}
				return nil
			})
		}
		b.Queue(`SELECT`).Exec(func(pgconn.CommandTag) error { // the last word: one refusal takes all of them back
			if *wait > 0 {
				return errAlready
			}
			return nil
		})
	})
	if errors.Is(err, errAlready) {
		return wait, nil
	}
	return wait, err
}

// ReturnAttempts implements storage.Attempts. A tat that has passed is as good as none, so that no bucket overflows.
func (s *Store) ReturnAttempts(ctx context.Context, takes []storage.Take) error {
	if len(takes) == 0 {
		return nil
	}
	return s.actOnly(ctx, func(b *pgx.Batch) {
		for _, take := range inOrder(takes) {
			b.Queue(`UPDATE buckets SET tat = tat - $2::interval WHERE key = $1`, take.Key[:], take.Every)
		}
	})
}

func inOrder(takes []storage.Take) []storage.Take {
	return slices.SortedStableFunc(slices.Values(takes), func(a, b storage.Take) int { return bytes.Compare(a.Key[:], b.Key[:]) })
}

// TryGrant implements storage.Attempts.
func (s *Store) TryGrant(ctx context.Context, id storage.ID, revision int64) error {
	return s.one(ctx, storage.ErrMoved, `UPDATE grants SET revision = revision + 1,
			pending = jsonb_set(pending, '{tries}', to_jsonb(coalesce((pending->>'tries')::bigint, 0) + 1))
		WHERE id = $1 AND revision = $2 AND state = 'pending'`, uid(id), revision)
}
