package throttle

import (
	"context"
	"time"
)

// The buckets of client id documents that nobody here has used yet. What all of them let through, each as slow as a request to the
// outside may be, keeps less than a third of the outbound client busy.
const (
	documentBurst, documentEvery   = 20, 2 * time.Second        // for one network
	neighbourBurst, neighbourEvery = 40, time.Second            // for one site
	lookBurst, lookEvery           = 60, 500 * time.Millisecond // for everybody
)

// Document takes one attempt to have a client id document read: anybody can name one, and each costs a request to the outside. Errors
// are those of SignIn.
func (l *Limiter) Document(ctx context.Context, caller Caller) error {
	_, err := l.take(ctx,
		bucket("document address", Network(caller.Address), Limit{documentBurst, documentEvery}),
		bucket("document site", site(caller.Address), Limit{neighbourBurst, neighbourEvery}),
		bucket("document all", "", Limit{lookBurst, lookEvery}),
	)
	return manyRequests(err)
}
