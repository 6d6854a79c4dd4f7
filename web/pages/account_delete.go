package pages

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
)

// accountDelete lets people go, after a while in which they may think better of it.
type accountDelete struct {
	owned
	Days  int  // until it is done
	Going bool // it was asked for: the banner says so, and there is nothing to ask for again
}

func (accountDelete) template() string { return "account_delete" }

// pendingView is what will happen to the account unless the person stops it. Heading, which says so, and Text, the button's, name messages.
type pendingView struct {
	Heading, Text string
	At            moment
	Withdraw      string // what the button sends
	Action, Token string
}

// pending is what every page of the person's own begins with, where there is something to stop.
func (x *exchange) pending(p *authorize.Passage) ([]pendingView, error) {
	recovery, deletion, _, err := x.people.Pending(x.ctx(), p.Account.User.ID)
	if err != nil || recovery == nil && deletion == nil {
		return nil, err
	}
	v := pendingView{Action: x.accountAddress(authorize.AccountOverview)}
	if v.Token, err = x.browsers.FormToken(x.visit, ownForm(v.Action, p)); err != nil {
		return nil, err
	}
	var all []pendingView
	at := clock(p.Account.User)
	if recovery != nil {
		v.Heading, v.Text, v.Withdraw, v.At = "account.pending.recovery", "account.pending.stop_recovery", "recovery", at(recovery.RipeAt)
		all = append(all, v)
	}
	if deletion != nil {
		v.Heading, v.Text, v.Withdraw, v.At = "account.pending.deletion", "account.pending.keep", "deletion", at(deletion.RipeAt)
		all = append(all, v)
	}
	return all, nil
}

// withdraw stops what would happen. Whoever is signed in may: it takes nothing from anybody.
func withdraw(x *exchange) error {
	p, err := x.ownPosted(authorize.AccountOverview)
	if p == nil || err != nil {
		return err
	}
	word := ""
	switch x.params.Get("withdraw") {
	case "recovery":
		word = "recovery_stopped"
		_, err = x.people.CancelRecovery(x.ctx(), p.Account.User, x.by(p))
	case "deletion":
		word = "kept"
		err = x.people.KeepAccount(x.ctx(), p.Account.User, x.by(p))
	}
	if err != nil {
		return err
	}
	return x.to(authorize.AccountOverview, word)
}

func showDelete(x *exchange) error {
	p, err := x.own(authorize.AccountDelete)
	if p == nil || err != nil {
		return err
	}
	return x.showDelete(p, http.StatusOK, "")
}

func (x *exchange) showDelete(p *authorize.Passage, status int, problem string) error {
	page := accountDelete{Days: int(account.DeletionDelay / (24 * time.Hour))}
	var err error
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	page.Problem, page.Going = problem, slices.ContainsFunc(page.Pending, func(v pendingView) bool { return v.Withdraw == "deletion" })
	return x.show(status, page)
}

func askToDelete(x *exchange) error {
	p, err := x.ownPosted(authorize.AccountDelete)
	if p == nil || err != nil {
		return err
	}
	if x.params.Get("sure") != "yes" {
		return x.showDelete(p, http.StatusUnprocessableEntity, x.text("account.delete.unsure"))
	}
	_, err = x.people.AskToDelete(x.ctx(), p.Account.User, x.by(p))
	if err != nil && !errors.Is(err, account.ErrPending) {
		return x.failing(err, func(int, string) error { return err })
	}
	return x.to(authorize.AccountOverview, "deletion")
}
