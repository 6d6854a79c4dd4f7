package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func storeRaces() []race {
	return []race{
		{"ABucketGivesNoMoreThanItsBurst", "TakeAttempts", raceTake},
		{"BucketsInAnyOrderGiveNoMoreThanTheirBurst", "TakeAttempts", raceTakeSeveral},
		{"ReturnsAreEachCountedOnce", "ReturnAttempts", raceReturn},
		{"OneClientIDMakesOneClient", "CreateClient", raceCreateClient},
		{"OfManyUpdatesOfOneClientOneWins", "UpdateClient", raceUpdateClient},
		{"AClientIsDeletedOnce", "DeleteClient", raceDeleteClient},
		{"NodesThatStartAtOnceMakeOneSetOfKeys", "EstablishKeys", raceEstablish},
		{"ALetterIsClaimedOnce", "ClaimLetters", raceClaim},
		{"AFinishedLetterStaysGone", "FinishLetter RetryLetter", raceFinish},
		{"ALetterIsSplitOnce", "SplitLetter RetryLetter", raceSplit},
		{"ALeaseHasOneHolder", "TakeLease", raceLease},
		{"EachRowIsSweptOnce", "SweepExpired", raceSweep},
		{"EachGrantIsDroppedOnce", "DropGrants", raceDropOnce},
	}
}

// taken races takes among the contenders and returns how many got their tokens.
func (s *subject) taken(t *testing.T, takes func(i int) []storage.Take) int {
	t.Helper()
	var taken atomic.Int64
	allOK(t, s.contend(t, func(i int) error {
		wait, err := s.TakeAttempts(t.Context(), takes(i))
		if err == nil && wait == 0 {
			taken.Add(1)
		}
		if wait < 0 {
			return fmt.Errorf("wait %v", wait)
		}
		return err
	}))
	return int(taken.Load())
}

func raceTake(t *testing.T, s *subject) {
	b := bucket("a", 10, time.Minute)
	for _, want := range []int{10, 3, 10} {
		if got := s.taken(t, func(int) []storage.Take { return []storage.Take{b} }); got != want {
			t.Fatalf("%d of %d takers succeeded, want %d", got, contenders, want)
		}
		if want == 10 {
			s.clock.Advance(3 * time.Minute)
		} else {
			s.clock.Advance(time.Hour)
		}
	}
}

func raceTakeSeveral(t *testing.T, s *subject) {
	a, b, c := bucket("a", 20, time.Minute), bucket("b", 15, time.Minute), bucket("c", 40, time.Minute)
	orders := [][]storage.Take{{a, b}, {b, a}, {c, b, a}, {a, c, b}}
	if got := s.taken(t, func(i int) []storage.Take { return orders[i%len(orders)] }); got != 15 {
		t.Fatalf("%d takers succeeded, want the 15 of the smallest bucket", got)
	}
	if got := s.taken(t, func(int) []storage.Take { return []storage.Take{a} }); got != 5 {
		t.Fatalf("%d tokens were left, want 5: those who were refused took some", got)
	}
}

func raceReturn(t *testing.T, s *subject) {
	a, b := bucket("a", 2*contenders, time.Minute), bucket("b", 2*contenders, time.Minute)
	for range contenders {
		s.takes(t, 0, a, b)
	}
	for range contenders {
		s.takes(t, 0, a, b)
	}
	s.takes(t, time.Minute, a)
	allOK(t, s.contend(t, func(i int) error {
		if i%2 == 0 {
			return s.ReturnAttempts(t.Context(), []storage.Take{a, b})
		}
		return s.ReturnAttempts(t.Context(), []storage.Take{b, a})
	}))
	for range contenders {
		s.takes(t, 0, a, b)
	}
	s.takes(t, time.Minute, a)
	s.takes(t, time.Minute, b)
}

func raceCreateClient(t *testing.T, s *subject) {
	won := s.oneWins(t, storage.ErrTaken, func(i int) error {
		c := bareClient("demo")
		c.Metadata.Name = fmt.Sprint(i)
		return s.CreateClient(t.Context(), c, storage.Also{Events: []storage.Event{{Kind: "client.created"}}})
	})
	if got := s.client(t, "demo").Metadata.Name; got != fmt.Sprint(won) {
		t.Fatalf("contender %d won, and the row is %s's", won, got)
	}
	if n := len(s.events(t, storage.EventFilter{})); n != 1 {
		t.Fatalf("%d events, want 1", n)
	}
}

func raceUpdateClient(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), bareClient("demo"), storage.Also{}))
	won := s.oneWins(t, storage.ErrMoved, func(i int) error {
		c := storage.Client{ID: "demo", Revision: 1}
		c.Metadata.Name = fmt.Sprint(i)
		return s.UpdateClient(t.Context(), c, storage.Also{})
	})
	if c := s.client(t, "demo"); c.Metadata.Name != fmt.Sprint(won) || c.Revision != 2 {
		t.Fatalf("contender %d won, and the row is %+v", won, c)
	}
}

func raceDeleteClient(t *testing.T, s *subject) {
	ok(t, s.CreateClient(t.Context(), bareClient("demo"), storage.Also{}))
	s.oneWins(t, storage.ErrNotFound, func(int) error { return s.DeleteClient(t.Context(), "demo", storage.Also{}) })
}

