package pages

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// maxPassedID is the longest client_id that is brought back from a sign-in: none is longer.
const maxPassedID = 256

// ofApp is what every page about one app begins with.
type ofApp struct {
	owned
	Apps     string // address of the list
	App      appHead
	Sections []section
}

// appHead says which app it is. Heading, which names a message, says of what kind.
type appHead struct {
	ID, Name, Initial string
	Heading           string
	Owner             string // to administrators: whose it is, where it is not their own
	State             stateView
}

// stateView is whether an app may be used. Heading and Text name messages.
type stateView struct {
	Heading string
	Text    string // why not, and what to do; "" where it may
}

// section leads to another page about the app. Heading names a message.
type section struct {
	Address, Heading string
	Here             bool
}

// byline is a text in English that the protocol words, too: a description of what is wrong. It stands beside what it is about.
type byline struct {
	Line int // of what was typed, counted from 1; 0: all of it
	Text string
}

// developing is the way to a page about people's apps: nil without an error, where the browser was sent to prove something first. Where
// nobody develops there is no such page, and who may not is told so. passed is the parameter that is wanted again after a sign-in.
func (x *exchange) developing(page authorize.AccountPage, passed string) (*authorize.Passage, error) {
	if !x.developers.Allows(storage.User{Admin: true}) {
		return nil, &fault{status: http.StatusNotFound, heading: "developer_off"}
	}
	own := x.ownWith
	if x.c.Request.Method == http.MethodPost {
		own = x.ownPostedWith
	}
	pass := x.params.Get(passed)
	if len(pass) > maxPassedID {
		pass = ""
	}
	p, err := own(page, pass)
	if p == nil || err != nil {
		return nil, err
	}
	if !x.developers.Allows(p.Account.User) {
		return nil, &fault{status: http.StatusForbidden, heading: "developer_denied", again: x.accountAddress(authorize.AccountOverview)}
	}
	return p, nil
}

// developingApp is developing, of a page about the app that the parameter id names. What is not theirs to see is not there.
func (x *exchange) developingApp(page authorize.AccountPage) (*authorize.Passage, developer.App, error) {
	p, err := x.developing(page, "id")
	if p == nil || err != nil {
		return nil, developer.App{}, err
	}
	app, err := x.developers.Find(x.ctx(), x.asDeveloper(p), x.params.Get("id"))
	if err != nil {
		return nil, developer.App{}, x.goneApp(err)
	}
	return p, app, nil
}

// goneApp is what becomes of an error where an app was looked for.
func (x *exchange) goneApp(err error) error {
	if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	return &fault{status: http.StatusNotFound, heading: "developer_no_app", again: x.accountAddress(authorize.DeveloperApps), cause: err}
}

// asDeveloper is the person as the one who acts.
func (x *exchange) asDeveloper(p *authorize.Passage) developer.By {
	return developer.By{User: p.Account.User, Seen: x.visit.Seen}
}

// ofApp begins a page about an app.
func (x *exchange) ofApp(p *authorize.Passage, app developer.App, here authorize.AccountPage) (ofApp, error) {
	name := clientName(app.Client)
	o := ofApp{
		Apps: x.accountAddress(authorize.DeveloperApps),
		App: appHead{
			ID: app.Client.ID, Name: name, Initial: initial(name), Heading: kindTexts(developer.KindOf(app.Client.Metadata)).heading,
			Owner: app.Owner, State: appState(app.Client),
		},
	}
	for _, s := range []struct {
		page    authorize.AccountPage
		heading string
	}{
		{authorize.DeveloperApp, "developer.app.title"},
		{authorize.DeveloperSettings, "developer.settings.title"},
		{authorize.DeveloperRedirects, "developer.redirects.title"},
		{authorize.DeveloperSecrets, "developer.secrets.title"},
		{authorize.DeveloperErrors, "developer.errors.title"},
		{authorize.DeveloperSnippets, "developer.snippets"},
		{authorize.DeveloperPlayground, "developer.playground"},
	} {
		if x.serves(s.page) {
			o.Sections = append(o.Sections, section{x.appAddress(s.page, app.Client.ID), s.heading, s.page == here})
		}
	}
	var err error
	o.owned, err = x.owned(p)
	return o, err
}

// serves reports whether there is such a page.
func (x *exchange) serves(page authorize.AccountPage) bool {
	address := x.accountAddress(page)
	return slices.ContainsFunc(x.routes, func(r provider.Route) bool { return r.Path == address })
}

// appAddress is that of a page about the app.
func (x *exchange) appAddress(page authorize.AccountPage, id string) string {
	return x.accountAddress(page) + "?id=" + url.QueryEscape(id)
}

// toApp sends the browser to a page about the app, with a word of what was done.
func (x *exchange) toApp(page authorize.AccountPage, id, word string) error {
	x.redirect(x.appAddress(page, id) + "&done=" + word)
	return nil
}

// developerDone are the words of done about apps.
func developerDone(word string) string {
	return map[string]string{
		"made": "developer.done.made", "held": "developer.done.held", "saved": "developer.done.saved", "secret_removed": "developer.done.secret_removed",
		"disabled": "developer.done.disabled", "enabled": "developer.done.enabled", "deleted": "developer.done.deleted",
		"approved": "developer.done.approved", "token_revoked": "developer.done.token_revoked", "no_secret": "developer.done.no_secret",
	}[word]
}

// appState tells who can make an app useful again that is not.
func appState(c storage.Client) stateView {
	switch {
	case c.DisabledAt.IsZero():
		return stateView{Heading: "developer.state.on"}
	case c.DisabledFor == storage.DisabledUnapproved:
		return stateView{"developer.state.waiting", "developer.state.waiting_text"}
	case c.DisabledFor == storage.DisabledByOwner:
		return stateView{"developer.state.owner", "developer.state.owner_text"}
	}
	return stateView{"developer.state.operator", "developer.state.operator_text"}
}

// unsuitable is what to say about an error of a change: in the protocol's own words where it has some. The status is 0 where the error
// is none that the page has a place for.
func (x *exchange) unsuitable(err error) (status int, problem string) {
	switch {
	case errors.Is(err, storage.ErrMoved):
		return http.StatusConflict, x.text("developer.moved")
	case errors.Is(err, developer.ErrFull):
		return http.StatusForbidden, x.text("developer.full", "Limit", strconv.Itoa(x.developers.Limit()))
	case errors.Is(err, developer.ErrHeld):
		return http.StatusForbidden, x.text("developer.held")
	case errors.Is(err, developer.ErrForbidden):
		return http.StatusForbidden, x.text("developer.forbidden")
	}
	if e := oauth.As(err); e != nil && e.HTTPStatus() < http.StatusInternalServerError {
		return http.StatusUnprocessableEntity, e.Description
	}
	return 0, ""
}
