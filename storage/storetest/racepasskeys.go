package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func passkeyRaces() []race {
	return []race{
		{"OneCredentialBelongsToOneUser", "AddPasskey", raceAddCredential},
		{"OfManyPasskeysAtOneRevisionOneIsAdded", "AddPasskey", raceAddPasskey},
		{"OfManyRemovalsOfPasskeysAtOneRevisionOneWins", "RemovePasskey RemoveFactor", raceRemovePasskey},
		{"ACountOfAPasskeyIsSpentOnce", "CreateGrant StartSession ChangeSession", raceSignCount},
		{"AChallengeIsSpentOnce", "CreateGrant StartSession SpendAssertion", raceChallenge},
		{"NoSignInByAPasskeyOutlivesIt", "RemovePasskey CreateGrant", racePasskeyGone},
	}
}

func raceAddCredential(t *testing.T, s *subject) {
	for n := range contenders {
		s.user(t, n+1)
	}
	won := s.oneWins(t, storage.ErrTaken, func(i int) error {
		p := barePasskey(100+i, i+1)
		p.CredentialID = []byte("one")
		return s.AddPasskey(t.Context(), p, 1, nil, storage.Also{Events: []storage.Event{{Kind: "a"}}})
	})
	in, err := s.FindPasskey(t.Context(), []byte("one"))
	ok(t, err)
	if n := len(s.events(t, storage.EventFilter{})); in.User.ID != id(won+1) || n != 1 {
		t.Fatalf("contender %d won; the passkey is %s's, with %d events", won, in.User.ID, n)
	}
}

func raceAddPasskey(t *testing.T, s *subject) {
	s.user(t, 1)
	won := s.oneWins(t, storage.ErrMoved, func(i int) error {
		return s.AddPasskey(t.Context(), barePasskey(100+i, 1), 1, []storage.Digest{digest(fmt.Sprint(i)), digest("both")}, storage.Also{})
	})
	in := s.signIn(t, id(1))
	if len(in.Passkeys) != 1 || in.Passkeys[0].ID != id(100+won) || in.RecoveryCodes != 2 || in.User.Revision != 2 {
		t.Fatalf("contender %d won, and the user is %+v", won, in)
	}
}

func raceRemovePasskey(t *testing.T, s *subject) {
	s.user(t, 1)
	s.factor(t, 1, 4, 100, digest("a"))
	s.passkey(t, fullPasskey(5, 1))
	revision := s.signIn(t, id(1)).User.Revision
	s.oneWins(t, storage.ErrMoved, func(i int) error {
		if i%2 == 0 {
			return s.RemoveFactor(t.Context(), id(1), id(4), revision, storage.Also{})
		}
		return s.RemovePasskey(t.Context(), id(1), id(5), revision, storage.Also{})
	})
	if in := s.signIn(t, id(1)); len(in.Factors)+len(in.Passkeys) != 1 || in.RecoveryCodes != 1 {
		t.Fatalf("one removal left %+v", in)
	}
}

func raceSignCount(t *testing.T, s *subject) {
	s.user(t, 1)
	s.passkey(t, barePasskey(5, 1))
	spend := s.proof(t, 1)
	spend.PasskeyID = id(5)
	for n := range contenders {
		s.session(t, bareSession(1000+n, 1))
	}
	for spend.SignCount = 1; spend.SignCount <= 3; spend.SignCount++ {
		s.oneWins(t, storage.ErrSpent, func(i int) error {
			n := 100*int(spend.SignCount) + i
			switch i % 3 {
			case 0:
				return s.CreateGrant(t.Context(), bareGrant(n), spend, storage.Also{})
			case 1:
				return s.StartSession(t.Context(), bareSession(n, 1), 1000, spend, storage.Also{})
			}
			shall := bareSession(1000+i, 1)
			shall.Revision = s.standing(t, 1000+i).Revision
			return s.ChangeSession(t.Context(), shall, spend, storage.Also{})
		})
	}
	if got := s.signIn(t, id(1)).Passkeys[0].SignCount; got != 3 {
		t.Fatalf("the count is %d, want 3", got)
	}
}

// raceChallenge: the authenticator does not count, so that the challenge alone stands against a replay.
func raceChallenge(t *testing.T, s *subject) {
	s.user(t, 1)
	s.passkey(t, barePasskey(5, 1))
	spend := s.proof(t, 1)
	spend.PasskeyID, spend.ChallengeEnds = id(5), start.Add(time.Minute)
	for round := range 3 {
		spend.Challenge = digest(fmt.Sprint("challenge ", round))
		s.oneWins(t, storage.ErrSpent, func(i int) error {
			n := 100*(round+1) + i
			switch i % 3 {
			case 0:
				return s.CreateGrant(t.Context(), bareGrant(n), spend, storage.Also{})
			case 1:
				return s.StartSession(t.Context(), bareSession(n, 1), 1000, spend, storage.Also{})
			}
			return s.SpendAssertion(t.Context(), spend.Challenge, spend.ChallengeEnds)
		})
	}
}

// racePasskeyGone: whoever signed in with the passkey before it went may stay; nobody does so afterwards.
func racePasskeyGone(t *testing.T, s *subject) {
	s.user(t, 1)
	s.passkey(t, barePasskey(5, 1))
	spend := s.proof(t, 1)
	spend.PasskeyID = id(5)
	last := contenders / 2
	for i, err := range s.contend(t, func(i int) error {
		if i == last {
			return s.RemovePasskey(t.Context(), id(1), id(5), spend.UserRevision, storage.Also{})
		}
		return s.CreateGrant(t.Context(), bareGrant(100+i), spend, storage.Also{})
	}) {
		if i == last || err == nil {
			ok(t, err)
			continue
		}
		fails(t, err, storage.ErrMoved)
		s.absent(t, 100+i)
	}
}

// passkeyAlsoVerbs are those of passkeys.
func passkeyAlsoVerbs() []alsoVerb {
	add := func(t *testing.T, s *subject, a storage.Also) error {
		return s.AddPasskey(t.Context(), barePasskey(5, 1), 1, nil, a)
	}
	remove := func(t *testing.T, s *subject, a storage.Also) error {
		return s.RemovePasskey(t.Context(), id(1), id(5), 2, a)
	}
	return []alsoVerb{
		{"AddPasskey", func(t *testing.T, s *subject) { s.user(t, 1) }, add, add},
		{"RemovePasskey", func(t *testing.T, s *subject) { s.user(t, 1); s.passkey(t, barePasskey(5, 1)) }, remove, remove},
	}
}

// callPasskeys calls the methods of passkeys.
func callPasskeys(ctx context.Context, s storage.Store, each func(method string, err error)) {
	each("AddPasskey", s.AddPasskey(ctx, barePasskey(5, 1), 1, nil, storage.Also{}))
	_, err := s.FindPasskey(ctx, []byte{5})
	each("FindPasskey", err)
	each("RenamePasskey", s.RenamePasskey(ctx, id(1), id(5), "a"))
	each("RemovePasskey", s.RemovePasskey(ctx, id(1), id(5), 2, storage.Also{}))
}