func raceEstablish(t *testing.T, s *subject) {
	const nodes = 8
	sets := make([][]storage.Key, nodes)
	allOK(t, together(t, nodes, func(int) error { _, _, err := s.ListKeys(t.Context()); return err }, func(i int) error {
		var err error
		sets[i], err = s.EstablishKeys(t.Context(), madeKeys(fmt.Sprint("node ", i)))
		return err
	}))
	listed, _, err := s.ListKeys(t.Context())
	ok(t, err)
	if len(listed) != 2 {
		t.Fatalf("%d keys, want the 2 of one node", len(listed))
	}
	maker := string(byID(listed)[0].Sealed)
	same(t, stamped(madeKeys(maker), start), byID(listed))
	for _, set := range sets {
		same(t, byID(listed), byID(set))
	}
}

func raceClaim(t *testing.T, s *subject) {
	const letters = 100
	for n := range letters {
		s.post(t, fullLetter(n+1))
	}
	var mu sync.Mutex
	claims := map[storage.ID]int{}
	allOK(t, together(t, 16, nil, func(int) error {
		for range letters {
			got, err := s.ClaimLetters(t.Context(), 3, time.Minute)
			if err != nil || len(got) == 0 {
				return err
			}
			mu.Lock()
			for _, letter := range got {
				claims[letter.ID]++
			}
			mu.Unlock()
		}
		return nil
	}))
	for letter, n := range claims {
		if n != 1 {
			t.Fatalf("letter %s was claimed %d times", letter, n)
		}
	}
	// An engine may pass over a letter that another claim holds at this moment; it stays due.
	if rest := s.claim(t, letters, time.Minute); len(claims)+len(rest) != letters {
		t.Fatalf("%d of %d letters were claimed", len(claims)+len(rest), letters)
	}
}

func raceFinish(t *testing.T, s *subject) {
	for n := 1; n <= 10; n++ {
		s.post(t, fullLetter(n))
		old := s.claimOne(t, time.Minute)
		s.clock.Advance(time.Minute)
		newest := s.claimOne(t, time.Minute)
		allOK(t, s.contend(t, func(i int) error {
			switch i % 4 {
			case 0:
				return s.FinishLetter(t.Context(), newest.ID, newest.Attempt)
			case 1:
				return s.RetryLetter(t.Context(), newest.ID, newest.Attempt, time.Microsecond)
			case 2:
				return s.RetryLetter(t.Context(), old.ID, old.Attempt, time.Microsecond)
			}
			return s.FinishLetter(t.Context(), old.ID, old.Attempt)
		}))
		s.clock.Advance(time.Hour)
		s.nothingDue(t)
	}
}

func raceSplit(t *testing.T, s *subject) {
	for n := 1; n <= 10; n++ {
		s.post(t, storage.Letter{ID: id(n), Kind: "whole"})
		claimed := s.claimOne(t, time.Minute)
		allOK(t, s.contend(t, func(i int) error {
			if i%8 == 7 {
				return s.RetryLetter(t.Context(), claimed.ID, claimed.Attempt, time.Microsecond)
			}
			return s.SplitLetter(t.Context(), claimed.ID, claimed.Attempt, []storage.Letter{{Kind: "a"}, {Kind: "b"}})
		}))
		s.clock.Advance(time.Hour)
		parts := s.claim(t, 10, time.Minute)
		if len(parts) != 2 || parts[0].Kind == parts[1].Kind {
			t.Fatalf("round %d: %+v, want the two parts once", n, parts)
		}
		for _, part := range parts {
			ok(t, s.FinishLetter(t.Context(), part.ID, part.Attempt))
		}
	}
}

func raceLease(t *testing.T, s *subject) {
	for range 5 {
		holders := make([]bool, contenders)
		allOK(t, s.contend(t, func(i int) error {
			var err error
			holders[i], err = s.TakeLease(t.Context(), "sweep", fmt.Sprint("node ", i), time.Minute)
			return err
		}))
		held := 0
		for _, has := range holders {
			if has {
				held++
			}
		}
		if held != 1 {
			t.Fatalf("%d holders of one lease", held)
		}
		s.clock.Advance(time.Minute)
	}
}

func raceSweep(t *testing.T, s *subject) {
	const grants = 100
	for n := range grants {
		s.create(t, bareGrant(n))
	}
	s.clock.Advance(2 * time.Hour)
	var swept atomic.Int64
	sweep := func(int) error {
		for range grants {
			n, err := s.SweepExpired(t.Context(), 7, time.Minute, 0)
			swept.Add(int64(n))
			if err != nil || n == 0 {
				return err
			}
		}
		return nil
	}
	allOK(t, together(t, 8, nil, sweep))
	ok(t, sweep(0)) // an engine may pass over a row that another sweep holds at this moment
	if swept.Load() != grants {
		t.Fatalf("%d rows swept, want %d", swept.Load(), grants)
	}
}

func raceDropOnce(t *testing.T, s *subject) {
	const grants = 50
	for n := range grants {
		s.create(t, bareGrant(n))
	}
	page, _, err := s.WalkGrants(t.Context(), storage.ID{}, grants)
	ok(t, err)
	var dropped atomic.Int64
	allOK(t, s.contend(t, func(int) error {
		n, err := s.DropGrants(t.Context(), page)
		dropped.Add(int64(n))
		return err
	}))
	if dropped.Load() != grants {
		t.Fatalf("%d of %d grants dropped", dropped.Load(), grants)
	}
}
