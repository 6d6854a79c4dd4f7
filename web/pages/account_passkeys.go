package pages

import (
	"errors"
	"net/http"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/storage"
)

// accountPasskeys is about passkeys.
type accountPasskeys struct {
	owned
	Passkeys []passkeyView
	Passkey  *passkeyPrompt // for one more; nil: none is possible
	Offered  bool           // there can be passkeys at this server
	Bound    bool           // the last one must stay: the server wants a second factor
}

func (accountPasskeys) template() string { return "account_passkeys" }

type passkeyView struct {
	ID, Name string
	Added    moment
	Used     moment
	Synced   bool // it is kept on several devices
}

func showPasskeys(x *exchange) error {
	p, err := x.own(authorize.AccountPasskeys)
	if p == nil || err != nil {
		return err
	}
	return x.showPasskeys(p, http.StatusOK, "")
}

func (x *exchange) showPasskeys(p *authorize.Passage, status int, problem string) error {
	found, err := x.people.Find(x.ctx(), p.Account.User.ID.String())
	if err != nil {
		return err
	}
	page := accountPasskeys{Offered: x.people.PasskeysOffered(), Bound: x.lastFactor(found)}
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	if page.Passkey, err = x.prompt(x.people.BeginPasskey(found)); err != nil {
		return err
	}
	page.Problem = problem
	at := clock(p.Account.User)
	for _, k := range found.Passkeys {
		page.Passkeys = append(page.Passkeys, passkeyView{k.ID.String(), k.Name, at(k.CreatedAt), at(k.UsedAt), k.BackedUp})
	}
	return x.show(status, page)
}

// lastFactor reports whether the person has one factor and must have one: it can go only when another is there.
func (x *exchange) lastFactor(person storage.SignIn) bool {
	return len(person.Factors)+len(person.Passkeys) <= 1 && x.browsers.MustHaveFactor(person.User)
}

func changePasskeys(x *exchange) error {
	p, err := x.ownPosted(authorize.AccountPasskeys)
	if p == nil || err != nil {
		return err
	}
	switch {
	case x.params.Has("remove"):
		return x.removePasskey(p)
	case x.params.Has("rename"):
		return x.renamePasskey(p)
	}
	return x.addPasskey(p)
}

func (x *exchange) addPasskey(p *authorize.Passage) error {
	answer := x.answered()
	if answer == nil {
		return x.showPasskeys(p, http.StatusUnprocessableEntity, x.text("account.passkeys.missing"))
	}
	found, err := x.people.Find(x.ctx(), p.Account.User.ID.String())
	if err != nil {
		return err
	}
	made, codes, err := x.people.ProvePasskeyNew(found, answer.Ceremony, answer.Response, x.params.Get("name"))
	if err != nil {
		return x.passkeyFailed(p, err)
	}
	if len(codes) > 0 {
		return x.showCodes(p, codes, shownCodes{Passkey: &made})
	}
	return x.finishPasskey(p, made, authorize.AccountPasskeys)
}

// finishPasskey makes good what was proven. It was proven in this session: one that was without a factor until now has given it.
func (x *exchange) finishPasskey(p *authorize.Passage, made account.PasskeyConfirmation, to authorize.AccountPage) error {
	u := p.Account.User
	if err := x.people.FinishPasskey(x.ctx(), u, made, x.by(p)); err != nil {
		return x.passkeyFailed(p, err)
	}
	if !p.Account.HasFactor {
		_, err := x.browsers.Enrolled(x.ctx(), x.visit, "", *p.Account, made.Revision+1, made.Method())
		if err != nil && !errors.Is(err, browser.ErrGone) { // who has changed once more is asked for it where it is wanted
			return err
		}
	}
	return x.to(to, "passkey")
}

// passkeyFailed shows the page of passkeys with what is wrong.
func (x *exchange) passkeyFailed(p *authorize.Passage, err error) error {
	x.path = x.accountAddress(authorize.AccountPasskeys)
	var bad *account.Invalid
	switch {
	case errors.As(err, &bad):
		x.note(err)
		return x.showPasskeys(p, http.StatusUnprocessableEntity, x.text("account.passkeys.wrong_name"))
	case errors.Is(err, account.ErrWrong):
		x.note(err)
		return x.showPasskeys(p, http.StatusUnprocessableEntity, x.text("account.passkeys.wrong"))
	}
	return x.failing(err, func(status int, problem string) error { return x.showPasskeys(p, status, problem) })
}

func (x *exchange) renamePasskey(p *authorize.Passage) error {
	id, err := storage.ParseID(x.params.Get("rename"))
	if err != nil {
		x.redirect(x.path)
		return nil
	}
	if err := x.people.RenamePasskey(x.ctx(), p.Account.User, id, x.params.Get("name")); err != nil {
		return x.passkeyFailed(p, err)
	}
	return x.to(authorize.AccountPasskeys, "passkey_renamed")
}

func (x *exchange) removePasskey(p *authorize.Passage) error {
	id, err := storage.ParseID(x.params.Get("remove"))
	if err != nil {
		x.redirect(x.path)
		return nil
	}
	found, err := x.people.Find(x.ctx(), p.Account.User.ID.String())
	if err != nil {
		return err
	}
	if x.lastFactor(found) {
		return x.showPasskeys(p, http.StatusForbidden, x.text("account.factors.bound"))
	}
	if err := x.people.RemovePasskey(x.ctx(), p.Account.User, id, x.by(p)); err != nil {
		return x.passkeyFailed(p, err)
	}
	return x.to(authorize.AccountPasskeys, "passkey_removed")
}
