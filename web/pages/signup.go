package pages

import (
	"errors"
	"net/http"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
)

// signUpPage asks for the e-mail address to make an account with.
type signUpPage struct {
	App     *appView
	Invited bool // only who was invited gets a mail
	Action  string
	Form    form
	Email   string
	Problem string
	SignIn  string // address for who has an account
}

func (signUpPage) template() string { return "signup" }

func showSignUp(x *exchange) error {
	if landed, err := x.land(); landed || err != nil {
		return err
	}
	if x.params.Get("pass") != "" {
		return showJoin(x, false)
	}
	p, err := x.left()
	if err != nil {
		return err
	}
	switch {
	case x.people.SignUp() == account.SignUpOff:
		return x.noSignUp()
	case x.params.Get("sent") != "":
		return x.show(http.StatusOK, noticePage{Heading: "sent.title", Text: "signup.sent", Next: &next{x.signInAddress(), "signup.sign_in"}})
	}
	return x.showSignUp(p, http.StatusOK, "", "")
}

func (x *exchange) showSignUp(p *authorize.Passage, status int, email, problem string) error {
	page := signUpPage{
		App: appOf(p), Invited: x.people.SignUp() == account.SignUpInvite, Action: x.path, Email: email, Problem: problem, SignIn: x.signInAddress(),
	}
	var err error
	if page.Form, err = x.form(x.params.Get("tx")); err != nil {
		return err
	}
	return x.show(status, page)
}

// noSignUp says that nobody makes an account here.
func (x *exchange) noSignUp() error {
	return x.show(http.StatusForbidden, noticePage{Heading: "signup.off_title", Text: "signup.off", Next: &next{x.signInAddress(), "signup.sign_in"}})
}

func signUp(x *exchange) error {
	if x.params.Get("pass") != "" {
		return join(x, false)
	}
	p, err := x.leftPosted()
	if err != nil {
		return err
	}
	email := x.params.Get("email")
	err = x.people.AskToJoin(x.ctx(), x.door.Limiter, x.visit.Caller(), email, x.params.Get("tx"), x.stranger())
	if err == nil {
		x.sent()
		return nil
	}
	if errors.Is(err, account.ErrSignUpOff) {
		return x.noSignUp()
	}
	status, problem := x.problem(err, "")
	if bad := (*account.Invalid)(nil); errors.As(err, &bad) {
		status, problem = http.StatusUnprocessableEntity, x.text("signup.wrong")
	}
	if problem == "" {
		return err
	}
	x.note(err)
	return x.showSignUp(p, status, email, problem)
}
