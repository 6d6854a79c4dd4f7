package client

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

// Lookup reads the client that a request names, disabled ones too, with the store's clock. storage.ErrNotFound; for a text that can be
// no client_id the store is not asked.
func (r *Registry) Lookup(ctx context.Context, id string) (storage.Client, time.Time, error) {
	if !presentable(id) {
		return storage.Client{}, time.Time{}, storage.ErrNotFound
	}
	return r.store.FindClient(ctx, id)
}
