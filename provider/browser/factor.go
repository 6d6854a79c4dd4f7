package browser

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// Proof is a second factor.
type Proof struct {
	account.Proof
	Remember bool // do not ask for it again at this browser, for 30 days
}

// SecondFactor proves a second factor of one of the visit's accounts: it completes a sign-in whose password was proven within the
// last ten minutes, or steps up one that is whole. A factor alone freshens nothing: auth_time is the password's.
//
// Errors: account.ErrWrong for codes that are wrong, late, used before or malformed; ErrGone; *oauth.Error slow_down and
// temporarily_unavailable; the store's.
func (b *Browsers) SecondFactor(ctx context.Context, v *Visit, clientID string, a Account, p Proof) (Account, error) {
	return b.settle(ctx, v, func() (Account, error) { return b.secondFactor(ctx, v, clientID, a.Session.ID, p) })
}

func (b *Browsers) secondFactor(ctx context.Context, v *Visit, clientID string, id storage.ID, p Proof) (Account, error) {
	a, there := v.find(withID(id))
	if !there {
		return Account{}, ErrGone
	}
	person, err := b.store.FindUser(ctx, a.User.ID)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return Account{}, err
	}
	if err != nil || !a.Session.SignedIn() && !AwaitsFactor(a.Session, person.Now) {
		return Account{}, ErrGone
	}
	ticket, err := b.limiter.SecondFactor(ctx, person.User.ID, throttle.Caller{Address: v.Seen.Address})
	if err != nil {
		return Account{}, err
	}
	a, err = b.proveFactor(ctx, v, clientID, a, person, p)
	if errors.Is(err, account.ErrWrong) {
		return Account{}, b.failed(ctx, v, "signin.second_factor_failed", clientID, person.User.ID, err)
	}
	_ = ticket.GiveBack(ctx) // it was no wrong code: an attempt that is not given back comes back with time
	if err == nil && p.Remember {
		_ = b.remember(ctx, v, clientID, person) // the sign-in stands: who is not remembered is asked again
	}
	return a, err
}

// proveFactor matches the proof, and spends it with the session that it makes. The error of a proof that was spent before is
// account.ErrWrong.
func (b *Browsers) proveFactor(
	ctx context.Context, v *Visit, clientID string, a Account, person storage.SignIn, p Proof,
) (Account, error) {
	spend, amr, err := b.people.ProveFactor(person, p.Proof)
	if err != nil {
		return Account{}, err
	}
	a.User, a.HasFactor = person.User, person.HasFactor()
	made := b.byFactor(&a, person.Now, AwaitsFactor(a.Session, person.Now), append([]string{oauth.AMRPassword}, amr...)...)
	a, err = b.write(ctx, v, clientID, a, made, person.Now, spend)
	if errors.Is(err, storage.ErrSpent) {
		return Account{}, fmt.Errorf("%w: %w", account.ErrWrong, err)
	}
	return a, err
}

// byFactor is what a second factor that was proven at now makes of the account's session. awaited: a password was proven that it
// completes.
func (b *Browsers) byFactor(a *Account, now time.Time, awaited bool, amr ...string) progress {
	s, authTime, made := &a.Session, a.Session.AuthTime, stepped
	if awaited {
		authTime, made = s.PasswordAt, whole
	}
	s.FactorAt = now
	b.complete(s, authTime, oauth.ACRMFA, amr...)
	return made
}

// AwaitsFactor reports whether a password was proven in the session that still waits for its second factor at now.
func AwaitsFactor(s storage.Session, now time.Time) bool {
	return s.PasswordAt.After(s.AuthTime) && now.Sub(s.PasswordAt) < halfDone
}

// ProvenLately reports whether the password was proven in the session so short a time ago that it serves for more than to go on.
func ProvenLately(s storage.Session, now time.Time) bool {
	return !s.PasswordAt.IsZero() && now.Sub(s.PasswordAt) < halfDone
}

// AwaitsEnrolment reports whether a password was proven in the account's session, by somebody without a second factor, that does not
// sign in before one is enrolled. That takes longer than to type a code.
func AwaitsEnrolment(a Account, now time.Time) bool {
	s := a.Session
	return !a.HasFactor && s.PasswordAt.After(s.AuthTime) && now.Sub(s.PasswordAt) < enrolling
}
