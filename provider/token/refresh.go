package token

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// deadRefreshToken is one answer for every refresh token that does not work; cause is for the log. A wrong client learns nothing.
func deadRefreshToken(cause deadToken) error {
	return oauth.Errorf(oauth.InvalidGrant, "the refresh token is not valid any more; sign in again").Because(&cause)
}

// refresh is the refresh token grant (RFC 6749 §6, RFC 9700 §4.14): parse the handle, find its row, is it admissible, what does
// the rotation rule say; then sign, and rotate on the condition that the row is still the one that was judged.
func (e *Endpoint) refresh(ctx context.Context, q *request) (*plan, error) {
	text, err := q.params.Need("refresh_token")
	if err != nil {
		return nil, err
	}
	h, err := e.Mint.Parse(handle.Refresh, text)
	if err != nil {
		return nil, deadRefreshToken(deadToken{cause: forged(handle.Refresh, text)})
	}
	s, err := e.Store.FindGrant(ctx, h.Grant)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, deadRefreshToken(dead(h.Grant, whyGone))
	}
	if err != nil {
		return nil, err
	}
	return e.present(ctx, q, s, presentation{
		what: "refresh token", handle: h, scope: q.params.Get("scope"), idToken: q.caller.Client.Metadata.IDTokenOnRefresh, dead: deadRefreshToken,
	})
}

// presentation is one use of a grant's refresh token, or of the device code that is the parent of the first.
type presentation struct {
	what    string // it is, for the log
	handle  handle.Handle
	scope   string                // that this one access token is asked to have; "": all
	idToken bool                  // answer with an ID token, where openid is granted
	dead    func(deadToken) error // the answer where it does not work
}

// present takes what was presented through the rules of docs/grants.md.
func (e *Endpoint) present(ctx context.Context, q *request, s storage.Standing, p presentation) (*plan, error) {
	c, h := q.caller.Client, p.handle
	policy := e.Clients.Policy(c)
	if why := unfit(s, h, c.ID, policy); why != "" { // rules 1 and 2
		return nil, p.dead(q.dead(fate(why, s, policy.Idle), s.Grant, h))
	}
	reach, err := e.reach(ctx, c, s.Grant)
	if err != nil {
		return nil, err
	}
	scope, audience, err := e.narrowed(q, reach, s.Grant, p.scope)
	if err != nil {
		return nil, err
	}
	to, err := e.aim(ctx, q, reach, scope, audience)
	if err != nil {
		return nil, err
	}
	presented := storage.Presented{Generation: h.Generation, Fork: h.Fork, KeyID: h.Key, Seen: q.seen}
	verdict := storage.Present(s.Grant, presented, policy, e.Mint.CurrentKey(), s.Now)
	e.Observer.Rotation(verdict.Outcome)
	if verdict.Outcome == storage.Reuse {
		if err := e.reuse(ctx, q, s.Grant); err != nil {
			return nil, err
		}
		return nil, p.dead(q.dead(client.Because("reuse of a dead "+p.what+": the grant was revoked, since the one that followed it is in use",
			append(lineage(s.Grant, h, q.seen), "refresh_rotation", string(policy.Rotation), "refresh_grace", policy.Grace.String())...), s.Grant, h))
	}
	newest := handle.Handle{Grant: h.Grant, Secret: h.Secret, Generation: s.Grant.Generation, Fork: s.Grant.Fork, Key: s.Grant.KeyID}
	if step := verdict.Step; step != nil {
		newest.Generation, newest.Fork, newest.Key = step.Generation, step.Fork, step.KeyID
	}
	plan := &plan{
		order: issue.Order{
			Client: c, Grant: refreshed(s.Grant), Scope: to.scope, Audience: to.audience, Form: to.form, Now: s.Now,
		},
		refresh: &newest,
		idToken: p.idToken && slices.Contains(to.scope, oauth.ScopeOpenID),
		settle:  e.rotate(q, s.Grant, verdict),
	}
	if plan.idToken {
		plan.person, err = e.askedInIDToken(ctx, s.Grant)
	}
	return plan, err
}

// unfit says what speaks against the token before the rotation rule is asked: rules 1 and 2. "" is nothing.
func unfit(s storage.Standing, h handle.Handle, clientID string, policy storage.Policy) string {
	switch {
	case s.Grant.ClientID != clientID:
		return whyForeign
	case s.Grant.Generation == 0 || !s.Grant.SecretHash.Equal(handle.SecretDigest(h.Secret)):
		return "secret is wrong: the grant never gave out this token"
	}
	if why := s.Refused(); why != storage.Admissible {
		return string(why)
	}
	if s.Idle(policy.Idle) {
		return string(storage.GrantIdle)
	}
	return ""
}

