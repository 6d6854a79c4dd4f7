package pages

import (
	"errors"
	"net/http"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/storage"
)

// joinPage takes what people say of themselves when they make their account.
type joinPage struct {
	landing
	App      *appView
	Setup    bool   // the first administrator's
	Address  string // the e-mail address, proven by the link; "": of Setup, where Email is typed
	Username string
	Name     string
	Email    string
	Least    int   // characters of the password
	Wrong    field // that Problem is about
	Problem  string
}

func (joinPage) template() string { return "join" }

// field is the name of a field of a form, as our templates know it.
type field string

// joining reads the ticket that the page is about. account.ErrLink, also where it is not for this page.
func (x *exchange) joining(id storage.ID, setup bool) (storage.Ticket, error) {
	t, err := x.people.Joining(x.ctx(), id)
	if err == nil && setup != (t.Kind == storage.TicketSetup) {
		return t, account.ErrLink
	}
	return t, err
}

// showJoin shows the form that a link to make an account leads to.
func showJoin(x *exchange, setup bool) error {
	id, err := x.ticket()
	if err != nil {
		return err
	}
	t, err := x.joining(id, setup)
	if err != nil {
		return err
	}
	return x.showJoin(t, x.resumed(t), http.StatusOK, joinPage{})
}

func (x *exchange) showJoin(t storage.Ticket, p *authorize.Passage, status int, page joinPage) error {
	page.Setup, page.Address, page.Least, page.App = t.Kind == storage.TicketSetup, t.Email, x.people.MinPassword(), appOf(p)
	var err error
	if page.landing, err = x.landing(); err != nil {
		return err
	}
	return x.show(status, page)
}

// join makes the account, signs its person in, and goes on with what they came for.
func join(x *exchange, setup bool) error {
	id, err := x.ticketPosted()
	if err != nil {
		return err
	}
	t, err := x.joining(id, setup)
	if err != nil {
		return err
	}
	p := x.resumed(t)
	page := joinPage{Username: x.params.Get("username"), Name: x.params.Get("name"), Email: x.params.Get("email")}
	password := x.params.Get("password")
	if password != x.params.Get("again") {
		page.Wrong, page.Problem = "password", x.text("account.password.differ")
		return x.showJoin(t, p, http.StatusUnprocessableEntity, page)
	}
	by := x.stranger()
	u, err := x.people.Join(x.ctx(), id, account.Newcomer{
		Username: page.Username, Name: page.Name, Email: page.Email, Password: storage.NewSecret([]byte(password)), Locale: by.Locale,
	}, by)
	if err != nil {
		var status int
		if status, page.Wrong, page.Problem = x.unjoined(err); page.Problem == "" {
			return err
		}
		x.note(err)
		return x.showJoin(t, p, status, page)
	}
	return x.joined(u, p, setup)
}

// unjoined is what the form says of an account that was not made, and the field that it is about; "" where no form says it.
func (x *exchange) unjoined(err error) (status int, wrong field, text string) {
	var bad *account.Invalid
	if !errors.As(err, &bad) {
		status, text = x.problem(err, "")
		return status, "", text
	}
	status, wrong = http.StatusUnprocessableEntity, field(bad.Field)
	switch taken := errors.Is(err, storage.ErrTaken); {
	case wrong == "password":
		text = x.text(broken(bad.Rule), "Least", x.people.MinPassword())
	case wrong == "email" && taken:
		text = x.text("join.email_taken")
	case wrong == "email":
		text = x.text("signup.wrong")
	case wrong == "name":
		text = x.text("join.name_wrong")
	case taken:
		text = x.text("join.username_taken")
	default:
		text = x.text("join.username_wrong")
	}
	return status, wrong, text
}

// joined signs in who has just made u. Whoever cannot be by now signs in as anybody does.
func (x *exchange) joined(u storage.User, p *authorize.Passage, setup bool) error {
	clientID := ""
	if p != nil {
		clientID = p.Request.ClientID
	}
	_, err := x.browsers.Joined(x.ctx(), x.visit, clientID, u)
	if err != nil && !errors.Is(err, browser.ErrGone) {
		return err
	}
	switch {
	case setup:
		return x.to(authorize.AccountFactors, "setup")
	case p != nil:
		x.redirect(x.hubAddress(p.Sealed))
		return nil
	}
	return x.to(authorize.AccountOverview, "joined")
}
