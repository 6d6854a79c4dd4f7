package token

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

const (
	// pollInterval is how long a device waits between polls where nothing else was agreed (RFC 8628 §3.2).
	pollInterval = 5 * time.Second
	// slowDown is what each poll that comes too early adds to it (§3.5).
	slowDown = 5 * time.Second
)

// device is the device code grant (RFC 8628 §3.4). While the person has not answered, each poll is noted in the row, so that every
// node knows how fast the device asks. The device code becomes the parent of the first refresh token: a device that lost the answer
// asks again and is judged by the rotation rule.
func (e *Endpoint) device(ctx context.Context, q *request) (*plan, error) {
	text, err := q.params.Need("device_code")
	if err != nil {
		return nil, err
	}
	h, err := e.Mint.Parse(handle.Device, text)
	if err != nil {
		return nil, deadDeviceCode(deadToken{cause: forged(handle.Device, text)})
	}
	s, err := e.Store.FindGrant(ctx, h.Grant)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, deadDeviceCode(dead(h.Grant, whyGone))
	}
	if err != nil {
		return nil, err
	}
	g := s.Grant
	switch {
	case g.ClientID != q.caller.Client.ID:
		return nil, deadDeviceCode(dead(g.ID, whyForeign))
	case h.Generation != 0 || h.Fork != 0:
		return nil, deadDeviceCode(dead(g.ID, "no device code was ever made like this"))
	case g.State == storage.Active && g.Generation == 0:
		return nil, deadDeviceCode(dead(g.ID, "device code was used, and its client has no refresh tokens", "redeemed_from", whence(g, q.seen)))
	case g.State != storage.Pending:
		return e.present(ctx, q, s, presentation{
			what: "device code", handle: h, idToken: slices.Contains(g.Scope, oauth.ScopeOpenID), dead: deadDeviceCode,
		})
	case g.Pending == nil || g.Pending.Kind != storage.WaitingDevice || !g.SecretHash.Equal(handle.SecretDigest(h.Secret)):
		return nil, deadDeviceCode(dead(g.ID, "grant does not wait for this device"))
	case !s.Now.Before(g.ExpiresAt):
		return nil, oauth.Errorf(oauth.ExpiredToken, "the device code has expired: start again").Because(client.Because(
			"device code has expired: nobody allowed the device in time", client.DetailIssuedAt, client.Instant(g.CreatedAt),
			client.DetailExpiresAt, client.Instant(g.ExpiresAt), client.DetailNow, client.Instant(s.Now)))
	case g.Pending.Answer == storage.DeviceDenied:
		return nil, oauth.Errorf(oauth.AccessDenied, "the person refused the request")
	case g.Pending.Answer != storage.DeviceApproved:
		return nil, e.poll(ctx, s)
	}
	if why := sessionOrPeople(s); why != nil {
		return nil, deadDeviceCode(deadToken{cause: why, grant: g.ID})
	}
	return e.approved(ctx, q, s, h.Secret)
}

// poll notes that the device asked, and tells it to wait: longer from now on where it asked too early. The note is the one write of a
// request that is refused for it; one that loses the race for the row is judged again.
func (e *Endpoint) poll(ctx context.Context, s storage.Standing) error {
	g, waiting := s.Grant, *s.Grant.Pending
	interval := cmp.Or(waiting.Interval, pollInterval)
	refusal := oauth.Errorf(oauth.AuthorizationPending, "the person has not answered yet: ask again after the interval")
	if !waiting.PolledAt.IsZero() && s.Now.Before(waiting.PolledAt.Add(interval)) {
		interval += slowDown
		refusal = oauth.Errorf(oauth.SlowDown, "the device asks too often: wait five seconds longer between requests from now on")
		refusal.Status = http.StatusBadRequest
	}
	refusal.RetryAfter = interval
	waiting.PolledAt, waiting.Interval = s.Now, interval
	g.Pending = &waiting
	if err := e.Store.RedeemGrant(ctx, storage.Redemption{Grant: g, Revision: s.Grant.Revision}); err != nil {
		return err
	}
	return refusal
}

// deadDeviceCode is one answer for every device code that does not work; cause is for the log. A wrong client learns nothing.
func deadDeviceCode(cause deadToken) error {
	return oauth.Errorf(oauth.InvalidGrant, "the device code is not valid, or was used before; start again").Because(&cause)
}
