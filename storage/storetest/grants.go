package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func grantPromises() []promise {
	return []promise{
		{"CreateGrantKeepsEveryField", createGrantKeepsEveryField},
		{"CreateGrantKeepsEmptyFieldsEmpty", createGrantKeepsEmptyFieldsEmpty},
		{"CreateGrantRefusesAnIDThatExists", createGrantRefusesTaken},
		{"FindGrantTellsTheStandingOfUserAndClient", findGrantTellsStanding},
		{"FindGrantTellsTheStoresClockInUTCWithMicroseconds", findGrantTellsClock},
		{"FindGrantOfAnUnknownIDIsNotFound", findGrantNotFound},
		{"RedeemGrantMakesTheRowWhatItSays", redeemGrantMakesRow},
		{"RedeemGrantMayLeaveTheRowPending", redeemGrantStaysPending},
		{"RedeemGrantMovesPendingRowsAtTheRevisionAlone", redeemGrantConditions},
		{"RotateGrantWritesTheStepAndNothingElse", rotateGrantWritesStep},
		{"RotateGrantMovesActiveRowsAtTheRevisionAlone", rotateGrantConditions},
		{"TryGrantCountsTries", tryGrantCounts},
		{"TryGrantCountsAtPendingRowsAtTheRevisionAlone", tryGrantConditions},
		{"TenThousandRotationsLeaveOneRowPerGrant", oneRow},
	}
}

func createGrantKeepsEveryField(t *testing.T, s *subject) {
	active := fullGrant(10)
	wholeRecord(t, active, "Revision", "Pending", "UserCode", "RevokedAt", "RevokedReason")
	waiting := fullGrant(11)
	waiting.State, waiting.Pending = storage.Pending, &storage.Waiting{Kind: storage.WaitingMFA, Tries: 3}
	waiting.UserCode = digest("user code")
	code, device := codeGrant(14), deviceGrant(15, "another")
	wholeRecord(t, *code.Pending, "Answer", "PolledAt", "Interval")
	wholeRecord(t, *device.Pending, "Tries", "RedirectURI", "Challenge", "SessionEnds")
	revoked := fullGrant(12)
	revoked.State, revoked.RevokedAt, revoked.RevokedReason = storage.Revoked, start.Add(-time.Microsecond), storage.ReasonReuse
	crowded := fullGrant(13)
	for i := range storage.MaxRetired {
		crowded.Retired = append(crowded.Retired[:i:i], start.Add(-time.Duration(i)*time.Microsecond))
	}
	for _, g := range []storage.Grant{active, waiting, revoked, crowded, code, device} {
		g.Revision = 42 // whatever the caller says, the row begins at 1
		s.create(t, g)
		g.Revision = 1
		same(t, g, s.grant(t, g.ID))
	}
}

func createGrantKeepsEmptyFieldsEmpty(t *testing.T, s *subject) {
	g := bareGrant(10)
	s.create(t, g)
	g.Revision = 1
	same(t, g, s.grant(t, g.ID))
}

func createGrantRefusesTaken(t *testing.T, s *subject) {
	s.create(t, fullGrant(10))
	before := s.grant(t, id(10))
	fails(t, s.CreateGrant(t.Context(), bareGrant(10), storage.Spend{}, storage.Also{}), storage.ErrTaken)
	same(t, before, s.grant(t, id(10)))
}

func findGrantTellsStanding(t *testing.T, s *subject) {
	ctx := t.Context()
	s.create(t, bareGrant(10))
	standing, err := s.FindGrant(ctx, id(10))
	ok(t, err)
	same(t, storage.UserStanding{}, standing.User)
	same(t, storage.ClientStanding{}, standing.Client)

	u, c := fullUser(1), fullClient("client")
	u.DisabledAt, c.DisabledAt = time.Time{}, time.Time{}
	ok(t, s.CreateUser(ctx, u, "", storage.Also{}))
	ok(t, s.CreateClient(ctx, c, storage.Also{}))
	for _, d := range []storage.Denial{{GrantID: id(10), Serial: 1}, {GrantID: id(10), Serial: 1 << 62}, {GrantID: id(11), Serial: 3}} {
		d.ExpiresAt = start.Add(time.Hour)
		ok(t, s.DenyToken(ctx, d))
	}
	standing, err = s.FindGrant(ctx, id(10))
	ok(t, err)
	same(t, storage.UserStanding{Exists: true, Username: u.Username}, standing.User)
	same(t, storage.ClientStanding{Exists: true, Revision: 1}, standing.Client)
	if len(standing.Denied) != 2 || standing.Denied[0]+standing.Denied[1] != 1+1<<62 {
		t.Fatalf("denied serials: %v, want 1 and 1<<62", standing.Denied)
	}

	u.Revision, u.DisabledAt = 1, start
	ok(t, s.UpdateUser(ctx, u, "", storage.Also{}))
	c.Revision, c.DisabledAt = 1, start
	ok(t, s.UpdateClient(ctx, c, storage.Also{}))
	standing, err = s.FindGrant(ctx, id(10))
	ok(t, err)
	same(t, storage.UserStanding{Exists: true, Disabled: true, Username: u.Username}, standing.User)
	same(t, storage.ClientStanding{Exists: true, Disabled: true, Revision: 2}, standing.Client)
}

