package pages

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/storage"
)

// developerErrors lists the requests of an app that were refused.
type developerErrors struct {
	ofApp
	Errors []errorView
	Older  string // address; "" none
}

func (developerErrors) template() string { return "developer_errors" }

// errorView is a refused request: what its sender heard, and why. What is said of it is in English, as in the answer.
type errorView struct {
	ID                   string
	At                   moment
	Endpoint, Grant      string
	Code, Description    string
	Cause, Token         string // ""
	Received, Registered *compared
	Facts                []factView
	Agent, Address       string // "" of the browser or program that asked
}

// factView is one thing that was sent or is registered, by its name.
type factView struct{ Name, Value string }

func showErrors(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperErrors)
	if p == nil || err != nil {
		return err
	}
	id := app.Client.ID
	refused, more, err := x.developers.Refusals(x.ctx(), x.asDeveloper(p), id, x.params.Get("before"))
	if err != nil {
		return x.goneApp(err)
	}
	page := developerErrors{Errors: x.errorViews(p, refused)}
	if page.ofApp, err = x.ofApp(p, app, authorize.DeveloperErrors); err != nil {
		return err
	}
	if more && len(refused) > 0 {
		page.Older = x.appAddress(authorize.DeveloperErrors, id) + "&before=" + url.QueryEscape(refused[len(refused)-1].ID)
	}
	return x.show(http.StatusOK, page)
}

func (x *exchange) errorViews(p *authorize.Passage, refused []storage.RefusedRequest) (views []errorView) {
	at := clock(p.Account.User)
	for _, r := range refused {
		v := errorView{
			ID: r.ID, At: at(r.At), Endpoint: r.Endpoint, Grant: r.GrantType, Code: r.Code, Description: r.Description, Cause: r.Cause, Token: r.Token,
			Agent: agentName(r.Seen.Agent), Address: r.Seen.Address,
		}
		received, registered := r.Detail["received"], r.Detail["registered"]
		if received != "" && registered != "" {
			n := shared(received, registered)
			v.Received, v.Registered = &compared{received[:n], received[n:]}, &compared{registered[:n], registered[n:]}
		}
		for name, value := range r.Detail {
			if v.Received == nil || !slices.Contains([]string{"received", "registered", "at", "part"}, name) { // which the marks show
				v.Facts = append(v.Facts, factView{name, value})
			}
		}
		slices.SortFunc(v.Facts, func(a, b factView) int { return cmp.Compare(a.Name, b.Name) })
		views = append(views, v)
	}
	return views
}
