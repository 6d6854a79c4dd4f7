package token

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// activate makes the grant active at now: it gives the grant its secret, sets its end and issues generation 1 where the client
// refreshes. What is not offline ends with the browser session that it was given in. A plan for the grant's first tokens comes of it.
func (e *Endpoint) activate(q *request, g *storage.Grant, form client.TokenForm, now time.Time, secret storage.Secret) *plan {
	c := q.caller.Client
	var sessionEnds time.Time
	if g.Pending != nil && !g.Offline {
		sessionEnds = g.Pending.SessionEnds
	}
	g.State, g.Pending, g.UserCode, g.Seen = storage.Active, nil, storage.Digest{}, q.seen
	p := &plan{
		order: issue.Order{
			Client: c, Grant: g, Scope: g.Scope, Audience: g.Audience, Form: form, Now: now,
		},
		idToken: slices.Contains(g.Scope, oauth.ScopeOpenID),
		signIn:  true,
	}
	g.SecretHash, g.KeyID = handle.SecretDigest(secret), e.Mint.CurrentKey()
	g.ExpiresAt = now.Add(form.Lifetime)
	if slices.Contains(c.Metadata.GrantTypes, oauth.GrantRefreshToken) {
		g.Generation, g.IssuedAt = 1, now
		g.ExpiresAt = now.Add(e.Clients.RefreshTokenLifetime(c))
		p.refresh = &handle.Handle{Grant: g.ID, Generation: 1, Secret: secret, Key: g.KeyID}
	}
	if !sessionEnds.IsZero() && sessionEnds.Before(g.ExpiresAt) {
		g.ExpiresAt = sessionEnds
	}
	return p
}

// approved is the plan that redeems what a person approved in a browser: a code, or a device. The grant gets the secret, and no more
// than its client is still registered for; the request may narrow its first access token to some of the resources (RFC 8707 §2.2).
func (e *Endpoint) approved(ctx context.Context, q *request, s storage.Standing, secret storage.Secret) (*plan, error) {
	g := s.Grant
	reach, err := e.reach(ctx, q.caller.Client, g)
	if err != nil {
		return nil, err
	}
	scope, audience, err := e.narrowed(q, reach, g, "")
	if err != nil {
		return nil, err
	}
	to, err := e.aim(ctx, q, reach, scope, audience)
	if err != nil {
		return nil, err
	}
	g.Scope = scope
	if g.Audience, err = standingAudience(reach, g); err != nil {
		return nil, err
	}
	p := e.activate(q, &g, to.form, s.Now, secret)
	p.order.Scope, p.order.Audience = to.scope, to.audience
	if p.idToken {
		if p.person, err = e.askedInIDToken(ctx, g); err != nil {
			return nil, err
		}
	}
	p.settle = func(ctx context.Context) error {
		err := e.Store.RedeemGrant(ctx, storage.Redemption{Grant: g, Revision: s.Grant.Revision})
		if !errors.Is(err, storage.ErrUnknown) || ctx.Err() != nil {
			return err
		}
		// The answer of the commit was lost. It is never repeated blindly: the row says whether it was ours.
		now, lookErr := e.Store.FindGrant(ctx, g.ID)
		if lookErr == nil && redeemedAs(now.Grant, g) {
			return nil
		}
		return err
	}
	return p, nil
}

// redeemedAs reports whether the row is what this redemption made of it. want is as it was written, at the revision that was read.
func redeemedAs(row, want storage.Grant) bool {
	return row.State == storage.Active && row.Revision == want.Revision+1 && row.SecretHash.Equal(want.SecretHash) &&
		row.Generation == want.Generation && row.IssuedAt.Equal(want.IssuedAt) && row.ExpiresAt.Equal(want.ExpiresAt) &&
		row.KeyID == want.KeyID && row.Seen == want.Seen
}

// askedInIDToken are the claims about the person that were asked for in the ID token, one by one (OpenID Connect Core §5.5).
func (e *Endpoint) askedInIDToken(ctx context.Context, g storage.Grant) (map[string]any, error) {
	if g.Claims == nil || len(g.Claims.IDToken) == 0 {
		return nil, nil
	}
	person, err := e.Store.FindUser(ctx, g.UserID)
	if errors.Is(err, storage.ErrNotFound) { // deleted meanwhile: the grant is gone too, as the write will find
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	addClaims(claims, person.User, g.Claims.IDToken)
	return claims, nil
}

// addClaims adds those of the named claims that the person has.
func addClaims(claims map[string]any, person storage.User, names []string) {
	for name, value := range account.Claims(person, oauth.UserScopes()) {
		if slices.Contains(names, name) {
			claims[name] = value
		}
	}
}
