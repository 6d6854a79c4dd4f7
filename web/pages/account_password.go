package pages

import (
	"errors"
	"net/http"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/storage"
)

// accountPassword takes a new password.
type accountPassword struct {
	owned
	Username string
	Least    int // characters
}

func (accountPassword) template() string { return "account_password" }

func showPassword(x *exchange) error {
	p, err := x.own(authorize.AccountPassword)
	if p == nil || err != nil {
		return err
	}
	return x.showPassword(p, http.StatusOK, "")
}

func (x *exchange) showPassword(p *authorize.Passage, status int, problem string) error {
	page := accountPassword{Username: p.Account.User.Username, Least: x.people.MinPassword()}
	var err error
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	page.Problem = problem
	return x.show(status, page)
}

// changePassword ends every session and every app's access of the person, and begins a new session here, for whoever has just proven
// to be that person.
func changePassword(x *exchange) error {
	p, err := x.ownPosted(authorize.AccountPassword)
	if p == nil || err != nil {
		return err
	}
	password := x.params.Get("password")
	if password != x.params.Get("again") {
		return x.showPassword(p, http.StatusUnprocessableEntity, x.text("account.password.differ"))
	}
	u := p.Account.User
	err = x.people.ChangePassword(x.ctx(), u, storage.NewSecret([]byte(password)), x.by(p))
	var bad *account.Invalid
	if errors.As(err, &bad) {
		x.note(err)
		return x.showPassword(p, http.StatusUnprocessableEntity, x.text(broken(bad.Rule), "Least", x.people.MinPassword()))
	}
	if err != nil {
		return x.failing(err, func(status int, problem string) error { return x.showPassword(p, status, problem) })
	}
	_, err = x.browsers.Renew(x.ctx(), x.visit, *p.Account, u.Revision+1)
	if err != nil && !errors.Is(err, browser.ErrGone) { // whoever is gone is asked to sign in again there
		return err
	}
	return x.to(authorize.AccountOverview, "password")
}

// broken is what is said of the rule that a password broke.
func broken(rule account.Rule) string {
	switch rule {
	case account.RuleLength:
		return "account.password.short"
	case account.RuleOwn:
		return "account.password.own"
	case account.RuleCommon:
		return "account.password.common"
	case account.RulePattern:
		return "account.password.pattern"
	case account.RuleWeak:
		return "account.password.weak"
	}
	return "account.password.form"
}
