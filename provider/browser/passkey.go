package browser

import (
	"context"
	"errors"
	"fmt"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// PasskeySignIn proves a passkey and makes its person the current account, whole: who has the passkey and was verified by it has
// proven two factors at once. proof answers account.People.BeginPasskeySignIn.
//
// Errors: account.ErrWrong, one answer for unknown, wrong, disabled and used before; *oauth.Error slow_down and
// temporarily_unavailable; the store's.
func (b *Browsers) PasskeySignIn(ctx context.Context, v *Visit, clientID string, proof account.PasskeyProof) (Account, error) {
	return b.settle(ctx, v, func() (Account, error) { return b.passkeySignIn(ctx, v, clientID, proof) })
}

func (b *Browsers) passkeySignIn(ctx context.Context, v *Visit, clientID string, proof account.PasskeyProof) (Account, error) {
	ticket, err := b.limiter.Passkey(ctx, throttle.Caller{Address: v.Seen.Address})
	if err != nil {
		return Account{}, err
	}
	person, spend, amr, err := b.people.ProvePasskey(ctx, proof)
	var a Account
	if err == nil {
		a, err = b.byPasskey(ctx, v, clientID, person, spend, amr)
	}
	if errors.Is(err, account.ErrWrong) {
		return Account{}, b.failed(ctx, v, "signin.passkey_failed", clientID, person.User.ID, err)
	}
	_ = ticket.GiveBack(ctx) // it was no wrong passkey: an attempt that is not given back comes back with time
	return a, err
}

// byPasskey writes the sign-in that the passkey makes. The error of a proof that was spent before is account.ErrWrong.
func (b *Browsers) byPasskey(
	ctx context.Context, v *Visit, clientID string, person storage.SignIn, spend storage.Spend, amr []string,
) (Account, error) {
	a, again := v.find(ofUser(person.User.ID))
	if !again {
		a.Session = storage.Session{ID: newID(), UserID: person.User.ID, CreatedAt: person.Now}
	}
	a.User, a.HasFactor = person.User, person.HasFactor()
	a.Session.FactorAt = person.Now
	b.complete(&a.Session, person.Now, oauth.ACRMFA, amr...)
	a, err := b.write(ctx, v, clientID, a, whole, person.Now, spend)
	if errors.Is(err, storage.ErrSpent) {
		return Account{}, fmt.Errorf("%w: %w", account.ErrWrong, err)
	}
	return a, err
}

// copied is the event of a passkey that there may be two of; none for any other reason.
func (b *Browsers) copied(v *Visit, clientID string, user storage.ID, why error) []storage.Event {
	var cloned *account.Cloned
	if !errors.As(why, &cloned) {
		return nil
	}
	event := b.event(v, "signin.passkey_cloned", clientID, user)
	event.Detail = map[string]string{"passkey_id": cloned.PasskeyID.String()}
	return []storage.Event{event}
}
