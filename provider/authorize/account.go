package authorize

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// AccountPage is a page on which people look after their own account, or their own apps. Its value is the path under /account, or with a
// slash before it under the issuer; a request names a page, and never an address, to return to.
type AccountPage string

// The pages.
const (
	AccountOverview AccountPage = ""
	AccountProfile  AccountPage = "profile"
	AccountPassword AccountPage = "password"
	AccountFactors  AccountPage = "factors"
	AccountSessions AccountPage = "sessions"
	AccountApps     AccountPage = "apps"
	AccountEvents   AccountPage = "events"
	AccountEmail    AccountPage = "email"
	AccountPasskeys AccountPage = "passkeys"
	AccountData     AccountPage = "data"
	AccountDelete   AccountPage = "delete"

	DeveloperApps       AccountPage = "/developer"
	DeveloperNew        AccountPage = "/developer/new"
	DeveloperWaiting    AccountPage = "/developer/waiting"
	DeveloperTokens     AccountPage = "/developer/tokens"
	DeveloperApp        AccountPage = "/developer/app"
	DeveloperSettings   AccountPage = "/developer/app/settings"
	DeveloperSecrets    AccountPage = "/developer/app/secrets"
	DeveloperRedirects  AccountPage = "/developer/app/redirects"
	DeveloperErrors     AccountPage = "/developer/app/errors"
	DeveloperDelete     AccountPage = "/developer/app/delete"
	DeveloperSnippets   AccountPage = "/developer/app/snippets"
	DeveloperPlayground AccountPage = "/developer/playground"
)

// Path is where the page is, under the issuer.
func (a AccountPage) Path() string {
	switch {
	case a == AccountOverview:
		return "/account"
	case strings.HasPrefix(string(a), "/"):
		return string(a)
	}
	return "/account/" + string(a)
}

// proofAge is for how long a proof opens the pages that change proofs: what was proven longer ago is asked for once more.
const proofAge = 10 * time.Minute

// guarded reports whether the page wants the person proven anew, with the second factor where there is one: what is changed there is
// what proves them or their apps, or all that is known of them, or cannot be undone.
func (a AccountPage) guarded() bool {
	switch a {
	case AccountPassword, AccountFactors, AccountEmail, AccountPasskeys, AccountData, AccountDelete, DeveloperNew, DeveloperTokens, DeveloperSettings,
		DeveloperSecrets, DeveloperDelete:
		return true
	}
	return false
}

// The bounds of what the pages read.
const (
	maxGrants     = 1000
	eventsPage    = 50
	eventsHorizon = 90 * 24 * time.Hour
)

// History is what people see of what was done in their name.
type History interface {
	ListGrants(ctx context.Context, of storage.GrantsOf, before storage.ID, limit int) ([]storage.Grant, time.Time, error)
	ListEvents(ctx context.Context, f storage.EventFilter) ([]storage.Event, error)
}

// BeginAccount begins the way of a person to a page of their own. It is at StepAccount where nothing is left to prove. pass is what the
// page needs again after that, "" for nothing: the page's to seal where nobody else may make one, and to check.
func (d *Door) BeginAccount(ctx context.Context, v *browser.Visit, page AccountPage, pass string) (*Passage, error) {
	now, err := d.now(ctx, v)
	if err != nil {
		return nil, err
	}
	r := Request{Kind: KindAccount, Page: page, Pass: pass, StartedAt: now}
	if page.guarded() {
		age := int64(proofAge / time.Second)
		r.MaxAge, r.ACRValues = &age, []string{oauth.ACRMFA}
	}
	p := &Passage{Request: r, Now: now}
	if p.Sealed, err = d.Browsers.Seal(v, r); err != nil {
		return nil, err
	}
	return d.pass(ctx, v, p)
}

// App is an application that a person has let in.
type App struct {
	Client    storage.Client
	Allowed   Ask
	Resources []storage.Resource // those of Allowed that are registered, for their names
	Since     time.Time
	UsedAt    time.Time // when it last got something; zero: nothing that is still good
}

