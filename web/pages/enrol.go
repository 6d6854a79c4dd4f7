package pages

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/oauth"
)

// enrolPage leads who must have a second factor, and has none, to one, on the way to what they came for.
type enrolPage struct {
	App     *appView
	Client  string // the app that wants the factor; "": this server does
	Action  string
	Form    form
	Seed    *seedView // nil: a name is asked for, and nothing has begun
	Problem string
	You     youView
}

func (enrolPage) template() string { return "enrol" }

// enrolCodes shows recovery codes, this once. Nothing depends on them until the person has said that they are kept.
type enrolCodes struct {
	App    *appView
	Action string
	Form   form
	Codes  []string
	Sealed string // shownCodes
	You    youView
}

func (enrolCodes) template() string { return "enrol_codes" }

// enrolling is passage, for the pages here; nil without an error, where the browser was sent to what comes first.
func (x *exchange) enrolling(read func() (*authorize.Passage, error)) (*authorize.Passage, error) {
	p, err := read()
	if err != nil {
		return nil, err
	}
	if p.Step != authorize.StepEnrol {
		x.redirect(x.hubAddress(p.Sealed))
		return nil, nil
	}
	return p, nil
}

func showEnrol(x *exchange) error {
	p, err := x.enrolling(x.passage)
	if p == nil || err != nil {
		return err
	}
	if !x.params.Has("enrolment") {
		return x.showEnrol(p, nil, http.StatusOK, "")
	}
	e, err := x.begunFor(p)
	if err != nil {
		return err
	}
	if e == nil {
		x.redirect(x.address(authorize.StepEnrol, p.Sealed))
		return nil
	}
	return x.showEnrol(p, e, http.StatusOK, "")
}

// showEnrol asks for a name, where no enrolment has begun (nil), else for the first code of the one that has.
func (x *exchange) showEnrol(p *authorize.Passage, e *account.Enrolment, status int, problem string) error {
	page := enrolPage{App: app(p), Action: x.path, Problem: problem, You: x.you(p, "you.signing")}
	if !x.browsers.MustHaveFactor(p.Account.User) {
		page.Client = clientName(p.Client)
	}
	var err error
	if e != nil {
		if page.Seed, err = x.seed(e); err != nil {
			return err
		}
	}
	if page.Form, err = x.form(p.Sealed); err != nil {
		return err
	}
	return x.show(status, page)
}

func enrol(x *exchange) error {
	p, err := x.enrolling(x.posted)
	if p == nil || err != nil {
		return err
	}
	switch {
	case x.params.Has("kept_codes"):
		return x.keepFirst(p)
	case x.params.Has("enrolment"):
		return x.confirmFirst(p)
	}
	return x.beginFirst(p)
}

// beginFirst draws the authenticator's seed, and leads to the page that shows it.
func (x *exchange) beginFirst(p *authorize.Passage) error {
	id, err := x.people.BeginTOTP(x.ctx(), p.Account.User.ID, x.params.Get("name"), x.by(p))
	var bad *account.Invalid
	if errors.As(err, &bad) {
		x.note(err)
		return x.showEnrol(p, nil, http.StatusUnprocessableEntity, x.text("account.factors.wrong_name"))
	}
	if err != nil {
		return x.decidedAnew(p, err)
	}
	sealed, err := x.browsers.Seal(x.visit, begunFactor{p.Account.Session.ID, id})
	if err != nil {
		return err
	}
	x.redirect(x.address(authorize.StepEnrol, p.Sealed) + "&enrolment=" + url.QueryEscape(sealed))
	return nil
}

// confirmFirst takes the first code, and shows the recovery codes that come with a first factor.
func (x *exchange) confirmFirst(p *authorize.Passage) error {
	e, err := x.begunFor(p)
	if err != nil {
		return err
	}
	if e == nil {
		x.redirect(x.address(authorize.StepEnrol, p.Sealed))
		return nil
	}
	proof, codes, err := x.browsers.ProveEnrolment(x.ctx(), x.visit, *p.Account, e.ID, withoutSpace(x.params.Get("otp")))
	if status, problem := x.problem(err, "account.wrong_code"); problem != "" {
		x.note(err)
		return x.showEnrol(p, e, status, problem)
	}
	if err != nil {
		return x.decidedAnew(p, err)
	}
	if len(codes) == 0 {
		return x.enrolled(p, proof)
	}
	page := enrolCodes{App: app(p), Action: x.path, Codes: codes, You: x.you(p, "you.signing")}
	if page.Sealed, err = x.browsers.Seal(x.visit, shownCodes{Session: p.Account.Session.ID, Proof: proof}); err != nil {
		return err
	}
	if page.Form, err = x.form(p.Sealed); err != nil {
		return err
	}
	return x.show(http.StatusOK, page)
}

// keepFirst makes good what was shown.
func (x *exchange) keepFirst(p *authorize.Passage) error {
	var shown shownCodes
	if x.browsers.Unseal(x.visit, x.params.Get("kept_codes"), &shown) != nil || shown.Session != p.Account.Session.ID ||
		shown.Proof.FactorID.IsZero() || x.params.Get("kept") != "yes" {
		x.redirect(x.address(authorize.StepEnrol, p.Sealed))
		return nil
	}
	return x.enrolled(p, shown.Proof)
}

// enrolled makes the factor good, and with it the sign-in.
func (x *exchange) enrolled(p *authorize.Passage, proof account.Confirmation) error {
	u := p.Account.User
	if err := x.people.FinishTOTP(x.ctx(), u, proof, x.by(p)); err != nil {
		return x.decidedAnew(p, err)
	}
	_, err := x.browsers.Enrolled(x.ctx(), x.visit, p.Request.ClientID, *p.Account, u.Revision+1, oauth.AMROTP)
	if err != nil && !errors.Is(err, browser.ErrGone) { // whoever is gone is asked to sign in again there
		return err
	}
	x.redirect(x.hubAddress(p.Sealed))
	return nil
}

// decidedAnew sends a person who changed meanwhile to where it is decided what comes next.
func (x *exchange) decidedAnew(p *authorize.Passage, err error) error {
	for _, moved := range []error{account.ErrChanged, account.ErrNotFound, account.ErrNoEnrollment} {
		if errors.Is(err, moved) {
			x.redirect(x.hubAddress(p.Sealed))
			return nil
		}
	}
	return err
}
