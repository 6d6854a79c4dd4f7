package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func factorPromises() []promise {
	return []promise{
		{"AnEnrolledDeviceIsNoFactorYet", enrolledIsNoFactor},
		{"EnrollingAgainReplacesTheUnconfirmedDevice", enrollReplaces},
		{"EnrollTOTPOfAnUnknownUserIsNotFound", enrollNotFound},
		{"ConfirmTOTPMakesTheDeviceGoodAndRaisesTheRevision", confirmMakesGood},
		{"ConfirmTOTPTakesDevicesThatWaitAlone", confirmConditions},
		{"ConfirmTOTPReplacesRecoveryCodesWhereItHasSome", confirmReplacesCodes},
		{"RemoveFactorsRemovesDevicesAndCodes", removeFactors},
	}
}

func fullTOTP(n, user int) storage.TOTP {
	return storage.TOTP{ID: id(n), UserID: id(user), Name: "Phone ‘1’ ", Sealed: []byte{0, 1, 0xff, '\'', 0}}
}

func enrolledIsNoFactor(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	_, _, err := s.FindEnrollment(ctx, id(1))
	fails(t, err, storage.ErrNotFound)
	want := fullTOTP(5, 1)
	given := want
	given.CreatedAt = start.Add(99 * time.Hour) // the store's to say
	ok(t, s.EnrollTOTP(ctx, given, storage.Also{}))
	want.CreatedAt = start
	s.clock.Advance(time.Second)
	got, now, err := s.FindEnrollment(ctx, id(1))
	ok(t, err)
	same(t, want, got)
	same(t, s.clock.Now(), now)
	if in := s.signIn(t, id(1)); len(in.Factors) != 0 {
		t.Fatalf("an unconfirmed device is a factor: %+v", in.Factors)
	}
	_, _, err = s.FindEnrollment(ctx, id(2))
	fails(t, err, storage.ErrNotFound)
}

func enrollReplaces(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.factor(t, 1, 4, 100)
	ok(t, s.EnrollTOTP(ctx, fullTOTP(5, 1), storage.Also{}))
	ok(t, s.EnrollTOTP(ctx, fullTOTP(6, 2), storage.Also{}))
	ok(t, s.EnrollTOTP(ctx, fullTOTP(7, 1), storage.Also{}))
	for user, device := range map[int]int{1: 7, 2: 6} {
		got, _, err := s.FindEnrollment(ctx, id(user))
		ok(t, err)
		if got.ID != id(device) {
			t.Fatalf("user %d waits with device %s, want %s", user, got.ID, id(device))
		}
	}
	fails(t, s.ConfirmTOTP(ctx, id(1), id(5), 0, 1, nil, storage.Also{}), storage.ErrMoved)
	if in := s.signIn(t, id(1)); len(in.Factors) != 1 || in.Factors[0].ID != id(4) {
		t.Fatalf("enrolling touched a confirmed device: %+v", in.Factors)
	}
}

func enrollNotFound(t *testing.T, s *subject) {
	fails(t, s.EnrollTOTP(t.Context(), fullTOTP(5, 1), storage.Also{}), storage.ErrNotFound)
	_, _, err := s.FindEnrollment(t.Context(), id(1))
	fails(t, err, storage.ErrNotFound)
}

func confirmMakesGood(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	want := fullTOTP(5, 1)
	ok(t, s.EnrollTOTP(ctx, want, storage.Also{}))
	before := s.signIn(t, id(1)).User
	s.clock.Advance(time.Minute)
	ok(t, s.ConfirmTOTP(ctx, id(1), id(5), 0, 1<<40, []storage.Digest{digest("a"), digest("b")}, storage.Also{}))
	want.CreatedAt, want.ConfirmedAt, want.LastStep = start, s.clock.Now(), 1<<40
	wholeRecord(t, want)
	got := s.signIn(t, id(1))
	same(t, []storage.TOTP{want}, got.Factors)
	if got.RecoveryCodes != 2 {
		t.Fatalf("%d codes, want 2", got.RecoveryCodes)
	}
	before.Revision++ // and nothing else: updated_at speaks of claims
	sameUser(t, before, got.User)
	_, _, err := s.FindEnrollment(ctx, id(1))
	fails(t, err, storage.ErrNotFound)
	spend := s.proof(t, 1)
	spend.FactorID, spend.Step = id(5), 1<<40
	fails(t, s.CreateGrant(ctx, bareGrant(10), spend, storage.Also{}), storage.ErrSpent)
}

