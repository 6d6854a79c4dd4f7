package provider

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/storage"
)

// What is kept of refused requests. A node writes one batch a second, whatever arrives: a flood costs it no more than that.
const (
	refusalKeep     = 24 * time.Hour
	refusalEvery    = time.Second
	refusalBatch    = 128
	refusalDeadline = 5 * time.Second
	refusalsAll     = 20_000
	refusalsOfOne   = 2_000
)

// refusals keep what was refused, off the way of requests: what comes too fast is counted and forgotten.
type refusals struct {
	store   storage.Refusals
	logger  *slog.Logger
	queue   chan storage.RefusedRequest
	dropped atomic.Int64
}

func newRefusals(store storage.Refusals, logger *slog.Logger) *refusals {
	return &refusals{store: store, logger: logger, queue: make(chan storage.RefusedRequest, refusalBatch)}
}

// Refused notes that the answer with this X-Request-Id was err, as a Route's Serve returned it, for signet explain and the figures of its client. It
// returns at once. What is no refusal of a client is not kept.
func (p *Provider) Refused(requestID string, err error) {
	var r *client.Refused
	if requestID == "" || !errors.As(err, &r) {
		return
	}
	p.usage.failed(r.About.ClientID)
	about := r.About
	about.ID = requestID
	select {
	case p.refused.queue <- about:
	default:
		p.refused.dropped.Add(1)
	}
}

// RefusalsDropped is how many refused requests were not kept since the start.
func (p *Provider) RefusalsDropped() int64 { return p.refused.dropped.Load() }

// run writes until ctx ends, and then what is still there.
func (r *refusals) run(ctx context.Context) {
	ticker := time.NewTicker(refusalEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.record(ctx)
		case <-ctx.Done():
			r.record(ctx)
			return
		}
	}
}

// record writes what waits, as one batch. A batch that cannot be written is given up: it serves people, and they ask again.
func (r *refusals) record(ctx context.Context) {
	batch := make([]storage.RefusedRequest, 0, len(r.queue))
	for len(batch) < cap(batch) {
		batch = append(batch, <-r.queue) // there is no other reader
	}
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refusalDeadline)
	defer cancel()
	if err := r.store.RecordRefusals(ctx, batch, storage.RefusalBound{All: refusalsAll, PerClient: refusalsOfOne}); err != nil {
		r.dropped.Add(int64(len(batch)))
		r.logger.WarnContext(ctx, "refused requests could not be kept for signet explain", slog.Int("requests", len(batch)), slog.Any("error", err))
	}
}
