package sqlite

import (
	"context"
	"errors"
	"slices"

	"github.com/signet-idp/signet/storage"
)

var _ storage.Redemptions = (*Store)(nil)

// Join implements storage.Redemptions.
func (s *Store) Join(ctx context.Context, ticket storage.ID, u storage.User, passwordHash string, also storage.Also) error {
	return s.write(ctx, "join", func(t *tx) error {
		spent, err := t.redeem(ticket, storage.TicketSetup, storage.TicketSignUp, storage.TicketInvitation)
		if err != nil {
			return err
		}
		if spent.Kind == storage.TicketSetup {
			if err := t.setUp(); err != nil {
				return err
			}
		}
		if err := t.createUser(u, passwordHash); err != nil {
			return err
		}
		_, err = t.exec(`DELETE FROM tickets WHERE login = $1 AND login <> '' AND kind IN ('setup', 'sign_up', 'invitation')`, spent.Login)
		if err != nil {
			return err
		}
		return t.also(also)
	})
}

// setUp removes the tickets to set up where no user is an administrator: else ErrSpent.
func (t *tx) setUp() error {
	var administered bool
	if err := t.scan(`SELECT EXISTS (SELECT 1 FROM users WHERE admin)`, nil, &administered); err != nil {
		return err
	}
	if administered {
		return storage.ErrSpent
	}
	_, err := t.exec(`DELETE FROM tickets WHERE kind = $1`, string(storage.TicketSetup))
	return err
}

// ResetPassword implements storage.Redemptions.
func (s *Store) ResetPassword(ctx context.Context, ticket storage.ID, hash string, spend storage.Spend, also storage.Also) error {
	return s.write(ctx, "reset password", func(t *tx) error {
		if err := t.redeemOf(spend.UserID, ticket, storage.TicketReset); err != nil {
			return err
		}
		if err := t.spend(spend); err != nil {
			return err
		}
		if err := t.setPassword(spend.UserID, spend.UserRevision, hash); err != nil {
			return err
		}
		return t.also(also)
	})
}

// ChangeEmail implements storage.Redemptions.
func (s *Store) ChangeEmail(ctx context.Context, ticket storage.ID, u storage.User, also storage.Also) error {
	return s.write(ctx, "change e-mail", func(t *tx) error {
		if err := t.redeemOf(u.ID, ticket, storage.TicketEmail); err != nil {
			return err
		}
		if err := t.updateUser(u); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM tickets WHERE user_id = $1 AND kind IN ('reset', 'email')`, u.ID[:]); err != nil {
			return err
		}
		return t.also(also)
	})
}

// RecoverFactors implements storage.Redemptions.
func (s *Store) RecoverFactors(ctx context.Context, ticket storage.ID, revision int64, also storage.Also) error {
	return s.write(ctx, "recover factors", func(t *tx) error {
		owner, err := t.redeemOwn(ticket, storage.TicketRecovery)
		if err != nil {
			return err
		}
		if _, err := t.removeFactors(owner, revision); err != nil {
			return err
		}
		return t.also(also)
	})
}

// EraseUser implements storage.Redemptions.
func (s *Store) EraseUser(ctx context.Context, ticket storage.ID, also storage.Also) error {
	return s.write(ctx, "erase user", func(t *tx) error {
		owner, err := t.redeemOwn(ticket, storage.TicketDeletion)
		if err != nil {
			return err
		}
		if err := t.deleteUser(owner); err != nil {
			return err
		}
		return t.also(also)
	})
}

// redeem takes away a ticket that is of one of the kinds and serves: else ErrSpent.
func (t *tx) redeem(id storage.ID, kinds ...storage.TicketKind) (storage.Ticket, error) {
	found, err := one(t.session, scanTicket, selectTickets+`id = $1`, id[:])
	if errors.Is(err, storage.ErrNotFound) || err == nil && !(slices.Contains(kinds, found.Kind) && found.Serves(t.now)) {
		err = storage.ErrSpent
	}
	if err != nil {
		return storage.Ticket{}, err
	}
	_, err = t.exec(`DELETE FROM tickets WHERE id = $1`, id[:])
	return found, err
}

// redeemOwn is redeem of somebody's ticket, and says whose: nobody's is ErrSpent.
func (t *tx) redeemOwn(id storage.ID, kind storage.TicketKind) (storage.ID, error) {
	spent, err := t.redeem(id, kind)
	if err == nil && spent.UserID.IsZero() {
		err = storage.ErrSpent
	}
	return spent.UserID, err
}

// redeemOf is redeemOwn where the ticket is the user's: else ErrSpent.
func (t *tx) redeemOf(userID, id storage.ID, kind storage.TicketKind) error {
	owner, err := t.redeemOwn(id, kind)
	if err == nil && owner != userID {
		err = storage.ErrSpent
	}
	return err
}
