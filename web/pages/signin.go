package pages

import (
	"errors"
	"net/http"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// signInPage asks for a username and a password.
type signInPage struct {
	App      *appView // nil: for a device
	Device   bool
	Again    bool // somebody is signed in, and it must be proven anew
	Create   bool // the app would have a new account made, and there are none
	Action   string
	Form     form
	Username string
	Problem  string
	Choose   string // address of the accounts that are signed in; "" nobody is
	Forgot   string // address for who has forgotten the password
	SignUp   string // address for who has no account; "": none are made here
	Done     string // what has just been done; ""

	Passkey        *passkeyPrompt // nil: none are offered here
	PasskeyProblem string
}

func (signInPage) template() string { return "login" }

// showSignIn shows the page whatever step is next: a person may want to be somebody else than who is signed in.
func showSignIn(x *exchange) error {
	if x.params.Get("tx") == "" { // nobody sent the person here: they came to sign in to their own account
		x.redirect(x.accountAddress(authorize.AccountOverview))
		return nil
	}
	p, err := x.passage()
	if err != nil {
		return err
	}
	username := p.Request.LoginHint
	if p.Account != nil && p.Step == authorize.StepSignIn {
		username = p.Account.User.Username
	}
	page := signInPage{Username: username}
	if x.params.Get("done") == "reset" { // words alone: nothing is told that the address does not tell already
		page.Done = x.text("reset.done")
	}
	return x.showSignIn(p, http.StatusOK, page)
}

func (x *exchange) showSignIn(p *authorize.Passage, status int, page signInPage) error {
	page.App, page.Device, page.Action = app(p), p.Request.Kind == authorize.KindDevice, x.path
	page.Again, page.Create = p.Account != nil && p.Step == authorize.StepSignIn, p.Request.Prompts(oauth.PromptCreate) && !x.door.SignUp
	page.Forgot = x.address("recover", p.Sealed)
	if x.door.SignUp {
		page.SignUp = x.address(authorize.StepSignUp, p.Sealed)
	}
	if len(p.Accounts) > 0 && !page.Again {
		page.Choose = x.address(authorize.StepChoose, p.Sealed)
	}
	var err error
	if page.Form, err = x.form(p.Sealed); err != nil {
		return err
	}
	if page.Passkey, err = x.prompt(x.people.BeginPasskeySignIn()); err != nil {
		return err
	}
	return x.show(status, page)
}

func signIn(x *exchange) error {
	p, err := x.posted()
	if err != nil {
		return err
	}
	if proof := x.answered(); proof != nil {
		return x.signInByPasskey(p, *proof)
	}
	username, password := x.params.Get("username"), x.params.Get("password")
	if username == "" || password == "" {
		return x.showSignIn(p, http.StatusUnprocessableEntity, signInPage{Username: username, Problem: x.text("signin.incomplete")})
	}
	_, err = x.browsers.SignIn(x.ctx(), x.visit, p.Request.ClientID, username, storage.NewSecret([]byte(password)))
	if err == nil {
		x.redirect(x.hubAddress(p.Sealed))
		return nil
	}
	status, problem := x.problem(err, "signin.wrong")
	if problem == "" {
		return err
	}
	x.note(err)
	return x.showSignIn(p, status, signInPage{Username: username, Problem: problem})
}

// problem is what the form says of a proof that failed, and the status it is said with; "" where no form says it.
func (x *exchange) problem(err error, wrong string) (status int, text string) {
	switch e := oauth.As(err); {
	case errors.Is(err, account.ErrWrong):
		return http.StatusUnprocessableEntity, x.text(wrong)
	case e != nil && e.Code == oauth.SlowDown:
		return http.StatusTooManyRequests, x.wait(e.RetryAfter)
	case e != nil && e.Code == oauth.TemporarilyUnavailable:
		x.retryAfter(e.RetryAfter)
		return http.StatusServiceUnavailable, x.text("busy")
	}
	return 0, ""
}

// note leaves what a form says of an error in the log.
func (x *exchange) note(err error) { _ = x.c.Error(err) }
