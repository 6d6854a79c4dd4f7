package pages

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/storage"
)

// ticketPass is what a mailed link becomes in the browser that opened it: what then stands in the address bar works in no other.
type ticketPass struct {
	Ticket storage.ID `json:"ticket"`
}

// landing is what the forms that a mailed link leads to carry.
type landing struct{ Action, Pass, Token string }

// noticePage says one thing, and where to go on. Heading and Text name messages.
type noticePage struct {
	Heading, Text string
	Command       string // what to type at the server; ""
	Next          *next  // nil: nowhere
}

// next is where a notice leads. Text names a message.
type next struct{ Address, Text string }

func (noticePage) template() string { return "notice" }

// land takes the link out of the address, and reports whether the browser was sent on without it. Nothing is used up by that: programs
// open the links of mails before people do.
func (x *exchange) land() (bool, error) {
	link := x.params.Get("link")
	if link == "" {
		return false, nil
	}
	id, err := x.people.OpenLink(link)
	if err != nil {
		return false, err
	}
	sealed, err := x.browsers.Seal(x.visit, ticketPass{id})
	if err != nil {
		return false, err
	}
	x.redirect(x.passing(x.path, sealed))
	return true, nil
}

// passing is an address with a sealed ticketPass, if there is one.
func (x *exchange) passing(address, pass string) string {
	if pass == "" {
		return address
	}
	return address + "?pass=" + url.QueryEscape(pass)
}

// ticket is the one that the page is about. account.ErrLink, also where the link was opened in another browser.
func (x *exchange) ticket() (storage.ID, error) {
	var pass ticketPass
	if err := x.browsers.Unseal(x.visit, x.params.Get("pass"), &pass); err != nil {
		return storage.ID{}, fmt.Errorf("%w (%w)", account.ErrLink, err)
	}
	return pass.Ticket, nil
}

// ticketPosted is ticket, for a form that was sent: only one that this browser was shown.
func (x *exchange) ticketPosted() (storage.ID, error) {
	pass := x.params.Get("pass")
	if err := x.browsers.CheckForm(x.visit, x.about(pass), x.params.Get("form_token")); err != nil {
		return storage.ID{}, &fault{status: http.StatusForbidden, heading: "form", again: x.passing(x.path, pass), cause: err}
	}
	return x.ticket()
}

// landing makes what a form about the ticket carries.
func (x *exchange) landing() (landing, error) {
	pass := x.params.Get("pass")
	token, err := x.browsers.FormToken(x.visit, x.about(pass))
	return landing{x.path, pass, token}, err
}

// left is the request that the person left to come to this page, nil where there is none.
func (x *exchange) left() (*authorize.Passage, error) {
	if x.params.Get("tx") == "" {
		return nil, nil
	}
	return x.passage()
}

// leftPosted is left, for a form that was sent: only one that this browser was shown.
func (x *exchange) leftPosted() (*authorize.Passage, error) {
	if err := x.checkForm(x.params.Get("tx"), ""); err != nil {
		return nil, err
	}
	return x.left()
}

// resumed is the request in which the ticket was asked for, nil where there is none that goes on in this browser.
func (x *exchange) resumed(t storage.Ticket) *authorize.Passage {
	tx := t.Data[account.TicketTx]
	if tx == "" {
		return nil
	}
	p, err := x.door.Resume(x.ctx(), x.visit, tx)
	if err != nil { // it is too old, or was begun in another browser: the account is made all the same
		return nil
	}
	x.speakWith(p)
	x.policy.forms, x.policy.images = p.Target.Origin(), logoOf(p.Client)
	return p
}

// appOf is who asks in p, which may be nil.
func appOf(p *authorize.Passage) *appView {
	if p == nil {
		return nil
	}
	return app(p)
}

// sent leads to the page that says that a mail is on its way, the same whoever it goes to.
func (x *exchange) sent() {
	address := x.path + "?sent=1"
	if tx := x.params.Get("tx"); tx != "" {
		address += "&tx=" + url.QueryEscape(tx)
	}
	x.redirect(address)
}

// signInAddress is where the person goes on by signing in.
func (x *exchange) signInAddress() string {
	if tx := x.params.Get("tx"); tx != "" {
		return x.address(authorize.StepSignIn, tx)
	}
	return x.base + "/" + string(authorize.StepSignIn)
}

// lapsed answers a link that does not work (account.ErrLink), whatever the reason: the page that it led to tells how to get another.
func (x *exchange) lapsed() error {
	return x.show(http.StatusGone, noticePage{Heading: "link.title", Text: "link.text", Next: &next{x.path, "link.again"}})
}

// stranger is whoever asks, as the one who acts.
func (x *exchange) stranger() account.By {
	return account.By{Seen: x.visit.Seen, Locale: x.render.tongues.each[x.tongue].Tag}
}
