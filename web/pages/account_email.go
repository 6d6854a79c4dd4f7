package pages

import (
	"errors"
	"net/http"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/storage"
)

// accountEmail shows the e-mail address, and takes another.
type accountEmail struct {
	owned
	Address  string // ""
	Verified bool
	Email    string // as it was typed
}

func (accountEmail) template() string { return "account_email" }

// accountEmailConfirm asks whether the address that the link was sent to shall be the person's.
type accountEmailConfirm struct {
	owned
	Pass string
	From string // the address until now; "": there is none, or it is only proven
	Into string // the one that is proven
}

func (accountEmailConfirm) template() string { return "account_email_confirm" }

// showEmail is the page, and where the link leads. The link is taken out of the address before the person is asked for a proof, and
// waits for it in the sealed request.
func showEmail(x *exchange) error {
	if landed, err := x.land(); landed || err != nil {
		return err
	}
	if x.params.Get("pass") == "" {
		p, err := x.own(authorize.AccountEmail)
		if p == nil || err != nil {
			return err
		}
		return x.showEmail(p, http.StatusOK, "", "")
	}
	id, err := x.ticket()
	if err != nil {
		return err
	}
	p, err := x.ownWith(authorize.AccountEmail, x.params.Get("pass"))
	if p == nil || err != nil {
		return err
	}
	t, err := x.people.ChangingEmail(x.ctx(), id, p.Account.User)
	if err != nil {
		return err
	}
	return x.confirmEmail(p, t, http.StatusOK, "")
}

func (x *exchange) showEmail(p *authorize.Passage, status int, email, problem string) error {
	u := p.Account.User
	page := accountEmail{Address: u.Email, Verified: u.EmailVerified, Email: email}
	var err error
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	page.Problem = problem
	return x.show(status, page)
}

func (x *exchange) confirmEmail(p *authorize.Passage, t storage.Ticket, status int, problem string) error {
	page := accountEmailConfirm{Pass: x.params.Get("pass"), Into: t.Email}
	if from := p.Account.User.Email; from != t.Email {
		page.From = from
	}
	var err error
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	page.Problem = problem
	return x.show(status, page)
}

func changeEmail(x *exchange) error {
	if x.params.Get("pass") != "" {
		return takeEmail(x)
	}
	p, err := x.ownPosted(authorize.AccountEmail)
	if p == nil || err != nil {
		return err
	}
	u, email := p.Account.User, x.params.Get("email")
	if x.params.Has("verify") {
		email = u.Email
	}
	err = x.people.AskToChangeEmail(x.ctx(), x.door.Limiter, x.visit.Caller(), u, email, x.by(p))
	if err == nil {
		return x.to(authorize.AccountEmail, "email_asked")
	}
	show := func(status int, problem string) error { return x.showEmail(p, status, email, problem) }
	if bad := (*account.Invalid)(nil); errors.As(err, &bad) {
		x.note(err)
		if email == u.Email {
			return show(http.StatusUnprocessableEntity, x.text("account.email.own"))
		}
		return show(http.StatusUnprocessableEntity, x.text("signup.wrong"))
	}
	return x.failing(err, show)
}

// takeEmail makes the address of the link the person's.
func takeEmail(x *exchange) error {
	id, err := x.ticket()
	if err != nil {
		return err
	}
	pass := x.params.Get("pass")
	p, err := x.ownPostedWith(authorize.AccountEmail, pass)
	if p == nil || err != nil {
		return err
	}
	t, err := x.people.ChangingEmail(x.ctx(), id, p.Account.User)
	if err != nil {
		return err
	}
	_, err = x.people.ChangeEmail(x.ctx(), id, p.Account.User, x.by(p))
	bad := (*account.Invalid)(nil)
	switch {
	case err == nil:
		return x.to(authorize.AccountEmail, "email")
	case errors.As(err, &bad):
		x.note(err)
		return x.confirmEmail(p, t, http.StatusUnprocessableEntity, x.text("join.email_taken"))
	case errors.Is(err, account.ErrChanged):
		x.redirect(x.passing(x.path, pass))
		return nil
	}
	return err
}
