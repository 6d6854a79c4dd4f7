package token

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// mfaTokenLifetime is how long a sign-in waits for its second factor.
const mfaTokenLifetime = 5 * time.Minute

// wrongPassword is one answer for unknown, wrong, disabled and passwordless.
func wrongPassword(cause error) error {
	return oauth.Errorf(oauth.InvalidGrant, "the username or the password is wrong").Because(cause)
}

// password is the resource owner password credentials grant (RFC 6749 §4.3) for the clients that are registered for it, with a
// second factor for the people who have one.
func (e *Endpoint) password(ctx context.Context, q *request) (*plan, error) {
	username, err := q.params.Need("username")
	if err != nil {
		return nil, err
	}
	password, err := q.params.Need("password")
	if err != nil {
		return nil, err
	}
	meta := q.caller.Client.Metadata
	scope, err := requestedScope(q.params, registeredScope(meta))
	if err != nil {
		return nil, err
	}
	reach := client.Registered(meta, e.IssuerURL)
	audience, err := requestedAudience(q.params, reach.Audience(q.params.All("resource")), e.IssuerURL, scope)
	if err != nil {
		return nil, err
	}
	to, err := e.aim(ctx, q, reach, scope, audience)
	if err != nil {
		return nil, err
	}
	person, err := e.provePassword(ctx, q, username, password)
	if err != nil {
		return nil, err
	}
	id, err := newID()
	if err != nil {
		return nil, err
	}
	g := storage.Grant{
		ID: id, ClientID: q.caller.Client.ID, UserID: person.User.ID, Scope: to.scope, Audience: to.audience,
		ACR: oauth.ACRPassword, AMR: []string{oauth.AMRPassword}, AuthTime: person.Now, CreatedAt: person.Now, Seen: q.seen,
	}
	spend := storage.Spend{UserID: person.User.ID, UserRevision: person.User.Revision}
	if !person.HasFactor() {
		if e.SecondFactor.Asks(person.User) || meta.RequireSecondFactor {
			return nil, oauth.Errorf(oauth.InvalidGrant, "this account must enrol a second factor before it can sign in here: its owner does so at the account page of this server")
		}
		return e.create(q, g, to.form, person.User, spend, nil)
	}
	if q.params.Get("otp") == "" {
		return nil, e.askSecondFactor(ctx, q, g, spend, person)
	}
	ticket, err := e.proveOTP(ctx, q, person, &spend)
	if err != nil {
		return nil, err
	}
	g.ACR, g.AMR = oauth.ACRMFA, []string{oauth.AMRPassword, oauth.AMROTP, oauth.AMRMFA}
	return e.create(q, g, to.form, person.User, spend, ticket)
}

// provePassword finds the person and checks the password. A refusal is recorded; its answer is the same whatever was wrong.
func (e *Endpoint) provePassword(ctx context.Context, q *request, username, password string) (storage.SignIn, error) {
	candidate, person, err := e.People.SignIn(ctx, e.Limiter, q.throttled(), username, storage.NewSecret([]byte(password)))
	if !errors.Is(err, account.ErrWrong) {
		return person, err
	}
	if err := e.refused(ctx, q, "signin.failed", candidate.UserID()); err != nil {
		return storage.SignIn{}, err
	}
	return storage.SignIn{}, wrongPassword(err)
}

// throttled is who this request counts against: a confidential client that forwards its users' passwords, else an address.
func (q *request) throttled() throttle.Caller {
	c := throttle.Caller{Address: q.seen.Address}
	if q.caller.Authenticated {
		c.ClientID = q.caller.Client.ID
	}
	return c
}

// proveOTP finds the device and time step of the one-time code and notes them to be spent with the grant. The ticket is the
// attempt that it took.
func (e *Endpoint) proveOTP(
	ctx context.Context, q *request, person storage.SignIn, spend *storage.Spend,
) (ticket *throttle.Ticket, err error) {
	if ticket, err = e.Limiter.SecondFactor(ctx, person.User.ID, q.throttled()); err != nil {
		return nil, err
	}
	if spend.FactorID, spend.Step, err = e.People.MatchFactor(person, q.params.Get("otp")); err != nil {
		return nil, e.wrongFactor(ctx, q, person.User.ID, err)
	}
	return ticket, nil
}

