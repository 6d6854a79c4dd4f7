package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func frontDoorPromises() []promise {
	return []promise{
		{"PushRequestKeepsEveryField", pushRequestKeepsFields},
		{"PushRequestRefusesADigestThatExistsAndAClientThatDoesNot", pushRequestRefuses},
		{"APushedRequestServesOnce", pushedServesOnce},
		{"PushedRequestsGoWithTheirClient", pushedGo},
		{"SweepRemovesPushedRequestsPastTheirEnd", sweepPushed},
		{"FindUserCodeReadsThePendingGrantAsFindGrantDoes", findUserCode},
		{"NoTwoPendingGrantsShareAUserCode", userCodeTaken},
		{"AUserCodeIsFreeWhenItsGrantIsPendingNoMore", userCodeFree},
		{"ARotationLeavesWhatTheGrantBeganWith", rotationKeepsBeginning},
	}
}

func fullPushed(client, name string) storage.PushedRequest {
	return storage.PushedRequest{
		Digest: digest(name), ClientID: client, Params: "scope=openid&state=%00%F0%9F%94%91&claims=%7B%7D&a=&a=b+c",
		ExpiresAt: start.Add(time.Minute + time.Microsecond),
	}
}

func (s *subject) push(t *testing.T, r storage.PushedRequest) {
	t.Helper()
	ok(t, s.PushRequest(t.Context(), r))
}

// pushed reports whether the request is there.
func (s *subject) pushed(t *testing.T, name string) bool {
	t.Helper()
	_, now, err := s.FindPushed(t.Context(), digest(name))
	if err == nil {
		same(t, s.clock.Now(), now)
		return true
	}
	fails(t, err, storage.ErrNotFound)
	return false
}

func pushRequestKeepsFields(t *testing.T, s *subject) {
	s.clients(t, `Client %_' "x" `)
	full := fullPushed(`Client %_' "x" `, "a")
	wholeRecord(t, full)
	bare := storage.PushedRequest{Digest: digest("b"), ClientID: full.ClientID, ExpiresAt: start.Add(time.Minute)}
	s.push(t, full)
	s.push(t, bare)
	s.clock.Advance(time.Hour) // expired ones too
	for _, want := range []storage.PushedRequest{full, bare} {
		got, now, err := s.FindPushed(t.Context(), want.Digest)
		ok(t, err)
		same(t, want, got)
		same(t, s.clock.Now(), now)
	}
	if s.pushed(t, "c") {
		t.Fatal("a request was found that nobody pushed")
	}
}

func pushRequestRefuses(t *testing.T, s *subject) {
	for _, client := range []string{"c", "", "a\x00b"} {
		fails(t, s.PushRequest(t.Context(), fullPushed(client, "a")), storage.ErrNotFound)
	}
	s.clients(t, "c", "d")
	fails(t, s.PushRequest(t.Context(), fullPushed("C", "a")), storage.ErrNotFound)
	s.push(t, fullPushed("c", "a"))
	again := fullPushed("d", "a")
	again.Params = "another"
	fails(t, s.PushRequest(t.Context(), again), storage.ErrTaken)
	got, _, err := s.FindPushed(t.Context(), digest("a"))
	ok(t, err)
	same(t, fullPushed("c", "a"), got)
}

func pushedServesOnce(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.clients(t, "c")
	s.push(t, fullPushed("c", "a"))
	s.push(t, fullPushed("c", "b"))
	spend := func(name string) storage.Spend { return storage.Spend{Pushed: digest(name)} }
	fails(t, s.CreateGrant(ctx, bareGrant(10), spend("c"), storage.Also{}), storage.ErrSpent)
	moved := s.proof(t, 1)
	moved.UserRevision++
	moved.Pushed = digest("a")
	fails(t, s.CreateGrant(ctx, bareGrant(10), moved, storage.Also{}), storage.ErrMoved)
	s.absent(t, 10)
	if !s.pushed(t, "a") {
		t.Fatal("an act that failed used the request up")
	}
	ok(t, s.CreateGrant(ctx, bareGrant(10), spend("a"), storage.Also{}))
	fails(t, s.CreateGrant(ctx, bareGrant(11), spend("a"), storage.Also{}), storage.ErrSpent)
	s.absent(t, 11)
	s.create(t, codeGrant(12))
	fails(t, s.RedeemGrant(ctx, storage.Redemption{Grant: bareGrant(12), Revision: 1, Spend: spend("a")}), storage.ErrSpent)
	ok(t, s.RedeemGrant(ctx, storage.Redemption{Grant: bareGrant(12), Revision: 1, Spend: spend("b")}))
	if s.pushed(t, "a") || s.pushed(t, "b") {
		t.Fatal("a request that was used up is there still")
	}
}

