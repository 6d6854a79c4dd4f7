package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func attemptPromises() []promise {
	return []promise{
		{"ABucketGivesItsBurstAndThenOnePerInterval", bucketGivesBurst},
		{"TheWaitIsExact", waitIsExact},
		{"AnIdleBucketHoldsNoMoreThanItsBurst", idleBucketHoldsBurst},
		{"SeveralBucketsGiveTogetherOrNotAtAll", bucketsGiveTogether},
		{"AReturnedTokenServesAgain", returnedTokenServes},
		{"ReturnsNeverFillABucketBeyondItsBurst", returnsStopAtBurst},
		{"BucketsAreToldApartByEveryByte", bucketsApart},
		{"AClockSetBackLeavesNoBucketEmptyForLong", bucketClockBack},
	}
}

func bucket(name string, burst int, every time.Duration) storage.Take {
	return storage.Take{Key: digest(name), Burst: burst, Every: every}
}

// takes asserts what taking one token from each bucket answers.
func (s *subject) takes(t *testing.T, want time.Duration, from ...storage.Take) {
	t.Helper()
	wait, err := s.TakeAttempts(t.Context(), from)
	ok(t, err)
	if wait != want {
		t.Fatalf("wait %v, want %v", wait, want)
	}
}

func bucketGivesBurst(t *testing.T, s *subject) {
	b := bucket("a", 5, 30*time.Second)
	for range 5 {
		s.takes(t, 0, b)
	}
	for range 3 { // being refused costs nothing
		s.takes(t, 30*time.Second, b)
	}
	for range 4 {
		s.clock.Advance(30 * time.Second)
		s.takes(t, 0, b)
		s.takes(t, 30*time.Second, b)
	}
	s.clock.Advance(75 * time.Second)
	s.takes(t, 0, b)
	s.takes(t, 0, b)
	s.takes(t, 15*time.Second, b)
	s.takes(t, 0)
}

func waitIsExact(t *testing.T, s *subject) {
	b := bucket("a", 1, 30*time.Second)
	s.takes(t, 0, b)
	s.clock.Advance(12_345_678 * time.Microsecond)
	s.takes(t, 17_654_322*time.Microsecond, b)
	s.clock.Advance(17_654_321 * time.Microsecond)
	s.takes(t, time.Microsecond, b)
	s.clock.Advance(time.Microsecond)
	s.takes(t, 0, b)
	// The node's clock may be finer than the store's; a wait of nothing would mean that the token was taken.
	s.clock.Advance(30*time.Second - 400*time.Nanosecond)
	if wait, err := s.TakeAttempts(t.Context(), []storage.Take{b}); err != nil || wait < 0 || wait > time.Microsecond {
		t.Fatalf("wait %v, error %v, want at most a microsecond", wait, err)
	}
}

func idleBucketHoldsBurst(t *testing.T, s *subject) {
	b := bucket("a", 3, time.Second)
	for range 3 {
		s.takes(t, 0, b)
	}
	s.clock.Advance(1000 * time.Hour)
	for range 3 {
		s.takes(t, 0, b)
	}
	s.takes(t, time.Second, b)
}

func bucketsGiveTogether(t *testing.T, s *subject) {
	a, b, c := bucket("a", 2, 10*time.Second), bucket("b", 1, time.Minute), bucket("c", 1, 7*time.Second)
	s.takes(t, 0, a, b)
	s.takes(t, time.Minute, a, b)
	s.takes(t, time.Minute, b, a, c)
	s.takes(t, 0, c)
	s.takes(t, time.Minute, c, b)
	s.takes(t, 0, a) // the refusals took nothing from it
	s.takes(t, 10*time.Second, a, c)
	s.clock.Advance(10 * time.Second)
	s.takes(t, 0, c, a)
}

func returnedTokenServes(t *testing.T, s *subject) {
	ctx := t.Context()
	a, b := bucket("a", 2, 10*time.Second), bucket("b", 2, 20*time.Second)
	s.takes(t, 0, a, b)
	s.takes(t, 0, a, b)
	s.takes(t, 20*time.Second, a, b)
	ok(t, s.ReturnAttempts(ctx, []storage.Take{a, b}))
	s.takes(t, 0, b, a)
	s.takes(t, 10*time.Second, a)
	s.clock.Advance(3 * time.Second)
	ok(t, s.ReturnAttempts(ctx, []storage.Take{a}))
	s.takes(t, 0, a)
	s.takes(t, 7*time.Second, a)
	ok(t, s.ReturnAttempts(ctx, nil))
}

func returnsStopAtBurst(t *testing.T, s *subject) {
	b := bucket("a", 5, time.Minute)
	for range 3 {
		s.takes(t, 0, b)
	}
	for range 10 {
		ok(t, s.ReturnAttempts(t.Context(), []storage.Take{b, bucket("never used", 1, time.Minute)}))
	}
	for range 5 {
		s.takes(t, 0, b)
	}
	s.takes(t, time.Minute, b)
	s.takes(t, 0, bucket("never used", 1, time.Minute))
	s.takes(t, time.Minute, bucket("never used", 1, time.Minute))
}

func bucketsApart(t *testing.T, s *subject) {
	for i := range len(storage.Digest{}) {
		key := storage.Digest{}
		key[i] = 0x80
		s.takes(t, 0, storage.Take{Key: key, Burst: 1, Every: time.Hour})
	}
	s.takes(t, 0, storage.Take{Burst: 1, Every: time.Hour})
	s.takes(t, time.Hour, storage.Take{Burst: 1, Every: time.Hour})
}

func bucketClockBack(t *testing.T, s *subject) {
	b := bucket("a", 2, time.Second)
	s.takes(t, 0, b)
	s.clock.Advance(-2 * time.Second)
	s.takes(t, 2*time.Second, b)
	s.clock.Advance(-time.Minute)
	for range 2 {
		s.takes(t, 0, b)
	}
	s.takes(t, time.Second, b)
	s.clock.Advance(time.Minute)
	s.takes(t, 0, b)
}
