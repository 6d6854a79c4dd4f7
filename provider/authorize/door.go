package authorize

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// ErrAgain says that what was decided holds no longer, since a session, a person or a grant moved in between: nothing was written.
// The caller sends the browser back to the hub with the Passage's Sealed, where it is decided again.
var ErrAgain = errors.New("authorize: something moved; decide again")

// Store is what the front door needs of the store.
type Store interface {
	storage.Consents
	storage.FrontDoor
	Grants
	History
	RecordEvents(ctx context.Context, events []storage.Event) error
	FindResources(ctx context.Context, identifiers []string) ([]storage.Resource, error)
}

// Grants is what the front door does with grants: it begins them.
type Grants interface {
	CreateGrant(ctx context.Context, g storage.Grant, spend storage.Spend, also storage.Also) error
	FindGrant(ctx context.Context, id storage.ID) (storage.Standing, error)
	RedeemGrant(ctx context.Context, r storage.Redemption) error
}

// Door is the front door. It is safe for concurrent use.
//
// What its methods return, apart from what they name: *oauth.Error for what the caller can mend (slow_down), otherwise one of
// storage's sentinels, wrapped.
type Door struct {
	Store     Store
	Clients   *client.Registry
	Browsers  *browser.Browsers
	Mint      *handle.Mint
	Issuer    *issue.Issuer
	Limiter   *throttle.Limiter
	IssuerURL string
	SignUp    bool // people may make accounts for themselves (prompt=create)
	Observer  Observer
}

// Step is what comes next. Its value is the path of the page that does it, but for StepIssue, which has none.
type Step string

// The steps.
const (
	StepSignIn       Step = "login"
	StepChoose       Step = "login/choose"
	StepSignUp       Step = "signup"
	StepSecondFactor Step = "mfa"
	StepEnrol        Step = "mfa/enrol"
	StepConsent      Step = "consent"
	StepDevice       Step = "device"
	StepAccount      Step = "account"
	StepIssue        Step = "issue"
)

// Passage is one request on its way, as it stands now.
type Passage struct {
	Request   Request
	Sealed    string             // the request, for the tx field of forms and addresses
	Client    storage.Client     // who asks; empty where no application does
	Target    oauth.Target       // where it returns; none where no application asks
	Accounts  []browser.Account  // who is signed in at this browser, wholly or half
	Account   *browser.Account   // whom it goes on with; nil: nobody yet
	Resources []storage.Resource // those of Asked that are registered, for their names; read for StepConsent alone
	Consent   storage.Consent    // what the account allowed the client before
	Asked     Ask                // all that is asked for
	Missing   Ask                // what of it was not allowed yet
	Step      Step
	Now       time.Time // the store's clock

	reach client.Reach
}

// Ask is what a client wants to be allowed.
type Ask struct {
	Scope     []string
	Claims    []string // single claims, by name, that the scope does not tell anyway
	Resources []string
}

// IsEmpty reports whether nothing is asked.
func (a Ask) IsEmpty() bool { return len(a.Scope)+len(a.Claims)+len(a.Resources) == 0 }

// Begin takes an authorization request in: a GET's query, or that of a POST that was redirected. An error that is a *Refusal
// (errors.As) belongs on our own page; one that is a *Returned is sent to the client.
func (d *Door) Begin(ctx context.Context, v *browser.Visit, p oauth.Params) (*Passage, error) {
	passage, clientID, err := d.begin(ctx, v, p)
	return passage, d.report("authorize", clientID, v.Seen, err)
}

func (d *Door) begin(ctx context.Context, v *browser.Visit, p oauth.Params) (passage *Passage, clientID string, err error) {
	clientID = p.Get("client_id")
	c, now, err := d.client(ctx, clientID, v.Seen)
	if err != nil {
		return nil, clientID, err
	}
	var pushed storage.Digest
	if secret, ok := strings.CutPrefix(p.Get("request_uri"), requestURIPrefix); ok {
		if p, pushed, err = d.pulled(ctx, c, secret); err != nil {
			return nil, clientID, err
		}
	}
	target, err := proveTarget(c, p)
	if err != nil {
		return nil, clientID, err
	}
	reach, err := d.asked(ctx, c, p)
	if err != nil {
		return nil, clientID, err
	}
	r, fault := d.parse(c, reach, p, !pushed.IsZero())
	r.Kind, r.ClientID, r.Target, r.Pushed, r.StartedAt = KindAuthorize, c.ID, target.String(), pushed, now
	passage = &Passage{Request: r, Client: c, Target: target, Accounts: v.Accounts, Now: now, reach: reach}
	if fault != nil {
		return nil, clientID, d.returnError(passage, fault)
	}
	if r.size() > maxRequest {
		return nil, clientID, d.returnError(passage, errTooLarge(r.size()))
	}
	if passage.Sealed, err = d.Browsers.Seal(v, r); err != nil {
		return nil, clientID, err
	}
	passage, err = d.pass(ctx, v, passage)
	return passage, clientID, err
}

// BeginDevice begins the way of a person who was shown a user code by a device: to sign in first. userCode is what is known of it
// already (verification_uri_complete); it fills the form in, and proves nothing.
func (d *Door) BeginDevice(ctx context.Context, v *browser.Visit, userCode string) (*Passage, error) {
	now, err := d.now(ctx, v)
	if err != nil {
		return nil, err
	}
	if code, ok := readUserCode(userCode); ok {
		userCode = showUserCode(code)
	} else {
		userCode = ""
	}
	p := &Passage{Request: Request{Kind: KindDevice, UserCode: userCode, StartedAt: now}, Now: now}
	if p.Sealed, err = d.Browsers.Seal(v, p.Request); err != nil {
		return nil, err
	}
	return d.pass(ctx, v, p)
}

