package developer

import (
	"context"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Usage is what the app did on each of the last 30 days, newest first; days without use are left out.
func (d *Developers) Usage(ctx context.Context, by By, id string) ([]storage.ClientUsage, error) {
	if _, _, err := d.find(ctx, by, id, see); err != nil {
		return nil, err
	}
	return d.store.ListUsage(ctx, id, usageDays)
}

// Refusals are the refused requests of the last day that named the app, newest first, a page at a time: those before the one with the
// ID before ("": the newest too). more says whether there are others behind them. They are told as the app's owner may know them.
func (d *Developers) Refusals(ctx context.Context, by By, id, before string) (page []storage.RefusedRequest, more bool, err error) {
	if _, _, err := d.find(ctx, by, id, see); err != nil {
		return nil, false, err
	}
	page, err = d.store.ListRefusals(ctx, id, before, refusalsPage+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(page) > refusalsPage; more {
		page = page[:refusalsPage]
	}
	for i := range page {
		page[i] = forOwner(page[i])
	}
	return page, more, nil
}

// forOwner leaves out what the owner of an app has no business with: why a person's password or code was not taken, which tells who has
// an account here, and the number of the grant, which opens nothing to them. The caller's address and agent are the app's own.
func forOwner(r storage.RefusedRequest) storage.RefusedRequest {
	r.GrantID = storage.ID{}
	if r.GrantType == oauth.GrantPassword || r.GrantType == oauth.GrantMFAOTP {
		if r.Code == string(oauth.InvalidGrant) {
			r.Cause, r.Token, r.Detail = "", "", nil
		}
	}
	return r
}
