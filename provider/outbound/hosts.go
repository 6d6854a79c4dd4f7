package outbound

import (
	"context"
	"sync"
	"time"
)

// What one host, and all of them, may hold up.
const (
	perHost   = 4  // requests at once to one host
	inAll     = 32 // requests at once
	failLimit = 3  // failures in a row after which a host is left alone
	rest      = 30 * time.Second
	manyHosts = 1024 // from so many on, those that nobody waits for are forgotten
)

// hosts counts what is under way to each host, and what became of it.
type hosts struct {
	clock func() time.Time
	all   chan struct{}

	mu sync.Mutex
	by map[string]*host
}

type host struct {
	slots    chan struct{}
	users    int // who has a slot or waits for one
	failures int // in a row
	until    time.Time
}

func newHosts(clock func() time.Time) *hosts {
	return &hosts{clock: clock, all: make(chan struct{}, inAll), by: map[string]*host{}}
}

// turn is one request's permission to go on.
type turn struct {
	all  *hosts
	host *host
}

// take waits until the host has room, and then until there is room at all: who waits for a slow host holds nobody else up. Errors:
// ErrResting, ctx's own.
func (h *hosts) take(ctx context.Context, name string) (turn, error) {
	t := turn{h, h.find(name)}
	if err := t.enter(ctx); err != nil {
		h.mu.Lock()
		t.host.users--
		h.mu.Unlock()
		return turn{}, err
	}
	return t, nil
}

func (h *hosts) find(name string) *host {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.by[name]
	if one == nil {
		if len(h.by) >= manyHosts {
			h.forget()
		}
		one = &host{slots: make(chan struct{}, perHost)}
		h.by[name] = one
	}
	one.users++
	return one
}

// forget drops the hosts that nobody uses and that do not rest. The caller holds mu.
func (h *hosts) forget() {
	for name, one := range h.by {
		if one.users == 0 && !h.clock().Before(one.until) {
			delete(h.by, name)
		}
	}
}

func (t turn) enter(ctx context.Context) error {
	select {
	case t.host.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	// Asked only now: those that waited learn what became of those before them.
	if t.resting() {
		<-t.host.slots
		return ErrResting
	}
	select {
	case t.all.all <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-t.host.slots
		return ctx.Err()
	}
}

// resting reports whether the host is left alone. When its rest is over one request tries it, and the others wait for what becomes of
// that.
func (t turn) resting() bool {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	now := t.all.clock()
	if now.Before(t.host.until) {
		return true
	}
	if t.host.failures >= failLimit {
		t.host.until = now.Add(rest)
	}
	return false
}

// done gives the turn back. failed: there was no answer.
func (t turn) done(failed bool) {
	t.all.mu.Lock()
	switch {
	case !failed:
		t.host.failures, t.host.until = 0, time.Time{}
	default:
		if t.host.failures++; t.host.failures >= failLimit {
			t.host.until = t.all.clock().Add(rest)
		}
	}
	t.host.users--
	t.all.mu.Unlock()
	<-t.all.all
	<-t.host.slots
}
