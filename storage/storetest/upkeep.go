package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func upkeepPromises() []promise {
	return []promise{
		{"ALeaseHasOneHolder", leaseHasOneHolder},
		{"SweepRemovesGrantsPastTheirEnd", sweepGrants},
		{"SweepRemovesDenialsPastTheirEnd", sweepDenials},
		{"SweepRemovesBucketsThatAreFull", sweepBuckets},
		{"SweepRemovesNothingThatDetectionNeeds", sweepKeeps},
		{"WalkGrantsPagesInByteOrder", walkPages},
		{"DropGrantsDropsAtTheRevisionAlone", dropAtRevision},
	}
}

func (s *subject) lease(t *testing.T, want bool, name, holder string) {
	t.Helper()
	got, err := s.TakeLease(t.Context(), name, holder, time.Minute)
	ok(t, err)
	if got != want {
		t.Fatalf("lease %q for %q: %v, want %v", name, holder, got, want)
	}
}

func leaseHasOneHolder(t *testing.T, s *subject) {
	s.lease(t, true, "sweep", "a")
	s.lease(t, false, "sweep", "b")
	s.lease(t, false, "sweep", "A")
	s.lease(t, false, "sweep", "a ")
	s.lease(t, true, "Sweep", "b")
	s.clock.Advance(30 * time.Second)
	s.lease(t, true, "sweep", "a")
	s.clock.Advance(time.Minute - time.Microsecond)
	s.lease(t, false, "sweep", "b")
	s.clock.Advance(time.Microsecond)
	s.lease(t, true, "sweep", "b")
	s.lease(t, false, "sweep", "a")
}

func (s *subject) sweeps(t *testing.T, want, limit int, keep, retention time.Duration) {
	t.Helper()
	n, err := s.SweepExpired(t.Context(), limit, keep, retention)
	ok(t, err)
	if n != want {
		t.Fatalf("%d rows swept, want %d", n, want)
	}
}

func sweepGrants(t *testing.T, s *subject) {
	for n := range 5 {
		g := []storage.Grant{bareGrant(n), waitingGrant(n), fullGrant(n)}[n%3]
		g.ExpiresAt = start.Add(time.Hour)
		s.create(t, g)
	}
	late := bareGrant(9)
	late.ExpiresAt = start.Add(time.Hour + time.Microsecond)
	s.create(t, late)
	s.sweeps(t, 0, 10, 10*time.Minute, 0)
	s.clock.Advance(time.Hour + 10*time.Minute)
	s.sweeps(t, 0, 10, 10*time.Minute, 0)
	s.clock.Advance(time.Microsecond)
	for _, n := range []int{2, 2, 1, 0} {
		s.sweeps(t, n, 2, 10*time.Minute, 0)
	}
	s.absent(t, 0)
	s.grant(t, id(9))
}

func sweepDenials(t *testing.T, s *subject) {
	for n := range 3 {
		ok(t, s.DenyToken(t.Context(), storage.Denial{GrantID: id(n), Serial: 1, ExpiresAt: start.Add(time.Hour)}))
	}
	ok(t, s.DenyToken(t.Context(), storage.Denial{GrantID: id(3), Serial: 1, ExpiresAt: start.Add(time.Hour + time.Microsecond)}))
	s.clock.Advance(time.Hour + time.Minute)
	s.sweeps(t, 0, 10, time.Minute, 0)
	s.clock.Advance(time.Microsecond)
	s.sweeps(t, 2, 2, time.Minute, 0)
	s.sweeps(t, 1, 2, time.Minute, 0)
	if s.denied(t, id(0), 1) || !s.denied(t, id(3), 1) {
		t.Fatal("the wrong denial was swept")
	}
}

func sweepBuckets(t *testing.T, s *subject) {
	for n := range 3 {
		s.takes(t, 0, bucket(fmt.Sprint(n), 2, time.Minute))
	}
	slow := bucket("slow", 1, time.Hour)
	s.takes(t, 0, slow)
	s.clock.Advance(time.Minute - time.Microsecond)
	s.sweeps(t, 0, 10, 0, 0)
	s.clock.Advance(2 * time.Microsecond)
	s.sweeps(t, 2, 2, 0, 0)
	s.sweeps(t, 1, 2, 0, 0)
	s.sweeps(t, 0, 2, 0, 0)
	s.takes(t, time.Hour-time.Minute-time.Microsecond, slow)
	s.takes(t, 0, bucket("0", 2, time.Minute))
	s.takes(t, 0, bucket("0", 2, time.Minute))
	s.takes(t, time.Minute, bucket("0", 2, time.Minute))
}

