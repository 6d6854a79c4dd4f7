package postgres

import (
	"context"
	"fmt"
	"sync"

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
		return none, fmt.Errorf("%w: postgres: the caller left: %w", lost, ctx.Err())
	}
}

// work runs batches until nobody waits.
func (g *gather[Q, R]) work() {
	for batch := g.next(); batch != nil; batch = g.next() {
		g.run(context.Background(), batch)
	}
}

// next takes a batch off the queue, or gives the worker back where there is none to take.
func (g *gather[Q, R]) next() []*call[Q, R] {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.queued) == 0 {
		g.spare++
		return nil
	}
	if g.once == nil {
		n := min(len(g.queued), batchSize)
		batch := g.queued[:n:n]
		g.queued = g.queued[n:]
		return batch
	}
	taken := make(map[any]bool, min(len(g.queued), batchSize))
	var batch, later []*call[Q, R]
	for _, c := range g.queued {
		if key := g.once(c.query); len(batch) < batchSize && !taken[key] {
			taken[key] = true
			batch = append(batch, c)
		} else {
			later = append(later, c)
		}
	}
	g.queued = later
	return batch
}
