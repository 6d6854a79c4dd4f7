package authorize

import (
	"context"
	"errors"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// client finds an enabled client, with the store's clock. Where its ID is the address of its description, that is read here.
func (d *Door) client(ctx context.Context, id string, seen storage.Seen) (storage.Client, time.Time, error) {
	if id == "" {
		return storage.Client{}, time.Time{}, refuse(HeadingUnknownClient, oauth.InvalidRequest, "the parameter client_id is missing")
	}
	c, now, err := d.Clients.Arrive(ctx, id, seen)
	var fault *client.DocumentFault
	switch {
	case errors.As(err, &fault):
		refusal := refuse(HeadingUnknownClient, oauth.InvalidClient, fault.Description)
		refusal.cause = err
		return c, now, refusal
	case errors.Is(err, storage.ErrNotFound):
		return c, now, refuse(HeadingUnknownClient, oauth.InvalidClient, "no application is registered here with this client_id")
	case err != nil:
		return c, now, err
	case !c.DisabledAt.IsZero():
		refusal := refuse(HeadingClientDisabled, oauth.UnauthorizedClient, "this application is switched off at this server")
		refusal.ClientID, refusal.cause = id, client.Disabled(c)
		return c, now, refusal
	}
	return c, now, nil
}