// Resume goes on with a sealed request. Errors are those of Begin; a *Refusal besides where tx is of another browser, or too old.
func (d *Door) Resume(ctx context.Context, v *browser.Visit, tx string) (*Passage, error) {
	passage, clientID, err := d.resume(ctx, v, tx)
	return passage, d.report("authorize", clientID, v.Seen, err)
}

func (d *Door) resume(ctx context.Context, v *browser.Visit, tx string) (passage *Passage, clientID string, err error) {
	p := &Passage{Sealed: tx, Accounts: v.Accounts}
	if err := d.Browsers.Unseal(v, tx, &p.Request); err != nil {
		err = unsealed(err)
		if r := (*Refusal)(nil); errors.As(err, &r) && r.Heading == HeadingExpired {
			r.cause = expired(p.Request, r.cause)
		}
		return nil, p.Request.ClientID, err
	}
	switch p.Request.Kind {
	case KindDevice, KindAccount:
		if p.Now, err = d.now(ctx, v); err != nil {
			return nil, "", err
		}
	case KindAuthorize:
		clientID = p.Request.ClientID
		if p.Client, p.Now, err = d.client(ctx, clientID, v.Seen); err != nil {
			return nil, clientID, err
		}
		// The registration decides as it is now, not as it was when the request came.
		var ok bool
		if p.Target, ok = oauth.Match(p.Client.Metadata.RedirectURIs, p.Request.Target); !ok {
			return nil, clientID, mismatch(p.Client, p.Request.Target)
		}
		if p.reach, err = d.reach(ctx, p.Client, p.Request.Resources, p.Request.Scope); err != nil {
			return nil, clientID, err
		}
		if fault := d.stillMay(p); fault != nil {
			return nil, clientID, d.returnError(p, fault)
		}
	default:
		return nil, "", refuse(HeadingInvalid, oauth.InvalidRequest, "this is no authorization request")
	}
	passage, err = d.pass(ctx, v, p)
	return passage, clientID, err
}

// stillMay refuses a request that its client is not registered for any more. It is not narrowed: whoever may change a registration
// could have people asked about less than they then allow.
func (d *Door) stillMay(p *Passage) *oauth.Error {
	if !slices.Contains(p.Client.Metadata.GrantTypes, oauth.GrantAuthorizationCode) {
		return errNoGrant(p.Client, oauth.GrantAuthorizationCode)
	}
	if !oauth.Within(p.Request.Scope, withinReach(p.Client, p.reach, p.Request.Scope, p.Request.Resources)) {
		return oauth.Errorf(oauth.InvalidScope, "this client is not registered for all of the scope any more")
	}
	_, fault := d.audience(p.reach, p.Request)
	return fault
}

// pass asks what comes next.
func (d *Door) pass(ctx context.Context, v *browser.Visit, p *Passage) (*Passage, error) {
	p.Accounts, p.Asked = v.Accounts, asks(p.Request)
	st := standing{client: p.Client, accounts: v.Accounts, must: d.Browsers.MustHaveFactor, subject: d.known(p.Client), signUp: d.SignUp, now: p.Now}
	if account := st.whom(p.Request); account != nil {
		var err error
		if st.remembered, err = d.spared(ctx, v, account); err != nil {
			return nil, err
		}
		if p.Request.Kind == KindAuthorize {
			st.consent, err = d.Store.FindConsent(ctx, account.User.ID, p.Client.ID)
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				return nil, err
			}
			p.Consent = st.consent
		}
	}
	var fault *oauth.Error
	if p.Step, p.Account, fault = decide(p.Request, st); fault != nil {
		return nil, d.returnError(p, fault)
	}
	p.Missing = p.Asked.without(p.Consent)
	if p.Step == StepConsent && len(p.Asked.Resources) > 0 {
		var err error
		if p.Resources, err = d.Store.FindResources(ctx, p.Asked.Resources); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// spared reports whether this browser is remembered in place of the account's second factor. It is asked where that decides alone.
func (d *Door) spared(ctx context.Context, v *browser.Visit, a *browser.Account) (bool, error) {
	if !a.HasFactor || a.Session.ACR == oauth.ACRMFA || !d.Browsers.MustHaveFactor(a.User) {
		return false, nil
	}
	return d.Browsers.Remembers(ctx, v, a.User.ID)
}

// asks is all that r wants allowed.
func asks(r Request) Ask {
	return Ask{Scope: r.Scope, Claims: r.singleClaims(), Resources: r.Resources}
}

// without is what of a was not allowed by c.
func (a Ask) without(c storage.Consent) Ask {
	return Ask{Scope: except(a.Scope, c.Scope), Claims: except(a.Claims, c.Claims), Resources: except(a.Resources, c.Resources)}
}

// now is the store's clock.
func (d *Door) now(ctx context.Context, v *browser.Visit) (time.Time, error) {
	if !v.Now.IsZero() {
		return v.Now, nil
	}
	return d.Browsers.Clock(ctx)
}

// newID draws the ID of a grant.
func newID() (storage.ID, error) {
	id, err := uuid.NewV7()
	return storage.ID(id), err
}
