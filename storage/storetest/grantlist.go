package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func grantListPromises() []promise {
	return []promise{
		{"ListGrantsKeepsEveryField", listGrantsKeepsFields},
		{"ListGrantsSelectsNewestFirst", listGrantsSelects},
		{"ListGrantsOfNobodyIsTheCallersFault", listGrantsOfNobody},
	}
}

func (s *subject) list(t *testing.T, of storage.GrantsOf, before storage.ID, limit int) []storage.Grant {
	t.Helper()
	grants, now, err := s.ListGrants(t.Context(), of, before, limit)
	ok(t, err)
	same(t, s.clock.Now(), now)
	return grants
}

func listGrantsKeepsFields(t *testing.T, s *subject) {
	s.create(t, fullGrant(1))
	s.create(t, waitingGrant(2))
	for _, n := range []int{1, 2} {
		of := storage.GrantsOf{UserID: id(1), ClientID: s.grant(t, id(n)).ClientID}
		same(t, []storage.Grant{s.grant(t, id(n))}, s.list(t, of, storage.ID{}, 10))
	}
	first, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(1), Reason: storage.ReasonAdmin})
	ok(t, err)
	got := s.list(t, storage.GrantsOf{ClientID: fullGrant(1).ClientID}, storage.ID{}, 10)
	if !first || len(got) != 1 || got[0].State != storage.Revoked || got[0].RevokedReason != storage.ReasonAdmin {
		t.Fatalf("a revoked grant: %+v", got)
	}
}

func listGrantsSelects(t *testing.T, s *subject) {
	for n, c := range []string{"demo", "Demo", "demo", "dem_", "demo", "demo "} {
		g := bareGrant(n + 1)
		g.ClientID, g.UserID = c, id(100+n%2)
		if n < 3 {
			g.SessionID = id(77)
		}
		g.ExpiresAt = start.Add(time.Minute)
		s.create(t, g)
	}
	s.clock.Advance(time.Hour) // what has expired is listed until it is swept
	for _, c := range []struct {
		of     storage.GrantsOf
		before int
		limit  int
		want   []int
	}{
		{storage.GrantsOf{ClientID: "demo"}, 0, 10, []int{5, 3, 1}},
		{storage.GrantsOf{ClientID: "demo"}, 0, 2, []int{5, 3}},
		{storage.GrantsOf{ClientID: "demo"}, 3, 2, []int{1}},
		{storage.GrantsOf{ClientID: "demo"}, 1, 2, nil},
		{storage.GrantsOf{ClientID: "dem_"}, 0, 10, []int{4}},
		{storage.GrantsOf{UserID: id(100)}, 0, 10, []int{5, 3, 1}},
		{storage.GrantsOf{UserID: id(101)}, 6, 10, []int{4, 2}},
		{storage.GrantsOf{UserID: id(101), ClientID: "Demo"}, 0, 10, []int{2}},
		{storage.GrantsOf{UserID: id(100), Except: id(3)}, 0, 10, []int{5, 1}},
		{storage.GrantsOf{UserID: id(102)}, 0, 10, nil},
		{storage.GrantsOf{SessionID: id(77)}, 0, 2, []int{3, 2}},
		{storage.GrantsOf{SessionID: id(77), UserID: id(100), ClientID: "demo", Except: id(1)}, 0, 10, []int{3}},
		{storage.GrantsOf{SessionID: id(78)}, 0, 10, nil},
		{storage.GrantsOf{ClientID: "a\x00b"}, 0, 10, nil},
	} {
		var before storage.ID
		if c.before > 0 {
			before = id(c.before)
		}
		var got []int
		for _, g := range s.list(t, c.of, before, c.limit) {
			got = append(got, int(g.ID[15]))
		}
		same(t, c.want, got)
	}
}

func listGrantsOfNobody(t *testing.T, s *subject) {
	s.create(t, bareGrant(1))
	for _, of := range []storage.GrantsOf{{}, {Except: id(1)}} {
		if grants, _, err := s.ListGrants(t.Context(), of, storage.ID{}, 10); err == nil || len(grants) > 0 {
			t.Errorf("grants of nobody: %d, %v", len(grants), err)
		}
	}
}
