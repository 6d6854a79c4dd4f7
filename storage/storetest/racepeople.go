package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func peopleRaces() []race {
	return []race{
		{"OneLoginBelongsToOneUser", "CreateUser", raceCreateUser},
		{"OfManyUpdatesOfOneUserOneWins", "UpdateUser", raceUpdateUser},
		{"OfManyUsersWhoWantOneLoginOneGetsIt", "UpdateUser", raceUpdateLogin},
		{"AUserIsDeletedOnce", "DeleteUser", raceDeleteUser},
		{"NoGrantSurvivesAPasswordChange", "SetPassword CreateGrant RedeemGrant", racePasswordGrant},
		{"NoGrantSurvivesDisabling", "UpdateUser CreateGrant RedeemGrant", raceDisableGrant},
		{"NoGrantSurvivesDeletion", "DeleteUser CreateGrant RedeemGrant", raceDeleteGrant},
		{"AStandingIsReadAtOneInstant", "UpdateUser", raceStanding},
		{"EachPasswordChangeRaisesTheRevision", "SetPassword", raceSetPassword},
		{"AHashIsRaisedOnce", "RaiseHash", raceRaiseHash},
		{"ARaisedHashNeverReplacesANewPassword", "RaiseHash SetPassword", raceRaiseSet},
		{"OneDeviceWaitsToBeConfirmed", "EnrollTOTP", raceEnroll},
		{"ADeviceIsConfirmedOnce", "ConfirmTOTP", raceConfirm},
		{"EachDeviceIsRemovedOnce", "RemoveFactors", raceRemoveFactors},
		{"OfManyPasswordChangesAtOneRevisionOneWins", "SetPassword", raceChangePassword},
		{"OfManyRemovalsAtOneRevisionOneWins", "RemoveFactor", raceRemoveFactor},
		{"OfManySetsOfRecoveryCodesAtOneRevisionOneWins", "ReplaceRecoveryCodes", raceReplaceCodes},
	}
}

func raceCreateUser(t *testing.T, s *subject) {
	won := s.oneWins(t, storage.ErrTaken, func(i int) error {
		u := bareUser(i + 1)
		u.Logins = []string{"a", "b"}
		if i%2 == 1 {
			u.Logins = []string{"b", "a"}
		}
		return s.CreateUser(t.Context(), u, "", storage.Also{Events: []storage.Event{{Kind: "user.created"}}})
	})
	for _, login := range []string{"a", "b"} {
		found, err := s.FindLogin(t.Context(), login)
		ok(t, err)
		if found.User.ID != id(won+1) {
			t.Fatalf("login %q belongs to %s, and contender %d won", login, found.User.ID, won)
		}
	}
	users, err := s.ListUsers(t.Context(), storage.ID{}, contenders)
	ok(t, err)
	if n := len(s.events(t, storage.EventFilter{})); len(users) != 1 || n != 1 {
		t.Fatalf("%d users and %d events, want one of each", len(users), n)
	}
}

func raceUpdateUser(t *testing.T, s *subject) {
	s.user(t, 1)
	won := s.oneWins(t, storage.ErrMoved, func(i int) error {
		u := storage.User{ID: id(1), Revision: 1, Username: fmt.Sprint(i)}
		return s.UpdateUser(t.Context(), u, "", storage.Also{})
	})
	if u := s.signIn(t, id(1)).User; u.Username != fmt.Sprint(won) || u.Revision != 2 {
		t.Fatalf("contender %d won, and the row is %+v", won, u)
	}
}

func raceUpdateLogin(t *testing.T, s *subject) {
	for n := range contenders {
		s.user(t, n+1)
	}
	won := s.oneWins(t, storage.ErrTaken, func(i int) error {
		u := storage.User{ID: id(i + 1), Revision: 1, Logins: []string{"wanted", fmt.Sprint("own ", i)}}
		return s.UpdateUser(t.Context(), u, "", storage.Also{})
	})
	found, err := s.FindLogin(t.Context(), "wanted")
	ok(t, err)
	if found.User.ID != id(won+1) {
		t.Fatalf("contender %d won, and the login belongs to %s", won, found.User.ID)
	}
}

func raceDeleteUser(t *testing.T, s *subject) {
	s.user(t, 1)
	s.oneWins(t, storage.ErrNotFound, func(int) error { return s.DeleteUser(t.Context(), id(1), storage.Also{}) })
}

