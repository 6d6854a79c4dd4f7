package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/outbound"
)

// The bounds of what is kept of clients' published keys, in this process.
const (
	minKeySetAge = 5 * time.Minute // of a set, whatever its Cache-Control
	maxKeySetAge = 24 * time.Hour
	// staleKeySet is how long the last set lives on beyond its age while no newer one can be had.
	staleKeySet = 24 * time.Hour
	// keySetEvery is the time between two looks at one address: it is anybody who can name a client and a kid that it does not have.
	keySetEvery = time.Minute
	// keySetPatience bounds a look, waiting for its turn and all: who waits for it wants an answer.
	keySetPatience = outbound.Budget + 2*time.Second
	maxKeySets     = 1024
	maxKeySetBytes = 8 << 20 // of all sets
)

var errNoOutbound = errors.New("this server fetches no keys")

// keySets are the key sets that clients publish (jwks_uri): each is fetched when it is first needed, and again when it is old or lacks
// the key in question.
type keySets struct {
	outbound *outbound.Client // nil: nothing is fetched
	clock    func() time.Time

	mu     sync.Mutex
	by     map[string]*keySet // by address
	bytes  int                // of all sets
	rounds int                // how often any was read
}

// keySet is what is known of one address. keySets.mu guards it.
type keySet struct {
	set    []byte        // as keys.PublishedKeySet wrote it; nil: there never was one
	round  int           // which of all reads it is from: two readers of one round read the same
	fresh  time.Time     // until then it is good without a look
	next   time.Time     // when the next look may be
	used   time.Time     // for whom to forget
	flight chan struct{} // closed when the look under way is over; nil: there is none
	err    error         // what the last look failed with
}

func newKeySets(c Config) *keySets {
	return &keySets{outbound: c.Outbound, clock: c.Clock, by: map[string]*keySet{}}
}

// find returns the key set at address and its round. seen is the round in which a key was missing, 0 for none: find then looks again,
// if it is time, and returns that round once more where there is nothing newer. Errors are for the log; ctx's own where it ended first.
func (s *keySets) find(ctx context.Context, address string, seen int) (set []byte, round int, err error) {
	for {
		s.mu.Lock()
		now := s.clock()
		k := s.entry(address, now)
		good := k.set != nil && now.Before(k.fresh.Add(staleKeySet))
		due := !good || k.round == seen || !now.Before(k.fresh)
		resting := now.Before(k.next) && k.next.Sub(now) <= keySetEvery
		flight := k.flight
		switch {
		case !due, flight == nil && resting, flight != nil && good && k.round != seen:
			set, round, err = k.set, k.round, k.err
			s.mu.Unlock()
			if good {
				return set, round, nil
			}
			return nil, 0, fmt.Errorf("jwks_uri: there are no keys, and the last look failed: %w", err)
		case flight == nil:
			k.flight, k.next = make(chan struct{}), now.Add(keySetEvery)
			s.mu.Unlock()
			s.look(ctx, address, k)
			continue
		}
		s.mu.Unlock()
		select {
		case <-flight:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// look fetches the set for all that wait for it. A caller who gives up does not end it.
func (s *keySets) look(ctx context.Context, address string, k *keySet) {
	var set []byte
	var age time.Duration
	err := errors.New("the look broke off")
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if k.err = err; err == nil {
			s.bytes += len(set) - len(k.set)
			k.set, k.fresh = set, s.clock().Add(min(max(age, minKeySetAge), maxKeySetAge))
			s.rounds++
			k.round = s.rounds
		}
		close(k.flight)
		k.flight = nil
		s.forget(k)
	}()
	if s.outbound == nil {
		err = errNoOutbound
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keySetPatience)
	defer cancel()
	document, failed := s.outbound.Get(ctx, address, "application/json", "application/jwk-set+json")
	if failed != nil {
		err = failed
		return
	}
	age = document.MaxAge
	set, err = keys.PublishedKeySet(document.Body)
}

// entry is what is known of address. The caller holds mu.
func (s *keySets) entry(address string, now time.Time) *keySet {
	k := s.by[address]
	if k == nil {
		k = &keySet{}
		s.by[address] = k
	}
	k.used = now
	return k
}

// forget drops, while there is too much, what was not used for longest, but for the one that was just read. The caller holds mu.
func (s *keySets) forget(read *keySet) {
	for len(s.by) > maxKeySets || s.bytes > maxKeySetBytes {
		oldest := ""
		for address, k := range s.by {
			if k != read && k.flight == nil && (oldest == "" || k.used.Before(s.by[oldest].used)) {
				oldest = address
			}
		}
		if oldest == "" {
			return
		}
		s.bytes -= len(s.by[oldest].set)
		delete(s.by, oldest)
	}
}