func sweepKeeps(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.factor(t, 1, 5, 100, digest("a"))
	ok(t, s.EnrollTOTP(ctx, fullTOTP(6, 1), storage.Also{}))
	ok(t, s.CreateClient(ctx, fullClient("client"), storage.Also{}))
	_, err := s.EstablishKeys(ctx, madeKeys("a"))
	ok(t, err)
	s.post(t, fullLetter(1))
	ok(t, s.RecordEvents(ctx, []storage.Event{fullEvent(1)}))
	s.lease(t, true, "sweep", "a")

	idle, waiting, revoked := fullGrant(10), waitingGrant(11), fullGrant(12)
	idle.IssuedAt, idle.ExpiresAt, waiting.ExpiresAt, revoked.ExpiresAt = start, start.Add(time.Hour), start.Add(time.Hour), start.Add(time.Hour)
	for _, g := range []storage.Grant{idle, waiting, revoked} {
		s.create(t, g)
	}
	_, err = s.RevokeGrant(ctx, storage.Revocation{ID: id(12), Reason: storage.ReasonReuse})
	ok(t, err)
	ok(t, s.DenyToken(ctx, storage.Denial{GrantID: id(10), Serial: 4, ExpiresAt: start.Add(time.Hour)}))
	empty := bucket("a", 1, 2*time.Hour)
	s.takes(t, 0, empty)

	// Past every end, within keep and retention: a late token must still meet its row, and its row must still know.
	s.clock.Advance(time.Hour + 59*time.Minute)
	before := []storage.Grant{s.grant(t, id(10)), s.grant(t, id(11)), s.grant(t, id(12))}
	s.sweeps(t, 0, 1000, time.Hour, 24*time.Hour)
	for _, g := range before {
		same(t, g, s.grant(t, g.ID))
	}
	s.takes(t, time.Minute, empty)
	if !s.denied(t, id(10), 4) {
		t.Fatal("a denial is gone")
	}
	s.clock.Advance(1000 * time.Hour)
	_, err = s.SweepExpired(ctx, 1000, time.Hour, 0)
	ok(t, err)
	in := s.signIn(t, id(1))
	_, _, enrolled := s.FindEnrollment(ctx, id(1))
	keys, _, _ := s.ListKeys(ctx)
	if len(in.Factors) != 1 || in.RecoveryCodes != 1 || enrolled != nil || len(keys) != 2 || s.client(t, "client").ID == "" {
		t.Fatal("the sweep took what does not expire")
	}
	if len(s.events(t, storage.EventFilter{})) != 1 {
		t.Fatal("the sweep took an event without a retention")
	}
	s.claimOne(t, time.Minute)
}

func walkPages(t *testing.T, s *subject) {
	want := []storage.GrantAge{}
	for n, g := range []storage.ID{{0x7f, 15: 0xff}, {0x80}, {0xff}, id(3), id(1), id(2), id(256), {15: 1}} {
		row := []storage.Grant{bareGrant(0), waitingGrant(0), fullGrant(0)}[n%3]
		row.ID = g
		if n%4 == 3 {
			row.State, row.Pending, row.RevokedAt, row.RevokedReason = storage.Revoked, nil, start, storage.ReasonUser
		}
		s.create(t, row)
		want = append(want, storage.GrantAge{
			ID: g, Revision: 1, ClientID: row.ClientID, State: row.State, IssuedAt: row.IssuedAt, RevokedAt: row.RevokedAt, ExpiresAt: row.ExpiresAt,
		})
	}
	slices.SortFunc(want, func(a, b storage.GrantAge) int { return slices.Compare(a.ID[:], b.ID[:]) })
	s.clock.Advance(time.Second)
	var got []storage.GrantAge
	for after := (storage.ID{}); ; {
		page, now, err := s.WalkGrants(t.Context(), after, 3)
		ok(t, err)
		same(t, s.clock.Now(), now)
		if len(page) > 3 {
			t.Fatalf("a page of %d, limit 3", len(page))
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1].ID
	}
	same(t, want, got)
}

func dropAtRevision(t *testing.T, s *subject) {
	for n := range 4 {
		s.create(t, bareGrant(n))
	}
	page, _, err := s.WalkGrants(t.Context(), storage.ID{}, 3)
	ok(t, err)
	ok(t, s.RotateGrant(t.Context(), stepTo(1, 1, 1)))
	page = append(page, storage.GrantAge{ID: id(99), Revision: 1})
	n, err := s.DropGrants(t.Context(), page)
	ok(t, err)
	if n != 2 {
		t.Fatalf("%d grants dropped, want 2", n)
	}
	s.absent(t, 0)
	s.absent(t, 2)
	s.grant(t, id(1))
	s.grant(t, id(3))
	n, err = s.DropGrants(t.Context(), nil)
	ok(t, err)
	if n != 0 {
		t.Fatalf("%d grants dropped where none was named", n)
	}
}
