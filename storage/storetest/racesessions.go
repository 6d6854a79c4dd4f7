package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func sessionRaces() []race {
	return []race{
		{"OneDigestMakesOneSession", "StartSession", raceStartSession},
		{"NoMoreSessionsStandThanThereMayBe", "StartSession", raceSurplus},
		{"NoSessionSurvivesAPasswordChange", "StartSession SetPassword", racePasswordSession},
		{"NoSessionSurvivesDisablingOrDeletion", "StartSession UpdateUser DeleteUser", raceDisableSession},
		{"OfManyChangesOfOneSessionOneWins", "ChangeSession", raceChangeSession},
		{"AChangeAndAnEndExcludeEachOther", "ChangeSession TouchSession EndSessions", raceChangeEnd},
		{"ASessionEndsOnce", "EndSessions", raceEndSession},
		{"NothingThatIsNotOfflineSurvivesItsSession", "EndSessions ChangeSession CreateGrant RedeemGrant", raceEndGrant},
		{"OneDeviceIsRememberedOnce", "RememberDevice", raceRememberDevice},
		{"NoDeviceSurvivesAPasswordChangeOrNewFactors", "RememberDevice SetPassword RemoveFactors", raceForget},
		{"EachDeviceIsForgottenOnce", "ForgetDevices", raceForgetDevices},
	}
}

func raceStartSession(t *testing.T, s *subject) {
	s.user(t, 1)
	won := s.oneWins(t, storage.ErrTaken, func(i int) error {
		in := bareSession(70, 1)
		in.ID, in.ACR = id(100+i), fmt.Sprint(i)
		return s.StartSession(t.Context(), in, contenders, storage.Spend{}, storage.Also{Events: []storage.Event{{Kind: "signin"}}})
	})
	if got := s.standing(t, 70); got.ID != id(100+won) || got.ACR != fmt.Sprint(won) {
		t.Fatalf("contender %d won, and the row is %+v", won, got)
	}
	if n := len(s.events(t, storage.EventFilter{})); n != 1 {
		t.Fatalf("%d events, want 1", n)
	}
}

func raceSurplus(t *testing.T, s *subject) {
	const most = 5
	s.user(t, 1)
	for n := range most {
		s.session(t, bareSession(n+1, 1))
		s.given(t, n+1, n+1, "c", nil)
	}
	allOK(t, s.contend(t, func(i int) error {
		in := bareSession(100+i, 1)
		in.UsedAt = start.Add(time.Second)
		return s.StartSession(t.Context(), in, most, s.proofOf(1), storage.Also{})
	}))
	listed, _, err := s.ListSessions(t.Context(), id(1))
	ok(t, err)
	if len(listed) != most {
		t.Fatalf("%d sessions stand, want %d", len(listed), most)
	}
	s.told(t, 1, map[int]string{1: "c", 2: "c", 3: "c", 4: "c", 5: "c"})
}

// proofOf is a proof at the first revision.
func (s *subject) proofOf(user int) storage.Spend {
	return storage.Spend{UserID: id(user), UserRevision: 1}
}

// sessionSurvivors races an act that withdraws a user against sign-ins that proved the old password.
func (s *subject) sessionSurvivors(t *testing.T, withdraw func(user int) error) {
	t.Helper()
	for user := 1; user <= 10; user++ {
		s.user(t, user)
		s.session(t, bareSession(1000*user+99, user))
		last := contenders / 2
		for i, err := range s.contend(t, func(i int) error {
			if i == last {
				return withdraw(user)
			}
			return s.StartSession(t.Context(), bareSession(1000*user+i, user), contenders+1, s.proofOf(user), storage.Also{})
		}) {
			if i == last || err == nil {
				ok(t, err)
				continue
			}
			fails(t, err, storage.ErrMoved)
		}
		listed, _, err := s.ListSessions(t.Context(), id(user))
		ok(t, err)
		if len(listed) != 0 {
			t.Fatalf("%d sessions survive", len(listed))
		}
	}
}

func racePasswordSession(t *testing.T, s *subject) {
	s.sessionSurvivors(t, func(user int) error { return s.SetPassword(t.Context(), id(user), 0, "new", storage.Also{}) })
}

func raceDisableSession(t *testing.T, s *subject) {
	s.sessionSurvivors(t, func(user int) error {
		if user%2 == 0 {
			return s.DeleteUser(t.Context(), id(user), storage.Also{})
		}
		u := storage.User{ID: id(user), Revision: 1, DisabledAt: start}
		return s.UpdateUser(t.Context(), u, storage.ReasonAdmin, storage.Also{})
	})
}

func raceChangeSession(t *testing.T, s *subject) {
	s.user(t, 1)
	s.session(t, bareSession(70, 1))
	for round := range 5 {
		spend := s.proofOf(1)
		if round%2 == 1 { // each relies on the session as it was
			spend.SessionID, spend.SessionRevision = id(70), int64(round+1)
		}
		won := s.oneWins(t, storage.ErrMoved, func(i int) error {
			shall := bareSession(70, 1)
			shall.Revision, shall.ACR = int64(round+1), fmt.Sprint(i)
			return s.ChangeSession(t.Context(), shall, spend, storage.Also{})
		})
		if got := s.standing(t, 70); got.ACR != fmt.Sprint(won) || got.Revision != int64(round+2) {
			t.Fatalf("contender %d won, and the row is %+v", won, got)
		}
	}
}