// survivors races an act that withdraws user 1 against sign-ins which proved the old password, at new grants and at pending
// ones, and asserts that no grant that the old password bought is active when all is done.
func (s *subject) survivors(t *testing.T, withdraw func(user int) error) {
	t.Helper()
	for round := 1; round <= 10; round++ {
		s.user(t, round)
		spend := s.proof(t, round)
		grant := func(i int) storage.Grant {
			g := bareGrant(1000*round + i)
			g.UserID = id(round)
			return g
		}
		for i := 1; i < contenders; i += 2 {
			g := grant(i)
			g.State, g.Pending = storage.Pending, &storage.Waiting{Kind: storage.WaitingMFA}
			s.create(t, g)
		}
		last := contenders / 2
		for i, err := range s.contend(t, func(i int) error {
			switch {
			case i == last:
				return withdraw(round)
			case i%2 == 1:
				return s.RedeemGrant(t.Context(), storage.Redemption{Grant: grant(i), Revision: 1, Spend: spend})
			}
			return s.CreateGrant(t.Context(), grant(i), spend, storage.Also{})
		}) {
			if i == last || err == nil {
				ok(t, err)
				continue
			}
			fails(t, err, storage.ErrMoved)
		}
		page, _, err := s.WalkGrants(t.Context(), storage.ID{}, 10_000)
		ok(t, err)
		for _, g := range page {
			if g.State != storage.Revoked {
				t.Fatalf("round %d: grant %s is still %s", round, g.ID, g.State)
			}
		}
	}
}

func racePasswordGrant(t *testing.T, s *subject) {
	s.survivors(t, func(user int) error { return s.SetPassword(t.Context(), id(user), 0, "new", storage.Also{}) })
}

func raceDisableGrant(t *testing.T, s *subject) {
	s.survivors(t, func(user int) error {
		u := storage.User{ID: id(user), Revision: 1, DisabledAt: start}
		return s.UpdateUser(t.Context(), u, storage.ReasonAdmin, storage.Also{})
	})
}

func raceDeleteGrant(t *testing.T, s *subject) {
	s.survivors(t, func(user int) error { return s.DeleteUser(t.Context(), id(user), storage.Also{}) })
}

// raceStanding: disabling commits with the revocation, so no reader may see the one without the other.
func raceStanding(t *testing.T, s *subject) {
	for round := 1; round <= 10; round++ {
		s.user(t, round)
		g := bareGrant(1000 + round)
		g.UserID = id(round)
		s.create(t, g)
		allOK(t, together(t, 17, nil, func(i int) error {
			if i == 8 {
				u := storage.User{ID: id(round), Revision: 1, DisabledAt: start}
				return s.UpdateUser(t.Context(), u, storage.ReasonAdmin, storage.Also{})
			}
			for range 20 {
				standing, err := s.FindGrant(t.Context(), g.ID)
				if err != nil {
					return err
				}
				if revoked := standing.Grant.State == storage.Revoked; revoked != standing.User.Disabled {
					return fmt.Errorf("revoked: %v, user disabled: %v", revoked, standing.User.Disabled)
				}
			}
			return nil
		}))
	}
}

func raceSetPassword(t *testing.T, s *subject) {
	s.user(t, 1)
	allOK(t, s.contend(t, func(i int) error { return s.SetPassword(t.Context(), id(1), 0, fmt.Sprint(i), storage.Also{}) }))
	if got := s.signIn(t, id(1)).User.Revision; got != 1+contenders {
		t.Fatalf("revision %d after %d changes", got, contenders)
	}
}

func raceRaiseHash(t *testing.T, s *subject) {
	s.user(t, 1)
	won := s.oneWins(t, storage.ErrMoved, func(i int) error { return s.RaiseHash(t.Context(), id(1), "hash", fmt.Sprint(i)) })
	if got := s.signIn(t, id(1)).PasswordHash; got != fmt.Sprint(won) {
		t.Fatalf("contender %d won, and the hash is %q", won, got)
	}
}

func raceRaiseSet(t *testing.T, s *subject) {
	for round := 1; round <= 10; round++ {
		s.user(t, round)
		errs := s.contend(t, func(i int) error {
			if i == contenders/2 {
				return s.SetPassword(t.Context(), id(round), 0, "new", storage.Also{})
			}
			return s.RaiseHash(t.Context(), id(round), "hash", "costlier")
		})
		ok(t, errs[contenders/2])
		if got := s.signIn(t, id(round)).PasswordHash; got != "new" {
			t.Fatalf("the new password's hash was replaced by %q", got)
		}
	}
}

