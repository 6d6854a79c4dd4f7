package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

// The rhythm of re-sealing after a new secret key was put first.
const (
	resealEvery = time.Minute
	resealBatch = 200
	resealMost  = 50 // batches in one round: the rest waits for the next
)

// Keys are the signing and handle keys, for commands.
func (p *Provider) Keys() *keys.Ring { return p.ring }

// fresh keeps requests from work with keys that were read too long ago: see keys.Ring.Freshen.
func (p *Provider) fresh(handle func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := p.Freshen(r.Context()); err != nil {
			return err
		}
		return handle(w, r)
	}
}

// Freshen makes sure that the keys are those of now, before anything is signed or read with them. Pages ask for it themselves.
func (p *Provider) Freshen(ctx context.Context) error { return p.ring.Freshen(ctx) }

// Sealed is how many values rest under which secret key.
type Sealed struct {
	Done int // put under the newest secret key by this call
	Left int // still under an older one, which is needed to read them
}

// Reseal puts under the newest secret key what is sealed under an older one: signing keys, handle keys, the seeds of
// authenticators, the checkpoints of the audit chain and the secrets of clients that sign with them, a batch at a time. Each value is one conditional write, so that it may be stopped anywhere, and go on, on any
// node, with nothing unreadable in between.
func (p *Provider) Reseal(ctx context.Context) (s Sealed, err error) {
	if s.Done, s.Left, err = p.ring.Reseal(ctx); err != nil {
		return s, err
	}
	var after storage.ID
	for range resealMost {
		page, _, err := p.store.StaleSeeds(ctx, p.sealer.Newest(), after, resealBatch)
		if err != nil {
			return s, err
		}
		for _, device := range page {
			after = device.ID
			sealed, err := p.sealer.Reseal(device.Sealed, account.SeedRow(device))
			if err == nil {
				err = p.store.ResealSeed(ctx, device.ID, device.Sealed, sealed)
			}
			switch {
			case err == nil:
				s.Done++
			case errors.Is(err, keys.ErrWrongKey), errors.Is(err, keys.ErrTampered), errors.Is(err, storage.ErrMoved): // counted below
			default:
				return s, fmt.Errorf("reseal the seed of device %s: %w", device.ID, err)
			}
		}
		if len(page) < resealBatch {
			break
		}
	}
	_, seeds, err := p.store.StaleSeeds(ctx, p.sealer.Newest(), after, 0)
	if s.Left += seeds; err != nil {
		return s, err
	}
	if s, err = p.resealCheckpoints(ctx, s); err != nil {
		return s, err
	}
	done, left, err := p.clients.Reseal(ctx)
	return Sealed{s.Done + done, s.Left + left}, err
}

func (p *Provider) resealCheckpoints(ctx context.Context, s Sealed) (Sealed, error) {
	after := int64(0)
	for range resealMost {
		page, _, err := p.store.StaleCheckpoints(ctx, p.sealer.Newest(), after, resealBatch)
		if err != nil {
			return s, err
		}
		for _, c := range page {
			after = c.Seq
			sealed, err := p.sealer.Reseal(c.Sealed, checkpointRow(c.Seq))
			if err == nil {
				err = p.store.ResealCheckpoint(ctx, c.Seq, c.Sealed, sealed)
			}
			switch {
			case err == nil:
				s.Done++
			case errors.Is(err, keys.ErrWrongKey), errors.Is(err, keys.ErrTampered), errors.Is(err, storage.ErrMoved): // counted below
			default:
				return s, fmt.Errorf("reseal audit checkpoint %d: %w", c.Seq, err)
			}
		}
		if len(page) < resealBatch {
			break
		}
	}
	_, left, err := p.store.StaleCheckpoints(ctx, p.sealer.Newest(), 0, 0)
	s.Left += left
	return s, err
}

// StillOlder counts what is not sealed under the newest secret key, and changes nothing.
func (p *Provider) StillOlder(ctx context.Context) (n int, err error) {
	rows, err := p.ring.List(ctx)
	if err != nil {
		return 0, err
	}
	for _, k := range rows {
		if p.sealer.Stale(k.Sealed) {
			n++
		}
	}
	_, seeds, err := p.store.StaleSeeds(ctx, p.sealer.Newest(), storage.ID{}, 0)
	if err != nil {
		return 0, err
	}
	_, points, err := p.store.StaleCheckpoints(ctx, p.sealer.Newest(), 0, 0)
	if err != nil {
		return 0, err
	}
	secrets, err := p.clients.StillOlder(ctx)
	return n + seeds + points + secrets, err
}

// reseal is the round of Reseal in the upkeep: there is nothing to do while there is one secret key.
func (p *Provider) reseal(ctx context.Context) error {
	if !p.sealer.Several() {
		return nil
	}
	s, err := p.Reseal(ctx)
	log := p.config.Logger.With(slog.Int("done", s.Done), slog.Int("left", s.Left))
	switch {
	case s.Left > 0:
		log.InfoContext(ctx, "re-sealing under the newest secret key; the older ones are still needed")
	case s.Done > 0 && err == nil:
		log.InfoContext(ctx, "everything is sealed under the newest secret key; the older ones may be taken out of SIGNET_SECRET_KEY")
	}
	return err
}
