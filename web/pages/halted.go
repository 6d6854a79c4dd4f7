package pages

import (
	"html/template"
	"net/http"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// haltedPage tells of an error of an app that nobody here knows, before the browser goes there: it goes where the person says alone.
type haltedPage struct {
	App         *appView
	Origin      originView
	Location    template.URL // the answer, as the mode query or fragment has it; "" where it is Fields
	Action      template.URL // where the form with Fields goes
	Fields      [][2]string
	Code        string
	Description string
	Client      string
	ID          string // of the request
}

func (haltedPage) template() string { return "halted" }

// giveRefusal sends a refusal to the app, or shows it first where the front door says so.
func (x *exchange) giveRefusal(r *authorize.Returned) error {
	c, halted := r.Halted()
	if !halted {
		return x.give(r)
	}
	page := haltedPage{
		App: appAt(c, r.Target()), Origin: originOf(c, clock(storage.User{})), Client: c.ID, ID: x.c.Writer.Header().Get("X-Request-Id"),
	}
	if e := oauth.As(r); e != nil {
		page.Code, page.Description = string(e.Code), e.Description
	}
	if r.Mode() == oauth.ModeFormPost {
		x.policy.forms = r.Origin()
		page.Action, page.Fields = proven(r.Action()), r.Fields()
	} else {
		page.Location = proven(r.Location())
	}
	return x.show(http.StatusBadRequest, page)
}

func haltedSamples() []page {
	app := &appView{Name: "Bookshop", Host: "shop.example", Initial: "B"}
	agent := &appView{Name: "Agent", Host: "127.0.0.1:51000", Initial: "A", Of: "agent.example", Device: true}
	return []page{
		haltedPage{
			App: app, Origin: originView{Registered: "2026-11-22", Unverified: true}, Location: "https://shop.example/cb?error=invalid_scope",
			Code: "invalid_scope", Description: "this client is registered for none of the scope", Client: "bookshop", ID: "SAMPLE",
		},
		haltedPage{
			App: agent, Origin: originView{Of: "agent.example", Unverified: true}, Action: "http://127.0.0.1:51000/cb",
			Fields: [][2]string{{"error", "invalid_request"}, {"state", "s"}}, Code: "invalid_request", Description: "the parameter response_type is missing",
			Client: "https://agent.example/id.json", ID: "SAMPLE",
		},
	}
}
