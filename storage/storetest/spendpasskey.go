package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func spendPasskeyPromises() []promise {
	return []promise{
		{"ThePasskeysCountMustRiseWhereThereIsOne", spendCountRises},
		{"APasskeyThatDoesNotCountServesAgain", spendWithoutCount},
		{"AnotherUsersOrNoPasskeyBuysNothing", spendForeignPasskey},
		{"AChallengeServesOnce", spendChallengeOnce},
		{"AFailedActSpendsNoPasskeyAndNoChallenge", failedActSpendsNoPasskey},
		{"SessionsSpendPasskeysAsCreateGrantDoes", sessionsSpendPasskeys},
	}
}

func spendCountRises(t *testing.T, s *subject) {
	s.user(t, 1)
	p := fullPasskey(5, 1)
	p.SignCount = 100
	s.passkey(t, p)
	spend := s.proof(t, 1)
	spend.PasskeyID = id(5)
	p.CreatedAt = start
	for n, try := range []struct {
		count  uint32
		backed bool
		want   error
	}{
		{100, true, storage.ErrSpent},
		{99, true, storage.ErrSpent},
		{0, true, storage.ErrSpent},
		{101, false, nil},
		{101, true, storage.ErrSpent},
		{1<<32 - 1, true, nil},
		{0, false, storage.ErrSpent},
		{1<<32 - 1, false, storage.ErrSpent},
	} {
		s.clock.Advance(time.Second)
		spend.SignCount, spend.BackedUp = try.count, try.backed
		if err := s.CreateGrant(t.Context(), bareGrant(10+n), spend, storage.Also{}); !is(err, try.want) {
			t.Fatalf("try %d, count %d: %v, want %v", n, try.count, err, try.want)
		}
		if try.want != nil {
			s.absent(t, 10+n)
		} else {
			p.SignCount, p.BackedUp, p.UsedAt = try.count, try.backed, s.clock.Now()
		}
		same(t, []storage.Passkey{p}, s.signIn(t, id(1)).Passkeys)
	}
}

func spendWithoutCount(t *testing.T, s *subject) {
	s.user(t, 1)
	s.passkey(t, barePasskey(5, 1))
	spend := s.proof(t, 1)
	spend.PasskeyID = id(5)
	for n, try := range []struct {
		count uint32
		want  error
	}{{0, nil}, {0, nil}, {1, nil}, {0, storage.ErrSpent}, {1, storage.ErrSpent}} {
		s.clock.Advance(time.Second)
		spend.SignCount = try.count
		if err := s.CreateGrant(t.Context(), bareGrant(10+n), spend, storage.Also{}); !is(err, try.want) {
			t.Fatalf("try %d, count %d: %v, want %v", n, try.count, err, try.want)
		}
		if p := s.signIn(t, id(1)).Passkeys[0]; try.want == nil && !p.UsedAt.Equal(s.clock.Now()) {
			t.Fatalf("try %d: used at %v, want %v", n, p.UsedAt, s.clock.Now())
		}
	}
}

func spendForeignPasskey(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.passkey(t, barePasskey(5, 2))
	before := s.signIn(t, id(2))
	spend := s.proof(t, 1)
	for _, key := range []int{5, 6} {
		spend.PasskeyID, spend.SignCount = id(key), 7
		fails(t, s.CreateGrant(t.Context(), bareGrant(10), spend, storage.Also{}), storage.ErrSpent)
	}
	fails(t, s.CreateGrant(t.Context(), bareGrant(10), storage.Spend{PasskeyID: id(5), SignCount: 7}, storage.Also{}), storage.ErrSpent)
	s.absent(t, 10)
	same(t, before, s.signIn(t, id(2)))
}

