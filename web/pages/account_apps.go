package pages

import (
	"net/http"

	"github.com/signet-idp/signet/provider/authorize"
)

// accountApps lists the apps that the person has let in.
type accountApps struct {
	owned
	Apps []connectedApp
}

func (accountApps) template() string { return "account_apps" }

// connectedApp is an app, and what it may do, in words.
type connectedApp struct {
	ID, Name, Initial string
	Of                string // the host that publishes its description; "": it has none
	Asks, Resources   []ask
	Since, Used       moment
}

func showApps(x *exchange) error {
	p, err := x.own(authorize.AccountApps)
	if p == nil || err != nil {
		return err
	}
	apps, err := x.door.Apps(x.ctx(), p)
	if err != nil {
		return err
	}
	var page accountApps
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	at := clock(p.Account.User)
	for _, a := range apps {
		name := clientName(a.Client)
		page.Apps = append(page.Apps, connectedApp{
			ID: a.Client.ID, Name: name, Initial: initial(name), Of: originOf(a.Client, at).Of, Since: at(a.Since), Used: at(a.UsedAt),
			Asks: x.asks(a.Allowed, p.Account.User), Resources: resources(a.Allowed.Resources, a.Resources),
		})
	}
	return x.show(http.StatusOK, page)
}

func disconnect(x *exchange) error {
	p, err := x.ownPosted(authorize.AccountApps)
	if p == nil || err != nil {
		return err
	}
	if err := x.door.Disconnect(x.ctx(), x.visit, p, x.params.Get("app")); err != nil {
		return err
	}
	return x.to(authorize.AccountApps, "app")
}
