package provider

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// figures are the client's of today.
func (h *house) figures(id string) storage.ClientUsage {
	h.Helper()
	days, err := h.store.ListUsage(h.Context(), id, 0)
	h.must(err)
	if len(days) != 1 {
		h.Fatalf("%s was used on %d days", id, len(days))
	}
	return days[0]
}

// TestWhatClientsDoIsAddedUpAndWrittenAtOnce, and the first to obtain a token is who is remembered.
func TestWhatClientsDoIsAddedUpAndWrittenAtOnce(t *testing.T) {
	each(t, func(h *house) {
		p, made := h.nodes[0], h.clock()
		for i := range 10 {
			p.usage.Answered(h.client, h.user, i == 0, made)
		}
		p.usage.Answered(h.slow, storage.ID{}, false, time.Time{})
		p.usage.failed(h.slow)
		p.usage.failed("nobody")
		h.advance(time.Hour)
		p.usage.record(h.Context())
		p.usage.record(h.Context())
		if u := h.figures(h.client); u.SignIns != 1 || u.Tokens != 10 || u.Failures != 0 {
			h.Errorf("counted %+v", u)
		}
		if u := h.figures(h.slow); u.SignIns != 0 || u.Tokens != 1 || u.Failures != 1 {
			h.Errorf("counted %+v", u)
		}
		c, _, err := h.store.FindClient(h.Context(), h.client)
		h.must(err)
		uses, err := h.store.ListSecretUses(h.Context(), h.client)
		h.must(err)
		if c.UsedBy != h.user || c.UsedAt.IsZero() || len(uses) != 1 || !uses[0].CreatedAt.Equal(made) {
			h.Errorf("used at %v by %v with %v", c.UsedAt, c.UsedBy, uses)
		}
	})
}

// TestWhoInventsClientsDoesNotKeepOthersFromBeingCounted: their failures fill half of the room at most.
func TestWhoInventsClientsDoesNotKeepOthersFromBeingCounted(t *testing.T) {
	each(t, func(h *house) {
		u := h.nodes[0].usage
		for i := range usageMost + 10 {
			u.failed(fmt.Sprint("invented", i))
		}
		if n := len(u.counted); n != usageMost/2 || u.dropped.Load() != usageMost/2+10 {
			h.Errorf("%d are counted, %d dropped", n, u.dropped.Load())
		}
		u.Answered(h.client, h.user, true, time.Time{})
		for i := range usageSecrets + 3 {
			u.Answered(h.client, h.user, true, h.clock().Add(time.Duration(i)*time.Hour))
		}
		if of := u.counted[h.client]; of.Tokens != usageSecrets+4 || len(of.Secrets) != usageSecrets {
			h.Errorf("counted %+v", of)
		}
	})
}

// TestWhatCouldNotBeWrittenIsCountedOn: an outage of the database loses no figures.
func TestWhatCouldNotBeWrittenIsCountedOn(t *testing.T) {
	each(t, func(h *house) {
		u := h.nodes[0].usage
		u.Answered(h.client, h.user, true, h.clock())
		h.must(h.store.Close())
		u.record(h.Context())
		u.Answered(h.client, storage.ID{}, false, h.clock())
		if of := u.counted[h.client]; of == nil || of.Tokens != 2 || of.SignIns != 1 || of.By != h.user || len(of.Secrets) != 1 {
			h.Errorf("counted %+v", of)
		}
	})
}

// TestCountingAllocatesNothing: what a client does once more costs a request no memory.
func TestCountingAllocatesNothing(t *testing.T) {
	u := newUsage(nil, nil)
	made := time.Now()
	if n := testing.AllocsPerRun(100, func() { u.Answered("client", storage.ID{}, true, made) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestFiguresAndRefusalsGoWhenTheyAreOld: figures after 90 days, refused requests after one.
func TestFiguresAndRefusalsGoWhenTheyAreOld(t *testing.T) {
	each(t, func(h *house) {
		p := h.nodes[0]
		sweep := func(figures int) {
			h.Helper()
			h.must((&grantWalk{p: p}).sweep(h.Context()))
			days, err := h.store.ListUsage(h.Context(), h.client, 100)
			h.must(err)
			if len(days) != figures {
				h.Errorf("figures of %d days at %v, want %d", len(days), h.clock(), figures)
			}
		}
		p.usage.Answered(h.client, h.user, true, time.Time{})
		p.usage.record(h.Context())
		h.must(h.store.RecordRefusals(h.Context(), []storage.RefusedRequest{{ID: "ID", Endpoint: "token", ClientID: h.client, Code: "invalid_grant"}},
			storage.RefusalBound{All: 10, PerClient: 10}))
		h.advance(25 * time.Hour)
		sweep(1)
		if _, err := h.store.FindRefusal(h.Context(), "ID"); !errors.Is(err, storage.ErrNotFound) {
			h.Errorf("a refused request of yesterday is there: %v", err)
		}
		h.advance(88 * day)
		sweep(1)
		h.advance(2 * day)
		sweep(0)
	})
}

// BenchmarkCounting is what counting costs one request, beside BenchmarkRefresh and its like in web: less than a thousandth of one.
func BenchmarkCounting(b *testing.B) {
	u := newUsage(nil, nil)
	made := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			u.Answered("client", storage.ID{}, false, made)
		}
	})
}
