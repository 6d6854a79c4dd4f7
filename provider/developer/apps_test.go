package developer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// TestEveryKindBeginsWithWhatTheProtocolTakes: its defaults, with a name and an address, are a valid registration of that kind.
func TestEveryKindBeginsWithWhatTheProtocolTakes(t *testing.T) {
	t.Parallel()
	for _, k := range developer.Kinds() {
		m := developer.Defaults(k)
		m.Name = "App"
		if k != developer.KindMachine && len(m.RedirectURIs) == 0 {
			m.RedirectURIs = []string{"https://app.example/cb"}
		}
		valid, err := client.Validate(m, client.Config{Issuer: issuer})
		if err != nil {
			t.Errorf("%s: %v", k, err)
		}
		if got := developer.KindOf(valid); got != k {
			t.Errorf("%s reads as %s", k, got)
		}
		confidential := k == developer.KindWeb || k == developer.KindMachine
		if c := (storage.Client{Metadata: valid}); client.Public(c) == confidential || valid.RequirePKCE != nil || valid.FirstParty {
			t.Errorf("%s begins as %+v", k, valid)
		}
		if strings.Contains(fmt.Sprint(valid.GrantTypes), oauth.GrantPassword) {
			t.Errorf("%s begins with the password grant", k)
		}
	}
}

// TestATriedRedirectURISaysWhetherItMatchesAndWhyNot, by the rule of the front door.
func TestATriedRedirectURISaysWhetherItMatchesAndWhyNot(t *testing.T) {
	t.Parallel()
	c := storage.Client{Metadata: storage.ClientMetadata{RedirectURIs: []string{"https://app.example/cb", "http://127.0.0.1/cb"}}}
	for uri, want := range map[string]developer.Trial{
		"https://app.example/cb":   {Matches: true},
		"http://127.0.0.1:4711/cb": {Matches: true},
		"http://localhost:4711/cb": {Nearest: "http://127.0.0.1/cb", At: 7, Part: oauth.PartedHost},
		"https://app.example/cb/":  {Nearest: "https://app.example/cb", At: 22, Part: oauth.PartedSlash},
	} {
		got := developer.Try(c, uri)
		if got.Matches == (got.Why != "") {
			t.Errorf("%s: %+v", uri, got)
		}
		if got.Why = ""; got != want {
			t.Errorf("%s: %+v, want %+v", uri, got, want)
		}
	}
}

// TestWhatDevelopersMayNotSetIsRefusedByName, and what operators set stays.
func TestWhatDevelopersMayNotSetIsRefusedByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, d := t.Context(), w.under(developer.PolicyOn)
	for identifier, any := range map[string]bool{"https://open.example": true, "https://closed.example": false} {
		r := storage.Resource{Identifier: identifier, Metadata: storage.ResourceMetadata{Scope: identifier[8:9] + ":read", AnyClient: any}}
		w.must(w.store.CreateResource(ctx, r, storage.Also{}))
	}
	for member, set := range map[string]func(*storage.ClientMetadata){
		"first_party":       func(m *storage.ClientMetadata) { m.FirstParty = true },
		"grant_types":       func(m *storage.ClientMetadata) { m.GrantTypes = append(m.GrantTypes, oauth.GrantPassword) },
		"scope":             func(m *storage.ClientMetadata) { m.Scope += " c:read" },
		"resources":         func(m *storage.ClientMetadata) { m.Resources = []string{"https://closed.example"} },
		"resources has one": func(m *storage.ClientMetadata) { m.Resources = []string{"https://open.example"} }, // people alone give what is open
		"scope has a value that an operator alone": func(m *storage.ClientMetadata) {
			m.GrantTypes, m.Scope = append(m.GrantTypes, oauth.GrantClientCredentials), m.Scope+" o:read"
		},
		"subject_type": func(m *storage.ClientMetadata) { // of a sector that it does not prove
			m.GrantTypes, m.SubjectType = append(m.GrantTypes, oauth.GrantDeviceCode), "pairwise"
		},
		"software_statement":    func(m *storage.ClientMetadata) { m.SoftwareStatement = "eyJ.e30.x" },
		"access_token_lifetime": func(m *storage.ClientMetadata) { m.AccessTokenLifetime = 3600 },
		"refresh_token_lifetime": func(m *storage.ClientMetadata) {
			m.RefreshTokenLifetime = 10 * 365 * 24 * 3600
		},
		"require_pkce": func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod, m.RequirePKCE = "none", new(false) },
	} {
		m := website()
		set(&m)
		_, _, err := d.Create(ctx, by(w.root), m)
		if e := oauth.As(err); e == nil || e.Code != oauth.InvalidClientMetadata || !strings.HasPrefix(e.Description, member) {
			t.Errorf("%s: made %v", member, err)
		}
	}
	asking := w.make(w.ada, func(m *storage.ClientMetadata) { m.Scope = "openid o:read" })
	alone := asking.Client.Metadata
	alone.GrantTypes = append(alone.GrantTypes, oauth.GrantClientCredentials)
	_, err := d.Update(ctx, by(w.ada), asking, alone)
	w.is("an app that brings what people give into what it gets for itself", err, errOfClient)
	app := w.make(w.ada, func(m *storage.ClientMetadata) {
		m.Scope, m.AccessTokenLifetime = "openid o:read", 60
	})
	given := app.Client.Metadata
	given.FirstParty, given.Scope, given.AccessTokenLifetime = true, "openid o:read c:read", 3600
	given.GrantTypes = append(given.GrantTypes, oauth.GrantPassword)
	_, err = w.clients.Update(ctx, w.read(app.Client.ID), given, "cli")
	w.must(err)
	if app, err = d.Find(ctx, by(w.ada), app.Client.ID); err != nil {
		t.Fatal(err)
	}
	m := app.Client.Metadata
	m.Name, m.FirstParty = "Renamed", false
	if app, err = d.Update(ctx, by(w.ada), app, m); err != nil || app.Client.Metadata.Name != "Renamed" || !app.Client.Metadata.FirstParty ||
		app.Client.Metadata.Scope != given.Scope || len(app.Client.Metadata.GrantTypes) != 3 || app.Client.Metadata.AccessTokenLifetime != 3600 {
		t.Errorf("what an operator gave did not stay: %+v, %v", app.Client.Metadata, err)
	}
	m = app.Client.Metadata
	m.Scope, m.RedirectURIs = "openid", []string{"ftp://app.example"}
	_, err = d.Update(ctx, by(w.ada), app, m)
	w.is("what no registration may be", err, errOfClient)
}

