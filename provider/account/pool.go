package account

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/signet-idp/signet/provider/oauth"
)

// Hashers is how many password hashes should run at once on so many cores: one core stays free, so that tokens and keys are
// served while passwords are being guessed.
func Hashers(cores int) int { return max(1, cores-1) }

// Procs is the GOMAXPROCS that goes with Hashers: beside the hashes two threads always run Go code, even on one core, where
// the operating system then shares the time and no request waits for a whole hash.
func Procs(cores int) int { return max(cores, Hashers(cores)+2) }

// placesPerWorker bounds the queue: at the default cost it is about two seconds of work for one core.
const placesPerWorker = 40

// Hasher computes password hashes: a few at once, the others in a short queue that takes turns between keys (an address, or a
// client that forwards its users' passwords), so that one caller's flood delays nobody else by more than a turn.
//
// Memory is bounded by the number at once: each takes its own m KiB, since golang.org/x/crypto/argon2 cannot reuse a buffer.
type Hasher struct {
	workers int
	places  int

	mu      sync.Mutex
	running int
	waiting int
	queues  map[string][]*place // waiting callers by key, oldest first
	turns   []string            // keys with waiting callers; the first has the next turn

	hashes atomic.Int64 // hashes computed, fillers included
	work   atomic.Int64 // KiB × passes computed
}

// place is a caller in the queue.
type place struct {
	key    string
	served chan bool // true: the caller may work; false: it lost its place
}

// NewHasher makes a pool of so many workers; see Hashers.
func NewHasher(workers int) *Hasher {
	workers = max(1, workers)
	return &Hasher{workers: workers, places: workers * placesPerWorker, queues: map[string][]*place{}}
}

// Waiting is how many callers are in the queue now.
func (h *Hasher) Waiting() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.waiting
}

// argon2 is the one call of the algorithm, so that all work is counted.
func (h *Hasher) argon2(password, salt []byte, p Params, length uint32) []byte {
	h.hashes.Add(1)
	h.work.Add(p.cost())
	return argon2.IDKey(password, salt, p.Time, p.Memory, p.Threads, length)
}

// do runs work when it is key's turn. It returns *oauth.Error temporarily_unavailable, before any work, where the queue is
// full or ctx ended; ctx is not looked at any more once the work has begun.
func (h *Hasher) do(ctx context.Context, key string, work func()) error {
	if err := h.enter(ctx, key); err != nil {
		return err
	}
	defer h.leave()
	work()
	return nil
}

func (h *Hasher) enter(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return overloaded().Because(err)
	}
	h.mu.Lock()
	if h.running < h.workers && h.waiting == 0 {
		h.running++
		h.mu.Unlock()
		return nil
	}
	if h.waiting >= h.places && !h.displace(key) {
		h.mu.Unlock()
		return overloaded()
	}
	p := &place{key: key, served: make(chan bool, 1)}
	if len(h.queues[key]) == 0 {
		h.turns = append(h.turns, key)
	}
	h.queues[key] = append(h.queues[key], p)
	h.waiting++
	h.mu.Unlock()

	select {
	case served := <-p.served:
		if !served {
			return overloaded()
		}
		return nil
	case <-ctx.Done():
		h.abandon(p)
		return overloaded().Because(ctx.Err())
	}
}

// leave hands the worker to the caller whose turn it is.
func (h *Hasher) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting == 0 {
		h.running--
		return
	}
	key := h.turns[0]
	h.turns = h.turns[1:]
	queue := h.queues[key]
	next := queue[0]
	if len(queue) > 1 {
		h.queues[key] = queue[1:]
		h.turns = append(h.turns, key)
	} else {
		delete(h.queues, key)
	}
	h.waiting--
	next.served <- true
}

// displace makes room for key in a full queue by taking the newest place from the key that holds most, where that one would
// still hold more than key. It reports whether there is room now. A flood so keeps its own later requests out, not others'.
func (h *Hasher) displace(key string) bool {
	var longest string
	for _, k := range h.turns {
		if len(h.queues[k]) > len(h.queues[longest]) {
			longest = k
		}
	}
	queue := h.queues[longest]
	if len(queue) <= len(h.queues[key])+1 {
		return false
	}
	last := queue[len(queue)-1]
	h.queues[longest] = queue[:len(queue)-1]
	h.waiting--
	last.served <- false
	return true
}

// abandon takes p out of the queue. Where it was given a worker in the same moment, the worker goes on to the next.
func (h *Hasher) abandon(p *place) {
	h.mu.Lock()
	queue := h.queues[p.key]
	for i, other := range queue {
		if other != p {
			continue
		}
		h.waiting--
		if len(queue) > 1 {
			h.queues[p.key] = append(queue[:i:i], queue[i+1:]...)
		} else {
			h.forget(p.key)
		}
		h.mu.Unlock()
		return
	}
	h.mu.Unlock()
	if <-p.served {
		h.leave()
	}
}

// forget removes a key that waits no more.
func (h *Hasher) forget(key string) {
	delete(h.queues, key)
	for i, k := range h.turns {
		if k == key {
			h.turns = append(h.turns[:i:i], h.turns[i+1:]...)
			return
		}
	}
}

func overloaded() *oauth.Error {
	refusal := oauth.Errorf(oauth.TemporarilyUnavailable, "too many sign-ins at once; try again shortly")
	refusal.RetryAfter = 2 * time.Second
	return refusal
}
