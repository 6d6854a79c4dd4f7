package pages

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// accountData offers all that is kept of the person.
type accountData struct{ owned }

func (accountData) template() string { return "account_data" }

// The download. Its members are a format that people keep: none changes its meaning. Secrets and their digests are not in it.
type ownData struct {
	Issuer         string         `json:"issuer"`
	At             time.Time      `json:"at"`
	Subject        string         `json:"sub"`
	CreatedAt      time.Time      `json:"created_at"`
	Administrator  bool           `json:"administrator"`
	Claims         map[string]any `json:"claims"` // OpenID Connect Core §5.1
	Password       bool           `json:"password"`
	Authenticators []ownFactor    `json:"authenticators"`
	Passkeys       []ownFactor    `json:"passkeys"`
	RecoveryCodes  int            `json:"recovery_codes_left"`
	Sessions       []ownBrowser   `json:"sessions"`
	Remembered     []ownBrowser   `json:"remembered_browsers"`
	Apps           []ownApp       `json:"apps"`
	Pending        []ownPending   `json:"pending"`
	Events         []ownEvent     `json:"events"` // of 90 days
}

type ownFactor struct {
	Name    string    `json:"name"`
	AddedAt time.Time `json:"added_at"`
	UsedAt  time.Time `json:"used_at,omitzero"`
	Synced  bool      `json:"synced,omitempty"` // of a passkey: kept on several devices
}

type ownBrowser struct {
	Since   time.Time `json:"since"`
	UsedAt  time.Time `json:"used_at,omitzero"`
	EndsAt  time.Time `json:"ends_at"`
	Methods []string  `json:"amr,omitempty"`
	Address string    `json:"address,omitempty"`
	Agent   string    `json:"agent,omitempty"`
}

type ownApp struct {
	ID        string    `json:"client_id"`
	Name      string    `json:"name,omitempty"`
	Scope     []string  `json:"scope"`
	Claims    []string  `json:"claims,omitempty"`
	Resources []string  `json:"resources,omitempty"`
	Since     time.Time `json:"since"`
	UsedAt    time.Time `json:"used_at,omitzero"`
}

type ownPending struct {
	Kind  storage.TicketKind `json:"kind"`
	Since time.Time          `json:"since"`
	At    time.Time          `json:"at"`
}

type ownEvent struct {
	Kind     string    `json:"kind"`
	At       time.Time `json:"at"`
	ClientID string    `json:"client_id,omitempty"`
	Address  string    `json:"address,omitempty"`
	Agent    string    `json:"agent,omitempty"`
}

func showData(x *exchange) error {
	p, err := x.own(authorize.AccountData)
	if p == nil || err != nil {
		return err
	}
	var page accountData
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	return x.show(http.StatusOK, page)
}

// download answers with a file, by POST: no other site, and no program that follows links, begins one.
func download(x *exchange) error {
	p, err := x.ownPosted(authorize.AccountData)
	if p == nil || err != nil {
		return err
	}
	data, err := x.ownData(p)
	if err != nil {
		return err
	}
	file, err := json.MarshalIndent(data, "", "  ")
	if err != nil {
		return fmt.Errorf("write a person's own data: %w", err)
	}
	if err := x.people.RecordDownload(x.ctx(), p.Account.User.ID, x.by(p)); err != nil {
		return err
	}
	x.cookies()
	h := x.c.Writer.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="signet-account.json"`)
	h.Set("Content-Length", strconv.Itoa(len(file)))
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	x.c.Status(http.StatusOK)
	_, _ = x.c.Writer.Write(file)
	return nil
}

func (x *exchange) ownData(p *authorize.Passage) (ownData, error) {
	found, err := x.people.Find(x.ctx(), p.Account.User.ID.String())
	if err != nil {
		return ownData{}, err
	}
	u := found.User
	data := ownData{
		Issuer: x.door.IssuerURL, At: p.Now.UTC(), Subject: u.ID.String(), CreatedAt: u.CreatedAt.UTC(), Administrator: u.Admin,
		Claims: account.Claims(u, oauth.UserScopes()), Password: found.PasswordHash != "", RecoveryCodes: found.RecoveryCodes,
		Authenticators: []ownFactor{}, Passkeys: []ownFactor{}, Sessions: []ownBrowser{}, Remembered: []ownBrowser{},
		Apps: []ownApp{}, Pending: []ownPending{}, Events: []ownEvent{},
	}
	for _, f := range found.Factors {
		data.Authenticators = append(data.Authenticators, ownFactor{Name: f.Name, AddedAt: f.ConfirmedAt.UTC()})
	}
	for _, k := range found.Passkeys {
		data.Passkeys = append(data.Passkeys, ownFactor{k.Name, k.CreatedAt.UTC(), utc(k.UsedAt), k.BackedUp})
	}
	for _, add := range []func(*authorize.Passage, *ownData) error{x.addBrowsers, x.addApps, x.addPending, x.addEvents} {
		if err := add(p, &data); err != nil {
			return ownData{}, err
		}
	}
	return data, nil
}

// utc is t in UTC; the zero time stays the zero time.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

func (x *exchange) addBrowsers(p *authorize.Passage, data *ownData) error {
	sessions, now, err := x.browsers.Sessions(x.ctx(), *p.Account)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		data.Sessions = append(data.Sessions, ownBrowser{s.AuthTime.UTC(), utc(s.UsedAt), s.ExpiresAt.UTC(), s.AMR, s.Seen.Address, s.Seen.Agent})
	}
	devices, err := x.browsers.Remembered(x.ctx(), *p.Account, now)
	if err != nil {
		return err
	}
	for _, d := range devices {
		data.Remembered = append(data.Remembered, ownBrowser{Since: d.CreatedAt.UTC(), EndsAt: d.ExpiresAt.UTC(), Address: d.Seen.Address, Agent: d.Seen.Agent})
	}
	return nil
}

func (x *exchange) addApps(p *authorize.Passage, data *ownData) error {
	apps, err := x.door.Apps(x.ctx(), p)
	if err != nil {
		return err
	}
	for _, a := range apps {
		data.Apps = append(data.Apps, ownApp{
			a.Client.ID, a.Client.Metadata.Name, slices.Concat([]string{}, a.Allowed.Scope), a.Allowed.Claims, a.Allowed.Resources,
			a.Since.UTC(), utc(a.UsedAt),
		})
	}
	return nil
}

func (x *exchange) addPending(p *authorize.Passage, data *ownData) error {
	recovery, deletion, _, err := x.people.Pending(x.ctx(), p.Account.User.ID)
	if err != nil {
		return err
	}
	for _, t := range []*storage.Ticket{recovery, deletion} {
		if t != nil {
			data.Pending = append(data.Pending, ownPending{t.Kind, t.CreatedAt.UTC(), t.RipeAt.UTC()})
		}
	}
	return nil
}

func (x *exchange) addEvents(p *authorize.Passage, data *ownData) error {
	for before, more := (storage.ID{}), true; more; {
		var events []storage.Event
		var err error
		if events, more, err = x.door.Events(x.ctx(), p, before); err != nil {
			return err
		}
		for _, e := range events {
			data.Events = append(data.Events, ownEvent{e.Kind, e.At.UTC(), e.ClientID, e.Seen.Address, e.Seen.Agent})
			before = e.ID
		}
	}
	return nil
}
