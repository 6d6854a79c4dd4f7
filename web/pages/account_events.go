package pages

import (
	"net/http"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/storage"
)

// accountEvents tells what was done with the account.
type accountEvents struct {
	owned
	Events []eventView
	Older  string // address of the next page; "" there is none
}

func (accountEvents) template() string { return "account_events" }

// eventView is one event in words.
type eventView struct {
	What     string
	App      string
	Operator bool // the people who run the server did it
	Agent    string
	Address  string
	At       moment
}

// eventTexts are the messages of the kinds of events.
func eventTexts() map[string]string {
	return map[string]string{
		"signin.succeeded": "account.event.signed_in", "signin.failed": "account.event.sign_in_failed",
		"signin.second_factor_failed": "account.event.factor_failed", "signin.device_remembered": "account.event.remembered",
		"session.ended": "account.event.session_ended", "sessions.ended": "account.event.sessions_ended",
		"user.created": "account.event.created", "user.updated": "account.event.updated", "user.password_changed": "account.event.password",
		"user.totp_enrolled": "account.event.enrolled", "user.totp_confirmed": "account.event.confirmed", "user.totp_removed": "account.event.removed",
		"user.factors_removed": "account.event.factors_removed", "user.recovery_codes_replaced": "account.event.codes",
		"signin.passkey_failed": "account.event.passkey_failed", "signin.passkey_cloned": "account.event.passkey_cloned",
		"user.passkey_added": "account.event.passkey_added", "user.passkey_removed": "account.event.passkey_removed",
		"user.sign_up_asked": "account.event.asked_to_join", "user.joined": "account.event.joined", "user.set_up": "account.event.set_up",
		"user.invited": "account.event.invited", "user.setup_link_made": "account.event.setup_link",
		"user.reset_asked": "account.event.reset_asked", "user.password_reset": "account.event.reset",
		"user.email_change_asked": "account.event.email_asked", "user.email_changed": "account.event.email",
		"user.deletion_asked": "account.event.deletion_asked", "user.deletion_withdrawn": "account.event.deletion_withdrawn",
		"user.data_downloaded": "account.event.downloaded",
		"user.recovery_begun":  "account.event.recovery_begun", "user.recovery_withdrawn": "account.event.recovery_withdrawn",
		"user.recovery_finished": "account.event.recovery_finished",
		"user.device_forgotten":  "account.event.forgotten", "user.disabled": "account.event.disabled", "user.enabled": "account.event.enabled",
		"consent.given": "account.event.allowed", "consent.denied": "account.event.denied", "consent.withdrawn": "account.event.withdrawn",
		"device.approved": "account.event.device_allowed", "device.denied": "account.event.device_denied",
		"grant.revoked": "account.event.revoked", "grants.revoked": "account.event.revoked", "token.revoked": "account.event.token_revoked",
		"grant.reuse": "account.event.reuse", "grant.code_replay": "account.event.replay", "grant.refresh_shared": "account.event.shared",
		"grant.adopted": "account.event.adopted", "client.logout_undelivered": "account.event.untold", "mail.undelivered": "account.event.undelivered",
	}
}

func showEvents(x *exchange) error {
	p, err := x.own(authorize.AccountEvents)
	if p == nil || err != nil {
		return err
	}
	before, err := storage.ParseID(x.params.Get("before"))
	if err != nil {
		before = storage.ID{}
	}
	events, more, err := x.door.Events(x.ctx(), p, before)
	if err != nil {
		return err
	}
	var page accountEvents
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	page.Events = x.events(events, p.Account.User)
	if more {
		page.Older = x.path + "?before=" + events[len(events)-1].ID.String()
	}
	return x.show(http.StatusOK, page)
}

// events puts the events of the user into words.
func (x *exchange) events(events []storage.Event, u storage.User) []eventView {
	var views []eventView
	at, texts, apps := clock(u), eventTexts(), map[string]string{}
	for _, e := range events {
		v := eventView{Address: e.Seen.Address, At: at(e.At), Operator: e.Actor == "cli" || e.Actor == "server"}
		if id := texts[e.Kind]; id != "" {
			v.What = x.text(id)
		} else {
			v.What = x.text("account.event.other", "Kind", e.Kind)
		}
		if e.Seen.Agent != "" {
			v.Agent = agentName(e.Seen.Agent)
		}
		if e.ClientID != "" {
			if apps[e.ClientID] == "" {
				apps[e.ClientID] = x.nameOf(e.ClientID)
			}
			v.App = apps[e.ClientID]
		}
		views = append(views, v)
	}
	return views
}

// nameOf is the name of a client, or its ID where the registration is gone or cannot be read now.
func (x *exchange) nameOf(clientID string) string {
	c, _, err := x.door.Clients.Lookup(x.ctx(), clientID)
	if err != nil {
		return clientID
	}
	return clientName(c)
}
