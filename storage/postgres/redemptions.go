package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/signet-idp/signet/storage"
)

// joining are the kinds of ticket that Join takes.
const joining = `('setup', 'sign_up', 'invitation')`

// Join implements storage.Redemptions. A ticket never changes, so what it is about may be read before it is locked. All the tickets
// that go are locked at once, in the order of their ids: of two that begin with different ones the later finds its own gone, or the
// administrator there.
func (s *Store) Join(ctx context.Context, ticket storage.ID, u storage.User, passwordHash string, also storage.Also) error {
	t, err := s.toRedeem(ctx, ticket)
	if err != nil {
		return err
	}
	return s.actOnly(ctx, func(b *pgx.Batch) {
		condition, args := `id = $1 OR login = $2 AND login <> '' AND kind IN `+joining, []any{uid(ticket), t.Login}
		if t.Kind == storage.TicketSetup {
			condition += ` OR kind = 'setup'`
		}
		b.Queue(`SELECT FROM tickets WHERE `+condition+` ORDER BY id FOR UPDATE`, args...)
		b.Queue(`SELECT FROM tickets WHERE id = $2 AND kind IN `+joining+` AND `+serving, s.now(), uid(ticket)).Exec(must(storage.ErrSpent))
		if t.Kind == storage.TicketSetup {
			b.Queue(`SELECT WHERE NOT EXISTS (SELECT FROM users WHERE admin)`).Exec(must(storage.ErrSpent))
		}
		dropTickets(b, condition, args...)
		s.createUser(b, u, passwordHash)
		s.report(b, also)
	})
}

// ResetPassword implements storage.Redemptions.
func (s *Store) ResetPassword(ctx context.Context, ticket storage.ID, hash string, spend storage.Spend, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(lockForChange, uid(spend.UserID))
		s.redeem(b, ticket, storage.TicketReset, spend.UserID)
		s.pay(b, spend)
		s.setPassword(b, spend.UserID, spend.UserRevision, hash)
		s.report(b, also)
	})
}

// ChangeEmail implements storage.Redemptions.
func (s *Store) ChangeEmail(ctx context.Context, ticket storage.ID, u storage.User, also storage.Also) error {
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(lockForChange, uid(u.ID))
		s.redeem(b, ticket, storage.TicketEmail, u.ID)
		dropTickets(b, `user_id = $1 AND kind IN ('reset', 'email')`, uid(u.ID))
		s.updateUser(b, u)
		s.report(b, also)
	})
}

// RecoverFactors implements storage.Redemptions.
func (s *Store) RecoverFactors(ctx context.Context, ticket storage.ID, revision int64, also storage.Also) error {
	t, err := s.toRedeem(ctx, ticket)
	if err != nil {
		return err
	}
	_, err = act(ctx, s, func(b *pgx.Batch, n *int) {
		b.Queue(lockForChange, uid(t.UserID))
		s.redeem(b, ticket, storage.TicketRecovery, t.UserID)
		removeFactors(b, t.UserID, revision, n)
		s.report(b, also)
	})
	return err
}

// EraseUser implements storage.Redemptions.
func (s *Store) EraseUser(ctx context.Context, ticket storage.ID, also storage.Also) error {
	t, err := s.toRedeem(ctx, ticket)
	if err != nil {
		return err
	}
	return s.actOnly(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT FROM users WHERE id = $1 FOR UPDATE`, uid(t.UserID))
		s.redeem(b, ticket, storage.TicketDeletion, t.UserID)
		s.deleteUser(b, t.UserID)
		s.report(b, also)
	})
}

// lockForChange locks the user's row before the ticket's, and leaves it to later statements to say what they find.
const lockForChange = `SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE`

// serving is what a ticket must be; $1 is the clock.
const serving = `ripe_at <= ` + clockNow + ` AND expires_at > ` + clockNow

// toRedeem reads a ticket that is about to be redeemed. ErrSpent: there is none.
func (s *Store) toRedeem(ctx context.Context, id storage.ID) (storage.Ticket, error) {
	t, _, err := s.FindTicket(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		err = storage.ErrSpent
	}
	return t, err
}

// redeem takes away the user's ticket of the kind where it serves: else ErrSpent, as of nobody's ticket. The user's row is locked before.
func (s *Store) redeem(b *pgx.Batch, id storage.ID, kind storage.TicketKind, userID storage.ID) {
	b.Queue(`DELETE FROM tickets WHERE id = $2 AND kind = $3 AND user_id = $4 AND `+serving,
		s.now(), uid(id), string(kind), uid(userID)).Exec(must(storage.ErrSpent))
}
