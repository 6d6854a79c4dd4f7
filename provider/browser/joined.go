package browser

import (
	"context"
	"errors"
	"slices"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// What pages have just done for a person changes how the person is signed in here: an account was made, a first factor confirmed, lost
// ones removed. Each of these is told once, right after it, with the revision that it left the user at: where anything has changed
// since, nothing is written, and the person signs in as anybody does (ErrGone).

// Joined signs in who has just made u, by a ticket and with a password: whole, unless a second factor must be enrolled first.
// Errors: ErrGone; the store's.
func (b *Browsers) Joined(ctx context.Context, v *Visit, clientID string, u storage.User) (Account, error) {
	person, err := b.at(ctx, u.ID, u.Revision)
	if err != nil {
		return Account{}, err
	}
	a := Account{User: person.User, HasFactor: person.HasFactor()}
	a.Session = storage.Session{ID: newID(), UserID: u.ID, CreatedAt: person.Now, PasswordAt: person.Now}
	b.know(v, u.ID) // it is their own: no letter tells them of it
	made := b.byPassword(&a, !a.HasFactor && !b.policy.Asks(a.User))
	return b.writeOnce(ctx, v, clientID, a, made, person)
}

// ProveEnrolment is account.People.ProveTOTP for the person of an account. A wrong code counts as a wrong second factor does. Errors:
// those; *oauth.Error slow_down.
func (b *Browsers) ProveEnrolment(
	ctx context.Context, v *Visit, a Account, id storage.ID, code string,
) (account.Confirmation, []string, error) {
	ticket, err := b.limiter.SecondFactor(ctx, a.User.ID, throttle.Caller{Address: v.Seen.Address})
	if err != nil {
		return account.Confirmation{}, nil, err
	}
	proof, recovery, err := b.people.ProveTOTP(ctx, a.User.ID, id, code)
	if !errors.Is(err, account.ErrWrong) {
		_ = ticket.GiveBack(ctx)
	}
	return proof, recovery, err
}

// Enrolled tells that the person of one of the visit's accounts has confirmed their first factor, in this very session: that
// completes a sign-in which awaited it (AwaitsEnrolment), and makes one that is whole a stronger one. amr is how it was confirmed
// (RFC 8176), besides the password. Errors: ErrGone, also where the sign-in waited too long; the store's.
func (b *Browsers) Enrolled(ctx context.Context, v *Visit, clientID string, a Account, revision int64, amr ...string) (Account, error) {
	a, there := v.find(withID(a.Session.ID))
	if !there {
		return Account{}, ErrGone
	}
	person, err := b.at(ctx, a.User.ID, revision)
	if err != nil {
		return Account{}, err
	}
	a.HasFactor = false // as it was until now
	awaited := AwaitsEnrolment(a, person.Now)
	if !person.HasFactor() || !awaited && !a.Session.SignedIn() {
		return Account{}, ErrGone
	}
	a.User, a.HasFactor = person.User, true
	made := b.byFactor(&a, person.Now, awaited, slices.Concat([]string{oauth.AMRPassword}, amr, []string{oauth.AMRMFA})...)
	return b.writeOnce(ctx, v, clientID, a, made, person)
}

// Recovered tells that the person of one of the visit's accounts has no second factor any more, which a sign-in here waited for: the
// password that was proven signs them in, or lets them enrol anew where they must. Errors: ErrGone, also where the sign-in waited too
// long; the store's.
func (b *Browsers) Recovered(ctx context.Context, v *Visit, clientID string, a Account, revision int64) (Account, error) {
	a, there := v.find(withID(a.Session.ID))
	if !there {
		return Account{}, ErrGone
	}
	person, err := b.at(ctx, a.User.ID, revision)
	if err != nil {
		return Account{}, err
	}
	if person.HasFactor() || !AwaitsFactor(a.Session, person.Now) {
		return Account{}, ErrGone
	}
	a.User, a.HasFactor = person.User, false
	made := b.byPassword(&a, !b.policy.Asks(a.User))
	return b.writeOnce(ctx, v, clientID, a, made, person)
}

// at reads the user, who must be at revision. ErrGone; the store's.
func (b *Browsers) at(ctx context.Context, id storage.ID, revision int64) (storage.SignIn, error) {
	person, err := b.store.FindUser(ctx, id)
	if errors.Is(err, storage.ErrNotFound) || err == nil && (person.User.Revision != revision || !person.User.DisabledAt.IsZero()) {
		return storage.SignIn{}, ErrGone
	}
	return person, err
}

// writeOnce is write, where a row that moved is no reason to try again: what was told is about the user as they were.
func (b *Browsers) writeOnce(
	ctx context.Context, v *Visit, clientID string, a Account, made progress, person storage.SignIn,
) (Account, error) {
	spend := storage.Spend{UserID: person.User.ID, UserRevision: person.User.Revision}
	a, err := b.write(ctx, v, clientID, a, made, person.Now, spend)
	if errors.Is(err, storage.ErrMoved) || errors.Is(err, storage.ErrNotFound) {
		return Account{}, ErrGone
	}
	return a, err
}
