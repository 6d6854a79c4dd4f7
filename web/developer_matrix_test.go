package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/provider/register"
	"github.com/signet-idp/signet/storage"
)

// portalRow is what a page about apps is for.
type portalRow struct {
	about   bool     // it is about the app that id names: its owner's and administrators' alone
	admins  bool     // it is for administrators alone
	anybody bool     // it tells nothing of anybody, and wants no sign-in
	fill    []string // of a POST: what is sent besides what the form has; "ID" stands for the app's
	changes bool     // of a POST: it changes what is stored
}

// portalMatrix has a row for each page about apps and each of its methods. A page without one fails the test: somebody must have thought
// about whose it is.
var portalMatrix = map[string]portalRow{
	"GET /developer":                     {},
	"GET /developer/new":                 {},
	"POST /developer/new":                {fill: []string{"kind", "machine", "client_name", "Made"}, changes: true},
	"GET /developer/waiting":             {admins: true},
	"POST /developer/waiting":            {admins: true, fill: []string{"approve", "ID"}, changes: true},
	"GET /developer/tokens":              {admins: true},
	"POST /developer/tokens":             {admins: true, fill: []string{"token_name", "Made"}, changes: true},
	"GET /developer/app":                 {about: true},
	"POST /developer/app":                {about: true, fill: []string{"switch", "off"}, changes: true},
	"GET /developer/app/settings":        {about: true},
	"POST /developer/app/settings":       {about: true, fill: []string{"client_name", "Taken"}, changes: true},
	"GET /developer/app/redirects":       {about: true},
	"POST /developer/app/redirects":      {about: true, fill: []string{"uri", callback}},
	"GET /developer/app/secrets":         {about: true},
	"POST /developer/app/secrets":        {about: true, fill: []string{"overlap", "0", "lifetime", "0"}, changes: true},
	"GET /developer/app/errors":          {about: true},
	"GET /developer/app/delete":          {about: true},
	"POST /developer/app/delete":         {about: true, fill: []string{"app_name", "Victim"}, changes: true},
	"GET /developer/app/snippets":        {about: true},
	"GET /developer/playground":          {about: true},
	"POST /developer/playground":         {about: true, changes: true},
	"GET /developer/playground/callback": {anybody: true},
}

// portalRoutes are the pages about apps, each with its methods, read off the route table.
func portalRoutes(t *testing.T, p *provider.Provider) (rows []string) {
	t.Helper()
	for _, r := range p.Routes() {
		if !strings.HasPrefix(r.Path, "/developer") {
			continue
		}
		for _, method := range r.Methods {
			row := method + " " + r.Path
			if _, known := portalMatrix[row]; method == http.MethodHead {
				continue
			} else if !known {
				t.Errorf("%s has no row in the matrix: whose is it?", row)
				continue
			}
			rows = append(rows, row)
		}
	}
	if len(rows) != len(portalMatrix) {
		t.Fatalf("the route table has %d of the %d rows", len(rows), len(portalMatrix))
	}
	slices.Sort(rows)
	return rows
}

// ownApp makes a web app of the person's, however policy is; held: it waits for an administrator.
func (w *world) ownApp(name string, owner storage.User, held bool) storage.Client {
	w.Helper()
	m := developer.Defaults(developer.KindWeb)
	m.Name, m.RedirectURIs = name, []string{callback}
	made, err := w.provider.Clients().Register(w.Context(), client.Newcomer{Origin: storage.OriginPerson, OwnerID: owner.ID, Held: held, Metadata: m, Actor: "test"})
	w.must(err)
	return made.Client
}

// clients are all that can be changed of clients, and of the tokens with which they come.
func (w *world) clients() string {
	w.Helper()
	all, err := w.store.ListClients(w.Context(), "", 1000)
	w.must(err)
	var b strings.Builder
	for _, c := range all {
		fmt.Fprintln(&b, c.ID, c.Revision, c.DisabledFor, len(c.Secrets), c.Metadata.Name, c.OwnerID)
	}
	tokens, _, err := w.store.ListRegistrationTokens(w.Context(), storage.ID{}, 1000)
	w.must(err)
	for _, t := range tokens {
		fmt.Fprintln(&b, t.ID, t.RevokedAt)
	}
	return b.String()
}

// visitor is somebody who asks for pages about apps.
type visitor struct {
	name string
	user storage.User
	own  *storage.Client // an app of theirs, other than the one that it is about; nil: none
}

func TestEveryPageAboutAppsShowsAndChangesWhatItMay(t *testing.T) {
	t.Parallel()
	for _, policy := range developer.Policies() {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			eachSet(t, func(w *world) {
				owner, other, root := w.user("owner"), w.user("other"), w.admin("root")
				theirs := w.ownApp("Theirs", other, false)
				for _, a := range []visitor{{"anonymous", storage.User{}, nil}, {"owner", owner, nil}, {"other", other, &theirs}, {"root", root, nil}} {
					b := w.browser()
					if a.name != "anonymous" {
						b = w.home(a.name, "")
					}
					for _, row := range portalRoutes(w.T, w.provider) {
						b.tryPage(policy, a, row, w.ownApp("Victim", owner, strings.HasSuffix(row, "/waiting")))
					}
				}
			}, func(c *provider.Config) {
				c.Developers = provider.Developers{Policy: policy, Apps: 1000}
				c.Registration.Mode = register.ModeToken
			})
		})
	}
}

