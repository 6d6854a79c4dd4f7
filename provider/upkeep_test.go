package provider

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

func TestTheSweepRemovesWhatIsDeadAndNothingElse(t *testing.T) {
	each(t, func(h *house) {
		const year = 365 * day
		made := map[string]storage.ID{}
		made["gone: idle longer than any token of it lives"] = h.grant(h.client, storage.Active, year)
		made["gone: revoked 31 days ago"] = h.revoke(h.grant(h.client, storage.Active, year))
		made["gone: expired"] = h.grant(h.client, storage.Active, time.Hour)
		made["gone: a sign-in that never got its second factor"] = h.grant(h.client, storage.Pending, 5*time.Minute)
		made["stays: its client lets it be idle for 60 days"] = h.grant(h.slow, storage.Active, year)
		h.advance(day)
		made["stays: idle, but an access token of it may live"] = h.grant(h.client, storage.Active, year)
		h.advance(day)
		made["stays: support still sees why it was revoked"] = h.revoke(h.grant(h.client, storage.Active, year))
		made["stays: idle for 29 days"] = h.grant(h.client, storage.Active, year)
		h.advance(29*day + 2*time.Hour) // 31 days and two hours after the first
		made["stays: expired while clocks may disagree"] = h.grant(h.client, storage.Active, time.Minute)
		made["stays: waiting for a second factor"] = h.grant(h.client, storage.Pending, 10*time.Minute)
		h.advance(5 * time.Minute)

		h.must((&grantWalk{p: h.nodes[0]}).sweep(h.Context()))
		for name, id := range made {
			if want := strings.HasPrefix(name, "stays"); h.exists(id) != want {
				h.Errorf("not so: %s", name)
			}
		}
	})
}

func TestTheSweepKeepsWhatDetectionNeeds(t *testing.T) {
	each(t, func(h *house) {
		ctx := h.Context()
		grant := h.grant(h.client, storage.Active, 365*day)
		deny := func(serial int64, lifetime time.Duration) {
			h.must(h.store.DenyToken(ctx, storage.Denial{GrantID: grant, Serial: serial, ExpiresAt: h.clock().Add(lifetime)}))
		}
		record := func(kind string) { h.must(h.store.RecordEvents(ctx, []storage.Event{{Kind: kind}})) }
		bucket := []storage.Take{{Key: storage.Digest{7}, Burst: 1, Every: time.Hour}}
		take := func() time.Duration {
			wait, err := h.store.TakeAttempts(ctx, bucket)
			h.must(err)
			return wait
		}
		deny(1, time.Hour)
		record("test.old")
		waiting, head, err := h.store.UnchainedEvents(ctx, 100)
		h.must(err)
		links := make([]storage.Link, len(waiting))
		for i, e := range waiting { // an event goes with the beginning of the chain that it stands in
			head.Seq++
			links[i] = storage.Link{Seq: head.Seq, EventID: e.ID}
		}
		h.must(h.store.ChainEvents(ctx, head.Seq-int64(len(links)), links, &storage.Checkpoint{Seq: head.Seq}))
		h.advance(100 * day)
		deny(2, time.Hour)
		record("test.recent")
		take()

		h.must((&grantWalk{p: h.nodes[0]}).sweep(ctx))
		if denied, _, err := h.store.TokenDenied(ctx, grant, 2); err != nil || !denied {
			h.Errorf("a revoked access token that lives is forgotten: %v", err)
		}
		if take() == 0 {
			h.Error("an attempt that was taken is forgotten")
		}
		for kind, want := range map[string]int{"test.old": 0, "test.recent": 1} {
			events, err := h.store.ListEvents(ctx, storage.EventFilter{Kind: kind, Limit: 5})
			h.must(err)
			if len(events) != want {
				h.Errorf("%d events %s are left, want %d", len(events), kind, want)
			}
		}
		h.advance(2 * time.Hour)
		if n, err := h.store.SweepExpired(ctx, 100, 0, 0); err != nil || n != 2 {
			h.Errorf("%d rows expire with the second denial and its bucket: want 2 (%v)", n, err)
		}
	})
}

