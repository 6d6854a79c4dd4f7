package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func auditPromises() []promise {
	return []promise{
		{"RecordEventsKeepsEveryField", recordKeepsFields},
		{"EventsWithoutAnIDGetOne", eventIDs},
		{"ListEventsSelectsNewestFirst", listEventsSelects},
		{"ListEventsPages", listEventsPages},
	}
}

func recordKeepsFields(t *testing.T, s *subject) {
	full, bare := fullEvent(1), storage.Event{ID: id(2)}
	given := full
	given.At = start.Add(99 * time.Hour) // the store's to say
	ok(t, s.RecordEvents(t.Context(), []storage.Event{given}))
	s.clock.Advance(time.Microsecond)
	ok(t, s.RecordEvents(t.Context(), []storage.Event{bare}))
	ok(t, s.RecordEvents(t.Context(), nil))
	full.At, bare.At = start, start.Add(time.Microsecond)
	wholeRecord(t, full)
	same(t, []storage.Event{bare, full}, s.events(t, storage.EventFilter{}))
}

func eventIDs(t *testing.T, s *subject) {
	ok(t, s.RecordEvents(t.Context(), []storage.Event{{Kind: "a"}, {Kind: "b"}}))
	got := s.events(t, storage.EventFilter{})
	if len(got) != 2 || got[0].ID == got[1].ID || got[0].ID.IsZero() || got[1].ID.IsZero() {
		t.Fatalf("events: %+v", got)
	}
}

// recordLog writes events 1 … 8, each a second after the one before.
func (s *subject) recordLog(t *testing.T) {
	t.Helper()
	for n, e := range []storage.Event{
		{Kind: "grant.reuse", UserID: id(1), ClientID: "demo", GrantID: id(5)},
		{Kind: "grant_reuse", UserID: id(1), ClientID: "Demo", GrantID: id(6)},
		{Kind: "grant.%", UserID: id(2), ClientID: "demo"},
		{Kind: "grant.reuse", Actor: "cli", UserID: id(2), ClientID: "dem_", GrantID: id(5)},
		{Kind: "signin.refused", Actor: "Cli"},
		{Kind: "Grant.Reuse", UserID: id(1), ClientID: "demo "},
		{Kind: "grant.reuse", UserID: id(1), ClientID: "demo", GrantID: id(6)},
		{Kind: "signin.refused", Actor: "cli", UserID: id(1)},
	} {
		e.ID = id(n + 1)
		ok(t, s.RecordEvents(t.Context(), []storage.Event{e}))
		s.clock.Advance(time.Second)
	}
}

func listEventsSelects(t *testing.T, s *subject) {
	s.recordLog(t)
	for _, c := range []struct {
		of   storage.EventFilter
		want []int
	}{
		{storage.EventFilter{}, []int{8, 7, 6, 5, 4, 3, 2, 1}},
		{storage.EventFilter{Kind: "grant.reuse"}, []int{7, 4, 1}},
		{storage.EventFilter{Kind: "grant.%"}, []int{3}},
		{storage.EventFilter{UserID: id(1)}, []int{8, 7, 6, 2, 1}},
		{storage.EventFilter{ClientID: "demo"}, []int{7, 3, 1}},
		{storage.EventFilter{ClientID: "dem_"}, []int{4}},
		{storage.EventFilter{GrantID: id(5)}, []int{4, 1}},
		{storage.EventFilter{Kind: "grant.reuse", UserID: id(1), ClientID: "demo", GrantID: id(6)}, []int{7}},
		{storage.EventFilter{Before: id(4)}, []int{3, 2, 1}},
		{storage.EventFilter{UserID: id(1), Before: id(7), Limit: 2}, []int{6, 2}},
		{storage.EventFilter{Limit: 3}, []int{8, 7, 6}},
		{storage.EventFilter{Kind: "nothing"}, nil},
		{storage.EventFilter{Kind: "grant.*"}, []int{7, 4, 3, 1}},
		{storage.EventFilter{Kind: "grant.%*"}, []int{3}},
		{storage.EventFilter{Kind: "grant_*"}, []int{2}},
		{storage.EventFilter{Kind: "G*"}, []int{6}},
		{storage.EventFilter{Kind: "grant.reuse*"}, []int{7, 4, 1}},
		{storage.EventFilter{Kind: "grant.reuse.*"}, nil},
		{storage.EventFilter{Kind: "*.reuse"}, nil},
		{storage.EventFilter{Kind: "*"}, []int{8, 7, 6, 5, 4, 3, 2, 1}},
		{storage.EventFilter{Actor: "cli"}, []int{8, 4}},
		{storage.EventFilter{Actor: "Cli"}, []int{5}},
		{storage.EventFilter{Actor: "cl_"}, nil},
		{storage.EventFilter{Actor: "cli", Kind: "grant.*"}, []int{4}},
		{storage.EventFilter{Since: start.Add(6 * time.Second)}, []int{8, 7}},
		{storage.EventFilter{Since: start.Add(6*time.Second + time.Microsecond)}, []int{8}},
		{storage.EventFilter{Until: start.Add(2 * time.Second)}, []int{2, 1}},
		{storage.EventFilter{Until: start.Add(2*time.Second + time.Microsecond)}, []int{3, 2, 1}},
		{storage.EventFilter{Since: start.Add(time.Second).In(time.FixedZone("", 3600)), Until: start.Add(4 * time.Second)}, []int{4, 3, 2}},
		{storage.EventFilter{Since: start.Add(time.Second), Until: start.Add(6 * time.Second), Before: id(6), UserID: id(2), Limit: 1}, []int{4}},
		{storage.EventFilter{Since: start.Add(time.Hour)}, nil},
	} {
		var got []int
		for _, e := range s.events(t, c.of) {
			got = append(got, int(e.ID[15]))
		}
		same(t, c.want, got)
	}
}

func listEventsPages(t *testing.T, s *subject) {
	s.recordLog(t)
	var got []int
	for before := (storage.ID{}); ; {
		page := s.events(t, storage.EventFilter{Before: before, Limit: 3})
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			got = append(got, int(e.ID[15]))
		}
		before = page[len(page)-1].ID
	}
	same(t, []int{8, 7, 6, 5, 4, 3, 2, 1}, got)
}
