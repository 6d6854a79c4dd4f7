package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func chainPromises() []promise {
	return []promise{
		{"AnEventWaitsForItsPlaceInTheOrderOfTheIDs", unchainedInOrder},
		{"ChainEventsGivesPlacesOnce", chainGivesPlaces},
		{"ChainEventsGoesByTheHeadAndWritesAllOrNothing", chainConditions},
		{"ChainedEventsAreReadInTheirOrderAsTheyWereWritten", chainedInOrder},
		{"CheckpointsArePagedInTheirOrder", checkpointsPage},
		{"StaleCheckpointsAreThoseOfAnotherSeal", checkpointsStale},
		{"ResealCheckpointReplacesTheSealThatWasRead", checkpointReseal},
	}
}

func sum(seq int64) storage.Digest { return digest(fmt.Sprint("link ", seq)) }

func checkpoint(seq int64) *storage.Checkpoint {
	return &storage.Checkpoint{Seq: seq, Hash: sum(seq), Sealed: []byte{1, 0, byte(seq)}}
}

// linksAfter are links for events first … last, from the place after head on.
func linksAfter(head int64, first, last int) (links []storage.Link) {
	for n := first; n <= last; n++ {
		head++
		links = append(links, storage.Link{Seq: head, EventID: id(n), Hash: sum(head)})
	}
	return links
}

// logged records the events first … last at one instant.
func (s *subject) logged(t *testing.T, first, last int) {
	t.Helper()
	var events []storage.Event
	for n := first; n <= last; n++ {
		events = append(events, storage.Event{ID: id(n), Kind: "a"})
	}
	ok(t, s.RecordEvents(t.Context(), events))
}

// chain gives the events first … last, which were recorded in order and whose IDs are their places, these; with a checkpoint at the end.
func (s *subject) chain(t *testing.T, first, last int) {
	t.Helper()
	ok(t, s.ChainEvents(t.Context(), int64(first-1), linksAfter(int64(first-1), first, last), checkpoint(int64(last))))
}

// waits asserts which events wait for a place, and what the head is.
func (s *subject) waits(t *testing.T, head storage.Link, want ...int) {
	t.Helper()
	events, got, err := s.UnchainedEvents(t.Context(), 100)
	ok(t, err)
	same(t, head, got)
	same(t, want, numbers(events))
}

func numbers(events []storage.Event) (all []int) {
	for _, e := range events {
		all = append(all, int(e.ID[15]))
	}
	return all
}

// stands asserts which places are taken, and where checkpoints are.
func (s *subject) stands(t *testing.T, places, points []int64) {
	t.Helper()
	chained, err := s.ChainedEvents(t.Context(), 0, 100)
	ok(t, err)
	var seqs, at []int64
	for _, c := range chained {
		seqs = append(seqs, c.Link.Seq)
	}
	checkpoints, _, err := s.ListCheckpoints(t.Context(), 0, 100)
	ok(t, err)
	for _, c := range checkpoints {
		at = append(at, c.Seq)
	}
	same(t, places, seqs)
	same(t, points, at)
}

func unchainedInOrder(t *testing.T, s *subject) {
	s.waits(t, storage.Link{})
	for _, n := range []int{3, 1, 4, 2} {
		s.logged(t, n, n)
		s.clock.Advance(time.Second)
	}
	s.waits(t, storage.Link{}, 1, 2, 3, 4)
	events, _, err := s.UnchainedEvents(t.Context(), 3)
	ok(t, err)
	same(t, []int{1, 2, 3}, numbers(events))
	ok(t, s.RecordEvents(t.Context(), []storage.Event{fullEvent(0)}))
	events, _, err = s.UnchainedEvents(t.Context(), 1)
	ok(t, err)
	full := fullEvent(0)
	full.At = s.clock.Now()
	same(t, []storage.Event{full}, events)
}

func chainGivesPlaces(t *testing.T, s *subject) {
	s.logged(t, 1, 4)
	ok(t, s.ChainEvents(t.Context(), 0, linksAfter(0, 1, 2), nil))
	s.waits(t, storage.Link{Seq: 2, EventID: id(2), Hash: sum(2)}, 3, 4)
	ok(t, s.ChainEvents(t.Context(), 2, linksAfter(2, 3, 3), checkpoint(3)))
	s.waits(t, storage.Link{Seq: 3, EventID: id(3), Hash: sum(3)}, 4)
	s.stands(t, []int64{1, 2, 3}, []int64{3})
	ok(t, s.ChainEvents(t.Context(), 3, nil, nil))
	s.logged(t, 5, 5)
	ok(t, s.ChainEvents(t.Context(), 3, linksAfter(3, 5, 5), nil)) // not by ID: the order is the caller's
	s.waits(t, storage.Link{Seq: 4, EventID: id(5), Hash: sum(4)}, 4)
	if n := len(s.events(t, storage.EventFilter{})); n != 5 {
		t.Fatalf("%d events in the log, want 5", n)
	}
}

