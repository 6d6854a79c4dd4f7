package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func assertionPromises() []promise {
	return []promise{
		{"AnAssertionIsSpentOnceAndNoOtherWithIt", assertionOnce},
		{"ASpentAssertionStaysSpentPastItsEnd", assertionPastItsEnd},
		{"SweepRemovesAssertionsPastTheirEnd", sweepAssertions},
	}
}

func assertionOnce(t *testing.T, s *subject) {
	for _, name := range []string{"a", "b", ""} {
		ok(t, s.SpendAssertion(t.Context(), digest(name), start.Add(time.Minute)))
	}
	ok(t, s.SpendAssertion(t.Context(), storage.Digest{}, start.Add(time.Minute)))
	for _, name := range []string{"a", "b", ""} {
		fails(t, s.SpendAssertion(t.Context(), digest(name), start.Add(time.Hour)), storage.ErrSpent)
	}
}

func assertionPastItsEnd(t *testing.T, s *subject) {
	ok(t, s.SpendAssertion(t.Context(), digest("a"), start.Add(time.Minute)))
	s.clock.Advance(time.Hour)
	fails(t, s.SpendAssertion(t.Context(), digest("a"), start.Add(2*time.Hour)), storage.ErrSpent)
}

func sweepAssertions(t *testing.T, s *subject) {
	for n := range 3 {
		ok(t, s.SpendAssertion(t.Context(), digest(fmt.Sprint(n)), start.Add(time.Hour)))
	}
	ok(t, s.SpendAssertion(t.Context(), digest("late"), start.Add(time.Hour+time.Microsecond)))
	s.clock.Advance(time.Hour + time.Minute)
	s.sweeps(t, 0, 10, time.Minute, 0)
	s.clock.Advance(time.Microsecond)
	s.sweeps(t, 2, 2, time.Minute, 0)
	s.sweeps(t, 1, 2, time.Minute, 0)
	ok(t, s.SpendAssertion(t.Context(), digest("0"), start.Add(3*time.Hour)))
	fails(t, s.SpendAssertion(t.Context(), digest("late"), start.Add(3*time.Hour)), storage.ErrSpent)
}

func raceSpendAssertion(t *testing.T, s *subject) {
	for n := range 5 {
		s.oneWins(t, storage.ErrSpent, func(int) error {
			return s.SpendAssertion(t.Context(), digest(fmt.Sprint(n)), start.Add(time.Hour))
		})
	}
}