// wrongFactor records a refused second factor.
func (e *Endpoint) wrongFactor(ctx context.Context, q *request, user storage.ID, cause error) error {
	if !errors.Is(cause, account.ErrWrong) {
		return cause
	}
	if err := e.refused(ctx, q, "signin.second_factor_failed", user); err != nil {
		return err
	}
	return oauth.Errorf(oauth.InvalidGrant, "the code is wrong, expired or was used before").Because(cause)
}

func (e *Endpoint) refused(ctx context.Context, q *request, kind string, user storage.ID) error {
	return e.Store.RecordEvents(ctx, []storage.Event{{
		Kind: kind, Actor: q.caller.Client.ID, UserID: user, ClientID: q.caller.Client.ID, Seen: q.seen,
	}})
}

// askSecondFactor keeps the half-done sign-in as a pending grant and answers mfa_required with the handle that goes on with it, and
// with what of the person's it takes: a passkey signs at our own pages alone.
func (e *Endpoint) askSecondFactor(ctx context.Context, q *request, g storage.Grant, spend storage.Spend, person storage.SignIn) error {
	secret := handle.NewSecret()
	g.State, g.Pending = storage.Pending, &storage.Waiting{Kind: storage.WaitingMFA}
	g.SecretHash, g.ExpiresAt, g.KeyID = handle.SecretDigest(secret), g.CreatedAt.Add(mfaTokenLifetime), e.Mint.CurrentKey()
	mfaToken, err := e.Mint.Handle(handle.MFA, handle.Handle{Grant: g.ID, Secret: secret, Key: g.KeyID})
	if err != nil {
		return err
	}
	if err := e.Store.CreateGrant(ctx, g, spend, storage.Also{}); err != nil {
		return err
	}
	methods := []string{"otp", "recovery_code"}
	if len(person.Factors) == 0 {
		methods = methods[1:]
	}
	refusal := oauth.Errorf(oauth.MFARequired, "this account has a second factor: send its code with mfa_token and grant_type %s", oauth.GrantMFAOTP)
	refusal.Extra = map[string]any{"mfa_token": mfaToken, "mfa_methods": methods}
	return refusal
}

// create is the plan of a sign-in that is complete: one new row, and with it what the sign-in used up.
func (e *Endpoint) create(
	q *request, g storage.Grant, form client.TokenForm, u storage.User, spend storage.Spend, ticket *throttle.Ticket,
) (*plan, error) {
	p := e.activate(q, &g, form, g.CreatedAt, handle.NewSecret())
	p.settle = e.settle(q, u, ticket, func(ctx context.Context) error {
		return e.Store.CreateGrant(ctx, g, spend, storage.Also{Events: []storage.Event{signedIn(q, g)}})
	})
	return p, nil
}

// settle is the write of a sign-in. A second factor is right only once the write has spent it: one that was used before is a
// failure like any other, and otherwise its attempt (nil: there was none) is given back. Who has the factor has not lost it: a recovery
// that is under way is somebody else's, as at the sign-in page.
func (e *Endpoint) settle(
	q *request, u storage.User, ticket *throttle.Ticket, write func(context.Context) error,
) func(context.Context) error {
	return func(ctx context.Context) error {
		err := write(ctx)
		if errors.Is(err, storage.ErrSpent) {
			return e.wrongFactor(ctx, q, u.ID, fmt.Errorf("%w: %w", account.ErrWrong, err))
		}
		_ = ticket.GiveBack(ctx) // whatever became of the write: an attempt that is not given back comes back with time
		if err == nil && ticket != nil {
			_, _ = e.People.CancelRecovery(ctx, u, account.By{Actor: u.ID.String(), Seen: q.seen})
		}
		return err
	}
}

func signedIn(q *request, g storage.Grant) storage.Event {
	return storage.Event{
		Kind: "signin.succeeded", Actor: g.UserID.String(), UserID: g.UserID, ClientID: g.ClientID, GrantID: g.ID, Seen: q.seen,
		Detail: map[string]string{"acr": g.ACR},
	}
}
