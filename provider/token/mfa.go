package token

import (
	"context"
	"errors"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// maxTries is how many codes may be tried at one mfa_token.
const maxTries = 5

// mfa is the second step of the password grant (docs/contract.md): the mfa_token of the first, and a one-time code or a
// recovery code. Trying is counted before the code is looked at, so that parallel guesses get no more tries than others.
func (e *Endpoint) mfa(ctx context.Context, q *request) (*plan, error) {
	text, err := q.params.Need("mfa_token")
	if err != nil {
		return nil, err
	}
	otp, recovery := q.params.Get("otp"), q.params.Get("recovery_code")
	if (otp == "") == (recovery == "") {
		return nil, oauth.Errorf(oauth.InvalidRequest, "send either otp or recovery_code")
	}
	s, err := e.findWaiting(ctx, q, text)
	if err != nil {
		return nil, err
	}
	person, err := e.Store.FindUser(ctx, s.Grant.UserID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, deadMFAToken(client.Because("user is gone"))
	}
	if err != nil {
		return nil, err
	}
	ticket, err := e.Limiter.SecondFactor(ctx, person.User.ID, q.throttled())
	if err != nil {
		return nil, err
	}
	if err := e.Store.TryGrant(ctx, s.Grant.ID, s.Grant.Revision); err != nil {
		_ = ticket.GiveBack(ctx) // the code was not looked at: no failure
		return nil, err
	}
	spend, amr, err := e.People.ProveFactor(person, account.Proof{OTP: otp, RecoveryCode: recovery})
	if err != nil {
		return nil, e.wrongFactor(ctx, q, person.User.ID, err)
	}
	return e.redeem(ctx, q, s, person.User, spend, append([]string{oauth.AMRPassword}, amr...), ticket)
}

// redeem is the plan that activates the pending grant, for no more than its client is still registered for.
func (e *Endpoint) redeem(
	ctx context.Context, q *request, s storage.Standing, u storage.User, spend storage.Spend, amr []string, ticket *throttle.Ticket,
) (*plan, error) {
	g := s.Grant
	tried := g.Revision + 1
	g.ACR, g.AMR = oauth.ACRMFA, amr
	reach := client.Registered(q.caller.Client.Metadata, e.IssuerURL)
	audience, err := standingAudience(reach, g)
	if err != nil {
		return nil, err
	}
	to, err := e.aim(ctx, q, reach, reach.Scope(g.Scope, audience), audience)
	if err != nil {
		return nil, err
	}
	g.Scope, g.Audience = to.scope, to.audience
	p := e.activate(q, &g, to.form, s.Now, handle.NewSecret())
	p.settle = e.settle(q, u, ticket, func(ctx context.Context) error {
		return e.Store.RedeemGrant(ctx, storage.Redemption{
			Grant: g, Revision: tried, Spend: spend, Also: storage.Also{Events: []storage.Event{signedIn(q, g)}},
		})
	})
	return p, nil
}

// findWaiting reads the half-done sign-in that the mfa_token names. Whatever speaks against it, nothing changes: a wrong client
// learns nothing and harms nobody.
func (e *Endpoint) findWaiting(ctx context.Context, q *request, text string) (storage.Standing, error) {
	h, err := e.Mint.Parse(handle.MFA, text)
	if err != nil {
		return storage.Standing{}, deadMFAToken(forged(handle.MFA, text))
	}
	s, err := e.Store.FindGrant(ctx, h.Grant)
	if errors.Is(err, storage.ErrNotFound) {
		return storage.Standing{}, deadMFAToken(client.Because(whyGone))
	}
	if err != nil {
		return storage.Standing{}, err
	}
	g := s.Grant
	switch {
	case g.ClientID != q.caller.Client.ID:
		return storage.Standing{}, deadMFAToken(client.Because(whyForeign))
	case !g.SecretHash.Equal(handle.SecretDigest(h.Secret)):
		return storage.Standing{}, deadMFAToken(client.Because("secret is wrong"))
	case g.State != storage.Pending || g.Pending == nil || g.Pending.Kind != storage.WaitingMFA:
		return storage.Standing{}, deadMFAToken(client.Because("grant does not wait for a second factor: the mfa_token was used"))
	case !s.Now.Before(g.ExpiresAt):
		return storage.Standing{}, deadMFAToken(client.Because("expired: an mfa_token lives for five minutes",
			client.DetailExpiresAt, client.Instant(g.ExpiresAt), client.DetailNow, client.Instant(s.Now)))
	case g.Pending.Tries >= maxTries:
		return storage.Standing{}, oauth.Errorf(oauth.InvalidGrant, "too many codes were tried with this mfa_token; sign in again")
	}
	if why := s.Withdrawn(); why != storage.Admissible {
		return storage.Standing{}, deadMFAToken(client.Because(string(why)))
	}
	return s, nil
}

// deadMFAToken is one answer for every mfa_token that does not go on; why is for the log.
func deadMFAToken(why *client.Cause) error {
	return oauth.Errorf(oauth.InvalidGrant, "the mfa_token is not valid, or has expired; sign in again").Because(why)
}
