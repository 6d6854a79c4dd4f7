package throttle

import (
	"context"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// The buckets of the front door. They bound what those who proved nothing may leave here, or guess; ordinary use never empties them.
const (
	pushBurst, pushEvery     = 120, 500 * time.Millisecond // pushed requests from one address
	deviceBurst, deviceEvery = 60, time.Second             // device codes asked for from one address
	flowBurst, flowEvery     = 600, 50 * time.Millisecond  // device codes asked for by one client
	codeBurst, codeEvery     = 5, time.Minute              // wrong user codes in one session
	sourceBurst, sourceEvery = 30, 10 * time.Second        // wrong user codes from one address
)

// Push takes one attempt for a pushed authorization request of a client that proved nothing. Errors are those of SignIn.
func (l *Limiter) Push(ctx context.Context, caller Caller) error {
	_, err := l.take(ctx, bucket("push address", Network(caller.Address), Limit{pushBurst, pushEvery}))
	return manyRequests(err)
}

// DeviceCode takes one attempt for a device code (RFC 8628 §3.1): of the client, and of the address too where caller has no ClientID,
// since then the client proved nothing. Errors are those of SignIn.
func (l *Limiter) DeviceCode(ctx context.Context, clientID string, caller Caller) error {
	takes := []storage.Take{bucket("device client", clientID, Limit{flowBurst, flowEvery})}
	if caller.ClientID == "" {
		takes = append(takes, bucket("device address", Network(caller.Address), Limit{deviceBurst, deviceEvery}))
	}
	_, err := l.take(ctx, takes...)
	return manyRequests(err)
}

// UserCode takes one attempt for a user code that a person types (RFC 8628 §5.1), which is given back when there is such a code.
// Errors are those of SignIn.
func (l *Limiter) UserCode(ctx context.Context, session storage.ID, caller Caller) (*Ticket, error) {
	return l.take(ctx,
		bucket("user code session", session.String(), Limit{codeBurst, codeEvery}),
		bucket("user code address", Network(caller.Address), Limit{sourceBurst, sourceEvery}),
	)
}

// manyRequests words slow_down for those who failed at nothing.
func manyRequests(err error) error {
	e := oauth.As(err)
	if e == nil || e.Code != oauth.SlowDown {
		return err
	}
	e = e.Because(err)
	e.Description = "too many requests; try again after the time that Retry-After names"
	return e
}