func chainConditions(t *testing.T, s *subject) {
	ctx := t.Context()
	s.logged(t, 1, 5)
	s.chain(t, 1, 2)
	for name, try := range map[string]struct {
		head  int64
		links []storage.Link
		point *storage.Checkpoint
	}{
		"the head has moved":             {1, linksAfter(1, 3, 4), checkpoint(3)},
		"the head was never there":       {3, linksAfter(3, 3, 4), checkpoint(5)},
		"one has a place already":        {2, append(linksAfter(2, 3, 4), storage.Link{Seq: 5, EventID: id(1), Hash: sum(5)}), checkpoint(5)},
		"one is gone":                    {2, linksAfter(2, 5, 6), checkpoint(4)},
		"the checkpoint's Seq has one":   {2, linksAfter(2, 3, 4), checkpoint(2)},
		"nothing to chain, an old head":  {0, nil, nil},
		"a checkpoint alone, an old one": {0, nil, checkpoint(9)},
	} {
		if err := s.ChainEvents(ctx, try.head, try.links, try.point); !is(err, storage.ErrMoved) {
			t.Errorf("%s: %v, want ErrMoved", name, err)
		}
		s.waits(t, storage.Link{Seq: 2, EventID: id(2), Hash: sum(2)}, 3, 4, 5)
		s.stands(t, []int64{1, 2}, []int64{2})
	}
	s.chain(t, 3, 5)
	s.stands(t, []int64{1, 2, 3, 4, 5}, []int64{2, 5})
}

func chainedInOrder(t *testing.T, s *subject) {
	full, bare := fullEvent(2), storage.Event{ID: id(1)}
	ok(t, s.RecordEvents(t.Context(), []storage.Event{full, bare}))
	links := []storage.Link{{Seq: 1, EventID: id(2), Hash: sum(1)}, {Seq: 2, EventID: id(1), Hash: sum(2)}}
	ok(t, s.ChainEvents(t.Context(), 0, links, nil))
	full.At, bare.At = start, start
	want := []storage.ChainedEvent{{Event: full, Link: links[0]}, {Event: bare, Link: links[1]}}
	wholeRecord(t, want[0])
	for after := range want {
		got, err := s.ChainedEvents(t.Context(), int64(after), 1)
		ok(t, err)
		same(t, want[after:after+1], got)
	}
	got, err := s.ChainedEvents(t.Context(), 0, 10)
	ok(t, err)
	same(t, want, got)
	got, err = s.ChainedEvents(t.Context(), 2, 10)
	ok(t, err)
	same(t, []storage.ChainedEvent(nil), got)
}

func checkpointsPage(t *testing.T, s *subject) {
	_, now, err := s.ListCheckpoints(t.Context(), 0, 10)
	ok(t, err)
	same(t, start, now)
	s.logged(t, 1, 6)
	var want []storage.Checkpoint
	for n := 1; n <= 5; n += 2 {
		given := checkpoint(int64(n + 1))
		given.CreatedAt = start.Add(99 * time.Hour) // the store's to say
		ok(t, s.ChainEvents(t.Context(), int64(n-1), linksAfter(int64(n-1), n, n+1), given))
		given.CreatedAt = s.clock.Now()
		want = append(want, *given)
		s.clock.Advance(time.Second)
	}
	wholeRecord(t, want[0])
	var got []storage.Checkpoint
	for after := int64(0); ; after = got[len(got)-1].Seq {
		page, now, err := s.ListCheckpoints(t.Context(), after, 2)
		ok(t, err)
		same(t, s.clock.Now(), now)
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
	}
	same(t, want, got)
}

func checkpointsStale(t *testing.T, s *subject) {
	s.logged(t, 1, 4)
	for n, sealed := range []string{"new one", "old one", "new", "ne"} {
		c := checkpoint(int64(n + 1))
		c.Sealed = []byte(sealed)
		ok(t, s.ChainEvents(t.Context(), int64(n), linksAfter(int64(n), n+1, n+1), c))
	}
	for _, c := range []struct {
		current string
		after   int64
		limit   int
		left    int
		want    []int64
	}{
		{"new", 0, 10, 2, []int64{2, 4}},
		{"new", 0, 1, 2, []int64{2}},
		{"new", 2, 10, 2, []int64{4}},
		{"new", 4, 10, 2, nil},
		{"old", 0, 2, 3, []int64{1, 3}},
		{"n_w", 0, 10, 4, []int64{1, 2, 3, 4}},
	} {
		page, left, err := s.StaleCheckpoints(t.Context(), []byte(c.current), c.after, c.limit)
		ok(t, err)
		var got []int64
		for _, point := range page {
			got = append(got, point.Seq)
			if point.Hash != sum(point.Seq) || !point.CreatedAt.Equal(start) || len(point.Sealed) == 0 {
				t.Fatalf("checkpoint %+v", point)
			}
		}
		same(t, c.want, got)
		if left != c.left {
			t.Fatalf("%d are stale, want %d", left, c.left)
		}
	}
}

func checkpointReseal(t *testing.T, s *subject) {
	ctx := t.Context()
	s.logged(t, 1, 2)
	s.chain(t, 1, 1)
	s.chain(t, 2, 2)
	old := checkpoint(1).Sealed
	fails(t, s.ResealCheckpoint(ctx, 1, []byte("another"), []byte("new")), storage.ErrMoved)
	fails(t, s.ResealCheckpoint(ctx, 3, old, []byte("new")), storage.ErrMoved)
	s.clock.Advance(time.Hour)
	ok(t, s.ResealCheckpoint(ctx, 1, old, []byte("new")))
	fails(t, s.ResealCheckpoint(ctx, 1, old, []byte("newer")), storage.ErrMoved)
	want := []storage.Checkpoint{*checkpoint(1), *checkpoint(2)}
	want[0].Sealed, want[0].CreatedAt, want[1].CreatedAt = []byte("new"), start, start
	got, _, err := s.ListCheckpoints(ctx, 0, 10)
	ok(t, err)
	same(t, want, got)
}
