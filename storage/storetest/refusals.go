package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func refusalPromises() []promise {
	return []promise{
		{"RecordRefusalsKeepsEveryField", refusalKeepsFields},
		{"ARefusalOfNobodyIsNotKept", refusalOfNobody},
		{"ARefusalIsRecordedOnce", refusalOnce},
		{"TheOldestRefusalsMakeRoom", refusalsBounded},
		{"SweepRemovesRefusalsPastTheirTime", sweepRefusals},
		{"NodesThatRecordTogetherKeepTheBound", refusalsTogether},
		{"ListRefusalsPagesThroughAClientsNewestFirst", listRefusals},
	}
}

// roomy is a bound that nothing in these cases reaches.
var roomy = storage.RefusalBound{All: 1000, PerClient: 1000}

func (s *subject) refuse(t *testing.T, bound storage.RefusalBound, refused ...storage.RefusedRequest) {
	t.Helper()
	ok(t, s.RecordRefusals(t.Context(), refused, bound))
}

// kept asserts which of the refusals are there.
func (s *subject) kept(t *testing.T, want map[string]bool) {
	t.Helper()
	for name, there := range want {
		_, err := s.FindRefusal(t.Context(), name)
		if there {
			ok(t, err)
		} else {
			fails(t, err, storage.ErrNotFound)
		}
	}
}

func refusalKeepsFields(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), bareClient("client "), storage.Also{}))
	full := storage.RefusedRequest{
		ID: "ABC ", At: start.Add(99 * time.Hour), Endpoint: "token", ClientID: "client ", GrantType: "refresh_token", Code: "invalid_grant",
		Description: "it's \"over\" ", Cause: `reuse \ é 🔑`, GrantID: id(7), Token: "exchanged ", Seen: storage.Seen{Address: "2001:db8::1", Agent: "a<b>"},
		Detail: map[string]string{"redirect_uri": "<a> & \"b\"", "": " ", "ключ": "🔑"},
	}
	s.refuse(t, roomy, full, storage.RefusedRequest{ID: "abc", ClientID: "client "})
	s.refuse(t, roomy)
	full.At = start // the store's to say
	wholeRecord(t, full)
	got, err := s.FindRefusal(t.Context(), "ABC ")
	ok(t, err)
	same(t, full, got)
	got, err = s.FindRefusal(t.Context(), "abc")
	ok(t, err)
	same(t, storage.RefusedRequest{ID: "abc", At: start, ClientID: "client "}, got)
	s.kept(t, map[string]bool{"ABC": false, "Abc": false, "": false, "%": false, "a\x00": false, "\xff": false})
}

func refusalOfNobody(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), bareClient("demo"), storage.Also{}))
	s.refuse(t, roomy, storage.RefusedRequest{ID: "1", ClientID: "Demo"}, storage.RefusedRequest{ID: "2"},
		storage.RefusedRequest{ID: "3", ClientID: "a\x00b"}, storage.RefusedRequest{ID: "4", ClientID: "demo"},
		storage.RefusedRequest{ID: "5", ClientID: "demo\xff"})
	s.kept(t, map[string]bool{"1": false, "2": false, "3": false, "4": true, "5": false})
}

func refusalOnce(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), bareClient("demo"), storage.Also{}))
	first := storage.RefusedRequest{ID: "1", ClientID: "demo", Code: "first"}
	second := storage.RefusedRequest{ID: "1", ClientID: "demo", Code: "second"}
	s.refuse(t, roomy, first, second)
	s.clock.Advance(time.Second)
	s.refuse(t, roomy, second)
	first.At = start
	got, err := s.FindRefusal(t.Context(), "1")
	ok(t, err)
	same(t, first, got)
}