func raceEnroll(t *testing.T, s *subject) {
	s.user(t, 1)
	allOK(t, s.contend(t, func(i int) error { return s.EnrollTOTP(t.Context(), fullTOTP(10+i, 1), storage.Also{}) }))
	confirmed := 0
	for i := range contenders {
		err := s.ConfirmTOTP(t.Context(), id(1), id(10+i), 0, 1, nil, storage.Also{})
		if err == nil {
			confirmed++
			continue
		}
		fails(t, err, storage.ErrMoved)
	}
	if in := s.signIn(t, id(1)); confirmed != 1 || len(in.Factors) != 1 {
		t.Fatalf("%d devices could be confirmed, want 1", confirmed)
	}
}

func raceConfirm(t *testing.T, s *subject) {
	s.user(t, 1)
	ok(t, s.EnrollTOTP(t.Context(), fullTOTP(5, 1), storage.Also{}))
	won := s.oneWins(t, storage.ErrMoved, func(i int) error {
		codes := []storage.Digest{digest(fmt.Sprint(i)), digest(fmt.Sprint(i, " second"))}
		return s.ConfirmTOTP(t.Context(), id(1), id(5), 0, int64(100+i), codes, storage.Also{})
	})
	in := s.signIn(t, id(1))
	if len(in.Factors) != 1 || in.Factors[0].LastStep != int64(100+won) || in.RecoveryCodes != 2 || in.User.Revision != 2 {
		t.Fatalf("contender %d won, and the user is %+v", won, in)
	}
}

func raceRemoveFactors(t *testing.T, s *subject) {
	s.user(t, 1)
	for n := range 3 {
		s.factor(t, 1, 5+n, 100)
	}
	var removed atomic.Int64
	allOK(t, together(t, 16, nil, func(int) error {
		n, err := s.RemoveFactors(t.Context(), id(1), storage.Also{})
		removed.Add(int64(n))
		return err
	}))
	if removed.Load() != 3 {
		t.Fatalf("%d removals of 3 devices", removed.Load())
	}
	s.clock.Advance(time.Second)
}

func raceChangePassword(t *testing.T, s *subject) {
	s.user(t, 1)
	won := s.oneWins(t, storage.ErrMoved, func(i int) error { return s.SetPassword(t.Context(), id(1), 1, fmt.Sprint(i), storage.Also{}) })
	if in := s.signIn(t, id(1)); in.PasswordHash != fmt.Sprint(won) || in.User.Revision != 2 {
		t.Fatalf("contender %d won, and the user is %+v", won, in)
	}
}

func raceRemoveFactor(t *testing.T, s *subject) {
	s.user(t, 1)
	for n := range 4 {
		s.factor(t, 1, 5+n, 100)
	}
	revision := s.signIn(t, id(1)).User.Revision
	won := s.oneWins(t, storage.ErrMoved, func(i int) error { return s.RemoveFactor(t.Context(), id(1), id(5+i%4), revision, storage.Also{}) })
	in := s.signIn(t, id(1))
	if len(in.Factors) != 3 || in.User.Revision != revision+1 {
		t.Fatalf("one removal left %+v", in)
	}
	for _, f := range in.Factors {
		if f.ID == id(5+won%4) {
			t.Fatalf("contender %d won, and its device is there", won)
		}
	}
}

func raceReplaceCodes(t *testing.T, s *subject) {
	s.user(t, 1)
	s.factor(t, 1, 5, 100, digest("old"))
	revision := s.signIn(t, id(1)).User.Revision
	won := s.oneWins(t, storage.ErrMoved, func(i int) error {
		codes := []storage.Digest{digest(fmt.Sprint(i)), digest(fmt.Sprint(i, " second"))}
		return s.ReplaceRecoveryCodes(t.Context(), id(1), revision, codes, storage.Also{})
	})
	if in := s.signIn(t, id(1)); in.RecoveryCodes != 2 {
		t.Fatalf("%d codes of one set", in.RecoveryCodes)
	}
	spend := s.proof(t, 1)
	spend.RecoveryCode = digest(fmt.Sprint(won))
	ok(t, s.CreateGrant(t.Context(), bareGrant(10), spend, storage.Also{}))
}
