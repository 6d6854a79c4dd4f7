package browser

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/signet-idp/signet/storage"
)

// What people see and end of their own, at this browser and elsewhere. Each act takes the account that it is done in the name of, one
// of a visit's, and reaches nothing of anybody else: an ID that is not that person's is passed over.

// Sessions are the live sessions of the account's person, those used last first, and the store's clock. Errors are the store's.
func (b *Browsers) Sessions(ctx context.Context, a Account) ([]storage.Session, time.Time, error) {
	all, now, err := b.store.ListSessions(ctx, a.User.ID)
	return slices.DeleteFunc(all, func(s storage.Session) bool {
		return !s.SignedIn() || !b.live(Account{Session: s, User: a.User}, now)
	}), now, err
}

// EndElsewhere ends one other session of the account's person, and reports whether there was one. Errors are the store's.
func (b *Browsers) EndElsewhere(ctx context.Context, v *Visit, a Account, id storage.ID) (bool, error) {
	all, _, err := b.store.ListSessions(ctx, a.User.ID)
	own := slices.ContainsFunc(all, func(s storage.Session) bool { return s.ID == id })
	if err != nil || !own || id == a.Session.ID {
		return false, err
	}
	event := b.byOwner(v, a, "session.ended")
	event.Detail = map[string]string{"session_id": id.String(), "reason": string(storage.ReasonUser)}
	ended, err := b.store.EndSessions(ctx, storage.SessionsOf{ID: id, UserID: a.User.ID}, storage.ReasonUser,
		storage.Also{Events: []storage.Event{event}})
	return len(ended) > 0, err
}

// EndOthers ends all sessions of the account's person but its own. Errors are the store's.
func (b *Browsers) EndOthers(ctx context.Context, v *Visit, a Account) error {
	event := b.byOwner(v, a, "sessions.ended")
	event.Detail = map[string]string{"reason": string(storage.ReasonUser)}
	_, err := b.store.EndSessions(ctx, storage.SessionsOf{UserID: a.User.ID, Except: a.Session.ID}, storage.ReasonUser,
		storage.Also{Events: []storage.Event{event}})
	return err
}

// Remembered are the browsers that the account's person needs no second factor at, newest first. Errors are the store's.
func (b *Browsers) Remembered(ctx context.Context, a Account, now time.Time) ([]storage.RememberedDevice, error) {
	all, err := b.store.ListDevices(ctx, a.User.ID)
	return slices.DeleteFunc(all, func(d storage.RememberedDevice) bool { return !now.Before(d.ExpiresAt) }), err
}

// Forget has the person asked for the second factor again at the remembered browser with this ID. Errors are the store's.
func (b *Browsers) Forget(ctx context.Context, v *Visit, a Account, id storage.ID) error {
	all, err := b.store.ListDevices(ctx, a.User.ID)
	if err != nil || !slices.ContainsFunc(all, func(d storage.RememberedDevice) bool { return d.ID == id }) {
		return err
	}
	_, err = b.store.ForgetDevices(ctx, a.User.ID, id, storage.Also{Events: []storage.Event{b.byOwner(v, a, "user.device_forgotten")}})
	return err
}

// Renew begins a new session in place of the account's, which has just ended with all others of the person by an act of theirs
// (storage.SetPassword), and under a new secret. It proves nothing new: times and classes stay. revision is the user's since that act.
// Errors: ErrGone, the user has changed once more; the store's.
func (b *Browsers) Renew(ctx context.Context, v *Visit, a Account, revision int64) (Account, error) {
	ended, secret := a.Session.ID, newSecret()
	s := &a.Session
	s.ID, s.Digest, s.Revision = newID(), sessionDigest(secret), 0
	s.CreatedAt, s.UsedAt, s.ExpiresAt, s.Seen = v.Now, v.Now, v.Now.Add(b.lifetime), v.Seen
	a.User.Revision = revision
	v.drop(b, ended)
	spend := storage.Spend{UserID: a.User.ID, UserRevision: revision}
	err := b.store.StartSession(ctx, *s, maxSessions, spend, storage.Also{})
	if errors.Is(err, storage.ErrMoved) {
		return Account{}, ErrGone
	}
	if err != nil {
		return Account{}, err
	}
	s.Revision++
	v.hold(b, a, secret)
	return a, nil
}

// MustHaveFactor reports whether the person may not be without a second factor here.
func (b *Browsers) MustHaveFactor(u storage.User) bool { return b.policy.Asks(u) }

func (b *Browsers) byOwner(v *Visit, a Account, kind string) storage.Event {
	event := b.event(v, kind, "", a.User.ID)
	event.Actor = a.User.ID.String()
	return event
}
