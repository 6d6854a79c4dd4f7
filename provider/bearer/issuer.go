package bearer

import (
	"context"
	"sync"
	"time"
)

const (
	minFresh = 10 * time.Second // also the least time between two requests for the key set
	maxFresh = time.Hour        // a revoked key is not accepted for longer
	maxStale = 24 * time.Hour   // how long keys serve where the issuer cannot be reached
	firstTry = time.Second      // between two requests while there is no key set yet
)

// issuer is what is known of the issuer: its keys, and where it introspects.
type issuer struct {
	config Config

	mu      sync.Mutex
	known   *known
	flight  *flight
	tried   time.Time // when the last flight began
	failure error     // of the last flight
}

// known is what one flight brought. It does not change.
type known struct {
	keys          map[string]key // by kid
	introspection string         // the introspection_endpoint; "": there is none
	fresh, usable time.Time      // until when
}

// flight is one request for the key set, for all that wait for it.
type flight struct {
	done  chan struct{}
	known *known
	err   error
}

// key returns the key of that name. Errors are *Error: invalid_token where the issuer has none, temporarily_unavailable where it
// cannot be asked.
func (i *issuer) key(ctx context.Context, kid string) (key, error) {
	if kid == "" {
		return key{}, invalid(notOurs, errKID)
	}
	k, err := i.current(ctx)
	if err != nil {
		return key{}, err
	}
	if found, ok := k.keys[kid]; ok {
		return found, nil
	}
	if k, err = i.newer(ctx, k); err != nil {
		return key{}, err
	}
	if found, ok := k.keys[kid]; ok {
		return found, nil
	}
	return key{}, invalid(notOurs, errKID)
}

// current returns what is known, and fetches it where it is no longer fresh. While the issuer cannot be reached it is asked in
// the background, and nobody waits for what is still usable.
func (i *issuer) current(ctx context.Context) (*known, error) {
	i.mu.Lock()
	now := i.config.Clock()
	k, failure := i.known, i.failure
	if k != nil && now.Before(k.fresh) {
		i.mu.Unlock()
		return k, nil
	}
	f := i.ask(now)
	i.mu.Unlock()
	usable := k != nil && now.Before(k.usable)
	if usable && (f == nil || failure != nil) {
		return k, nil
	}
	if f == nil {
		return nil, unavailable(failure)
	}
	newer, err := f.wait(ctx)
	if err != nil && usable {
		return k, nil
	}
	return newer, err
}

// newer returns what is known after k, in which something was missing. k itself comes back where it was asked for a moment ago.
func (i *issuer) newer(ctx context.Context, k *known) (*known, error) {
	i.mu.Lock()
	if i.known != k {
		k = i.known
		i.mu.Unlock()
		return k, nil
	}
	f, failure := i.ask(i.config.Clock()), i.failure
	i.mu.Unlock()
	if f != nil {
		return f.wait(ctx)
	}
	if failure != nil {
		return nil, unavailable(failure)
	}
	return k, nil
}

// ask returns the flight that is under way, or begins one; nil where the last one began a moment ago. It is called with the lock
// held.
func (i *issuer) ask(now time.Time) *flight {
	if i.flight != nil {
		return i.flight
	}
	pause := minFresh
	if i.known == nil {
		pause = firstTry
	}
	// A clock that was put back does not hold us up: it cannot be told from a long time.
	if since := now.Sub(i.tried); since >= 0 && since < pause {
		return nil
	}
	i.tried = now
	i.flight = &flight{done: make(chan struct{})}
	go i.land(i.flight)
	return i.flight
}

// land ends a flight. It goes by a deadline of its own: who began it may leave, and others wait.
func (i *issuer) land(f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), requestDeadline)
	defer cancel()
	f.known, f.err = fetch(ctx, i.config)
	if f.err != nil {
		i.config.Logger.Warn("the issuer's keys could not be fetched; those that are there serve on for a day", "issuer", i.config.Issuer, "error", f.err)
	}
	i.mu.Lock()
	if i.failure = f.err; f.err == nil {
		i.known = f.known
	}
	i.flight = nil
	i.mu.Unlock()
	close(f.done)
}

func (f *flight) wait(ctx context.Context) (*known, error) {
	select {
	case <-f.done:
		if f.err != nil {
			return nil, unavailable(f.err)
		}
		return f.known, nil
	case <-ctx.Done():
		return nil, unavailable(ctx.Err())
	}
}
