package account

import (
	"cmp"
	"context"

	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// SignIn is a whole proof of a password, in the one order that neither floods nor guesses get around: it waits for its turn before
// anything is read, so that a flood is refused cheaply; with the turn in hand it takes an attempt, and then computes the hash. A
// right password gives the attempt back.
//
// The candidate is who the sign-in claimed to be, for the audit log; the person is there with no error alone. Errors: ErrWrong,
// see Prove; *oauth.Error slow_down (too many failures) and temporarily_unavailable (too many at once, or nothing can be counted);
// the store's.
func (p *People) SignIn(
	ctx context.Context, limiter *throttle.Limiter, from throttle.Caller, login string, password storage.Secret,
) (candidate Candidate, person storage.SignIn, err error) {
	turn, err := p.Queue(ctx, queueKey(from))
	if err != nil {
		return candidate, person, err
	}
	defer turn.Leave()
	if candidate, err = p.Lookup(ctx, login); err != nil {
		return candidate, person, err
	}
	ticket, err := limiter.SignIn(ctx, candidate.Account(), from)
	if err != nil {
		return candidate, person, err
	}
	if person, err = p.Prove(ctx, turn, candidate, password); err == nil {
		_ = ticket.GiveBack(ctx) // the sign-in stands: an attempt that is not given back comes back with time
	}
	return candidate, person, err
}

// queueKey is whose turn it is to have a password hashed: whoever the throttle counts, so that a subscriber's many IPv6 addresses
// are no more than one caller in the queue either.
func queueKey(from throttle.Caller) string {
	return cmp.Or(from.ClientID, throttle.Network(from.Address))
}

// Asks reports whether u must have a second factor.
func (s SecondFactor) Asks(u storage.User) bool {
	return s == SecondFactorAll || s == SecondFactorAdmins && u.Admin
}