func refusalsBounded(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), bareClient("quiet"), storage.Also{}))
	ok(t, s.CreateClient(t.Context(), bareClient("loud"), storage.Also{}))
	bound := storage.RefusalBound{All: 5, PerClient: 3}
	s.refuse(t, bound, storage.RefusedRequest{ID: "q1", ClientID: "quiet"})
	for n := range 6 {
		s.clock.Advance(time.Second)
		s.refuse(t, bound, storage.RefusedRequest{ID: fmt.Sprint("l", n), ClientID: "loud"})
	}
	s.kept(t, map[string]bool{"q1": true, "l2": false, "l3": true, "l4": true, "l5": true})
	for n := 2; n < 4; n++ {
		s.clock.Advance(time.Second)
		s.refuse(t, bound, storage.RefusedRequest{ID: fmt.Sprint("q", n), ClientID: "quiet"})
	}
	s.kept(t, map[string]bool{"q1": false, "q2": true, "q3": true, "l3": true, "l4": true, "l5": true})
}

func sweepRefusals(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), bareClient("demo"), storage.Also{}))
	for n := range 4 {
		s.refuse(t, roomy, storage.RefusedRequest{ID: fmt.Sprint(n), ClientID: "demo"})
		s.clock.Advance(time.Microsecond)
	}
	s.clock.Advance(24*time.Hour - 4*time.Microsecond)
	for _, c := range []struct{ want, limit, further int }{{0, 10, 0}, {1, 10, 1}, {1, 1, 2}, {1, 1, 0}, {0, 1, 0}} {
		s.clock.Advance(time.Duration(c.further) * time.Microsecond)
		n, err := s.SweepRefusals(t.Context(), c.limit, 24*time.Hour)
		ok(t, err)
		if n != c.want {
			t.Fatalf("%d refusals swept, want %d", n, c.want)
		}
	}
	s.kept(t, map[string]bool{"0": false, "1": false, "2": false, "3": true})
}

func refusalsTogether(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), bareClient("demo"), storage.Also{}))
	bound := storage.RefusalBound{All: 8, PerClient: 8}
	for _, err := range s.contend(t, func(i int) error {
		return s.RecordRefusals(t.Context(), []storage.RefusedRequest{{ID: fmt.Sprint(i), ClientID: "demo"}}, bound)
	}) {
		ok(t, err)
	}
	s.clock.Advance(time.Second)
	s.refuse(t, bound, storage.RefusedRequest{ID: "last", ClientID: "demo"})
	left := 0
	for i := range contenders {
		if _, err := s.FindRefusal(t.Context(), fmt.Sprint(i)); err == nil {
			left++
		}
	}
	if left != bound.All-1 {
		t.Fatalf("%d refusals are left beside the last, want %d", left, bound.All-1)
	}
	s.kept(t, map[string]bool{"last": true})
}

func listRefusals(t *testing.T, s *subject) {
	ctx := t.Context()
	for _, name := range []string{"demo", "Demo", "quiet"} {
		ok(t, s.CreateClient(ctx, bareClient(name), storage.Also{}))
	}
	var want []storage.RefusedRequest
	for n := range 9 { // three share each instant
		if n%3 == 0 {
			s.clock.Advance(time.Microsecond)
		}
		r := storage.RefusedRequest{ID: fmt.Sprint("r", n), ClientID: "demo", Code: fmt.Sprint(n), Detail: map[string]string{"n": fmt.Sprint(n)}}
		s.refuse(t, roomy, r, storage.RefusedRequest{ID: fmt.Sprint("other", n), ClientID: "Demo"})
		r.At = s.clock.Now()
		want = append([]storage.RefusedRequest{r}, want...)
	}
	list := func(client, before string, limit int) []storage.RefusedRequest {
		t.Helper()
		page, err := s.ListRefusals(ctx, client, before, limit)
		ok(t, err)
		return page
	}
	var got []storage.RefusedRequest
	for before := ""; ; before = got[len(got)-1].ID {
		page := list("demo", before, 2)
		if len(page) == 0 {
			break
		}
		if got = append(got, page...); len(page) > 2 || len(got) > len(want) {
			t.Fatalf("a page of %d, limit 2; %d in all, want %d", len(page), len(got), len(want))
		}
	}
	same(t, want, got)
	for _, gone := range []string{"swept", "R8", "r\x00", "\xff"} {
		same(t, want[:3], list("demo", gone, 3))
	}
	for _, nobody := range []string{"quiet", "", "dem_", "demo\x00", "demo\xff"} {
		same(t, []storage.RefusedRequest{}, list(nobody, "", 10))
	}
}
