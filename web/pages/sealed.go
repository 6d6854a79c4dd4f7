package pages

import (
	"net/http"
	"strings"
	"unicode"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// form is what every form carries: the sealed request, and the token that binds the form to this browser and what it is about.
type form struct{ Tx, Token string }

// appView is the app that asks, as the person is told of it.
type appView struct {
	Name, Logo, Host, Initial string
	Of                        string // the host that publishes its description; "": it has none
	Device                    bool   // Host is the person's own device
}

// youView says whom it goes on with, and leads to others.
type youView struct{ Text, Name, Change string }

// accountView is somebody at this browser.
type accountView struct {
	ID, Name, Login, Initial string
	Half                     bool // the second factor is missing
}

// passage reads which request the page is about, as it stands now.
func (x *exchange) passage() (*authorize.Passage, error) {
	tx := x.params.Get("tx")
	if tx == "" {
		return nil, &fault{status: http.StatusBadRequest, heading: "no_request"}
	}
	p, err := x.door.Resume(x.ctx(), x.visit, tx)
	if err != nil {
		return nil, err
	}
	x.speakWith(p)
	x.policy.forms, x.policy.images = p.Target.Origin(), logoOf(p.Client)
	return p, nil
}

// posted is passage, for a form that was sent: only one that this browser was shown, about this request, by whoever is signed in.
func (x *exchange) posted() (*authorize.Passage, error) {
	if tx := x.params.Get("tx"); tx != "" {
		if err := x.checkForm(tx, ""); err != nil {
			return nil, err
		}
	}
	return x.passage()
}

// checkForm refuses a form that this browser was not shown, or that was about something else.
func (x *exchange) checkForm(tx, shown string) error {
	if err := x.browsers.CheckForm(x.visit, x.about(tx)+shown, x.params.Get("form_token")); err != nil {
		return &fault{status: http.StatusForbidden, heading: "form", tx: tx, again: x.path, cause: err}
	}
	return nil
}

// about is what a form's token is bound to.
func (x *exchange) about(tx string) string { return x.path + "?" + tx }

// form makes what a form about the sealed request carries.
func (x *exchange) form(tx string) (form, error) { return x.formShowing(tx, "") }

// formShowing is form, bound to what is shown besides: an answer to another question is none to this one.
func (x *exchange) formShowing(tx, shown string) (form, error) {
	token, err := x.browsers.FormToken(x.visit, x.about(tx)+shown)
	return form{tx, token}, err
}

// app is who asks; nil where a device does.
func app(p *authorize.Passage) *appView {
	if p.Request.Kind != authorize.KindAuthorize {
		return nil
	}
	return appAt(p.Client, p.Target)
}

func appAt(c storage.Client, to oauth.Target) *appView {
	name := clientName(c)
	return &appView{
		Name: name, Logo: logoOf(c), Host: to.Host(), Initial: initial(name), Of: originOf(c, clock(storage.User{})).Of, Device: onDevice(to),
	}
}

func clientName(c storage.Client) string {
	if name := strings.TrimSpace(c.Metadata.Name); name != "" {
		return name
	}
	return c.ID
}

// you says whom it goes on with.
func (x *exchange) you(p *authorize.Passage, message string) youView {
	y := youView{Text: message, Change: x.address(authorize.StepChoose, p.Sealed)}
	if p.Account != nil {
		y.Name = viewOf(*p.Account).Name
	}
	return y
}

func viewOf(a browser.Account) accountView {
	v := accountView{ID: a.Session.ID.String(), Name: a.User.Profile.Name, Login: a.User.Username, Half: !a.Session.SignedIn()}
	if v.Name == "" {
		v.Name, v.Login = v.Login, a.User.Email
	}
	v.Initial = initial(v.Name)
	return v
}

// initial is the first letter or digit, for where there is no picture.
func initial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return strings.ToUpper(string(r))
		}
	}
	return "•"
}
