package pages

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/storage"
)

// owned is what every page of a person's own begins with, and its forms carry.
type owned struct {
	Back    string // address of the overview
	Name    string
	Login   string
	Initial string
	Change  string // address at which to be somebody else
	Action  string
	Token   string // binds the page's forms to this browser, this session and this page
	Done    string // what has just been done; ""
	Problem string
	Pending []pendingView
}

// moment is a time as it is shown: for programs, and for the person, in their own time zone.
type moment struct{ Stamp, Text string }

// accountOverview leads to the others.
type accountOverview struct {
	owned
	Links   []sectionLink
	SignOut string
}

func (accountOverview) template() string { return "account" }

// sectionLink leads to one of the pages. Heading and Text name messages.
type sectionLink struct{ Address, Heading, Text string }

// done are the words in an address after which it was done, and what is said then. Nothing is told that the address does not tell.
func done(word string) string {
	return map[string]string{
		"profile": "account.done.profile", "password": "account.done.password", "factor": "account.done.factor", "removed": "account.done.removed",
		"codes": "account.done.codes", "forgotten": "account.done.forgotten", "session": "account.done.session", "sessions": "account.done.sessions",
		"app": "account.done.app", "joined": "account.done.joined", "setup": "account.done.setup", "email_asked": "account.done.email_asked",
		"email": "account.done.email", "deletion": "account.done.deletion", "kept": "account.done.kept",
		"recovery_stopped": "account.done.recovery_stopped", "passkey": "account.done.passkey", "passkey_removed": "account.done.passkey_removed",
		"passkey_renamed": "account.done.passkey_renamed",
	}[word]
}

// own is the way to a page of the person's own: nil without an error, where the browser was sent to prove something first.
func (x *exchange) own(page authorize.AccountPage) (*authorize.Passage, error) {
	return x.ownWith(page, "")
}

// ownWith is own, with a ticketPass that is brought back from the way.
func (x *exchange) ownWith(page authorize.AccountPage, pass string) (*authorize.Passage, error) {
	p, err := x.door.BeginAccount(x.ctx(), x.visit, page, pass)
	if err != nil {
		return nil, err
	}
	if p.Step != authorize.StepAccount {
		x.redirect(x.address(p.Step, p.Sealed))
		return nil, nil
	}
	x.speakWith(p)
	return p, nil
}

// ownPosted is own, for a form that was sent: only one that this browser was shown, on this page, about this very session.
func (x *exchange) ownPosted(page authorize.AccountPage) (*authorize.Passage, error) {
	return x.ownPostedWith(page, "")
}

func (x *exchange) ownPostedWith(page authorize.AccountPage, pass string) (*authorize.Passage, error) {
	p, err := x.ownWith(page, pass)
	if p == nil || err != nil {
		return nil, err
	}
	if err := x.browsers.CheckForm(x.visit, x.ownForm(p), x.params.Get("form_token")); err != nil {
		return nil, &fault{status: http.StatusForbidden, heading: "form", again: x.returning(page, pass), cause: err}
	}
	return p, nil
}

// ownForm is what the forms of the page are about: the session is in it, since another account becomes the current one where that of
// this form has ended.
func (x *exchange) ownForm(p *authorize.Passage) string { return ownForm(x.path, p) }

func ownForm(path string, p *authorize.Passage) string {
	return path + " of " + p.Account.Session.ID.String()
}

// owned begins a page.
func (x *exchange) owned(p *authorize.Passage) (owned, error) {
	v := viewOf(*p.Account)
	o := owned{
		Back: x.accountAddress(authorize.AccountOverview), Name: v.Name, Login: v.Login, Initial: v.Initial,
		Change: x.address(authorize.StepChoose, p.Sealed), Action: x.path,
	}
	word := x.params.Get("done")
	if id := cmp.Or(done(word), developerDone(word)); id != "" && x.c.Request.Method != http.MethodPost {
		o.Done = x.text(id)
	}
	var err error
	if o.Pending, err = x.pending(p); err != nil {
		return o, err
	}
	o.Token, err = x.browsers.FormToken(x.visit, x.ownForm(p))
	return o, err
}

