package pages

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/storage"
)

// accountFactors is about second factors.
type accountFactors struct {
	owned
	Authenticators []authenticator
	Passkeys       bool // there are some besides
	Codes          int  // recovery codes that are left
	Full           bool // no further authenticator is possible
	Bound          bool // the last authenticator must stay: the server wants a second factor
	Remembered     []sessionView
}

func (accountFactors) template() string { return "account_factors" }

type authenticator struct {
	ID, Name string
	Added    moment
}

// accountCodes shows recovery codes, this once. Nothing depends on them until the person has said that they are kept.
type accountCodes struct {
	owned
	Codes  []string
	Sealed string
}

func (accountCodes) template() string { return "account_codes" }

// shownCodes is what a person acknowledges: recovery codes, and with a FactorID the authenticator, or the passkey, that they come with.
// It is sealed into the form, and holds digests alone.
type shownCodes struct {
	Session storage.ID                   `json:"session"`
	Proof   account.Confirmation         `json:"proof"`
	Passkey *account.PasskeyConfirmation `json:"passkey,omitempty"`
}

func showFactors(x *exchange) error {
	p, err := x.own(authorize.AccountFactors)
	if p == nil || err != nil {
		return err
	}
	return x.showFactors(p, http.StatusOK, "")
}

func (x *exchange) showFactors(p *authorize.Passage, status int, problem string) error {
	found, err := x.people.Find(x.ctx(), p.Account.User.ID.String())
	if err != nil {
		return err
	}
	devices, err := x.browsers.Remembered(x.ctx(), *p.Account, p.Now)
	if err != nil {
		return err
	}
	page := accountFactors{
		Codes: found.RecoveryCodes, Full: len(found.Factors) >= account.MaxAuthenticators,
		Bound: x.lastFactor(found), Passkeys: len(found.Passkeys) > 0,
	}
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	page.Problem = problem
	at := clock(p.Account.User)
	for _, f := range found.Factors {
		page.Authenticators = append(page.Authenticators, authenticator{f.ID.String(), f.Name, at(f.ConfirmedAt)})
	}
	for _, d := range devices {
		page.Remembered = append(page.Remembered, sessionView{ID: d.ID.String(), Agent: x.agent(d.Seen), Address: d.Seen.Address, SignedIn: at(d.CreatedAt)})
	}
	return x.show(status, page)
}

func changeFactors(x *exchange) error {
	if sealed := x.params.Get("kept_codes"); sealed != "" {
		return x.keepCodes(sealed)
	}
	p, err := x.ownPosted(authorize.AccountFactors)
	if p == nil || err != nil {
		return err
	}
	switch {
	case x.params.Has("remove"):
		return x.removeFactor(p)
	case x.params.Has("forget"):
		return x.forget(p)
	case x.params.Has("codes"):
		codes, digests := x.people.DrawRecoveryCodes(p.Account.User.ID)
		return x.showCodes(p, codes, shownCodes{Proof: account.Confirmation{Codes: digests}})
	}
	return x.beginFactor(p)
}

// beginFactor draws an authenticator's seed, and leads to the page that shows it.
func (x *exchange) beginFactor(p *authorize.Passage) error {
	id, err := x.people.BeginTOTP(x.ctx(), p.Account.User.ID, x.params.Get("name"), x.by(p))
	var bad *account.Invalid
	if errors.As(err, &bad) {
		x.note(err)
		return x.showFactors(p, http.StatusUnprocessableEntity, x.text("account.factors.wrong_name"))
	}
	if err != nil {
		return x.failing(err, func(status int, problem string) error { return x.showFactors(p, status, problem) })
	}
	sealed, err := x.browsers.Seal(x.visit, begunFactor{p.Account.Session.ID, id})
	if err != nil {
		return err
	}
	x.redirect(x.accountAddress(authorize.AccountFactors) + "/new?enrolment=" + url.QueryEscape(sealed))
	return nil
}

func (x *exchange) forget(p *authorize.Passage) error {
	id, err := storage.ParseID(x.params.Get("forget"))
	if err != nil {
		x.redirect(x.path)
		return nil
	}
	if err := x.browsers.Forget(x.ctx(), x.visit, *p.Account, id); err != nil {
		return err
	}
	return x.to(authorize.AccountFactors, "forgotten")
}

func (x *exchange) removeFactor(p *authorize.Passage) error {
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
		return x.showFactors(p, http.StatusForbidden, x.text("account.factors.bound"))
	}
	if err := x.people.RemoveFactor(x.ctx(), p.Account.User, id, x.by(p)); err != nil {
		return x.failing(err, func(status int, problem string) error { return x.showFactors(p, status, problem) })
	}
	return x.to(authorize.AccountFactors, "removed")
}

// showCodes is the answer to the very request that drew the codes: they are in no address and in no table, and asking again draws
// others.
func (x *exchange) showCodes(p *authorize.Passage, codes []string, shown shownCodes) error {
	page := accountCodes{Codes: codes}
	x.path = x.accountAddress(authorize.AccountFactors) // where the answer is taken
	var err error
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	shown.Session = p.Account.Session.ID
	if page.Sealed, err = x.browsers.Seal(x.visit, shown); err != nil {
		return err
	}
	return x.show(http.StatusOK, page)
}

// keepCodes makes good what was shown. What it was shown for was proven then, in this session; writing ten codes down by hand may take
// longer than that proof is young.
func (x *exchange) keepCodes(sealed string) error {
	p, err := x.ownPosted(authorize.AccountOverview)
	if p == nil || err != nil {
		return err
	}
	var shown shownCodes
	if x.browsers.Unseal(x.visit, sealed, &shown) != nil || shown.Session != p.Account.Session.ID || x.params.Get("kept") != "yes" {
		x.redirect(x.path)
		return nil
	}
	if shown.Passkey != nil {
		return x.finishPasskey(p, *shown.Passkey, authorize.AccountOverview)
	}
	u, word := p.Account.User, "codes"
	if shown.Proof.FactorID.IsZero() {
		err = x.people.ReplaceRecoveryCodes(x.ctx(), u, shown.Proof.Codes, x.by(p))
	} else {
		word = "factor"
		err = x.people.FinishTOTP(x.ctx(), u, shown.Proof, x.by(p))
	}
	if err != nil {
		return x.failing(err, func(int, string) error { return err })
	}
	return x.to(authorize.AccountOverview, word)
}
