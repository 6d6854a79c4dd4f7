package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/signet-idp/signet/storage"
)

// gather makes one statement of the calls of many callers. While its batches are under way the next calls wait together; a
// call that finds a batch free goes at once and alone, so that an idle server adds no delay.
type gather[Q, R any] struct {
	store  *Store
	run    func(ctx context.Context, batch []*call[Q, R]) // finishes every call of the batch, sooner or later
	once   func(Q) any                                    // what must not be in a batch twice; nil: anything may
	spare  int                                            // batches that may still be begun
	queued []*call[Q, R]
	mu     sync.Mutex // guards spare and queued
}

// call is one caller's part of a batch.
type call[Q, R any] struct {
	query Q
	store *Store
	done  chan struct{} // closed when value and err are there
	value R
	err   error

	claimed atomic.Bool // set once: by the batch that takes it up, or by the caller that stops waiting for that
}

func (c *call[Q, R]) finish(value R, err error) {
	c.value, c.err = value, err
	close(c.done)
	c.store.end()
}

func newGather[Q, R any](s *Store, batches int, once func(Q) any, run func(context.Context, []*call[Q, R])) *gather[Q, R] {
	return &gather[Q, R]{store: s, run: run, once: once, spare: batches}
}

// do hands query to the next batch and waits for its answer as long as ctx allows; lost says what is known of the outcome then.
func (g *gather[Q, R]) do(ctx context.Context, lost error, query Q) (R, error) {
	var none R
	if err := ctx.Err(); err != nil {
		return none, fmt.Errorf("%w: postgres: not begun: %w", storage.ErrUnavailable, err)
	}
	if err := g.store.begin(); err != nil {
		return none, err
	}
	c := &call[Q, R]{query: query, store: g.store, done: make(chan struct{})}
	g.mu.Lock()
	g.queued = append(g.queued, c)
	if g.spare > 0 {
		g.spare--
		go g.work()
	}
	g.mu.Unlock()
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
	}
	if c.claimed.CompareAndSwap(false, true) { // in no batch yet: it will be in none
		g.store.end()
		return none, fmt.Errorf("%w: postgres: not begun: %w", storage.ErrUnavailable, ctx.Err())
	}
	return none, fmt.Errorf("%w: postgres: the caller left: %w", lost, ctx.Err())
}

// work runs batches until nobody waits.
func (g *gather[Q, R]) work() {
	for batch := g.next(); batch != nil; batch = g.next() {
		g.run(context.Background(), batch)
	}
}

// next takes a batch off the queue, or gives the worker back where there is none to take. Calls whose caller has gone are
// dropped: while the database does not answer the queue would grow without end, and be worked off for nobody.
func (g *gather[Q, R]) next() []*call[Q, R] {
	g.mu.Lock()
	defer g.mu.Unlock()
	var batch, later []*call[Q, R]
	taken := map[any]bool{}
	for i, c := range g.queued {
		if len(batch) == batchSize {
			later = append(later, g.queued[i:]...)
			break
		}
		var key any
		if g.once != nil {
			if key = g.once(c.query); taken[key] {
				later = append(later, c)
				continue
			}
		}
		if c.claimed.CompareAndSwap(false, true) {
			batch, taken[key] = append(batch, c), true
		}
	}
	g.queued = later
	if batch == nil {
		g.spare++
	}
	return batch
}
