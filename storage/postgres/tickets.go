package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

const ticketColumns = `t.id, t.kind, t.user_id, t.email, t.login, t.data, t.seen, t.created_at, t.ripe_at, t.expires_at`

func intoTicket(t *storage.Ticket) []any {
	return []any{
		idOf{&t.ID},
		&t.Kind,
		idOf{&t.UserID},
		&t.Email, &t.Login, &t.Data, &t.Seen,
		when{&t.CreatedAt},
		when{&t.RipeAt},
		when{&t.ExpiresAt},
	}
}

// IssueTicket implements storage.Tickets. A second one of a single kind is a unique violation.
func (s *Store) IssueTicket(
	ctx context.Context, t storage.Ticket, wait, life time.Duration, also storage.Also,
) (storage.Ticket, error) {
	return act(ctx, s, func(b *pgx.Batch, stored *storage.Ticket) {
		if !t.UserID.IsZero() {
			b.Queue(`SELECT FROM users WHERE id = $1 FOR KEY SHARE`, uid(t.UserID)).Exec(must(storage.ErrNotFound))
		}
		if t.Kind.Single() {
			b.Queue(`DELETE FROM tickets WHERE user_id = $2 AND kind = $3 AND expires_at <= `+clockNow,
				s.now(), uid(t.UserID), string(t.Kind))
		}
		*stored = t
		b.Queue(`INSERT INTO tickets (id, kind, user_id, email, login, data, seen, created_at, ripe_at, expires_at)
			SELECT $2, $3, $4, $5, $6, $7, $8, now, now + $9::interval, now + $9::interval + $10::interval
			FROM (SELECT `+clockNow+` AS now) AS clock RETURNING created_at, ripe_at, expires_at`,
			s.now(), uid(t.ID), string(t.Kind), uid(t.UserID), t.Email, t.Login, record(t.Data), record(t.Seen), wait, life).
			QueryRow(func(row pgx.Row) error {
				return row.Scan(when{&stored.CreatedAt}, when{&stored.RipeAt}, when{&stored.ExpiresAt})
			})
		s.report(b, also)
	})
}

// FindTicket implements storage.Tickets.
func (s *Store) FindTicket(ctx context.Context, id storage.ID) (storage.Ticket, time.Time, error) {
	return s.findTicket(ctx, `t.id = $2`, uid(id))
}

// FindInvitation implements storage.Tickets. No address at all is nobody's.
func (s *Store) FindInvitation(ctx context.Context, login string) (t storage.Ticket, now time.Time, err error) {
	if login == "" || !keepable(login) {
		return t, now, storage.ErrNotFound
	}
	return s.findTicket(ctx, `t.login = $2 AND t.kind = $3 AND t.expires_at > clock.now ORDER BY t.created_at DESC, t.id DESC LIMIT 1`,
		login, string(storage.TicketInvitation))
}

func (s *Store) findTicket(ctx context.Context, where string, args ...any) (storage.Ticket, time.Time, error) {
	type answer struct {
		t   storage.Ticket
		now time.Time
	}
	a, err := read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (a answer, err error) {
		err = c.QueryRow(ctx, `SELECT clock.now, `+ticketColumns+` FROM (SELECT `+clockNow+` AS now) AS clock, tickets t WHERE `+where,
			append([]any{s.now()}, args...)...).Scan(append([]any{when{&a.now}}, intoTicket(&a.t)...)...)
		return a, err
	})
	return a.t, a.now, err
}

// ListTickets implements storage.Tickets.
func (s *Store) ListTickets(ctx context.Context, userID storage.ID) ([]storage.Ticket, time.Time, error) {
	return readAt(ctx, s, `SELECT clock.now, `+ticketColumns+`
		FROM (SELECT `+clockNow+` AS now) AS clock LEFT JOIN tickets t ON t.user_id = $2 AND t.expires_at > clock.now
		ORDER BY t.created_at DESC, t.id DESC`, intoTicket, uid(userID))
}

// WithdrawTickets implements storage.Tickets.
func (s *Store) WithdrawTickets(ctx context.Context, userID storage.ID, kind storage.TicketKind, also storage.Also) (int, error) {
	n, err := act(ctx, s, func(b *pgx.Batch, n *int) {
		dropTickets(b, `user_id = $1 AND kind = $2`, uid(userID), string(kind)).Exec(counted(n, errAlready))
		s.report(b, also)
	})
	if errors.Is(err, errAlready) {
		return 0, nil
	}
	return n, err
}

// dropTickets removes those of which the condition holds. It locks in the order of the ids, so that two of its kind never wait for
// each other in a circle.
func dropTickets(b *pgx.Batch, condition string, args ...any) *pgx.QueuedQuery {
	return b.Queue(`WITH chosen AS MATERIALIZED (SELECT id FROM tickets WHERE `+condition+` ORDER BY id FOR UPDATE)
		DELETE FROM tickets t USING chosen WHERE t.id = chosen.id`, args...)
}

// RipeTickets implements storage.Tickets. The kinds that ripen have an index of their own, which is used where the text names it.
func (s *Store) RipeTickets(ctx context.Context, kind storage.TicketKind, limit int) ([]storage.Ticket, error) {
	where := `t.kind = $2`
	if kind.Single() {
		where += ` AND t.kind IN ('recovery', 'deletion')`
	}
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) ([]storage.Ticket, error) {
		rows, err := c.Query(ctx, `SELECT `+ticketColumns+` FROM tickets t
			WHERE `+where+` AND t.ripe_at <= (SELECT `+clockNow+`) AND t.expires_at > (SELECT `+clockNow+`)
			ORDER BY t.ripe_at, t.id LIMIT $3`, s.now(), string(kind), limit)
		return rowsOf(rows, err, intoTicket)
	})
}
