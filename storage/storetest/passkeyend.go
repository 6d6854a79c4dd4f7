package storetest

import (
	"testing"

	"github.com/signet-idp/signet/storage"
)

func passkeyEndPromises() []promise {
	return []promise{
		{"RemovePasskeyTakesTheCodesWithTheLastFactorOfAnyKind", removePasskey},
		{"RemovePasskeyTakesTheUsersOwnAtTheRevisionReadAlone", removePasskeyConditions},
		{"ADeviceThatIsRemovedLeavesTheCodesToAPasskey", removeFactorLeavesPasskey},
		{"RecoveryCodesMayStandInForAPasskey", codesOfPasskey},
		{"RemoveFactorsTakesPasskeysAndCountsThem", removeFactorsTakesPasskeys},
		{"DeleteUserTakesThePasskeysToo", deleteUserTakesPasskeys},
		{"FindSessionsTakesAPasskeyForAFactor", passkeyIsFactor},
	}
}

func removePasskey(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.passkey(t, fullPasskey(7, 2), digest("a"))
	s.factor(t, 1, 4, 100, digest("a"))
	s.passkey(t, fullPasskey(5, 1))
	s.passkey(t, fullPasskey(6, 1))
	remove := func(n, codes int) {
		t.Helper()
		s.ownDevice(t, 20)
		before := s.signIn(t, id(1))
		ok(t, s.RemovePasskey(ctx, id(1), id(n), before.User.Revision, storage.Also{}))
		in := s.signIn(t, id(1))
		if len(in.Passkeys) != len(before.Passkeys)-1 || in.RecoveryCodes != codes || in.User.Revision != before.User.Revision+1 {
			t.Fatalf("passkey %d is removed; left %+v", n, in)
		}
		s.ownDevices(t, 0)
	}
	remove(5, 1)
	remove(6, 1) // the device is a factor still
	s.passkey(t, fullPasskey(5, 1))
	ok(t, s.RemoveFactor(ctx, id(1), id(4), s.signIn(t, id(1)).User.Revision, storage.Also{}))
	ok(t, s.EnrollTOTP(ctx, fullTOTP(8, 1), storage.Also{})) // one that waits is none
	remove(5, 0)
	if in := s.signIn(t, id(2)); len(in.Passkeys) != 1 || in.RecoveryCodes != 1 || in.User.Revision != 2 {
		t.Fatalf("another user's factors went: %+v", in)
	}
}

func removePasskeyConditions(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.passkey(t, fullPasskey(5, 1), digest("a"))
	s.passkey(t, fullPasskey(7, 2))
	s.ownDevice(t, 20)
	before := s.signIn(t, id(1))
	now := before.User.Revision
	for _, c := range []struct {
		user, key int
		revision  int64
		want      error
	}{
		{1, 5, now - 1, storage.ErrMoved},
		{1, 5, now + 1, storage.ErrMoved},
		{1, 7, now, storage.ErrNotFound}, // another user's
		{1, 6, now, storage.ErrNotFound},
		{3, 5, 1, storage.ErrNotFound},
	} {
		fails(t, s.RemovePasskey(t.Context(), id(c.user), id(c.key), c.revision, storage.Also{}), c.want)
	}
	same(t, before, s.signIn(t, id(1)))
	s.ownDevices(t, 1)
	if in := s.signIn(t, id(2)); len(in.Passkeys) != 1 {
		t.Fatal("another user's passkey went")
	}
}

func removeFactorLeavesPasskey(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.factor(t, 1, 4, 100, digest("a"))
	s.passkey(t, fullPasskey(5, 1))
	ok(t, s.RemoveFactor(ctx, id(1), id(4), s.signIn(t, id(1)).User.Revision, storage.Also{}))
	in := s.signIn(t, id(1))
	if len(in.Factors) != 0 || len(in.Passkeys) != 1 || in.RecoveryCodes != 1 || !in.HasFactor() {
		t.Fatalf("with a passkey left: %+v", in)
	}
	ok(t, s.RemovePasskey(ctx, id(1), id(5), in.User.Revision, storage.Also{}))
	if in := s.signIn(t, id(1)); in.RecoveryCodes != 0 || in.HasFactor() {
		t.Fatalf("with nothing left: %+v", in)
	}
}

func codesOfPasskey(t *testing.T, s *subject) {
	ctx := t.Context()
	codes := []storage.Digest{digest("b"), digest("c")}
	s.user(t, 1)
	s.passkey(t, fullPasskey(5, 1), digest("a"))
	in := s.signIn(t, id(1))
	ok(t, s.ReplaceRecoveryCodes(ctx, id(1), in.User.Revision, codes, storage.Also{}))
	if in = s.signIn(t, id(1)); in.RecoveryCodes != 2 {
		t.Fatalf("%d codes, want 2", in.RecoveryCodes)
	}
	ok(t, s.RemovePasskey(ctx, id(1), id(5), in.User.Revision, storage.Also{}))
	fails(t, s.ReplaceRecoveryCodes(ctx, id(1), in.User.Revision+1, codes, storage.Also{}), storage.ErrNotFound)
}

func removeFactorsTakesPasskeys(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.factor(t, 1, 4, 100, digest("a"))
	s.passkey(t, fullPasskey(5, 1))
	s.passkey(t, fullPasskey(6, 1))
	s.passkey(t, fullPasskey(7, 2), digest("a"))
	n, err := s.RemoveFactors(t.Context(), id(1), storage.Also{})
	ok(t, err)
	if in := s.signIn(t, id(1)); n != 3 || in.HasFactor() || in.RecoveryCodes != 0 {
		t.Fatalf("%d removed; left %+v", n, in)
	}
	if in := s.signIn(t, id(2)); len(in.Passkeys) != 1 || in.RecoveryCodes != 1 {
		t.Fatalf("another user's factors went: %+v", in)
	}
}

func deleteUserTakesPasskeys(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.passkey(t, fullPasskey(5, 1))
	s.passkey(t, fullPasskey(7, 2))
	ok(t, s.DeleteUser(t.Context(), id(1), storage.Also{}))
	_, err := s.FindPasskey(t.Context(), fullPasskey(5, 1).CredentialID)
	fails(t, err, storage.ErrNotFound)
	p := fullPasskey(5, 2)
	s.passkey(t, p) // its credential is free
	if in := s.signIn(t, id(2)); len(in.Passkeys) != 2 {
		t.Fatalf("%d passkeys, want 2", len(in.Passkeys))
	}
}

func passkeyIsFactor(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.session(t, bareSession(70, 1))
	s.session(t, bareSession(71, 2))
	tells := func(want ...bool) {
		t.Helper()
		for i, st := range s.found(t, 70, 71) {
			if st.HasFactor != want[i] {
				t.Fatalf("user %d has a factor: %v", i+1, st.HasFactor)
			}
		}
	}
	s.passkey(t, fullPasskey(5, 1))
	tells(true, false)
	s.factor(t, 1, 4, 100)
	tells(true, false)
	ok(t, s.RemovePasskey(t.Context(), id(1), id(5), s.signIn(t, id(1)).User.Revision, storage.Also{}))
	tells(true, false)
	ok(t, s.RemoveFactor(t.Context(), id(1), id(4), s.signIn(t, id(1)).User.Revision, storage.Also{}))
	tells(false, false)
}
