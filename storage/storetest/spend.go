package storetest

import (
	"testing"

	"github.com/signet-idp/signet/storage"
)

func spendPromises() []promise {
	return []promise{
		{"AZeroSpendIsNotChecked", zeroSpendUnchecked},
		{"TheUserMustStandAtTheProvenRevision", spendNeedsRevision},
		{"ADisabledOrAbsentUserBuysNothing", spendNeedsUser},
		{"ATOTPStepServesOnceAndNoneBeforeIt", spendStepOnce},
		{"AnotherUsersOrAnUnconfirmedFactorBuysNothing", spendForeignFactor},
		{"ARecoveryCodeServesOnce", spendCodeOnce},
		{"AFailedActSpendsNothing", failedActSpendsNothing},
		{"RedeemGrantSpendsAsCreateGrantDoes", redeemSpends},
	}
}

func zeroSpendUnchecked(t *testing.T, s *subject) {
	s.create(t, bareGrant(10)) // no such user
	s.create(t, waitingGrant(11))
	ok(t, s.RedeemGrant(t.Context(), storage.Redemption{Grant: bareGrant(11), Revision: 1}))
}

func (s *subject) absent(t *testing.T, n int) {
	t.Helper()
	_, err := s.FindGrant(t.Context(), id(n))
	fails(t, err, storage.ErrNotFound)
}

func spendNeedsRevision(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	old := s.proof(t, 1)
	for _, revision := range []int64{0, old.UserRevision - 1, old.UserRevision + 1} {
		spend := storage.Spend{UserID: id(1), UserRevision: revision}
		fails(t, s.CreateGrant(ctx, bareGrant(10), spend, storage.Also{}), storage.ErrMoved)
	}
	ok(t, s.SetPassword(ctx, id(1), 0, "new hash", storage.Also{}))
	fails(t, s.CreateGrant(ctx, bareGrant(10), old, storage.Also{}), storage.ErrMoved)
	s.absent(t, 10)
	ok(t, s.CreateGrant(ctx, bareGrant(10), s.proof(t, 1), storage.Also{}))
	if got := s.grant(t, id(10)); got.State != storage.Active {
		t.Fatalf("state %q, want active", got.State)
	}
}

func spendNeedsUser(t *testing.T, s *subject) {
	ctx := t.Context()
	u := bareUser(1)
	u.DisabledAt = start
	ok(t, s.CreateUser(ctx, u, "hash", storage.Also{}))
	fails(t, s.CreateGrant(ctx, bareGrant(10), s.proof(t, 1), storage.Also{}), storage.ErrMoved)
	s.create(t, waitingGrant(11))
	fails(t, s.RedeemGrant(ctx, storage.Redemption{Grant: bareGrant(11), Revision: 1, Spend: s.proof(t, 1)}), storage.ErrMoved)

	gone := s.proof(t, 1)
	ok(t, s.DeleteUser(ctx, id(1), storage.Also{}))
	fails(t, s.CreateGrant(ctx, bareGrant(10), gone, storage.Also{}), storage.ErrMoved)
	fails(t, s.CreateGrant(ctx, bareGrant(10), storage.Spend{UserID: id(2), UserRevision: 1}, storage.Also{}), storage.ErrMoved)
	s.absent(t, 10)
}

func spendStepOnce(t *testing.T, s *subject) {
	s.user(t, 1)
	s.factor(t, 1, 5, 100)
	spend := s.proof(t, 1)
	spend.FactorID = id(5)
	for n, try := range []struct {
		step int64
		want error
	}{
		{100, storage.ErrSpent},
		{99, storage.ErrSpent},
		{101, nil},
		{101, storage.ErrSpent},
		{100, storage.ErrSpent},
		{105, nil},
		{104, storage.ErrSpent},
		{1 << 40, nil},
		{0, storage.ErrSpent},
		{-1, storage.ErrSpent},
	} {
		spend.Step = try.step
		err := s.CreateGrant(t.Context(), bareGrant(10+n), spend, storage.Also{})
		if !is(err, try.want) {
			t.Fatalf("try %d, step %d: %v, want %v", n, try.step, err, try.want)
		}
		if try.want != nil {
			s.absent(t, 10+n)
		}
	}
	if got := s.signIn(t, id(1)).Factors[0].LastStep; got != 1<<40 {
		t.Fatalf("last step %d, want %d", got, int64(1)<<40)
	}
}