func findGrantTellsClock(t *testing.T, s *subject) {
	s.create(t, bareGrant(10))
	for _, at := range []time.Time{
		start,
		start.Add(789 * time.Nanosecond),
		start.In(time.FixedZone("UTC+13:45", 13*3600+45*60)).Add(time.Microsecond),
		start.Add(-10 * time.Minute),
	} {
		s.clock.Set(at)
		standing, err := s.FindGrant(t.Context(), id(10))
		ok(t, err)
		same(t, at.UTC().Truncate(time.Microsecond), standing.Now)
	}
}

func findGrantNotFound(t *testing.T, s *subject) {
	s.create(t, bareGrant(10))
	for _, unknown := range []storage.ID{{}, id(11), {0xff, 15: 0xff}} {
		_, err := s.FindGrant(t.Context(), unknown)
		fails(t, err, storage.ErrNotFound)
	}
}

func redeemGrantMakesRow(t *testing.T, s *subject) {
	s.create(t, waitingGrant(10))
	shall := fullGrant(10)
	shall.CreatedAt = start // redeeming does not make a grant younger or older
	ok(t, s.RedeemGrant(t.Context(), storage.Redemption{Grant: shall, Revision: 1}))
	shall.Revision = 2
	same(t, shall, s.grant(t, id(10)))
}

func redeemGrantStaysPending(t *testing.T, s *subject) {
	g := deviceGrant(10, "user code")
	s.create(t, g)
	for round := int64(1); round <= 3; round++ {
		g.Pending.PolledAt, g.Pending.Interval = start.Add(time.Duration(round)*time.Second), time.Duration(5+5*round)*time.Second
		ok(t, s.RedeemGrant(t.Context(), storage.Redemption{Grant: g, Revision: round}))
		g.Revision = round + 1
		same(t, g, s.grant(t, g.ID))
	}
	fails(t, s.RedeemGrant(t.Context(), storage.Redemption{Grant: g, Revision: 1}), storage.ErrMoved)
	g.UserID, g.SessionID, g.State, g.Pending, g.UserCode = id(1), id(77), storage.Active, nil, storage.Digest{}
	ok(t, s.RedeemGrant(t.Context(), storage.Redemption{Grant: g, Revision: 4}))
	g.Revision = 5
	same(t, g, s.grant(t, g.ID))
}

func redeemGrantConditions(t *testing.T, s *subject) {
	s.create(t, waitingGrant(10))
	s.create(t, bareGrant(11))
	s.create(t, waitingGrant(12))
	_, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(12), Reason: storage.ReasonUser})
	ok(t, err)
	for _, r := range []storage.Redemption{
		{Grant: fullGrant(10), Revision: 2},
		{Grant: fullGrant(10), Revision: 0},
		{Grant: fullGrant(11), Revision: 1},
		{Grant: fullGrant(12), Revision: 1},
		{Grant: fullGrant(12), Revision: 2},
		{Grant: fullGrant(13), Revision: 1},
	} {
		var before storage.Grant
		if r.Grant.ID != id(13) {
			before = s.grant(t, r.Grant.ID)
		}
		fails(t, s.RedeemGrant(t.Context(), r), storage.ErrMoved)
		if r.Grant.ID != id(13) {
			same(t, before, s.grant(t, r.Grant.ID))
		}
	}
}

// stepTo is a step that changes everything a step can change.
func stepTo(n int, revision int64, generation uint32) storage.Step {
	return storage.Step{
		ID: id(n), Revision: revision, Generation: generation, Fork: 3, ParentFork: 2, KeyID: 7,
		IssuedAt: start.Add(time.Microsecond), Retired: []time.Time{start.Add(2 * time.Microsecond), start.Add(-time.Hour)},
		SharedAt: start.Add(3 * time.Microsecond), Seen: storage.Seen{Address: "192.0.2.9", Agent: fmt.Sprint("agent ", generation)},
	}
}

