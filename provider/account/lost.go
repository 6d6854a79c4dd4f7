package account

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-idp/signet/storage"
)

// What is left to those who know their password and have lost every second factor, recovery codes too: to ask to be rid of them, to
// wait while everybody is told, and then to have it done. Whoever has the factor stops it by signing in.

// RecoveryOffered reports whether the person may begin that: the operator allows it, and there is an address to warn.
func (p *People) RecoveryOffered(signIn storage.SignIn) bool {
	return p.factorRecovery > 0 && signIn.HasFactor() && signIn.User.Email != ""
}

// RecoveryWait is for how long it is waited then.
func (p *People) RecoveryWait() time.Duration { return p.factorRecovery }

// BeginRecovery has the person, who has just proven the password, be rid of the second factors after Config.FactorRecovery, and tells
// them. Errors: ErrLink, it is not offered; ErrPending; ErrNotFound; the store's.
func (p *People) BeginRecovery(ctx context.Context, signIn storage.SignIn, by By) (storage.Ticket, error) {
	if !p.RecoveryOffered(signIn) {
		return storage.Ticket{}, fmt.Errorf("%w: recovery is not offered", ErrLink)
	}
	return p.ripen(ctx, signIn.User, storage.TicketRecovery, p.factorRecovery, "user.recovery_begun", "recovery_begun", by)
}

// Recovery is the user's that is under way, ripe or not, with the store's clock. Errors are the store's.
func (p *People) Recovery(ctx context.Context, userID storage.ID) (t storage.Ticket, now time.Time, found bool, err error) {
	recovery, _, now, err := p.Pending(ctx, userID)
	if recovery == nil {
		return storage.Ticket{}, now, false, err
	}
	return *recovery, now, true, nil
}

// FinishRecovery takes away all second factors of the person, who has just proven the password again, by a recovery that is ripe.
// Errors: ErrNotRipe; ErrLink, it is over, was withdrawn, is another user's or no longer offered; ErrChanged; ErrNotFound; the store's.
func (p *People) FinishRecovery(ctx context.Context, signIn storage.SignIn, t storage.Ticket, by By) error {
	switch {
	case t.Kind != storage.TicketRecovery || t.UserID != signIn.User.ID || p.factorRecovery == 0:
		return fmt.Errorf("%w: it is not this user's recovery", ErrLink)
	case signIn.Now.Before(t.RipeAt):
		return ErrNotRipe
	}
	return redeemed(p.store.RecoverFactors(ctx, t.ID, signIn.User.Revision, storage.Also{
		Events:  []storage.Event{event("user.recovery_finished", signIn.User.ID, by)},
		Letters: letters("factor_removed", signIn.User),
	}))
}

// CancelRecovery stops the recovery of u and reports whether there was one. Errors are the store's.
func (p *People) CancelRecovery(ctx context.Context, u storage.User, by By) (bool, error) {
	n, err := p.store.WithdrawTickets(ctx, u.ID, storage.TicketRecovery, storage.Also{
		Events:  []storage.Event{event("user.recovery_withdrawn", u.ID, by)},
		Letters: letters("recovery_withdrawn", u),
	})
	return n > 0, err
}

// notLost stops the recovery of u, who has just got a factor: one that was asked for earlier, by whoever it was, was not about that. One
// that this fails to stop is shown to the person on every page of their own.
func (p *People) notLost(ctx context.Context, u storage.User, by By) {
	_, _ = p.CancelRecovery(ctx, u, by)
}

// Pending is what will happen to the user unless somebody stops it, nil for what will not, and the store's clock.
func (p *People) Pending(ctx context.Context, userID storage.ID) (recovery, deletion *storage.Ticket, now time.Time, err error) {
	all, now, err := p.store.ListTickets(ctx, userID)
	for i := range all {
		switch all[i].Kind {
		case storage.TicketRecovery:
			recovery = &all[i]
		case storage.TicketDeletion:
			deletion = &all[i]
		}
	}
	return recovery, deletion, now, err
}
