package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// TestWhoLeavesTheQueueLeavesNothingBehind: while the database does not answer, calls wait behind the batch that is under way.
// One whose caller stops waiting is never sent, is known not to have happened, and takes no memory any more.
func TestWhoLeavesTheQueueLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	stuck, answer, sent := make(chan struct{}), make(chan struct{}), make(chan int, 10)
	run := func(_ context.Context, batch []*call[int, int]) {
		for _, c := range batch {
			sent <- c.query
		}
		stuck <- struct{}{}
		<-answer
		for _, c := range batch {
			c.finish(c.query, nil)
		}
	}
	for name, once := range map[string]func(int) any{"anything together": nil, "no query twice": func(n int) any { return n % 2 }} {
		s := &Store{}
		g := newGather(s, 1, once, run)
		first := make(chan error, 1)
		go func() { _, err := g.do(t.Context(), storage.ErrUnknown, 1); first <- err }()
		<-stuck
		for range 1000 {
			left, leave := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
			leave()
			if _, err := g.do(behind{left}, storage.ErrUnknown, 2); !errors.Is(err, storage.ErrUnavailable) {
				t.Fatalf("%s: left while waiting: %v, want ErrUnavailable", name, err)
			}
		}
		last := make(chan error, 1)
		go func() { _, err := g.do(t.Context(), storage.ErrUnknown, 3); last <- err }()
		for waiting := 0; waiting < 1001; {
			g.mu.Lock()
			waiting = len(g.queued)
			g.mu.Unlock()
		}
		answer <- struct{}{}
		<-stuck
		if g.mu.Lock(); len(g.queued) != 0 {
			t.Errorf("%s: %d calls are still queued", name, len(g.queued))
		}
		g.mu.Unlock()
		answer <- struct{}{}
		if err := errors.Join(<-first, <-last); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if a, b := <-sent, <-sent; a != 1 || b != 3 || len(sent) != 0 {
			t.Errorf("%s: %d and %d and %d more were sent, want 1 and 3 alone", name, a, b, len(sent))
		}
		s.work.Wait() // every call was counted out
	}
}

// behind is a context that ends between being asked whether it has, and being waited for.
type behind struct{ context.Context }

func (behind) Err() error { return nil }