func (w *world) read(id string) storage.Client {
	w.Helper()
	c, _, err := w.store.FindClient(w.Context(), id)
	w.must(err)
	return c
}

// TestAnAppThatSomebodyElseChangedIsNotOverwritten.
func TestAnAppThatSomebodyElseChangedIsNotOverwritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, app := w.under(developer.PolicyOn), w.make(w.ada)
	m := website()
	m.Name = "First"
	_, err := d.Update(t.Context(), by(w.ada), app, m)
	w.must(err)
	m.Name = "Second"
	_, err = d.Update(t.Context(), by(w.ada), app, m)
	w.is("with what was read before", err, storage.ErrMoved)
	if c := w.read(app.Client.ID); c.Metadata.Name != "First" {
		t.Errorf("it is called %q", c.Metadata.Name)
	}
}

// TestSecretsOverlapEndAndGo: two live at most, each for as long as it was given.
func TestSecretsOverlapEndAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, d := t.Context(), w.under(developer.PolicyOn)
	app, first, err := d.Create(ctx, by(w.ada), website())
	w.must(err)
	id := app.Client.ID
	good := func(secret string) bool {
		p, err := oauth.ParseParams("client_id=" + id)
		w.must(err)
		basic := "Basic " + basicOf(id, secret)
		caller, err := w.clients.Authenticate(ctx, []string{basic}, p)
		if err == nil && caller.SecretMade.IsZero() {
			t.Error("it is not said which secret proved the client")
		}
		return err == nil
	}
	w.advance(time.Minute)
	second, app, err := d.AddSecret(ctx, by(w.ada), app, time.Hour, 48*time.Hour)
	if err != nil || len(app.Secrets) != 2 || !app.Secrets[0].ExpiresAt.Equal(w.time().Add(48*time.Hour)) || !app.Secrets[1].ExpiresAt.Equal(w.time().Add(time.Hour)) {
		t.Fatalf("%+v, %v", app.Secrets, err)
	}
	if !good(first) || !good(second) {
		t.Error("one of two secrets that overlap is not taken")
	}
	made := app.Secrets[0].CreatedAt
	w.must(w.store.CountUsage(ctx, []storage.ClientUsage{{ClientID: id, Tokens: 1, By: w.bob.ID, Secrets: []time.Time{made}}}))
	if app, err = d.Find(ctx, by(w.ada), id); err != nil || !app.Secrets[0].UsedAt.Equal(w.time()) || !app.Secrets[1].UsedAt.IsZero() || len(app.Client.Secrets) != 0 {
		t.Errorf("%+v, %v", app, err)
	}
	if days, err := d.Usage(ctx, by(w.ada), id); err != nil || len(days) != 1 || days[0].Tokens != 1 {
		t.Errorf("used %+v, %v", days, err)
	}
	w.advance(2 * time.Hour)
	if good(first) || !good(second) {
		t.Error("the overlap did not end, or ended both")
	}
	if app, err = d.Find(ctx, by(w.ada), id); err != nil || len(app.Secrets) != 1 {
		t.Errorf("an expired secret is shown: %+v, %v", app.Secrets, err)
	}
	_, err = d.RemoveSecret(ctx, by(w.ada), id, made.Add(time.Second))
	w.is("none of that time", err, storage.ErrNotFound)
	if app, err = d.RemoveSecret(ctx, by(w.ada), id, made); err != nil || len(app.Secrets) != 0 || good(second) {
		t.Errorf("the last one stays: %+v, %v", app.Secrets, err)
	}
	before := app
	third, app, err := d.AddSecret(ctx, by(w.ada), app, 0, 0)
	if err != nil || !good(third) {
		t.Errorf("none can be made again: %v", err)
	}
	_, _, err = d.AddSecret(ctx, by(w.ada), before, 0, 0)
	w.is("asked for by the same form once more", err, storage.ErrMoved)
	for _, v := range [][2]time.Duration{{-1, 0}, {client.MaxOverlap + 1, 0}, {0, time.Minute}, {0, -1}, {0, client.MaxSecretLifetime + 1}} {
		_, _, err := d.AddSecret(ctx, by(w.ada), app, v[0], v[1])
		w.is(fmt.Sprint(v), err, errOfClient)
	}
	spa := w.make(w.ada, func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = "none" })
	_, _, err = d.AddSecret(ctx, by(w.ada), spa, 0, 0)
	w.is("of a public client", err, errOfClient)
}

