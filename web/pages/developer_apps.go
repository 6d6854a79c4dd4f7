package pages

import (
	"net/http"
	"strconv"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/developer"
)

// developerApps lists a person's apps, and offers to make more.
type developerApps struct {
	owned
	Apps    []appRow
	Kinds   []kindCard
	Full    string // that there can be no more, in words; ""
	Waiting string // address of what waits for an administrator; "": nothing does, or it is not for this person
	Tokens  string // address of the tokens of registration; "": there are none, or not for this person
}

func (developerApps) template() string { return "developer" }

// appRow is an app in a list. Heading names the message of its kind.
type appRow struct {
	ID, Address, Name, Initial string
	Heading                    string
	Owner                      string // ""
	State                      stateView
	Made, Used                 moment
	Hosts                      []string // where it sends people back to
}

// kindCard leads to the form of a new app. Heading and Text name messages.
type kindCard struct{ Address, Heading, Text string }

// kindText is what is said of a kind of apps; the members name messages.
type kindText struct{ heading, about, redirects string }

func kindTexts(k developer.Kind) kindText {
	switch k {
	case developer.KindSPA:
		return kindText{"developer.kind.spa", "developer.kind.spa_about", "developer.kind.spa_redirects"}
	case developer.KindNative:
		return kindText{"developer.kind.native", "developer.kind.native_about", "developer.kind.native_redirects"}
	case developer.KindMachine:
		return kindText{heading: "developer.kind.machine", about: "developer.kind.machine_about"}
	case developer.KindAgent:
		return kindText{"developer.kind.agent", "developer.kind.agent_about", "developer.kind.agent_redirects"}
	}
	return kindText{"developer.kind.web", "developer.kind.web_about", "developer.kind.web_redirects"}
}

func (x *exchange) kindCards() (cards []kindCard) {
	for _, k := range developer.Kinds() {
		said := kindTexts(k)
		cards = append(cards, kindCard{x.accountAddress(authorize.DeveloperNew) + "?kind=" + string(k), said.heading, said.about})
	}
	return cards
}

func showDeveloperApps(x *exchange) error {
	p, err := x.developing(authorize.DeveloperApps, "id")
	if p == nil || err != nil {
		return err
	}
	page := developerApps{Kinds: x.kindCards(), Tokens: x.tokensAddress(p)}
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	apps, err := x.developers.Mine(x.ctx(), x.asDeveloper(p))
	if err != nil {
		return err
	}
	page.Apps = x.appRows(p, apps)
	if limit := x.developers.Limit(); len(apps) >= limit {
		page.Full = x.text("developer.full", "Limit", strconv.Itoa(limit))
	}
	if p.Account.User.Admin {
		waiting, err := x.developers.Awaiting(x.ctx(), x.asDeveloper(p))
		if err != nil {
			return err
		}
		if len(waiting) > 0 {
			page.Waiting = x.accountAddress(authorize.DeveloperWaiting)
		}
	}
	return x.show(http.StatusOK, page)
}

func (x *exchange) appRows(p *authorize.Passage, apps []developer.App) (rows []appRow) {
	at := clock(p.Account.User)
	for _, a := range apps {
		c := a.Client
		name := clientName(c)
		row := appRow{
			ID: c.ID, Address: x.appAddress(authorize.DeveloperApp, c.ID), Name: name, Initial: initial(name), Owner: a.Owner, State: appState(c),
			Heading: kindTexts(developer.KindOf(c.Metadata)).heading, Made: at(c.CreatedAt), Used: at(c.UsedAt), Hosts: hosts(c.Metadata.RedirectURIs),
		}
		rows = append(rows, row)
	}
	return rows
}

// developerWaiting lists, for administrators, the apps that nobody may use before they have let them in.
type developerWaiting struct {
	owned
	Apps   string // address of their own apps
	Tokens string // address of the tokens of registration; "" none
	List   []appRow
}

func (developerWaiting) template() string { return "developer_waiting" }

// administering is developing, for administrators: for others there is no such page.
func (x *exchange) administering(page authorize.AccountPage) (*authorize.Passage, error) {
	p, err := x.developing(page, "id")
	if p != nil && err == nil && !p.Account.User.Admin {
		return nil, &fault{status: http.StatusNotFound, heading: "developer_no_app", again: x.accountAddress(authorize.DeveloperApps)}
	}
	return p, err
}

func showWaiting(x *exchange) error {
	p, err := x.administering(authorize.DeveloperWaiting)
	if p == nil || err != nil {
		return err
	}
	page := developerWaiting{Apps: x.accountAddress(authorize.DeveloperApps), Tokens: x.tokensAddress(p)}
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	apps, err := x.developers.Awaiting(x.ctx(), x.asDeveloper(p))
	if err != nil {
		return err
	}
	page.List = x.appRows(p, apps)
	return x.show(http.StatusOK, page)
}

func approve(x *exchange) error {
	p, err := x.administering(authorize.DeveloperWaiting)
	if p == nil || err != nil {
		return err
	}
	if _, err := x.developers.Approve(x.ctx(), x.asDeveloper(p), x.params.Get("approve")); err != nil {
		return x.goneApp(err)
	}
	return x.to(authorize.DeveloperWaiting, "approved")
}
