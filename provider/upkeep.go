package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/logout"
	"github.com/signet-idp/signet/provider/mail"
	"github.com/signet-idp/signet/storage"
)

// The rhythm of the upkeep. Nothing of it is needed for correctness.
const (
	keysEvery   = 10 * time.Second
	outboxEvery = 5 * time.Second
	sweepEvery  = time.Minute
	eraseEvery  = 5 * time.Minute

	sweepLease = 5 * time.Minute
	sweepBatch = 500              // rows of each kind in one commit
	sweepMost  = 20               // commits in one round: the rest waits for the next
	sweepKeep  = 10 * time.Minute // how long an expired row stays, for clocks that disagree

	letterLease   = time.Minute
	letterBatch   = 50
	letterBatches = 20 // in one round: the rest waits for the next

	// revokedKeep is how long a revoked grant stays for support to see why; its tokens are refused with and without it.
	revokedKeep = 30 * 24 * time.Hour
	// idleKeep is how long an idle grant stays beyond its idle lifetime: longer than any access token of it may live.
	idleKeep = maxAccessLifetime + time.Hour
)

// Run does the upkeep until ctx ends: it takes the keys through their life and reads those that other nodes made, seals anew what
// is under an older secret key, delivers the outbox, chains the audit log, removes accounts whose time has come, keeps what was
// refused, counts what clients do, and sweeps, one node at a time. It returns when all of it has stopped.
func (p *Provider) Run(ctx context.Context) {
	walk, chain := &grantWalk{p: p}, &chainer{p: p}
	var jobs sync.WaitGroup
	for _, job := range []struct {
		every time.Duration
		work  func(context.Context) error
	}{
		{keysEvery, p.ring.Tend},
		{resealEvery, p.reseal},
		{outboxEvery, p.deliver},
		{sweepEvery, walk.sweep},
		{chainEvery, chain.round},
		{eraseEvery, p.erase},
	} {
		jobs.Go(func() { p.repeat(ctx, job.every, job.work) })
	}
	jobs.Go(func() { p.refused.run(ctx) })
	jobs.Go(func() { p.usage.run(ctx) })
	jobs.Wait()
}

// repeat does work about every so often. Nodes that started together drift apart, so that they do not do it at once.
func (p *Provider) repeat(ctx context.Context, every time.Duration, work func(context.Context) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every*9/10 + rand.N(every/5)):
		}
		if err := work(ctx); err != nil && ctx.Err() == nil {
			p.config.Logger.WarnContext(ctx, "upkeep failed; it will be tried again", slog.Any("error", err))
		}
	}
}

// deliver empties the outbox, a batch after the other. Its letters, to people and to applications, go out side by side: one that is
// not taken keeps none of the others waiting.
func (p *Provider) deliver(ctx context.Context) error {
	for range letterBatches {
		letters, err := p.store.ClaimLetters(ctx, letterBatch, letterLease)
		if err != nil || len(letters) == 0 {
			return err
		}
		var under sync.WaitGroup
		for _, l := range letters {
			under.Go(func() {
				if err := p.send(ctx, l); err != nil && ctx.Err() == nil {
					p.config.Logger.WarnContext(ctx, "a letter was not delivered", slog.String("kind", l.Kind), slog.Int("attempt", l.Attempt), slog.Any("error", err))
				}
			})
		}
		under.Wait()
	}
	return nil
}

func (p *Provider) send(ctx context.Context, l storage.Letter) error {
	if logout.Delivers(l.Kind) {
		return p.logout.Deliver(ctx, l)
	}
	return p.mail.Deliver(ctx, l)
}

// erase removes the accounts whose people asked for it and did not think better of it in time. Each goes once, whichever node does it.
func (p *Provider) erase(ctx context.Context) error {
	n, err := p.people.EraseRipe(ctx)
	if n > 0 {
		p.config.Logger.InfoContext(ctx, "accounts were deleted, as their people had asked", slog.Int("accounts", n))
	}
	return err
}

// mailLink is the link that a mail brings, made when it leaves.
func (p *Provider) mailLink(ctx context.Context, ticketID storage.ID) (string, error) {
	link, err := p.people.MailLink(ctx, ticketID)
	if errors.Is(err, account.ErrLink) {
		err = fmt.Errorf("%w (%w)", mail.ErrNoLink, err)
	}
	return link, err
}

// grantWalk goes through all grants in the order of their keys, a page each round, and drops those that are idle or revoked and of
// which nothing can be presented any more. It is one node's at a time.
type grantWalk struct {
	p     *Provider
	after storage.ID
}

func (w *grantWalk) sweep(ctx context.Context) error {
	mine, err := w.p.store.TakeLease(ctx, "sweep", w.p.node, sweepLease)
	if err != nil || !mine {
		return err
	}
	for range sweepMost {
		n, err := w.p.store.SweepExpired(ctx, sweepBatch, sweepKeep, w.p.config.AuditRetention)
		if err != nil {
			return err
		}
		if n < sweepBatch {
			break
		}
	}
	if err := w.p.sweepRecords(ctx); err != nil {
		return err
	}
	if err := w.p.sweepUnused(ctx); err != nil {
		return err
	}
	for range sweepMost {
		more, err := w.page(ctx)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// page looks at one page and says whether there is another one before the end.
func (w *grantWalk) page(ctx context.Context) (more bool, err error) {
	page, now, err := w.p.store.WalkGrants(ctx, w.after, sweepBatch)
	if err != nil {
		return false, err
	}
	if len(page) == 0 {
		w.after = storage.ID{}
		return false, nil
	}
	idle := map[string]time.Duration{}
	var dead []storage.GrantAge
	for _, g := range page {
		lifetime, known := idle[g.ClientID]
		if !known {
			if lifetime, err = w.idleLifetime(ctx, g.ClientID); err != nil {
				return false, err
			}
			idle[g.ClientID] = lifetime
		}
		if storage.Outlived(g, now, lifetime+idleKeep, revokedKeep) {
			dead = append(dead, g)
		}
	}
	w.after = page[len(page)-1].ID
	if len(dead) > 0 {
		_, err = w.p.store.DropGrants(ctx, dead)
	}
	return len(page) == sweepBatch, err
}

// idleLifetime is the client's. The grants of a client that is gone went with it; a straggler waits for its end.
func (w *grantWalk) idleLifetime(ctx context.Context, clientID string) (time.Duration, error) {
	c, err := w.p.clients.Find(ctx, clientID)
	if errors.Is(err, storage.ErrNotFound) {
		return maxGrantLifetime, nil
	}
	return w.p.clients.Policy(c).Idle, err
}
