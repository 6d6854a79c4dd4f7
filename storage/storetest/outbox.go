package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func outboxPromises() []promise {
	return []promise{
		{"AClaimedLetterIsWholeAndHidden", claimHides},
		{"ALetterComesBackWhenItsLeaseEnds", leaseEnds},
		{"ClaimsKeepToTheLimit", claimLimit},
		{"AFinishedLetterIsGone", finishRemoves},
		{"ARetriedLetterIsDueAfterItsWait", retryWaits},
		{"AStaleAttemptChangesNothing", staleAttempt},
		{"LettersWithoutAnIDGetOne", letterIDs},
		{"ASplitLetterIsReplacedByOthersThatAreDueAtOnce", splitReplaces},
		{"AStaleAttemptSplitsNothing", staleSplit},
		{"ALetterThatCannotBeStoredSplitsNothing", splitUndone},
	}
}

// post puts letters into the outbox.
func (s *subject) post(t *testing.T, letters ...storage.Letter) {
	t.Helper()
	c := bareClient(fmt.Sprint("post ", letters))
	ok(t, s.CreateClient(t.Context(), c, storage.Also{Letters: letters}))
}

func (s *subject) claim(t *testing.T, limit int, lease time.Duration) []storage.Letter {
	t.Helper()
	letters, err := s.ClaimLetters(t.Context(), limit, lease)
	ok(t, err)
	return letters
}

// claimOne claims the only letter that is due.
func (s *subject) claimOne(t *testing.T, lease time.Duration) storage.Letter {
	t.Helper()
	letters := s.claim(t, 10, lease)
	if len(letters) != 1 {
		t.Fatalf("%d letters are due, want 1", len(letters))
	}
	return letters[0]
}

func (s *subject) nothingDue(t *testing.T) {
	t.Helper()
	if letters := s.claim(t, 10, time.Minute); len(letters) != 0 {
		t.Fatalf("letters are due: %+v", letters)
	}
}

func claimHides(t *testing.T, s *subject) {
	s.nothingDue(t)
	full := fullLetter(1)
	bare := storage.Letter{ID: id(2)}
	for _, letter := range []storage.Letter{full, bare} {
		given := letter
		given.Attempt, given.CreatedAt = 42, start.Add(time.Hour) // the store's to say
		s.post(t, given)
		letter.Attempt, letter.CreatedAt = 1, start
		same(t, letter, s.claimOne(t, time.Minute))
		s.nothingDue(t)
	}
	full.Attempt, full.CreatedAt = 1, start
	wholeRecord(t, full)
}

func leaseEnds(t *testing.T, s *subject) {
	s.post(t, fullLetter(1))
	for attempt := 1; attempt <= 5; attempt++ {
		if letter := s.claimOne(t, time.Minute); letter.Attempt != attempt {
			t.Fatalf("attempt %d, want %d", letter.Attempt, attempt)
		}
		s.clock.Advance(time.Minute - time.Microsecond)
		s.nothingDue(t)
		s.clock.Advance(time.Microsecond)
	}
}

func claimLimit(t *testing.T, s *subject) {
	for n := range 7 {
		s.post(t, fullLetter(n+1))
	}
	seen := map[storage.ID]bool{}
	for _, want := range []int{3, 3, 1, 0} {
		letters := s.claim(t, 3, time.Minute)
		if len(letters) != want {
			t.Fatalf("%d letters claimed, want %d", len(letters), want)
		}
		for _, letter := range letters {
			seen[letter.ID] = true
		}
	}
	if len(seen) != 7 {
		t.Fatalf("%d different letters, want 7", len(seen))
	}
}

func finishRemoves(t *testing.T, s *subject) {
	s.post(t, fullLetter(1), fullLetter(2))
	letters := s.claim(t, 2, time.Minute)
	ok(t, s.FinishLetter(t.Context(), letters[0].ID, letters[0].Attempt))
	ok(t, s.FinishLetter(t.Context(), letters[0].ID, letters[0].Attempt))
	ok(t, s.FinishLetter(t.Context(), id(99), 1))
	s.clock.Advance(time.Hour)
	if left := s.claimOne(t, time.Minute); left.ID != letters[1].ID {
		t.Fatalf("letter %s is left, want %s", left.ID, letters[1].ID)
	}
}

