package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func spendNeedsSession(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.session(t, bareSession(70, 1))
	s.create(t, codeGrant(20))
	in := func(n int, revision int64) storage.Spend {
		return storage.Spend{SessionID: id(n), SessionRevision: revision} // without a user: none is checked
	}
	for _, spend := range []storage.Spend{in(70, 0), in(70, 2), in(71, 1)} {
		fails(t, s.CreateGrant(ctx, bareGrant(10), spend, storage.Also{}), storage.ErrMoved)
		fails(t, s.RedeemGrant(ctx, storage.Redemption{Grant: bareGrant(20), Revision: 1, Spend: spend}), storage.ErrMoved)
		s.absent(t, 10)
	}
	ok(t, s.TouchSession(ctx, id(70), storage.Seen{}))
	ok(t, s.CreateGrant(ctx, bareGrant(10), in(70, 1), storage.Also{}))
	ok(t, s.RedeemGrant(ctx, storage.Redemption{Grant: bareGrant(20), Revision: 1, Spend: in(70, 1)}))
	changed := s.standing(t, 70)
	ok(t, s.ChangeSession(ctx, changed, storage.Spend{}, storage.Also{}))
	fails(t, s.CreateGrant(ctx, bareGrant(11), in(70, 1), storage.Also{}), storage.ErrMoved)
	ok(t, s.CreateGrant(ctx, bareGrant(11), in(70, 2), storage.Also{}))
}

func idleIsTheCallers(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.session(t, bareSession(70, 1))
	s.clock.Advance(100 * time.Hour)
	spend := storage.Spend{SessionID: id(70), SessionRevision: 1}
	ok(t, s.CreateGrant(ctx, bareGrant(10), spend, storage.Also{}))
	ok(t, s.ChangeSession(ctx, s.standing(t, 70), spend, storage.Also{}))
	ok(t, s.TouchSession(ctx, id(70), storage.Seen{}))
	if got := s.standing(t, 70); got.Revision != 2 || !got.UsedAt.Equal(s.clock.Now()) {
		t.Fatalf("the session is %+v", got)
	}
}

func sweepSessions(t *testing.T, s *subject) {
	s.user(t, 1)
	for n := 70; n < 74; n++ {
		in := bareSession(n, 1)
		in.ExpiresAt = start.Add(time.Hour + time.Duration(n/73)*time.Microsecond)
		s.session(t, in)
		g := bareGrant(n)
		g.SessionID, g.ExpiresAt = in.ID, start.Add(100*time.Hour)
		s.create(t, g)
	}
	s.clock.Advance(time.Hour + time.Minute)
	s.sweeps(t, 0, 10, time.Minute, 0)
	s.clock.Advance(time.Microsecond)
	s.sweeps(t, 2, 2, time.Minute, 0)
	s.sweeps(t, 1, 2, time.Minute, 0)
	s.live(t, 73)
	s.nothingDue(t)
	if states := s.states(t, 70, 71, 72, 73); slices.Contains(states, storage.Revoked) {
		t.Fatalf("grants of expired sessions: %v", states)
	}
}

func surplusEnds(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.session(t, bareSession(79, 2))
	begin := func(n, most int, used time.Duration) {
		t.Helper()
		in := bareSession(n, 1)
		in.UsedAt = start.Add(used)
		ok(t, s.StartSession(t.Context(), in, most, storage.Spend{}, storage.Also{}))
	}
	for n := 70; n < 73; n++ {
		begin(n, 3, time.Duration(n-70)*time.Second)
		s.given(t, n, n, "c", nil)
	}
	s.live(t, 70, 71, 72, 79)
	s.clock.Advance(time.Minute)
	ok(t, s.TouchSession(t.Context(), id(70), storage.Seen{}))
	begin(73, 3, time.Hour)
	s.live(t, 70, 72, 73, 79)
	s.told(t, 1, map[int]string{71: "c"})
	if g := s.grant(t, id(71)); g.State != storage.Revoked || g.RevokedReason != storage.ReasonLogout {
		t.Fatalf("the grant of a session that ended: %+v", g)
	}
	same(t, []storage.State{storage.Active, storage.Active}, s.states(t, 70, 72))
	begin(74, 2, -time.Hour) // the one that begins stays, whenever it was used
	s.live(t, 73, 74, 79)
	s.told(t, 1, map[int]string{70: "c", 72: "c"})
	begin(75, 1, 0)
	s.live(t, 75, 79)
	s.told(t, 1, nil) // nothing was ever granted in those
}

// withSessions makes user 1 with two sessions, in one of which something was granted, and user 2 with one.
func (s *subject) withSessions(t *testing.T) {
	t.Helper()
	for n := 1; n <= 2; n++ {
		s.user(t, n)
		s.session(t, bareSession(70+n, n))
	}
	s.session(t, bareSession(73, 1))
	s.given(t, 10, 71, "c", nil)
	s.given(t, 11, 71, "d", offline)
	s.given(t, 12, 72, "c", func(g *storage.Grant) { g.UserID = id(2) })
	s.clock.Advance(time.Second)
}

func passwordEndsSessions(t *testing.T, s *subject) {
	s.withSessions(t)
	ok(t, s.SetPassword(t.Context(), id(1), 0, "new", storage.Also{}))
	s.live(t, 72)
	s.told(t, 1, map[int]string{71: "c d"})
	for _, n := range []int{10, 11} { // offline ones too
		if g := s.grant(t, id(n)); g.State != storage.Revoked || g.RevokedReason != storage.ReasonPasswordChanged || g.Revision != 2 {
			t.Fatalf("grant %d: %+v", n, g)
		}
	}
	same(t, []storage.State{storage.Active}, s.states(t, 12))
	fails(t, s.SetPassword(t.Context(), id(3), 0, "new", storage.Also{}), storage.ErrNotFound)
}

func updateEndsSessions(t *testing.T, s *subject) {
	s.withSessions(t)
	u := s.signIn(t, id(1)).User
	ok(t, s.UpdateUser(t.Context(), u, "", storage.Also{}))
	s.live(t, 71, 72, 73)
	u.DisabledAt = s.clock.Now()
	fails(t, s.UpdateUser(t.Context(), u, storage.ReasonAdmin, storage.Also{}), storage.ErrMoved)
	s.live(t, 71, 72, 73)
	u.Revision++
	ok(t, s.UpdateUser(t.Context(), u, storage.ReasonAdmin, storage.Also{}))
	s.live(t, 72)
	s.told(t, 1, map[int]string{71: "c d"})
	for _, n := range []int{10, 11} {
		if g := s.grant(t, id(n)); g.State != storage.Revoked || g.RevokedReason != storage.ReasonAdmin || g.Revision != 2 {
			t.Fatalf("grant %d: %+v", n, g)
		}
	}
}

func deletionEndsSessions(t *testing.T, s *subject) {
	s.withSessions(t)
	ok(t, s.DeleteUser(t.Context(), id(1), storage.Also{}))
	s.live(t, 72)
	s.told(t, 1, map[int]string{71: "c d"})
	s.absent(t, 10)
	s.absent(t, 11)
	same(t, []storage.State{storage.Active}, s.states(t, 12))
	fails(t, s.DeleteUser(t.Context(), id(1), storage.Also{}), storage.ErrNotFound)
	s.nothingDue(t)
}