func spendForeignFactor(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.factor(t, 2, 5, 100, digest("code of 2"))
	ok(t, s.EnrollTOTP(t.Context(), storage.TOTP{ID: id(6), UserID: id(1), Sealed: []byte("x")}, storage.Also{}))
	for _, factor := range []int{5, 6, 7} {
		spend := s.proof(t, 1)
		spend.FactorID, spend.Step = id(factor), 200
		err := s.CreateGrant(t.Context(), bareGrant(10), spend, storage.Also{})
		fails(t, err, storage.ErrSpent, storage.ErrMoved)
	}
	spend := s.proof(t, 1)
	spend.RecoveryCode = digest("code of 2")
	fails(t, s.CreateGrant(t.Context(), bareGrant(10), spend, storage.Also{}), storage.ErrSpent)
	s.absent(t, 10)
	if got := s.signIn(t, id(2)); got.Factors[0].LastStep != 100 || got.RecoveryCodes != 1 {
		t.Fatalf("another user's proofs were spent: %+v", got)
	}
}

func spendCodeOnce(t *testing.T, s *subject) {
	s.user(t, 1)
	s.factor(t, 1, 5, 100, digest("a"), digest("b"))
	spend := s.proof(t, 1)
	spend.RecoveryCode = digest("never made")
	fails(t, s.CreateGrant(t.Context(), bareGrant(10), spend, storage.Also{}), storage.ErrSpent)
	spend.RecoveryCode = digest("a")
	ok(t, s.CreateGrant(t.Context(), bareGrant(10), spend, storage.Also{}))
	if left := s.signIn(t, id(1)).RecoveryCodes; left != 1 {
		t.Fatalf("%d recovery codes left, want 1", left)
	}
	spend = s.proof(t, 1)
	spend.RecoveryCode = digest("a")
	fails(t, s.CreateGrant(t.Context(), bareGrant(11), spend, storage.Also{}), storage.ErrSpent)
	s.absent(t, 11)
	spend.RecoveryCode = digest("b")
	ok(t, s.CreateGrant(t.Context(), bareGrant(11), spend, storage.Also{}))
}

func failedActSpendsNothing(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.factor(t, 1, 5, 100, digest("a"))
	s.create(t, bareGrant(10))
	both := s.proof(t, 1)
	both.FactorID, both.Step, both.RecoveryCode = id(5), 101, digest("never made")
	fails(t, s.CreateGrant(ctx, bareGrant(11), both, storage.Also{}), storage.ErrSpent)
	both.RecoveryCode = digest("a")
	fails(t, s.CreateGrant(ctx, bareGrant(10), both, storage.Also{}), storage.ErrTaken)
	fails(t, s.RedeemGrant(ctx, storage.Redemption{Grant: bareGrant(10), Revision: 1, Spend: both}), storage.ErrMoved)
	both.Step = 100
	fails(t, s.CreateGrant(ctx, bareGrant(11), both, storage.Also{}), storage.ErrSpent)

	got := s.signIn(t, id(1))
	if got.Factors[0].LastStep != 100 || got.RecoveryCodes != 1 {
		t.Fatalf("a failed act spent a proof: last step %d, %d codes", got.Factors[0].LastStep, got.RecoveryCodes)
	}
	both.Step = 101
	ok(t, s.CreateGrant(ctx, bareGrant(11), both, storage.Also{}))
}

func redeemSpends(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.factor(t, 1, 5, 100, digest("a"))
	s.create(t, waitingGrant(10))
	s.create(t, waitingGrant(11))
	redeem := func(n int, change func(*storage.Spend)) error {
		spend := s.proof(t, 1)
		change(&spend)
		return s.RedeemGrant(ctx, storage.Redemption{Grant: bareGrant(n), Revision: 1, Spend: spend})
	}
	fails(t, redeem(10, func(s *storage.Spend) { s.UserRevision-- }), storage.ErrMoved)
	fails(t, redeem(10, func(s *storage.Spend) { s.FactorID, s.Step = id(5), 100 }), storage.ErrSpent)
	fails(t, redeem(10, func(s *storage.Spend) { s.RecoveryCode = digest("b") }), storage.ErrSpent)
	if g := s.grant(t, id(10)); g.State != storage.Pending || g.Revision != 1 {
		t.Fatalf("a failed redemption moved the grant: %+v", g)
	}
	ok(t, redeem(10, func(s *storage.Spend) { s.FactorID, s.Step = id(5), 101 }))
	fails(t, redeem(11, func(s *storage.Spend) { s.FactorID, s.Step = id(5), 101 }), storage.ErrSpent)
	ok(t, redeem(11, func(s *storage.Spend) { s.RecoveryCode = digest("a") }))
	if got := s.signIn(t, id(1)); got.Factors[0].LastStep != 101 || got.RecoveryCodes != 0 {
		t.Fatalf("the proofs were not spent: %+v", got)
	}
}
