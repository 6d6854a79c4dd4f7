package pages

import (
	"errors"
	"net/http"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/storage"
)

// choosePage asks which of the people at this browser it is.
type choosePage struct {
	App      *appView
	Action   string
	Form     form
	Accounts []accountView
	Other    string // address of the sign-in page
	Problem  string
}

func (choosePage) template() string { return "choose" }

func showChoice(x *exchange) error {
	p, err := x.passage()
	if err != nil {
		return err
	}
	return x.showChoice(p, http.StatusOK, "")
}

func (x *exchange) showChoice(p *authorize.Passage, status int, problem string) error {
	page := choosePage{App: app(p), Action: x.path, Other: x.address(authorize.StepSignIn, p.Sealed), Problem: problem}
	for _, a := range x.visit.Accounts {
		if a.Session.SignedIn() || browser.AwaitsFactor(a.Session, p.Now) {
			page.Accounts = append(page.Accounts, viewOf(a))
		}
	}
	if len(page.Accounts) == 0 {
		x.redirect(page.Other)
		return nil
	}
	var err error
	if page.Form, err = x.form(p.Sealed); err != nil {
		return err
	}
	return x.show(status, page)
}

func choose(x *exchange) error {
	p, err := x.posted()
	if err != nil {
		return err
	}
	id, err := storage.ParseID(x.params.Get("account"))
	if err == nil {
		_, err = x.browsers.Choose(x.ctx(), x.visit, id)
	} else {
		err = browser.ErrGone
	}
	if errors.Is(err, browser.ErrGone) {
		return x.showChoice(p, http.StatusUnprocessableEntity, x.text("choose.gone"))
	}
	if err != nil {
		return err
	}
	x.redirect(x.hubAddress(p.Sealed))
	return nil
}