// by is the person as the one who acts.
func (x *exchange) by(p *authorize.Passage) account.By {
	return account.By{Actor: p.Account.User.ID.String(), Seen: x.visit.Seen}
}

// to sends the browser to one of the pages of the person's own, with a word of done.
func (x *exchange) to(page authorize.AccountPage, word string) error {
	x.redirect(x.accountAddress(page) + "?done=" + word)
	return nil
}

func (x *exchange) accountAddress(page authorize.AccountPage) string { return x.base + page.Path() }

// returning is the address of a page to which somebody comes back from proving something, with what it needs again.
func (x *exchange) returning(page authorize.AccountPage, pass string) string {
	name := "pass"
	switch {
	case pass == "":
		return x.accountAddress(page)
	case page == authorize.DeveloperNew:
		name = "kind"
	case strings.HasPrefix(string(page), "/"):
		name = "id"
	}
	return x.accountAddress(page) + "?" + name + "=" + url.QueryEscape(pass)
}

// failing shows the page again, by show, with what is wrong; a person who changed meanwhile is decided about anew.
func (x *exchange) failing(err error, show func(status int, problem string) error) error {
	if errors.Is(err, account.ErrChanged) || errors.Is(err, account.ErrNotFound) {
		x.redirect(x.path)
		return nil
	}
	status, problem := x.problem(err, "account.wrong_code")
	if problem == "" {
		return err
	}
	x.note(err)
	return show(status, problem)
}

func showAccount(x *exchange) error {
	p, err := x.own(authorize.AccountOverview)
	if p == nil || err != nil {
		return err
	}
	found, err := x.people.Find(x.ctx(), p.Account.User.ID.String())
	if err != nil {
		return err
	}
	page := accountOverview{SignOut: x.base + "/oauth2/logout"}
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	factors, passkeys := "account.factors.without", "account.passkeys.about"
	switch {
	case len(found.Factors) > 0:
		if factors = "account.factors.with"; len(found.Passkeys) == 0 {
			passkeys = "account.passkeys.offer"
		}
	case len(found.Passkeys) > 0:
		factors = "account.factors.passkey"
	}
	for _, s := range []struct {
		page          authorize.AccountPage
		heading, text string
	}{
		{authorize.AccountProfile, "account.profile.title", "account.profile.about"},
		{authorize.AccountEmail, "account.email.title", "account.email.about"},
		{authorize.AccountPassword, "account.password.title", "account.password.about"},
		{authorize.AccountFactors, "account.factors.title", factors},
		{authorize.AccountPasskeys, "account.passkeys.title", passkeys},
		{authorize.AccountSessions, "account.sessions.title", "account.sessions.about"},
		{authorize.AccountApps, "account.apps.title", "account.apps.about"},
		{authorize.AccountEvents, "account.events.title", "account.events.about"},
		{authorize.AccountData, "account.data.title", "account.data.about"},
		{authorize.AccountDelete, "account.delete.title", "account.delete.about"},
	} {
		page.Links = append(page.Links, sectionLink{x.accountAddress(s.page), s.heading, s.text})
	}
	if x.developers.Allows(p.Account.User) {
		page.Links = append(page.Links, sectionLink{x.accountAddress(authorize.DeveloperApps), "developer.title", "developer.about"})
	}
	return x.show(http.StatusOK, page)
}

// clock tells times as the person of p reads them: in their own zone, where the server knows it.
func clock(u storage.User) func(time.Time) moment {
	zone := time.UTC
	if found, err := time.LoadLocation(u.Profile.Zoneinfo); err == nil && u.Profile.Zoneinfo != "Local" {
		zone = found
	}
	return func(t time.Time) moment {
		if t.IsZero() {
			return moment{}
		}
		return moment{t.UTC().Format(time.RFC3339), t.In(zone).Format("2006-01-02 15:04 MST")}
	}
}
