package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func revokePromises() []promise {
	return []promise{
		{"RevokeGrantEndsAndSaysWhenAndWhy", revokeGrantEnds},
		{"RevokeGrantIsFirstOnce", revokeGrantFirstOnce},
		{"RevokeGrantGoesByTheRevisionWhereOneIsSet", revokeGrantRevision},
		{"RevokedIsFinal", revokedIsFinal},
		{"RevokeGrantsEndsWhatItSelects", revokeGrantsSelects},
		{"RevokeGrantsOfNobodyIsRefused", revokeGrantsOfNobody},
	}
}

func revokeGrantEnds(t *testing.T, s *subject) {
	active, waiting := fullGrant(10), fullGrant(11)
	waiting.State, waiting.Pending = storage.Pending, &storage.Waiting{Kind: storage.WaitingMFA, Tries: 2}
	for _, g := range []storage.Grant{active, waiting} {
		s.create(t, g)
		s.clock.Advance(time.Microsecond)
		first, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: g.ID, Reason: storage.ReasonLogout})
		ok(t, err)
		if !first {
			t.Fatal("the first revocation does not say so")
		}
		g.State, g.Pending, g.Revision = storage.Revoked, nil, 2
		g.RevokedAt, g.RevokedReason = s.clock.Now(), storage.ReasonLogout
		same(t, g, s.grant(t, g.ID))
	}
	_, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(12), Reason: storage.ReasonLogout})
	fails(t, err, storage.ErrNotFound)
}

func revokeGrantFirstOnce(t *testing.T, s *subject) {
	s.create(t, bareGrant(10))
	_, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(10), Reason: storage.ReasonReuse})
	ok(t, err)
	before := s.grant(t, id(10))
	s.clock.Advance(time.Minute)
	for _, revision := range []int64{0, before.Revision} {
		first, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(10), Revision: revision, Reason: storage.ReasonAdmin})
		ok(t, err)
		if first {
			t.Fatal("the second revocation says that it was the first")
		}
		same(t, before, s.grant(t, id(10)))
	}
}

func revokeGrantRevision(t *testing.T, s *subject) {
	s.create(t, bareGrant(10))
	ok(t, s.RotateGrant(t.Context(), stepTo(10, 1, 1)))
	for _, revision := range []int64{1, 3} {
		first, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(10), Revision: revision, Reason: storage.ReasonReuse})
		fails(t, err, storage.ErrMoved)
		if first || s.grant(t, id(10)).State != storage.Active {
			t.Fatal("a moved grant was revoked")
		}
	}
	first, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(10), Revision: 2, Reason: storage.ReasonReuse})
	ok(t, err)
	if !first || s.grant(t, id(10)).State != storage.Revoked {
		t.Fatal("the grant was not revoked")
	}
}

func revokedIsFinal(t *testing.T, s *subject) {
	ctx := t.Context()
	s.create(t, waitingGrant(10))
	_, err := s.RevokeGrant(ctx, storage.Revocation{ID: id(10), Reason: storage.ReasonUser})
	ok(t, err)
	before := s.grant(t, id(10))
	for revision := int64(0); revision < 4; revision++ {
		fails(t, s.RotateGrant(ctx, stepTo(10, revision, 1)), storage.ErrMoved)
		fails(t, s.RedeemGrant(ctx, storage.Redemption{Grant: bareGrant(10), Revision: revision}), storage.ErrMoved)
		fails(t, s.TryGrant(ctx, id(10), revision), storage.ErrMoved)
	}
	same(t, before, s.grant(t, id(10)))
}

