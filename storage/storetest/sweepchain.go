package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func sweepChainPromises() []promise {
	return []promise{
		{"SweepRemovesWholeBeginningsOfTheChain", sweepChain},
		{"SweepKeepsAnEventThatIsOlderThanOneThatStays", sweepChainKeepsOrder},
		{"SweepNeverLeavesHalfAStretch", sweepWholeStretch},
		{"SweepNeverRemovesAnEventWithoutAPlace", sweepUnchained},
		{"TheHeadOutlivesItsEvent", headOutlivesEvent},
	}
}

// aged records events first … last and chains them, with a checkpoint at the end; then a minute passes.
func (s *subject) aged(t *testing.T, first, last int) {
	t.Helper()
	s.logged(t, first, last)
	s.chain(t, first, last)
	s.clock.Advance(time.Minute)
}

func sweepChain(t *testing.T, s *subject) {
	s.aged(t, 1, 2)
	s.aged(t, 3, 5)
	s.aged(t, 6, 6)
	s.logged(t, 7, 8)
	ok(t, s.ChainEvents(t.Context(), 6, linksAfter(6, 7, 8), nil))
	s.clock.Advance(time.Minute) // the ages of the four are 4, 3, 2 and 1 minutes
	s.sweeps(t, 0, 100, 0, 0)
	s.sweeps(t, 0, 100, 0, 4*time.Minute)
	s.sweeps(t, 2, 100, 0, 4*time.Minute-time.Microsecond)
	s.stands(t, []int64{3, 4, 5, 6, 7, 8}, []int64{2, 5, 6})
	s.sweeps(t, 0, 100, 0, 3*time.Minute)
	s.sweeps(t, 3+1, 3, 0, time.Second) // the events and one checkpoint: more than three would have been too many
	s.stands(t, []int64{6, 7, 8}, []int64{5, 6})
	s.sweeps(t, 1+1, 100, 0, time.Second)
	s.stands(t, []int64{7, 8}, []int64{6})
	s.sweeps(t, 0, 100, 0, time.Second) // no checkpoint follows them
	s.waits(t, storage.Link{Seq: 8, EventID: id(8), Hash: sum(8)})
	if left := s.events(t, storage.EventFilter{}); len(left) != 2 {
		t.Fatalf("left: %+v", left)
	}
}

// sweepChainKeepsOrder: places are given in the order of the IDs, and a clock may have been set back in between.
func sweepChainKeepsOrder(t *testing.T, s *subject) {
	s.aged(t, 1, 2)
	s.clock.Advance(time.Hour)
	s.aged(t, 3, 4)
	s.clock.Advance(-time.Hour - time.Minute)
	s.aged(t, 5, 6)
	s.clock.Advance(time.Hour)
	s.sweeps(t, 2, 100, 0, 30*time.Minute)
	s.stands(t, []int64{3, 4, 5, 6}, []int64{2, 4, 6})
}

func sweepWholeStretch(t *testing.T, s *subject) {
	s.aged(t, 1, 1)
	s.aged(t, 2, 6)
	s.aged(t, 7, 7)
	s.sweeps(t, 1, 2, 0, time.Second)
	s.sweeps(t, 5+1, 2, 0, time.Second)
	s.stands(t, []int64{7}, []int64{6, 7})
}

func sweepUnchained(t *testing.T, s *subject) {
	s.logged(t, 1, 3)
	s.clock.Advance(time.Hour)
	s.sweeps(t, 0, 100, 0, time.Second)
	ok(t, s.ChainEvents(t.Context(), 0, linksAfter(0, 2, 3), checkpoint(2)))
	s.sweeps(t, 2, 100, 0, time.Second)
	s.waits(t, storage.Link{Seq: 2, Hash: sum(2)}, 1)
}

func headOutlivesEvent(t *testing.T, s *subject) {
	s.aged(t, 1, 3)
	s.sweeps(t, 3, 100, 0, time.Second)
	s.stands(t, nil, []int64{3})
	s.logged(t, 4, 4)
	s.waits(t, storage.Link{Seq: 3, Hash: sum(3)}, 4)
	fails(t, s.ChainEvents(t.Context(), 0, linksAfter(0, 4, 4), nil), storage.ErrMoved)
	ok(t, s.ChainEvents(t.Context(), 3, linksAfter(3, 4, 4), nil))
	s.waits(t, storage.Link{Seq: 4, EventID: id(4), Hash: sum(4)})
}

func chainRaces() []race {
	return []race{
		{"OneChainerGivesAPlace", "ChainEvents", raceChain},
		{"OneCheckpointIsMadeOfAHead", "ChainEvents", raceCheckpoint},
		{"ACheckpointIsResealedOnce", "ResealCheckpoint", raceResealCheckpoint},
		{"EachStretchOfTheChainIsSweptOnce", "SweepExpired", raceSweepChain},
	}
}

// raceChain: of three events contenders want the first two, in one order or the other, and the last two.
func raceChain(t *testing.T, s *subject) {
	const rounds = 5
	s.logged(t, 1, 3*rounds)
	for round := range rounds {
		head := int64(2 * round)
		s.oneWins(t, storage.ErrMoved, func(i int) error {
			first := 3*round + 1 + i%3/2
			links := linksAfter(head, first, first+1)
			if i%3 == 1 {
				links[0].EventID, links[1].EventID = links[1].EventID, links[0].EventID
			}
			return s.ChainEvents(t.Context(), head, links, checkpoint(head+2))
		})
	}
	s.stands(t, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []int64{2, 4, 6, 8, 10})
}

func raceCheckpoint(t *testing.T, s *subject) {
	s.logged(t, 1, 2)
	ok(t, s.ChainEvents(t.Context(), 0, linksAfter(0, 1, 2), nil))
	s.oneWins(t, storage.ErrMoved, func(int) error { return s.ChainEvents(t.Context(), 2, nil, checkpoint(2)) })
	s.stands(t, []int64{1, 2}, []int64{2})
}

func raceResealCheckpoint(t *testing.T, s *subject) {
	s.logged(t, 1, 1)
	s.chain(t, 1, 1)
	won := s.oneWins(t, storage.ErrMoved, func(i int) error {
		return s.ResealCheckpoint(t.Context(), 1, checkpoint(1).Sealed, fmt.Appendf(nil, "seal %d", i))
	})
	found, _, err := s.ListCheckpoints(t.Context(), 0, 10)
	ok(t, err)
	if string(found[0].Sealed) != fmt.Sprint("seal ", won) {
		t.Fatalf("contender %d won, and the seal is %q", won, found[0].Sealed)
	}
}

func raceSweepChain(t *testing.T, s *subject) {
	for n := range 20 {
		s.aged(t, 5*n+1, 5*n+5)
	}
	var swept atomic.Int64
	sweep := func(int) error {
		for range 20 {
			n, err := s.SweepExpired(t.Context(), 7, 0, time.Second)
			swept.Add(int64(n))
			if err != nil || n == 0 {
				return err
			}
		}
		return nil
	}
	allOK(t, together(t, 8, nil, sweep))
	ok(t, sweep(0))
	if swept.Load() != 100+19 {
		t.Fatalf("%d rows swept, want the 100 events and all checkpoints but the last", swept.Load())
	}
	s.stands(t, nil, []int64{100})
}
