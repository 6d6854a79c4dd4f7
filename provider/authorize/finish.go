package authorize

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// codeLifetime is how long an authorization code may be redeemed (RFC 9700 §2.1.1 and FAPI 2.0 want a minute at most).
const codeLifetime = time.Minute

// Issue makes the code of a passage at StepIssue, in one commit with all that it relies on, and returns the answer with it. ErrAgain:
// the session or the person changed since. A *Refusal (errors.As): the pushed request was completed before.
func (d *Door) Issue(ctx context.Context, v *browser.Visit, p *Passage) (*Returned, error) {
	answer, err := d.issue(ctx, v, p)
	if err != nil {
		return nil, d.report("authorize", p.Client.ID, v.Seen, err)
	}
	d.Observer.FrontDoor("authorize", "")
	return answer, nil
}

func (d *Door) issue(ctx context.Context, v *browser.Visit, p *Passage) (*Returned, error) {
	if p.Step != StepIssue || p.Account == nil || p.Target.IsZero() {
		return nil, ErrAgain
	}
	audience, fault := d.audience(p.reach, p.Request)
	if fault != nil {
		return nil, d.returnError(p, fault)
	}
	id, err := newID()
	if err != nil {
		return nil, err
	}
	secret := handle.NewSecret()
	g := given(p.Request, *p.Account)
	g.ID, g.ClientID, g.Scope, g.Audience, g.Nonce, g.Claims = id, p.Client.ID, p.Request.Scope, audience, p.Request.Nonce, p.Request.Claims
	g.State, g.Pending = storage.Pending, &storage.Waiting{
		Kind: storage.WaitingCode, RedirectURI: p.Request.RedirectURI, Challenge: p.Request.Challenge, SessionEnds: sessionEnds(g, *p.Account),
	}
	g.KeyID, g.SecretHash, g.CodeHash = d.Mint.CurrentKey(), handle.SecretDigest(secret), handle.CodeDigest(secret, p.Request.Challenge)
	g.CreatedAt, g.ExpiresAt, g.Seen = p.Now, p.Now.Add(codeLifetime), v.Seen
	code, err := d.Mint.Handle(handle.Code, handle.Handle{Grant: id, Secret: secret, Key: g.KeyID})
	if err != nil {
		return nil, err
	}
	spend := relied(*p.Account)
	spend.Pushed = p.Request.Pushed
	switch err := d.Store.CreateGrant(ctx, g, spend, storage.Also{}); {
	case errors.Is(err, storage.ErrMoved):
		return nil, ErrAgain
	case errors.Is(err, storage.ErrSpent):
		used := refuse(HeadingUsed, oauth.InvalidRequestURI, "this request was completed already: go back to the application and begin again")
		used.ClientID, used.cause = p.Client.ID, err
		return nil, used
	case err != nil:
		return nil, err
	}
	return d.answer(p, [2]string{"code", code}), nil
}

// given is a grant of what the account's sign-in proved.
func given(r Request, a browser.Account) storage.Grant {
	return storage.Grant{
		UserID: a.User.ID, SessionID: a.Session.ID, Offline: r.Offline(),
		ACR: stated(r, a.Session), AMR: a.Session.AMR, AuthTime: a.Session.AuthTime,
	}
}

// sessionEnds is when g ends with its session at the latest; zero for one that outlives it.
func sessionEnds(g storage.Grant, a browser.Account) time.Time {
	if g.Offline {
		return time.Time{}
	}
	return a.Session.ExpiresAt
}

// relied is what an act in the account's name relies on: person and session, as they were read.
func relied(a browser.Account) storage.Spend {
	return storage.Spend{
		UserID: a.User.ID, UserRevision: a.User.Revision, SessionID: a.Session.ID, SessionRevision: a.Session.Revision,
	}
}

// Allow remembers that the account allowed all that a passage at StepConsent asks. ErrAgain: it is asked no longer.
func (d *Door) Allow(ctx context.Context, v *browser.Visit, p *Passage) error {
	if p.Step != StepConsent || p.Account == nil {
		return ErrAgain
	}
	err := d.Store.RememberConsent(ctx, storage.Consent{
		UserID: p.Account.User.ID, ClientID: p.Client.ID,
		Scope: p.Asked.Scope, Claims: p.Asked.Claims, Resources: p.Asked.Resources,
	}, storage.Also{Events: []storage.Event{d.answered("consent.given", v, p)}})
	if errors.Is(err, storage.ErrNotFound) { // the person or the client is gone: the hub says so
		return ErrAgain
	}
	return err
}

// Deny is the person's no, at whatever step: access_denied for the client, and an event where it is known who said so.
func (d *Door) Deny(ctx context.Context, v *browser.Visit, p *Passage) (*Returned, error) {
	if p.Target.IsZero() {
		return nil, refuse(HeadingInvalid, oauth.InvalidRequest, "there is no application that could be told")
	}
	if p.Account != nil && p.Account.Session.SignedIn() {
		if err := d.Store.RecordEvents(ctx, []storage.Event{d.answered("consent.denied", v, p)}); err != nil {
			return nil, err
		}
	}
	d.Observer.FrontDoor("authorize", oauth.AccessDenied)
	return d.answer(p, [2]string{"error", string(oauth.AccessDenied)}, [2]string{"error_description", "the person refused"}), nil
}

// answered is the event of what a person said to a client.
func (d *Door) answered(kind string, v *browser.Visit, p *Passage) storage.Event {
	user := p.Account.User.ID
	return storage.Event{
		Kind: kind, Actor: user.String(), UserID: user, ClientID: p.Client.ID, Seen: v.Seen,
		Detail: details(p.Asked),
	}
}

// details are what was asked, for the audit log.
func details(a Ask) map[string]string {
	detail := map[string]string{"scope": oauth.JoinScope(a.Scope)}
	if len(a.Claims) > 0 {
		detail["claims"] = strings.Join(a.Claims, " ")
	}
	if len(a.Resources) > 0 {
		detail["resource"] = strings.Join(a.Resources, " ")
	}
	return detail
}