func TestTheWalkGoesThroughAllGrantsAndBeginsAgain(t *testing.T) {
	each(t, func(h *house) {
		const many = 2*sweepBatch + 10
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				for range many / 16 {
					h.grant(h.client, storage.Active, 365*day)
				}
			})
		}
		all.Wait()
		walk := &grantWalk{p: h.nodes[0]}
		left := func() int {
			page, _, err := h.store.WalkGrants(h.Context(), storage.ID{}, many)
			h.must(err)
			return len(page)
		}
		h.must(walk.sweep(h.Context()))
		if n := left(); n != many/16*16 {
			h.Fatalf("%d grants are left of those that live", n)
		}
		h.advance(32 * day) // now they are dead, and the walk has passed them
		for range 2 {
			h.must(walk.sweep(h.Context()))
		}
		if n := left(); n != 0 {
			h.Errorf("%d dead grants are left", n)
		}
	})
}

func TestOneNodeSweeps(t *testing.T) {
	each(t, func(h *house) {
		one, other := &grantWalk{p: h.nodes[0]}, &grantWalk{p: h.nodes[1]}
		h.must(one.sweep(h.Context()))
		expired := h.grant(h.client, storage.Active, time.Second)
		h.advance(sweepKeep + time.Minute)
		h.must(one.sweep(h.Context())) // and takes the lease again
		if h.exists(expired) {
			h.Fatal("the node that sweeps did not")
		}
		expired = h.grant(h.client, storage.Active, -sweepKeep-time.Minute)
		h.must(other.sweep(h.Context()))
		if !h.exists(expired) {
			h.Error("two nodes sweep at once")
		}
		h.advance(sweepLease)
		h.must(other.sweep(h.Context()))
		if h.exists(expired) {
			h.Error("nobody took over from the node that went away")
		}
	})
}

func TestALetterGoesOutOnceAndIsFinished(t *testing.T) {
	each(t, func(h *house) {
		const letters = 7
		for i := range letters {
			_, err := h.store.RevokeGrants(h.Context(), storage.GrantsOf{UserID: h.user}, storage.Revocation{
				Reason: storage.ReasonUser,
				Also:   storage.Also{Letters: []storage.Letter{{Kind: fmt.Sprintf("letter_%d", i), UserID: h.user, Data: map[string]string{"n": "1"}}}},
			})
			h.must(err)
		}
		var both sync.WaitGroup
		for _, node := range h.nodes {
			both.Go(func() {
				if err := node.deliver(context.WithoutCancel(h.Context())); err != nil {
					h.Error(err)
				}
			})
		}
		both.Wait()
		h.advance(2 * letterLease)
		h.must(h.nodes[0].deliver(h.Context()))
		for i := range letters {
			if n := strings.Count(h.log.String(), fmt.Sprintf("kind=letter_%d ", i)); n != 1 {
				h.Errorf("letter %d went out %d times", i, n)
			}
		}
	})
}

// TestRunDoesAllOfItUntilItsContextEnds runs the upkeep for a minute of a bubble's time. The bubble does not end before every
// goroutine in it did, so none outlives Run.
func TestRunDoesAllOfItUntilItsContextEnds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "signet.db")
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		store, err := sqlite.Open(t.Context(), sqlite.Options{Path: file, Clock: time.Now})
		h.must(err)
		h.now = time.Now()
		h.furnish(store)
		_, err = store.RevokeGrants(t.Context(), storage.GrantsOf{UserID: h.user}, storage.Revocation{
			Reason: storage.ReasonUser, Also: storage.Also{Letters: []storage.Letter{{Kind: "farewell", UserID: h.user}}},
		})
		h.must(err)
		expired := h.grant(h.client, storage.Active, -sweepKeep-time.Second)

		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			h.nodes[0].Run(ctx)
			close(ended)
		}()
		time.Sleep(sweepEvery * 6 / 5)
		synctest.Wait()
		cancel()
		<-ended
		if h.exists(expired) || !strings.Contains(h.log.String(), "kind=farewell") {
			t.Errorf("swept: %v, log:\n%s", !h.exists(expired), h.log.String())
		}
		h.must(store.Close())
	})
}

// TestUpkeepThatFailsIsTriedAgain: an outage ends neither the upkeep nor the process, and the log says that there was one.
func TestUpkeepThatFailsIsTriedAgain(t *testing.T) {
	each(t, func(h *house) {
		h.must(h.store.Close())
		ctx, cancel := context.WithCancel(h.Context())
		calls := 0
		h.nodes[0].repeat(ctx, time.Millisecond, func(ctx context.Context) error {
			if calls++; calls == 3 {
				cancel()
			}
			return h.nodes[0].deliver(ctx)
		})
		if n := strings.Count(h.log.String(), "upkeep failed"); calls != 3 || n != 2 {
			h.Errorf("%d calls, %d warnings:\n%s", calls, n, h.log.String())
		}
	})
}
