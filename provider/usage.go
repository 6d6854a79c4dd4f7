package provider

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signet-idp/signet/storage"
)

// What is counted of clients. A node writes once in so often, whatever arrives: what it counted since is lost with the node, and
// nothing is decided by it.
const (
	usageKeep     = 90 * 24 * time.Hour
	usageEvery    = 5 * time.Second
	usageBatch    = 200    // clients in one commit
	usageMost     = 20_000 // clients between two writes; what is beyond is not counted
	usageSecrets  = 4      // of one client between two writes: two are good at a time
	usageDeadline = 5 * time.Second
)

// usage counts what clients do, off the way of requests.
type usage struct {
	store   storage.Usage
	logger  *slog.Logger
	dropped atomic.Int64

	mu      sync.Mutex
	counted map[string]*storage.ClientUsage
}

func newUsage(store storage.Usage, logger *slog.Logger) *usage {
	return &usage{store: store, logger: logger, counted: map[string]*storage.ClientUsage{}}
}

// Answered implements token.Counter.
func (u *usage) Answered(clientID string, by storage.ID, signIn bool, secretMade time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	of := u.of(clientID, usageMost)
	if of == nil {
		return
	}
	if of.Tokens == 0 {
		of.By = by
	}
	of.Tokens++
	if signIn {
		of.SignIns++
	}
	if !secretMade.IsZero() && len(of.Secrets) < usageSecrets && !slices.ContainsFunc(of.Secrets, secretMade.Equal) {
		of.Secrets = append(of.Secrets, secretMade)
	}
}

// failed counts a refused request that named the client. Whoever invents clients to be counted for fills half of the room at most.
func (u *usage) failed(clientID string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if of := u.of(clientID, usageMost/2); of != nil {
		of.Failures++
	}
}

// of is the figures of the client, nil where there is no room for another one.
func (u *usage) of(clientID string, most int) *storage.ClientUsage {
	of := u.counted[clientID]
	if of == nil {
		if len(u.counted) >= most {
			u.dropped.Add(1)
			return nil
		}
		of = &storage.ClientUsage{ClientID: clientID}
		u.counted[clientID] = of
	}
	return of
}

// run writes until ctx ends, and then what is still there.
func (u *usage) run(ctx context.Context) {
	ticker := time.NewTicker(usageEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			u.record(ctx)
		case <-ctx.Done():
			u.record(ctx)
			return
		}
	}
}

// record writes what was counted, a batch after the other. A batch that was certainly not written is counted on; one that may have been
// is given up, so that nothing counts twice.
func (u *usage) record(ctx context.Context) {
	u.mu.Lock()
	counted := u.counted
	u.counted = make(map[string]*storage.ClientUsage, len(counted))
	u.mu.Unlock()
	if len(counted) == 0 {
		return
	}
	all := make([]storage.ClientUsage, 0, len(counted))
	for _, of := range counted {
		all = append(all, *of)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), usageDeadline)
	defer cancel()
	for batch := range slices.Chunk(all, usageBatch) {
		err := u.store.CountUsage(ctx, batch)
		if errors.Is(err, storage.ErrUnavailable) {
			u.putBack(batch)
		}
		if err != nil {
			u.logger.WarnContext(ctx, "what clients did could not be counted", slog.Int("clients", len(batch)), slog.Any("error", err))
		}
	}
}

// putBack adds what was not written to what was counted since.
func (u *usage) putBack(batch []storage.ClientUsage) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, was := range batch {
		of := u.of(was.ClientID, usageMost)
		if of == nil {
			continue
		}
		if was.Tokens > 0 {
			of.By = was.By
		}
		of.SignIns, of.Tokens, of.Failures = of.SignIns+was.SignIns, of.Tokens+was.Tokens, of.Failures+was.Failures
		for _, made := range was.Secrets {
			if len(of.Secrets) < usageSecrets && !slices.ContainsFunc(of.Secrets, made.Equal) {
				of.Secrets = append(of.Secrets, made)
			}
		}
	}
}
