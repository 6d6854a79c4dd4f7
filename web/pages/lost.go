package pages

import (
	"errors"
	"net/http"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/storage"
)

// lostStep is the page for those who cannot give their second factor. It belongs to StepSecondFactor.
const lostStep = authorize.StepSecondFactor + "/lost"

// lostPage says what is left to who has lost a second factor.
type lostPage struct {
	App     *appView
	Action  string
	Form    form
	Back    string // address of the page that takes codes
	Offered bool   // it can be asked to be rid of the factors
	At      moment // when that would be done, or will be
	Since   moment // when it was asked for; zero: it was not
	Ripe    bool   // it can be done now
	You     youView
}

func (lostPage) template() string { return "lost" }

// losing is passage, for the page here; nil without an error, where the browser was sent to what comes first. Nothing here is for
// anybody who has not just proven the password.
func (x *exchange) losing(read func() (*authorize.Passage, error)) (*authorize.Passage, storage.SignIn, error) {
	p, err := read()
	if err != nil {
		return nil, storage.SignIn{}, err
	}
	if p.Step != authorize.StepSecondFactor {
		x.redirect(x.hubAddress(p.Sealed))
		return nil, storage.SignIn{}, nil
	}
	if !browser.ProvenLately(p.Account.Session, p.Now) {
		x.redirect(x.address(authorize.StepSignIn, p.Sealed))
		return nil, storage.SignIn{}, nil
	}
	person, err := x.people.Find(x.ctx(), p.Account.User.ID.String())
	if errors.Is(err, account.ErrNotFound) {
		x.redirect(x.hubAddress(p.Sealed))
		return nil, person, nil
	}
	return p, person, err
}

func showLost(x *exchange) error {
	p, person, err := x.losing(x.passage)
	if p == nil || err != nil {
		return err
	}
	page := lostPage{
		App: app(p), Action: x.path, Back: x.address(authorize.StepSecondFactor, p.Sealed), Offered: x.people.RecoveryOffered(person),
		You: x.you(p, "you.signing"),
	}
	at := clock(person.User)
	page.At = at(p.Now.Add(x.people.RecoveryWait()))
	t, now, found, err := x.people.Recovery(x.ctx(), person.User.ID)
	if err != nil {
		return err
	}
	if found {
		page.Since, page.At, page.Ripe = at(t.CreatedAt), at(t.RipeAt), t.Serves(now)
	}
	if page.Form, err = x.form(p.Sealed); err != nil {
		return err
	}
	return x.show(http.StatusOK, page)
}

func lost(x *exchange) error {
	p, person, err := x.losing(x.posted)
	if p == nil || err != nil {
		return err
	}
	switch {
	case x.params.Has("begin"):
		_, err = x.people.BeginRecovery(x.ctx(), person, x.by(p))
	case x.params.Has("finish"):
		return x.finishRecovery(p, person)
	}
	return x.shownAnew(p, err)
}

// finishRecovery takes the factors away, and goes on with the sign-in that waited for one.
func (x *exchange) finishRecovery(p *authorize.Passage, person storage.SignIn) error {
	t, _, found, err := x.people.Recovery(x.ctx(), person.User.ID)
	if err != nil {
		return err
	}
	if !found {
		return x.shownAnew(p, account.ErrLink)
	}
	// The person is at the revision at which the password was proven: whatever has changed since is proven anew.
	person.User.Revision = p.Account.User.Revision
	if err := x.people.FinishRecovery(x.ctx(), person, t, x.by(p)); err != nil {
		return x.shownAnew(p, err)
	}
	_, err = x.browsers.Recovered(x.ctx(), x.visit, p.Request.ClientID, *p.Account, p.Account.User.Revision+1)
	if err != nil && !errors.Is(err, browser.ErrGone) { // whoever is gone is asked to sign in again there
		return err
	}
	x.redirect(x.hubAddress(p.Sealed))
	return nil
}

// shownAnew shows the page as it is now: after what was done, and after what somebody else did first.
func (x *exchange) shownAnew(p *authorize.Passage, err error) error {
	for _, meanwhile := range []error{account.ErrPending, account.ErrNotRipe, account.ErrLink, account.ErrChanged, account.ErrNotFound} {
		if errors.Is(err, meanwhile) {
			x.note(err)
			err = nil
		}
	}
	if err == nil {
		x.redirect(x.address(lostStep, p.Sealed))
	}
	return err
}
