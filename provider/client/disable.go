package client

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

// Disable makes the client and all that was issued to it useless until an operator or administrator enables it. Disabling twice changes
// nothing.
func (r *Registry) Disable(ctx context.Context, id, actor string) (storage.Client, error) {
	return r.DisableFor(ctx, id, storage.DisabledByOperator, actor)
}

// DisableFor is Disable with a reason, which says who may enable the client again. Where it is disabled already an operator's reason
// takes the place of another; no other reason does.
func (r *Registry) DisableFor(ctx context.Context, id string, why storage.DisabledFor, actor string) (storage.Client, error) {
	return r.change(ctx, id, "client.disabled", actor, func(c *storage.Client, now time.Time) (bool, error) {
		if !c.DisabledAt.IsZero() && (why != storage.DisabledByOperator || c.DisabledFor == why) {
			return false, nil
		}
		if c.DisabledAt.IsZero() {
			c.DisabledAt = now
		}
		c.DisabledFor = why
		return true, nil
	})
}

// Enable undoes Disable, and lets in what waits for an administrator. What was issued before works again, unless it expired or was
// revoked.
func (r *Registry) Enable(ctx context.Context, id, actor string) (storage.Client, error) {
	return r.change(ctx, id, "client.enabled", actor, func(c *storage.Client, _ time.Time) (bool, error) {
		if c.DisabledAt.IsZero() {
			return false, nil
		}
		c.DisabledAt, c.DisabledFor = time.Time{}, ""
		return true, nil
	})
}
