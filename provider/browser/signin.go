package browser

import (
	"context"
	"errors"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// SignIn proves a password and makes its person the current account. Somebody who has a second factor, at a browser that does not
// remember one, is signed in by half: the session awaits the second factor (AwaitsFactor). So is who has none and must have one: the
// session awaits that it is enrolled (AwaitsEnrolment). clientID is the application that asks, "" where none does.
//
// Errors: account.ErrWrong, one answer at one cost for unknown, wrong, disabled and passwordless; *oauth.Error slow_down and
// temporarily_unavailable; the store's.
func (b *Browsers) SignIn(ctx context.Context, v *Visit, clientID, login string, password storage.Secret) (Account, error) {
	return b.settle(ctx, v, func() (Account, error) { return b.signIn(ctx, v, clientID, login, password) })
}

func (b *Browsers) signIn(ctx context.Context, v *Visit, clientID, login string, password storage.Secret) (Account, error) {
	candidate, person, err := b.people.SignIn(ctx, b.limiter, v.Caller(), login, password)
	if errors.Is(err, account.ErrWrong) {
		return Account{}, b.failed(ctx, v, "signin.failed", clientID, candidate.UserID(), err)
	}
	if err != nil {
		return Account{}, err
	}
	enough := !person.HasFactor() && !b.policy.Asks(person.User)
	if person.HasFactor() {
		if enough, err = b.Remembers(ctx, v, person.User.ID); err != nil {
			return Account{}, err
		}
	}
	a, again := v.find(ofUser(person.User.ID))
	if !again {
		a.Session = storage.Session{ID: newID(), UserID: person.User.ID, CreatedAt: person.Now}
	}
	a.User, a.HasFactor = person.User, person.HasFactor()
	a.Session.PasswordAt = person.Now
	spend := storage.Spend{UserID: person.User.ID, UserRevision: person.User.Revision}
	made := b.byPassword(&a, enough)
	return b.write(ctx, v, clientID, a, made, person.Now, spend)
}

// byPassword is what a password that was just proven, or stands proven still, makes of the account's session. enough: nothing else is
// asked of the person.
func (b *Browsers) byPassword(a *Account, enough bool) progress {
	s := &a.Session
	switch {
	case enough:
		b.complete(s, s.PasswordAt, oauth.ACRPassword, oauth.AMRPassword)
		return whole
	case s.SignedIn():
	case a.HasFactor:
		s.ExpiresAt = s.PasswordAt.Add(halfDone)
	default:
		s.ExpiresAt = s.PasswordAt.Add(enrolling)
	}
	return half
}

// progress is what a proof makes of a sign-in.
type progress int

const (
	half    progress = iota // something is awaited still
	stepped                 // it was whole, and is stronger now
	whole                   // it has become whole
)

// complete makes the session's sign-in whole.
func (b *Browsers) complete(s *storage.Session, authTime time.Time, acr string, amr ...string) {
	s.AuthTime, s.ACR, s.AMR = authTime, acr, amr
	s.ExpiresAt = s.CreatedAt.Add(b.lifetime)
}

// write stores what a proof made of a session, under a new secret, and hands that to the browser.
func (b *Browsers) write(
	ctx context.Context, v *Visit, clientID string, a Account, made progress, now time.Time, spend storage.Spend,
) (Account, error) {
	secret := newSecret()
	s := &a.Session
	s.Digest, s.UsedAt, s.Seen = sessionDigest(secret), now, v.Seen
	var also storage.Also
	if made != half {
		event := b.event(v, "signin.succeeded", clientID, a.User.ID)
		event.Actor, event.Detail = a.User.ID.String(), map[string]string{"acr": s.ACR}
		also.Events = append(also.Events, event)
	}
	if made == whole {
		also.Letters = v.news(a.User)
	}
	var err error
	if s.Revision == 0 {
		err = b.store.StartSession(ctx, *s, maxSessions, spend, also)
	} else {
		err = b.store.ChangeSession(ctx, *s, spend, also)
	}
	if err != nil {
		return Account{}, err
	}
	s.Revision++
	v.Now = now
	v.hold(b, a, secret)
	if made != half {
		b.know(v, a.User.ID)
	}
	if made != half && s.FactorAt.Equal(now) {
		// Who has the factor has not lost it: a recovery that is under way is somebody else's. One that this fails to stop is shown to the
		// person on every page of their own.
		_, _ = b.people.CancelRecovery(ctx, a.User, account.By{Actor: a.User.ID.String(), Seen: v.Seen})
	}
	return a, nil
}

// settle does act, and does it again where a row moved under it: whoever lost a race reads and decides anew.
func (b *Browsers) settle(ctx context.Context, v *Visit, act func() (Account, error)) (Account, error) {
	for range maxRaces {
		a, err := act()
		if !errors.Is(err, storage.ErrMoved) && !errors.Is(err, storage.ErrNotFound) {
			return a, err
		}
		if err := b.reload(ctx, v); err != nil {
			return Account{}, err
		}
	}
	return Account{}, &oauth.Error{
		Code: oauth.TemporarilyUnavailable, Description: "too many requests of this browser at once; try again", RetryAfter: time.Second,
	}
}

// failed records a proof that was wrong, and returns why. Nobody is known to have done it.
func (b *Browsers) failed(ctx context.Context, v *Visit, kind, clientID string, user storage.ID, why error) error {
	events := append([]storage.Event{b.event(v, kind, clientID, user)}, b.copied(v, clientID, user, why)...)
	if err := b.store.RecordEvents(ctx, events); err != nil {
		return err
	}
	return why
}

func (b *Browsers) event(v *Visit, kind, clientID string, user storage.ID) storage.Event {
	return storage.Event{Kind: kind, UserID: user, ClientID: clientID, Seen: v.Seen}
}