// tryPage asks for one page about the app as somebody, and judges what comes of it.
func (b *browser) tryPage(policy developer.Policy, a visitor, row string, victim storage.Client) {
	b.Helper()
	is := portalMatrix[row]
	method, path, _ := strings.Cut(row, " ")
	before := b.clients()
	p := b.askFor(method, path, is, a, victim)
	changed := b.clients() != before
	allowed := policy == developer.PolicyOn || policy == developer.PolicyApproval || policy == developer.PolicyAdmins && a.user.Admin
	reaches := allowed && a.name != "anonymous" && (!is.admins || a.user.Admin) && (!is.about || a.user.Admin || a.name == "owner")
	fail := func(want string) {
		b.Helper()
		b.Errorf("policy %s: %s as %s: %d %q at %s (changed: %v), want %s", policy, row, a.name, p.status, p.h1, p.url, changed, want)
	}
	if is.anybody {
		if p.status >= http.StatusInternalServerError || changed || p.says("Victim") {
			fail("nothing")
		}
		return
	}
	if !reaches && (changed || p.says("Victim") || p.says("app.example") || p.says("scs_") || p.says("sit_")) { // the ID is what they sent themselves
		fail("nothing told and nothing changed")
	}
	switch {
	case reaches:
		if p.status != http.StatusOK || p.asks("password") || changed != is.changes {
			fail(fmt.Sprintf("the page, and changed: %v", is.changes))
		}
	case policy == developer.PolicyOff:
		if p.status != http.StatusNotFound {
			fail("404")
		}
	case a.name == "anonymous":
		if !p.asks("password") {
			fail("to sign in")
		}
	case method == http.MethodPost && p.status == http.StatusForbidden: // they have no form of it either
	case !allowed && p.status != http.StatusForbidden, allowed && p.status != http.StatusNotFound:
		fail("403 where policy does not let them, else 404")
	}
}

// askFor sends the request. A form is the page's own, as far as there is one to be had: of the person's own app, with the id of the other.
func (b *browser) askFor(method, path string, is portalRow, a visitor, victim storage.Client) page {
	b.Helper()
	address := path + "?kind=machine&id=" + url.QueryEscape(victim.ID)
	if method == http.MethodGet {
		return b.visit(address)
	}
	if a.own != nil && is.about {
		address = path + "?id=" + url.QueryEscape(a.own.ID)
	}
	b.visit(address)
	values := form("id", victim.ID)
	for _, f := range b.page.forms {
		if f.action == path && f.takes(nil) {
			values = f.filled(nil)
			break
		}
	}
	for _, f := range b.page.forms { // the form that has what is sent, where there are several
		if f.action == path && len(is.fill) > 0 && f.takes(is.fill[:2]) {
			values = f.filled(is.fill)
		}
	}
	for i := 0; i < len(is.fill); i += 2 {
		values.Set(is.fill[i], strings.ReplaceAll(is.fill[i+1], "ID", victim.ID))
	}
	if is.about {
		values.Set("id", victim.ID)
	}
	return b.send(path, values)
}

// TestNoRegistrationAccessTokenOpensAnAppOfThePortal: what a person made is looked after by that person, at the pages; and what software
// registered by the token that it got, and by administrators.
func TestNoRegistrationAccessTokenOpensAnAppOfThePortal(t *testing.T) {
	t.Parallel()
	eachSet(t, func(w *world) {
		owner := w.user("owner")
		w.user("other")
		w.admin("root")
		app := w.ownApp("Portal", owner, false)
		one, another := w.register(""), w.register("")
		for name, c := range map[string]struct{ client, uri, token string }{
			"an app of the portal, no token":              {app.ID, "/oauth2/register/" + app.ID, ""},
			"an app of the portal, the token of software": {app.ID, "/oauth2/register/" + app.ID, one.token},
			"software, no token":                          {one.id, one.uri, ""},
			"software, the token of other software":       {one.id, one.uri, another.token},
		} {
			before := w.clients()
			for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
				w.want(w.ask(method, c.uri, c.token, software(object{"client_id": c.client})), http.StatusUnauthorized, "invalid_token")
			}
			if w.clients() != before {
				t.Errorf("%s: something changed", name)
			}
		}
		for name, sees := range map[string]bool{"owner": false, "other": false, "root": true} {
			b := w.home(name, "")
			if p := b.visit(appPage("", one.id)); (p.status == http.StatusOK) != sees || !sees && p.says("Agent") {
				t.Errorf("%s at the page of what software registered: %d %q", name, p.status, p.h1)
			}
		}
		w.want(w.ask(http.MethodGet, one.uri, one.token, nil), http.StatusOK, "")
		w.want(w.ask(http.MethodPut, one.uri, one.token, software(object{"client_id": one.id})), http.StatusOK, "")
		if a := w.ask(http.MethodDelete, one.uri, one.token, nil); a.status != http.StatusNoContent {
			t.Errorf("to leave: %d %s", a.status, a.raw)
		}
	}, func(c *provider.Config) {
		c.Developers = provider.Developers{Policy: developer.PolicyOn}
		c.Registration.Mode = register.ModeOpen
	})
}
