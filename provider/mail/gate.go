package mail

import (
	"context"
	"errors"
	"sync"
	"time"
)

// What one mail server is asked for.
const (
	atOnce    = 4                // conversations
	turnWait  = 15 * time.Second // how long a letter waits for its turn, before it goes back into the outbox
	firstRest = 30 * time.Second // how long a server that failed is left alone; doubled each time
	lastRest  = 5 * time.Minute
)

var (
	// errResting: the server failed and is left alone; nothing was tried.
	errResting = errors.New("mail: the server failed and is left alone for a while")
	// errBusy: others were before it for too long; nothing was tried.
	errBusy = errors.New("mail: too many mails are under way")
)

// gate lets few conversations with the server go on at once, and none for a while after it failed, so that a server which hangs keeps
// the rest of the outbox waiting rarely.
type gate struct {
	turns chan struct{}
	clock func() time.Time

	mu       sync.Mutex
	failures int // of the server, without a success between
	rests    time.Time
}

func newGate(clock func() time.Time) *gate {
	return &gate{turns: make(chan struct{}, atOnce), clock: clock}
}

// enter waits for a turn. Who gets one must leave.
func (g *gate) enter(ctx context.Context) error {
	if g.resting() {
		return errResting
	}
	patience := time.NewTimer(turnWait)
	defer patience.Stop()
	select {
	case g.turns <- struct{}{}:
	case <-patience.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
	if g.resting() { // it failed meanwhile
		<-g.turns
		return errResting
	}
	return nil
}

func (g *gate) resting() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.clock().Before(g.rests)
}

// leave gives the turn back. hostFailed: it was the server that failed, and not one mail.
func (g *gate) leave(hostFailed bool) {
	<-g.turns
	g.mu.Lock()
	defer g.mu.Unlock()
	if !hostFailed {
		g.failures, g.rests = 0, time.Time{}
		return
	}
	now := g.clock()
	if now.Before(g.rests) {
		return // one of those that were under way when the first failed
	}
	g.rests = now.Add(min(firstRest<<min(g.failures, 8), lastRest))
	g.failures++
}