func pushedGo(t *testing.T, s *subject) {
	s.clients(t, "c", "d")
	s.push(t, fullPushed("c", "a"))
	s.push(t, fullPushed("d", "b"))
	ok(t, s.DeleteClient(t.Context(), "c", storage.Also{}))
	if s.pushed(t, "a") || !s.pushed(t, "b") {
		t.Fatal("the wrong requests went with a client")
	}
}

func sweepPushed(t *testing.T, s *subject) {
	s.clients(t, "c")
	for _, name := range []string{"a", "b", "d"} {
		r := fullPushed("c", name)
		r.ExpiresAt = start.Add(time.Minute)
		s.push(t, r)
	}
	s.push(t, fullPushed("c", "late"))
	s.clock.Advance(2 * time.Minute)
	s.sweeps(t, 0, 10, time.Minute, 0)
	s.clock.Advance(time.Microsecond)
	s.sweeps(t, 2, 2, time.Minute, 0)
	s.sweeps(t, 1, 2, time.Minute, 0)
	if !s.pushed(t, "late") {
		t.Fatal("a request was swept before its time")
	}
}

func findUserCode(t *testing.T, s *subject) {
	ctx := t.Context()
	s.clients(t, "client")
	s.create(t, deviceGrant(10, "a"))
	s.create(t, deviceGrant(11, "b"))
	s.create(t, bareGrant(12))
	ok(t, s.DenyToken(ctx, storage.Denial{GrantID: id(11), Serial: 7, ExpiresAt: start.Add(time.Hour)}))
	s.clock.Advance(100 * time.Hour) // expired ones too
	for n, code := range map[int]string{10: "a", 11: "b"} {
		byCode, err := s.FindUserCode(ctx, digest(code))
		ok(t, err)
		byID, err := s.FindGrant(ctx, id(n))
		ok(t, err)
		same(t, byID, byCode)
		same(t, storage.ClientStanding{Exists: true, Revision: 1}, byCode.Client)
		same(t, storage.UserStanding{}, byCode.User)
	}
	for _, none := range []storage.Digest{digest("c"), {}} {
		_, err := s.FindUserCode(ctx, none)
		fails(t, err, storage.ErrNotFound)
	}
}

func userCodeTaken(t *testing.T, s *subject) {
	ctx := t.Context()
	s.create(t, deviceGrant(10, "a"))
	fails(t, s.CreateGrant(ctx, deviceGrant(11, "a"), storage.Spend{}, storage.Also{}), storage.ErrTaken)
	s.absent(t, 11)
	s.create(t, deviceGrant(11, "b"))
	fails(t, s.RedeemGrant(ctx, storage.Redemption{Grant: deviceGrant(11, "a"), Revision: 1}), storage.ErrTaken)
	for n, code := range map[int]string{10: "a", 11: "b"} {
		found, err := s.FindUserCode(ctx, digest(code))
		ok(t, err)
		if found.Grant.ID != id(n) || found.Grant.Revision != 1 {
			t.Fatalf("user code %s finds %+v", code, found.Grant)
		}
	}
}

func userCodeFree(t *testing.T, s *subject) {
	ctx := t.Context()
	redeem := func(n int) {
		g := deviceGrant(n, "a")
		g.State, g.Pending, g.UserID = storage.Active, nil, id(1)
		ok(t, s.RedeemGrant(ctx, storage.Redemption{Grant: g, Revision: 1}))
	}
	revoke := func(n int) {
		first, err := s.RevokeGrant(ctx, storage.Revocation{ID: id(n), Reason: storage.ReasonUser})
		ok(t, err)
		if !first {
			t.Fatal("not the first")
		}
	}
	revokeAll := func(int) {
		_, err := s.RevokeGrants(ctx, storage.GrantsOf{ClientID: "client"}, storage.Revocation{Reason: storage.ReasonClient})
		ok(t, err)
	}
	for n, leave := range []func(int){redeem, revoke, revokeAll} {
		s.create(t, deviceGrant(n, "a")) // which the one before has left free
		leave(n)
		_, err := s.FindUserCode(ctx, digest("a"))
		fails(t, err, storage.ErrNotFound)
		if g := s.grant(t, id(n)); !g.UserCode.IsZero() || g.Pending != nil {
			t.Fatalf("the grant keeps what it waited with: %+v", g)
		}
	}
}

func rotationKeepsBeginning(t *testing.T, s *subject) {
	want := fullGrant(10)
	s.create(t, want)
	ok(t, s.RotateGrant(t.Context(), stepTo(10, 1, 1)))
	got := s.grant(t, id(10))
	if !got.Offline || got.CodeHash != want.CodeHash || got.SessionID != want.SessionID {
		t.Fatalf("a rotation changed how the grant began: %+v", got)
	}
	same(t, want.Claims, got.Claims)
}
