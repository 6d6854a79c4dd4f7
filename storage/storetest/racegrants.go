package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/signet-idp/signet/storage"
)

func grantRaces() []race {
	return []race{
		{"OneIDMakesOneGrant", "CreateGrant", raceOneID},
		{"TenThousandAttemptsWithOneRecoveryCodeBuyOneGrant", "CreateGrant", raceRecoveryCode},
		{"TenThousandAttemptsWithOneTOTPStepBuyOneGrant", "CreateGrant", raceTOTPStep},
		{"OneRecoveryCodeRedeemsOneOfManyGrants", "RedeemGrant", raceRedeemCode},
		{"APendingGrantIsRedeemedOnce", "RedeemGrant", raceRedeem},
		{"OfManyRotationsOfOneGrantOneWins", "RotateGrant", raceRotate},
		{"RotationAndRevocationForReuseExcludeEachOther", "RotateGrant RevokeGrant", raceRotateRevoke},
		{"OneRevocationIsTheFirst", "RevokeGrant", raceRevoke},
		{"EachGrantIsRevokedByOneOfManyRevokeGrants", "RevokeGrants", raceRevokeGrants},
		{"EachTryIsCountedOnce", "TryGrant", raceTry},
		{"ATryAndARedemptionExcludeEachOther", "TryGrant RedeemGrant", raceTryRedeem},
		{"DenyingOneTokenManyTimesIsOneDenial", "DenyToken", raceDeny},
		{"RotationAndDropExcludeEachOther", "RotateGrant DropGrants", raceDrop},
	}
}

func raceOneID(t *testing.T, s *subject) {
	won := s.oneWins(t, storage.ErrTaken, func(i int) error {
		g := bareGrant(10)
		g.Nonce = fmt.Sprint(i)
		return s.CreateGrant(t.Context(), g, storage.Spend{}, storage.Also{})
	})
	if got := s.grant(t, id(10)).Nonce; got != fmt.Sprint(won) {
		t.Fatalf("contender %d won, and the row is %s's", won, got)
	}
}

func raceRecoveryCode(t *testing.T, s *subject) {
	s.user(t, 1)
	s.factor(t, 1, 5, 100, digest("a"), digest("b"))
	spend := s.proof(t, 1)
	spend.RecoveryCode = digest("a")
	s.tenThousand(t, spend)
	if left := s.signIn(t, id(1)).RecoveryCodes; left != 1 {
		t.Fatalf("%d recovery codes left, want 1", left)
	}
}

// oneGrantAndEvent asserts that the losers of a race left nothing.
func (s *subject) oneGrantAndEvent(t *testing.T) {
	t.Helper()
	page, _, err := s.WalkGrants(t.Context(), storage.ID{}, contenders)
	ok(t, err)
	if n := len(s.events(t, storage.EventFilter{})); len(page) != 1 || n != 1 {
		t.Fatalf("%d grants and %d events, want one of each", len(page), n)
	}
}

func raceTOTPStep(t *testing.T, s *subject) {
	s.user(t, 1)
	s.factor(t, 1, 5, 100)
	spend := s.proof(t, 1)
	spend.FactorID, spend.Step = id(5), 101
	s.tenThousand(t, spend)
}

// tenThousand attempts to buy a grant with one proof: one succeeds.
func (s *subject) tenThousand(t *testing.T, spend storage.Spend) {
	t.Helper()
	const attempts = 10_000
	var won, next atomic.Int64
	errs := s.contend(t, func(int) error {
		for n := int(next.Add(1)); n <= attempts; n = int(next.Add(1)) {
			err := s.CreateGrant(t.Context(), bareGrant(n), spend, storage.Also{Events: []storage.Event{{Kind: "signin"}}})
			if err == nil {
				won.Add(1)
			} else if !is(err, storage.ErrSpent) {
				return err
			}
		}
		return nil
	})
	allOK(t, errs)
	if won.Load() != 1 {
		t.Fatalf("%d of %d attempts succeeded, want one", won.Load(), attempts)
	}
	s.oneGrantAndEvent(t)
}

func raceRedeemCode(t *testing.T, s *subject) {
	s.user(t, 1)
	s.factor(t, 1, 5, 100, digest("a"))
	for n := range contenders {
		s.create(t, waitingGrant(n))
	}
	spend := s.proof(t, 1)
	spend.RecoveryCode = digest("a")
	won := s.oneWins(t, storage.ErrSpent, func(i int) error {
		return s.RedeemGrant(t.Context(), storage.Redemption{Grant: bareGrant(i), Revision: 1, Spend: spend})
	})
	for n := range contenders {
		if active := s.grant(t, id(n)).State == storage.Active; active != (n == won) {
			t.Fatalf("grant %d active: %v; grant %d won", n, active, won)
		}
	}
}

func raceRedeem(t *testing.T, s *subject) {
	s.create(t, waitingGrant(10))
	won := s.oneWins(t, storage.ErrMoved, func(i int) error {
		g := bareGrant(10)
		g.Nonce = fmt.Sprint(i)
		return s.RedeemGrant(t.Context(), storage.Redemption{
			Grant: g, Revision: 1, Also: storage.Also{Events: []storage.Event{{Kind: "signin"}}},
		})
	})
	if got := s.grant(t, id(10)); got.Nonce != fmt.Sprint(won) || got.Revision != 2 {
		t.Fatalf("contender %d won, and the row is %+v", won, got)
	}
	s.oneGrantAndEvent(t)
}

