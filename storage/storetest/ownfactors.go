package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func ownFactorPromises() []promise {
	return []promise{
		{"RemoveFactorRemovesOneDeviceAndWithTheLastTheCodes", removeFactor},
		{"RemoveFactorTakesTheUsersOwnDevicesAtTheRevisionReadAlone", removeFactorConditions},
		{"ReplaceRecoveryCodesMakesTheOldOnesWorthless", replaceCodes},
		{"ReplaceRecoveryCodesWantsADeviceAndTheRevisionRead", replaceCodesConditions},
	}
}

func removeFactor(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.factor(t, 1, 5, 100, digest("a"))
	s.factor(t, 1, 6, 100)
	s.factor(t, 2, 7, 100, digest("a"))
	ok(t, s.EnrollTOTP(ctx, fullTOTP(8, 1), storage.Also{}))
	for left, device := range []int{6, 5} {
		before := s.signIn(t, id(1)).User
		remembered := storage.RememberedDevice{ID: id(20 + left), Digest: digest("remembered"), UserID: id(1), ExpiresAt: start.Add(time.Hour)}
		ok(t, s.RememberDevice(ctx, remembered, before.Revision, storage.Also{}))
		ok(t, s.RemoveFactor(ctx, id(1), id(device), before.Revision, storage.Also{}))
		in := s.signIn(t, id(1))
		if len(in.Factors) != 1-left || in.RecoveryCodes != 1-left || in.User.Revision != before.Revision+1 {
			t.Fatalf("device %d is removed; left %+v", device, in)
		}
		devices, err := s.ListDevices(ctx, id(1))
		ok(t, err)
		if len(devices) != 0 {
			t.Fatal("a browser is remembered still")
		}
	}
	if _, _, err := s.FindEnrollment(ctx, id(1)); err != nil {
		t.Fatalf("a device that waits to be confirmed went too: %v", err)
	}
	if in := s.signIn(t, id(2)); len(in.Factors) != 1 || in.RecoveryCodes != 1 || in.User.Revision != 2 {
		t.Fatalf("another user's factors went: %+v", in)
	}
}

func removeFactorConditions(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.factor(t, 1, 5, 100, digest("a"))
	s.factor(t, 2, 7, 100)
	ok(t, s.EnrollTOTP(ctx, fullTOTP(8, 1), storage.Also{}))
	before := s.signIn(t, id(1))
	now := before.User.Revision
	for _, c := range []struct {
		user, device int
		revision     int64
		want         error
	}{
		{1, 5, now - 1, storage.ErrMoved},
		{1, 5, now + 1, storage.ErrMoved},
		{1, 7, now, storage.ErrNotFound}, // another user's
		{1, 8, now, storage.ErrNotFound}, // not confirmed yet
		{1, 9, now, storage.ErrNotFound},
		{3, 5, 1, storage.ErrNotFound},
	} {
		fails(t, s.RemoveFactor(ctx, id(c.user), id(c.device), c.revision, storage.Also{}), c.want)
	}
	same(t, before, s.signIn(t, id(1)))
	if in := s.signIn(t, id(2)); len(in.Factors) != 1 {
		t.Fatal("another user's device went")
	}
}

func replaceCodes(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.factor(t, 1, 5, 100, digest("a"), digest("b"))
	s.factor(t, 2, 7, 100, digest("a"))
	before := s.signIn(t, id(1)).User
	remembered := storage.RememberedDevice{ID: id(20), Digest: digest("remembered"), UserID: id(1), ExpiresAt: start.Add(time.Hour)}
	ok(t, s.RememberDevice(ctx, remembered, before.Revision, storage.Also{}))
	ok(t, s.ReplaceRecoveryCodes(ctx, id(1), before.Revision, []storage.Digest{digest("b"), digest("c"), digest("d")}, storage.Also{}))
	in := s.signIn(t, id(1))
	if in.RecoveryCodes != 3 || len(in.Factors) != 1 || in.User.Revision != before.Revision+1 {
		t.Fatalf("after new codes: %+v", in)
	}
	devices, err := s.ListDevices(ctx, id(1))
	ok(t, err)
	if len(devices) != 0 {
		t.Fatal("a browser is remembered still")
	}
	for n, c := range []struct {
		code string
		want error
	}{{"a", storage.ErrSpent}, {"b", nil}, {"c", nil}, {"d", nil}} {
		spend := s.proof(t, 1)
		spend.RecoveryCode = digest(c.code)
		if err := s.CreateGrant(ctx, bareGrant(10+n), spend, storage.Also{}); !is(err, c.want) {
			t.Fatalf("code %q: %v, want %v", c.code, err, c.want)
		}
	}
	if in := s.signIn(t, id(2)); in.RecoveryCodes != 1 || in.User.Revision != 2 {
		t.Fatal("another user's codes were replaced")
	}
}

func replaceCodesConditions(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.factor(t, 1, 5, 100, digest("a"))
	ok(t, s.EnrollTOTP(ctx, fullTOTP(8, 2), storage.Also{}))
	before := s.signIn(t, id(1))
	for _, c := range []struct {
		user     int
		revision int64
		want     error
	}{
		{1, before.User.Revision - 1, storage.ErrMoved},
		{2, 1, storage.ErrNotFound}, // nothing is confirmed
		{3, 1, storage.ErrNotFound},
	} {
		fails(t, s.ReplaceRecoveryCodes(ctx, id(c.user), c.revision, []storage.Digest{digest("new")}, storage.Also{}), c.want)
	}
	same(t, before, s.signIn(t, id(1)))
	if in := s.signIn(t, id(2)); in.RecoveryCodes != 0 || in.User.Revision != 1 {
		t.Fatalf("a user without a device: %+v", in)
	}
}