func spendChallengeOnce(t *testing.T, s *subject) {
	ctx := t.Context()
	spend := storage.Spend{Challenge: digest("a"), ChallengeEnds: start.Add(time.Hour)}
	ok(t, s.CreateGrant(ctx, bareGrant(10), spend, storage.Also{}))
	fails(t, s.CreateGrant(ctx, bareGrant(11), spend, storage.Also{}), storage.ErrSpent)
	s.absent(t, 11)
	fails(t, s.SpendAssertion(ctx, digest("a"), start.Add(time.Hour)), storage.ErrSpent)
	s.create(t, waitingGrant(12))
	redeem := storage.Redemption{Grant: bareGrant(12), Revision: 1, Spend: spend}
	fails(t, s.RedeemGrant(ctx, redeem), storage.ErrSpent)
	redeem.Spend.Challenge = digest("b")
	ok(t, s.RedeemGrant(ctx, redeem))
	s.clock.Advance(time.Hour + time.Microsecond)
	fails(t, s.CreateGrant(ctx, bareGrant(11), spend, storage.Also{}), storage.ErrSpent) // until it is swept
}

func failedActSpendsNoPasskey(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.passkey(t, barePasskey(5, 1), digest("a"))
	s.create(t, bareGrant(10))
	before := s.signIn(t, id(1))
	spend := s.proof(t, 1)
	spend.PasskeyID, spend.SignCount, spend.Challenge, spend.ChallengeEnds = id(5), 1, digest("challenge"), start.Add(time.Hour)
	fails(t, s.CreateGrant(ctx, bareGrant(10), spend, storage.Also{}), storage.ErrTaken)
	moved, code, pushed := spend, spend, spend
	moved.UserRevision--
	code.RecoveryCode = digest("never made")
	pushed.Pushed = digest("never pushed")
	fails(t, s.CreateGrant(ctx, bareGrant(11), moved, storage.Also{}), storage.ErrMoved)
	for _, try := range []storage.Spend{code, pushed} {
		fails(t, s.CreateGrant(ctx, bareGrant(11), try, storage.Also{}), storage.ErrSpent)
	}
	same(t, before, s.signIn(t, id(1)))
	s.absent(t, 11)
	ok(t, s.CreateGrant(ctx, bareGrant(11), spend, storage.Also{}))
	spend.SignCount = 2 // the challenge was answered: a higher count does not help
	fails(t, s.CreateGrant(ctx, bareGrant(12), spend, storage.Also{}), storage.ErrSpent)
	if got := s.signIn(t, id(1)).Passkeys[0].SignCount; got != 1 {
		t.Fatalf("the count is %d, want 1", got)
	}
}

func sessionsSpendPasskeys(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.passkey(t, barePasskey(5, 1))
	s.passkey(t, barePasskey(6, 2))
	begin := func(n int, spend storage.Spend) error {
		return s.StartSession(t.Context(), bareSession(n, 1), 100, spend, storage.Also{})
	}
	change := func(n int, revision int64, spend storage.Spend) error {
		shall := bareSession(n, 1)
		shall.Revision = revision
		return s.ChangeSession(t.Context(), shall, spend, storage.Also{})
	}
	signed := func(key int, count uint32, challenge string) storage.Spend {
		spend := s.proof(t, 1)
		spend.PasskeyID, spend.SignCount = id(key), count
		spend.Challenge, spend.ChallengeEnds = digest(challenge), start.Add(time.Hour)
		return spend
	}
	fails(t, begin(70, signed(6, 1, "a")), storage.ErrSpent) // another user's
	ok(t, begin(70, signed(5, 1, "a")))
	fails(t, begin(71, signed(5, 1, "b")), storage.ErrSpent) // the count stands
	fails(t, begin(71, signed(5, 2, "a")), storage.ErrSpent) // the challenge was answered
	fails(t, change(70, 1, signed(5, 1, "b")), storage.ErrSpent)
	fails(t, change(70, 1, signed(5, 2, "a")), storage.ErrSpent)
	fails(t, change(70, 1, signed(6, 2, "b")), storage.ErrSpent)
	if got := s.standing(t, 70).Revision; got != 1 {
		t.Fatalf("a change that failed raised the revision to %d", got)
	}
	s.clock.Advance(time.Second)
	ok(t, change(70, 1, signed(5, 2, "b")))
	s.live(t, 70)
	if p := s.signIn(t, id(1)).Passkeys[0]; p.SignCount != 2 || !p.UsedAt.Equal(s.clock.Now()) {
		t.Fatalf("the passkey is %+v", p)
	}
}