// TestThePlaygroundIsAddedOnce, where there is something to come back with.
func TestThePlaygroundIsAddedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, app := w.under(developer.PolicyOn), w.make(w.ada)
	for range 2 {
		got, err := d.Playground(t.Context(), by(w.ada), app.Client.ID)
		if err != nil || len(got.Client.Metadata.RedirectURIs) != 2 || got.Client.Metadata.RedirectURIs[1] != issuer+developer.PlaygroundPath || got.Client.Revision != 2 {
			t.Errorf("%+v, %v", got.Client, err)
		}
	}
	machine, _, err := d.Create(t.Context(), by(w.ada), developer.Defaults(developer.KindMachine))
	w.must(err)
	_, err = d.Playground(t.Context(), by(w.ada), machine.Client.ID)
	w.is("a machine", err, errOfClient)
}

// TestRefusalsAreToldAsTheOwnerMayKnowThem, a page at a time.
func TestRefusalsAreToldAsTheOwnerMayKnowThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, d, app := t.Context(), w.under(developer.PolicyOn), w.make(w.ada)
	id := app.Client.ID
	record := func(r storage.RefusedRequest) {
		r.ClientID, r.Endpoint, r.Seen = id, "token", storage.Seen{Address: "203.0.113.9", Agent: "curl"}
		w.must(w.store.RecordRefusals(ctx, []storage.RefusedRequest{r}, storage.RefusalBound{All: 1000, PerClient: 100}))
		w.advance(time.Second)
	}
	for i := range 30 {
		record(storage.RefusedRequest{
			ID: fmt.Sprintf("ID%02d", i), GrantType: "refresh_token", Code: "invalid_grant", GrantID: w.ada.ID,
			Cause: "reuse", Token: "it was rotated at noon from another address, 192.0.2.1", Detail: map[string]string{"rotated_at": "noon"},
		})
	}
	record(storage.RefusedRequest{ID: "PASSWORD", GrantType: "password", Code: "invalid_grant", Cause: "account: user eve is disabled", Detail: map[string]string{"x": "eve"}})
	page, more, err := d.Refusals(ctx, by(w.ada), id, "")
	if err != nil || len(page) != 25 || !more || page[0].ID != "PASSWORD" || page[1].ID != "ID29" {
		t.Fatalf("%d, %v, %v", len(page), more, err)
	}
	if p := page[0]; p.Cause != "" || p.Token != "" || p.Detail != nil || p.Code != "invalid_grant" {
		t.Errorf("it is told who has an account: %+v", p)
	}
	if p := page[1]; p.Cause != "reuse" || p.Token == "" || p.Detail["rotated_at"] != "noon" || p.Seen.Address != "203.0.113.9" || !p.GrantID.IsZero() {
		t.Errorf("the owner is told %+v", p)
	}
	page, more, err = d.Refusals(ctx, by(w.ada), id, page[24].ID)
	if err != nil || len(page) != 6 || more || page[5].ID != "ID00" {
		t.Errorf("%d, %v, %v", len(page), more, err)
	}
}