func retryWaits(t *testing.T, s *subject) {
	s.post(t, fullLetter(1))
	for attempt, wait := range []time.Duration{time.Second, 24 * time.Hour, time.Microsecond} {
		letter := s.claimOne(t, 10*time.Minute)
		if letter.Attempt != attempt+1 {
			t.Fatalf("attempt %d, want %d", letter.Attempt, attempt+1)
		}
		s.clock.Advance(time.Second)
		ok(t, s.RetryLetter(t.Context(), letter.ID, letter.Attempt, wait))
		s.clock.Advance(wait - time.Microsecond)
		s.nothingDue(t)
		s.clock.Advance(time.Microsecond)
	}
	ok(t, s.RetryLetter(t.Context(), id(99), 1, time.Second))
}

func staleAttempt(t *testing.T, s *subject) {
	ctx := t.Context()
	s.post(t, fullLetter(1))
	old := s.claimOne(t, time.Minute)
	s.clock.Advance(time.Minute)
	newest := s.claimOne(t, time.Minute)
	ok(t, s.FinishLetter(ctx, old.ID, old.Attempt))
	ok(t, s.FinishLetter(ctx, old.ID, newest.Attempt+1))
	ok(t, s.RetryLetter(ctx, old.ID, old.Attempt, time.Microsecond))
	ok(t, s.RetryLetter(ctx, old.ID, 0, time.Microsecond))
	s.clock.Advance(time.Minute - time.Microsecond)
	s.nothingDue(t)
	s.clock.Advance(time.Microsecond)
	if again := s.claimOne(t, time.Minute); again.Attempt != 3 {
		t.Fatalf("attempt %d, want 3", again.Attempt)
	}
}

func letterIDs(t *testing.T, s *subject) {
	s.post(t, storage.Letter{Kind: "a"}, storage.Letter{Kind: "b"})
	letters := s.claim(t, 10, time.Minute)
	if len(letters) != 2 || letters[0].ID == letters[1].ID || letters[0].ID.IsZero() || letters[1].ID.IsZero() {
		t.Fatalf("letters: %+v", letters)
	}
}

func splitReplaces(t *testing.T, s *subject) {
	s.post(t, fullLetter(1), fullLetter(9))
	letters := s.claim(t, 2, time.Hour)
	s.clock.Advance(time.Second)
	parts := []storage.Letter{fullLetter(2), fullLetter(3)}
	parts[0].Attempt, parts[1].CreatedAt = 7, start.Add(time.Hour) // the store's to say
	ok(t, s.SplitLetter(t.Context(), letters[0].ID, letters[0].Attempt, parts))
	got := s.claim(t, 10, time.Hour)
	for n := range parts {
		parts[n].Attempt, parts[n].CreatedAt = 1, start.Add(time.Second)
	}
	same(t, parts, got)

	ok(t, s.SplitLetter(t.Context(), letters[1].ID, letters[1].Attempt, nil)) // into none
	for _, part := range got {
		ok(t, s.FinishLetter(t.Context(), part.ID, part.Attempt))
	}
	s.clock.Advance(2 * time.Hour)
	s.nothingDue(t)
}

func staleSplit(t *testing.T, s *subject) {
	ctx, parts := t.Context(), []storage.Letter{fullLetter(2)}
	ok(t, s.SplitLetter(ctx, id(99), 1, parts))
	s.post(t, fullLetter(1))
	old := s.claimOne(t, time.Minute)
	s.clock.Advance(time.Minute)
	newest := s.claimOne(t, time.Minute)
	ok(t, s.SplitLetter(ctx, old.ID, old.Attempt, parts))
	ok(t, s.SplitLetter(ctx, old.ID, newest.Attempt+1, parts))
	s.nothingDue(t)
	s.clock.Advance(time.Minute)
	if again := s.claimOne(t, time.Minute); again.ID != old.ID || again.Attempt != 3 {
		t.Fatalf("letter %s at attempt %d is due, want %s at 3", again.ID, again.Attempt, old.ID)
	}
}

func splitUndone(t *testing.T, s *subject) {
	s.post(t, fullLetter(1))
	claimed := s.claimOne(t, time.Minute)
	parts := []storage.Letter{fullLetter(2), fullLetter(3), fullLetter(2)}
	if err := s.SplitLetter(t.Context(), claimed.ID, claimed.Attempt, parts); err == nil {
		t.Fatal("one ID was stored twice")
	}
	s.nothingDue(t)
	s.clock.Advance(time.Minute)
	if again := s.claimOne(t, time.Minute); again.ID != claimed.ID {
		t.Fatalf("letter %s is due, want %s", again.ID, claimed.ID)
	}
}
