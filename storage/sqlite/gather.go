package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signet-idp/signet/storage"
)

// The bounds of gathering. A full queue means that the disk cannot keep up: further writes are refused at once.
const (
	maxBatch = 256
	maxQueue = 4096
)

var (
	errClosed   = errors.New("the store is closed")
	errOverload = fmt.Errorf("%d writes are waiting already", maxQueue)
)

// tx is the transaction that a write runs in; now is the store's clock, one instant for the whole batch.
type tx struct {
	*session
	now time.Time
}

// write is one caller's act, waiting for its commit.
type write struct {
	what    string
	run     func(*tx) error
	claimed atomic.Bool // set once: by the writer that takes it up, or by the caller that stops waiting for that
	done    chan error
	err     error // the writer's own note between run and commit
}

// gatherer is the one writer. While a commit is under way the next writes wait together, and then run in one transaction,
// each within its own savepoint, so that one that fails takes nothing with it. Nobody is answered before the commit is
// durable: not even those that failed, for what they saw may have been their neighbour's uncommitted write.
type gatherer struct {
	session *session
	clock   func() time.Time
	queue   chan *write
	drained chan struct{}
	commits atomic.Int64

	mu     sync.RWMutex // held for reading while a write is put in the queue
	closed bool
}

func newGatherer(c *session, clock func() time.Time) *gatherer {
	g := &gatherer{session: c, clock: clock, queue: make(chan *write, maxQueue), drained: make(chan struct{})}
	go g.work()
	return g
}

// write queues run and waits for its commit. When ctx ends first the caller stops waiting, and the batch goes on.
func (g *gatherer) write(ctx context.Context, what string, run func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(what, err)
	}
	w := &write{what: what, run: run, done: make(chan error, 1)}
	if err := g.submit(w); err != nil {
		return unavailable(what, err)
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
	}
	if w.claimed.CompareAndSwap(false, true) {
		return unavailable(what, ctx.Err())
	}
	select {
	case err := <-w.done:
		return err
	default:
		return fmt.Errorf("%s: %w: %w", what, storage.ErrUnknown, ctx.Err())
	}
}

func (g *gatherer) submit(w *write) error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.closed {
		return errClosed
	}
	select {
	case g.queue <- w:
		return nil
	default:
		return errOverload
	}
}

// close refuses further writes, waits for those that are queued, and lets go of the connection.
func (g *gatherer) close() error {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.queue)
	}
	g.mu.Unlock()
	<-g.drained
	return g.session.drop()
}

func (g *gatherer) work() {
	defer close(g.drained)
	batch := make([]*write, 0, maxBatch)
	for w := range g.queue {
		batch = g.gather(append(batch[:0], w))
		if len(batch) > 0 {
			g.commit(batch)
		}
		clear(batch)
	}
}

// gather takes up what waits, without waiting for more, and leaves out whose caller has gone.
func (g *gatherer) gather(batch []*write) []*write {
	if !batch[0].claimed.CompareAndSwap(false, true) {
		batch = batch[:0]
	}
	for len(batch) < maxBatch {
		select {
		case w, open := <-g.queue:
			if !open {
				return batch
			}
			if w.claimed.CompareAndSwap(false, true) {
				batch = append(batch, w)
			}
		default:
			return batch
		}
	}
	return batch
}

// commit runs the batch and answers everybody in it.
func (g *gatherer) commit(batch []*write) {
	fate := g.transact(batch)
	for _, w := range batch {
		switch {
		case fate == nil:
			w.done <- failed(w.what, w.err)
		case w.err != nil: // whatever became of the batch, this one was not part of it
			w.done <- fmt.Errorf("%s: %w: %v", w.what, storage.ErrUnavailable, fate)
		case errors.Is(fate, storage.ErrUnknown):
			w.done <- fmt.Errorf("%s: %w", w.what, fate)
		default:
			w.done <- failed(w.what, fate)
		}
	}
}

// transact returns what became of the batch as a whole; each write's own outcome is in its err. An error other than
// ErrUnknown means that nothing was written.
func (g *gatherer) transact(batch []*write) error {
	c := g.session
	if _, err := c.exec("BEGIN IMMEDIATE"); err != nil {
		if !busy(err) {
			err = errors.Join(err, c.drop())
		}
		return unavailable("begin", err)
	}
	written, err := g.runAll(&tx{session: c, now: instant(g.clock)}, batch)
	if err == nil && written {
		if _, err = c.exec("COMMIT"); err == nil {
			g.commits.Add(1)
			return nil
		}
		err = uncommitted("commit", err)
	}
	if _, end := c.exec("ROLLBACK"); end != nil { // SQLite has rolled back by itself, or the connection is gone
		if drop := c.drop(); err != nil {
			err = errors.Join(err, drop)
		}
	}
	return err
}

// runAll runs each write and reports whether any succeeded. An error means that the transaction itself is lost.
func (g *gatherer) runAll(t *tx, batch []*write) (written bool, err error) {
	if len(batch) == 1 { // the transaction is its savepoint
		batch[0].err = batch[0].run(t)
		return batch[0].err == nil, nil
	}
	for _, w := range batch {
		if _, err := t.exec("SAVEPOINT one"); err != nil {
			return false, unavailable("savepoint", err)
		}
		if w.err = w.run(t); w.err == nil {
			written = true
		} else if _, err := t.exec("ROLLBACK TO one"); err != nil {
			return false, unavailable("roll back to savepoint", errors.Join(w.err, err))
		}
		if _, err := t.exec("RELEASE one"); err != nil {
			return false, unavailable("release savepoint", err)
		}
	}
	return written, nil
}

// writeFor is write for acts that answer with more than success. The value is handed over with the commit, so that a caller
// who left early shares nothing with the writer.
func writeFor[T any](ctx context.Context, s *Store, what string, run func(*tx) (T, error)) (T, error) {
	var out, none T
	err := s.writer.write(ctx, what, func(t *tx) (err error) {
		out, err = run(t)
		return err
	})
	if err != nil {
		return none, err
	}
	return out, nil
}

// write is the door for all acts that answer with success alone.
func (s *Store) write(ctx context.Context, what string, run func(*tx) error) error {
	return s.writer.write(ctx, what, run)
}