// Apps are the applications that the person of a passage at StepAccount allowed something, or that have tokens in their name; those
// used last first. Errors: ErrAgain; the store's.
func (d *Door) Apps(ctx context.Context, p *Passage) ([]App, error) {
	if p.Step != StepAccount {
		return nil, ErrAgain
	}
	user := p.Account.User.ID
	byID := map[string]*App{}
	of := func(clientID string, since time.Time) *App {
		a := byID[clientID]
		if a == nil {
			a = &App{Client: storage.Client{ID: clientID}, Since: since}
			byID[clientID] = a
		}
		if since.Before(a.Since) {
			a.Since = since
		}
		return a
	}
	consents, err := d.Store.ListConsents(ctx, user)
	if err != nil {
		return nil, err
	}
	for _, c := range consents {
		of(c.ClientID, c.CreatedAt).Allowed = Ask{Scope: c.Scope, Claims: c.Claims, Resources: c.Resources}
	}
	grants, now, err := d.Store.ListGrants(ctx, storage.GrantsOf{UserID: user}, storage.ID{}, maxGrants)
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		if g.State != storage.Active || !now.Before(g.ExpiresAt) {
			continue
		}
		a := of(g.ClientID, g.CreatedAt)
		a.Allowed.Scope = append(a.Allowed.Scope, except(g.Scope, a.Allowed.Scope)...)
		a.Allowed.Resources = append(a.Allowed.Resources, except(g.Audience, append([]string{d.IssuerURL}, a.Allowed.Resources...))...)
		for _, at := range []time.Time{g.CreatedAt, g.IssuedAt} {
			if at.After(a.UsedAt) {
				a.UsedAt = at
			}
		}
	}
	return d.described(ctx, byID)
}

// described adds what is registered of the applications, and brings them into their order.
func (d *Door) described(ctx context.Context, byID map[string]*App) ([]App, error) {
	var all []App
	for id, a := range byID {
		c, _, err := d.Clients.Lookup(ctx, id)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, err
		}
		if err == nil {
			a.Client = c
		}
		if len(a.Allowed.Resources) > 0 {
			if a.Resources, err = d.Store.FindResources(ctx, a.Allowed.Resources); err != nil {
				return nil, err
			}
		}
		all = append(all, *a)
	}
	slices.SortFunc(all, func(a, b App) int {
		return cmp.Or(b.UsedAt.Compare(a.UsedAt), b.Since.Compare(a.Since), cmp.Compare(a.Client.ID, b.Client.ID))
	})
	return all, nil
}

// Disconnect takes from an application all that the person of a passage at StepAccount gave it: its tokens are dead at once, and it
// must ask again. One that has nothing is passed over. Errors: ErrAgain; the store's.
func (d *Door) Disconnect(ctx context.Context, v *browser.Visit, p *Passage, clientID string) error {
	apps, err := d.Apps(ctx, p)
	if err != nil || !slices.ContainsFunc(apps, func(a App) bool { return a.Client.ID == clientID }) {
		return err
	}
	user := p.Account.User.ID
	_, err = d.Store.WithdrawConsent(ctx, user, clientID, storage.Also{Events: []storage.Event{{
		Kind: "consent.withdrawn", Actor: user.String(), UserID: user, ClientID: clientID, Seen: v.Seen,
	}}})
	return err
}

// Events are the security events of the person of a passage at StepAccount, newest first, a page of those older than before (zero: from
// the newest on) and no older than 90 days. more: there are older ones. Errors: ErrAgain; the store's.
func (d *Door) Events(ctx context.Context, p *Passage, before storage.ID) (events []storage.Event, more bool, err error) {
	if p.Step != StepAccount {
		return nil, false, ErrAgain
	}
	events, err = d.Store.ListEvents(ctx, storage.EventFilter{UserID: p.Account.User.ID, Before: before, Limit: eventsPage + 1})
	if err != nil {
		return nil, false, err
	}
	horizon := p.Now.Add(-eventsHorizon)
	events = slices.DeleteFunc(events, func(e storage.Event) bool { return e.At.Before(horizon) })
	if len(events) > eventsPage {
		return events[:eventsPage], true, nil
	}
	return events, false, nil
}
