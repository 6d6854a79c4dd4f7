package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

// resealPage is how many clients are read at once.
const resealPage = 200

// Reseal puts the secrets that are sealed under an older secret key under the newest, client by client; left is how many stay under an
// older one, because it was not given or somebody else changed the client meanwhile. It may be stopped anywhere.
func (r *Registry) Reseal(ctx context.Context) (done, left int, err error) {
	err = r.eachStale(ctx, func(c storage.Client, stale []int) error {
		resealed := 0
		for _, i := range stale {
			sealed, err := r.config.Sealer.Reseal(c.Secrets[i].Sealed, secretRow(c.ID))
			switch {
			case err == nil:
				c.Secrets[i].Sealed = sealed
				resealed++
			case !errors.Is(err, keys.ErrWrongKey) && !errors.Is(err, keys.ErrTampered):
				return fmt.Errorf("reseal the secrets of client %s: %w", c.ID, err)
			}
		}
		left += len(stale)
		if resealed == 0 {
			return nil
		}
		err := r.store.UpdateClient(ctx, c, storage.Also{})
		switch {
		case err == nil:
			left -= resealed
			done += resealed
		case errors.Is(err, storage.ErrNotFound):
			left -= len(stale)
		case !errors.Is(err, storage.ErrMoved):
			return fmt.Errorf("reseal the secrets of client %s: %w", c.ID, err)
		}
		return nil
	})
	return done, left, err
}

// StillOlder counts the secrets that are not sealed under the newest secret key.
func (r *Registry) StillOlder(ctx context.Context) (n int, err error) {
	err = r.eachStale(ctx, func(_ storage.Client, stale []int) error {
		n += len(stale)
		return nil
	})
	return n, err
}

// eachStale visits the clients with secrets under an older secret key; stale are their places.
func (r *Registry) eachStale(ctx context.Context, visit func(c storage.Client, stale []int) error) error {
	if r.config.Sealer == nil {
		return nil
	}
	after := ""
	for {
		page, err := r.store.ListClients(ctx, after, resealPage)
		if err != nil {
			return err
		}
		for _, c := range page {
			var stale []int
			for i, s := range c.Secrets {
				if r.config.Sealer.Stale(s.Sealed) {
					stale = append(stale, i)
				}
			}
			if len(stale) == 0 {
				continue
			}
			if err := visit(c, stale); err != nil {
				return err
			}
		}
		if len(page) < resealPage {
			return nil
		}
		after = page[len(page)-1].ID
	}
}