func revokeGrantsSelects(t *testing.T, s *subject) {
	// Grants 10…15: users 1 and 2 at clients that differ in letter case alone, one of them a wildcard.
	of := []struct {
		user   int
		client string
	}{{1, "demo"}, {1, "Demo"}, {2, "demo"}, {2, "d_mo"}, {1, "demo "}, {1, "demo"}}
	for _, c := range []struct {
		name   string
		of     storage.GrantsOf
		picked []int
	}{
		{"user", storage.GrantsOf{UserID: id(1)}, []int{0, 1, 4, 5}},
		{"client", storage.GrantsOf{ClientID: "demo"}, []int{0, 2, 5}},
		{"client with a wildcard", storage.GrantsOf{ClientID: "d_mo"}, []int{3}},
		{"user and client", storage.GrantsOf{UserID: id(1), ClientID: "demo"}, []int{0, 5}},
		{"user but one", storage.GrantsOf{UserID: id(1), Except: id(14)}, []int{0, 1, 5}},
		{"session, what is offline too", storage.GrantsOf{SessionID: id(77)}, []int{0, 1, 2}},
		{"session and user", storage.GrantsOf{SessionID: id(77), UserID: id(1)}, []int{0, 1}},
		{"session, user and client", storage.GrantsOf{SessionID: id(77), UserID: id(1), ClientID: "demo"}, []int{0}},
		{"session and client", storage.GrantsOf{SessionID: id(77), ClientID: "demo"}, []int{0, 2}},
		{"session but one", storage.GrantsOf{SessionID: id(77), Except: id(12)}, []int{0, 1}},
		{"no session's", storage.GrantsOf{SessionID: id(78)}, nil},
		{"nobody's", storage.GrantsOf{UserID: id(3)}, nil},
		{"no client's", storage.GrantsOf{ClientID: "DEMO"}, nil},
	} {
		ctx := t.Context()
		for i, o := range of {
			g := bareGrant(10 + i)
			if i%2 == 1 {
				g = waitingGrant(10 + i)
			}
			g.UserID, g.ClientID = id(o.user), o.client
			if i < 3 {
				g.SessionID, g.Offline = id(77), i == 1
			}
			s.create(t, g)
		}
		_, err := s.RevokeGrant(ctx, storage.Revocation{ID: id(15), Reason: storage.ReasonUser})
		ok(t, err)
		n, err := s.RevokeGrants(ctx, c.of, storage.Revocation{ID: id(10), Revision: 99, Reason: storage.ReasonAdmin})
		ok(t, err)
		picked := map[int]bool{}
		for _, i := range c.picked {
			picked[i] = true
		}
		want := len(c.picked)
		if picked[5] {
			want-- // it was revoked before, and keeps its reason
		}
		if n != want {
			t.Fatalf("%s: %d revoked, want %d", c.name, n, want)
		}
		for i := range of {
			g := s.grant(t, id(10+i))
			switch {
			case i == 5 && g.RevokedReason != storage.ReasonUser,
				i != 5 && picked[i] && (g.RevokedReason != storage.ReasonAdmin || g.Revision != 2 || g.Pending != nil || !g.RevokedAt.Equal(start)),
				i != 5 && !picked[i] && (g.State == storage.Revoked || g.Revision != 1):
				t.Fatalf("%s: grant %d is %+v", c.name, i, g)
			}
		}
		s.dropAll(t)
	}
}

// dropAll empties the table of grants.
func (s *subject) dropAll(t *testing.T) {
	t.Helper()
	page, _, err := s.WalkGrants(t.Context(), storage.ID{}, 1000)
	ok(t, err)
	n, err := s.DropGrants(t.Context(), page)
	ok(t, err)
	if n != len(page) {
		t.Fatalf("%d of %d grants dropped", n, len(page))
	}
}

func revokeGrantsOfNobody(t *testing.T, s *subject) {
	s.create(t, bareGrant(10))
	n, err := s.RevokeGrants(t.Context(), storage.GrantsOf{}, storage.Revocation{Reason: storage.ReasonAdmin})
	if err == nil || n != 0 {
		t.Fatalf("an empty selection revoked %d grants, error %v: it must be refused", n, err)
	}
	if s.grant(t, id(10)).State != storage.Active {
		t.Fatal("an empty selection revoked a grant")
	}
}
