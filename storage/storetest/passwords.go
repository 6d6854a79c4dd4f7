package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func passwordPromises() []promise {
	return []promise{
		{"SetPasswordReplacesTheHashAndEndsEveryGrant", setPasswordEndsGrants},
		{"SetPasswordOfAnUnknownUserIsNotFound", setPasswordNotFound},
		{"SetPasswordAtARevisionTakesThatOneAlone", setPasswordMoved},
		{"RaiseHashReplacesTheHashAndNothingElse", raiseHashOnlyHash},
		{"RaiseHashLeavesAHashThatChanged", raiseHashMoved},
	}
}

func setPasswordEndsGrants(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.create(t, bareGrant(10))
	s.create(t, waitingGrant(11))
	other := bareGrant(12)
	other.UserID = id(2)
	s.create(t, other)
	logout := bareGrant(13)
	logout.State, logout.RevokedAt, logout.RevokedReason = storage.Revoked, start, storage.ReasonLogout
	s.create(t, logout)
	before := s.signIn(t, id(1)).User
	s.clock.Advance(time.Second)
	ok(t, s.SetPassword(t.Context(), id(1), 0, "new hash", storage.Also{}))

	got := s.signIn(t, id(1))
	if got.PasswordHash != "new hash" || got.User.Revision != before.Revision+1 {
		t.Fatalf("hash %q, revision %d, want the new hash and %d", got.PasswordHash, got.User.Revision, before.Revision+1)
	}
	got.User.Revision = before.Revision // and nothing else: updated_at speaks of claims (OpenID Connect Core §5.1)
	sameUser(t, before, got.User)
	for _, n := range []int{10, 11} {
		g := s.grant(t, id(n))
		if g.State != storage.Revoked || g.RevokedReason != storage.ReasonPasswordChanged || !g.RevokedAt.Equal(s.clock.Now()) ||
			g.Pending != nil || g.Revision != 2 {
			t.Fatalf("grant %d after the password changed: %+v", n, g)
		}
	}
	if s.grant(t, id(12)).State != storage.Active || s.signIn(t, id(2)).PasswordHash != "hash" {
		t.Fatal("another user's grant or password changed")
	}
	if s.grant(t, id(13)).RevokedReason != storage.ReasonLogout {
		t.Fatal("a grant that had ended got another reason")
	}
}

func setPasswordNotFound(t *testing.T, s *subject) {
	s.create(t, bareGrant(10)) // its user is gone
	fails(t, s.SetPassword(t.Context(), id(1), 0, "hash", storage.Also{}), storage.ErrNotFound)
	if s.grant(t, id(10)).State != storage.Active {
		t.Fatal("a change that failed revoked a grant")
	}
}

func setPasswordMoved(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.create(t, bareGrant(10))
	for _, revision := range []int64{2, 99, -1} {
		fails(t, s.SetPassword(ctx, id(1), revision, "new hash", storage.Also{}), storage.ErrMoved)
	}
	fails(t, s.SetPassword(ctx, id(2), 1, "new hash", storage.Also{}), storage.ErrNotFound)
	if in := s.signIn(t, id(1)); in.PasswordHash != "hash" || in.User.Revision != 1 || s.grant(t, id(10)).State != storage.Active {
		t.Fatalf("a change that failed left %+v", in)
	}
	ok(t, s.SetPassword(ctx, id(1), 1, "new hash", storage.Also{}))
	if in := s.signIn(t, id(1)); in.PasswordHash != "new hash" || in.User.Revision != 2 || s.grant(t, id(10)).State != storage.Revoked {
		t.Fatalf("at its revision: %+v", in)
	}
}

func raiseHashOnlyHash(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.create(t, bareGrant(10))
	before := s.signIn(t, id(1))
	ok(t, s.RaiseHash(t.Context(), id(1), "hash", "costlier"))
	before.PasswordHash = "costlier"
	same(t, before, s.signIn(t, id(1)))
	if s.grant(t, id(10)).State != storage.Active || s.signIn(t, id(2)).PasswordHash != "hash" {
		t.Fatal("raising one hash touched something else")
	}
}

func raiseHashMoved(t *testing.T, s *subject) {
	s.user(t, 1)
	for _, old := range []string{"Hash", "hash ", "", "h_sh", "%"} {
		fails(t, s.RaiseHash(t.Context(), id(1), old, "costlier"), storage.ErrMoved)
	}
	ok(t, s.SetPassword(t.Context(), id(1), 0, "new hash", storage.Also{}))
	fails(t, s.RaiseHash(t.Context(), id(1), "hash", "costlier"), storage.ErrMoved)
	if got := s.signIn(t, id(1)).PasswordHash; got != "new hash" {
		t.Fatalf("the new password's hash was replaced by %q", got)
	}
	fails(t, s.RaiseHash(t.Context(), id(2), "hash", "costlier"), storage.ErrMoved, storage.ErrNotFound)
}