// dead is the cause of a refusal of this request's token. What became of it is told where the secret shows
// that it is the grant's, of a grant of this client.
func (q *request) dead(cause *client.Cause, g storage.Grant, h handle.Handle) deadToken {
	d := deadToken{cause: cause, grant: g.ID}
	if g.ClientID == q.caller.Client.ID && g.SecretHash.Equal(handle.SecretDigest(h.Secret)) {
		d.became = becameOf(g, h, q.seen)
	}
	return d
}

// narrowed is what this one access token is asked to be good for: never more than the grant, and never more than is still within the
// client's reach, and nothing where it has come to require a second factor that the sign-in did not have. The grant itself keeps
// its scope. asked is the scope parameter, "" for all that stands.
func (e *Endpoint) narrowed(q *request, reach client.Reach, g storage.Grant, asked string) (scope, audience []string, err error) {
	if q.caller.Client.Metadata.RequireSecondFactor && !slices.Contains(g.AMR, oauth.AMRMFA) {
		return nil, nil, oauth.Errorf(oauth.InvalidGrant, "this client requires a second factor by now, and the sign-in had none; sign in again").
			Because(client.Because("the client is registered for require_second_factor, and the sign-in had none", "amr", strings.Join(g.AMR, " ")))
	}
	if audience, err = standingAudience(reach, g); err != nil {
		return nil, nil, err
	}
	standing := reach.Scope(g.Scope, audience)
	if asked == "" {
		scope = standing
	} else if scope, err = oauth.ParseScope(asked); err != nil {
		return nil, nil, err
	} else if !oauth.Within(scope, standing) {
		return nil, nil, oauth.Errorf(oauth.InvalidScope, "the scope has a value that was not granted").Because(client.Beyond("scope", scope, standing))
	}
	if len(q.params.All("resource")) > 0 {
		audience, err = requestedAudience(q.params, audience, e.IssuerURL, scope)
	}
	return scope, audience, err
}

// standingAudience is what of the grant's audience is still within its client's reach.
func standingAudience(reach client.Reach, g storage.Grant) ([]string, error) {
	audience := reach.Audience(g.Audience)
	if len(audience) == 0 {
		return nil, oauth.Errorf(oauth.InvalidTarget, "this client is no longer registered for any resource that was granted").
			Because(client.Because("what was granted is out of the client's reach by now", "granted", strings.Join(g.Audience, " ")))
	}
	return audience, nil
}

// refreshed is the grant as a refreshed ID token speaks of it: without the nonce of the first (OpenID Connect Core §12.2).
func refreshed(g storage.Grant) *storage.Grant {
	g.Nonce = ""
	return &g
}

// rotate is the one write of a refresh, and what is told to the audit log with it.
func (e *Endpoint) rotate(q *request, g storage.Grant, v storage.Verdict) func(context.Context) error {
	var events []storage.Event
	if v.Adopted {
		events = append(events, e.event(q, g, "grant.adopted"))
	}
	if v.Foreign {
		events = append(events, e.event(q, g, "grant.refresh_shared"))
	}
	switch {
	case v.Step == nil && len(events) == 0:
		return nil
	case v.Step == nil:
		return func(ctx context.Context) error { return e.Store.RecordEvents(ctx, events) }
	}
	step := *v.Step
	step.Also.Events = events
	return func(ctx context.Context) error {
		err := e.Store.RotateGrant(ctx, step)
		if !errors.Is(err, storage.ErrUnknown) || ctx.Err() != nil {
			return err
		}
		// The answer of the commit was lost. It is never repeated blindly: the row says whether it was ours.
		now, lookErr := e.Store.FindGrant(ctx, step.ID)
		if lookErr == nil && step.CarriedBy(now.Grant) {
			return nil
		}
		return err
	}
}

// reuse ends the grant: a dead token is still in somebody's hands (rule 7). The revocation commits before the answer is given; a
// row that moved meanwhile is judged again.
func (e *Endpoint) reuse(ctx context.Context, q *request, g storage.Grant) error {
	event := e.event(q, g, "grant.reuse")
	letter := storage.Letter{Kind: "refresh_token_reuse", UserID: g.UserID, Data: map[string]string{
		"client_id": g.ClientID, "address": q.seen.Address,
	}}
	_, err := e.Store.RevokeGrant(ctx, storage.Revocation{
		ID: g.ID, Revision: g.Revision, Reason: storage.ReasonReuse,
		Also: storage.Also{Events: []storage.Event{event}, Letters: []storage.Letter{letter}},
	})
	if errors.Is(err, storage.ErrNotFound) { // swept meanwhile: as dead as it can be
		return nil
	}
	return err
}

// event is an audit event about a presentation: who it is now, and who made the last exchange.
func (e *Endpoint) event(q *request, g storage.Grant, kind string) storage.Event {
	return storage.Event{
		Kind: kind, Actor: g.ClientID, UserID: g.UserID, ClientID: g.ClientID, GrantID: g.ID, Seen: q.seen,
		Detail: map[string]string{"last_address": g.Seen.Address, "last_agent": g.Seen.Agent},
	}
}
