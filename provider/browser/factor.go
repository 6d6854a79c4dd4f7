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

// Proof is a second factor: OTP, or else RecoveryCode.
type Proof struct {
	OTP          string
	RecoveryCode string
	Remember     bool // do not ask for it again at this browser, for 30 days
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
) (_ Account, err error) {
	spend := storage.Spend{UserID: person.User.ID, UserRevision: person.User.Revision}
	amr := []string{oauth.AMRPassword, oauth.AMRMFA}
	if p.OTP != "" {
		amr = []string{oauth.AMRPassword, oauth.AMROTP, oauth.AMRMFA}
		spend.FactorID, spend.Step, err = b.people.MatchFactor(person, p.OTP)
	} else {
		spend.RecoveryCode, err = account.RecoverySpend(person.User.ID, p.RecoveryCode)
	}
	if err != nil {
		return Account{}, err
	}
	s := &a.Session
	authTime := s.AuthTime
	if AwaitsFactor(*s, person.Now) {
		authTime = s.PasswordAt
	}
	s.FactorAt = person.Now
	b.complete(s, authTime, oauth.ACRMFA, amr...)
	a.User, a.HasFactor = person.User, len(person.Factors) > 0
	a, err = b.write(ctx, v, clientID, a, true, person.Now, spend)
	if errors.Is(err, storage.ErrSpent) {
		return Account{}, fmt.Errorf("%w: %w", account.ErrWrong, err)
	}
	return a, err
}

// AwaitsFactor reports whether a password was proven in the session that still waits for its second factor at now.
func AwaitsFactor(s storage.Session, now time.Time) bool {
	return s.PasswordAt.After(s.AuthTime) && now.Sub(s.PasswordAt) < halfDone
}
