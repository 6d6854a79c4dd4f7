package pages

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/storage"
)

// recentErrors is how many of the app's errors the overview shows.
const recentErrors = 3

// developerApp is the overview of an app.
type developerApp struct {
	ofApp
	Values  []valueView
	Figures []figure
	Days    []dayView
	Errors  []errorView
	More    string // address of all errors
	Delete  string // address at which to delete the app
	On, Off bool   // it may be enabled, or disabled, by this person
}

func (developerApp) template() string { return "developer_app" }

// valueView is a value to copy. Heading names a message.
type valueView struct{ Heading, Value string }

func showDeveloperApp(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperApp)
	if p == nil || err != nil {
		return err
	}
	return x.showDeveloperApp(p, app, http.StatusOK, "")
}

func (x *exchange) showDeveloperApp(p *authorize.Passage, app developer.App, status int, problem string) error {
	id, by := app.Client.ID, x.asDeveloper(p)
	page := developerApp{
		Values: x.appValues(app.Client), More: x.appAddress(authorize.DeveloperErrors, id), Delete: x.appAddress(authorize.DeveloperDelete, id),
		Off: app.Client.DisabledAt.IsZero(), On: mayEnable(p.Account.User, app.Client),
	}
	var err error
	if page.ofApp, err = x.ofApp(p, app, authorize.DeveloperApp); err != nil {
		return err
	}
	page.Problem = problem
	days, err := x.developers.Usage(x.ctx(), by, id)
	if err != nil {
		return x.goneApp(err)
	}
	page.Figures, page.Days = x.figures(days, app.Now), dayViews(days)
	refused, _, err := x.developers.Refusals(x.ctx(), by, id, "")
	if err != nil {
		return x.goneApp(err)
	}
	page.Errors = x.errorViews(p, refused[:min(len(refused), recentErrors)])
	return x.show(status, page)
}

// appValues are those that a program that uses the app is set up with.
func (x *exchange) appValues(c storage.Client) []valueView {
	return []valueView{
		{"developer.value.client_id", c.ID},
		{"developer.value.issuer", x.door.IssuerURL},
		{"developer.value.discovery", x.door.IssuerURL + "/.well-known/openid-configuration"},
	}
}

// mayEnable reports whether the button is worth showing: the rule itself is the developers'.
func mayEnable(u storage.User, c storage.Client) bool {
	return !c.DisabledAt.IsZero() && (u.Admin || c.DisabledFor == storage.DisabledByOwner)
}

func switchApp(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperApp)
	if p == nil || err != nil {
		return err
	}
	id, by, word := app.Client.ID, x.asDeveloper(p), ""
	switch x.params.Get("switch") {
	case "off":
		word = "disabled"
		_, err = x.developers.Disable(x.ctx(), by, id)
	case "on":
		word = "enabled"
		_, err = x.developers.Enable(x.ctx(), by, id)
	}
	if err != nil {
		return x.appFailed(err, func(status int, problem string) error { return x.showDeveloperApp(p, app, status, problem) })
	}
	return x.toApp(authorize.DeveloperApp, id, word)
}

// appFailed shows the page again, by show, with what is wrong.
func (x *exchange) appFailed(err error, show func(status int, problem string) error) error {
	status, problem := x.unsuitable(err)
	if problem == "" {
		return x.goneApp(err)
	}
	x.note(err)
	return show(status, problem)
}

// hosts are those of the redirect URIs, each once; of one without a host, its scheme.
func hosts(uris []string) (all []string) {
	for _, uri := range uris {
		u, err := url.Parse(uri)
		if err != nil {
			continue
		}
		host := u.Host
		if host == "" {
			host = u.Scheme + ":"
		}
		if !slices.Contains(all, host) {
			all = append(all, host)
		}
	}
	return all
}
