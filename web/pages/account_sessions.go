package pages

import (
	"net/http"
	"strings"
	"unicode"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// accountSessions lists where the person is signed in.
type accountSessions struct {
	owned
	Here   sessionView
	Others []sessionView
}

func (accountSessions) template() string { return "account_sessions" }

// sessionView is a browser in which somebody is signed in.
type sessionView struct {
	ID       string
	Agent    string
	Address  string
	Used     moment
	SignedIn moment
}

func showSessions(x *exchange) error {
	p, err := x.own(authorize.AccountSessions)
	if p == nil || err != nil {
		return err
	}
	all, _, err := x.browsers.Sessions(x.ctx(), *p.Account)
	if err != nil {
		return err
	}
	var page accountSessions
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	at := clock(p.Account.User)
	for _, s := range all {
		v := sessionView{ID: s.ID.String(), Agent: x.agent(s.Seen), Address: s.Seen.Address, Used: at(s.UsedAt), SignedIn: at(s.AuthTime)}
		if s.ID == p.Account.Session.ID {
			page.Here = v
		} else {
			page.Others = append(page.Others, v)
		}
	}
	return x.show(http.StatusOK, page)
}

func endSessions(x *exchange) error {
	p, err := x.ownPosted(authorize.AccountSessions)
	if p == nil || err != nil {
		return err
	}
	which := x.params.Get("end")
	if which == "others" {
		if err := x.browsers.EndOthers(x.ctx(), x.visit, *p.Account); err != nil {
			return err
		}
		return x.to(authorize.AccountSessions, "sessions")
	}
	id, err := storage.ParseID(which)
	if err != nil {
		x.redirect(x.path)
		return nil
	}
	ended, err := x.browsers.EndElsewhere(x.ctx(), x.visit, *p.Account, id)
	if err != nil {
		return err
	}
	if !ended {
		x.redirect(x.path)
		return nil
	}
	return x.to(authorize.AccountSessions, "session")
}

// agent names a browser and its system, as far as its User-Agent tells.
func (x *exchange) agent(seen storage.Seen) string {
	if name := agentName(seen.Agent); name != "" {
		return name
	}
	return x.text("account.unknown_agent")
}

// agentName is the name of a program and its system in a User-Agent, or what there is of it; "" for none.
func agentName(agent string) string {
	if name := oauth.AgentName(agent); name != "" {
		return name
	}
	shown := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, agent)
	if letters := []rune(shown); len(letters) > 48 {
		shown = string(letters[:48]) + "…"
	}
	return strings.TrimSpace(shown)
}