func raceRotate(t *testing.T, s *subject) {
	s.create(t, bareGrant(10))
	for round := range 5 {
		step := func(i int) storage.Step { return stepTo(10, int64(round+1), uint32(100*round+i)) }
		won := s.oneWins(t, storage.ErrMoved, func(i int) error { return s.RotateGrant(t.Context(), step(i)) })
		if got := s.grant(t, id(10)); !step(won).CarriedBy(got) {
			t.Fatalf("contender %d won, and the row is %+v", won, got)
		}
	}
}

func raceRotateRevoke(t *testing.T, s *subject) {
	for round := range 20 {
		s.create(t, bareGrant(round))
		errs := s.contend(t, func(i int) error {
			if i%2 == 0 {
				return s.RotateGrant(t.Context(), stepTo(round, 1, uint32(i+1)))
			}
			first, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(round), Revision: 1, Reason: storage.ReasonReuse})
			if err == nil && !first { // somebody else revoked it before
				return storage.ErrMoved
			}
			return err
		})
		won, got := winner(t, storage.ErrMoved, errs), s.grant(t, id(round))
		if revoked := got.State == storage.Revoked; revoked != (won%2 == 1) || got.Revision != 2 {
			t.Fatalf("contender %d won, and the row is %+v", won, got)
		}
	}
}

func raceRevoke(t *testing.T, s *subject) {
	errNotFirst := errors.New("not the first")
	s.create(t, bareGrant(10))
	won := -1
	for i, err := range s.contend(t, func(i int) error {
		first, err := s.RevokeGrant(t.Context(), storage.Revocation{
			ID: id(10), Reason: storage.Reason(fmt.Sprint("reason ", i)), Also: storage.Also{Events: []storage.Event{{Kind: "revoked"}}},
		})
		if err == nil && !first {
			return errNotFirst
		}
		return err
	}) {
		switch {
		case err == nil && won < 0:
			won = i
		case !errors.Is(err, errNotFirst):
			t.Fatalf("contender %d: %v (first: %d)", i, err, won)
		}
	}
	if got := s.grant(t, id(10)); won < 0 || got.RevokedReason != storage.Reason(fmt.Sprint("reason ", won)) || got.Revision != 2 {
		t.Fatalf("contender %d was first, and the row is %+v", won, got)
	}
	s.oneGrantAndEvent(t)
}

func raceRevokeGrants(t *testing.T, s *subject) {
	const grants = 40
	for n := range grants {
		s.create(t, bareGrant(n))
	}
	var revoked atomic.Int64
	allOK(t, s.contend(t, func(i int) error {
		of := storage.GrantsOf{UserID: id(1)}
		if i%2 == 0 {
			of = storage.GrantsOf{ClientID: "client", Except: id(0)}
		}
		n, err := s.RevokeGrants(t.Context(), of, storage.Revocation{Reason: storage.ReasonAdmin})
		revoked.Add(int64(n))
		return err
	}))
	if revoked.Load() != grants {
		t.Fatalf("%d revocations of %d grants", revoked.Load(), grants)
	}
	for n := range grants {
		if g := s.grant(t, id(n)); g.State != storage.Revoked || g.Revision != 2 {
			t.Fatalf("grant %d: %+v", n, g)
		}
	}
}

func raceTry(t *testing.T, s *subject) {
	s.create(t, waitingGrant(10))
	for round := range 5 {
		s.oneWins(t, storage.ErrMoved, func(int) error { return s.TryGrant(t.Context(), id(10), int64(round+1)) })
	}
	if g := s.grant(t, id(10)); g.Pending.Tries != 5 || g.Revision != 6 {
		t.Fatalf("%d tries at revision %d, want 5 at 6", g.Pending.Tries, g.Revision)
	}
}

func raceTryRedeem(t *testing.T, s *subject) {
	for round := range 10 {
		s.create(t, waitingGrant(round))
		won := s.oneWins(t, storage.ErrMoved, func(i int) error {
			if i%2 == 0 {
				return s.TryGrant(t.Context(), id(round), 1)
			}
			return s.RedeemGrant(t.Context(), storage.Redemption{Grant: bareGrant(round), Revision: 1})
		})
		if g := s.grant(t, id(round)); (g.State == storage.Active) != (won%2 == 1) || g.Revision != 2 {
			t.Fatalf("contender %d won, and the row is %+v", won, g)
		}
	}
}

func raceDeny(t *testing.T, s *subject) {
	s.create(t, bareGrant(10))
	allOK(t, s.contend(t, func(int) error {
		return s.DenyToken(t.Context(), storage.Denial{
			GrantID: id(10), Serial: 7, ExpiresAt: bareGrant(10).ExpiresAt, Also: storage.Also{Events: []storage.Event{{Kind: "denied"}}},
		})
	}))
	standing, err := s.FindGrant(t.Context(), id(10))
	ok(t, err)
	same(t, []int64{7}, standing.Denied)
	s.oneGrantAndEvent(t)
}

func raceDrop(t *testing.T, s *subject) {
	for round := range 20 {
		s.create(t, bareGrant(round))
		won := s.oneWins(t, storage.ErrMoved, func(i int) error {
			if i%2 == 0 {
				return s.RotateGrant(t.Context(), stepTo(round, 1, uint32(i+1)))
			}
			n, err := s.DropGrants(t.Context(), []storage.GrantAge{{ID: id(round), Revision: 1}})
			if err == nil && n == 0 {
				return storage.ErrMoved
			}
			return err
		})
		_, err := s.FindGrant(t.Context(), id(round))
		if dropped := is(err, storage.ErrNotFound); dropped != (won%2 == 1) {
			t.Fatalf("contender %d won, and finding the grant says %v", won, err)
		}
	}
}