func rotateGrantWritesStep(t *testing.T, s *subject) {
	ctx := t.Context()
	g := fullGrant(10)
	s.create(t, g)
	s.create(t, fullGrant(11))
	step := stepTo(10, 1, 9)
	ok(t, s.RotateGrant(ctx, step))
	got := s.grant(t, id(10))
	g.Revision, g.Generation, g.Fork, g.ParentFork, g.KeyID = 2, step.Generation, step.Fork, step.ParentFork, step.KeyID
	g.IssuedAt, g.Retired, g.SharedAt, g.Seen = step.IssuedAt, step.Retired, step.SharedAt, step.Seen
	same(t, g, got)
	if !step.CarriedBy(got) {
		t.Fatal("the row does not carry the step that was written")
	}

	emptied := storage.Step{ID: id(10), Revision: 2, Generation: 1<<32 - 1, Fork: 1<<16 - 1, IssuedAt: start}
	ok(t, s.RotateGrant(ctx, emptied))
	got = s.grant(t, id(10))
	if !emptied.CarriedBy(got) || !got.SharedAt.IsZero() || len(got.Retired) != 0 {
		t.Fatalf("the row does not carry the emptied step: %+v", got)
	}
	neighbour := fullGrant(11)
	neighbour.Revision = 1
	same(t, neighbour, s.grant(t, id(11)))
}

func rotateGrantConditions(t *testing.T, s *subject) {
	ctx := t.Context()
	s.create(t, bareGrant(10))
	s.create(t, waitingGrant(11))
	s.create(t, bareGrant(12))
	_, err := s.RevokeGrant(ctx, storage.Revocation{ID: id(12), Reason: storage.ReasonReuse})
	ok(t, err)
	for _, step := range []storage.Step{
		stepTo(10, 0, 2), stepTo(10, 2, 2), stepTo(11, 1, 2), stepTo(12, 1, 2), stepTo(12, 2, 2),
	} {
		before := s.grant(t, step.ID)
		fails(t, s.RotateGrant(ctx, step), storage.ErrMoved)
		same(t, before, s.grant(t, step.ID))
	}
	fails(t, s.RotateGrant(ctx, stepTo(13, 1, 2)), storage.ErrMoved)
}

func tryGrantCounts(t *testing.T, s *subject) {
	g := fullGrant(10)
	g.State, g.Pending = storage.Pending, &storage.Waiting{Kind: storage.WaitingMFA}
	s.create(t, g)
	for try := 1; try <= 5; try++ {
		ok(t, s.TryGrant(t.Context(), id(10), int64(try)))
		g.Pending, g.Revision = &storage.Waiting{Kind: storage.WaitingMFA, Tries: try}, int64(try+1)
		same(t, g, s.grant(t, id(10)))
	}
}

func tryGrantConditions(t *testing.T, s *subject) {
	s.create(t, waitingGrant(10))
	s.create(t, bareGrant(11))
	for _, try := range []struct {
		n        int
		revision int64
	}{{10, 0}, {10, 2}, {11, 1}, {12, 1}} {
		fails(t, s.TryGrant(t.Context(), id(try.n), try.revision), storage.ErrMoved)
	}
	if g := s.grant(t, id(10)); g.Revision != 1 || g.Pending.Tries != 0 {
		t.Fatalf("a refused try was counted: %+v", g)
	}
}

func oneRow(t *testing.T, s *subject) {
	const grants, rotations = 100, 100
	for n := range grants {
		s.create(t, bareGrant(n))
	}
	errs := together(t, grants, nil, func(n int) error {
		for r := range rotations {
			if err := s.RotateGrant(t.Context(), stepTo(n, int64(r+1), uint32(r+1))); err != nil {
				return err
			}
		}
		return nil
	})
	allOK(t, errs)
	page, _, err := s.WalkGrants(t.Context(), storage.ID{}, 2*grants)
	ok(t, err)
	if len(page) != grants {
		t.Fatalf("%d rows after %d rotations of %d grants", len(page), grants*rotations, grants)
	}
	for n, row := range page {
		if row.ID != id(n) || row.Revision != rotations+1 {
			t.Fatalf("row %d is %s at revision %d, want %s at %d", n, row.ID, row.Revision, id(n), rotations+1)
		}
	}
}