func raceChangeEnd(t *testing.T, s *subject) {
	s.user(t, 1)
	for n := 1; n <= 10; n++ {
		s.session(t, bareSession(n, 1))
		for i, err := range s.contend(t, func(i int) error {
			switch i % 4 {
			case 0:
				_, err := s.EndSessions(t.Context(), storage.SessionsOf{ID: id(n)}, storage.ReasonLogout, storage.Also{})
				return err
			case 1:
				return s.TouchSession(t.Context(), id(n), storage.Seen{})
			}
			shall := bareSession(n, 1)
			shall.Revision = 1
			return s.ChangeSession(t.Context(), shall, storage.Spend{}, storage.Also{})
		}) {
			if i%4 < 2 || err == nil {
				ok(t, err)
				continue
			}
			fails(t, err, storage.ErrMoved, storage.ErrNotFound)
		}
		s.live(t)
	}
}

func raceEndSession(t *testing.T, s *subject) {
	s.user(t, 1)
	for n := 1; n <= 10; n++ {
		s.session(t, bareSession(n, 1))
		s.given(t, n, n, "c", nil)
		var ended atomic.Int64
		allOK(t, s.contend(t, func(i int) error {
			of := storage.SessionsOf{ID: id(n)}
			if i%2 == 0 {
				of = storage.SessionsOf{UserID: id(1), Except: id(99)}
			}
			gone, err := s.EndSessions(t.Context(), of, storage.ReasonLogout, storage.Also{})
			ended.Add(int64(len(gone)))
			return err
		}))
		if ended.Load() != 1 {
			t.Fatalf("one session ended %d times", ended.Load())
		}
		s.told(t, 1, map[int]string{n: "c"})
	}
}

// raceEndGrant: what relied on the session and committed first is revoked with it, and what comes later is refused.
func raceEndGrant(t *testing.T, s *subject) {
	s.user(t, 1)
	for round := 1; round <= 10; round++ {
		s.session(t, bareSession(round, 1))
		grant := func(i int) storage.Grant {
			g := bareGrant(1000*round + i)
			g.SessionID, g.Offline = id(round), i%8 == 7
			return g
		}
		for i := 1; i < contenders; i += 2 {
			g := grant(i)
			g.State, g.Pending = storage.Pending, &storage.Waiting{Kind: storage.WaitingCode}
			s.create(t, g)
		}
		spend := s.proofOf(1)
		spend.SessionID, spend.SessionRevision = id(round), 1
		last := contenders / 2
		errs := s.contend(t, func(i int) error {
			switch {
			case i == last && round%2 == 0:
				_, err := s.EndSessions(t.Context(), storage.SessionsOf{UserID: id(1)}, storage.ReasonLogout, storage.Also{})
				return err
			case i == last:
				_, err := s.EndSessions(t.Context(), storage.SessionsOf{ID: id(round)}, storage.ReasonLogout, storage.Also{})
				return err
			case i == last/2:
				changed := bareSession(round, 1)
				changed.Revision = 1
				return s.ChangeSession(t.Context(), changed, spend, storage.Also{})
			case i%2 == 1:
				return s.RedeemGrant(t.Context(), storage.Redemption{Grant: grant(i), Revision: 1, Spend: spend})
			}
			return s.CreateGrant(t.Context(), grant(i), spend, storage.Also{})
		})
		ok(t, errs[last])
		for i, err := range errs {
			if i != last && err != nil {
				fails(t, err, storage.ErrMoved, storage.ErrNotFound)
			}
		}
		for _, g := range s.list(t, storage.GrantsOf{SessionID: id(round)}, storage.ID{}, contenders) {
			if g.State == storage.Pending || g.State == storage.Active && !g.Offline {
				t.Fatalf("round %d: grant %s is %s still, offline: %v", round, g.ID, g.State, g.Offline)
			}
		}
		s.told(t, 1, map[int]string{round: "client"})
	}
}

func raceRememberDevice(t *testing.T, s *subject) {
	s.user(t, 1)
	s.oneWins(t, storage.ErrTaken, func(i int) error {
		d := fullDevice(60, 1)
		d.ID = id(100 + i)
		return s.RememberDevice(t.Context(), d, 1, storage.Also{})
	})
	if n := len(s.devices(t, 1)); n != 1 {
		t.Fatalf("%d devices, want 1", n)
	}
}

func raceForget(t *testing.T, s *subject) {
	for user := 1; user <= 10; user++ {
		s.user(t, user)
		last := contenders / 2
		for i, err := range s.contend(t, func(i int) error {
			switch {
			case i == last && user%2 == 0:
				_, err := s.RemoveFactors(t.Context(), id(user), storage.Also{})
				return err
			case i == last:
				return s.SetPassword(t.Context(), id(user), 0, "new", storage.Also{})
			}
			return s.RememberDevice(t.Context(), fullDevice(1000*user+i, user), 1, storage.Also{})
		}) {
			if i == last || err == nil {
				ok(t, err)
				continue
			}
			fails(t, err, storage.ErrMoved)
		}
		if n := len(s.devices(t, user)); n != 0 {
			t.Fatalf("%d devices survive", n)
		}
	}
}

func raceForgetDevices(t *testing.T, s *subject) {
	s.user(t, 1)
	const devices = 20
	for n := range devices {
		s.device(t, fullDevice(100+n, 1))
	}
	var forgotten atomic.Int64
	var one sync.Once
	allOK(t, s.contend(t, func(i int) error {
		device := id(100 + i%devices)
		one.Do(func() { device = storage.ID{} })
		n, err := s.ForgetDevices(t.Context(), id(1), device, storage.Also{})
		forgotten.Add(int64(n))
		return err
	}))
	if forgotten.Load() != devices || len(s.devices(t, 1)) != 0 {
		t.Fatalf("%d of %d devices forgotten", forgotten.Load(), devices)
	}
}
