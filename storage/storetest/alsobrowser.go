package storetest

import (
	"testing"

	"github.com/signet-idp/signet/storage"
)

// browserAlsoVerbs are those that serve people at browsers.
func browserAlsoVerbs() []alsoVerb {
	begin := func(t *testing.T, s *subject, a storage.Also) error {
		return s.StartSession(t.Context(), bareSession(70, 1), 5, storage.Spend{UserID: id(1), UserRevision: 1}, a)
	}
	change := func(t *testing.T, s *subject, a storage.Also) error {
		shall := bareSession(70, 1)
		shall.Revision = 1
		return s.ChangeSession(t.Context(), shall, storage.Spend{}, a)
	}
	end := func(t *testing.T, s *subject, a storage.Also) error {
		_, err := s.EndSessions(t.Context(), storage.SessionsOf{ID: id(70)}, storage.ReasonLogout, a)
		return err
	}
	remember := func(t *testing.T, s *subject, a storage.Also) error {
		return s.RememberDevice(t.Context(), fullDevice(60, 1), 1, a)
	}
	forget := func(t *testing.T, s *subject, a storage.Also) error {
		_, err := s.ForgetDevices(t.Context(), id(1), storage.ID{}, a)
		return err
	}
	consent := func(t *testing.T, s *subject, a storage.Also) error {
		return s.RememberConsent(t.Context(), fullConsent(1, "c"), a)
	}
	withdraw := func(t *testing.T, s *subject, a storage.Also) error {
		_, err := s.WithdrawConsent(t.Context(), id(1), "c", a)
		return err
	}
	// What cannot fail by itself is made to by an event that cannot be stored.
	twice := func(act actor) actor {
		return func(t *testing.T, s *subject, a storage.Also) error {
			a.Events = append(a.Events, a.Events[0])
			return act(t, s, a)
		}
	}
	aUser := func(t *testing.T, s *subject) { s.user(t, 1) }
	aSession := func(t *testing.T, s *subject) { s.user(t, 1); s.session(t, bareSession(70, 1)) }
	aDevice := func(t *testing.T, s *subject) { s.user(t, 1); s.device(t, fullDevice(60, 1)) }
	aClient := func(t *testing.T, s *subject) { s.user(t, 1); s.clients(t, "c") }
	return []alsoVerb{
		{"StartSession", aUser, begin, begin},
		{"ChangeSession", aSession, change, change},
		{"EndSessions", aSession, end, twice(end)},
		{"RememberDevice", aUser, remember, remember},
		{"ForgetDevices", aDevice, forget, twice(forget)},
		{"RememberConsent", aClient, consent, consent},
		{"WithdrawConsent", aClient, withdraw, twice(withdraw)},
	}
}
