package account

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
)

func TestOneCoreStaysFreeOfHashing(t *testing.T) {
	t.Parallel()
	for cores, want := range map[int][2]int{1: {1, 3}, 2: {1, 3}, 3: {2, 4}, 4: {3, 5}, 16: {15, 17}} {
		if got := [2]int{Hashers(cores), Procs(cores)}; got != want {
			t.Errorf("%d cores: hashers and procs %v, want %v", cores, got, want)
		}
	}
}

// refusedBusy reports whether err is the refusal of a full queue: 503 with a time to wait.
func refusedBusy(err error) bool {
	e := oauth.As(err)
	return e != nil && e.Code == oauth.TemporarilyUnavailable && e.HTTPStatus() == 503 && e.RetryAfter >= time.Second && e.RetryAfter <= 2*time.Second
}

func TestAFloodNeverHashesMoreThanTheWorkersAtOnce(t *testing.T) {
	t.Parallel()
	const workers = 3
	h := NewHasher(workers)
	var now, most, done, refused atomic.Int64
	var all sync.WaitGroup
	for i := range 500 {
		all.Go(func() {
			err := h.do(t.Context(), fmt.Sprint("192.0.2.", i%50), func() {
				n := now.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				h.verify([]byte("password"), "", cheap())
				now.Add(-1)
				done.Add(1)
			})
			switch {
			case refusedBusy(err):
				refused.Add(1)
			case err != nil:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() > workers || done.Load()+refused.Load() != 500 || h.hashes.Load() != done.Load() {
		t.Errorf("%d at once; %d done, %d refused, %d hashes", most.Load(), done.Load(), refused.Load(), h.hashes.Load())
	}
	if h.running != 0 || h.waiting != 0 || len(h.queues) != 0 || len(h.turns) != 0 {
		t.Errorf("the pool is not empty again: %+v", h)
	}
}

// crowd holds the workers of a pool until released, so that a queue can be built in a known order.
type crowd struct {
	h       *Hasher
	mu      sync.Mutex
	order   []string
	refused []string
	release chan struct{}
}

func newCrowd(workers int) *crowd {
	return &crowd{h: NewHasher(workers), release: make(chan struct{})}
}

// join sends one caller and waits until it works, waits or was refused.
func (c *crowd) join(ctx context.Context, key string) {
	go func() {
		err := c.h.do(ctx, key, func() {
			c.mu.Lock()
			c.order = append(c.order, key)
			c.mu.Unlock()
			<-c.release
		})
		if err != nil {
			c.mu.Lock()
			c.refused = append(c.refused, key)
			c.mu.Unlock()
		}
	}()
	synctest.Wait()
}

func TestCallersTakeTurnsWhateverTheFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(1)
		for range 10 {
			c.join(t.Context(), "flood")
		}
		c.join(t.Context(), "ada")
		c.join(t.Context(), "bob")
		c.join(t.Context(), "ada")
		close(c.release)
		synctest.Wait()
		want := []string{"flood", "flood", "ada", "bob", "flood", "ada"}
		if got := c.order[:len(want)]; !slices.Equal(got, want) {
			t.Errorf("served %v, want %v first", got, want)
		}
		if len(c.order) != 13 || len(c.refused) != 0 {
			t.Errorf("%d served, %d refused", len(c.order), len(c.refused))
		}
	})
}

func TestAFullQueueRefusesTheFloodAndNotItsNeighbours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(1)
		for range 1 + placesPerWorker + 5 {
			c.join(t.Context(), "flood")
		}
		if len(c.refused) != 5 {
			t.Fatalf("%d of the flood refused, want the 5 beyond the queue", len(c.refused))
		}
		for i := range 10 {
			c.join(t.Context(), fmt.Sprint("honest", i))
		}
		close(c.release)
		synctest.Wait()
		for _, key := range c.refused {
			if key != "flood" {
				t.Errorf("%s was refused because of the flood", key)
			}
		}
		if served := len(c.order); served != 1+placesPerWorker {
			t.Errorf("%d served, want %d: room was wasted or the queue is not bounded", served, 1+placesPerWorker)
		}
	})
}

func TestTheRefusalIsMadeBeforeTheWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(1)
		for range 1 + placesPerWorker {
			c.join(t.Context(), "one")
		}
		before := time.Now()
		err := c.h.do(t.Context(), "one", func() { t.Error("worked beyond the queue") })
		if !refusedBusy(err) || time.Since(before) != 0 {
			t.Errorf("got %v after %v", err, time.Since(before))
		}
		close(c.release)
	})
}

func TestACallerWhoLeavesFreesThePlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(1)
		c.join(t.Context(), "worker")
		ctx, leave := context.WithCancel(t.Context())
		c.join(ctx, "gone")
		c.join(t.Context(), "stays")
		c.join(ctx, "stays")
		c.join(ctx, "gone")
		leave()
		synctest.Wait()
		if c.h.waiting != 1 || len(c.h.queues) != 1 || len(c.h.turns) != 1 {
			t.Errorf("after three left: %d waiting, queues %v, turns %v", c.h.waiting, c.h.queues, c.h.turns)
		}
		close(c.release)
		synctest.Wait()
		if !slices.Equal(c.order, []string{"worker", "stays"}) || len(c.refused) != 3 {
			t.Errorf("served %v, refused %v", c.order, c.refused)
		}
		if err := c.h.do(ctx, "gone", func() { t.Error("worked for a caller who had left") }); !refusedBusy(err) {
			t.Errorf("got %v", err)
		}
	})
}

func TestLeavingAtTheMomentOfBeingServedLosesNoWorker(t *testing.T) {
	t.Parallel()
	h := NewHasher(2)
	var all sync.WaitGroup
	for i := range 400 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*100*time.Microsecond)
			defer cancel()
			_ = h.do(ctx, fmt.Sprint(i%5), func() { h.verify(nil, "", cheap()) })
		})
	}
	all.Wait()
	if h.running != 0 || h.waiting != 0 || len(h.queues) != 0 || len(h.turns) != 0 {
		t.Errorf("running %d, waiting %d, queues %v, turns %v", h.running, h.waiting, h.queues, h.turns)
	}
}
