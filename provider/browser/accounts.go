package browser

import (
	"context"

	"github.com/signet-idp/signet/storage"
)

// Choose makes the account with this session the current one, and notes that the person chose it now. Errors: ErrGone: the session
// is none of the visit's, or ended meanwhile; *oauth.Error temporarily_unavailable; the store's.
func (b *Browsers) Choose(ctx context.Context, v *Visit, id storage.ID) (Account, error) {
	return b.settle(ctx, v, func() (Account, error) {
		a, there := v.find(withID(id))
		if !there {
			return Account{}, ErrGone
		}
		s := &a.Session
		s.ChosenAt, s.UsedAt, s.Seen = v.Now, v.Now, v.Seen
		if err := b.store.ChangeSession(ctx, *s, storage.Spend{}, storage.Also{}); err != nil {
			return Account{}, err
		}
		s.Revision++
		v.hold(b, a, v.secrets[id])
		return a, nil
	})
}

// SignOut ends those of the visit's sessions, and with each what was granted in it (storage.EndSessions). Other sessions, and those
// that ended meanwhile, are passed over. The browser stays known, and what it remembers of second factors too. Errors are the
// store's; what is returned with one had ended before it.
func (b *Browsers) SignOut(
	ctx context.Context, v *Visit, ids []storage.ID, reason storage.Reason, actor string,
) (ended []storage.EndedSession, err error) {
	for _, id := range ids {
		a, there := v.find(withID(id))
		if !there {
			continue
		}
		event := b.event(v, "session.ended", "", a.User.ID)
		event.Actor, event.Detail = actor, map[string]string{"session_id": id.String(), "reason": string(reason)}
		gone, err := b.store.EndSessions(ctx, storage.SessionsOf{ID: id}, reason, storage.Also{Events: []storage.Event{event}})
		if err != nil {
			return ended, err
		}
		ended = append(ended, gone...)
		v.drop(b, id)
	}
	return ended, nil
}
