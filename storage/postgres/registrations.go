package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

const (
	// The words of the index clients_unused, which holds these clients and no others.
	unused = `used_at IS NULL AND disabled_at IS NULL AND origin IN ('software', 'document')`

	// unusedLock is the advisory lock of those who count the unused clients, so that each counts what the ones before it registered.
	unusedLock = 0x7369676e6574 // signet

	spendRegistrationToken = `UPDATE registration_tokens SET uses = uses + 1 WHERE id = $2 AND revoked_at IS NULL
		AND (expires_at IS NULL OR expires_at > ` + clockNow + `) AND (max_uses = 0 OR uses < max_uses)`

	// As many of the oldest as there are too many. Whoever uses or disables one of them at this moment wins: then it is not among them.
	tooMany = `SELECT c.id, c.created_at FROM clients c WHERE c.used_at IS NULL AND c.disabled_at IS NULL AND c.id IN (
			SELECT id FROM clients WHERE ` + unused + ` AND id <> $1 ORDER BY created_at, id
			LIMIT greatest((SELECT count(*) FROM clients WHERE ` + unused + `) - $2, 0))
		ORDER BY c.id FOR UPDATE`
	expiredUnused = `SELECT id, created_at FROM clients WHERE ` + unused + ` AND created_at < (SELECT ` + clockNow + ` - $2::interval)
			AND (created_at, id) > (coalesce($3::timestamptz, '-infinity'), $4)
		ORDER BY created_at, id LIMIT $5 FOR UPDATE SKIP LOCKED`
)

// RegisterClient implements storage.Registrations. ErrNotFound: the owner is gone.
//
// Its locks, in the order of all verbs (see pay): the owner, as one that changes, so that of several clients of one person each is
// counted by the next; the registration token; the advisory lock, after the insert, so that nobody who has it waits for the same
// client_id; the clients that make room; their grants.
func (s *Store) RegisterClient(ctx context.Context, c storage.Client, r storage.Registration, also storage.Also) error {
	_, err := act(ctx, s, func(b *pgx.Batch, dropped *unusedClients) {
		if r.Owned > 0 && !c.OwnerID.IsZero() {
			b.Queue(`SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE`, uid(c.OwnerID)).Exec(must(storage.ErrNotFound))
		}
		if !r.TokenID.IsZero() {
			b.Queue(spendRegistrationToken, s.now(), uid(r.TokenID)).Exec(must(storage.ErrSpent))
		}
		s.createClient(b, c)
		if r.Owned > 0 && !c.OwnerID.IsZero() {
			b.Queue(`SELECT FROM clients WHERE owner_id = $1 HAVING count(*) <= $2`, uid(c.OwnerID), r.Owned).Exec(must(storage.ErrSpent))
		}
		if r.Unused > 0 {
			b.Queue(`SELECT pg_advisory_xact_lock($1)`, unusedLock)
			dropped.choose(b, tooMany, c.ID, r.Unused)
		}
		s.report(b, also)
	}, func(b *pgx.Batch, dropped *unusedClients) { dropped.drop(b) })
	return err
}

// unusedClients are clients to be dropped, with what is theirs. They are chosen and locked in one statement and dropped in the next
// ones, which name them: with what they are asked for known, the server finds their grants by the index, however many others there are.
type unusedClients struct {
	chosen []string
	last   time.Time // when the newest of them was made
	gone   int
}

// choose locks the clients of query. It may be called again where the transaction begins anew.
func (u *unusedClients) choose(b *pgx.Batch, query string, args ...any) {
	b.Queue(query, args...).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var id string
			if err := rows.Scan(&id, when{&u.last}); err != nil {
				return err
			}
			u.chosen = append(u.chosen, id)
		}
		return rows.Err()
	})
}

// drop removes those that were chosen and have no active grant. Their grants are locked first: a code that is being redeemed then
// either is an active grant already or is not redeemed any more.
func (u *unusedClients) drop(b *pgx.Batch) {
	if len(u.chosen) == 0 {
		return
	}
	b.Queue(`SELECT FROM grants WHERE client_id = ANY ($1::text[]) ORDER BY id FOR UPDATE`, u.chosen)
	b.Queue(`DELETE FROM clients WHERE id = ANY ($1::text[])
		AND id <> ALL (ARRAY(SELECT client_id FROM grants WHERE client_id = ANY ($1::text[]) AND state = 'active'))`,
		u.chosen).Exec(changed(&u.gone))
	b.Queue(`DELETE FROM grants g WHERE client_id = ANY ($1::text[]) AND NOT EXISTS (SELECT FROM clients c WHERE c.id = g.client_id)`, u.chosen)
}

// ListOwnClients implements storage.Registrations.
func (s *Store) ListOwnClients(ctx context.Context, owner storage.ID) ([]storage.Client, error) {
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.Client, error) {
		rows, err := c.Query(ctx, `SELECT `+clientColumns+` FROM clients c WHERE c.owner_id = $1 ORDER BY c.created_at DESC, c.id DESC`, uid(owner))
		return rowsOf(rows, err, intoClient)
	})
}

// ListAwaiting implements storage.Registrations.
func (s *Store) ListAwaiting(ctx context.Context, limit int) ([]storage.Client, error) {
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.Client, error) {
		rows, err := c.Query(ctx, `SELECT `+clientColumns+` FROM clients c WHERE c.disabled_for = 'approval' ORDER BY c.created_at, c.id LIMIT $1`, limit)
		return rowsOf(rows, err, intoClient)
	})
}

// SweepUnused implements storage.Registrations. It goes on past those that have an active grant, so that they do not stand in the way;
// those that somebody is using are left for the next time.
func (s *Store) SweepUnused(ctx context.Context, limit int, keep time.Duration) (int, error) {
	n, last, after := 0, time.Time{}, ""
	for n < limit {
		page, err := act(ctx, s, func(b *pgx.Batch, dropped *unusedClients) {
			dropped.choose(b, expiredUnused, s.now(), keep, stamp(last), after, limit-n)
		}, func(b *pgx.Batch, dropped *unusedClients) { dropped.drop(b) })
		if err != nil {
			return n, err
		}
		whole := len(page.chosen) == limit-n
		n += page.gone
		if !whole {
			break
		}
		last, after = page.last, page.chosen[len(page.chosen)-1]
	}
	return n, nil
}