func confirmConditions(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.factor(t, 1, 5, 100, digest("a"))
	ok(t, s.EnrollTOTP(ctx, fullTOTP(6, 1), storage.Also{}))
	before := s.signIn(t, id(1))
	codes := []storage.Digest{digest("new")}
	for _, c := range []struct{ user, device int }{{1, 5}, {2, 6}, {1, 7}, {3, 6}} {
		fails(t, s.ConfirmTOTP(ctx, id(c.user), id(c.device), 0, 200, codes, storage.Also{}), storage.ErrMoved)
	}
	for _, stale := range []int64{before.User.Revision - 1, before.User.Revision + 1} {
		fails(t, s.ConfirmTOTP(ctx, id(1), id(6), stale, 200, codes, storage.Also{}), storage.ErrMoved)
	}
	same(t, before, s.signIn(t, id(1)))
	if in := s.signIn(t, id(2)); len(in.Factors) != 0 || in.RecoveryCodes != 0 || in.User.Revision != 1 {
		t.Fatalf("a confirmation that failed changed another user: %+v", in)
	}
	ok(t, s.ConfirmTOTP(ctx, id(1), id(6), before.User.Revision, 200, codes, storage.Also{}))
}

func confirmReplacesCodes(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.factor(t, 2, 4, 100, digest("of 2"))
	s.factor(t, 1, 5, 100, digest("a"), digest("b"), digest("c"))
	s.factor(t, 1, 6, 100)
	if in := s.signIn(t, id(1)); in.RecoveryCodes != 3 || len(in.Factors) != 2 {
		t.Fatalf("%d codes and %d factors, want 3 and 2", in.RecoveryCodes, len(in.Factors))
	}
	s.factor(t, 1, 7, 100, digest("c"), digest("d"))
	if in := s.signIn(t, id(1)); in.RecoveryCodes != 2 || len(in.Factors) != 3 {
		t.Fatalf("%d codes and %d factors, want 2 and 3", in.RecoveryCodes, len(in.Factors))
	}
	for n, c := range []struct {
		code string
		want error
	}{{"a", storage.ErrSpent}, {"b", storage.ErrSpent}, {"c", nil}, {"d", nil}} {
		spend := s.proof(t, 1)
		spend.RecoveryCode = digest(c.code)
		if err := s.CreateGrant(t.Context(), bareGrant(10+n), spend, storage.Also{}); !is(err, c.want) {
			t.Fatalf("code %q: %v, want %v", c.code, err, c.want)
		}
	}
	if in := s.signIn(t, id(2)); in.RecoveryCodes != 1 {
		t.Fatal("another user's codes were replaced")
	}
}

func removeFactors(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.factor(t, 1, 5, 100, digest("a"))
	s.factor(t, 1, 6, 100)
	s.factor(t, 2, 7, 100, digest("a"))
	before := s.signIn(t, id(1)).User.Revision
	n, err := s.RemoveFactors(ctx, id(1), storage.Also{})
	ok(t, err)
	in := s.signIn(t, id(1))
	if n != 2 || len(in.Factors) != 0 || in.RecoveryCodes != 0 || in.User.Revision != before+1 {
		t.Fatalf("%d removed; left %+v", n, in)
	}
	n, err = s.RemoveFactors(ctx, id(1), storage.Also{})
	ok(t, err)
	if n != 0 {
		t.Fatalf("%d devices removed where none was", n)
	}
	ok(t, s.EnrollTOTP(ctx, fullTOTP(8, 1), storage.Also{}))
	_, err = s.RemoveFactors(ctx, id(1), storage.Also{})
	ok(t, err)
	_, _, err = s.FindEnrollment(ctx, id(1))
	fails(t, err, storage.ErrNotFound)
	_, err = s.RemoveFactors(ctx, id(3), storage.Also{})
	fails(t, err, storage.ErrNotFound)
	if in := s.signIn(t, id(2)); len(in.Factors) != 1 || in.RecoveryCodes != 1 {
		t.Fatalf("another user's factors went: %+v", in)
	}
}
