package sqlite

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

var _ storage.Tickets = (*Store)(nil)

const ticketColumns = `id, kind, user_id, email, login, data, seen, created_at, ripe_at, expires_at`

const (
	insertTicket  = `INSERT INTO tickets (` + ticketColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	selectTickets = `SELECT ` + ticketColumns + ` FROM tickets WHERE `
	ripeTickets   = selectTickets + `kind = $1 AND ripe_at <= $2 AND expires_at > $2`
	oldestRipe    = ` ORDER BY ripe_at, id LIMIT $3`
)

// IssueTicket implements storage.Tickets. A second one of a single kind is a unique violation, a user who is gone one of the foreign
// key.
func (s *Store) IssueTicket(
	ctx context.Context, issued storage.Ticket, wait, life time.Duration, also storage.Also,
) (storage.Ticket, error) {
	return writeFor(ctx, s, "issue ticket", func(t *tx) (storage.Ticket, error) {
		if issued.Kind.Single() {
			_, err := t.exec(`DELETE FROM tickets WHERE user_id = $1 AND kind = $2 AND expires_at <= $3`,
				issued.UserID[:], string(issued.Kind), micros(t.now))
			if err != nil {
				return storage.Ticket{}, err
			}
		}
		stored := issued
		stored.CreatedAt = t.now
		stored.RipeAt = t.now.Add(wait.Truncate(time.Microsecond))
		stored.ExpiresAt = stored.RipeAt.Add(life.Truncate(time.Microsecond))
		_, err := t.exec(insertTicket, issued.ID[:], string(issued.Kind), optional(issued.UserID), issued.Email, issued.Login,
			record{issued.Data}, record{issued.Seen}, micros(stored.CreatedAt), micros(stored.RipeAt), micros(stored.ExpiresAt))
		if err != nil {
			return storage.Ticket{}, err
		}
		return stored, t.also(also)
	})
}

// FindTicket implements storage.Tickets.
func (s *Store) FindTicket(ctx context.Context, id storage.ID) (storage.Ticket, time.Time, error) {
	return read(ctx, s, "find ticket", func(c *session) (storage.Ticket, error) {
		return one(c, scanTicket, selectTickets+`id = $1`, id[:])
	})
}

// FindInvitation implements storage.Tickets. No address at all is nobody's.
func (s *Store) FindInvitation(ctx context.Context, login string) (storage.Ticket, time.Time, error) {
	return read(ctx, s, "find invitation", func(c *session) (storage.Ticket, error) {
		return one(c, scanTicket, selectTickets+`login = $1 AND login <> '' AND kind = $2 AND expires_at > $3
			ORDER BY created_at DESC, id DESC LIMIT 1`, login, string(storage.TicketInvitation), micros(s.now()))
	})
}

// ListTickets implements storage.Tickets.
func (s *Store) ListTickets(ctx context.Context, userID storage.ID) ([]storage.Ticket, time.Time, error) {
	return read(ctx, s, "list tickets", func(c *session) ([]storage.Ticket, error) {
		return collect(c, scanTicket, selectTickets+`user_id = $1 AND expires_at > $2 ORDER BY created_at DESC, id DESC`,
			userID[:], micros(s.now()))
	})
}

// WithdrawTickets implements storage.Tickets.
func (s *Store) WithdrawTickets(ctx context.Context, userID storage.ID, kind storage.TicketKind, also storage.Also) (int, error) {
	return writeFor(ctx, s, "withdraw tickets", func(t *tx) (int, error) {
		n, err := t.exec(`DELETE FROM tickets WHERE user_id = $1 AND kind = $2`, userID[:], string(kind))
		if err != nil || n == 0 {
			return 0, err
		}
		return int(n), t.also(also)
	})
}

// RipeTickets implements storage.Tickets. The kinds that ripen have an index of their own, which is used where the text names it.
func (s *Store) RipeTickets(ctx context.Context, kind storage.TicketKind, limit int) ([]storage.Ticket, error) {
	query := ripeTickets
	if kind.Single() {
		query += ` AND kind IN ('recovery', 'deletion')`
	}
	found, _, err := read(ctx, s, "ripe tickets", func(c *session) ([]storage.Ticket, error) {
		return collect(c, scanTicket, query+oldestRipe, string(kind), micros(s.now()), limit)
	})
	return found, err
}

func scanTicket(r row) (t storage.Ticket, err error) {
	err = r.Scan(intoID(&t.ID), &t.Kind, intoID(&t.UserID), &t.Email, &t.Login, intoRecord(&t.Data), intoRecord(&t.Seen),
		intoTime(&t.CreatedAt), intoTime(&t.RipeAt), intoTime(&t.ExpiresAt))
	return t, err
}
