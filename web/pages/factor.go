package pages

import (
	"errors"
	"net/http"
	"strings"
	"unicode"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/browser"
)

// factorPage asks for a one-time code or a passkey, as the person has them, or a recovery code instead.
type factorPage struct {
	App             *appView
	StepUp          string // the app that asks for more than a password; "": the account itself does
	Action          string
	Form            form
	Remember        bool // offer to remember the browser
	OTP             bool // the person has an authenticator app
	Passkey         *passkeyPrompt
	Problem         string
	PasskeyProblem  string
	RecoveryProblem string
	Lost            string // address for who cannot give any
	You             youView
}

func (factorPage) template() string { return "mfa" }

func showFactor(x *exchange) error {
	p, err := x.passage()
	if err != nil {
		return err
	}
	if p.Step != authorize.StepSecondFactor {
		x.redirect(x.hubAddress(p.Sealed))
		return nil
	}
	return x.showFactor(p, http.StatusOK, factorPage{})
}

func (x *exchange) showFactor(p *authorize.Passage, status int, page factorPage) error {
	page.App, page.Action, page.Lost, page.You = app(p), x.path, x.address(lostStep, p.Sealed), x.you(p, "you.signing")
	// A browser that is remembered is spared at an ordinary sign-in alone: to offer it here would promise too much.
	page.Remember = !p.Account.Session.SignedIn() || browser.AwaitsFactor(p.Account.Session, p.Now)
	if !page.Remember {
		page.StepUp, page.You.Text = clientName(p.Client), "you.as"
	}
	person, err := x.people.Find(x.ctx(), p.Account.User.ID.String())
	if err != nil {
		return err
	}
	page.OTP = len(person.Factors) > 0
	if page.Passkey, err = x.prompt(x.people.BeginPasskeyFactor(person)); err != nil {
		return err
	}
	if page.Form, err = x.form(p.Sealed); err != nil {
		return err
	}
	return x.show(status, page)
}

func secondFactor(x *exchange) error {
	p, err := x.posted()
	if err != nil {
		return err
	}
	if p.Step != authorize.StepSecondFactor {
		x.redirect(x.hubAddress(p.Sealed))
		return nil
	}
	proof := browser.Proof{Remember: x.params.Has("remember"), Proof: account.Proof{
		OTP: withoutSpace(x.params.Get("otp")), RecoveryCode: strings.TrimSpace(x.params.Get("recovery_code")), Passkey: x.answered(),
	}}
	if proof.OTP == "" && proof.RecoveryCode == "" && proof.Passkey == nil {
		page := factorPage{Problem: x.text("factor.incomplete")}
		if x.params.Has("recovery_code") {
			page = factorPage{RecoveryProblem: x.text("factor.incomplete")}
		}
		return x.showFactor(p, http.StatusUnprocessableEntity, page)
	}
	_, err = x.browsers.SecondFactor(x.ctx(), x.visit, p.Request.ClientID, *p.Account, proof)
	if err == nil || errors.Is(err, browser.ErrGone) {
		x.redirect(x.hubAddress(p.Sealed)) // whoever is gone is asked to sign in again there
		return nil
	}
	page, wrong := factorPage{}, "factor.recovery_wrong"
	said := &page.RecoveryProblem
	switch {
	case proof.Passkey != nil:
		wrong, said = "passkey.factor_wrong", &page.PasskeyProblem
	case proof.OTP != "":
		wrong, said = "factor.wrong", &page.Problem
	}
	status := 0
	if status, *said = x.problem(err, wrong); *said == "" {
		return err
	}
	x.note(err)
	return x.showFactor(p, status, page)
}

// withoutSpace takes out what people and authenticators put between digits. The digits of Arabic and Persian keyboards are digits.
func withoutSpace(code string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		if (r >= '٠' && r <= '٩') || (r >= '۰' && r <= '۹') {
			return '0' + r&0xf
		}
		return r
	}, code)
}
