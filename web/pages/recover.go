package pages

import (
	"errors"
	"net/http"
	"strings"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/storage"
)

// recoverPage asks who has forgotten their password.
type recoverPage struct {
	App      *appView
	Action   string
	Form     form
	Username string
	Problem  string
	SignIn   string // address for who remembers
}

func (recoverPage) template() string { return "recover" }

// resetPage takes a new password from who opened the mailed link, with the second factor where there is one.
type resetPage struct {
	landing
	App      *appView
	Username string
	Least    int            // characters of the password
	OTP      bool           // a code of an app will do
	Recovery bool           // there is a second factor: a recovery code will do
	Passkey  *passkeyPrompt // nil: there is none
	Wrong    field          // that Problem is about
	Problem  string
}

func (resetPage) template() string { return "reset" }

func showRecover(x *exchange) error {
	if landed, err := x.land(); landed || err != nil {
		return err
	}
	if x.params.Get("pass") != "" {
		return showReset(x)
	}
	p, err := x.left()
	if err != nil {
		return err
	}
	if x.params.Get("sent") != "" {
		return x.show(http.StatusOK, noticePage{Heading: "sent.title", Text: "recover.sent", Next: &next{x.signInAddress(), "recover.sign_in"}})
	}
	username := ""
	if p != nil {
		username = p.Request.LoginHint
	}
	return x.showRecover(p, http.StatusOK, username, "")
}

func (x *exchange) showRecover(p *authorize.Passage, status int, username, problem string) error {
	page := recoverPage{App: appOf(p), Action: x.path, Username: username, Problem: problem, SignIn: x.signInAddress()}
	var err error
	if page.Form, err = x.form(x.params.Get("tx")); err != nil {
		return err
	}
	return x.show(status, page)
}

func recoverPassword(x *exchange) error {
	if x.params.Get("pass") != "" {
		return reset(x)
	}
	p, err := x.leftPosted()
	if err != nil {
		return err
	}
	username := strings.TrimSpace(x.params.Get("username"))
	if username == "" {
		return x.showRecover(p, http.StatusUnprocessableEntity, "", x.text("recover.incomplete"))
	}
	err = x.people.AskToReset(x.ctx(), x.door.Limiter, x.visit.Caller(), username, x.params.Get("tx"), x.stranger())
	if err == nil {
		x.sent()
		return nil
	}
	status, problem := x.problem(err, "")
	if problem == "" {
		return err
	}
	x.note(err)
	return x.showRecover(p, status, username, problem)
}

func showReset(x *exchange) error {
	id, err := x.ticket()
	if err != nil {
		return err
	}
	t, person, err := x.people.Resetting(x.ctx(), id)
	if err != nil {
		return err
	}
	return x.showReset(person, x.resumed(t), http.StatusOK, resetPage{})
}

func (x *exchange) showReset(person storage.SignIn, p *authorize.Passage, status int, page resetPage) error {
	page.App, page.Username, page.Least = appOf(p), person.User.Username, x.people.MinPassword()
	page.OTP, page.Recovery = len(person.Factors) > 0, person.HasFactor()
	var err error
	if page.Passkey, err = x.prompt(x.people.BeginPasskeyFactor(person)); err != nil {
		return err
	}
	if page.landing, err = x.landing(); err != nil {
		return err
	}
	return x.show(status, page)
}

// reset ends every session of the person: they sign in with the new password, and go on with what they came for.
func reset(x *exchange) error {
	id, err := x.ticketPosted()
	if err != nil {
		return err
	}
	t, person, err := x.people.Resetting(x.ctx(), id)
	if err != nil {
		return err
	}
	p := x.resumed(t)
	password := x.params.Get("password")
	proof := account.Proof{
		OTP: withoutSpace(x.params.Get("otp")), RecoveryCode: strings.TrimSpace(x.params.Get("recovery_code")), Passkey: x.answered(),
	}
	switch {
	case password != x.params.Get("again"):
		page := resetPage{Wrong: "password", Problem: x.text("account.password.differ")}
		return x.showReset(person, p, http.StatusUnprocessableEntity, page)
	case person.HasFactor() && proof.OTP == "" && proof.RecoveryCode == "" && proof.Passkey == nil:
		page := resetPage{Wrong: "code", Problem: x.text("reset.no_code")}
		return x.showReset(person, p, http.StatusUnprocessableEntity, page)
	}
	_, err = x.people.ResetPassword(x.ctx(), x.door.Limiter, x.visit.Caller(), id, proof, storage.NewSecret([]byte(password)), x.stranger())
	if err != nil {
		wrong := "reset.wrong_code"
		if proof.Passkey != nil {
			wrong = "passkey.factor_wrong"
		}
		return x.unreset(person, p, err, wrong)
	}
	return x.afterReset(p)
}

// unreset shows the form again with what was wrong; wrong is said of the second factor. The link is as good as before.
func (x *exchange) unreset(person storage.SignIn, p *authorize.Passage, err error, wrong string) error {
	if errors.Is(err, account.ErrChanged) { // somebody changed the account meanwhile: read it and show it anew
		x.redirect(x.passing(x.path, x.params.Get("pass")))
		return nil
	}
	var page resetPage
	var status int
	if bad := (*account.Invalid)(nil); errors.As(err, &bad) {
		status, page.Wrong, page.Problem = http.StatusUnprocessableEntity, "password", x.text(broken(bad.Rule), "Least", x.people.MinPassword())
	} else if status, page.Problem = x.problem(err, wrong); errors.Is(err, account.ErrWrong) {
		page.Wrong = "code"
	}
	if page.Problem == "" {
		return err
	}
	x.note(err)
	return x.showReset(person, p, status, page)
}

// afterReset leads to the sign-in page, which says that the password is changed.
func (x *exchange) afterReset(p *authorize.Passage) error {
	if p == nil {
		var err error
		if p, err = x.door.BeginAccount(x.ctx(), x.visit, authorize.AccountOverview, ""); err != nil {
			return err
		}
	}
	x.redirect(x.address(authorize.StepSignIn, p.Sealed) + "&done=reset")
	return nil
}
